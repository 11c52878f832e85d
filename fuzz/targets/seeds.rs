//! Inputs to begin with: one of each kind that means something.

use std::sync::Arc;

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Block;
use tally_primitives::encode::encode;
use tally_primitives::hash::{BlockHash, PreimageHash, Txid, Wtxid};
use tally_primitives::params::Params;
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::units::{FeeRate, Height};
use tally_wire::{AddressRecord, CompactBlock, InventoryItem, Message, Prefilled, Services, ShortId, encode_frame};

/// The inputs of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "frames" => {
            messages().iter().map(|message| [&[255][..], &encode_frame(0x7a11_1e57, message)].concat()).collect()
        }
        "messages" => messages().iter().map(encode).collect(),
        "compact" => {
            messages().iter().filter(|message| matches!(message, Message::CompactBlock(_))).map(body).collect()
        }
        "headers" => vec![encode(&block().header)],
        "transactions" => block().transactions.iter().map(encode).collect(),
        "blocks" => vec![encode(&block()), encode(&testing::params().genesis())],
        "policies" => vec![encode(&policy()), encode(&witness())],
        "addresses" => addresses(),
        "network_file" => [Params::mainnet(), Params::devnet(), Params::clone(&testing::params())]
            .iter()
            .map(|params| params.to_toml().into_bytes())
            .collect(),
        "rpc" => texts(&[
            r#"{"jsonrpc":"2.0","id":1,"method":"getblock","params":["00",2]}"#,
            r#"[{"method":"stop"},{"jsonrpc":"2.0","method":"x","params":{"a":null}},7]"#,
            r#"{"result":null,"error":{"code":-8,"message":"no"},"id":"x"}"#,
        ]),
        "stratum" => vec![
            line(r#"{"id":2,"method":"mining.submit","params":["x","1","0000000000000000","62b12345","00000001"]}"#),
            line(
                r#"{"id":3,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}"#,
            ),
            line(r#"{"id":4,"method":"mining.suggest_difficulty","params":[0.001]}"#),
        ],
        "noise" => vec![b"\x00TALLYNX1\x20\x00".to_vec(), vec![1, 96, 0, 7], vec![2; 64]],
        "core" => stories(),
        "peers_dat" => vec![book()],
        _ => Vec::new(),
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn body(message: &Message) -> Vec<u8> {
    encode(message)[4..].to_vec()
}

fn line(text: &str) -> Vec<u8> {
    let text = format!("{text}\n");
    let length = u16::try_from(text.len()).unwrap_or(0).to_le_bytes();
    [&[3][..], &length, text.as_bytes()].concat()
}

fn addresses() -> Vec<Vec<u8>> {
    let params = testing::params();
    let allocated = params.allocations[0].address.to_string();
    let pinned = format!("{}@seed.example.org:9740", "0f".repeat(32));
    texts(&[&allocated, "127.0.0.1:9740", "[2001:db8::1]:9740", "2001:db8::1", "host:1", &pinned])
}

fn block() -> Block {
    let params = testing::params();
    let coins = testing::allocations(&params);
    let genesis = params.genesis().header;
    let block = BlockBuilder::on(&params, &genesis, Height::GENESIS);
    block.with(testing::pay_on(&params, &coins[0], 1_000)).with(testing::split(&params, &coins[1], 3, 1_000)).build()
}

fn policy() -> SpendingPolicy {
    let of = vec![
        SpendingPolicy::Key(testing::key(4).public_key()),
        SpendingPolicy::Preimage(PreimageHash::from_bytes([9; 32])),
        SpendingPolicy::Threshold {
            required: 1,
            of: vec![SpendingPolicy::Older(3), SpendingPolicy::After(Height::new(9))],
        },
        SpendingPolicy::Opaque(testing::lock_of(&testing::key(5))),
    ];
    SpendingPolicy::Threshold { required: 2, of }
}

fn witness() -> Witness {
    let signatures = block().transactions[1].inputs[0].witness.signatures.clone();
    Witness { policy: policy(), signatures, preimages: vec![Preimage::from_bytes([1; 32])] }
}

fn messages() -> Vec<Message> {
    let block = block();
    let (hash, transaction) = (block.hash(), Arc::new(block.transactions[1].clone()));
    let items = vec![
        InventoryItem::Block(hash),
        InventoryItem::Transaction(Wtxid::from_bytes([1; 32])),
        InventoryItem::Parent(Txid::from_bytes([2; 32])),
        InventoryItem::CompactBlock(hash),
    ];
    let address = |text: &str| text.parse().expect("an address");
    let record = |text| AddressRecord { last_seen: 9, services: Services::FULL_CHAIN, address: address(text) };
    let compact = CompactBlock {
        header: block.header,
        nonce: 3,
        short_ids: vec![ShortId([1; 6]), ShortId([2; 6])],
        prefilled: vec![Prefilled { index: 0, transaction: transaction.clone() }],
    };
    vec![
        Message::VersionAck,
        Message::Ping { nonce: 1 },
        Message::Addresses(vec![record("10.0.0.1:9"), record("[2001:db8::1]:9")]),
        Message::GetHeaders { locator: vec![hash], stop: BlockHash::ZERO },
        Message::Headers(vec![block.header].into()),
        Message::Inventory(items.clone()),
        Message::GetData(items.clone()),
        Message::NotFound(items),
        Message::SendCompact { high_bandwidth: true },
        Message::CompactBlock(Arc::new(compact)),
        Message::GetBlockTransactions { block: hash, indexes: vec![0, 2] },
        Message::BlockTransactions { block: hash, transactions: vec![transaction.clone()] },
        Message::FeeFilter { rate: FeeRate::from_notches_per_byte(2) },
        Message::Transaction(transaction),
        Message::Block(Arc::new(block)),
    ]
}

/// What a node keeps of addresses, without its checksum.
fn book() -> Vec<u8> {
    let finding = FindingConfig { full_peers: 2, ..FindingConfig::default() };
    let config = NodeConfig { finding, ..NodeConfig::default() };
    let (store, now) = (Box::new(MemoryStore::new()), testing::now());
    let mut node = Node::new(config, testing::params(), store, 1, now).expect("an empty store opens");
    let known = ["8.1.2.3:9740", "[2001:db8::7]:1", "9.9.9.9:9"].map(|text| text.parse().expect("an address"));
    node.handle_seed(now, "seed", &known);
    node.flush(now);
    let mut book = Vec::new();
    while let Some(output) = node.poll_output() {
        if let Output::KeepAddresses { book: kept } = output {
            book = kept;
        }
    }
    book.truncate(book.len().saturating_sub(32));
    book
}

/// Two peers that shake hands and say one thing after the other.
fn stories() -> Vec<Vec<u8>> {
    let hello = [5, 0, 1, 0, 2, 2, 0, 2, 1];
    let all = (0..12_u8).flat_map(|kind| [9, kind, kind, kind.wrapping_mul(7), 3]);
    let waits = [1, 9, 255, 0];
    vec![
        hello.into_iter().chain(all.clone()).collect(),
        hello.into_iter().chain(all.clone()).chain(waits).chain(all).collect(),
        hello.into_iter().chain([6, 1, 7, 6, 2, 7, 6, 3, 2, 9, 1, 8, 17, 0]).chain(waits).collect(),
    ]
}
