//! `wallet coins`: the single coins behind the balance.

use serde::Serialize;
use tally_primitives::address::Address;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, Height};

use super::Report;
use crate::coins::{CoinStatus, OwnedCoin};
use crate::context::Context;
use crate::error::WalletError;
use crate::sync::{Scope, Snapshot};
use crate::table::{Align, render};
use crate::wallet::Wallet;

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Shown(Vec<ShownCoin>);

/// One coin.
#[derive(Serialize)]
struct ShownCoin {
    txid: Txid,
    index: u32,
    value: Amount,
    address: Address,
    height: Option<Height>,
    confirmations: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    matures_at: Option<Height>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_by: Option<Txid>,
}

pub(super) fn run(context: &Context) -> Result<Shown, WalletError> {
    let mut wallet = context.open()?;
    let mut nodes = context.nodes(wallet.params())?;
    let snapshot = wallet.sync(&mut nodes, Scope::Coins)?;
    let mut coins: Vec<ShownCoin> =
        snapshot.coins.iter().map(|coin| show(&mut wallet, &snapshot, coin)).collect::<Result<_, _>>()?;
    coins.sort_by(|a, b| b.value.cmp(&a.value).then((a.txid, a.index).cmp(&(b.txid, b.index))));
    Ok(Shown(coins))
}

fn show(wallet: &mut Wallet, snapshot: &Snapshot, coin: &OwnedCoin) -> Result<ShownCoin, WalletError> {
    let status = coin.status(snapshot.height, wallet.params().coinbase_maturity);
    let confirmations = coin.height.map_or(0, |height| (snapshot.height.get() + 1).saturating_sub(height.get()));
    Ok(ShownCoin {
        txid: coin.outpoint.txid,
        index: coin.outpoint.index,
        value: coin.value,
        address: wallet.address_of(coin)?,
        height: coin.height,
        confirmations,
        status: match status {
            CoinStatus::Confirmed => "confirmed",
            CoinStatus::Pending => "pending",
            CoinStatus::Immature { .. } => "immature",
            CoinStatus::Spent { .. } => "spent",
        },
        matures_at: match status {
            CoinStatus::Immature { matures_at } => Some(matures_at),
            _ => None,
        },
        spent_by: coin.spent_by,
    })
}

impl Report for Shown {
    fn text(&self) -> String {
        let row = |coin: &ShownCoin| {
            let height = coin.height.map_or_else(|| "-".to_owned(), |height| height.to_string());
            let outpoint = OutPoint { txid: coin.txid, index: coin.index };
            [coin.value.to_string(), coin.status.to_owned(), height, outpoint.to_string()]
        };
        let rows: Vec<[String; 4]> = self.0.iter().map(row).collect();
        render(
            [("TALLY", Align::Right), ("status", Align::Left), ("height", Align::Right), ("coin", Align::Left)],
            &rows,
        )
    }
}
