//! Walking the flat files from a known point on: after a crash, and when the index is made again.
//!
//! A record that fails its checksum is skipped, and the next good one is searched for: one damaged block costs that
//! block (it is fetched again by its hash), not what stands behind it. Only what follows the last good record is cut
//! off, since a record that was never acknowledged may be torn.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use tally_primitives::hash::BlockHash;

use super::record::{RECORD_HEADER_SIZE, RecordHeader};
use super::{FlatError, FlatFiles, Place, Position};

/// One good record.
#[derive(Debug)]
pub struct Found {
    /// The block it belongs to.
    pub hash: BlockHash,
    /// Where it is.
    pub place: Place,
    /// What it says.
    pub payload: Vec<u8>,
}

/// What a walk met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Good records.
    pub records: u64,
    /// Bytes between good records that are none.
    pub damaged_bytes: u64,
    /// Bytes behind the last good record that were cut off.
    pub cut_bytes: u64,
}

/// How much is read at a time while searching for the next good record, in bytes.
const SEARCH_WINDOW: usize = 64 * 1024;

impl FlatFiles {
    /// Visits every good record at or behind `from`, cuts off what follows the last one, and appends from there on.
    ///
    /// `visit` may stop the walk with an error; nothing is cut then.
    pub fn recover<E: From<FlatError>>(
        &self,
        from: Position,
        mut visit: impl FnMut(Found) -> Result<(), E>,
    ) -> Result<ScanReport, E> {
        let mut report = ScanReport::default();
        let mut end = from;
        let numbers: Vec<u32> = self.numbers()?.into_iter().filter(|number| *number >= from.file).collect();
        for number in &numbers {
            let start = if *number == from.file { from.offset } else { 0 };
            let good = self.scan_file(*number, start, &mut report, &mut visit)?;
            if *number == from.file || good > 0 {
                end = Position { file: *number, offset: good };
            }
        }
        self.cut(&numbers, end, &mut report)?;
        self.lock().end = end;
        Ok(report)
    }

    /// The block of the very first record, if that is a good one.
    pub fn first(&self) -> Result<Option<BlockHash>, FlatError> {
        if self.length_of(0)? == 0 {
            return Ok(None);
        }
        let file = self.file_for_reading(0)?;
        let found = self.record_at(&file, 0, 0).map_err(|source| self.io("reading", 0, source))?;
        Ok(found.map(|found| found.hash))
    }

    /// Whether the files are at least as long as `end` says.
    pub fn reaches(&self, end: Position) -> Result<bool, FlatError> {
        Ok(end.offset == 0 || self.length_of(end.file)? >= end.offset)
    }

    /// Visits the good records of one file; gives the end of the last one.
    fn scan_file<E: From<FlatError>>(
        &self,
        number: u32,
        start: u64,
        report: &mut ScanReport,
        visit: &mut impl FnMut(Found) -> Result<(), E>,
    ) -> Result<u64, E> {
        let length = self.length_of(number)?;
        let mut offset = start;
        let mut good = start;
        if offset >= length {
            return Ok(good.min(length));
        }
        let file = self.file_for_reading(number)?;
        while offset < length {
            let failed = |source| self.io("reading", number, source);
            let found = self.record_at(&file, number, offset).map_err(failed)?;
            let Some(found) = found else {
                let next = self.search(&file, offset + 1).map_err(failed)?;
                offset = next.unwrap_or(length);
                continue;
            };
            report.records += 1;
            report.damaged_bytes += offset - good;
            offset += (RECORD_HEADER_SIZE + found.payload.len()) as u64;
            good = offset;
            visit(found)?;
        }
        Ok(good)
    }

    /// The good record that starts at `offset`, if there is one.
    fn record_at(&self, file: &File, number: u32, offset: u64) -> io::Result<Option<Found>> {
        let mut header = [0; RECORD_HEADER_SIZE];
        if !read_fully(file, &mut header, offset)? {
            return Ok(None);
        }
        let Some(header) = RecordHeader::from_bytes(self.kind, &header) else {
            return Ok(None);
        };
        let Ok(size) = usize::try_from(header.length) else {
            return Ok(None);
        };
        let mut payload = vec![0; size];
        if !read_fully(file, &mut payload, offset + RECORD_HEADER_SIZE as u64)? {
            return Ok(None);
        }
        Ok(header.matches(self.kind, &payload).then_some(Found {
            hash: header.hash,
            place: Place { file: number, offset, length: header.length },
            payload,
        }))
    }

    /// Where the next four bytes that could begin a record stand, at or behind `from`.
    fn search(&self, file: &File, from: u64) -> io::Result<Option<u64>> {
        let magic = self.kind.magic();
        let mut window = vec![0; SEARCH_WINDOW];
        let mut offset = from;
        loop {
            let got = read_some(file, &mut window, offset)?;
            if got < magic.len() {
                return Ok(None);
            }
            let hit = window[..got].windows(magic.len()).position(|bytes| bytes == magic);
            if let Some(at) = hit {
                return Ok(Some(offset + at as u64));
            }
            // The magic may straddle two windows.
            offset += (got - (magic.len() - 1)) as u64;
        }
    }

    /// Removes what stands behind `end`.
    fn cut(&self, numbers: &[u32], end: Position, report: &mut ScanReport) -> Result<(), FlatError> {
        for number in numbers {
            let keep = if *number == end.file { end.offset } else { 0 };
            let length = self.length_of(*number)?;
            if *number < end.file || length <= keep {
                continue;
            }
            report.cut_bytes += length - keep;
            let file = self.file_for_reading(*number)?;
            file.set_len(keep).and_then(|()| file.sync_all()).map_err(|source| self.io("cutting", *number, source))?;
        }
        Ok(())
    }
}

/// Fills `buffer` from `offset`; `false` if the file ends before.
fn read_fully(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads as much of `buffer` as the file has from `offset` on.
fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read_at(&mut buffer[got..], offset + got as u64) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
