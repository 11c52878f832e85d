//! The binary as a child process.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Far more than anything takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// `miner run --json …`, killed when dropped.
pub struct Miner {
    child: Child,
    stderr: Option<ChildStderr>,
    events: Receiver<Value>,
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miner"));
    command.args(args).env_remove("MINER_RPC_PASSWORD").env_remove("MINER_STRATUM_PASSWORD");
    command
}

/// What a miner prints that should end by itself; one that does not is killed at last.
pub fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the miner starts");
    let id = child.id().to_string();
    let (is_done, watch) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if watch.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
    });
    let output = child.wait_with_output().expect("an output");
    drop(is_done);
    output
}

impl Miner {
    pub fn run(args: &[&str]) -> Miner {
        let mut command = command(&["run", "--json", "--threads", "2"]);
        let mut child =
            command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the miner starts");
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take();
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                let event = serde_json::from_str(&line).expect("a JSON object a line");
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Miner { child, stderr, events }
    }

    /// The next event of this kind; those before it are passed over.
    pub fn wait_for(&self, kind: &str) -> Value {
        self.wait_until(kind, |_| true)
    }

    pub fn wait_until(&self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut passed = Vec::new();
        while let Ok(event) = self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if event["event"] == kind && is_it(&event) {
                return event;
            }
            passed.push(event);
        }
        panic!("no such event {kind:?} after {passed:#?}");
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end.
    pub fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                break status;
            }
            assert!(Instant::now() < deadline, "the miner does not end");
            std::thread::yield_now();
        };
        let mut text = String::new();
        self.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
        (status, text)
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
