//! Addresses: a lock hash as text that people can copy, with the network's prefix and a checksum (bech32m, BIP 350).

use core::fmt;
use core::str::FromStr;

use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError, ChecksumError};
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32m, Fe32, Hrp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::LockHash;
use crate::params::Params;

/// The only version of addresses so far.
const VERSION: Fe32 = Fe32::Q;

/// The human-readable part of a network's addresses, such as `dtally`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressPrefix(String);

impl AddressPrefix {
    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hrp(&self) -> Hrp {
        Hrp::parse_unchecked(&self.0)
    }
}

impl FromStr for AddressPrefix {
    type Err = AddressError;

    /// Lower-case letters and digits, 1 to 16.
    fn from_str(text: &str) -> Result<AddressPrefix, AddressError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.is_empty() || text.len() > 16 || !text.bytes().all(allowed) {
            return Err(AddressError::BadPrefix { prefix: text.to_owned() });
        }
        Ok(AddressPrefix(text.to_owned()))
    }
}

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not bech32m at all, or a mistyped character.
    #[error("'{text}' is not an address: {reason}")]
    Malformed {
        /// What was given.
        text: String,
        /// What the checksum's decoder says.
        reason: String,
    },
    /// A version that this program does not know.
    #[error("'{text}' is an address of version {version}; only version 0 is known")]
    UnknownVersion {
        /// What was given.
        text: String,
        /// Its version.
        version: u8,
    },
    /// An address holds 32 bytes.
    #[error("'{text}' is not an address: it holds {size} bytes instead of 32")]
    WrongLength {
        /// What was given.
        text: String,
        /// The bytes it holds.
        size: usize,
    },
    /// The address belongs to another network.
    #[error(
        "'{text}' is an address of another network: it begins with '{found}', this network's begin with '{expected}'"
    )]
    WrongNetwork {
        /// What was given.
        text: String,
        /// Its prefix.
        found: String,
        /// This network's prefix.
        expected: String,
    },
    /// Not usable as a prefix.
    #[error("'{prefix}' cannot be an address prefix: 1 to 16 lower-case letters and digits are needed")]
    BadPrefix {
        /// What was given.
        prefix: String,
    },
}

/// Where to pay: a network's prefix and the hash of a spending policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The network's prefix.
    pub prefix: AddressPrefix,
    /// The hash of the spending policy.
    pub lock: LockHash,
}

impl Address {
    /// The address of `lock` on the network with this `prefix`.
    pub fn new(prefix: AddressPrefix, lock: LockHash) -> Address {
        Address { prefix, lock }
    }

    /// Reads an address of the network of `params`.
    ///
    /// # Errors
    /// A text that is no address, or the address of another network.
    pub fn parse_for(text: &str, params: &Params) -> Result<Address, AddressError> {
        let address: Address = text.parse()?;
        if address.prefix != params.address_prefix {
            return Err(AddressError::WrongNetwork {
                text: text.to_owned(),
                found: address.prefix.0,
                expected: params.address_prefix.0.clone(),
            });
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hrp = self.prefix.hrp();
        let digits = self.lock.as_bytes().iter().copied().bytes_to_fes();
        let text: String = digits.with_checksum::<Bech32m>(&hrp).with_witness_version(VERSION).chars().collect();
        f.pad(&text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let malformed = |reason: String| AddressError::Malformed { text: text.to_owned(), reason };
        let mut checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| malformed(reason_of(&error)))?;
        let prefix: AddressPrefix = checked.hrp().to_lowercase().parse()?;
        let version = checked.remove_witness_version().ok_or_else(|| malformed("it holds nothing".to_owned()))?;
        if version != VERSION {
            return Err(AddressError::UnknownVersion { text: text.to_owned(), version: version.to_u8() });
        }
        checked.validate_segwit_padding().map_err(|error| malformed(error.to_string()))?;
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let size = bytes.len();
        let lock = bytes.try_into().map_err(|_| AddressError::WrongLength { text: text.to_owned(), size })?;
        Ok(Address { prefix, lock: LockHash::from_bytes(lock) })
    }
}

/// In words for people: the innermost cause of what is no bech32 at all ("missing separator", "invalid character").
fn reason_of(error: &CheckedHrpstringError) -> String {
    match error {
        CheckedHrpstringError::Checksum(ChecksumError::InvalidResidue(_)) => {
            "its checksum does not match, so a character is wrong or missing".to_owned()
        }
        CheckedHrpstringError::Checksum(ChecksumError::InvalidLength) => "it is too short".to_owned(),
        other => innermost(other),
    }
}

fn innermost(error: &dyn core::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// Text in every format.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(AddressPrefix);
serde_as_text!(Address);
