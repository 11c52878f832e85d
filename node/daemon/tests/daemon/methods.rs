//! The methods one by one: shapes, refusals, and that there is an answer to every name in the table.

use std::collections::BTreeSet;
use std::slice::from_ref;

use serde_json::{Value, json};
use tally_node_core::testing::{self, BlockBuilder, allocations, pay_on, sealed};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, MerkleRoot};
use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};
use tally_rpc::chain::{BlockInfo, BlockchainInfo, HeaderInfo, TxOut};
use tally_rpc::client::ClientError;
use tally_rpc::methods::METHODS;
use tally_rpc::mining::BlockTemplate;
use tally_rpc::transaction::{AcceptVerdict, TransactionInfo};

use crate::common::{Place, TestNode, params, somebody};

fn get<T: serde::de::DeserializeOwned>(node: &TestNode, method: &str, params: &[Value]) -> T {
    serde_json::from_value(node.call(method, params)).unwrap()
}

fn hex_of(value: &impl serde::Serialize) -> Value {
    json!(hex::encode(encode::encode(value)))
}

#[test]
fn every_method_of_the_table_is_known_and_the_specification_is_covered() {
    let place = Place::new();
    let node = place.start("node", &[]);
    for method in METHODS.iter().filter(|method| method.name != "stop") {
        let result = node.try_call(method.name, &[]);
        if let Err(ClientError::Rpc(error)) = &result {
            assert_ne!(error.code, -32601, "{}", method.name);
        }
        let help = node.call("help", &[json!(method.name)]);
        assert!(help.as_str().unwrap().contains(method.summary));
    }
    let names: BTreeSet<_> = METHODS.iter().map(|method| method.name).collect();
    let wanted = "getblockchaininfo getbestblockhash getblockcount getblockhash getblock getblockheader getchaintips \
        getdifficulty gettxout gettxoutsetinfo getrawtransaction decoderawtransaction sendrawtransaction \
        testmempoolaccept getmempoolinfo getrawmempool getmempoolentry estimatesmartfee getpeerinfo \
        getconnectioncount addnode disconnectnode setban listbanned getnetworkinfo getmininginfo getnetworkhashps \
        getblocktemplate submitblock generatetoaddress invalidateblock reconsiderblock verifychain validateaddress \
        getstratuminfo uptime stop help getaddressutxos getaddresshistory";
    for name in wanted.split_whitespace() {
        assert!(names.contains(name), "{name} is missing");
    }
    assert_eq!(node.refusal("nosuchmethod", &[]).0, -32601);
}

#[test]
fn the_chain_is_described() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let hashes = node.generate(3);
    let info: BlockchainInfo = get(&node, "getblockchaininfo", &[]);
    assert_eq!((info.blocks, info.headers, info.bestblockhash), (Height::new(3), Height::new(3), hashes[2]));
    assert_eq!(info.genesishash, params().genesis_hash());
    assert!(!info.initialblockdownload && info.size_on_disk > 0);
    let header: HeaderInfo = get(&node, "getblockheader", &[json!(hashes[1])]);
    assert_eq!((header.height, header.confirmations), (Height::new(2), 2));
    assert_eq!((header.previousblockhash, header.nextblockhash), (Some(hashes[0]), Some(hashes[2])));
    assert_eq!(header.n_tx, 1);
    let raw: String = get(&node, "getblockheader", &[json!(hashes[1]), json!(false)]);
    let bytes: [u8; Header::SIZE] = hex::decode(raw).unwrap().try_into().unwrap();
    assert_eq!(Header::from_bytes(&bytes).hash(), hashes[1]);
    let raw: String = get(&node, "getblock", &[json!(hashes[1]), json!(0)]);
    let block: Block = encode::decode_hex(&raw, 1_000_000).unwrap();
    assert_eq!(block.hash(), hashes[1]);
    let full: BlockInfo = get(&node, "getblock", &[json!(hashes[1]), json!(2)]);
    assert_eq!(full.size, block.encoded_size() as u64);
    assert_eq!(node.call("getblockhash", &[json!(3)]), json!(hashes[2]));
    assert_eq!(node.refusal("getblockhash", &[json!(4)]).0, -8);
    let unknown = json!(BlockHash::from_bytes([1; 32]));
    for method in ["getblock", "getblockheader", "invalidateblock", "reconsiderblock"] {
        assert_eq!(node.refusal(method, from_ref(&unknown)).0, -5, "{method}");
    }
    assert_eq!(node.refusal("getblock", &[json!("zz")]).0, -3);
    assert_eq!(node.refusal("getblock", &[json!(hashes[1]), json!(7)]).0, -8);
    assert_eq!(node.call("verifychain", &[json!(4), json!(0)]), json!(true));
    assert!(node.call("getnetworkhashps", &[]).is_number());
    assert_eq!(node.refusal("getnetworkhashps", &[json!(10), json!(99)]).0, -8);
}

#[test]
fn a_block_can_be_condemned_and_pardoned() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let hashes = node.generate(5);
    node.call("invalidateblock", &[json!(hashes[2])]);
    assert_eq!(node.tip(), hashes[1]);
    assert_eq!(node.call("getchaintips", &[])[1]["status"], json!("invalid"));
    assert_eq!(node.stop(), Some(0));
    let node = place.start("node", &[]);
    assert_eq!(node.tip(), hashes[1], "a verdict by hand holds over a restart");
    node.call("reconsiderblock", &[json!(hashes[2])]);
    assert_eq!(node.tip(), hashes[4]);
    let genesis = json!(params().genesis_hash());
    assert_eq!(node.refusal("invalidateblock", &[genesis]).0, -8);
}

#[test]
fn transactions_are_judged_and_shown() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let params = params();
    let coins = allocations(&params);
    let payment = pay_on(&params, &coins[0], 1000);
    let verdicts: Vec<AcceptVerdict> = get(&node, "testmempoolaccept", &[json!([hex_of(&payment)])]);
    assert!(verdicts[0].allowed, "{verdicts:?}");
    assert_eq!(verdicts[0].fees.unwrap().base, Amount::from_notches(1000));
    assert_eq!(node.call("getrawmempool", &[]), json!([]), "testing takes nothing in");
    let shown: TransactionInfo = get(&node, "decoderawtransaction", &[hex_of(&payment)]);
    assert_eq!((shown.txid, shown.hash), (payment.txid(), payment.wtxid()));

    // Each kind of refusal has its code.
    let mut unsigned = payment.clone();
    unsigned.inputs[0].witness.signatures.clear();
    let (code, message) = node.refusal("sendrawtransaction", &[hex_of(&unsigned)]);
    assert_eq!(code, -26);
    assert!(message.starts_with("IN-06"), "{message}");
    let missing = pay_on(&params, &testing::outputs_of(&payment)[0], 1000);
    assert_eq!(node.refusal("sendrawtransaction", &[hex_of(&missing)]).0, -25);
    assert_eq!(node.refusal("sendrawtransaction", &[json!("00")]).0, -22);
    assert_eq!(node.refusal("sendrawtransaction", &[json!("xyz")]).0, -22);
    let cheap = pay_on(&params, &coins[0], 1);
    assert_eq!(node.refusal("sendrawtransaction", &[hex_of(&cheap)]).0, -26);
    let generous = pay_on(&params, &coins[0], 1_000_000_000);
    assert_eq!(node.refusal("sendrawtransaction", &[hex_of(&generous)]).0, -25);
    node.call("sendrawtransaction", &[hex_of(&generous), json!(0)]);

    let entry = node.call("getmempoolentry", &[json!(generous.txid())]);
    assert_eq!(entry["fees"]["base"], json!(1_000_000_000));
    assert_eq!(node.refusal("getmempoolentry", &[json!(payment.txid())]).0, -5);
    let verbose = node.call("getrawmempool", &[json!(true)]);
    assert_eq!(verbose[generous.txid().to_string()], entry);
    let pool = node.call("getmempoolinfo", &[]);
    assert_eq!((&pool["size"], &pool["total_fee"]), (&json!(1), &json!(1_000_000_000)));
    assert_eq!(node.call("getrawtransaction", &[json!(generous.txid())]), hex_of(&generous));
    assert_eq!(node.refusal("getrawtransaction", &[json!(payment.txid())]).0, -5);

    // A coin that a waiting transaction spends is gone for who asks about the mempool too.
    let coin = [json!(coins[0].0.txid), json!(coins[0].0.index)];
    assert_eq!(node.call("gettxout", &coin), Value::Null);
    let without = [&coin[..], &[json!(false)]].concat();
    let there: TxOut = get(&node, "gettxout", &without);
    assert_eq!((there.value, there.lock), (coins[0].1.value, coins[0].1.lock));
    let estimate = node.call("estimatesmartfee", &[json!(3)]);
    assert!(estimate.get("feerate").is_some() || !estimate["errors"].as_array().unwrap().is_empty(), "{estimate}");
    assert_eq!(node.refusal("estimatesmartfee", &[json!(0)]).0, -8);
}

#[test]
fn addresses_are_judged() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let ours = somebody();
    assert_eq!(node.call("validateaddress", &[json!(ours)])["isvalid"], json!(true));
    let foreign = tally_primitives::address::Address::new(Params::mainnet().address_prefix, ours.lock);
    let verdict = node.call("validateaddress", &[json!(foreign)]);
    assert_eq!(verdict["isvalid"], json!(false));
    assert!(verdict["error"].is_string());
    assert_eq!(node.refusal("getaddressutxos", &[json!({"addresses": [foreign]})]).0, -5);
    assert_eq!(node.refusal("getaddresshistory", &[json!({"addresses": []})]).0, -8);
    assert_eq!(node.refusal("getaddresshistory", &[json!({"addresses": vec![ours.to_string(); 1001]})]).0, -8);
    let nothing = node.call("getaddresshistory", &[json!({"addresses": [ours]})]);
    assert_eq!((&nothing["height"], &nothing["transactions"]), (&json!(0), &json!([])));
}

#[test]
fn a_miner_gets_work_and_its_blocks_are_judged() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1000);
    node.call("sendrawtransaction", &[hex_of(&payment)]);
    let template: BlockTemplate = get(&node, "getblocktemplate", &[]);
    assert_eq!(template.height, Height::new(1));
    assert_eq!(template.transactions.len(), 1);
    assert_eq!(template.transactions[0].hash, payment.wtxid());
    assert_eq!(template.coinbasevalue, params.subsidy.checked_add(Amount::from_notches(1000)).unwrap());
    assert_eq!(node.refusal("getblocktemplate", &[json!({"mode": "nonsense"})]).0, -8);

    let genesis = params.genesis();
    let honest = || BlockBuilder::on(&params, &genesis.header, Height::GENESIS).time(template.curtime);
    let submit = |block: &Block| node.call("submitblock", &[hex_of(block)]);
    // The word of BIP 22, and the rule's ID behind it.
    let rule =
        |block: &Block| submit(block).as_str().unwrap_or_default().splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
    let mut wrong_root = honest().build();
    wrong_root.header.merkle_root = MerkleRoot::from_bytes([9; 32]);
    testing::grind(&mut wrong_root.header);
    assert_eq!(rule(&wrong_root), "bad-txnmrklroot: BLK-02");
    let mut too_early = honest().build();
    too_early.header.time = genesis.header.time;
    assert_eq!(rule(&sealed(too_early)), "time-too-old: HDR-05");
    let greedy = honest().claim(Amount::from_notches(params.subsidy.to_notches() + 1)).build();
    assert_eq!(rule(&greedy), "bad-cb-amount: BLK-06");
    assert_eq!(submit(&greedy), json!("duplicate-invalid"));
    let mut orphan = honest().build();
    orphan.header.prev_block = BlockHash::from_bytes([7; 32]);
    assert_eq!(rule(&sealed(orphan)), "bad-prevblk: HDR-04");
    let mut no_work = honest().build();
    while no_work.header.bits.to_target().unwrap().is_met_by(&no_work.header.hash()) {
        no_work.header.nonce += 1;
    }
    assert_eq!(rule(&no_work), "high-hash: HDR-01");
    assert_eq!(node.refusal("submitblock", &[json!("00")]).0, -22);

    // The honest block of the same height is still taken.
    let good = honest().with(payment).build();
    assert_eq!(submit(&good), Value::Null);
    assert_eq!(submit(&good), json!("duplicate"));
    assert_eq!(submit(&honest().extra(5).build()), json!("inconclusive"));
    assert_eq!(node.tip(), good.hash());
    let info = node.call("getmininginfo", &[]);
    assert_eq!((&info["blocks"], &info["pooledtx"]), (&json!(1), &json!(0)));
    assert_eq!(node.refusal("generatetoaddress", &[json!(10_001), json!(somebody())]).0, -8);
    assert_eq!(node.refusal("generatetoaddress", &[json!(1), json!("nobody")]).0, -5);
}

#[test]
fn blocks_at_once_are_for_networks_on_demand() {
    let params = Params { name: "scheduled".to_owned(), ..Params::testnet() };
    let place = Place::with(&params);
    let node = place.start("node", &[]);
    let address = tally_primitives::address::Address::new(params.address_prefix, somebody().lock);
    assert_eq!(node.refusal("generatetoaddress", &[json!(1), json!(address)]).0, -1);
}

/// Whatever the parameters, a method answers, and the node goes on.
#[test]
fn odd_parameters_harm_nobody() {
    let place = Place::new();
    let node = place.start("node", &[]);
    node.generate(2);
    let odd = [
        Value::Null,
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!(""),
        json!("f".repeat(64)),
        json!("\u{0}\u{fffd}"),
        json!([]),
        json!([[["00"]]]),
        json!({"addresses": [null]}),
        json!({"longpollid": "x", "mode": "template"}),
        json!({"a": {"b": {"c": []}}}),
    ];
    let known = [json!(node.tip()), json!(somebody()), json!("127.0.0.1:1"), json!("remove")];
    for method in METHODS.iter().filter(|method| method.name != "stop") {
        for value in odd.iter().chain(&known) {
            for count in 1..=method.params.len() {
                // An answer of either kind will do, but there must be one.
                match node.try_call(method.name, &vec![value.clone(); count]) {
                    Ok(_) | Err(ClientError::Rpc(_)) => {}
                    Err(error) => panic!("{} with {count} times {value}: {error}\n{}", method.name, node.log()),
                }
            }
        }
    }
    assert!(node.height().get() >= 1);
    assert!(!node.log().contains("panicked"), "{}", node.log());
    assert_eq!(node.stop(), Some(0));
}
