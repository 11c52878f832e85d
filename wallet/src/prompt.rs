//! Questions to the owner, and passphrases. Questions go to standard error, so that standard output holds results only.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::context::first_line;
use crate::error::WalletError;
use crate::file::Passphrase;

/// The passphrase, for scripts.
const PASSPHRASE_VARIABLE: &str = "TALLY_PASSPHRASE";

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Nobody is there to ask.
    #[error("there is no terminal to ask for {what}: {instead}")]
    NoTerminal {
        /// What was to be asked.
        what: &'static str,
        /// How to say it without a terminal.
        instead: &'static str,
    },
    /// The second time something else was typed.
    #[error("the two passphrases differ")]
    Different,
    /// A passphrase of nothing.
    #[error("an empty passphrase protects nothing; if that is meant, say --no-passphrase")]
    Empty,
    /// The terminal failed.
    #[error("cannot read the answer: {source}")]
    Io {
        /// The system's own error.
        source: io::Error,
    },
}

impl From<io::Error> for PromptError {
    fn from(source: io::Error) -> PromptError {
        PromptError::Io { source }
    }
}

/// Where the passphrase comes from: the file that was named, else the environment, else the terminal.
#[derive(Debug)]
pub struct PassphraseSource {
    file: Option<PathBuf>,
}

impl PassphraseSource {
    /// With `--passphrase-file`, if that was given.
    pub fn new(file: Option<PathBuf>) -> PassphraseSource {
        PassphraseSource { file }
    }

    /// The passphrase of an existing wallet.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn existing(&self, wallet: &Path) -> Result<Passphrase, WalletError> {
        if let Some(passphrase) = self.without_asking()? {
            return Ok(passphrase);
        }
        let instead = "give --passphrase-file FILE, or set TALLY_PASSPHRASE";
        Ok(ask_secret(&format!("Passphrase of {}: ", wallet.display()), instead)?)
    }

    /// A passphrase for a new wallet; typed twice if typed.
    ///
    /// # Errors
    /// It cannot be had, is empty, or differs the second time.
    pub fn new_one(&self) -> Result<Passphrase, WalletError> {
        let instead = "give --passphrase-file FILE, set TALLY_PASSPHRASE, or choose --no-passphrase";
        let passphrase = match self.without_asking()? {
            Some(passphrase) => passphrase,
            None => {
                let first = ask_secret("A passphrase for the new wallet: ", instead)?;
                if !first.is_empty() && !ask_secret("The same again: ", instead)?.is_same_as(&first) {
                    return Err(PromptError::Different.into());
                }
                first
            }
        };
        if passphrase.is_empty() {
            return Err(PromptError::Empty.into());
        }
        Ok(passphrase)
    }

    fn without_asking(&self) -> Result<Option<Passphrase>, WalletError> {
        if let Some(path) = &self.file {
            return Ok(Some(Passphrase::new(first_line(path)?)));
        }
        Ok(env::var(PASSPHRASE_VARIABLE).ok().map(|text| Passphrase::new(Zeroizing::new(text))))
    }
}

fn ask_secret(question: &str, instead: &'static str) -> Result<Passphrase, PromptError> {
    if !is_interactive() {
        return Err(PromptError::NoTerminal { what: "the passphrase", instead });
    }
    Ok(Passphrase::new(Zeroizing::new(rpassword::prompt_password(question)?)))
}

/// Asks for a line that is no secret from people who look over one's shoulder.
///
/// # Errors
/// There is no terminal.
pub fn ask_line(question: &str, what: &'static str, instead: &'static str) -> Result<Zeroizing<String>, PromptError> {
    if !is_interactive() {
        return Err(PromptError::NoTerminal { what, instead });
    }
    eprint!("{question}");
    io::stderr().flush()?;
    let mut answer = Zeroizing::new(String::with_capacity(512));
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

/// Asks a question that is answered with yes, or else means no.
///
/// # Errors
/// There is no terminal.
pub fn confirm(question: &str, what: &'static str) -> Result<bool, PromptError> {
    let answer = ask_line(&format!("{question} [y/N] "), what, "say --yes to go on without being asked")?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Whether somebody sits there: both what we ask and what is answered goes by the terminal.
fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
