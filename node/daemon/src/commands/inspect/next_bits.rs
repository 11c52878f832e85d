//! `node inspect next-bits`: the difficulty rule by itself, line by line.

use std::io::{self, BufRead, Write};

use tally_consensus::difficulty::asert;
use tally_primitives::pow::{CompactTarget, Target};

use crate::args::NextBitsArgs;
use crate::error::CommandError;

/// Reads `time_difference height_difference` lines, writes one compact target for each.
pub(super) fn run(args: &NextBitsArgs) -> Result<(), CommandError> {
    let anchor = target("--anchor-bits", &args.anchor_bits)?;
    let limit = target("--limit", &args.limit)?;
    if args.half_life == 0 || args.spacing == 0 {
        return Err(CommandError::usage("--half-life and --spacing must be at least 1"));
    }
    let mut output = io::BufWriter::new(io::stdout().lock());
    for (number, line) in (1u64..).zip(io::stdin().lock().lines()) {
        let line = line.map_err(|error| CommandError::usage(format!("cannot read standard input: {error}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let (time, height) = differences(&line).ok_or_else(|| {
            CommandError::usage(format!("line {number} is not `time_difference height_difference`: {line:?}"))
        })?;
        let bits = asert(anchor, args.spacing, args.half_life, time, height, limit);
        match writeln!(output, "{bits}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome.map_err(|error| CommandError::failure(format!("cannot write: {error}")))?,
        }
    }
    output.flush().or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(CommandError::failure(format!("cannot write: {error}"))),
    })
}

fn differences(line: &str) -> Option<(i64, i64)> {
    let mut words = line.split_whitespace();
    let (time, height) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some((time, height))
}

fn target(option: &str, text: &str) -> Result<Target, CommandError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bits = u32::from_str_radix(digits, 16)
        .map_err(|_| CommandError::usage(format!("{option} is a compact target such as 0x1d00ffff, not {text:?}")))?;
    let target = CompactTarget::from_bits(bits).to_target();
    target.map_err(|error| CommandError::usage(format!("{option} {text}: {error}")))
}
