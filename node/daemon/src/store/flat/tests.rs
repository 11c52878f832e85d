//! Flat files: what is written is read, and a torn or damaged record costs itself only.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use tally_primitives::hash::BlockHash;
use tempfile::TempDir;

use super::record::RECORD_HEADER_SIZE;
use super::{FlatError, FlatFiles, Found, Kind, Place, Position, ScanReport};

fn hash(number: u8) -> BlockHash {
    BlockHash::from_bytes([number; 32])
}

fn payload(number: u8) -> Vec<u8> {
    vec![number; 100 + usize::from(number)]
}

fn open(directory: &TempDir, limit: u64) -> FlatFiles {
    FlatFiles::open(directory.path(), Kind::Block, Position::default(), limit)
}

fn write(files: &FlatFiles, count: u8) -> Vec<Place> {
    let places = (0..count).map(|number| files.append(&hash(number), &payload(number)).unwrap()).collect();
    files.sync().unwrap();
    places
}

fn recover(files: &FlatFiles) -> (Vec<BlockHash>, ScanReport) {
    let mut found = Vec::new();
    let report = files
        .recover(Position::default(), |record: Found| {
            found.push(record.hash);
            Ok::<_, FlatError>(())
        })
        .unwrap();
    (found, report)
}

fn flip(directory: &TempDir, file: u32, offset: u64) {
    let path = directory.path().join(Kind::Block.file_name(file));
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
}

#[test]
fn records_are_read_back_and_files_roll() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 300);
    let places = write(&files, 10);
    assert!(places.last().unwrap().file >= 3, "{places:?}");
    for (number, place) in (0..).zip(&places) {
        assert_eq!(files.read(place, &hash(number)).unwrap(), payload(number));
    }
    let again = open(&directory, 300);
    let (found, report) = recover(&again);
    assert_eq!(found, (0..10).map(hash).collect::<Vec<_>>());
    assert_eq!(report.cut_bytes + report.damaged_bytes, 0);
    assert_eq!(again.end(), files.end());
}

#[test]
fn reading_another_blocks_place_is_refused() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 1 << 20);
    let places = write(&files, 2);
    let error = files.read(&places[0], &hash(1)).unwrap_err();
    assert!(matches!(error, FlatError::Damaged { .. }), "{error}");
}

#[test]
fn a_torn_tail_is_cut_at_every_length() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 1 << 20);
    let places = write(&files, 3);
    let last = places[2];
    let whole = last.offset + (RECORD_HEADER_SIZE + payload(2).len()) as u64;
    let path = directory.path().join(Kind::Block.file_name(0));
    let bytes = std::fs::read(&path).unwrap();
    for length in last.offset..whole {
        std::fs::write(&path, &bytes[..usize::try_from(length).unwrap()]).unwrap();
        let again = open(&directory, 1 << 20);
        let (found, report) = recover(&again);
        assert_eq!(found, vec![hash(0), hash(1)], "length {length}");
        assert_eq!(report.cut_bytes, length - last.offset);
        assert_eq!(again.end().offset, last.offset);
        let place = again.append(&hash(9), &payload(9)).unwrap();
        assert_eq!(again.read(&place, &hash(9)).unwrap(), payload(9));
    }
}

#[test]
fn one_flipped_bit_costs_one_record() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 1 << 20);
    let places = write(&files, 4);
    let path = directory.path().join(Kind::Block.file_name(0));
    let bytes = std::fs::read(&path).unwrap();
    let size = (RECORD_HEADER_SIZE + payload(1).len()) as u64;
    for offset in places[1].offset..places[1].offset + size {
        std::fs::write(&path, &bytes).unwrap();
        flip(&directory, 0, offset);
        let again = open(&directory, 1 << 20);
        let error = again.read(&places[1], &hash(1)).unwrap_err();
        assert!(matches!(error, FlatError::Damaged { .. }), "{error}");
        let (found, report) = recover(&again);
        assert_eq!(found, vec![hash(0), hash(2), hash(3)], "byte {offset}");
        assert_eq!(report.damaged_bytes, size);
        assert_eq!(report.cut_bytes, 0);
    }
}

#[test]
fn a_payload_beyond_the_limit_is_refused() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 1 << 20);
    let long = vec![0; super::record::MAX_PAYLOAD_SIZE + 1];
    let error = files.append(&hash(1), &long).unwrap_err();
    assert!(matches!(error, FlatError::TooLong { .. }), "{error}");
    assert_eq!(files.end(), Position::default());
}

#[test]
fn a_file_cut_short_does_not_reach_its_recorded_end() {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, 1 << 20);
    write(&files, 2);
    let end = files.end();
    assert!(files.reaches(end).unwrap());
    let path = directory.path().join(Kind::Block.file_name(0));
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(end.offset - 1).unwrap();
    assert!(!files.reaches(end).unwrap());
}
