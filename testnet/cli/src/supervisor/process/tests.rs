use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;

use super::{Mining, Plan, arguments};
use crate::layout::Layout;
use crate::network::fresh;
use crate::state::Addresses;

#[test]
fn command_lines() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    let prefix = fresh(1, 1).expect("a network").address_prefix;
    let address = Address::new(prefix, LockHash::from_bytes([7; 32]));
    let mut plan = Plan {
        name: "node-1".to_owned(),
        program: "/bin/node".into(),
        ports: None,
        mining: Some(Mining { address: address.clone(), limit: 1e5 }),
        payout: Some(address.clone()),
        stratum: None,
        dials: vec![],
    };
    let line = |plan: &Plan, usual, peers: &[_]| {
        arguments(&layout, plan, usual, peers).join(" ").replace(&layout.dir().display().to_string(), "D")
    };
    let common = "run --network D/network.toml --data-dir D/node-1";
    let mining = format!("--mine {address} --mine-threads 1 --mine-limit 100000");
    assert_eq!(
        line(&plan, None, &[]),
        format!(
            "{common} --listen 127.0.0.1:0 --rpc-listen 127.0.0.1:0 --web-listen 127.0.0.1:0 --payout {address} --max-outbound 0 {mining}"
        )
    );
    let at = |port: u16| format!("127.0.0.1:{port}").parse().expect("an address");
    let usual = Some(Addresses { listen: at(5), rpc: at(6), web: Some(at(4)), stratum: Some(at(3)) });
    plan.mining = None;
    assert_eq!(
        line(&plan, usual, &[at(7), at(8)]),
        format!(
            "{common} --listen 127.0.0.1:5 --rpc-listen 127.0.0.1:6 --web-listen 127.0.0.1:4 --payout {address} --max-outbound 0 --connect 127.0.0.1:7 --connect 127.0.0.1:8"
        )
    );
    plan.ports = Some((9, 10));
    plan.stratum = Some(at(0));
    assert_eq!(
        line(&plan, None, &[]),
        format!(
            "{common} --listen 127.0.0.1:9 --rpc-listen 127.0.0.1:10 --web-listen 127.0.0.1:0 --payout {address} --stratum-listen 127.0.0.1:0 --max-outbound 0"
        )
    );
    // Miners know where it was.
    assert!(line(&plan, usual, &[]).contains(" --stratum-listen 127.0.0.1:3 "));
}
