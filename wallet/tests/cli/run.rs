//! Running the program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::node::MockNode;

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Standard output as JSON of a run that succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// One line of error, at most one of hint, nothing else, and this exit code.
    #[track_caller]
    pub fn fails_with(&self, code: i32, text: &str) {
        assert_eq!(self.code, code, "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        let (first, rest) = lines.split_first().unwrap_or_else(|| panic!("no message: {self:?}"));
        assert!(first.starts_with("error: ") && first.contains(text), "{self:?}");
        assert!(rest.len() <= 1 && rest.iter().all(|line| line.starts_with("hint: ")), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }
}

/// A directory with wallets in it.
pub struct Desk {
    pub directory: TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        Desk { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program with nothing of the caller's environment that it reads.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.args(arguments).current_dir(self.directory.path()).env("HOME", self.directory.path());
        for variable in ["TALLY_WALLET", "TALLY_PASSPHRASE", "TALLY_RPC_PASSWORD"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        finish(&mut self.command(arguments), "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        finish(self.command(arguments).stdin(Stdio::piped()), input)
    }

    pub fn run_with_passphrase(&self, arguments: &[&str], passphrase: &str) -> Outcome {
        finish(self.command(arguments).env("TALLY_PASSPHRASE", passphrase), "")
    }

    /// A wallet without passphrase on the node's network, its settings pointing to the node. Gives its address.
    #[track_caller]
    pub fn create(&self, name: &str, node: &MockNode) -> String {
        let network = self.path("network.toml");
        std::fs::write(&network, node.params().to_toml()).unwrap();
        let cookie = self.path("cookie");
        std::fs::write(&cookie, node.cookie()).unwrap();
        let url = node.url();
        let (network, cookie) = (text(&network), text(&cookie));
        let created = self.run(&[
            "--wallet",
            name,
            "create",
            "--network",
            &network,
            "--no-passphrase",
            "--rpc",
            &url,
            "--cookie",
            &cookie,
            "--json",
        ]);
        created.json()["address"].as_str().unwrap().to_owned()
    }
}

pub fn finish(command: &mut Command, input: &str) -> Outcome {
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        // A program that fails before it reads closes the pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().expect("the program was not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
