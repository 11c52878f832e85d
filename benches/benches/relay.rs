//! What a node does between receiving a block and having a new tip, without disk and network: a block of 2,000 payments that the mempool
//! has, or has not.

use std::sync::Arc;

use divan::{Bencher, black_box};
use tally_node_core::chain::ids::BlockIds;
use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Block;
use tally_primitives::params::Params;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{CompactBlock, Message, Services, Version};

/// Payments of the block.
const PAYMENTS: usize = 2_000;
const PEER: PeerId = PeerId(1);

fn main() {
    divan::main();
}

/// A node, its store, and the next block.
struct World {
    node: Node,
    store: MemoryStore,
    block: Arc<Block>,
    compact: Arc<CompactBlock>,
    now: Timestamp,
}

fn params() -> Arc<Params> {
    let mut params = Params::clone(&testing::params());
    params.allocations = vec![params.allocations[0].clone(); PAYMENTS];
    Arc::new(params)
}

fn block() -> (Arc<Params>, Arc<Block>) {
    let params = params();
    let genesis = params.genesis();
    let coins = testing::outputs_of(&genesis.transactions[0]);
    let payments = coins.iter().map(|coin| testing::split(&params, coin, 2, 1_000));
    let builder = BlockBuilder::on(&params, &genesis.header, Height::GENESIS);
    let block = payments.fold(builder, BlockBuilder::with).build();
    (params, Arc::new(block))
}

impl World {
    fn new(made: &(Arc<Params>, Arc<Block>), knows_payments: bool) -> World {
        let (params, block) = made;
        let (store, now) = (MemoryStore::new(), testing::now());
        let node = Node::new(NodeConfig::default(), params.clone(), Box::new(store.clone()), 7, now)
            .expect("an empty store opens");
        let compact = Arc::new(CompactBlock::new(block, &block.wtxids(), 5, |_| false));
        let mut world = World { node, store, block: block.clone(), compact, now };
        world.pump();
        world.shake_hands();
        if knows_payments {
            for payment in &block.transactions[1..] {
                world.node.submit_transaction(now, Arc::new(Transaction::clone(payment))).expect("an honest payment");
            }
            world.pump();
        }
        world
    }

    fn pump(&mut self) {
        while let Some(output) = self.node.poll_output() {
            if let Output::Commit(changes) = output {
                self.store.apply(*changes).expect("change sets fit");
            }
        }
    }

    fn shake_hands(&mut self) {
        let tip = self.node.chain().tip();
        let version = Version {
            protocol: 1,
            services: Services::FULL_CHAIN,
            genesis: self.node.chain().genesis_hash(),
            time: self.now,
            nonce: 1,
            user_agent: "bench".to_owned(),
            listen_port: 0,
            height: tip.height,
            chain_work: tip.work,
        };
        let address = ([127, 0, 0, 1], 9_740).into();
        self.node.handle_peer_connected(self.now, PEER, address, Direction::Inbound);
        for message in
            [Message::Version(Box::new(version)), Message::VersionAck, Message::SendCompact { high_bandwidth: true }]
        {
            self.node.handle_message(self.now, PEER, message);
        }
        self.pump();
    }

    /// Ticks until the tip has moved.
    fn connect(mut self) -> World {
        while self.node.chain().activation_pending() {
            self.node.tick(self.now);
        }
        assert_eq!(self.node.chain().tip().height, Height::new(1));
        self
    }

    fn receive_compact(mut self) -> World {
        self.node.handle_message(self.now, PEER, Message::CompactBlock(self.compact.clone()));
        assert!(self.node.chain().has_body(&self.block.hash()));
        self
    }
}

/// From the compact block's arrival until it can be passed on: put together, checked as far as that is possible without coins.
#[divan::bench(sample_count = 30)]
fn put_together_known_payments(bencher: Bencher) {
    let made = block();
    bencher.with_inputs(|| World::new(&made, true)).bench_local_values(World::receive_compact);
}

/// From there to the new tip.
#[divan::bench(sample_count = 30)]
fn connect_known_payments(bencher: Bencher) {
    let made = block();
    bencher.with_inputs(|| World::new(&made, true).receive_compact()).bench_local_values(World::connect);
}

/// The same for payments whose signatures nobody has verified.
#[divan::bench(sample_count = 10)]
fn connect_new_payments(bencher: Bencher) {
    let made = block();
    let staged = || {
        let mut world = World::new(&made, false);
        world.node.stage_block(world.now, world.block.clone()).expect("an honest block");
        world
    };
    bencher.with_inputs(staged).bench_local_values(World::connect);
}

/// A block in compact form, for all peers.
#[divan::bench]
fn make_compact(bencher: Bencher) {
    let (_, block) = block();
    let ids = BlockIds::of(&block);
    bencher.bench_local(|| CompactBlock::new(black_box(&block), &ids.wtxids, 5, |_| false));
}

/// Every transaction hashed with and without its witnesses.
#[divan::bench]
fn hash_all_transactions(bencher: Bencher) {
    let (_, block) = block();
    bencher.bench_local(|| BlockIds::of(black_box(&block)));
}
