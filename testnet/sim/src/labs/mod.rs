//! Labs: a question about networks, many small worlds that answer it, and a theory to compare the answer with.
//!
//! A lab is a number of independent runs, each a function of its number and the lab's seed, and a conclusion from all of them. Who runs
//! them (on one core or on many) changes nothing.
//!
//! | file | what |
//! |---|---|
//! | here | what a lab is and what it reports |
//! | [`statistics`] | means with their intervals |
//! | [`gossip`], [`flood`] | what it costs to tell everybody; a network that floods |
//! | [`latency`] | how many blocks are lost because news travels slowly |
//! | [`partition`] | what dies when two halves meet again |

pub mod flood;
pub mod gossip;
pub mod latency;
pub mod partition;
pub mod statistics;

use tally_node_core::random::Random;

/// A question, and how to answer it.
pub trait Lab: Sync {
    /// What one run finds out.
    type Sample: Send;
    /// How many independent runs there are.
    fn runs(&self) -> usize;
    /// One of them.
    fn run(&self, number: usize) -> Self::Sample;
    /// What follows from all, in the order of their numbers.
    fn conclude(&self, samples: Vec<Self::Sample>) -> LabReport;
}

/// How much a lab does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The source of all randomness.
    pub seed: u64,
    /// Worlds for each point.
    pub worlds: usize,
}

impl Effort {
    /// The seed of one run.
    #[must_use]
    pub(crate) fn seed_of(self, run: usize) -> u64 {
        let mut random = Random::new(self.seed ^ (run as u64).wrapping_mul(0xa076_1d64_78bd_642f));
        random.next_u64()
    }
}

/// A figure, what it should be, and whether that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where on the swept axis.
    pub at: f64,
    /// What was measured.
    pub measured: f64,
    /// What the theory says.
    pub theory: f64,
    /// The 95 % interval of what was measured.
    pub interval: (f64, f64),
    /// Whether they fit, by the lab's rule.
    pub pass: bool,
    /// More figures, with their names.
    pub more: Vec<(&'static str, f64)>,
}

/// What a lab found.
#[derive(Clone, Debug, PartialEq)]
pub struct LabReport {
    /// The lab.
    pub lab: &'static str,
    /// Its seed.
    pub seed: u64,
    /// What was swept.
    pub parameter: &'static str,
    /// What was measured, in words.
    pub quantity: &'static str,
    /// When a row passes, in words.
    pub rule: &'static str,
    /// A row for each point. The last is the headline.
    pub rows: Vec<Row>,
    /// How to draw it.
    pub plot: Plot,
}

impl LabReport {
    /// Whether every row passes.
    #[must_use]
    pub fn pass(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.pass)
    }
}

/// A drawing: axes and what lies between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The title.
    pub title: &'static str,
    /// What runs to the right.
    pub x: Axis,
    /// What runs upwards.
    pub y: Axis,
    /// The lines and dots.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it measures, with the unit.
    pub label: &'static str,
    /// Whether equal steps are equal factors.
    pub logarithmic: bool,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: &'static str,
    /// Where it runs, left to right, each with its interval where it has one.
    pub points: Vec<Point>,
    /// A line for a theory, dots for what was measured.
    pub is_line: bool,
}

/// A point of a drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// How far it could be off.
    pub interval: Option<(f64, f64)>,
}

impl Series {
    /// What was measured at each row, with intervals.
    #[must_use]
    pub fn measured(rows: &[Row]) -> Series {
        let point = |row: &Row| Point { x: row.at, y: row.measured, interval: Some(row.interval) };
        Series { name: "measured", points: rows.iter().map(point).collect(), is_line: false }
    }

    /// One of the further figures of each row, as dots or as a line.
    #[must_use]
    pub fn more(rows: &[Row], figure: &str, name: &'static str, is_line: bool) -> Series {
        let value = |row: &Row| row.more.iter().find(|(name, _)| *name == figure).map(|(_, value)| *value);
        let point = |row: &Row| value(row).map(|y| Point { x: row.at, y, interval: None });
        Series { name, points: rows.iter().filter_map(point).collect(), is_line }
    }

    /// A curve through equally spaced (or equally scaled) points.
    pub fn curve(name: &'static str, axis: Axis, from: f64, to: f64, value: impl Fn(f64) -> f64) -> Series {
        const POINTS: u32 = 60;
        let at = |step: u32| {
            let part = f64::from(step) / f64::from(POINTS);
            if axis.logarithmic { from * (to / from).powf(part) } else { from + (to - from) * part }
        };
        let points = (0..=POINTS).map(at).map(|x| Point { x, y: value(x), interval: None }).collect();
        Series { name, points, is_line: true }
    }
}
