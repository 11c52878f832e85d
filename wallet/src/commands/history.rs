//! `wallet history`: all payments, the newest first.

use serde::Serialize;

use super::Report;
use crate::context::Context;
use crate::error::WalletError;
use crate::history::Entry;
use crate::sync::Scope;
use crate::table::{Align, render};

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Shown(Vec<Entry>);

pub(super) fn run(context: &Context) -> Result<Shown, WalletError> {
    let mut wallet = context.open()?;
    let mut nodes = context.nodes(wallet.params())?;
    Ok(Shown(wallet.sync(&mut nodes, Scope::History)?.history))
}

impl Report for Shown {
    fn text(&self) -> String {
        let row = |entry: &Entry| {
            let height = entry.height.map_or_else(|| "-".to_owned(), |height| height.to_string());
            [
                entry.time.to_string(),
                entry.net.to_string(),
                entry.fee.to_string(),
                height,
                entry.confirmations.to_string(),
                entry.txid.to_string(),
            ]
        };
        let rows: Vec<[String; 6]> = self.0.iter().map(row).collect();
        let heading = [
            ("time (UTC)", Align::Left),
            ("net TALLY", Align::Right),
            ("fee", Align::Right),
            ("height", Align::Right),
            ("confirmations", Align::Right),
            ("transaction", Align::Left),
        ];
        render(heading, &rows)
    }
}
