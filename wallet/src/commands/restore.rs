//! `wallet restore`: a wallet from the words of another.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tally_primitives::address::Address;
use zeroize::Zeroizing;

use super::{Report, address, create};
use crate::args::Restore;
use crate::context::{Context, ContextError};
use crate::error::WalletError;
use crate::keys::Words;
use crate::prompt;

/// A wallet made from words.
#[derive(Serialize)]
pub(super) struct Restored {
    file: PathBuf,
    network: String,
    address: Address,
}

pub(super) fn run(context: &Context, options: &Restore) -> Result<Restored, WalletError> {
    let read = || Ok(Words::parse(&read_words(options.words_file.as_deref())?)?);
    let mut wallet = create::make(context, options.no_passphrase, read)?;
    // Addresses used before are found again now, if a node is there; else with the next command that asks one.
    address::learn_used(context, &mut wallet)?;
    Ok(Restored {
        file: wallet.file().path().to_owned(),
        network: wallet.params().name.clone(),
        address: wallet.unused_address()?.address,
    })
}

fn read_words(file: Option<&Path>) -> Result<Zeroizing<String>, WalletError> {
    let mut text = Zeroizing::new(String::with_capacity(512));
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ContextError::Unreadable { path, source }
    };
    match file {
        None => {
            let instead = "give --words-file FILE (`-` is standard input)";
            text = prompt::ask_line("The words, on one line: ", "the words", instead)?;
        }
        Some(path) if path == Path::new("-") => {
            io::stdin().lock().take(4096).read_to_string(&mut text).map_err(unreadable(path))?;
        }
        Some(path) => {
            fs::File::open(path)
                .and_then(|file| file.take(4096).read_to_string(&mut text))
                .map_err(unreadable(path))?;
        }
    }
    Ok(text)
}

impl Report for Restored {
    fn text(&self) -> String {
        format!("Restored {} for {}.\nThe next address: {}", self.file.display(), self.network, self.address)
    }
}
