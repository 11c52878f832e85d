//! Starting on a store, empty or not.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::transaction::{Coin, OutPoint};
use tally_primitives::units::Height;

use crate::chain::coins::CoinsCache;
use crate::chain::ids::RecentIds;
use crate::chain::index::BlockIndex;
use crate::chain::store::{BlockStatus, BlockUndo, ChainStore, CoinStats, IndexRecord};
use crate::chain::verified::VerifiedCache;
use crate::chain::writes::Writes;
use crate::chain::{Chain, ChainError, tip_at};

impl Chain {
    /// Opens the chain that the store holds. In an empty store genesis is connected, which leaves as the first change
    /// set. Blocks that are stored and not connected (a crash came between) are connected, within the bounds of
    /// [`Chain::activate`].
    ///
    /// # Errors
    /// A store of another network, one whose records contradict each other, or one that cannot answer.
    pub fn open(params: Arc<Params>, store: Box<dyn ChainStore>) -> Result<Self, ChainError> {
        let genesis = params.genesis();
        let index = BlockIndex::new(genesis.header);
        let mut chain = Self {
            limit: params.target_limit(),
            genesis: genesis.hash(),
            tip: tip_at(&index, index.genesis()),
            active: vec![index.genesis()],
            index,
            candidates: BTreeSet::new(),
            coins: CoinsCache::default(),
            sealed_stats: CoinStats::default(),
            writes: Writes::default(),
            sequence: 1,
            verified: Mutex::new(VerifiedCache::default()),
            ids: RecentIds::default(),
            ahead: None,
            params,
            store,
        };
        match chain.store.tip()? {
            None => chain.connect_genesis(genesis),
            Some(tip) => chain.load(tip)?,
        }
        chain.rebuild_candidates();
        chain.activate()?;
        Ok(chain)
    }

    /// Genesis is valid by definition. What it pays are the network's allocations: spendable at once, so not marked as
    /// coinbase coins.
    fn connect_genesis(&mut self, genesis: Block) {
        for transaction in &genesis.transactions {
            let txid = transaction.txid();
            for (index, output) in (0u32..).zip(&transaction.outputs) {
                let coin = Coin { output: *output, height: Height::GENESIS, coinbase: false };
                self.coins.add(OutPoint { txid, index }, coin);
            }
        }
        self.writes.add_body(self.genesis, Arc::new(genesis));
        self.writes.add_undo(self.genesis, Arc::new(BlockUndo::default()));
        self.writes.touch(self.index.genesis());
        self.writes.connected(self.genesis);
        self.seal();
    }

    fn load(&mut self, tip: BlockHash) -> Result<(), ChainError> {
        let mut records = self.store.index()?;
        records.sort_by_key(|record| record.height);
        let Some((first, rest)) = records.split_first() else {
            return Err(inconsistent("it has a tip and no block index"));
        };
        let found = first.header.hash();
        if found != self.genesis {
            return Err(ChainError::WrongGenesis { expected: self.genesis, found });
        }
        for record in rest {
            self.load_record(record)?;
        }
        let id = self.index.find(&tip).ok_or_else(|| inconsistent("its tip is not in its block index"))?;
        let entry = self.index.get(id);
        if !entry.linked || entry.status != BlockStatus::Connected {
            return Err(inconsistent("its tip was never connected"));
        }
        self.active = self.index.ancestry(id).collect();
        self.active.reverse();
        self.note_tip();
        self.index.set_first_seen(id);
        self.sealed_stats = self.store.coin_stats()?;
        Ok(())
    }

    fn load_record(&mut self, record: &IndexRecord) -> Result<(), ChainError> {
        let id = self.index.load(record);
        if id.is_some_and(|id| self.index.get(id).height == record.height) {
            return Ok(());
        }
        Err(inconsistent(&format!("block {} does not fit into its index", record.header.hash())))
    }
}

fn inconsistent(what: &str) -> ChainError {
    ChainError::Inconsistent { what: what.to_owned() }
}
