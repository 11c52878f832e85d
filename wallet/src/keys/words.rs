//! The backup: 12 or 24 words of BIP 39, and the seed that they give.

use core::fmt;

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

/// How many words a new wallet gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits: as strong as the curve.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

impl WordCount {
    fn entropy_bytes(self) -> usize {
        match self {
            WordCount::Twelve => 16,
            WordCount::TwentyFour => 32,
        }
    }
}

/// Why words are not a backup. The words themselves are never part of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Not 12, 15, 18, 21 or 24.
    #[error("a backup has 12, 15, 18, 21 or 24 words, not {count}")]
    Count {
        /// The number of words given.
        count: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not in the BIP 39 list of English words")]
    Unknown {
        /// The word's position, from 1.
        position: usize,
    },
    /// All words are in the list, but they do not belong together.
    #[error("the words do not fit together (checksum): one is wrong, or two are swapped")]
    Checksum,
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {reason}")]
    NoRandomness {
        /// The system's own message.
        reason: String,
    },
}

/// The words of a backup. They erase themselves when dropped and never show themselves by accident.
pub struct Words(Mnemonic);

impl Words {
    /// Fresh words from the operating system's random numbers.
    ///
    /// # Errors
    /// If the system has none.
    pub fn generate(count: WordCount) -> Result<Words, WordsError> {
        let mut entropy = Zeroizing::new([0; 32]);
        let entropy = &mut entropy[..count.entropy_bytes()];
        getrandom::fill(entropy).map_err(|error| WordsError::NoRandomness { reason: error.to_string() })?;
        Words::from_entropy(entropy)
    }

    /// The words that write down `entropy` (16, 20, 24, 28 or 32 bytes).
    ///
    /// # Errors
    /// Another length.
    pub fn from_entropy(entropy: &[u8]) -> Result<Words, WordsError> {
        Mnemonic::from_entropy_in(Language::English, entropy)
            .map(Words)
            .map_err(|_| WordsError::Count { count: entropy.len() * 3 / 4 })
    }

    /// Reads words as people write them: any white space, capitals allowed.
    ///
    /// # Errors
    /// See [`WordsError`].
    pub fn parse(text: &str) -> Result<Words, WordsError> {
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        let mut count = 0;
        for word in text.split_whitespace() {
            if count > 0 {
                plain.push(' ');
            }
            word.chars().for_each(|letter| plain.push(letter.to_ascii_lowercase()));
            count += 1;
        }
        Mnemonic::parse_in_normalized(Language::English, &plain).map(Words).map_err(|error| match error {
            bip39::Error::UnknownWord(index) => WordsError::Unknown { position: index + 1 },
            bip39::Error::InvalidChecksum => WordsError::Checksum,
            _ => WordsError::Count { count },
        })
    }

    /// The words on one line: only for showing the backup to its owner, and for the encrypted file.
    pub fn reveal(&self) -> Zeroizing<String> {
        // Longest: 24 words of 8 letters and the spaces, so the text never moves and leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(24 * 9));
        for (index, word) in self.0.words().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// The seed of all keys. `extension` is BIP 39's own passphrase; empty for none.
    pub fn seed(&self, extension: &str) -> Seed {
        Seed(Zeroizing::new(self.0.to_seed(extension)))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

/// The 64 bytes from which BIP 32 derives everything.
pub struct Seed(Zeroizing<[u8; 64]>);

impl Seed {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}
