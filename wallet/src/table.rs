//! Tables for people: columns as wide as their widest cell, two spaces between them.

/// How a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// The table's lines, the heading first; nothing but the heading if there are no rows.
pub fn render<const N: usize>(heading: [(&str, Align); N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = core::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                line.push_str("  ");
            }
            let width = widths[column];
            line.push_str(&match heading[column].1 {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(heading.map(|(title, _)| title))];
    lines.extend(rows.iter().map(|row| line(core::array::from_fn(|column| row[column].as_str()))));
    lines.join("\n")
}

#[cfg(test)]
mod tests;
