//! `wallet create`: a new wallet, and its words for the paper.

use std::path::PathBuf;

use serde::Serialize;
use tally_primitives::address::Address;
use zeroize::Zeroizing;

use super::Report;
use crate::args::Create;
use crate::context::Context;
use crate::error::WalletError;
use crate::file::{FileError, KdfParams, Mark, Protection, WalletFile};
use crate::keys::{WordCount, Words};
use crate::wallet::Wallet;

/// A new wallet.
#[derive(Serialize)]
pub(super) struct Created {
    file: PathBuf,
    network: String,
    words: Zeroizing<String>,
    address: Address,
}

pub(super) fn run(context: &Context, options: &Create) -> Result<Created, WalletError> {
    let count = if options.words == "24" { WordCount::TwentyFour } else { WordCount::Twelve };
    let mut wallet = make(context, options.no_passphrase, || Ok(Words::generate(count)?))?;
    Ok(Created {
        file: wallet.file().path().to_owned(),
        network: wallet.params().name.clone(),
        words: wallet.file().words().reveal(),
        address: wallet.unused_address()?.address,
    })
}

/// Makes a wallet file and the settings beside it. Says that a file is in the way before anything is asked.
pub(super) fn make(
    context: &Context,
    is_open: bool,
    words: impl FnOnce() -> Result<Words, WalletError>,
) -> Result<Wallet, WalletError> {
    let params = context.params(None)?;
    if context.wallet.symlink_metadata().is_ok() {
        return Err(FileError::Exists { path: context.wallet.clone() }.into());
    }
    let words = words()?;
    let protection = match is_open {
        true => Protection::None,
        false => Protection::Passphrase { passphrase: context.passphrase.new_one()?, cost: KdfParams::default() },
    };
    let mark = Mark { network: params.name.clone(), address_prefix: params.address_prefix.clone() };
    let file = WalletFile::create(&context.wallet, mark, words, protection)?;
    let config = context.new_config();
    if config != Default::default() {
        config.save(file.path())?;
    }
    Wallet::new(file, params)
}

impl Report for Created {
    fn text(&self) -> String {
        let words: Vec<&str> = self.words.split(' ').collect();
        let mut lines = String::new();
        for row in 0..words.len().div_ceil(4) {
            let cells =
                (4 * row..words.len().min(4 * row + 4)).map(|index| format!("{:>4} {:<9}", index + 1, words[index]));
            lines.push_str(cells.collect::<String>().trim_end());
            lines.push('\n');
        }
        format!(
            "Created {} for {}.\n\n\
             Write these words on paper, in this order. Whoever has them has the money; without them a lost\n\
             file or a forgotten passphrase means lost money. `wallet restore` makes the wallet from them.\n\n\
             {lines}\nThe first address: {}",
            self.file.display(),
            self.network,
            self.address
        )
    }
}
