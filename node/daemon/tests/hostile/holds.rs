//! Peers that make the node keep something, and stay.

use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::block::Header;
use tally_primitives::hash::{LockHash, Txid, Wtxid};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint};
use tally_primitives::units::Height;
use tally_wire::{InventoryItem, Message};

use crate::attacks::{Attack, hash};
use crate::common::params;
use crate::line::{Line, Thrown};

/// Headers of a chain with little work: fewer than the honest one has by more than what counts as near.
pub const CHEAP_HEADERS: u32 = 60;

/// Makes the node keep as much as it will, and reads on until it is thrown out.
pub async fn hold(attack: Attack, target: SocketAddr, seed: u64) -> Result<(), Thrown> {
    let mut random = Random::new(seed);
    let mut line = Line::greeted(target, random.next_u64()).await?;
    match attack {
        Attack::HoldAnnouncements => announce(&mut line, &mut random).await?,
        Attack::HoldOrphans => orphans(&mut line, &mut random).await?,
        _ => cheap_headers(&mut line, seed).await?,
    }
    line.drain().await
}

/// More transactions than the node remembers, none of which exists.
async fn announce(line: &mut Line, random: &mut Random) -> Result<(), Thrown> {
    for _ in 0..3 {
        let item = || InventoryItem::Transaction(Wtxid::from_bytes(hash(random)));
        line.send(&Message::Inventory(std::iter::repeat_with(item).take(5_000).collect())).await?;
    }
    Ok(())
}

/// Orphans with the inputs that take the most memory for their bytes.
async fn orphans(line: &mut Line, random: &mut Random) -> Result<(), Thrown> {
    for _ in 0..100 {
        let input = || {
            let opaque = SpendingPolicy::Opaque(LockHash::from_bytes(hash(random)));
            let policy = SpendingPolicy::Threshold { required: 1, of: vec![SpendingPolicy::Older(1), opaque] };
            let witness = Witness { policy, signatures: Vec::new(), preimages: Vec::new() };
            Input { outpoint: OutPoint { txid: Txid::from_bytes(hash(random)), index: 0 }, witness }
        };
        let mut orphan = testing::pay_on(&params(), &testing::allocations(&params())[0], 1_000);
        orphan.inputs = std::iter::repeat_with(input).take(40).collect();
        line.send(&Message::Transaction(Arc::new(orphan))).await?;
    }
    Ok(())
}

/// Chains of its own from genesis on, shorter than the honest one.
async fn cheap_headers(line: &mut Line, seed: u64) -> Result<(), Thrown> {
    let genesis = params().genesis().header;
    for number in 0..20 {
        let branch = testing::branch_on(&params(), &genesis, Height::GENESIS, CHEAP_HEADERS, seed * 1_000 + number);
        let headers: Vec<Header> = branch.iter().map(|block| block.header).collect();
        line.send(&Message::Headers(headers.into())).await?;
    }
    Ok(())
}
