//! Real nodes in network namespaces of their own, over lines that delay packets and lose some: blocks take as long as the simulator says.
//!
//! Needs Linux, the rights to make namespaces and TUN devices, `ip` and `python3`; where one of them is missing the tests say so, loudly, and pass.
//! The lines are `delay-line`, which is what `tc netem` would be if every kernel had it.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop a test as the tests themselves do")]

#[path = "network/support.rs"]
#[expect(dead_code, reason = "the tests of networks use the rest")]
mod support;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use support::{programs, until};
use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;
use tally_sim::network::{Latency, Network};
use tally_sim::world::{World, WorldConfig};
use tempfile::TempDir;

/// A ring: caller, called, and milliseconds one way. Nodes 2 and 3 are far from node 0 on either side.
const LINKS: [(usize, usize, u64); 6] = [(1, 0, 100), (2, 1, 150), (3, 2, 100), (4, 3, 200), (5, 4, 100), (0, 5, 150)];
const HOSTS: usize = 6;

/// Blocks until everybody knows who is first, and pushes.
const WARM_UP: u32 = 4;

/// How far measured figures may be from the simulator's.
const TOLERANCE: f64 = 0.2;

/// One test at a time: they measure.
static ALONE: Mutex<()> = Mutex::new(());

/// Namespaces, lines and nodes. All of them go away with this.
struct Net {
    names: Vec<String>,
    lines: Vec<Child>,
    nodes: Vec<Child>,
    directory: TempDir,
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

impl Net {
    /// Says why it cannot be made, if it cannot.
    fn new(loss: u64) -> Result<Net, String> {
        let directory = TempDir::new().unwrap();
        let mut net = Net { names: Vec::new(), lines: Vec::new(), nodes: Vec::new(), directory };
        for host in 0..HOSTS {
            let name = format!("tally-{}-{host}", std::process::id());
            ip(&["netns", "add", &name])?;
            net.names.push(name.clone());
            ip(&["-n", &name, "link", "set", "lo", "up"])?;
        }
        for (number, (caller, called, delay)) in LINKS.into_iter().enumerate() {
            let line = line(&net.names[caller], &net.names[called], number, delay, loss)?;
            net.lines.push(line);
        }
        Ok(net)
    }

    /// Starts the nodes, and waits until each has its two peers.
    fn start(&mut self) {
        for host in 0..HOSTS {
            let mut node = self.inside(host);
            node.args(["run", "--network", "devnet", "--listen", "0.0.0.0:9740", "--rpc-listen", "127.0.0.1:9741"]);
            node.args(["--max-outbound", "0", "--log", "info", "--log-json", "--data-dir"]).arg(self.data(host));
            for (number, _) in LINKS.iter().enumerate().filter(|(_, (caller, _, _))| *caller == host) {
                node.args(["--connect", &format!("10.77.{number}.2:9740")]);
            }
            fs::create_dir_all(self.data(host)).unwrap();
            let log = File::create(self.log(host)).unwrap();
            let child = node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
            self.nodes.push(child);
        }
        for host in 0..HOSTS {
            until("a node is connected to both sides", || {
                (self.rpc(host, &["getconnectioncount"])? == 2).then_some(())
            });
        }
    }

    fn data(&self, host: usize) -> PathBuf {
        self.directory.path().join(format!("node-{host}"))
    }

    fn log(&self, host: usize) -> PathBuf {
        self.directory.path().join(format!("node-{host}.log"))
    }

    /// The node's program, to be run in a host's namespace.
    fn inside(&self, host: usize) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[host]]).arg(node());
        tally_testnet::programs::without_settings(&mut command);
        command
    }

    fn rpc(&self, host: usize, call: &[&str]) -> Option<Value> {
        let mut command = self.inside(host);
        command.args(["rpc", "--network", "devnet", "--data-dir"]).arg(self.data(host)).args(call);
        let output = command.output().unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Finds a block on node 0; gives how long it took to each node, in milliseconds. All clocks are the same one.
    fn block(&self, height: u32) -> Vec<f64> {
        let params = Params::devnet();
        let address = Address::new(params.address_prefix, LockHash::from_bytes([7; 32])).to_string();
        self.rpc(0, &["generatetoaddress", "1", &address]).expect("a block");
        let times: Vec<f64> =
            (0..HOSTS).map(|host| until("the block arrives", || tip_time(&self.log(host), height))).collect();
        times.iter().map(|time| (time - times[0]).rem_euclid(86_400_000.0)).collect()
    }
}

/// The node's program, built if it is not there.
fn node() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_testnet")).with_file_name("node");
    if beside.is_file() { beside } else { programs().join("node") }
}

impl Drop for Net {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().chain(&mut self.lines) {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        for name in &self.names {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

fn line(caller: &str, called: &str, number: usize, delay_ms: u64, loss: u64) -> Result<Child, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/delay-line");
    let mut command = Command::new("python3");
    command.args([program, caller, &format!("10.77.{number}.1"), called, &format!("10.77.{number}.2")]);
    let percent = loss as f64 / 10_000.0;
    command.args([delay_ms.to_string(), percent.to_string(), number.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("python3: {error}"))?;
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    if said.trim() == "ready" {
        return Ok(child);
    }
    let mut why = String::new();
    child.stderr.as_mut().unwrap().read_to_string(&mut why).unwrap();
    child.wait().unwrap();
    Err(why.lines().last().unwrap_or("the line does not start").to_owned())
}

/// When a node's log says that its tip has this height, in milliseconds of the day.
fn tip_time(log: &PathBuf, height: u32) -> Option<f64> {
    let text = fs::read_to_string(log).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line =
        lines.into_iter().find(|line| line["fields"]["message"] == "new tip" && line["fields"]["height"] == height)?;
    let (_, clock) = line["timestamp"].as_str()?.trim_end_matches('Z').split_once('T')?;
    let mut parts = clock.split(':').map(|part| part.parse::<f64>().unwrap());
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    Some(((hours * 60.0 + minutes) * 60.0 + seconds) * 1_000.0)
}

/// What the simulator says where so many of a million packets are lost: milliseconds from the first node's tip to each node's, one row a block.
fn simulated(loss: u64, blocks: usize) -> Vec<Vec<f64>> {
    let links = LINKS.iter().map(|(caller, called, _)| (*caller, *called)).collect();
    let millis = LINKS.iter().map(|(a, b, delay)| ((*a.min(b), *a.max(b)), *delay)).collect();
    let network = Network::with(Latency::ByLink { millis, otherwise: 0 }).loss(loss);
    let mut world = World::new(WorldConfig::new(4, HOSTS, links, network));
    world.run(5_000);
    for _ in 0..WARM_UP {
        world.mine_on(0);
        world.run(10_000);
    }
    let height = |world: &World, host| world.node(host).map_or(0, |node| node.chain().tip().height.get());
    let mut rows = Vec::new();
    for _ in 0..blocks {
        world.mine_on(0);
        let wanted = height(&world, 0);
        let mut arrivals = vec![None; HOSTS];
        for millis in 0..20_000_u32 {
            for (host, arrival) in arrivals.iter_mut().enumerate() {
                if arrival.is_none() && height(&world, host) >= wanted {
                    *arrival = Some(f64::from(millis));
                }
            }
            world.run(1);
        }
        rows.push(arrivals.into_iter().map(|arrival| arrival.expect("it arrives")).collect());
    }
    rows
}

/// A net with nodes that know each other, or a loud word about why there is none.
fn net(loss: u64) -> Option<Net> {
    let mut net = match Net::new(loss) {
        Ok(net) => net,
        Err(why) => {
            eprintln!("\n*** SKIPPED: no network namespaces with delaying lines here: {why}\n");
            return None;
        }
    };
    net.start();
    for height in 1..=WARM_UP {
        net.block(height);
    }
    Some(net)
}

fn column(rows: &[Vec<f64>], host: usize) -> impl Iterator<Item = f64> {
    rows.iter().map(move |row| row[host])
}

#[test]
fn blocks_take_as_long_as_the_simulator_says() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(net) = net(0) else { return };
    let rounds = 7;
    let measured: Vec<Vec<f64>> = (WARM_UP + 1..=WARM_UP + rounds).map(|height| net.block(height)).collect();
    let expected = simulated(0, 1).concat();
    println!("{:>4} {:>12} {:>12} {:>12}", "node", "simulator", "fastest", "median");
    for (host, says) in expected.iter().enumerate().skip(1) {
        let mut times: Vec<f64> = column(&measured, host).collect();
        times.sort_by(f64::total_cmp);
        println!("{host:>4} {says:>9} ms {:>9.1} ms {:>9.1} ms", times[0], times[times.len() / 2]);
        // The fastest round: what else the machine does only makes rounds slower.
        let off = times[0] / says - 1.0;
        assert!(off.abs() <= TOLERANCE, "node {host}: {} ms, the simulator says {says}", times[0]);
    }
}

/// With losses each block has its own fate. The simulator's figures are means over many; all that is asserted is that every block arrives.
#[test]
fn blocks_arrive_though_packets_are_lost() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let loss = 30_000;
    let Some(net) = net(loss) else { return };
    let rounds = 10;
    let measured: Vec<Vec<f64>> = (WARM_UP + 1..=WARM_UP + rounds).map(|height| net.block(height)).collect();
    let expected = simulated(loss, 200);
    let mean = |rows: &[Vec<f64>], host| column(rows, host).sum::<f64>() / rows.len() as f64;
    println!("{:>4} {:>12} {:>12}", "node", "simulator", "mean");
    for host in 1..HOSTS {
        println!("{host:>4} {:>9.1} ms {:>9.1} ms", mean(&expected, host), mean(&measured, host));
    }
    assert!(measured.iter().flatten().all(|millis| millis.is_finite()));
}
