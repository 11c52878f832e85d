//! A network for a test, and its end.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tally_rpc::client::{Auth, Client};
use tally_testnet::layout::Layout;
use tally_testnet::system::{End, signal};

/// Longer than anything takes on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The directory with all programs. Under `cargo test --workspace` they are there; else they are built.
pub fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let dir = Path::new(env!("CARGO_BIN_EXE_testnet")).parent().expect("a directory").to_owned();
        if !["node", "wallet"].iter().all(|name| dir.join(name).is_file()) {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "-p", "tally-node", "-p", "tally-wallet", "--target-dir"]);
            cargo.arg(dir.parent().expect("a target directory"));
            if dir.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs").success());
        }
        dir
    })
}

/// `testnet` with arguments, free of the settings of whoever runs the tests.
pub fn testnet<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(programs().join("testnet"));
    command.args(arguments);
    tally_testnet::programs::without_settings(&mut command);
    command
}

/// Runs a command to its end; its exit code, standard output and standard error.
pub fn outcome(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = loop {
        match command.stdin(Stdio::null()).output() {
            // A program that a test has just copied may still be open in a process that another test is starting.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
            output => break output.expect("it starts"),
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("it was not killed"), text(stdout), text(stderr))
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not after {PATIENCE:?}");
        // Between two questions only: whoever asks without a pause takes the processor from those who should answer.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running network.
pub struct Net {
    pub layout: Layout,
    up: Child,
    said: Option<JoinHandle<String>>,
    /// What `up --json` printed.
    pub report: Value,
}

impl Net {
    /// Starts a network in `dir` and waits until all nodes are in step.
    #[track_caller]
    pub fn up(dir: &Path, arguments: &[&str]) -> Net {
        let mut command = testnet(["up", "--json", "--dir"]);
        command.arg(dir).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut up = command.spawn().expect("it starts");
        let mut errors = up.stderr.take().expect("piped");
        let said = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        BufReader::new(up.stdout.take().expect("piped")).read_line(&mut line).expect("readable");
        if line.is_empty() {
            let status = up.wait().expect("it ended");
            panic!("up: {status}: {}", said.join().expect("text"));
        }
        let report = serde_json::from_str(&line).expect("JSON");
        let layout = Layout::open(Some(dir)).expect("it was made");
        Net { layout, up, said: Some(said), report }
    }

    pub fn pid(&self) -> u32 {
        self.up.id()
    }

    /// `status --json`.
    #[track_caller]
    pub fn status(&self) -> Value {
        let (code, stdout, stderr) = outcome(testnet(["status", "--json", "--dir"]).arg(self.layout.dir()));
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str(&stdout).expect("JSON")
    }

    /// A client of a node, by its place in the report.
    pub fn client(&self, node: usize) -> Client {
        client(&self.report["nodes"][node])
    }

    /// Runs a wallet's command with `--json`.
    #[track_caller]
    pub fn wallet(&self, person: &str, arguments: &[&str]) -> Value {
        let mut command = Command::new(programs().join("wallet"));
        command.arg("--wallet").arg(self.layout.wallet(person)).args(arguments).arg("--json");
        tally_testnet::programs::without_settings(&mut command);
        let (code, stdout, stderr) = outcome(&mut command);
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).expect("JSON")
    }

    /// Waits until all nodes have one tip, and gives the status of that moment.
    #[track_caller]
    pub fn in_step(&self) -> Value {
        until("one tip on all nodes", || {
            let status = self.status();
            let tips: Vec<&Value> = nodes(&status).iter().map(|node| &node["tip"]).collect();
            let first = tips[0].as_str()?;
            tips.iter().all(|tip| *tip == first).then(|| status.clone())
        })
    }

    /// Asks it to end, as Ctrl-C does; its exit code and what it said on standard error.
    pub fn end(mut self) -> (i32, String) {
        signal(self.up.id(), End::Ask);
        self.ended()
    }

    /// Waits until it ends by itself.
    pub fn ended(&mut self) -> (i32, String) {
        let code = self.up.wait().expect("it ends").code().expect("not by a signal");
        (code, self.said.take().expect("once").join().expect("text"))
    }

    /// Kills `up` itself; its nodes run on.
    pub fn kill(mut self) -> Layout {
        signal(self.up.id(), End::Kill);
        self.up.wait().expect("it ends");
        self.said.take();
        self.layout.clone()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if self.said.is_some() {
            signal(self.up.id(), End::Ask);
            let _ = self.up.wait();
        }
    }
}

/// The nodes of a report.
pub fn nodes(report: &Value) -> &[Value] {
    report["nodes"].as_array().expect("nodes")
}

/// A client of a node of a report.
pub fn client(node: &Value) -> Client {
    let cookie = PathBuf::from(node["cookie"].as_str().expect("a path"));
    Client::new(node["rpc"].as_str().expect("it runs"), Auth::CookieFile(cookie))
}
