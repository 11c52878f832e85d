//! Networks: the table of SPEC section 4, genesis blocks, and network files, good and bad.

use std::collections::BTreeSet;

use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;
use tally_primitives::params::{Allocation, Params, ParamsError};
use tally_primitives::units::{Amount, Height};

fn built_in() -> [Params; 3] {
    [Params::mainnet(), Params::testnet(), Params::devnet()]
}

#[test]
fn the_built_in_networks_are_those_of_the_table() {
    let row = |params: Params| {
        (
            (params.spacing_seconds, params.half_life_seconds, params.limit.to_bits()),
            (params.coinbase_maturity, params.subsidy.to_notches(), params.halving_interval),
            (params.peer_port, params.rpc_port, params.web_port),
        )
    };
    let fifty = 5_000_000_000;
    let [mainnet, testnet, devnet] = built_in().map(row);
    assert_eq!(mainnet, ((60, Some(7_200), 0x1e00_ffff), (100, fifty, 210_000), (9740, 9741, 9742)));
    assert_eq!(testnet, ((10, Some(600), 0x1f00_ffff), (10, fifty, 210_000), (19740, 19741, 19742)));
    assert_eq!(devnet, ((0, None, 0x207f_ffff), (10, fifty, 150), (29740, 29741, 29742)));
    let prefixes = built_in().map(|params| params.address_prefix.to_string());
    assert_eq!(prefixes, ["tally", "ttally", "dtally"]);
}

#[test]
fn networks_differ_in_name_magic_and_genesis() {
    let distinct = |values: [String; 3]| values.into_iter().collect::<BTreeSet<_>>().len() == 3;
    assert!(distinct(built_in().map(|params| params.name)));
    assert!(distinct(built_in().map(|params| params.magic.to_string())));
    assert!(distinct(built_in().map(|params| params.genesis_hash().to_string())));
    for params in built_in() {
        assert_eq!(Params::by_name(&params.name), Some(params));
    }
    assert_eq!(Params::by_name("Mainnet"), None);
}

#[test]
fn a_genesis_pays_its_allocations_or_nobody() {
    for params in built_in() {
        let genesis = params.genesis();
        assert_eq!(genesis.transactions.len(), 1);
        assert!(genesis.transactions[0].outputs.is_empty(), "{}", params.name);
        assert_eq!(genesis.transactions[0].coinbase_height(), Some(Height::GENESIS));
        assert_eq!(genesis.header.merkle_root, genesis.merkle_root());
        assert_eq!((genesis.header.nonce, genesis.header.bits), (0, params.limit));
        assert_eq!(genesis.hash(), params.genesis_hash());
    }
    let params = with_allocation();
    let outputs = &params.genesis().transactions[0].outputs;
    assert_eq!(outputs.len(), 1);
    assert_eq!((outputs[0].value, outputs[0].lock), (Amount::ONE_TALLY, LockHash::from_bytes([1; 32])));
    assert_ne!(params.genesis_hash(), Params::devnet().genesis_hash());
}

fn with_allocation() -> Params {
    let mut params = Params::devnet();
    let address = Address::new(params.address_prefix.clone(), LockHash::from_bytes([1; 32]));
    params.allocations = vec![Allocation { address, value: Amount::ONE_TALLY }];
    params
}

#[test]
fn a_network_file_is_read_back() {
    for params in built_in().into_iter().chain([with_allocation()]) {
        let text = params.to_toml();
        assert_eq!(Params::from_toml(&text), Ok(params), "{text}");
    }
}

#[test]
fn a_network_file_that_cannot_work_is_refused_and_the_field_named() {
    let foreign = Address::new(Params::mainnet().address_prefix, LockHash::ZERO).to_string();
    let cases: [(&str, &str, &str, &str); 10] = [
        ("a limit that is no target", "limit = 545259519", "limit = 0", "limit"),
        ("a limit that is not canonical", "limit = 545259519", "limit = 520093951", "limit"),
        (
            "a half-life of nothing",
            "spacing_seconds = 0",
            "spacing_seconds = 1\nhalf_life_seconds = 0",
            "half_life_seconds",
        ),
        (
            "adjustment without spacing",
            "spacing_seconds = 0",
            "spacing_seconds = 0\nhalf_life_seconds = 60",
            "spacing_seconds",
        ),
        ("no halving interval", "halving_interval = 150", "halving_interval = 0", "halving_interval"),
        ("a subsidy above the supply", "subsidy = 5000000000", "subsidy = 2100000000000001", "subsidy"),
        ("a long message", "Tallystick devnet", &"x".repeat(93), "genesis_message"),
        ("an allocation of nothing", "value = 100000000", "value = 0", "allocations"),
        ("allocations above the supply", "value = 100000000", "value = 2100000000000001", "allocations"),
        ("an allocation elsewhere", &with_allocation().allocations[0].address.to_string(), &foreign, "allocations"),
    ];
    for (name, from, to, expected) in cases {
        let text = with_allocation().to_toml();
        assert!(text.contains(from), "{name}: '{from}' is not in\n{text}");
        let error = Params::from_toml(&text.replacen(from, to, 1)).expect_err(name);
        assert!(matches!(error, ParamsError::BadField { field, .. } if field == expected), "{name}: {error}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_network_file_that_is_none_is_refused_with_the_line() {
    let good = Params::devnet().to_toml();
    let cases = [
        ("not TOML", "name = ".to_owned()),
        ("empty", String::new()),
        ("a field missing", good.replace("subsidy = ", "# ")),
        ("a field unknown", format!("{good}\ncolour = \"red\"\n").replace("allocations = []\n", "")),
        ("a field of the wrong type", good.replace("magic = ", "magic = \"x\" #")),
        ("a number out of range", good.replace("peer_port = 29740", "peer_port = 70000")),
        ("a prefix that is none", good.replace("\"dtally\"", "\"D TALLY\"")),
    ];
    for (name, text) in cases {
        let error = Params::from_toml(&text).expect_err(name);
        assert!(matches!(error, ParamsError::Malformed { .. }), "{name}: {error}");
    }
}
