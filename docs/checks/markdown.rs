//! The little Markdown that the tests need to see: fences, links, headings, inline code.

use crate::workspace::{self, SourceFile};

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What follows the three backticks: `console,check`.
    pub info: String,
    /// The lines between the fences.
    pub lines: Vec<String>,
    /// 1-based line of the opening fence.
    pub line: usize,
}

/// The pages of the book, `SUMMARY.md` included.
pub fn book_pages() -> Vec<SourceFile> {
    workspace::files("docs/src", &["md"])
}

/// Every Markdown page of the repository.
pub fn all_pages() -> Vec<SourceFile> {
    workspace::files("", &["md"])
}

/// The fenced blocks of a page, and its other lines with their 1-based numbers.
pub fn split(text: &str) -> (Vec<Fence>, Vec<(usize, String)>) {
    let mut fences: Vec<Fence> = Vec::new();
    let mut prose = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            if inside {
                fences.push(Fence { info: info.trim().to_owned(), lines: Vec::new(), line: index + 1 });
            }
        } else if inside {
            fences.last_mut().expect("a fence is open").lines.push(line.to_owned());
        } else {
            prose.push((index + 1, line.to_owned()));
        }
    }
    assert!(!inside, "a fence is not closed");
    (fences, prose)
}

/// The targets of the links and images of a line: `[text](target)`. Inline code is not looked into.
pub fn links(line: &str) -> Vec<String> {
    let plain = without_inline_code(line);
    plain.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The spans of inline code of a line.
pub fn inline_code(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn without_inline_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The anchors a page offers: its headings as mdBook and GitHub turn them into fragments.
pub fn anchors(text: &str) -> Vec<String> {
    let (_, prose) = split(text);
    prose
        .iter()
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| slug(line.trim_start_matches('#').trim()))
        .collect()
}

/// A heading as a fragment: lower case, spaces to hyphens, punctuation dropped.
pub fn slug(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            other if other.is_alphanumeric() => Some(other.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}
