//! The script `testnet/up`, with stand-ins for cargo and `testnet`: what it builds, what it starts, and what it says when
//! something is missing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../up").canonicalize().expect("it is there")
}

/// A machine of its own: a home, a directory for programs, a target directory.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    /// A machine with the tools of every system, and these programs.
    fn new(programs: &[&str]) -> Machine {
        let dir = tempfile::tempdir().expect("a directory");
        let machine = Machine { dir };
        for name in ["bin", "home", "elsewhere", "target/release"] {
            fs::create_dir_all(machine.path(name)).expect("made");
        }
        for tool in ["sh", "dirname", "readlink", "sed"] {
            let real = ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
            symlink(real.expect("every system has it"), machine.path("bin").join(tool)).expect("linked");
        }
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
        for name in programs {
            // Any program will do for a C compiler that is only looked for.
            let real = if *name == "cc" { ours.join("testnet") } else { ours.join(name) };
            symlink(real, machine.path("bin").join(name)).expect("linked");
        }
        symlink(ours.join("testnet"), machine.path("target/release/testnet")).expect("linked");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().expect("there").join(name)
    }

    /// Runs a script here, and gives exit code, standard output and standard error.
    fn run(&self, script: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, Vec<String>, Vec<String>) {
        let mut command = Command::new(script);
        command.args(arguments).current_dir(self.path("elsewhere")).env_clear();
        command.env("PATH", self.path("bin")).env("HOME", self.path("home")).env("FAKE_CARGO", self.path(""));
        command.envs(environment.iter().copied());
        let output = command.output().expect("it starts");
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
        (output.status.code().expect("an exit code"), lines(&output.stdout), lines(&output.stderr))
    }

    /// Where cargo was called, with what, and with which target directory.
    fn called(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("called")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn builds_in_the_repository_and_starts_where_it_was_called() {
    let machine = Machine::new(&["cargo", "cc"]);
    let (code, stdout, stderr) = machine.run(&script(), &["--nodes", "2", "a b"], &[]);
    assert_eq!((code, stderr), (7, vec![]), "the exit code is that of `testnet`");
    let testnet = script().parent().expect("a directory").to_owned();
    let root = testnet.parent().expect("a directory").display().to_string();
    let elsewhere = machine.path("elsewhere").display().to_string();
    assert_eq!(stdout, [elsewhere, "up --nodes 2 a b".to_owned(), format!("dir={}/data", testnet.display())]);
    let build = "build --release --locked -p tally-node -p tally-wallet -p tally-miner -p tally-testnet";
    assert_eq!(machine.called(), [root, build.to_owned(), "target=".to_owned()]);
}

#[test]
fn settings_of_the_owner_count() {
    let machine = Machine::new(&["cargo", "cc"]);
    let environment = [("TALLY_TESTNET_DIR", "/my/net"), ("CARGO_TARGET_DIR", "out"), ("CARGO_BUILD_TARGET", "x")];
    let (_, stdout, _) = machine.run(&script(), &[], &environment);
    assert_eq!(stdout[2], "dir=/my/net");
    // Relative to where the script was called, though cargo runs elsewhere.
    assert_eq!(machine.called()[2], format!("target={}", machine.path("elsewhere/out").display()));
    machine.run(&script(), &[], &[("CARGO_TARGET_DIR", "/abs")]);
    assert_eq!(machine.called()[2], "target=/abs");
}

#[test]
fn works_through_links() {
    let machine = Machine::new(&["cargo", "cc"]);
    symlink(script(), machine.path("home/first")).expect("linked");
    symlink("../home/first", machine.path("elsewhere/second")).expect("linked");
    let (code, stdout, stderr) = machine.run(&machine.path("elsewhere/second"), &[], &[]);
    assert_eq!(code, 7, "{stderr:?}");
    assert_eq!(stdout[2], format!("dir={}/data", script().parent().expect("a directory").display()));
}

#[test]
fn says_what_is_missing_and_how_to_get_it() {
    let cases = [
        (&[][..], "error: cargo is missing", "hint: install Rust from https://rustup.rs"),
        (&["cargo"], "error: a C compiler is missing", "hint: Debian and Ubuntu: sudo apt install build-essential"),
    ];
    for (programs, error, hint) in cases {
        let machine = Machine::new(programs);
        let (code, stdout, stderr) = machine.run(&script(), &[], &[]);
        assert_eq!((code, stdout), (1, vec![]));
        assert!(stderr[0].starts_with(error) && stderr[1].starts_with(hint), "{stderr:?}");
        assert_eq!((stderr.len(), machine.called()), (2, vec![]));
    }
}

#[test]
fn rust_outside_the_path_is_found() {
    let machine = Machine::new(&["cc"]);
    fs::create_dir_all(machine.path("home/.cargo/bin")).expect("made");
    let cargo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/cargo");
    symlink(cargo, machine.path("home/.cargo/bin/cargo")).expect("linked");
    assert_eq!(machine.run(&script(), &[], &[]).0, 7);
}

#[test]
fn a_build_that_fails_starts_nothing() {
    let machine = Machine::new(&["cargo", "cc"]);
    fs::write(machine.path("fails"), "").expect("written");
    let (code, stdout, stderr) = machine.run(&script(), &[], &[]);
    assert_eq!((code, stdout), (1, vec![]));
    assert_eq!(stderr[0], "error: the build failed");
    fs::remove_file(machine.path("fails")).expect("removed");
    fs::remove_file(machine.path("target/release/testnet")).expect("removed");
    let (code, _, stderr) = machine.run(&script(), &[], &[]);
    assert_eq!(code, 1);
    assert!(stderr[0].starts_with("error: the build left no program "), "{stderr:?}");
}
