//! `wallet words`: the backup once more.

use serde::Serialize;
use zeroize::Zeroizing;

use super::Report;
use crate::args::WordsArgs;
use crate::context::Context;
use crate::error::WalletError;
use crate::prompt;

/// The backup.
#[derive(Serialize)]
pub(super) struct Shown {
    words: Zeroizing<String>,
}

pub(super) fn run(context: &Context, options: &WordsArgs) -> Result<Shown, WalletError> {
    let wallet = context.open()?;
    let question = "Whoever sees the words can take all the money. Is nobody looking?";
    if !options.yes && !prompt::confirm(question, "your consent")? {
        return Err(WalletError::Declined { undone: "the words stay hidden" });
    }
    Ok(Shown { words: wallet.file().words().reveal() })
}

impl Report for Shown {
    fn text(&self) -> String {
        self.words.to_string()
    }
}
