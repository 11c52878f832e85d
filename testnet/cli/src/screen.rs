//! Lines that are redrawn in place on a terminal. What was printed before stays above them.

use std::io::{self, Write};

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Size {
    /// The size of the terminal on standard output; a usual one if it does not say.
    pub fn of_stdout() -> Size {
        match rustix::termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
            }
            _ => Size { columns: 80, rows: 24 },
        }
    }
}

/// A terminal on which the last lines are ours.
#[derive(Debug)]
pub struct Screen<W> {
    out: W,
    header: Vec<String>,
    drawn: usize,
    size: Option<Size>,
}

impl<W: Write> Screen<W> {
    /// A screen on which nothing is drawn yet.
    pub fn new(out: W) -> Screen<W> {
        Screen { out, header: Vec::new(), drawn: 0, size: None }
    }

    /// Prints lines that stay, instead of those that were drawn.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn print(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = self.rewind();
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = 0;
        self.header.extend_from_slice(lines);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Draws lines over those that were drawn last. They are cut to the size, for a line that wraps or scrolls could
    /// not be found again. After a change of size everything is drawn afresh, since terminals differ in what they do
    /// with the old lines.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, lines: &[String], size: Size) -> io::Result<()> {
        let mut text = if self.drawn > 0 && self.size != Some(size) {
            format!("\x1b[2J\x1b[H{}\n", self.header.join("\n"))
        } else {
            self.rewind()
        };
        let room = size.rows.saturating_sub(1).max(1);
        let shown = if lines.len() > room { &lines[..room - 1] } else { lines };
        for line in shown {
            text.push_str(&fit(line, size.columns));
            text.push('\n');
        }
        self.drawn = shown.len();
        if shown.len() < lines.len() {
            let note = format!("… {} more lines: make the window taller", lines.len() - shown.len());
            text.push_str(&fit(&note, size.columns));
            text.push('\n');
            self.drawn += 1;
        }
        self.size = Some(size);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Moves to the first drawn line, and clears from there.
    fn rewind(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\r\x1b[{}A\x1b[J", self.drawn) }
    }
}

/// Cuts a line to a number of characters; escape sequences do not count, and a style never leaks out.
fn fit(line: &str, columns: usize) -> String {
    let mut fitted = String::with_capacity(line.len());
    let (mut seen, mut styled) = (0, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            styled = true;
            fitted.push(c);
            for c in chars.by_ref() {
                fitted.push(c);
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
            continue;
        }
        if seen == columns {
            if styled {
                fitted.push_str("\x1b[0m");
            }
            break;
        }
        fitted.push(c);
        seen += 1;
    }
    fitted
}

#[cfg(test)]
mod tests;
