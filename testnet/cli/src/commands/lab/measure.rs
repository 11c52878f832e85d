//! The labs that measure something: run on all cores, compared with theory, drawn, and printed.

use std::fs;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::{Map, Value};
use tally_sim::labs::{Lab, LabReport, Row};

use crate::args::lab::MeasureArgs;
use crate::commands::{print_json, print_line};
use crate::error::Error;
use crate::{progress, svg};

pub(super) fn run(args: &MeasureArgs, lab: &impl Lab) -> Result<(), Error> {
    let bar = progress::bar("worlds", lab.runs() as u64, args.json);
    let one = |number| {
        let sample = lab.run(number);
        bar.inc(1);
        sample
    };
    // Collected in order, so the number of threads changes nothing.
    let samples = (0..lab.runs()).into_par_iter().map(one).collect();
    bar.finish_and_clear();
    let report = lab.conclude(samples);
    let drawn = draw(args, &report)?;
    if args.json {
        print_json(&to_json(&report))?;
    } else {
        tell(&report)?;
        if let Some(path) = drawn {
            print_line(&format!("plot: {path}"))?;
        }
    }
    if report.pass() { Ok(()) } else { Err(Error::LabFailed { lab: report.lab }) }
}

/// Draws the plot; returns where.
fn draw(args: &MeasureArgs, report: &LabReport) -> Result<Option<String>, Error> {
    if args.no_plot {
        return Ok(None);
    }
    let path = args.plot.clone().unwrap_or_else(|| format!("lab-{}.svg", report.lab).into());
    fs::write(&path, svg::draw(&report.plot)).map_err(Error::file("write", &path))?;
    Ok(Some(path.display().to_string()))
}

/// The shape of `--json`: the last row is the headline, and all rows follow.
fn to_json(report: &LabReport) -> Value {
    let mut object = Map::new();
    object.insert("lab".to_owned(), report.lab.into());
    object.insert("seed".to_owned(), report.seed.into());
    if let Some(row) = report.rows.last() {
        object.extend(figures(row));
    }
    object.insert("pass".to_owned(), report.pass().into());
    let rows = report.rows.iter().map(|row| {
        let mut object = Map::from_iter([(report.parameter.to_owned(), row.at.into())]);
        object.extend(figures(row));
        object.extend(row.more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        Value::Object(object)
    });
    object.insert("rows".to_owned(), rows.collect());
    Value::Object(object)
}

fn figures(row: &Row) -> [(String, Value); 4] {
    let (low, high) = row.interval;
    [
        ("measured".to_owned(), row.measured.into()),
        ("theory".to_owned(), row.theory.into()),
        ("interval".to_owned(), vec![low, high].into()),
        ("pass".to_owned(), row.pass.into()),
    ]
}

fn tell(report: &LabReport) -> Result<(), Error> {
    print_line(&format!("{}: {}", report.lab, report.quantity))?;
    let heading = [report.parameter, "measured", "95 % interval", "theory", ""];
    let mut table: Vec<Vec<String>> = vec![heading.map(str::to_owned).to_vec()];
    for row in &report.rows {
        let interval = format!("{} … {}", number(row.interval.0), number(row.interval.1));
        let cells = [number(row.at), number(row.measured), interval, number(row.theory), verdict(row.pass).to_owned()];
        table.push(cells.to_vec());
    }
    aligned(&table).iter().try_for_each(|line| print_line(line))?;
    tell_more(report)?;
    print_line(&format!("{}: {}", verdict(report.pass()), report.rule))
}

/// The further figures, in a table of their own.
fn tell_more(report: &LabReport) -> Result<(), Error> {
    let Some(first) = report.rows.first().filter(|row| !row.more.is_empty()) else {
        return Ok(());
    };
    let names = first.more.iter().map(|(name, _)| (*name).to_owned());
    let mut table: Vec<Vec<String>> = vec![std::iter::once(report.parameter.to_owned()).chain(names).collect()];
    for row in &report.rows {
        let figures = row.more.iter().map(|(_, value)| number(*value));
        table.push(std::iter::once(number(row.at)).chain(figures).collect());
    }
    print_line("")?;
    aligned(&table).iter().try_for_each(|line| print_line(line))?;
    print_line("")
}

fn verdict(pass: bool) -> &'static str {
    if pass { "PASS" } else { "FAIL" }
}

/// Columns of numbers, to the right.
fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column).unwrap_or(0);
            format!("{cell:>width$}")
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

/// Four digits that count, and no more.
fn number(value: f64) -> String {
    let digits = if value == 0.0 || value.fract() == 0.0 {
        0
    } else {
        match value.abs() {
            large if large >= 1_000.0 => 0,
            large if large >= 100.0 => 1,
            large if large >= 10.0 => 2,
            large if large >= 1.0 => 3,
            _ => 4,
        }
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests;
