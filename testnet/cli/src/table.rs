//! The report for people.

use anstyle::{AnsiColor, Style};

use crate::report::{NodeReport, Report};

const HEADINGS: [&str; 7] = ["node", "peers", "height", "tip", "mempool", "RPC", "pid"];

/// Columns of numbers stand to the right.
const RIGHT: [bool; 7] = [false, true, true, false, true, false, true];

/// Styles, or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Colours {
    on: bool,
}

impl Colours {
    /// Colours if `on`.
    pub fn new(on: bool) -> Colours {
        Colours { on }
    }

    /// Text of no weight.
    pub fn faint(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Text that stands out.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// Something is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// Something is not right yet.
    pub fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// One line for the headings, one for each node, and one that says where miners connect. A node that is not at the tip of the most is marked.
pub fn lines(report: &Report, colours: Colours) -> Vec<String> {
    let rows: Vec<[String; 7]> = report.nodes.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let mut lines = vec![colours.faint(&line(&HEADINGS.map(str::to_owned), &widths))];
    let common = common_tip(report);
    for (row, node) in rows.iter().zip(&report.nodes) {
        let text = line(row, &widths);
        lines.push(match node.tip {
            None => colours.bad(&text),
            tip if tip != common => colours.warning(&text),
            _ => text,
        });
    }
    let miners =
        report.nodes.iter().filter_map(|node| Some(format!("  miners: {} ({})", node.stratum.as_ref()?, node.name)));
    lines.extend(miners);
    lines
}

/// The tip at which most nodes are.
pub fn common_tip(report: &Report) -> Option<tally_primitives::hash::BlockHash> {
    let tips = report.nodes.iter().filter_map(|node| node.tip);
    tips.max_by_key(|tip| report.nodes.iter().filter(|node| node.tip == Some(*tip)).count())
}

fn cells(node: &NodeReport) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let tip = match (node.pid, node.tip) {
        (None, _) => "does not run".to_owned(),
        (Some(_), None) => "does not answer".to_owned(),
        (Some(_), Some(tip)) => short(&tip.to_string()),
    };
    [
        node.name.clone(),
        or_dash(node.peers.map(|peers| peers.to_string())),
        or_dash(node.height.map(|height| height.to_string())),
        tip,
        or_dash(node.waiting.map(|waiting| waiting.to_string())),
        or_dash(node.rpc.clone()),
        or_dash(node.pid.map(|pid| pid.to_string())),
    ]
}

/// A hash for people: its zeros show the work, its end tells it from others.
pub fn short(hash: &str) -> String {
    match (hash.get(..10), hash.get(hash.len().saturating_sub(8)..)) {
        (Some(start), Some(end)) if hash.len() > 20 => format!("{start}…{end}"),
        _ => hash.to_owned(),
    }
}

fn line(cells: &[String; 7], widths: &[usize]) -> String {
    let mut line = String::new();
    for ((cell, width), right) in cells.iter().zip(widths).zip(RIGHT) {
        let width = *width;
        line.push_str("  ");
        line.push_str(&if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
