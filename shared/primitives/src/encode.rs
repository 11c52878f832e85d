//! The one binary encoding: bincode, little-endian, fixed-width integers.
//!
//! A list is its length as u64 and then its items; an enum is its index as u32 and then its fields. One value has
//! one encoding. This module owns the configuration, and nothing else names bincode, so that another crate that
//! writes the same bytes can take its place.
//!
//! Limits are counted here in encoded bytes, before anything is decoded. bincode's own limit counts sizes in memory,
//! which differ between machines, so it is only a second line of defence. Lists, bytes and text are decoded item
//! by item ([`list`], [`bytes`], [`text`]): a hostile length prefix runs out of input; it never allocates.

use core::fmt;
use core::marker::PhantomData;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The second line of defence: more than 16 times the largest frame of the peer protocol.
const MEMORY_LIMIT: usize = 64 << 20;

type Config = Configuration<LittleEndian, Fixint, Limit<MEMORY_LIMIT>>;

fn config() -> Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<MEMORY_LIMIT>()
}

/// Why bytes do not decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input is longer than the limit for its type.
    #[error("{size} bytes are more than the limit of {max}")]
    TooLong {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The value ended before the input did.
    #[error("{trailing} bytes too many after the value")]
    TrailingBytes {
        /// Bytes left over.
        trailing: usize,
    },
    /// The bytes are not the encoding of a value of this type.
    #[error("the bytes are not a valid encoding: {reason}")]
    Malformed {
        /// What the decoder stumbled over.
        reason: String,
    },
    /// The text is not hexadecimal.
    #[error("not hexadecimal: {reason}")]
    NotHex {
        /// What was wrong.
        reason: String,
    },
}

/// The encoding of `value`.
///
/// # Panics
/// Never for the types of this project: they hold no value that bincode refuses.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    struct Appender(Vec<u8>);
    impl bincode::enc::write::Writer for Appender {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    // Counting first is cheaper than growing step by step.
    let mut appender = Appender(Vec::with_capacity(encoded_size(value)));
    bincode::serde::encode_into_writer(value, &mut appender, config()).expect("our types always encode");
    appender.0
}

/// The number of bytes of the encoding of `value`, without making it.
///
/// # Panics
/// As [`encode`]: never.
pub fn encoded_size<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Counter(usize);
    impl bincode::enc::write::Writer for Counter {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0 += bytes.len();
            Ok(())
        }
    }
    let mut counter = Counter(0);
    bincode::serde::encode_into_writer(value, &mut counter, config()).expect("our types always encode");
    counter.0
}

/// Decodes exactly one value from `bytes`, of which there may be at most `max_bytes`.
///
/// # Errors
/// Too many bytes, bytes left over, or bytes that are not an encoding.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max_bytes: usize) -> Result<T, DecodeError> {
    if bytes.len() > max_bytes {
        return Err(DecodeError::TooLong { size: bytes.len(), max: max_bytes });
    }
    let (value, consumed) = bincode::serde::decode_from_slice(bytes, config())
        .map_err(|error| DecodeError::Malformed { reason: describe(&error) })?;
    if consumed != bytes.len() {
        return Err(DecodeError::TrailingBytes { trailing: bytes.len() - consumed });
    }
    Ok(value)
}

/// Decodes one value from hexadecimal `text`, as [`decode`] does from bytes.
///
/// # Errors
/// As [`decode`], and when the text is not hexadecimal.
pub fn decode_hex<T: DeserializeOwned>(text: &str, max_bytes: usize) -> Result<T, DecodeError> {
    if text.len() / 2 > max_bytes {
        return Err(DecodeError::TooLong { size: text.len() / 2, max: max_bytes });
    }
    let bytes = hex::decode(text).map_err(|error| DecodeError::NotHex { reason: error.to_string() })?;
    decode(&bytes, max_bytes)
}

/// bincode's errors in words for people.
fn describe(error: &bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError as E;
    match error {
        E::UnexpectedEnd { .. } => "it ends too early".to_owned(),
        E::OtherString(text) => text.clone(),
        E::LimitExceeded => "it claims more than fits into memory".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Collects a sequence item by item: grows with the items that are really there.
struct ItemByItem<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ItemByItem<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(list)
    }
}

/// Arrays of bytes as little-endian words: the same bytes in the binary encoding as one byte after another, for an eighth of the
/// calls. (Hashes, keys and signatures are most of what a block consists of.)
pub(crate) mod words {
    use core::fmt;

    use serde::de::{SeqAccess, Visitor};
    use serde::ser::SerializeTuple;
    use serde::{Deserializer, Serializer};

    const WORD_SIZE: usize = 8;

    /// The bytes, without a length. `N` is a multiple of eight.
    pub(crate) fn serialize<const N: usize, S: Serializer>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        const { assert!(N.is_multiple_of(WORD_SIZE)) };
        let mut tuple = to.serialize_tuple(N / WORD_SIZE)?;
        let (words, _) = bytes.as_chunks::<WORD_SIZE>();
        for word in words {
            tuple.serialize_element(&u64::from_le_bytes(*word))?;
        }
        tuple.end()
    }

    /// The inverse of [`serialize`].
    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
        from.deserialize_tuple(N / WORD_SIZE, Words)
    }

    struct Words<const N: usize>;

    impl<'de, const N: usize> Visitor<'de> for Words<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<[u8; N], A::Error> {
            let mut bytes = [0; N];
            let (words, _) = bytes.as_chunks_mut::<WORD_SIZE>();
            for (at, word) in words.iter_mut().enumerate() {
                let value: u64 =
                    items.next_element()?.ok_or_else(|| serde::de::Error::invalid_length(at * WORD_SIZE, &self))?;
                *word = value.to_le_bytes();
            }
            Ok(bytes)
        }
    }
}

/// For `#[serde(with = "encode::list")]`: lists whose length prefix is not trusted.
pub mod list {
    use super::{Deserialize, Deserializer, ItemByItem, PhantomData, Serialize, Serializer};

    /// As serde does by default.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        list.serialize(serializer)
    }

    /// Item by item, without believing the length.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(ItemByItem(PhantomData))
    }
}

/// For `#[serde(with = "encode::shared_list")]`: as [`list`], of what several owners share.
pub mod shared_list {
    use std::sync::Arc;

    use super::{Deserialize, Deserializer, Serialize, Serializer, list};

    /// As serde does by default.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        list.serialize(serializer)
    }

    /// Item by item, without believing the length.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[T]>, D::Error> {
        list::deserialize(deserializer).map(Arc::from)
    }
}

/// For `#[serde(with = "encode::bytes")]`: bytes, shown as hex to people, whose length prefix is not trusted.
pub mod bytes {
    use super::{Deserialize, Deserializer, ItemByItem, PhantomData, Serializer};

    /// Hex for people, a list of bytes in the binary encoding.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    /// The inverse, without believing the length.
    ///
    /// # Errors
    /// Those of the deserializer, or text that is not hexadecimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            hex::decode(text).map_err(serde::de::Error::custom)
        } else {
            deserializer.deserialize_seq(ItemByItem(PhantomData))
        }
    }
}

/// For `#[serde(with = "encode::text")]`: UTF-8 text whose length prefix is not trusted.
pub mod text {
    use super::{Deserialize, Deserializer, ItemByItem, PhantomData, Serializer};

    /// As serde does by default.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    /// The inverse, without believing the length.
    ///
    /// # Errors
    /// Those of the deserializer, or bytes that are not UTF-8.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer);
        }
        let bytes = deserializer.deserialize_seq(ItemByItem(PhantomData))?;
        String::from_utf8(bytes).map_err(serde::de::Error::custom)
    }
}
