//! The script `testnet/with-cpuminer`, as far as it goes without such a miner: it says what is wrong or skipped, and builds and
//! starts nothing.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Runs the script with these tools and nothing else; exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let bin = tempfile::tempdir().expect("a directory");
    for tool in ["bash", "dirname", "mktemp", "rm", "sed", "tail"] {
        let real = ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
        symlink(real.expect("every system has it"), bin.path().join(tool)).expect("linked");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../with-cpuminer");
    let mut command = Command::new(bin.path().join("bash"));
    let output = command.arg(script).args(arguments).env_clear().env("PATH", bin.path()).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_miner_it_says_what_it_skips() {
    let (code, stdout, stderr) = run(&[]);
    assert_eq!(code, Some(77), "{stdout}{stderr}");
    assert_eq!(stdout, "skipped: minerd: not in the PATH\nskipped: cpuminer: not in the PATH\n");
    assert!(stderr.starts_with("nothing was tested: "), "{stderr}");
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    let (code, _, stderr) = run(&["/nonexistent/minerd"]);
    assert_eq!((code, stderr.as_str()), (Some(1), "error: there is no program /nonexistent/minerd\n"));
}

#[test]
fn help_and_wrong_options() {
    let (code, stdout, _) = run(&["--help"]);
    assert!(code == Some(0) && stdout.contains("testnet/with-cpuminer [--seconds N] [PROGRAM…]"), "{stdout}");
    let (code, stdout, stderr) = run(&["--fast"]);
    assert!(code == Some(2) && stdout.is_empty() && stderr.contains("[PROGRAM…]"), "{stderr}");
}
