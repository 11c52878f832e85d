//! The repository as files: its root, its text files, its crates.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no source: build output, the rendered book, the data of a running testnet, what the fuzzer keeps.
const SKIPPED: [&str; 5] = ["target", "docs/book", "testnet/data", "fuzz/target", "fuzz/corpus"];

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path from the root, with `/` between folders.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The root of the repository: the folder above `docs`.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("docs has a parent folder").to_path_buf()
}

/// Reads a file by its path from the root.
///
/// # Panics
/// When the file is missing or not UTF-8: for a test both are failures that name the path.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every text file below `folder` ("" is the root) whose extension is one of `extensions`, sorted by path.
///
/// # Panics
/// When a folder cannot be read or a file is not UTF-8.
pub fn files(folder: &str, extensions: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    collect(folder, extensions, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found
}

fn collect(folder: &str, extensions: &[&str], found: &mut Vec<SourceFile>) {
    let directory = root().join(folder);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let entry = entry.expect("a folder of the repository can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&path.as_str()) {
                collect(&path, extensions, found);
            }
        } else if kind.is_file() && extensions.iter().any(|extension| has_extension(&name, extension)) {
            let text = read(&path);
            found.push(SourceFile { path, text });
        }
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The folders of the workspace's members, as the root manifest lists them.
///
/// # Panics
/// When the root manifest has no list of members.
pub fn members() -> Vec<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("workspace.members is a list");
    members.iter().map(|member| member.as_str().expect("a member is a path").to_owned()).collect()
}
