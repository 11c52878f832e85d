//! A real node under attack over TCP: whatever hostile peers do, an honest peer's blocks arrive, and memory stays bounded.
//!
//! The attackers run on a small runtime of their own; the node under attack and the honest one are processes.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop a test as the tests themselves do")]

#[path = "../daemon/common.rs"]
#[expect(dead_code, reason = "the daemon's other tests use the rest")]
mod common;

mod attacks;
mod holds;
mod interfaces;
mod line;

use std::fs;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use attacks::Attack;
use common::{Place, TestNode, wait_for, wait_for_tip};

/// Blocks that the honest peer finds while an attack is going on.
const BLOCKS: u32 = 4;

/// What a node under attack may take of the machine's memory, in bytes: the acceptance of the network's issue.
const MAX_MEMORY: u64 = 150_000_000;

/// How long an attack goes on at least.
const ATTACK: Duration = Duration::from_secs(2);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The most memory that a process has had in RAM, in bytes.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A node to attack, and an honest one that has called it.
struct Scene {
    victim: TestNode,
    honest: TestNode,
    _place: Place,
}

impl Scene {
    fn new(more: &[&str]) -> Scene {
        let place = Place::new();
        let victim = place.start("victim", &[more, &["--log", "warn"]].concat());
        let honest = place.start("honest", &["--connect", &victim.listen()]);
        wait_for("the honest one is connected", || (honest.peers() == 1).then_some(()));
        let tip = *honest.generate(5).last().unwrap();
        wait_for_tip(&[&victim], tip);
        Scene { victim, honest, _place: place }
    }

    fn target(&self) -> SocketAddr {
        self.victim.file.listen
    }

    /// Lets honest blocks come while an attack goes on; gives the longest that one of them took.
    fn endure(&self, runtime: &Runtime, attacks: &[(Attack, usize)]) -> Duration {
        let stop = Arc::new(AtomicBool::new(false));
        let mut attackers = Vec::new();
        for (attack, count) in attacks {
            for number in 0..*count {
                attackers.push(runtime.spawn(keep_on(*attack, self.target(), number as u64, Arc::clone(&stop))));
            }
        }
        let begun = Instant::now();
        let mut longest = Duration::ZERO;
        for block in 0..BLOCKS {
            // Spread over the attack; nothing is asserted about how long anything takes.
            std::thread::sleep(ATTACK / BLOCKS);
            let tip = self.honest.generate(1)[0];
            let found = Instant::now();
            wait_for("the honest block arrives", || (self.victim.tip() == tip).then_some(()));
            longest = longest.max(found.elapsed());
            assert_eq!(self.victim.height(), self.honest.height(), "block {block}");
        }
        stop.store(true, Ordering::Relaxed);
        for attacker in &attackers {
            attacker.abort();
        }
        let memory = peak_memory(self.victim.pid());
        eprintln!(
            "{attacks:?}: {:.1} s, a block took {:.0} ms at most, {} MB at most",
            begun.elapsed().as_secs_f64(),
            longest.as_secs_f64() * 1e3,
            memory / 1_000_000
        );
        assert!(memory < MAX_MEMORY, "{attacks:?}: {memory} bytes");
        longest
    }
}

/// Attacks again and again: whoever is thrown out comes back.
async fn keep_on(attack: Attack, target: SocketAddr, seed: u64, stop: Arc<AtomicBool>) {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let outcome: Result<(), line::Thrown> = once(attack, target, seed * 1_000_003 + round).await;
        if outcome.is_err() {
            // An attacker is as patient as it has to be not to take the machine from the test.
            sleep(Duration::from_millis(5)).await;
        }
    }
}

fn once(attack: Attack, target: SocketAddr, seed: u64) -> impl Future<Output = Result<(), line::Thrown>> + Send {
    attacks::run(attack, target, seed)
}

#[test]
fn honest_blocks_arrive_whatever_others_send() {
    let scene = Scene::new(&[]);
    let runtime = runtime();
    for attack in Attack::SENDING {
        scene.endure(&runtime, &[(attack, 8)]);
    }
    assert_eq!(scene.victim.stop(), Some(0), "it still stops as it should");
}

/// What costs memory: connections that hold something and never let go.
#[test]
fn memory_stays_bounded_whatever_others_hold() {
    let scene = Scene::new(&[]);
    let runtime = runtime();
    for attack in Attack::HOLDING {
        scene.endure(&runtime, &[(attack, 110)]);
    }
    assert_eq!(scene.victim.stop(), Some(0), "it still stops as it should");
}

/// Whoever shows a valid chain with little work makes the node remember nothing of it.
#[test]
fn cheap_headers_are_not_kept() {
    let scene = Scene::new(&[]);
    let tip = *scene.honest.generate(holds::CHEAP_HEADERS + 160).last().unwrap();
    wait_for_tip(&[&scene.victim], tip);
    let tips = || scene.victim.call("getchaintips", &[]).as_array().unwrap().len();
    assert_eq!(tips(), 1);
    scene.endure(&runtime(), &[(Attack::HoldHeaders, 20)]);
    assert_eq!(tips(), 1, "no header of another chain is kept");
    assert_eq!(scene.victim.stop(), Some(0), "it still stops as it should");
}

/// How long honest blocks take meanwhile, with a limit of a second. By hand, on a machine that has nothing else to do:
/// `cargo test --release -p tally-node --test hostile -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn honest_blocks_arrive_within_a_second() {
    let scene = Scene::new(&[]);
    let runtime = runtime();
    let mut slowest = (Duration::ZERO, None);
    for attack in Attack::all() {
        for _ in 0..3 {
            let longest = scene.endure(&runtime, &[(attack, 20)]);
            slowest = slowest.max((longest, Some(attack)));
        }
    }
    eprintln!("the slowest block of all took {:.0} ms, under {:?}", slowest.0.as_secs_f64() * 1e3, slowest.1);
    assert!(slowest.0 < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn everything_at_once() {
    let scene = Scene::new(&[]);
    let runtime = runtime();
    let all: Vec<(Attack, usize)> = Attack::all().map(|attack| (attack, 10)).collect();
    scene.endure(&runtime, &all);
    assert_eq!(scene.victim.stop(), Some(0), "it still stops as it should");
}

/// Whoever connects and says nothing loses the slot: a full node can be reached again.
#[test]
fn slow_handshakes_free_their_slots() {
    let scene = Scene::new(&["--max-inbound", "30"]);
    let runtime = runtime();
    let target = scene.target();
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for number in 0..60_u64 {
            held.push(
                attacks::hold(if number % 2 == 0 { Attack::Silent } else { Attack::HalfHandshake }, target).await,
            );
        }
        held
    });
    let place = Place::new();
    let late = place.start("late", &["--connect", &scene.victim.listen()]);
    wait_for("a late node gets in", || (late.peers() == 1).then_some(()));
    wait_for("the silent are gone", || runtime.block_on(async { attacks::all_closed(&held).await }).then_some(()));
    assert_eq!(scene.victim.peers(), 2);
}

/// On a network of its own groups, one address cannot storm in without end.
#[test]
fn a_storm_from_one_address_is_refused_where_groups_count() {
    let place = Place::new();
    let victim = place.start("victim", &["--address-groups", "all", "--max-inbound-per-group", "4"]);
    let runtime = runtime();
    let lines = runtime.block_on(async {
        let mut lines = Vec::new();
        for number in 0..12 {
            lines.push(line::Line::greeted(victim.file.listen, number).await);
        }
        lines
    });
    assert_eq!(lines.iter().filter(|line| line.is_ok()).count(), 4);
    assert_eq!(victim.peers(), 4);
}
