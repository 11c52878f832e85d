//! How one record of a flat file is framed: kind, length, block hash, crc32c, payload.

use tally_primitives::hash::BlockHash;

/// Bytes before a record's payload.
pub const RECORD_HEADER_SIZE: usize = 4 + 4 + 32 + 4;

/// The longest payload a record may have, in bytes. A block is at most 1 MB and its undo is smaller still;
/// a length beyond this is damage, and nothing is allocated for it.
pub const MAX_PAYLOAD_SIZE: usize = 4 * 1024 * 1024;

/// What a flat file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Blocks, in the order in which they were stored.
    Block,
    /// The coins each block spent, in the order in which blocks were connected.
    Undo,
}

impl Kind {
    /// The four bytes every record of this kind starts with.
    pub const fn magic(self) -> [u8; 4] {
        match self {
            Self::Block => *b"TBlk",
            Self::Undo => *b"TUnd",
        }
    }

    /// The first part of the names of this kind's files.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Block => "blocks",
            Self::Undo => "undo",
        }
    }

    /// The name of file `number`, such as `blocks-00000.dat`.
    pub fn file_name(self, number: u32) -> String {
        format!("{}-{number:05}.dat", self.stem())
    }

    /// The number in a file's name, if the name is one of this kind.
    pub fn number_of(self, file_name: &str) -> Option<u32> {
        file_name.strip_prefix(self.stem())?.strip_prefix('-')?.strip_suffix(".dat")?.parse().ok()
    }
}

/// The fields before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Bytes of payload that follow.
    pub length: u32,
    /// The block the payload belongs to.
    pub hash: BlockHash,
    /// crc32c over kind, length, hash and payload.
    pub checksum: u32,
}

impl RecordHeader {
    /// The header for `payload`, or `None` if the payload is longer than a record may be.
    pub fn of(kind: Kind, hash: BlockHash, payload: &[u8]) -> Option<Self> {
        if payload.len() > MAX_PAYLOAD_SIZE {
            return None;
        }
        let length = u32::try_from(payload.len()).ok()?;
        Some(Self { length, hash, checksum: checksum(kind, length, &hash, payload) })
    }

    /// The header's bytes.
    pub fn to_bytes(self, kind: Kind) -> [u8; RECORD_HEADER_SIZE] {
        let mut bytes = [0; RECORD_HEADER_SIZE];
        bytes[0..4].copy_from_slice(&kind.magic());
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..40].copy_from_slice(self.hash.as_bytes());
        bytes[40..44].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` if the kind is another one or the length impossible.
    pub fn from_bytes(kind: Kind, bytes: &[u8; RECORD_HEADER_SIZE]) -> Option<Self> {
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(word)
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[8..40]);
        let length = word(4);
        let fits = usize::try_from(length).is_ok_and(|length| length <= MAX_PAYLOAD_SIZE);
        (bytes[0..4] == kind.magic() && fits).then(|| Self {
            length,
            hash: BlockHash::from_bytes(hash),
            checksum: word(40),
        })
    }

    /// Whether `payload` is the one this header was written for.
    pub fn matches(&self, kind: Kind, payload: &[u8]) -> bool {
        u32::try_from(payload.len()) == Ok(self.length)
            && checksum(kind, self.length, &self.hash, payload) == self.checksum
    }
}

fn checksum(kind: Kind, length: u32, hash: &BlockHash, payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&kind.magic());
    let sum = crc32c::crc32c_append(sum, &length.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, hash.as_bytes());
    crc32c::crc32c_append(sum, payload)
}
