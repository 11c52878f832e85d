//! Drawings of what labs found: two axes, lines for theories, dots with intervals for what was measured. Colours and greys that can be
//! read on white and on black, and no background.

use std::fmt::Write;

use tally_sim::labs::{Axis, Plot, Point, Series};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;

/// Axes, grid and text.
const GREY: &str = "#808080";
const COLOURS: [&str; 4] = ["#1f8fd6", "#d9702b", "#2f9e5b", "#a05fc4"];

/// Steps between marks that people like to read.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];
/// Marks on an axis, about.
const MARKS: f64 = 6.0;

/// An axis laid out: what it covers, and where it is drawn.
struct Scale {
    axis: Axis,
    low: f64,
    high: f64,
    /// Where the low end is drawn, and the high end.
    from: f64,
    to: f64,
}

impl Scale {
    fn new(axis: Axis, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Scale {
        let usable = values.filter(|value| value.is_finite() && (!axis.logarithmic || *value > 0.0));
        let (low, high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low > high { (0.1, 1.0) } else { (low, high) };
        // Shares and counts start at zero; a little air above.
        let (low, high) = if axis.logarithmic { (low * 0.8, high * 1.25) } else { (low.min(0.0), high * 1.05) };
        let high = if high > low { high } else { low + 1.0 };
        Scale { axis, low, high, from, to }
    }

    /// Where a value is drawn; outside of the axis it is drawn at its end.
    fn place(&self, value: f64) -> f64 {
        let part = if self.axis.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values to be marked.
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates, and an axis has few marks")]
    fn marks(&self) -> Vec<f64> {
        if self.axis.logarithmic {
            let tens = (self.low.log10().floor() as i32)..=(self.high.log10().ceil() as i32);
            let all = tens.flat_map(|exponent| STEPS.map(|step| step * 10f64.powi(exponent)));
            return all.filter(|mark| (self.low..=self.high).contains(mark)).collect();
        }
        let rough = (self.high - self.low) / MARKS;
        let ten = 10f64.powf(rough.log10().floor());
        let step = STEPS.into_iter().map(|step| step * ten).find(|step| *step >= rough).unwrap_or(10.0 * ten);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|number| number as f64 * step).collect()
    }
}

/// The drawing as SVG.
pub fn draw(plot: &Plot) -> String {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let heights = points().flat_map(|point| [Some(point.y), point.interval.map(|(_, high)| high)]).flatten();
    let x = Scale::new(plot.x, points().map(|point| point.x), LEFT, WIDTH - RIGHT);
    let y = Scale::new(plot.y, heights, HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"{GREY}\">\n<title>{title}</title>\n",
        title = escape(plot.title)
    );
    text(&mut svg, (LEFT, TOP - 18.0), "start", plot.title);
    axes(&mut svg, &x, &y);
    for (number, series) in plot.series.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        if series.is_line {
            line(&mut svg, series, &x, &y, colour);
        } else {
            series.points.iter().for_each(|point| dot(&mut svg, point, &x, &y, colour));
        }
        legend(&mut svg, number, series, colour);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String, x: &Scale, y: &Scale) {
    for mark in x.marks() {
        let at = x.place(mark);
        rule(svg, (at, y.from), (at, y.to), 0.25);
        text(svg, (at, y.from + 18.0), "middle", &label(mark));
    }
    for mark in y.marks() {
        let at = y.place(mark);
        rule(svg, (x.from, at), (x.to, at), 0.25);
        text(svg, (x.from - 8.0, at + 4.0), "end", &label(mark));
    }
    rule(svg, (x.from, y.from), (x.to, y.from), 1.0);
    rule(svg, (x.from, y.from), (x.from, y.to), 1.0);
    text(svg, ((x.from + x.to) / 2.0, HEIGHT - 14.0), "middle", x.axis.label);
    let middle = (y.from + y.to) / 2.0;
    let _ = writeln!(
        svg,
        "<text x=\"18\" y=\"{middle:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {middle:.1})\">{}</text>",
        escape(y.axis.label)
    );
}

fn line(svg: &mut String, series: &Series, x: &Scale, y: &Scale, colour: &str) {
    let places: Vec<String> =
        series.points.iter().map(|point| format!("{:.1},{:.1}", x.place(point.x), y.place(point.y))).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
        places.join(" ")
    );
}

fn dot(svg: &mut String, point: &Point, x: &Scale, y: &Scale, colour: &str) {
    let (left, top) = (x.place(point.x), y.place(point.y));
    if let Some((low, high)) = point.interval {
        let (low, high) = (y.place(low), y.place(high));
        let _ = writeln!(
            svg,
            "<path d=\"M{left:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h8M{:.1} {high:.1}h8\" stroke=\"{colour}\"/>",
            left - 4.0,
            left - 4.0
        );
    }
    let _ = writeln!(svg, "<circle cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
}

fn legend(svg: &mut String, number: usize, series: &Series, colour: &str) {
    let top = TOP + 12.0 + 18.0 * number as f64;
    let left = LEFT + 16.0;
    if series.is_line {
        let _ = writeln!(svg, "<path d=\"M{left} {top}h22\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
    } else {
        let _ = writeln!(svg, "<circle cx=\"{}\" cy=\"{top}\" r=\"3.5\" fill=\"{colour}\"/>", left + 11.0);
    }
    text(svg, (left + 30.0, top + 4.0), "start", series.name);
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64), opacity: f64) {
    let _ = writeln!(
        svg,
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{GREY}\" stroke-opacity=\"{opacity}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>", at.0, at.1, escape(text));
}

/// A mark's number, without digits that say nothing.
fn label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{rounded}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
