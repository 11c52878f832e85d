//! The book is true: its pages are listed, its links lead somewhere, its commands print what it says, its options and methods exist.

use std::collections::BTreeSet;
use std::fs;

use tally_docs::console::{self, Step};
use tally_docs::markdown::{self, Fence};
use tally_docs::programs;
use tally_docs::workspace::{self, SourceFile};

const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Fails with every complaint on its own line.
fn assert_none(what: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{what}:\n{}", complaints.join("\n"));
}

/// The folder of a path, with its slash; empty for the root.
fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// `folder` + `target` with `..` and `.` resolved; `None` when it leaves the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = workspace::read(SUMMARY);
    let listed: BTreeSet<String> =
        summary.lines().flat_map(markdown::links).map(|target| format!("docs/src/{target}")).collect();
    let there: BTreeSet<String> =
        markdown::book_pages().into_iter().map(|page| page.path).filter(|path| path != SUMMARY).collect();
    assert!(there.len() > 10, "the walk over the book found {} pages", there.len());
    assert_eq!(listed, there);
}

#[test]
fn links_resolve() {
    let mut complaints = Vec::new();
    for page in markdown::all_pages() {
        let (_, prose) = markdown::split(&page.text);
        for (line, text) in prose {
            for target in markdown::links(&text) {
                if let Some(problem) = link_problem(&page, &target) {
                    complaints.push(format!("{}:{line}: {target}: {problem}", page.path));
                }
            }
        }
    }
    assert_none("links that lead nowhere", &complaints);
}

fn link_problem(page: &SourceFile, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { page.path.clone() } else { resolve(folder_of(&page.path), file)? };
    if !workspace::root().join(&path).exists() {
        return Some("no such file".to_owned());
    }
    if page.path.starts_with("docs/src/") && !path.starts_with("docs/src/") {
        return Some("leaves the book: mdBook would not copy it".to_owned());
    }
    if anchor.is_empty() {
        return None;
    }
    let anchors = markdown::anchors(&workspace::read(&path));
    (!anchors.iter().any(|there| there == anchor)).then(|| "no such heading".to_owned())
}

#[test]
fn nothing_is_left_to_fill_in() {
    let mut complaints = Vec::new();
    for page in markdown::all_pages() {
        for (index, line) in page.text.lines().enumerate() {
            if line.contains("<!--") || line.contains("TODO") {
                complaints.push(format!("{}:{}: {line}", page.path, index + 1));
            }
        }
    }
    assert_none("unfinished pages", &complaints);
}

#[test]
fn commands_print_what_the_book_says() {
    let mut checked = 0;
    let mut complaints = Vec::new();
    for page in markdown::all_pages() {
        let (fences, _) = markdown::split(&page.text);
        for fence in fences.iter().filter(|fence| console::is_checked(fence)) {
            let home = tempfile::tempdir().expect("a temporary folder can be made");
            for step in console::steps(fence) {
                checked += 1;
                if let Some(problem) = step_problem(&step, home.path()) {
                    complaints.push(format!("{}:{}: $ {}\n{problem}", page.path, fence.line, step.command));
                }
            }
        }
    }
    assert_none("commands that print something else", &complaints);
    assert!(checked > 0, "the book has no block that is checked");
}

fn step_problem(step: &Step, home: &std::path::Path) -> Option<String> {
    let output = programs::shell(&step.command, home);
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let printed: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    if output.status.code() != Some(step.exit_code) {
        return Some(format!("ends with {}, the book says {}:\n{text}", output.status, step.exit_code));
    }
    (!console::matches(&step.output, &printed)).then(|| format!("prints\n{text}"))
}

/// The program that a command starts, if it is one of ours. `./testnet/up` hands its arguments to `testnet up`.
fn program_of(command: &str) -> Option<&'static str> {
    let word = command.split_whitespace().find(|word| !word.contains('='))?;
    let name = match word {
        "./testnet/up" => "testnet",
        other => other.rsplit('/').next()?,
    };
    programs::NAMES.into_iter().find(|program| *program == name)
}

/// The commands of a terminal's line, at pipes and the like.
fn commands_of(line: &str) -> impl Iterator<Item = &str> {
    line.split(['|', ';', '&', '(', ')'])
}

fn command_lines(fences: &[Fence]) -> impl Iterator<Item = &str> {
    fences.iter().filter(|fence| console::is_console(fence)).flat_map(|fence| {
        let lines = fence.lines.iter();
        lines.filter_map(|line| line.strip_prefix("$ "))
    })
}

#[test]
fn options_exist() {
    let known: Vec<(&str, BTreeSet<String>)> =
        programs::NAMES.into_iter().map(|name| (name, programs::options(name))).collect();
    let has =
        |program: &str, option: &str| known.iter().any(|(name, options)| *name == program && options.contains(option));
    let mut complaints = Vec::new();
    for page in markdown::all_pages() {
        let (fences, prose) = markdown::split(&page.text);
        let spans: Vec<String> = prose.iter().flat_map(|(_, line)| markdown::inline_code(line)).collect();
        for command in command_lines(&fences).chain(spans.iter().map(String::as_str)).flat_map(commands_of) {
            let options = programs::long_options(command);
            if let Some(program) = program_of(command) {
                let missing = options.iter().filter(|option| !has(program, option));
                complaints.extend(missing.map(|option| format!("{}: {program} has no {option}", page.path)));
            } else if command.starts_with("--") {
                let missing = options.iter().filter(|option| !programs::NAMES.iter().any(|name| has(name, option)));
                complaints.extend(missing.map(|option| format!("{}: no program has {option}", page.path)));
            }
        }
    }
    assert_none("options that do not exist", &complaints);
}

#[test]
fn rpc_methods_are_those_of_the_node() {
    let page = workspace::read("docs/src/rpc.md");
    let mut in_table = false;
    let mut documented = BTreeSet::new();
    for line in page.lines() {
        in_table = line.starts_with("| method |") || (in_table && line.starts_with('|'));
        let usage = markdown::inline_code(line).into_iter().next();
        documented.extend(usage.filter(|_| in_table));
    }
    let offered: BTreeSet<String> = tally_rpc::methods::METHODS.iter().map(|method| method.usage()).collect();
    assert_eq!(documented, offered);
}

/// The last column of the tables about attacks names tests, so that a defence without one would show.
#[test]
fn the_tests_against_hostile_peers_exist() {
    let page = workspace::read("docs/src/hostile-peers.md");
    let code: String = workspace::files("", &["rs"]).into_iter().map(|file| file.text).collect();
    let mut named = 0;
    let mut missing = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack")) {
        let tests = markdown::inline_code(row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default());
        if tests.is_empty() {
            missing.push(format!("no test: {row}"));
        }
        named += tests.len();
        missing.extend(tests.into_iter().filter(|test| !code.contains(&format!("fn {test}("))));
    }
    assert_none("defences without a test", &missing);
    assert!(named > 40, "{named} tests are named");
}

#[test]
fn decisions_are_indexed_and_complete() {
    let index = workspace::read("docs/decisions/README.md");
    let mut records = 0;
    let mut complaints = Vec::new();
    for record in workspace::files("docs/decisions", &["md"]) {
        let name = record.path.trim_start_matches("docs/decisions/");
        if name == "README.md" {
            continue;
        }
        records += 1;
        if !index.contains(&format!("]({name})")) {
            complaints.push(format!("{name}: not in the index"));
        }
        for heading in ["\nStatus: ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"] {
            if !record.text.contains(heading) {
                complaints.push(format!("{name}: has no {heading:?}"));
            }
        }
    }
    assert_none("decision records", &complaints);
    assert!(records > 0);
}

#[test]
fn the_two_commands_of_the_readme_exist() {
    let readme = workspace::read("README.md");
    for command in ["./testnet/up", "cargo test --workspace"] {
        assert!(readme.contains(command), "README.md does not show `{command}`");
    }
    let runner = workspace::read(".ci/run");
    assert!(runner.contains("cargo test --workspace"), ".ci/run does not run the README's tests");
    for script in ["testnet/up", ".ci/run"] {
        let path = workspace::root().join(script);
        assert!(is_executable(&path), "{script} is not executable");
    }
}

#[cfg(unix)]
fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &std::path::Path) -> bool {
    fs::metadata(path).is_ok()
}
