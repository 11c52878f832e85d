//! Hashes with a meaning, and the three ways of making them: SHA-256, SHA-256d and BIP 340 tagged hashes.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::encode::words;

/// Why a text is not a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a hash: 64 hexadecimal digits are needed")]
pub struct HashParseError {
    /// What was given.
    pub text: String,
}

/// Defines a 32-byte hash type, shown in hex: `reversed` as Bitcoin shows block hashes, or `forward`.
macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident, $order:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name([u8; 32]);

        impl Ord for $name {
            #[inline]
            fn cmp(&self, other: &$name) -> Ordering {
                compare(&self.0, &other.0)
            }
        }

        impl PartialOrd for $name {
            #[inline]
            fn partial_cmp(&self, other: &$name) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// All bytes zero: "none".
            pub const ZERO: $name = $name([0; 32]);

            /// The hash with these bytes, in the order in which they are hashed and encoded.
            pub const fn from_bytes(bytes: [u8; 32]) -> $name {
                $name(bytes)
            }

            /// The bytes, in the order in which they are hashed and encoded.
            pub const fn to_bytes(self) -> [u8; 32] {
                self.0
            }

            /// The bytes, in the order in which they are hashed and encoded.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&hex::encode(shown::$order(self.0)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = HashParseError;

            fn from_str(text: &str) -> Result<$name, HashParseError> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| HashParseError { text: text.to_owned() })?;
                Ok($name(shown::$order(bytes)))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_bytes(&self.0, &self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                deserialize_bytes(deserializer, $name)
            }
        }
    };
}

/// The order of bytes, as of any array. The first eight nearly always decide, and cost less as one number: trees with hashes for keys do
/// little else than this.
#[inline]
fn compare(a: &[u8; 32], b: &[u8; 32]) -> Ordering {
    let first = |bytes: &[u8; 32]| bytes.first_chunk().copied().map(u64::from_be_bytes);
    first(a).cmp(&first(b)).then_with(|| a.cmp(b))
}

/// The order of bytes in which a hash is shown.
mod shown {
    pub(super) fn reversed(mut bytes: [u8; 32]) -> [u8; 32] {
        bytes.reverse();
        bytes
    }

    pub(super) fn forward(bytes: [u8; 32]) -> [u8; 32] {
        bytes
    }
}

/// Text in formats for people, raw bytes in the binary encoding.
fn serialize_bytes<S: Serializer>(bytes: &[u8; 32], text: &dyn fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.collect_str(text) } else { words::serialize(bytes, serializer) }
}

/// The inverse of [`serialize_bytes`].
fn deserialize_bytes<'de, D, T>(deserializer: D, new: impl Fn([u8; 32]) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = HashParseError>,
{
    if deserializer.is_human_readable() {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    } else {
        words::deserialize(deserializer).map(new)
    }
}

hash_type!(
    /// The identifier of a block: SHA-256d of its 80-byte header.
    BlockHash,
    reversed
);
hash_type!(
    /// The identifier of a transaction without its witnesses.
    Txid,
    reversed
);
hash_type!(
    /// The identifier of a transaction with its witnesses.
    Wtxid,
    reversed
);
hash_type!(
    /// The Merkle root over a block's [`Wtxid`]s.
    MerkleRoot,
    reversed
);
hash_type!(
    /// The hash of a spending policy: what an output is locked to.
    LockHash,
    forward
);
hash_type!(
    /// The SHA-256 of a secret preimage.
    PreimageHash,
    forward
);
hash_type!(
    /// The message that all signatures of a transaction sign.
    SigHash,
    forward
);

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// SHA-256 of the SHA-256 of `data`, Bitcoin's hash.
pub fn sha256d(data: &[u8]) -> [u8; 32] {
    sha256(&sha256(data))
}

/// The tagged hash of BIP 340 over the concatenated `parts`: SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts). Equal
/// bytes with different tags never collide.
pub fn tagged_hash(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    finish(engine_of(tag), parts)
}

/// A tag whose hash is computed once: [`tagged_hash`] for who hashes often, at half the cost for short parts.
#[derive(Debug)]
pub struct HashTag {
    tag: &'static str,
    engine: OnceLock<Sha256>,
}

impl HashTag {
    /// The tag with this text.
    pub const fn new(tag: &'static str) -> HashTag {
        HashTag { tag, engine: OnceLock::new() }
    }

    /// The same as [`tagged_hash`] gives for this tag.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        finish(self.engine.get_or_init(|| engine_of(self.tag)).clone(), parts)
    }
}

/// What has been hashed before the parts: one block of SHA-256, the same for every use of the tag.
fn engine_of(tag: &str) -> Sha256 {
    let tag_hash = sha256(tag.as_bytes());
    let mut engine = Sha256::new();
    engine.update(tag_hash);
    engine.update(tag_hash);
    engine
}

fn finish(mut engine: Sha256, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        engine.update(part);
    }
    engine.finalize().into()
}
