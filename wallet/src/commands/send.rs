//! `wallet send`: pays somebody.

use serde::Serialize;
use tally_primitives::address::Address;
use tally_primitives::encode;
use tally_primitives::hash::Txid;
use tally_primitives::units::Amount;

use super::{Report, broadcast};
use crate::args::Send;
use crate::context::Context;
use crate::error::WalletError;
use crate::fees::{self, ChosenRate, DEFAULT_BLOCKS, DEFAULT_MAX_FEE, FeeChoice};
use crate::file::FileLock;
use crate::nodes::Nodes;
use crate::payment::{self, Order, Payment};
use crate::prompt;
use crate::sync::Scope;
use crate::wallet::{Handout, Wallet};

/// A payment that was made, or would be.
#[derive(Serialize)]
pub(super) struct Sent {
    txid: Txid,
    fee: Amount,
    size: usize,
    /// The signed transaction, ready for `wallet broadcast`; only where nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// What the owner has not seen yet; empty after the question.
    #[serde(skip)]
    summary: String,
}

pub(super) fn run(context: &Context, options: &Send) -> Result<Sent, WalletError> {
    let mut wallet = context.open()?;
    let to = Address::parse_for(&options.address, wallet.params())?;
    let mut nodes = context.nodes(wallet.params())?;
    // From choosing the coins until a node has the payment: else two processes would choose the same coins, and the
    // payment with the higher fee would replace the other.
    let lock = wallet.lock()?;
    let (payment, rate, change_to) = plan(&mut wallet, &lock, &mut nodes, options, &to)?;
    let transaction = payment.sign(wallet.account(), &wallet.params().genesis_hash())?;
    let mut summary = summary(&payment, &rate, &to);
    if options.dry_run {
        let hex = Some(hex::encode(encode::encode(&transaction)));
        return Ok(Sent { txid: transaction.txid(), fee: payment.fee, size: payment.size, hex, summary });
    }
    if !options.yes {
        eprintln!("{summary}");
        if !prompt::confirm("Send it?", "your consent")? {
            return Err(WalletError::Declined { undone: "nothing was sent" });
        }
        summary.clear();
    }
    let txid = broadcast::submit(&mut nodes, &transaction)?;
    if payment.change.is_some() {
        // Only after the node took it: payments that are refused must not use addresses up. If the program dies in
        // between, the next synchronisation sees the change and learns the same.
        wallet.use_change_address(&lock, change_to.path)?;
    }
    Ok(Sent { txid, fee: payment.fee, size: payment.size, hex: None, summary })
}

fn plan(
    wallet: &mut Wallet,
    lock: &FileLock,
    nodes: &mut Nodes,
    options: &Send,
    to: &Address,
) -> Result<(Payment, ChosenRate, Handout), WalletError> {
    let snapshot = wallet.sync_locked(lock, nodes, Scope::Coins)?;
    let choice = match (options.fee_rate, options.confirm_within) {
        (Some(rate), _) => FeeChoice::Rate(rate.0),
        (None, blocks) => FeeChoice::WithinBlocks(blocks.unwrap_or(DEFAULT_BLOCKS)),
    };
    let rate = fees::choose(choice, nodes)?;
    let change_to = wallet.change_address()?;
    let order = Order {
        to: to.lock,
        amount: options.amount,
        rate: rate.rate,
        memo: options.memo.clone().unwrap_or_default().into_bytes(),
        change_to: change_to.address.lock,
        max_fee: options.max_fee.unwrap_or(DEFAULT_MAX_FEE),
    };
    let payment = payment::plan(&order, &wallet.spendable(&snapshot))?;
    Ok((payment, rate, change_to))
}

fn summary(payment: &Payment, rate: &ChosenRate, to: &Address) -> String {
    let mut lines = vec![
        format!("Send    {:>17} TALLY", payment.amount),
        format!("to      {to}"),
        format!("Fee     {:>17} TALLY  ({} bytes at {}: {})", payment.fee, payment.size, payment.rate(), rate.source),
        match payment.change {
            Some(change) => format!("Change  {change:>17} TALLY"),
            None => "Change               none".to_owned(),
        },
    ];
    if payment.fee.to_notches() > payment.amount.to_notches() / 10 {
        lines.push("Warning: the fee is more than a tenth of the amount.".to_owned());
    }
    lines.join("\n")
}

impl Report for Sent {
    fn text(&self) -> String {
        match &self.hex {
            Some(hex) => format!("{}\nNothing was sent. The transaction {}:\n{hex}", self.summary, self.txid),
            None if self.summary.is_empty() => format!("Sent in transaction {}", self.txid),
            None => format!("{}\nSent in transaction {}", self.summary, self.txid),
        }
    }
}
