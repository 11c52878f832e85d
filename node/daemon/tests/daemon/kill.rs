//! kill -9 at moments that nobody chose: what was told is still there.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use tally_node::store::{Store, StoreConfig};
use tally_node_core::chain::Chain;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use crate::common::{Place, params, program, somebody, wait_for, wait_for_tip};

/// Numbers that look random and come out the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Passes a moment without giving the processor away: the kill comes between any two instructions.
fn spin(duration: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < duration {
        std::hint::spin_loop();
    }
}

/// A node that mines as fast as it can store is killed again and again. Each time the store opens by itself, every
/// record of it is good, and the chain on it has every block that was told of.
#[test]
fn the_store_survives_a_kill_at_any_moment() {
    const KILLS: u32 = 25;
    let place = Place::new();
    let config = StoreConfig::new(place.data_dir("node"), params().genesis_hash());
    let mut numbers = Numbers(20);
    for round in 0..KILLS {
        let mut child = program()
            .arg("run")
            .args(place.location("node"))
            .args(["--listen", "127.0.0.1:0", "--rpc-listen", "127.0.0.1:0", "--log", "info"])
            .args(["--mine", &somebody().to_string(), "--mine-limit", "500"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut tips_to_see = 3 + numbers.below(10);
        let mut told: Option<BlockHash> = None;
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        while tips_to_see > 0 {
            let line = lines.next().expect("the node ended by itself").unwrap();
            if line.contains("new tip") {
                let hash = line.rsplit_once("hash=").expect("a tip's line names its hash").1;
                told = Some(hash.trim().parse().unwrap());
                tips_to_see -= 1;
            }
        }
        spin(Duration::from_micros(numbers.below(8_000)));
        child.kill().unwrap();
        child.wait().unwrap();

        let opened = Store::open(&config).unwrap();
        assert_eq!(opened.rebuild, None, "round {round}");
        opened.store.check_index().unwrap();
        opened.store.check_bodies(|_, _| {}).unwrap();
        let chain = Chain::open(params(), Box::new(opened.store)).unwrap();
        assert!(chain.is_active(&told.unwrap()), "round {round}: a block that was told of is lost");
    }
}

/// Twenty times in a row: a mining node is killed, comes back with what it had, and its peer and it agree.
#[test]
fn a_killed_miner_comes_back_and_catches_up() {
    const KILLS: u32 = 20;
    let place = Place::new();
    let witness = place.start("witness", &[]);
    let address = somebody().to_string();
    let listen = witness.listen();
    let options = ["--connect", listen.as_str(), "--mine", &address, "--mine-limit", "40"];
    let mut height = Height::GENESIS;
    for _ in 0..KILLS {
        let miner = place.start("miner", &options);
        assert!(miner.height() >= height, "blocks are lost");
        let enough = height.saturating_add(2);
        wait_for("it mines", || (miner.height() >= enough).then_some(()));
        let told = miner.tip();
        miner.kill();
        let miner = place.start("miner", &options);
        let header = miner.call("getblockheader", &[json!(told)]);
        assert!(header["confirmations"].as_i64().unwrap() >= 1, "{header}");
        height = miner.height();
        miner.kill();
    }
    let survivor = place.start("miner", &["--connect", &listen]);
    wait_for("they are connected", || (survivor.peers() == 1).then_some(()));
    let tip = survivor.tip();
    wait_for_tip(&[&witness], tip);
    assert_eq!(
        survivor.client.tx_out_set_info().unwrap().hash_serialized,
        witness.client.tx_out_set_info().unwrap().hash_serialized
    );
    assert_eq!(survivor.stop(), Some(0));
    let checked = place.offline("check", "miner", &["--json"]);
    assert!(checked.status.success(), "{checked:?}");
}

/// A node is killed while it downloads the chain, and goes on where it was.
#[test]
fn a_kill_during_synchronisation_costs_little() {
    let place = Place::new();
    let source = place.start("source", &[]);
    let tip = *source.generate(400).last().unwrap();
    let listen = source.listen();
    let mut numbers = Numbers(7);
    for _ in 0..5 {
        let node = place.start("node", &["--connect", &listen]);
        spin(Duration::from_millis(numbers.below(120)));
        node.kill();
    }
    let node = place.start("node", &["--connect", &listen]);
    wait_for_tip(&[&node], tip);
    assert_eq!(node.stop(), Some(0));
    let checked = place.offline("check", "node", &["--json"]);
    assert!(checked.status.success(), "{checked:?}");
}
