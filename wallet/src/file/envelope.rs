//! The document on disk: what everybody may read, the sealed contents, and a checksum over both.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tally_primitives::address::AddressPrefix;
use tally_primitives::hash::sha256;
use zeroize::Zeroizing;

use super::FileError;
use super::seal::{Encryption, Hex, Passphrase, Sealing};
use crate::keys::Words;
use crate::state::State;

/// The `format` field of every wallet file.
const FORMAT: &str = "tallystick-wallet";
/// The version that this program writes, and the newest that it reads.
const VERSION: u64 = 1;
/// The largest file that is read at all.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Which network a wallet belongs to. Anybody who can read the file can read this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The network's name when the wallet was made.
    pub network: String,
    /// How its addresses begin. This is what must fit for the wallet to be used.
    pub address_prefix: AddressPrefix,
}

/// The file, as its JSON is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    format: String,
    version: u64,
    #[serde(flatten)]
    pub mark: Mark,
    pub encryption: Option<Encryption>,
    /// Hex.
    payload: Zeroizing<String>,
    pub checksum: Hex<32>,
}

/// The first two fields, which are read before anything else is believed.
#[derive(Deserialize)]
struct Kind {
    format: String,
    version: u64,
}

impl Envelope {
    /// Reads the file and checks it as far as that goes without its key.
    pub fn read(path: &Path) -> Result<Envelope, FileError> {
        let mut text = Zeroizing::new(String::new());
        let file = File::open(path).map_err(FileError::io("open", path))?;
        let corrupt = |problem: String| FileError::Corrupt { path: path.to_owned(), problem };
        match file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text) {
            Ok(size) if size as u64 > MAX_FILE_BYTES => return Err(corrupt("it is far too large".to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(corrupt("it is not text".to_owned()));
            }
            Err(error) => return Err(FileError::io("read", path)(error)),
        }
        let kind: Kind = serde_json::from_str(&text).map_err(|error| corrupt(not_readable(&error)))?;
        if kind.format != FORMAT {
            return Err(corrupt(format!("its format is not \"{FORMAT}\"")));
        }
        if kind.version > VERSION {
            return Err(FileError::NewerVersion { path: path.to_owned(), found: kind.version, known: VERSION });
        }
        let envelope: Envelope = serde_json::from_str(&text).map_err(|error| corrupt(not_readable(&error)))?;
        if envelope.checksum != envelope.compute_checksum() {
            return Err(corrupt("its checksum does not match".to_owned()));
        }
        // One text for one wallet: a changed space or letter case is damage too, though the checksum does not see it.
        if *envelope.to_text() != **text {
            return Err(corrupt("it is not written as wallets write it".to_owned()));
        }
        if envelope.encryption.as_ref().is_some_and(|encryption| !encryption.cost.is_within_limits()) {
            return Err(corrupt("its key derivation asks for too much".to_owned()));
        }
        Ok(envelope)
    }

    /// Seals contents into a new envelope.
    pub fn seal(mark: Mark, sealing: &Sealing, contents: &[u8]) -> Result<Envelope, FileError> {
        let mut envelope = Envelope {
            format: FORMAT.to_owned(),
            version: VERSION,
            mark,
            encryption: sealing.next_encryption()?,
            payload: Zeroizing::new(String::new()),
            checksum: Hex([0; 32]),
        };
        let sealed = sealing.seal(envelope.encryption.as_ref(), &envelope.header(), contents)?;
        envelope.payload = Zeroizing::new(hex::encode(sealed));
        envelope.checksum = envelope.compute_checksum();
        Ok(envelope)
    }

    pub fn is_encrypted(&self) -> bool {
        self.encryption.is_some()
    }

    /// Whether `sealing` belongs to this file: then no key derivation is needed to open it.
    pub fn is_sealed_with(&self, sealing: &Sealing) -> bool {
        match (sealing, &self.encryption) {
            (Sealing::Plain, None) => true,
            (Sealing::Key { cost, salt, .. }, Some(encryption)) => *cost == encryption.cost && *salt == encryption.salt,
            _ => false,
        }
    }

    /// The key of this file.
    pub fn sealing(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<Sealing, FileError> {
        match (&self.encryption, passphrase) {
            (None, _) => Ok(Sealing::Plain),
            (Some(_), None) => Err(FileError::PassphraseNeeded { path: path.to_owned() }),
            (Some(encryption), Some(passphrase)) => Sealing::derive(encryption.cost, encryption.salt, passphrase),
        }
    }

    /// The contents.
    pub fn open(&self, path: &Path, sealing: &Sealing) -> Result<Contents, FileError> {
        let corrupt = |problem: &str| FileError::Corrupt { path: path.to_owned(), problem: problem.to_owned() };
        let sealed = Zeroizing::new(hex::decode(&*self.payload).map_err(|_| corrupt("its payload is not hex"))?);
        let contents = sealing.open(path, self.encryption.as_ref(), &self.header(), &sealed)?;
        Contents::decode(&contents).ok_or_else(|| corrupt("its contents make no sense"))
    }

    /// The text of the file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.payload.len() + 1024));
        text.push_str(&serde_json::to_string_pretty(self).expect("every field has a form in JSON"));
        text.push('\n');
        text
    }

    /// Everything that is readable, in one fixed form: what the seal and the checksum cover beside the payload.
    fn header(&self) -> Vec<u8> {
        let header = (&self.format, self.version, &self.mark, &self.encryption);
        serde_json::to_vec(&header).expect("every field has a form in JSON")
    }

    pub fn compute_checksum(&self) -> Hex<32> {
        let mut bytes = Zeroizing::new(self.header());
        bytes.extend_from_slice(self.payload.as_bytes());
        Hex(sha256(&bytes))
    }
}

/// What is wrong with the JSON, without quoting the file.
fn not_readable(error: &serde_json::Error) -> String {
    format!("line {}, column {} cannot be read", error.line(), error.column())
}

/// What is sealed.
pub(super) struct Contents {
    pub words: Words,
    pub state: State,
}

#[derive(Serialize, Deserialize)]
struct ContentsJson {
    words: Zeroizing<String>,
    state: State,
}

impl Contents {
    pub fn encode(words: &Words, state: &State) -> Zeroizing<Vec<u8>> {
        let json = ContentsJson { words: words.reveal(), state: *state };
        // Large enough never to move and leave a copy of the words behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        serde_json::to_writer(&mut *bytes, &json).expect("every field has a form in JSON");
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Contents> {
        let json: ContentsJson = serde_json::from_slice(bytes).ok()?;
        Some(Contents { words: Words::parse(&json.words).ok()?, state: json.state })
    }
}
