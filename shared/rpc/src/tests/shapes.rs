//! Golden JSON of every result.

use serde_json::{Value, json};
use tally_primitives::units::{Amount, Height};

use super::{HASH, LOCK, OTHER, address, golden};
use crate::address::{AddressHistory, AddressQuery, AddressUtxos, AddressValidity};
use crate::chain::{
    BlockInfo, BlockTransactions, BlockchainInfo, ChainTip, ChainTipStatus, HeaderInfo, TxOut, TxOutSetInfo,
};
use crate::events::{Event, Topic};
use crate::mempool::{FeeEstimate, MempoolEntry, MempoolInfo, RawMempool};
use crate::mining::{BlockTemplate, FullTemplate, MiningInfo, TemplateRequest};
use crate::network::{BannedPeer, ConnectionType, NetworkInfo, PeerInfo};
use crate::stratum::StratumInfo;
use crate::transaction::{AcceptVerdict, InputInfo, TransactionInfo};

const TARGET: &str = "00000000ffff0000000000000000000000000000000000000000000000000000";
const WORK: &str = "0000000000000000000000000000000000000000000000000000000100010001";

fn header() -> Value {
    json!({
        "hash": HASH, "confirmations": -1, "height": 0, "version": 536_870_912, "versionHex": "20000000",
        "merkleroot": OTHER, "time": 1_231_006_505, "mediantime": 1_231_006_505, "nonce": 2_083_236_893,
        "bits": "1d00ffff", "target": TARGET, "difficulty": 1.0, "chainwork": WORK, "nTx": 1,
    })
}

fn transaction() -> Value {
    json!({
        "txid": OTHER, "hash": HASH, "version": 1, "size": 200,
        "vin": [{
            "txid": HASH, "vout": 1,
            "witness": { "policy": { "opaque": LOCK }, "signatures": [], "preimages": [] },
            "prevout": { "value": 5, "n": 1, "lock": LOCK, "address": address() },
        }],
        "vout": [{ "value": 4, "n": 0, "lock": LOCK, "address": address() }],
        "memo": "6869", "fee": 1, "hex": "00",
        "in_active_chain": true, "blockhash": HASH, "confirmations": 3, "time": 9, "blocktime": 9,
    })
}

#[test]
fn blockchain_info() {
    let info: BlockchainInfo = golden(json!({
        "chain": "mainnet", "blocks": 7, "headers": 9, "bestblockhash": HASH, "genesishash": OTHER,
        "bits": "1d00ffff", "target": TARGET, "difficulty": 1.5, "time": 10, "mediantime": 9,
        "verificationprogress": 0.5, "initialblockdownload": true, "chainwork": WORK,
        "size_on_disk": 1024, "pruned": false, "warnings": [],
    }));
    assert_eq!(info.blocks, Height::new(7));
    assert_eq!(info.bits.to_bits(), 0x1d00_ffff);
    assert_eq!(info.target, info.bits.to_target().expect("a target"));
}

#[test]
fn header_and_block() {
    let info: HeaderInfo = golden(header());
    assert_eq!(info.previousblockhash, None);
    let mut block = header();
    block["previousblockhash"] = json!(OTHER);
    block["nextblockhash"] = json!(OTHER);
    block["size"] = json!(285);
    block["tx"] = json!([OTHER]);
    let info: BlockInfo = golden(block.clone());
    assert!(matches!(info.tx, BlockTransactions::Ids(ids) if ids.len() == 1));
    block["tx"] = json!([transaction()]);
    let info: BlockInfo = golden(block);
    assert!(matches!(info.tx, BlockTransactions::Full(full) if full.len() == 1));
}

#[test]
fn malformed_bits_and_targets_are_refused() {
    for bits in ["1d00fff", "1d00fffff", "+d00ffff", "1d00fffg", ""] {
        let mut value = header();
        value["bits"] = json!(bits);
        assert!(serde_json::from_value::<HeaderInfo>(value).is_err(), "{bits}");
    }
    let mut value = header();
    value["target"] = json!("00");
    assert!(serde_json::from_value::<HeaderInfo>(value).is_err());
}

#[test]
fn chain_tips_and_coins() {
    let statuses = ["invalid", "headers-only", "valid-headers", "valid-fork", "active"];
    for status in statuses {
        let tip: ChainTip = golden(json!({ "height": 3, "hash": HASH, "branchlen": 0, "status": status }));
        assert_eq!(tip.status == ChainTipStatus::Active, status == "active");
    }
    let coin: TxOut = golden(json!({
        "bestblock": HASH, "confirmations": 2, "value": 50, "lock": LOCK, "address": address(), "coinbase": true,
    }));
    assert_eq!(coin.value, Amount::from_notches(50));
    let _: TxOutSetInfo = golden(json!({
        "height": 3, "bestblock": HASH, "txouts": 4, "hash_serialized": WORK, "total_amount": 200, "disk_size": 1,
    }));
}

#[test]
fn transactions() {
    let info: TransactionInfo = golden(transaction());
    assert!(info.place.is_some_and(|place| place.confirmations == 3));
    let mut bare = transaction();
    let fields = bare.as_object_mut().expect("an object");
    for field in ["fee", "hex", "in_active_chain", "blockhash", "confirmations", "time", "blocktime"] {
        fields.remove(field);
    }
    fields.insert("vin".to_owned(), json!([{ "coinbase": "0000000000000000" }]));
    let info: TransactionInfo = golden(bare);
    assert_eq!(info.place, None);
    assert!(matches!(info.vin[..], [InputInfo::Coinbase { .. }]));
}

#[test]
fn verdicts() {
    let _: AcceptVerdict = golden(json!({
        "txid": OTHER, "wtxid": HASH, "allowed": true, "vsize": 200, "fees": { "base": 300 },
    }));
    let refused: AcceptVerdict = golden(json!({
        "txid": OTHER, "wtxid": HASH, "allowed": false, "reject-reason": "TX-03: outpoint twice",
    }));
    assert!(!refused.allowed);
}

#[test]
fn mempool() {
    let _: MempoolInfo = golden(json!({
        "loaded": true, "size": 1, "bytes": 200, "usage": 900, "total_fee": 300, "maxmempool": 300_000_000,
        "mempoolminfee": 1000, "minrelaytxfee": 1000, "incrementalrelayfee": 1000, "fullrbf": true,
    }));
    let entry = json!({
        "vsize": 200, "time": 10, "height": 3, "descendantcount": 1, "descendantsize": 200,
        "ancestorcount": 2, "ancestorsize": 400, "wtxid": HASH,
        "fees": { "base": 300, "modified": 300, "ancestor": 600, "descendant": 300 },
        "depends": [HASH], "spentby": [], "bip125-replaceable": true,
    });
    let _: MempoolEntry = golden(entry.clone());
    assert!(matches!(golden(json!([OTHER])), RawMempool::Ids(ids) if ids.len() == 1));
    assert!(matches!(golden(json!({ OTHER: entry })), RawMempool::Entries(map) if map.len() == 1));
    let _: FeeEstimate = golden(json!({ "feerate": 1000, "blocks": 6 }));
    let _: FeeEstimate = golden(json!({ "errors": ["too few blocks"], "blocks": 6 }));
}

#[test]
fn peers_and_bans() {
    let mut peer = json!({
        "id": 3, "addr": "127.0.0.1:4000", "listen_port": 9740, "lastsend": 1, "lastrecv": 2,
        "bytessent": 3, "bytesrecv": 4, "conntime": 5, "timeoffset": -1, "version": 1, "subver": "/tallystick:0.1.0/",
        "inbound": false, "startingheight": 0, "synced_headers": -1, "synced_blocks": -1, "inflight": [7],
        "connection_type": "manual", "relaytxes": true, "last_transaction": 0, "last_block": 9,
        "bip152_hb_to": true, "bip152_hb_from": false, "minfeefilter": 1000, "transport_protocol_type": "v1",
    });
    let info: PeerInfo = golden(peer.clone());
    assert_eq!(info.pingtime, None);
    peer["pingtime"] = json!(0.25);
    peer["minping"] = json!(0.125);
    peer["connection_type"] = json!("block-relay-only");
    peer["transport_protocol_type"] = json!("v2");
    peer["node_id"] = json!(HASH);
    let info: PeerInfo = golden(peer);
    assert_eq!(info.connection_type, ConnectionType::BlockRelayOnly);
    let _: BannedPeer = golden(json!({
        "address": "127.0.0.1:9740", "ban_created": 1, "banned_until": 11, "ban_duration": 10, "time_remaining": 4,
    }));
    let mut network = json!({
        "version": 100, "subversion": "/tallystick:0.1.0/", "protocolversion": 1, "localrelay": true,
        "timeoffset": 0, "networkactive": true, "connections": 3, "connections_in": 1, "connections_out": 2,
        "relayfee": 1000, "incrementalfee": 1000, "localaddresses": [{ "address": "127.0.0.1", "port": 1 }],
        "warnings": ["this is a test network"],
    });
    assert_eq!(golden::<NetworkInfo>(network.clone()).node_id, None);
    network["node_id"] = json!(HASH);
    let _: NetworkInfo = golden(network);
}

#[test]
fn mining() {
    let next = json!({ "height": 8, "bits": "1d00ffff", "difficulty": 1.0, "target": TARGET });
    let mut info = json!({
        "blocks": 7, "bits": "1d00ffff", "difficulty": 1.0, "target": TARGET, "networkhashps": 1000.5,
        "pooledtx": 0, "chain": "devnet", "next": next, "warnings": [],
    });
    let read: MiningInfo = golden(info.clone());
    assert_eq!(read.miner, None);
    info["miner"] = json!({ "threads": 1, "limit": 1e5, "hashes": 12345, "hashespersec": 99_000.0 });
    let _: MiningInfo = golden(info);
}

#[test]
fn templates() {
    let _: BlockTemplate = golden(json!({
        "version": 536_870_912, "previousblockhash": HASH,
        "transactions": [{ "data": "00", "txid": OTHER, "hash": HASH, "fee": 300, "size": 200 }],
        "coinbasevalue": 5_000_000_300_u64, "longpollid": "x", "target": TARGET, "bits": "1d00ffff",
        "height": 8, "mintime": 9, "curtime": 10, "sizelimit": 1_000_000,
        "mutable": ["time", "transactions", "prevblock"], "noncerange": "00000000ffffffff",
    }));
    let full: FullTemplate = golden(json!({
        "version": 536_870_912, "previousblockhash": HASH,
        "transactions": [{ "data": "00", "txid": OTHER, "hash": HASH, "fee": 300, "size": 200, "depends": [] }],
        "coinbasevalue": 5_000_000_300_u64, "longpollid": "x", "target": TARGET, "bits": "1d00ffff",
        "height": 8, "mintime": 9, "curtime": 10, "sizelimit": 1_000_000,
        "mutable": ["time", "transactions", "prevblock"], "noncerange": "00000000ffffffff",
        "capabilities": ["proposal"],
        "coinbasetxn": { "data": "01", "txid": OTHER, "hash": OTHER, "fee": -300, "required": true },
    }));
    // Who needs less reads the same answer.
    let _: BlockTemplate = serde_json::from_value(json!(full)).expect("a template");
    assert_eq!(golden::<TemplateRequest>(json!({})), TemplateRequest::default());
    let request: TemplateRequest = golden(json!({ "longpollid": "x", "rules": ["segwit"] }));
    assert_eq!(request.longpollid.as_deref(), Some("x"));
}

#[test]
fn stratum() {
    let info: StratumInfo = golden(json!({
        "listen": "127.0.0.1:3333", "payout": address(), "connections": 2, "turned_away": 1, "accepted": 5, "stale": 1,
        "rejected": 2, "blocks": 1, "hashespersec": 8e6, "workers": [
            {
                "user": format!("{}.rig", address()), "address": address(), "peer": "127.0.0.1:50000",
                "agent": "cpuminer/2.5.1", "difficulty": 0.0625, "accepted": 5, "stale": 1, "rejected": 2, "blocks": 1,
                "hashespersec": 8e6, "conntime": 9, "lastshare": 10,
            },
            {
                "user": "", "peer": "127.0.0.1:50001", "agent": "", "accepted": 0, "stale": 0, "rejected": 0,
                "blocks": 0, "hashespersec": 0.0, "conntime": 9,
            },
        ],
    }));
    assert_eq!(info.workers.len(), 2);
}

#[test]
fn addresses() {
    let _: AddressValidity = golden(json!({ "isvalid": true, "address": address(), "lock": LOCK }));
    let _: AddressValidity = golden(json!({ "isvalid": false, "error": "wrong checksum" }));
    let _: AddressQuery = golden(json!({ "addresses": [address()] }));
    let utxos: AddressUtxos = golden(json!({
        "height": 3, "tip": HASH, "utxos": [
            { "txid": OTHER, "index": 0, "address": address(), "value": 5, "height": 2, "coinbase": false, "spent_by": null },
            { "txid": OTHER, "index": 1, "address": address(), "value": 6, "height": null, "coinbase": false, "spent_by": OTHER },
        ],
    }));
    assert_eq!(utxos.utxos[1].height, None);
    let _: AddressHistory = golden(json!({
        "height": 3, "tip": HASH, "transactions": [
            { "txid": OTHER, "height": 2, "block_hash": HASH, "time": 9, "received": 5, "spent": 0, "fee": 0, "confirmations": 2 },
            { "txid": OTHER, "height": null, "block_hash": null, "time": 9, "received": 0, "spent": 5, "fee": 1, "confirmations": 0 },
        ],
    }));
}

#[test]
fn events() {
    let events = [
        (
            Some(Topic::Blocks),
            json!({ "type": "block_connected", "hash": HASH, "height": 1, "time": 9, "transactions": 1 }),
        ),
        (Some(Topic::Blocks), json!({ "type": "block_disconnected", "hash": HASH, "height": 1 })),
        (Some(Topic::Blocks), json!({ "type": "block_rejected", "hash": HASH, "reason": "HDR-01" })),
        (
            Some(Topic::Blocks),
            json!({ "type": "tip_changed", "old": HASH, "new": OTHER, "height": 2, "reorg_depth": 0 }),
        ),
        (Some(Topic::Blocks), json!({ "type": "header_tip", "hash": HASH, "height": 2 })),
        (
            Some(Topic::Transactions),
            json!({ "type": "transaction_accepted", "txid": OTHER, "wtxid": HASH, "fee": 1, "size": 2 }),
        ),
        (Some(Topic::Transactions), json!({ "type": "transaction_removed", "txid": OTHER, "reason": "confirmed" })),
        (Some(Topic::Peers), json!({ "type": "peer_connected", "peer": 1, "address": "127.0.0.1:1", "inbound": true })),
        (Some(Topic::Peers), json!({ "type": "peer_disconnected", "peer": 1, "reason": "it left" })),
        (None, json!({ "type": "missed", "count": 4 })),
    ];
    for (topic, value) in events {
        let event: Event = golden(value.clone());
        assert_eq!(event.topic(), topic);
        assert_eq!(event.notification(), json!({ "jsonrpc": "2.0", "method": "event", "params": value }));
    }
    assert_eq!(json!(Topic::ALL), json!(["blocks", "transactions", "peers"]));
}
