//! `wallet balance`: what the wallet holds.

use serde::Serialize;
use tally_primitives::units::Amount;

use super::Report;
use crate::coins::Balance;
use crate::context::Context;
use crate::error::WalletError;
use crate::sync::Scope;

/// The three parts of the balance, in notches. See [`Balance`] for what each counts.
#[derive(Serialize)]
pub(super) struct Shown {
    confirmed: Amount,
    pending: Amount,
    immature: Amount,
}

pub(super) fn run(context: &Context) -> Result<Shown, WalletError> {
    let mut wallet = context.open()?;
    let mut nodes = context.nodes(wallet.params())?;
    let snapshot = wallet.sync(&mut nodes, Scope::Coins)?;
    let Balance { confirmed, pending, immature } = wallet.balance(&snapshot)?;
    Ok(Shown { confirmed, pending, immature })
}

impl Report for Shown {
    fn text(&self) -> String {
        let lines = [("confirmed", self.confirmed), ("pending", self.pending), ("immature", self.immature)];
        lines.map(|(name, amount)| format!("{name:<9}  {amount:>17} TALLY")).join("\n")
    }
}
