//! The programs as they are built now, and everything their `--help` mentions.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::workspace;

/// The programs of the workspace.
pub const NAMES: [&str; 4] = ["miner", "node", "testnet", "wallet"];

/// The folder that holds the built programs. The first call brings them up to date.
///
/// The tests of this crate depend on programs of other crates, for which Cargo has no kind of dependency. So the build that `cargo test --workspace` has just
/// made is asked for once more: then nothing is left to do, and under `cargo test -p tally-docs` what is missing or stale gets built.
///
/// # Panics
/// When the build fails.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = profile_folder();
        let mut build = Command::new(env!("CARGO"));
        build.args(["test", "--workspace", "--no-run", "--quiet"]).current_dir(workspace::root());
        if let Some(target) = folder.parent() {
            build.arg("--target-dir").arg(target);
        }
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let output = build.output().expect("cargo starts");
        assert!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
        folder
    })
}

/// `target/debug` of `target/debug/deps/book-0123456789abcdef`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let deps = test.parent().expect("a test lies in a folder");
    deps.parent().expect("deps lies in a folder").to_path_buf()
}

/// Runs a line by `sh`, as the book's reader would from the root of the repository.
///
/// # Panics
/// When `sh` does not start.
pub fn shell(line: &str, home: &Path) -> Output {
    let mut path = folder().as_os_str().to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    Command::new("sh")
        .args(["-c", line])
        .current_dir(workspace::root())
        .env("PATH", path)
        .env("HOME", home)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .expect("sh starts")
}

/// The long options that `program` and all its subcommands list in their help.
pub fn options(program: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![vec![]];
    while let Some(subcommand) = open.pop() {
        let help = help(program, &subcommand);
        found.extend(long_options(&help));
        for name in commands(&help) {
            let mut deeper: Vec<String> = subcommand.clone();
            deeper.push(name);
            open.push(deeper);
        }
    }
    found
}

fn help(program: &str, subcommand: &[String]) -> String {
    let output = Command::new(folder().join(program))
        .args(subcommand)
        .arg("--help")
        .env("COLUMNS", "200")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {subcommand:?} --help fails");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The `--words` of a text.
pub fn long_options(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
        .filter(|word| word.len() > 2 && word.starts_with("--") && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}

/// The subcommands below `Commands:` in a help text.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| line.trim() != "Commands:")
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
