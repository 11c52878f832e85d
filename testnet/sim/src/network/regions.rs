//! Six regions of the world, with published figures: how far they are from each other, how fast their lines are, and how many of
//! Bitcoin's nodes stand in each.
//!
//! The figures are those of 2019 in R. Nagayama, R. Banno, K. Shudo, "Identifying Impacts of Protocol and Internet Development on the Bitcoin
//! Network" (IEEE ISCC 2020), as the simulator SimBlock (Aoki and others 2019) ships them. Like SimBlock we take the latencies as one way.

use tally_node_core::random::Random;

use crate::network::bandwidth::Bandwidth;

/// A part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// North America.
    NorthAmerica,
    /// Europe.
    Europe,
    /// South America.
    SouthAmerica,
    /// Asia and the Pacific, without Japan and Australia.
    AsiaPacific,
    /// Japan.
    Japan,
    /// Australia.
    Australia,
}

/// One-way latencies in milliseconds, row and column in the order of [`Region::ALL`].
const LATENCY_MS: [[u64; 6]; 6] = [
    [32, 124, 184, 198, 151, 189],
    [124, 11, 227, 237, 252, 294],
    [184, 227, 88, 325, 301, 322],
    [198, 237, 325, 85, 58, 198],
    [151, 252, 301, 58, 12, 126],
    [189, 294, 322, 198, 126, 16],
];

/// Upload and download in bits a second.
const LINES: [(u64, u64); 6] = [
    (19_200_000, 52_000_000),
    (20_700_000, 40_000_000),
    (5_800_000, 18_000_000),
    (15_700_000, 22_800_000),
    (10_200_000, 22_800_000),
    (11_300_000, 29_900_000),
];

/// Nodes of Bitcoin, out of ten thousand.
const SHARES: [u64; 6] = [3_316, 4_998, 90, 1_177, 224, 195];

impl Region {
    /// All regions.
    pub const ALL: [Region; 6] = [
        Region::NorthAmerica,
        Region::Europe,
        Region::SouthAmerica,
        Region::AsiaPacific,
        Region::Japan,
        Region::Australia,
    ];

    /// A region, as often as Bitcoin's nodes stand there.
    pub fn random(random: &mut Random) -> Region {
        let mut left = random.below(SHARES.iter().sum());
        for (region, share) in Region::ALL.into_iter().zip(SHARES) {
            if left < share {
                return region;
            }
            left -= share;
        }
        Region::Europe
    }

    /// How long a small message travels from here to there, in milliseconds.
    #[must_use]
    pub const fn latency_ms(self, other: Region) -> u64 {
        LATENCY_MS[self as usize][other as usize]
    }

    /// The line of a host here.
    #[must_use]
    pub const fn bandwidth(self) -> Bandwidth {
        let (up_bits, down_bits) = LINES[self as usize];
        Bandwidth { up_bits, down_bits }
    }
}
