//! Medians beside their targets, as text and as JSON.

use std::fmt;

use serde::Serialize;

/// One scenario's measurements.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Who is connected to whom.
    pub topology: &'static str,
    /// The median, from submission to the last node, in milliseconds.
    pub median_ms: f64,
    /// The fastest round.
    pub min_ms: f64,
    /// The slowest round.
    pub max_ms: f64,
    /// What it is to stay below.
    pub target_ms: Option<f64>,
    /// Whether the median does.
    pub pass: Option<bool>,
    /// The median CPU time of all nodes together.
    pub cpu_ms: f64,
    /// All rounds.
    pub samples_ms: Vec<f64>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    rounds: u32,
    transactions: usize,
    rows: Vec<Row>,
}

impl Report {
    /// An empty one.
    pub fn new(rounds: u32, transactions: usize) -> Report {
        Report { rounds, transactions, rows: Vec::new() }
    }

    /// Adds a scenario: of each round the time to the last node and the CPU time, in milliseconds.
    pub fn add(&mut self, name: &str, topology: &'static str, target_ms: Option<f64>, samples: &[(f64, f64)]) {
        let times: Vec<f64> = samples.iter().map(|(time, _)| round(*time)).collect();
        let median_ms = median(times.clone());
        self.rows.push(Row {
            name: name.to_owned(),
            topology,
            median_ms,
            min_ms: times.iter().copied().fold(f64::INFINITY, f64::min),
            max_ms: times.iter().copied().fold(0.0, f64::max),
            target_ms,
            pass: target_ms.map(|target| median_ms <= target),
            cpu_ms: median(samples.iter().map(|(_, cpu)| round(*cpu)).collect()),
            samples_ms: times,
        });
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "five nodes, {} rounds, blocks of {} transactions; milliseconds", self.rounds, self.transactions)?;
        writeln!(f, "{:<28} {:<5} {:>8} {:>8} {:>8} {:>8}  {:>7}", "", "", "median", "min", "max", "target", "CPU")?;
        for row in &self.rows {
            let target = row.target_ms.map_or_else(String::new, |target| format!("{target}"));
            let verdict = row.pass.map_or("", |pass| if pass { "PASS" } else { "FAIL" });
            writeln!(
                f,
                "{:<28} {:<5} {:>8.2} {:>8.2} {:>8.2} {:>8}  {:>7.1} {verdict}",
                row.name, row.topology, row.median_ms, row.min_ms, row.max_ms, target, row.cpu_ms
            )?;
        }
        Ok(())
    }
}

fn round(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
