//! Nodes as processes, in a directory that goes away with them.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tally_node_core::testing;
use tally_primitives::params::{Allocation, Params};
use tally_rpc::client::{Auth, Client};
use tempfile::TempDir;

use crate::Failure;
use crate::delay::Proxy;

/// Who is connected to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each to the next.
    Line,
    /// Each to every other.
    Mesh,
}

impl Shape {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Line => "line",
            Shape::Mesh => "mesh",
        }
    }

    /// Whom node `number` calls: only nodes that were started before it.
    fn calls(self, number: usize) -> std::ops::Range<usize> {
        match self {
            Shape::Line => number.saturating_sub(1)..number,
            Shape::Mesh => 0..number,
        }
    }
}

/// How long anything may take before this gives up.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running node. It is killed when this is dropped.
pub struct Node {
    child: Child,
    /// What it answers to.
    pub client: Client,
    /// Where RPC is.
    pub rpc: String,
    /// `user:password`.
    pub cookie: String,
    listen: String,
}

/// What a node writes about itself into its data directory.
#[derive(Deserialize)]
struct NodeFile {
    listen: String,
    rpc: String,
}

/// Several nodes of one network.
pub struct Cluster {
    /// The nodes, in the order in which they were started.
    pub nodes: Vec<Node>,
    /// The network.
    pub params: Params,
    _proxies: Vec<Proxy>,
    _directory: TempDir,
}

impl Cluster {
    /// Starts nodes, and waits until they are connected. Everything between two of them takes `delay` longer than it would.
    pub fn start(
        program: &Path,
        shape: Shape,
        count: usize,
        coins: usize,
        delay: Duration,
    ) -> Result<Cluster, Failure> {
        let directory = TempDir::new()?;
        let params = network(coins);
        let network = directory.path().join("network.toml");
        fs::write(&network, params.to_toml())?;
        let mut nodes: Vec<Node> = Vec::new();
        let mut proxies = Vec::new();
        for number in 0..count {
            let mut connect = Vec::new();
            for called in shape.calls(number) {
                let address = nodes[called].listen.clone();
                if delay.is_zero() {
                    connect.push(address);
                } else {
                    let proxy = Proxy::start(&address, delay)?;
                    connect.push(proxy.address.clone());
                    proxies.push(proxy);
                }
            }
            nodes.push(Node::start(program, &network, &directory.path().join(number.to_string()), &connect)?);
        }
        let cluster = Cluster { nodes, params, _proxies: proxies, _directory: directory };
        for (number, node) in cluster.nodes.iter().enumerate() {
            let called_by = (0..count).filter(|other| shape.calls(*other).contains(&number)).count();
            let peers = shape.calls(number).len() + called_by;
            wait_for("connections", || Ok(node.client.call::<usize>("getconnectioncount", Vec::new())? == peers))?;
        }
        Ok(cluster)
    }

    /// CPU time of all nodes together, since they were started.
    pub fn cpu_time(&self) -> Duration {
        self.nodes.iter().map(Node::cpu_time).sum()
    }
}

impl Node {
    fn start(program: &Path, network: &Path, data: &Path, connect: &[String]) -> Result<Node, Failure> {
        fs::create_dir_all(data)?;
        let mut command = Command::new(program);
        command.arg("run").arg("--network").arg(network).arg("--data-dir").arg(data);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--rpc-listen",
            "127.0.0.1:0",
            "--log",
            "info",
            "--max-outbound",
            "0",
        ]);
        for address in connect {
            command.args(["--connect", address]);
        }
        let log = File::create(data.join("log"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let client = Client::new("127.0.0.1:1", Auth::None);
        let mut node = Node { child, client, rpc: String::new(), cookie: String::new(), listen: String::new() };
        wait_for("a node's start", || Ok(data.join("node.json").is_file()))?;
        let file: NodeFile = serde_json::from_slice(&fs::read(data.join("node.json"))?)?;
        node.cookie = fs::read_to_string(data.join(".cookie"))?;
        node.client = Client::new(file.rpc.clone(), Auth::CookieFile(data.join(".cookie")));
        (node.rpc, node.listen) = (file.rpc, file.listen);
        Ok(node)
    }

    /// Calls a method.
    pub fn call(&self, method: &str, params: Vec<Value>) -> Result<Value, Failure> {
        Ok(self.client.call(method, params)?)
    }

    /// CPU time of all its threads; zero where the system does not tell.
    fn cpu_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let nanoseconds = |task: fs::DirEntry| -> Option<u64> {
            fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()
        };
        let sum: u64 = tasks.into_iter().flatten().filter_map(|task| nanoseconds(task.ok()?)).sum();
        Duration::from_nanos(sum)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Devnet's rules, with so many coins for [`testing::rich_key`].
fn network(coins: usize) -> Params {
    let mut params = Params::clone(&testing::params());
    let allocation: Allocation = params.allocations[0].clone();
    params.allocations = vec![allocation; coins];
    params
}

/// Waits until something holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let begun = Instant::now();
    while !condition()? {
        if begun.elapsed() > DEADLINE {
            return Err(format!("waited in vain for {what}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
