//! Who a node is: its static key. The public half is the node's identity, which peers see, and which an address may name.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};

use crate::error::CommandError;
use crate::private_file::PrivateFile;

/// The file of the private key in the data directory: 64 hexadecimal digits.
pub const KEY_FILE: &str = "node.key";

/// Bytes of a key, private or public.
pub const KEY_BYTES: usize = 32;

/// A node's identity: its public key, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId([u8; KEY_BYTES]);

impl NodeId {
    /// From a public key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no node's identity: 64 hexadecimal digits are needed")]
pub struct NodeIdParseError {
    /// What was given.
    pub text: String,
}

impl FromStr for NodeId {
    type Err = NodeIdParseError;

    fn from_str(text: &str) -> Result<Self, NodeIdParseError> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NodeIdParseError { text: text.to_owned() })?;
        Ok(Self(bytes))
    }
}

/// A node's static key.
#[derive(Clone)]
pub struct NodeKey {
    private: [u8; KEY_BYTES],
    id: NodeId,
}

impl NodeKey {
    /// The key with these private bytes.
    ///
    /// # Errors
    /// If the cryptography at hand has no Curve25519, which cannot be.
    pub fn from_private(private: [u8; KEY_BYTES]) -> Result<Self, CommandError> {
        let mut curve = DefaultResolver
            .resolve_dh(&DHChoice::Curve25519)
            .ok_or_else(|| CommandError::failure("this program was built without Curve25519"))?;
        curve.set(&private);
        let public = curve.pubkey().try_into().map_err(CommandError::failure)?;
        Ok(Self { private, id: NodeId(public) })
    }

    /// A new key.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Self, CommandError> {
        let mut private = [0; KEY_BYTES];
        getrandom::fill(&mut private)
            .map_err(|error| CommandError::failure(format!("the system gives no random bytes: {error}")))?;
        Self::from_private(private)
    }

    /// The key of a data directory; it is made on the first start.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that holds no key. A damaged one is not replaced: peers may know the node by it.
    pub fn open(directory: &Path) -> Result<Self, CommandError> {
        let path = directory.join(KEY_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Self::generate()?;
                let text = format!("{}\n", hex::encode(key.private));
                PrivateFile::write(directory, KEY_FILE, text.as_bytes())?.keep();
                return Ok(key);
            }
            Err(error) => return Err(CommandError::failure(format!("cannot read {}: {error}", path.display()))),
        };
        let mut private = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim(), &mut private).map_err(|_| {
            CommandError::failure(format!("{} holds no key: 64 hexadecimal digits are needed", path.display()))
                .with_hint("restore it, or remove it to give the node a new identity")
        })?;
        Self::from_private(private)
    }

    /// The identity.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    pub(super) const fn private(&self) -> &[u8; KEY_BYTES] {
        &self.private
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.id)
    }
}

#[cfg(test)]
mod tests;
