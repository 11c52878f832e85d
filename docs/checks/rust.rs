//! Rust source as the style tests see it: code without comments and literals.

/// Blanks out comments, string literals and character literals, so that a word found in the result is code. Line breaks stay, so line
/// numbers do too.
///
/// It knows line and nested block comments, escapes, byte and raw strings. A lifetime is told from a character literal by its missing quote.
pub fn code_only(source: &str) -> String {
    let bytes: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match literal_or_comment_end(&bytes, at) {
            Some(end) => end,
            None => {
                out.push(bytes[at]);
                at += 1;
                continue;
            }
        };
        for character in &bytes[at..end] {
            out.push(if *character == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `None` when none starts there.
fn literal_or_comment_end(text: &[char], at: usize) -> Option<usize> {
    match (text[at], text.get(at + 1)) {
        ('/', Some('/')) => Some(position(text, at, |rest| rest[0] == '\n')),
        ('/', Some('*')) => Some(block_comment_end(text, at)),
        ('"', _) => Some(quoted_end(text, at + 1, '"')),
        ('\'', Some('\\')) => Some(quoted_end(text, at + 1, '\'')),
        ('\'', Some(_)) if text.get(at + 2) == Some(&'\'') => Some(at + 3),
        ('r', Some('"' | '#')) if !is_word_before(text, at) => raw_string_end(text, at + 1),
        ('b', Some('r')) if !is_word_before(text, at) => raw_string_end(text, at + 2),
        _ => None,
    }
}

fn is_word_before(text: &[char], at: usize) -> bool {
    at > 0 && is_word_character(text[at - 1]) && text[at - 1] != 'b'
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn position(text: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (from..text.len()).find(|at| is_end(&text[*at..])).unwrap_or(text.len())
}

fn block_comment_end(text: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn quoted_end(text: &[char], start: usize, quote: char) -> usize {
    let mut at = start;
    while at < text.len() {
        if text[at] == '\\' {
            at += 2;
        } else if text[at] == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    text.len()
}

fn raw_string_end(text: &[char], after_r: usize) -> Option<usize> {
    let hashes = text[after_r..].iter().take_while(|character| **character == '#').count();
    let open = after_r + hashes;
    if text.get(open) != Some(&'"') {
        return None; // `r#type`: a raw identifier
    }
    let closes = |rest: &[char]| rest[0] == '"' && rest.iter().skip(1).take_while(|c| **c == '#').count() >= hashes;
    Some((position(text, open + 1, closes) + 1 + hashes).min(text.len()))
}

/// The 1-based lines of `code` in which `word` stands as a whole word. A word may hold punctuation, as `std::fs` does.
pub fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    code.lines().enumerate().filter(|(_, line)| has_word(line, word)).map(|(index, _)| index + 1).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_word_character) && !after.is_some_and(is_word_character)
    })
}

/// The modules that a file declares with `mod name;`, `tests` left out.
pub fn declared_modules(code: &str) -> Vec<String> {
    code.lines()
        .filter_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
        })
        .filter(|name| name != "tests")
        .collect()
}

/// The `//!` lines at the top of a file, without their marks.
pub fn opening_comment(source: &str) -> String {
    source.lines().map_while(|line| line.strip_prefix("//!")).collect::<Vec<_>>().join("\n")
}
