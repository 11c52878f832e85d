//! From words to keys: BIP 39 words, BIP 32 derivation, and the path of every key (in the manner of BIP 86).

mod account;
mod addresses;
mod path;
mod words;

pub use account::{Account, KeysError};
pub use addresses::Addresses;
pub use path::{CoinType, KeyPath, Keychain};
pub use words::{Seed, WordCount, Words, WordsError};

#[cfg(test)]
mod tests;
