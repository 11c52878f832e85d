//! Every kernel finds the nonces of real Bitcoin blocks: our header is Bitcoin's.

use tally_kernels::sha256::{meets, sha256d};
use tally_kernels::{Hit, Prepared, kernel};

/// Nonces tried on either side; few under Miri, which runs a thousand times as slow.
const AROUND: u32 = if cfg!(miri) { 10 } else { 10_000 };

struct RealBlock {
    height: u32,
    prev: &'static str,
    merkle_root: &'static str,
    time: u32,
    bits: u32,
    nonce: u32,
    hash: &'static str,
}

const BLOCKS: [RealBlock; 4] = [
    RealBlock {
        height: 0,
        prev: "0000000000000000000000000000000000000000000000000000000000000000",
        merkle_root: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        time: 1_231_006_505,
        bits: 0x1d00_ffff,
        nonce: 2_083_236_893,
        hash: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    },
    RealBlock {
        height: 1,
        prev: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        merkle_root: "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098",
        time: 1_231_469_665,
        bits: 0x1d00_ffff,
        nonce: 2_573_394_689,
        hash: "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
    },
    RealBlock {
        height: 100_000,
        prev: "000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250",
        merkle_root: "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766",
        time: 1_293_623_863,
        bits: 0x1b04_864c,
        nonce: 274_148_111,
        hash: "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506",
    },
    RealBlock {
        height: 125_552,
        prev: "00000000000008a3a41b85b8b29ad444def299fee21793cd8b9e567eab02cd81",
        merkle_root: "2b12fcf1b09288fcaff797d71e950e71ae42b91e8bdb2304758dfcffc2b620e3",
        time: 1_305_998_791,
        bits: 0x1a44_b9f2,
        nonce: 2_504_433_986,
        hash: "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d",
    },
];

/// A hash as people write it, reversed.
fn reversed(text: &str) -> Vec<u8> {
    let mut bytes = hex::decode(text).expect("hex digits");
    bytes.reverse();
    bytes
}

impl RealBlock {
    fn header(&self) -> [u8; 80] {
        let mut header = Vec::new();
        header.extend(1_u32.to_le_bytes());
        header.extend(reversed(self.prev));
        header.extend(reversed(self.merkle_root));
        header.extend(self.time.to_le_bytes());
        header.extend(self.bits.to_le_bytes());
        header.extend(self.nonce.to_le_bytes());
        header.try_into().expect("80 bytes")
    }

    /// The compact target, written out: three bytes of mantissa at the place that the first byte says.
    fn target(&self) -> [u8; 32] {
        let [exponent, mantissa @ ..] = self.bits.to_be_bytes();
        let mut target = [0; 32];
        let start = 32 - usize::from(exponent);
        target[start..start + 3].copy_from_slice(&mantissa);
        target
    }
}

#[test]
fn the_facts_are_right() {
    for block in &BLOCKS {
        let hash = sha256d(&block.header());
        assert_eq!(hash.to_vec(), reversed(block.hash), "block {}", block.height);
        assert!(meets(&hash, &block.target()), "block {}", block.height);
    }
}

/// Among other versions, as when the version is rolled. (These blocks have version 1.)
#[test]
fn every_kernel_finds_them_among_versions() {
    for kernel in kernel::all().iter().filter(|kernel| kernel.is_available()) {
        for block in &BLOCKS {
            for place in 0..4 {
                let mut versions = [0x2000_0000, 0x2000_2000, 0x2000_4000, 2];
                versions[place] = 1;
                let prepared = Prepared::with_versions(&block.header(), &block.target(), &versions);
                let mut hits = Vec::new();
                kernel.scan(&prepared, block.nonce - 7..=block.nonce + 25, &mut hits);
                let expected = Hit { nonce: block.nonce, version: place };
                assert_eq!(hits, [expected], "{} on block {}", kernel.name(), block.height);
                assert_eq!(prepared.header_of(expected), block.header());
            }
        }
    }
}

#[test]
fn every_kernel_finds_them() {
    for kernel in kernel::all().iter().filter(|kernel| kernel.is_available()) {
        for block in &BLOCKS {
            // What stands in the nonce field must not matter.
            let mut header = block.header();
            header[76..].fill(0x5a);
            let prepared = Prepared::new(&header, &block.target());
            let mut hits = Vec::new();
            kernel.scan(&prepared, block.nonce - AROUND..=block.nonce + AROUND, &mut hits);
            let expected = Hit { nonce: block.nonce, version: 0 };
            assert_eq!(hits, [expected], "{} on block {}", kernel.name(), block.height);
            assert_eq!(prepared.header_of(expected), block.header());
        }
    }
}
