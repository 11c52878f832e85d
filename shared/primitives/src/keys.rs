//! BIP 340: x-only public keys and Schnorr signatures over secp256k1.

use core::fmt;
use core::str::FromStr;

use secp256k1::{Keypair, XOnlyPublicKey, schnorr};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::encode::words;
use crate::hash::SigHash;

/// Why bytes or text are not a key or a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Zero, or not below the order of the curve.
    #[error("the secret key is zero or not below the order of the curve")]
    SecretOutOfRange,
    /// The text has the wrong length or holds something other than hexadecimal digits.
    #[error("{what} must be {digits} hexadecimal digits")]
    NotHex {
        /// A public key or a signature.
        what: &'static str,
        /// The number of digits.
        digits: usize,
    },
}

/// A secret key. It shows itself nowhere and erases itself when dropped.
pub struct SecretKey(Keypair);

impl SecretKey {
    /// The secret key with these bytes.
    ///
    /// # Errors
    /// Zero, and numbers not below the order of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<SecretKey, KeyError> {
        Keypair::from_secret_bytes(*bytes).map(SecretKey).map_err(|_| KeyError::SecretOutOfRange)
    }

    /// The key that verifies what this one signs.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.x_only_public_key().0.to_byte_array())
    }

    /// A signature, made without auxiliary randomness: the same key and message give the same signature.
    pub fn sign(&self, message: &SigHash) -> Signature {
        Signature(schnorr::sign_no_aux_rand(message.as_bytes(), &self.0).to_byte_array())
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// An x-only public key: 32 bytes. Whether they are a point of the curve shows when a signature is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The public key with these bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 32]) -> PublicKey {
        PublicKey(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the bytes are the x coordinate of a point: else nobody can sign for the key.
    pub fn is_on_curve(&self) -> bool {
        XOnlyPublicKey::from_byte_array(self.0).is_ok()
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verify(&self, message: &SigHash, signature: &Signature) -> bool {
        let Ok(key) = XOnlyPublicKey::from_byte_array(self.0) else {
            return false;
        };
        schnorr::verify(&schnorr::Signature::from_byte_array(signature.0), message.as_bytes(), &key).is_ok()
    }
}

/// A Schnorr signature: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The encoded size in bytes.
    pub const SIZE: usize = 64;

    /// The signature with these bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 64]) -> Signature {
        Signature(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Text, debugging text and serde for a type that wraps bytes: hex for people, raw bytes in the binary encoding.
macro_rules! hex_bytes {
    ($name:ident, $what:literal, $size:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<$name, KeyError> {
                let mut bytes = [0; $size];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| KeyError::NotHex { what: $what, digits: 2 * $size })?;
                Ok($name(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    words::serialize(&self.0, serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
                } else {
                    words::deserialize(deserializer).map($name)
                }
            }
        }
    };
}

pub(crate) use hex_bytes;

hex_bytes!(PublicKey, "a public key", 32);
hex_bytes!(Signature, "a signature", 64);
