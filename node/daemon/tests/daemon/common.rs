//! Nodes as processes, on free ports and in directories of their own; nothing is left behind.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tally_node::private_file::NodeFile;
use tally_node_core::testing;
use tally_primitives::address::Address;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::units::Height;
use tally_rpc::client::{Auth, Client, ClientError};
use tempfile::TempDir;

/// How long anything may take before a test gives up. Generous: the machine may be busy.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` gives something.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        sleep(POLL);
    }
}

/// A command of the program under test, without settings of the environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
    for (name, _) in std::env::vars() {
        if name.starts_with("TALLY_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).stdin(Stdio::null()).output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The network of the tests: devnet's rules, with coins for `testing::rich_key`.
pub fn params() -> Arc<Params> {
    testing::params()
}

/// Where blocks are mined to, unless it matters.
pub fn somebody() -> Address {
    Address::new(params().address_prefix.clone(), testing::lock_of(&testing::key(77)))
}

/// A directory with a network file, for any number of nodes.
pub struct Place {
    pub directory: TempDir,
    pub network: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        Self::with(&params())
    }

    pub fn with(params: &Params) -> Self {
        let directory = TempDir::new().unwrap();
        let network = directory.path().join("network.toml");
        std::fs::write(&network, params.to_toml()).unwrap();
        Self { directory, network }
    }

    pub fn data_dir(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Arguments that name the network and a data directory.
    pub fn location(&self, name: &str) -> Vec<String> {
        let data_dir = self.data_dir(name).display().to_string();
        ["--network".to_owned(), self.network.display().to_string(), "--data-dir".to_owned(), data_dir].to_vec()
    }

    /// Runs an offline command on a data directory.
    pub fn offline(&self, command: &str, name: &str, more: &[&str]) -> Output {
        program().arg(command).args(self.location(name)).args(more).stdin(Stdio::null()).output().unwrap()
    }

    pub fn start(&self, name: &str, more: &[&str]) -> TestNode {
        TestNode::start(self, name, more)
    }
}

/// A running node. It is killed when this is dropped.
pub struct TestNode {
    child: Child,
    pub data_dir: PathBuf,
    pub file: NodeFile,
    pub client: Client,
    log: PathBuf,
}

impl TestNode {
    pub fn start(place: &Place, name: &str, more: &[&str]) -> Self {
        let mut node = Self::spawn(place, name, more);
        node.wait_until_it_answers();
        node
    }

    fn spawn(place: &Place, name: &str, more: &[&str]) -> Self {
        let data_dir = place.data_dir(name);
        std::fs::create_dir_all(&data_dir).unwrap();
        // What a killed node left there must not be taken for the new one's.
        let _ = std::fs::remove_file(data_dir.join("node.json"));
        let log = place.directory.path().join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let child = program()
            .arg("run")
            .args(place.location(name))
            // Who calls whom is what tests are about: an address that was only heard of is not called, unless a test says so.
            .args(["--listen", "127.0.0.1:0", "--rpc-listen", "127.0.0.1:0"])
            .env("TALLY_MAX_OUTBOUND", "0")
            .env("TALLY_LOG", "debug")
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap();
        let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let file = NodeFile { pid: child.id(), listen: nowhere, rpc: nowhere, web: None, stratum: None };
        let client = Client::new("127.0.0.1:1", Auth::None);
        Self { child, data_dir, file, client, log }
    }

    fn wait_until_it_answers(&mut self) {
        let file = wait_for("the node says where it is", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the node ended with {status}:\n{}", self.log());
            }
            NodeFile::read(&self.data_dir)
        });
        assert_eq!(file.pid, self.child.id());
        self.client = Client::new(file.rpc.to_string(), Auth::CookieFile(self.data_dir.join(".cookie")));
        self.file = file;
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn call(&self, method: &str, params: &[Value]) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method} {params:?}: {error}\n{}", self.log()))
    }

    pub fn try_call(&self, method: &str, params: &[Value]) -> Result<Value, ClientError> {
        self.client.call(method, params.to_vec())
    }

    /// The code with which a call is refused.
    pub fn refusal(&self, method: &str, params: &[Value]) -> (i32, String) {
        match self.try_call(method, params) {
            Err(ClientError::Rpc(error)) => (error.code, error.message),
            other => panic!("{method} {params:?} was to be refused, and gave {other:?}"),
        }
    }

    pub fn height(&self) -> Height {
        self.client.block_count().unwrap()
    }

    pub fn tip(&self) -> BlockHash {
        self.client.best_block_hash().unwrap()
    }

    pub fn generate(&self, count: u32) -> Vec<BlockHash> {
        let answer = self.call("generatetoaddress", &[json!(count), json!(somebody())]);
        serde_json::from_value(answer).unwrap()
    }

    pub fn peers(&self) -> usize {
        serde_json::from_value(self.call("getconnectioncount", &[])).unwrap()
    }

    pub fn listen(&self) -> String {
        self.file.listen.to_string()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it by RPC and waits for its end; the exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.call("stop", &[]);
        self.wait()
    }

    pub fn wait(&mut self) -> Option<i32> {
        wait_for("the node ends", || self.child.try_wait().unwrap()).code()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until all nodes have this tip.
pub fn wait_for_tip(nodes: &[&TestNode], tip: BlockHash) {
    for node in nodes {
        wait_for("the nodes agree", || (node.tip() == tip).then_some(()));
    }
}

pub fn exists(path: &Path) -> bool {
    path.exists()
}
