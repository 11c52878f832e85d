use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use super::{Colours, lines, short};
use crate::report::{NodeReport, Report};

fn node(name: &str, pid: Option<u32>, tip: Option<u8>) -> NodeReport {
    NodeReport {
        name: name.to_owned(),
        pid,
        listen: None,
        rpc: pid.map(|pid| format!("http://127.0.0.1:{pid}")),
        cookie: ".cookie".into(),
        web: None,
        stratum: None,
        peers: tip.map(|_| 2),
        height: tip.map(|_| Height::new(1234)),
        tip: tip.map(|tip| BlockHash::from_bytes([tip; 32])),
        waiting: tip.map(|_| 0),
    }
}

fn report() -> Report {
    Report {
        nodes: vec![
            node("node-1", Some(40_001), Some(0xab)),
            node("node-2", Some(40_002), Some(0xcd)),
            node("node-3", None, None),
            node("node-10", Some(40_004), None),
            node("node-11", Some(5), Some(0xab)),
        ],
        wallets: std::collections::BTreeMap::new(),
        network_file: "network.toml".into(),
        web: None,
    }
}

#[test]
fn columns_stand_under_their_headings() {
    let expected = "
  node     peers  height  tip                  mempool  RPC                       pid
  node-1       2    1234  ababababab…abababab        0  http://127.0.0.1:40001  40001
  node-2       2    1234  cdcdcdcdcd…cdcdcdcd        0  http://127.0.0.1:40002  40002
  node-3       -       -  does not run               -  -                           -
  node-10      -       -  does not answer            -  http://127.0.0.1:40004  40004
  node-11      2    1234  ababababab…abababab        0  http://127.0.0.1:5          5";
    assert_eq!(format!("\n{}", lines(&report(), Colours::new(false)).join("\n")), expected);
}

#[test]
fn where_miners_connect_is_said_below() {
    let mut report = report();
    report.nodes[0].stratum = Some("stratum+tcp://127.0.0.1:3333".to_owned());
    let lines = lines(&report, Colours::new(false));
    assert_eq!(lines.last().map(String::as_str), Some("  miners: stratum+tcp://127.0.0.1:3333 (node-1)"));
    assert_eq!(lines.len(), 7);
}

#[test]
fn what_is_wrong_has_a_colour() {
    let lines = lines(&report(), Colours::new(true));
    let coloured: Vec<bool> = lines.iter().map(|line| line.contains('\u{1b}')).collect();
    assert_eq!(coloured, [true, false, true, true, true, false]);
    assert_ne!(lines[2].split('m').next(), lines[3].split('m').next(), "behind is not the same as down");
}

#[test]
fn short_hashes() {
    assert_eq!(short("0123456789"), "0123456789");
    assert_eq!(short(&"00112233".repeat(8)), "0011223300…00112233");
}
