//! The catalogue: the same rule IDs stand in the list of the code, the error's variants, the functions' documentation,
//! the tests' names and the book.

#![expect(
    clippy::disallowed_methods,
    reason = "this test compares files of the repository; the crate itself reads none"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tally_consensus::RuleId;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files of a folder of this crate, without sub-folders.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(crate_folder().join(folder)).expect("the crate's own folder is there");
    let files = entries.map(|entry| entry.expect("a readable entry").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn all_ids() -> BTreeSet<String> {
    RuleId::ALL.iter().map(ToString::to_string).collect()
}

/// The rule ID at the start of a text: two or three capitals, a hyphen, two digits.
fn leading_id(text: &str) -> Option<&str> {
    let id = text.get(..6).filter(|id| id.as_bytes()[3] == b'-').or_else(|| text.get(..5))?;
    let (letters, digits) = id.split_once('-')?;
    let is_id = letters.len() >= 2
        && letters.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.len() == 2
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(id)
}

/// Each item whose documentation starts with a rule ID: the ID, and the line of code after documentation and
/// attributes.
fn documented_items(source: &str) -> Vec<(String, String)> {
    let mut items = Vec::new();
    let mut id = None;
    let (mut in_documentation, mut in_attribute) = (false, false);
    for line in source.lines().map(str::trim) {
        if in_attribute || line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
        } else if let Some(text) = line.strip_prefix("///") {
            if !in_documentation {
                id = leading_id(text.trim()).map(str::to_owned);
            }
            in_documentation = true;
        } else {
            items.extend(id.take().map(|id| (id, line.to_owned())));
            in_documentation = false;
        }
    }
    items
}

/// ID → name, once each.
fn once_each(items: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (id, name) in items {
        if let Some(before) = map.insert(id.clone(), name.clone()) {
            panic!("{id} is carried by {before} and by {name}");
        }
    }
    map
}

fn functions() -> BTreeMap<String, String> {
    let sources = rust_files("src").into_iter().filter(|path| !path.ends_with("error.rs"));
    let items = sources.flat_map(|path| documented_items(&read(&path)));
    once_each(items.map(|(id, line)| {
        let name = line.strip_prefix("pub fn ").and_then(|rest| rest.split(['(', '<']).next()).unwrap_or_default();
        assert!(name.starts_with("check_"), "{id} documents something other than a check: {line}");
        (id, name.to_owned())
    }))
}

fn variants() -> BTreeMap<String, String> {
    let source = read(&crate_folder().join("src/error.rs"));
    once_each(documented_items(&source).into_iter().map(|(id, line)| {
        let name = line.split(" {").next().unwrap_or_default().to_owned();
        (id, name)
    }))
}

fn ids<T>(map: &BTreeMap<String, T>) -> BTreeSet<String> {
    map.keys().cloned().collect()
}

#[test]
fn every_rule_has_one_id_and_one_line() {
    assert_eq!(RuleId::ALL.len(), 24);
    assert_eq!(all_ids().len(), RuleId::ALL.len());
    for rule in RuleId::ALL {
        assert_eq!(leading_id(rule.code()), Some(rule.code()));
        assert!(!rule.text().is_empty() && !rule.text().contains('\n'), "{rule}");
    }
    assert!(RuleId::ALL.is_sorted(), "the order of the list is that of the enum");
}

#[test]
fn every_rule_has_one_function() {
    assert_eq!(ids(&functions()), all_ids());
}

#[test]
fn every_rule_has_one_variant_that_names_it_everywhere() {
    let variants = variants();
    assert_eq!(ids(&variants), all_ids());
    let source = read(&crate_folder().join("src/error.rs"));
    for (rule, (id, variant)) in RuleId::ALL.iter().zip(by_catalogue(&variants)) {
        assert_eq!(rule.code(), id);
        assert!(
            source.contains(&format!("#[error(\"{id}: ")) || source.contains(&format!("\"{id}: ")),
            "{id}: its text"
        );
        let arm = format!("RuleError::{variant} {{ .. }} => RuleId::{rule:?},");
        assert!(source.contains(&arm), "{id}: `{arm}` is missing");
    }
}

/// The entries in the order of the catalogue.
fn by_catalogue<T>(map: &BTreeMap<String, T>) -> Vec<(&str, &T)> {
    RuleId::ALL.iter().filter_map(|rule| map.get(rule.code()).map(|entry| (rule.code(), entry))).collect()
}

#[test]
fn every_rule_has_a_test_that_refuses_and_one_that_accepts() {
    let sources: String = rust_files("tests/rules").iter().map(|path| read(path)).collect();
    let lines: Vec<_> = sources.lines().map(str::trim).collect();
    let tests: Vec<_> = lines.windows(2).filter(|pair| pair[0] == "#[test]").map(|pair| pair[1]).collect();
    for verdict in ["refuses", "accepts"] {
        let found: BTreeSet<_> = tests
            .iter()
            .filter_map(|line| line.strip_prefix("fn ")?.split_once(&format!("_{verdict}_")))
            .map(|(prefix, _)| prefix.replace('_', "-").to_uppercase())
            .filter(|prefix| leading_id(prefix) == Some(prefix))
            .collect();
        assert_eq!(found, all_ids(), "tests named …_{verdict}_…");
    }
}

#[test]
fn every_rule_has_an_entry_in_the_book() {
    let page = read(&crate_folder().join("../../docs/src/rules.md"));
    let headings = page.lines().filter_map(|line| leading_id(line.strip_prefix("### ")?.trim()));
    let headings: Vec<_> = headings.map(str::to_owned).collect();
    let in_order: Vec<_> = RuleId::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(headings, in_order, "the headings of docs/src/rules.md");
    for (rules, names) in [(functions(), "function"), (variants(), "variant")] {
        for (id, name) in &rules {
            let entry = page.split("\n### ").find(|entry| entry.starts_with(id.as_str())).unwrap_or_default();
            assert!(entry.contains(name.as_str()), "the book's entry of {id} does not name its {names} {name}");
        }
    }
}
