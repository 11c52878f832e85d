//! Random messages of every kind, for the properties.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use proptest::collection::{btree_set, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, PreimageHash, Txid, Wtxid};
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};
use tally_wire::{AddressRecord, CompactBlock, InventoryItem, Message, Prefilled, Services, ShortId, Version};

pub fn version() -> impl Strategy<Value = Version> {
    let numbers = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>());
    (numbers, any::<[u8; 32]>(), any::<[u8; 32]>(), "[ -~]{0,128}").prop_map(
        |((protocol, services, time, nonce, listen_port, height), genesis, work, user_agent)| Version {
            protocol,
            services: Services::from_bits(services),
            genesis: BlockHash::from_bytes(genesis),
            time: Timestamp::from_millis(time),
            nonce,
            user_agent,
            listen_port,
            height: Height::new(height),
            chain_work: Work::from_be_bytes(work),
        },
    )
}

pub fn header() -> impl Strategy<Value = Header> {
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u32; 4]>()).prop_map(|(prev, root, [version, time, bits, nonce])| {
        Header {
            version,
            prev_block: BlockHash::from_bytes(prev),
            merkle_root: MerkleRoot::from_bytes(root),
            time,
            bits: CompactTarget::from_bits(bits),
            nonce,
        }
    })
}

pub fn spending_policy() -> impl Strategy<Value = SpendingPolicy> {
    let leaf = prop_oneof![
        any::<[u8; 32]>().prop_map(|hash| SpendingPolicy::Preimage(PreimageHash::from_bytes(hash))),
        any::<u32>().prop_map(|height| SpendingPolicy::After(Height::new(height))),
        any::<u32>().prop_map(SpendingPolicy::Older),
        any::<[u8; 32]>().prop_map(|hash| SpendingPolicy::Opaque(LockHash::from_bytes(hash))),
    ];
    leaf.prop_recursive(2, 10, 4, |inner| {
        (any::<u8>(), vec(inner, 1..4)).prop_map(|(required, of)| SpendingPolicy::Threshold { required, of })
    })
}

pub fn transaction() -> impl Strategy<Value = Transaction> {
    let input = (any::<[u8; 32]>(), any::<u32>(), spending_policy()).prop_map(|(txid, index, policy)| Input {
        outpoint: OutPoint { txid: Txid::from_bytes(txid), index },
        witness: Witness { policy, signatures: Vec::new(), preimages: Vec::new() },
    });
    let output = (any::<u64>(), any::<[u8; 32]>())
        .prop_map(|(value, lock)| Output { value: Amount::from_notches(value), lock: LockHash::from_bytes(lock) });
    (any::<u32>(), vec(input, 0..4), vec(output, 0..4), vec(any::<u8>(), 0..80))
        .prop_map(|(version, inputs, outputs, memo)| Transaction { version, inputs, outputs, memo })
}

pub fn inventory_item() -> impl Strategy<Value = InventoryItem> {
    (0..4_u8, any::<[u8; 32]>()).prop_map(|(kind, hash)| match kind {
        0 => InventoryItem::Transaction(Wtxid::from_bytes(hash)),
        1 => InventoryItem::Block(BlockHash::from_bytes(hash)),
        2 => InventoryItem::Parent(Txid::from_bytes(hash)),
        _ => InventoryItem::CompactBlock(BlockHash::from_bytes(hash)),
    })
}

fn address_record() -> impl Strategy<Value = AddressRecord> {
    (any::<u32>(), any::<u64>(), any::<IpAddr>(), any::<u16>()).prop_map(|(last_seen, services, ip, port)| {
        AddressRecord { last_seen, services: Services::from_bits(services), address: SocketAddr::new(ip, port) }
    })
}

/// Places 0, 3, 6 … are prefilled.
pub fn compact_block() -> impl Strategy<Value = CompactBlock> {
    (header(), any::<u64>(), vec(any::<[u8; 6]>().prop_map(ShortId), 8..60), vec(transaction(), 0..4)).prop_map(
        |(header, nonce, short_ids, transactions)| {
            let prefill =
                |(place, transaction): (u16, _)| Prefilled { index: 3 * place, transaction: Arc::new(transaction) };
            CompactBlock { header, nonce, short_ids, prefilled: (0..).zip(transactions).map(prefill).collect() }
        },
    )
}

pub fn message() -> impl Strategy<Value = Message> {
    let items = || vec(inventory_item(), 0..40);
    prop_oneof![
        version().prop_map(|version| Message::Version(Box::new(version))),
        Just(Message::VersionAck),
        any::<u64>().prop_map(|nonce| Message::Ping { nonce }),
        any::<u64>().prop_map(|nonce| Message::Pong { nonce }),
        Just(Message::GetAddresses),
        vec(address_record(), 0..20).prop_map(Message::Addresses),
        (vec(any::<[u8; 32]>().prop_map(BlockHash::from_bytes), 0..101), any::<[u8; 32]>())
            .prop_map(|(locator, stop)| Message::GetHeaders { locator, stop: BlockHash::from_bytes(stop) }),
        vec(header(), 0..20).prop_map(|headers| Message::Headers(headers.into())),
        items().prop_map(Message::Inventory),
        items().prop_map(Message::GetData),
        items().prop_map(Message::NotFound),
        (header(), vec(transaction(), 0..4))
            .prop_map(|(header, transactions)| Message::Block(Arc::new(Block { header, transactions }))),
        transaction().prop_map(|transaction| Message::Transaction(Arc::new(transaction))),
        any::<bool>().prop_map(|high_bandwidth| Message::SendCompact { high_bandwidth }),
        compact_block().prop_map(|compact| Message::CompactBlock(Arc::new(compact))),
        (any::<[u8; 32]>(), btree_set(0..7_812_u16, 0..50)).prop_map(|(block, indexes)| {
            Message::GetBlockTransactions {
                block: BlockHash::from_bytes(block),
                indexes: indexes.into_iter().collect(),
            }
        }),
        (any::<[u8; 32]>(), vec(transaction().prop_map(Arc::new), 0..4)).prop_map(|(block, transactions)| {
            Message::BlockTransactions { block: BlockHash::from_bytes(block), transactions }
        }),
        any::<u64>().prop_map(|rate| Message::FeeFilter { rate: FeeRate::from_notches_per_kilobyte(rate) }),
    ]
}
