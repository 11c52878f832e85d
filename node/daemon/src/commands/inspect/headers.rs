//! `node inspect headers`: a line of JSON for each raw header, and a line of sums.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::Work;

use crate::error::CommandError;

#[derive(Serialize)]
struct Line {
    hash: BlockHash,
    prev: BlockHash,
    time: u32,
    bits: String,
    target: Option<String>,
    meets_target: bool,
}

#[derive(Serialize)]
struct Sums {
    count: u64,
    /// Each header names the one before it.
    linked: bool,
    chain_work: Work,
}

/// Reads the headers of a file, or of standard input.
pub(super) fn run(file: &Path) -> Result<(), CommandError> {
    let output = BufWriter::new(io::stdout().lock());
    if file == Path::new("-") {
        return list(io::stdin().lock(), output, "standard input");
    }
    let name = file.display().to_string();
    let input = File::open(file).map_err(|error| CommandError::usage(format!("cannot read {name}: {error}")))?;
    list(BufReader::new(input), output, &name)
}

fn list(mut input: impl BufRead, mut output: impl Write, name: &str) -> Result<(), CommandError> {
    let mut sums = Sums { count: 0, linked: true, chain_work: Work::ZERO };
    let mut last: Option<BlockHash> = None;
    let mut bytes = [0; Header::SIZE];
    while read_one(&mut input, &mut bytes, name)? {
        let header = Header::from_bytes(&bytes);
        let hash = header.hash();
        let target = header.bits.to_target().ok();
        sums.count += 1;
        sums.linked &= last.is_none_or(|last| last == header.prev_block);
        if let Some(target) = &target {
            sums.chain_work += target.work();
        }
        last = Some(hash);
        let line = Line {
            hash,
            prev: header.prev_block,
            time: header.time,
            bits: header.bits.to_string(),
            target: target.map(|target| target.to_string()),
            meets_target: target.is_some_and(|target| target.is_met_by(&hash)),
        };
        if !write_line(&mut output, &line)? {
            return Ok(());
        }
    }
    write_line(&mut output, &sums).map(|_| ())
}

/// Reads one header; false at the end.
fn read_one(input: &mut impl BufRead, bytes: &mut [u8; Header::SIZE], name: &str) -> Result<bool, CommandError> {
    let failed = |error: io::Error| CommandError::usage(format!("cannot read {name}: {error}"));
    if input.fill_buf().map_err(failed)?.is_empty() {
        return Ok(false);
    }
    match input.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(CommandError::usage(format!("{name} ends within a header: headers have {} bytes each", Header::SIZE)))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a line; false if nobody reads any more.
fn write_line(output: &mut impl Write, line: &impl Serialize) -> Result<bool, CommandError> {
    let text = serde_json::to_string(line).map_err(CommandError::failure)?;
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CommandError::failure(format!("cannot write: {error}"))),
    }
}
