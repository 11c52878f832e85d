//! `wallet address`: where to be paid.

use serde::Serialize;
use tally_primitives::address::Address;

use super::Report;
use crate::args::AddressArgs;
use crate::context::Context;
use crate::error::WalletError;
use crate::nodes::NodesError;
use crate::state::GAP_LIMIT;
use crate::sync::Scope;
use crate::wallet::Wallet;

/// An address to be paid at.
#[derive(Serialize)]
pub(super) struct Shown {
    address: Address,
}

pub(super) fn run(context: &Context, options: &AddressArgs) -> Result<Shown, WalletError> {
    let mut wallet = context.open()?;
    learn_used(context, &mut wallet)?;
    let handout = match options.new {
        true => wallet.new_address()?,
        false => wallet.unused_address()?,
    };
    if handout.is_beyond_gap {
        eprintln!(
            "warning: {GAP_LIMIT} addresses before this one are unused; a wallet restored from the words \
             would not look this far until one of them is paid"
        );
    }
    Ok(Shown { address: handout.address })
}

/// Asks a node which addresses are used. Without any node the wallet goes by what it remembers, and says so.
pub(super) fn learn_used(context: &Context, wallet: &mut Wallet) -> Result<(), WalletError> {
    let mut nodes = context.nodes(wallet.params())?;
    match wallet.sync(&mut nodes, Scope::Addresses) {
        Err(WalletError::Nodes(NodesError::Unreachable { .. })) => {
            eprintln!("note: no node can be reached; payments that came since the last time are not known");
            Ok(())
        }
        result => result.map(|_| ()),
    }
}

impl Report for Shown {
    fn text(&self) -> String {
        self.address.to_string()
    }
}
