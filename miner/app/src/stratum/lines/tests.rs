use super::{LINE_MAX_BYTES, Lines};
use std::io::{self, Read};

/// Gives out its bytes in pieces of this size.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(self.0.len()).min(buffer.len());
        let (now, later) = self.0.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.0 = later;
        Ok(size)
    }
}

#[test]
fn lines_are_the_same_in_whatever_pieces_they_come() {
    let text = b"one\ntwo\r\n\n\xff\xfe\nunfinished";
    for size in 1..=text.len() {
        let mut lines = Lines::new(Pieces(text, size));
        for expected in [&b"one"[..], b"two", b"", b"\xff\xfe"] {
            assert_eq!(lines.next_line().unwrap().as_deref(), Some(expected), "pieces of {size}");
        }
        assert_eq!(lines.next_line().unwrap(), None);
    }
}

#[test]
fn a_line_without_an_end_is_given_up() {
    let mut lines = Lines::new(io::repeat(b'x'));
    let error = lines.next_line().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(lines.buffer.len() < 2 * LINE_MAX_BYTES, "{} bytes kept", lines.buffer.len());
}

#[test]
fn the_longest_line_is_read() {
    let mut text = vec![b'x'; LINE_MAX_BYTES];
    text.push(b'\n');
    let mut lines = Lines::new(Pieces(&text, 1000));
    assert_eq!(lines.next_line().unwrap().map(|line| line.len()), Some(LINE_MAX_BYTES));
}
