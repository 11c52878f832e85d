//! Style as a test: what CONTRIBUTING asks for and neither rustfmt nor clippy can see.

use tally_docs::manifest::Manifest;
use tally_docs::rust;
use tally_docs::workspace::{self, SourceFile};

/// Files may have this many lines; 100 to 300 is what most should have.
const MAX_LINES: usize = 500;

/// Files that may be longer, each with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// Which crates of the workspace a crate may import, and which its tests may besides. A new crate is entered here, with the edges that it needs.
const EDGES: [(&str, &[&str], &[&str]); 13] = [
    ("tally-primitives", &[], &[]),
    ("tally-consensus", &["tally-primitives"], &[]),
    ("tally-wire", &["tally-primitives"], &[]),
    ("tally-rpc", &["tally-primitives"], &[]),
    ("tally-node-core", &["tally-primitives", "tally-consensus", "tally-wire"], &[]),
    (
        "tally-node",
        &["tally-primitives", "tally-consensus", "tally-wire", "tally-node-core", "tally-rpc", "tally-kernels"],
        &[],
    ),
    ("tally-wallet", &["tally-primitives", "tally-rpc"], &[]),
    ("tally-kernels", &[], &[]),
    ("tally-miner", &["tally-primitives", "tally-rpc", "tally-kernels"], &[]),
    ("tally-sim", &["tally-primitives", "tally-consensus", "tally-wire", "tally-node-core"], &[]),
    ("tally-testnet", &["tally-primitives", "tally-rpc", "tally-sim"], &[]),
    (
        "tally-benches",
        &[
            "tally-primitives",
            "tally-consensus",
            "tally-wire",
            "tally-kernels",
            "tally-node-core",
            "tally-rpc",
            "tally-sim",
        ],
        &[],
    ),
    ("tally-docs", &[], &["tally-rpc"]),
];

/// Folders whose result must depend on their arguments alone, and the words that would break that.
const PURE_FOLDERS: [&str; 5] =
    ["shared/primitives/src", "shared/consensus/src", "shared/wire/src", "node/core/src", "testnet/sim/src"];
const IMPURE_WORDS: [&str; 14] = [
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "RandomState",
    "thread",
    "tokio",
    "std::env",
    "std::fs",
    "std::process",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "getrandom",
];

fn rust_files() -> Vec<SourceFile> {
    let files = workspace::files("", &["rs"]);
    assert!(files.len() > 20, "the walk over the repository found {} files", files.len());
    files
}

/// Fails with every complaint on its own line.
fn assert_none(what: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{what}:\n{}", complaints.join("\n"));
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let lines = file.text.lines().count();
        let is_listed = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        if lines > MAX_LINES && !is_listed {
            complaints.push(format!("{}: {lines} lines, more than {MAX_LINES}: two rooms in one?", file.path));
        }
        if lines <= MAX_LINES && is_listed {
            complaints.push(format!("{}: short again, remove it from LONG_FILES", file.path));
        }
    }
    assert_none("files over the limit", &complaints);
}

#[test]
fn crates_and_modules_say_what_they_are() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let opening = rust::opening_comment(&file.text);
        if opening.trim().is_empty() && !file.path.ends_with("/tests.rs") {
            complaints.push(format!("{}: does not open with `//!`", file.path));
        }
        if file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs") {
            for module in rust::declared_modules(&rust::code_only(&file.text)) {
                if rust::lines_with_word(&opening, &module).is_empty() {
                    complaints.push(format!("{}: the map on top does not name `{module}`", file.path));
                }
            }
        }
    }
    assert_none("missing openings", &complaints);
}

#[test]
fn libraries_say_what_they_forbid() {
    let mut complaints = Vec::new();
    for manifest in Manifest::all() {
        let path = format!("{}/src/lib.rs", manifest.folder);
        if !workspace::root().join(&path).exists() {
            continue;
        }
        let opening = rust::opening_comment(&workspace::read(&path)).to_lowercase();
        if !opening.contains("forbid") {
            complaints.push(format!("{path}: does not say what the crate forbids"));
        }
    }
    assert_none("crates without a prohibition", &complaints);
}

#[test]
fn unit_tests_stand_in_their_own_file() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let code = rust::code_only(&file.text);
        if code.lines().any(|line| line.trim_start().starts_with("mod tests {")) {
            complaints.push(format!("{}: move `mod tests` to a sibling tests.rs", file.path));
        }
    }
    assert_none("inline tests", &complaints);
}

#[test]
fn only_the_kernels_are_unsafe() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        if file.path.starts_with("miner/kernels/") {
            continue;
        }
        for line in rust::lines_with_word(&rust::code_only(&file.text), "unsafe") {
            complaints.push(format!("{}:{line}: unsafe", file.path));
        }
    }
    assert_none("unsafe code outside miner/kernels", &complaints);
}

#[test]
fn one_module_names_bincode() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        if file.path.starts_with("shared/primitives/src/encode") {
            continue;
        }
        for line in rust::lines_with_word(&rust::code_only(&file.text), "bincode") {
            complaints.push(format!("{}:{line}: bincode", file.path));
        }
    }
    assert_none("bincode outside tally_primitives::encode (docs/decisions/0004)", &complaints);
}

#[test]
fn pure_crates_touch_no_world() {
    let mut complaints = Vec::new();
    for folder in PURE_FOLDERS {
        for file in workspace::files(folder, &["rs"]) {
            let code = rust::code_only(&file.text);
            for word in IMPURE_WORDS {
                for line in rust::lines_with_word(&code, word) {
                    complaints.push(format!("{}:{line}: {word}", file.path));
                }
            }
        }
    }
    assert_none("words that make a pure crate depend on more than its arguments", &complaints);
}

#[test]
fn texts_are_clean() {
    let mut complaints = Vec::new();
    for file in workspace::files("", &["rs", "md", "toml", "svg", "sh"]) {
        for (index, line) in file.text.lines().enumerate() {
            if line.contains('\t') || line.ends_with(' ') || line.ends_with('\r') {
                complaints.push(format!("{}:{}: a tab, or space at the end of the line", file.path, index + 1));
            }
        }
        if !file.text.ends_with('\n') {
            complaints.push(format!("{}: no line break at the end", file.path));
        }
    }
    assert_none("untidy text", &complaints);
}

#[test]
fn versions_stand_in_the_root_manifest() {
    let mut complaints = Vec::new();
    for manifest in Manifest::all() {
        for dependency in manifest.own_versions() {
            complaints.push(format!("{}/Cargo.toml: {dependency} is not `workspace = true`", manifest.folder));
        }
        // The one crate that may write `unsafe` repeats the other lints.
        if !manifest.has_workspace_lints() && manifest.name != "tally-kernels" {
            complaints.push(format!("{}/Cargo.toml: [lints] is not the workspace's", manifest.folder));
        }
    }
    assert_none("versions or lints of a crate's own", &complaints);
}

#[test]
fn imports_run_one_way() {
    let mut complaints = Vec::new();
    for manifest in Manifest::all() {
        let Some((_, normal, tests)) = EDGES.iter().find(|(name, _, _)| *name == manifest.name) else {
            complaints.push(format!("{}: not in EDGES", manifest.name));
            continue;
        };
        for edge in manifest.edges("dependencies") {
            if !normal.contains(&edge.as_str()) {
                complaints.push(format!("{} imports {edge}", manifest.name));
            }
        }
        for edge in manifest.edges("dev-dependencies") {
            if !normal.contains(&edge.as_str()) && !tests.contains(&edge.as_str()) {
                complaints.push(format!("{}'s tests import {edge}", manifest.name));
            }
        }
    }
    assert_none("imports that ARCHITECTURE.md does not allow", &complaints);
}

#[test]
fn a_crate_with_its_own_clippy_file_keeps_the_common_limits() {
    // Clippy reads the nearest file only, so a crate's own must repeat the root's.
    let common: toml::Table = workspace::read("clippy.toml").parse().expect("clippy.toml is TOML");
    let mut complaints = Vec::new();
    for manifest in Manifest::all() {
        let path = format!("{}/clippy.toml", manifest.folder);
        if !workspace::root().join(&path).exists() {
            continue;
        }
        let own: toml::Table = workspace::read(&path).parse().expect("a crate's clippy.toml is TOML");
        for (key, value) in &common {
            if own.get(key) != Some(value) {
                complaints.push(format!("{path}: {key} is not {value}, as in the root"));
            }
        }
    }
    assert_none("clippy settings that got lost", &complaints);
}
