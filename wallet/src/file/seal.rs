//! Encryption: argon2id makes a key of the passphrase, XChaCha20-Poly1305 seals the contents with it.

use core::fmt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{FileError, Protection};

const KEY_SIZE: usize = 32;
const SALT_SIZE: usize = 16;
const NONCE_SIZE: usize = 24;

/// A passphrase, erased when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text over.
    pub fn new(text: Zeroizing<String>) -> Passphrase {
        Passphrase(text)
    }

    /// Whether it protects nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same: for asking twice.
    pub fn is_same_as(&self, other: &Passphrase) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// The cost of trying one passphrase, as argon2id counts it. It stands in the file, so it can grow over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KdfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfParams {
    /// Most memory that a file may ask for: opening a stranger's file must not exhaust a machine of 4 GiB.
    pub const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// Most passes.
    pub const MAX_PASSES: u32 = 64;
    /// Most lanes.
    pub const MAX_LANES: u32 = 16;

    /// Whether a file may ask for this.
    pub fn is_within_limits(self) -> bool {
        (self.lanes.saturating_mul(8)..=KdfParams::MAX_MEMORY_KIB).contains(&self.memory_kib)
            && (1..=KdfParams::MAX_PASSES).contains(&self.passes)
            && (1..=KdfParams::MAX_LANES).contains(&self.lanes)
    }
}

impl Default for KdfParams {
    /// 64 MiB and three passes: RFC 9106's choice for machines with little memory, but for the lanes, which a program
    /// that computes on one thread would not use.
    fn default() -> KdfParams {
        KdfParams { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

/// How contents were sealed, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Encryption {
    pub kdf: Kdf,
    #[serde(flatten)]
    pub cost: KdfParams,
    pub salt: Hex<SALT_SIZE>,
    pub cipher: Cipher,
    pub nonce: Hex<NONCE_SIZE>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kdf {
    Argon2id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cipher {
    XChaCha20Poly1305,
}

/// Bytes that are hex in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Hex<N>, hex::FromHexError> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Hex(bytes))
    }
}

impl<const N: usize> From<Hex<N>> for String {
    fn from(bytes: Hex<N>) -> String {
        hex::encode(bytes.0)
    }
}

impl<const N: usize> Hex<N> {
    fn random() -> Result<Hex<N>, FileError> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| FileError::NoRandomness { reason: error.to_string() })?;
        Ok(Hex(bytes))
    }
}

/// The key of an open file, kept so that every change need not cost a key derivation.
pub(super) enum Sealing {
    Plain,
    Key { cost: KdfParams, salt: Hex<SALT_SIZE>, key: Zeroizing<[u8; KEY_SIZE]> },
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sealing::Plain => "Plain",
            Sealing::Key { .. } => "Key(…)",
        })
    }
}

impl Sealing {
    /// For a new file.
    pub fn new(protection: Protection) -> Result<Sealing, FileError> {
        match protection {
            Protection::None => Ok(Sealing::Plain),
            Protection::Passphrase { passphrase, cost } => Sealing::derive(cost, Hex::random()?, &passphrase),
        }
    }

    /// For an existing one.
    pub fn derive(cost: KdfParams, salt: Hex<SALT_SIZE>, passphrase: &Passphrase) -> Result<Sealing, FileError> {
        let failed = |error: argon2::Error| FileError::KeyDerivation { reason: error.to_string() };
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_SIZE)).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; KEY_SIZE]);
        argon2.hash_password_into(passphrase.0.as_bytes(), &salt.0, key.as_mut_slice()).map_err(failed)?;
        Ok(Sealing::Key { cost, salt, key })
    }

    /// How the next contents will be sealed: with a nonce never used before. `None`: not at all.
    pub fn next_encryption(&self) -> Result<Option<Encryption>, FileError> {
        match self {
            Sealing::Plain => Ok(None),
            Sealing::Key { cost, salt, .. } => Ok(Some(Encryption {
                kdf: Kdf::Argon2id,
                cost: *cost,
                salt: *salt,
                cipher: Cipher::XChaCha20Poly1305,
                nonce: Hex::random()?,
            })),
        }
    }

    /// Seals `contents`; `associated` is not hidden, but cannot be altered either.
    pub fn seal(
        &self,
        encryption: Option<&Encryption>,
        associated: &[u8],
        contents: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(contents.len() + 16));
        buffer.extend_from_slice(contents);
        if let (Sealing::Key { key, .. }, Some(encryption)) = (self, encryption) {
            cipher(key)
                .encrypt_in_place(&XNonce::from(encryption.nonce.0), associated, &mut *buffer)
                .map_err(|error| FileError::KeyDerivation { reason: error.to_string() })?;
        }
        Ok(buffer)
    }

    /// The inverse. Fails on a wrong key and on anything altered.
    pub fn open(
        &self,
        path: &Path,
        encryption: Option<&Encryption>,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let mut buffer = Zeroizing::new(sealed.to_vec());
        match (self, encryption) {
            (Sealing::Plain, None) => {}
            (Sealing::Key { key, .. }, Some(encryption)) => cipher(key)
                .decrypt_in_place(&XNonce::from(encryption.nonce.0), associated, &mut *buffer)
                .map_err(|_| FileError::WrongPassphrase { path: path.to_owned() })?,
            _ => return Err(FileError::Replaced { path: path.to_owned() }),
        }
        Ok(buffer)
    }
}

fn cipher(key: &[u8; KEY_SIZE]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}
