//! The helpers themselves: a check that cannot fail is worth nothing.

use tally_docs::{console, markdown, programs, rust};

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn comments_and_literals_are_no_code() {
    let source = "let a = \"unsafe\"; // unsafe\n/* unsafe /* nested */ unsafe */ let b = '\"'; let c = r#\"unsafe \" \"#;\nunsafe { b\"unsafe\\\"\" }";
    let code = rust::code_only(source);
    assert_eq!(rust::lines_with_word(&code, "unsafe"), [3]);
    assert_eq!(code.lines().count(), source.lines().count());
}

#[test]
fn lifetimes_and_raw_identifiers_stay_code() {
    let code = rust::code_only("fn f<'a>(r#type: &'a str) -> &'a str { HashMap }");
    assert_eq!(code, "fn f<'a>(r#type: &'a str) -> &'a str { HashMap }");
}

#[test]
fn a_word_is_a_whole_word() {
    assert_eq!(rust::lines_with_word("MyHashMap\nHashMap::new()\nHashMaps", "HashMap"), [2]);
    assert_eq!(rust::lines_with_word("use std::fs;\nuse std::fs_like;", "std::fs"), [1]);
}

#[test]
fn modules_are_found() {
    let code = "pub mod units;\nmod hash;\npub(crate) mod inner;\n#[cfg(test)]\nmod tests;\nmod inline {}";
    assert_eq!(rust::declared_modules(code), ["units", "hash", "inner"]);
}

#[test]
fn fences_and_links_are_found() {
    let page = "# A title: *here*\n[a](b.md#c) `[no](x)`\n```console,check\n$ node\n[no](y)\n```\n";
    let (fences, prose) = markdown::split(page);
    assert_eq!(fences.len(), 1);
    assert_eq!(fences[0].info, "console,check");
    let links: Vec<String> = prose.iter().flat_map(|(_, line)| markdown::links(line)).collect();
    assert_eq!(links, ["b.md#c"]);
    assert_eq!(markdown::anchors(page), ["a-title-here"]);
    assert_eq!(markdown::slug("HDR-01: enough work"), "hdr-01-enough-work");
}

#[test]
fn a_console_block_is_read() {
    let (fences, _) = markdown::split("```console,check,exit=2\n$ true\n$ node nonsense\nerror: …\n```\n");
    let steps = console::steps(&fences[0]);
    assert_eq!((steps[0].exit_code, steps[1].exit_code), (0, 2));
    assert_eq!(steps[1].output, ["error: …"]);
}

#[test]
fn output_is_compared_with_wildcards() {
    assert!(console::matches(&lines("a\nb"), &lines("a  \nb")));
    assert!(!console::matches(&lines("a\nb"), &lines("a")));
    assert!(!console::matches(&lines("a"), &lines("a\nb")));
    assert!(console::matches(&lines("a … z\n…\nend"), &lines("a b c z\n1\n2\nend")));
    assert!(!console::matches(&lines("a … z"), &lines("a b c")));
    assert!(!console::matches(&lines("error: …"), &lines("warning: x")));
    assert!(!console::matches(&lines("ab…ba"), &lines("aba")));
}

#[test]
fn options_are_found_in_text() {
    let found: Vec<String> =
        programs::long_options("  -j, --json  [--log FILTER] --- a--b `--data-dir=X`").into_iter().collect();
    assert_eq!(found, ["--data-dir", "--json", "--log"]);
}
