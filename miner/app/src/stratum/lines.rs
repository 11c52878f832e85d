//! Lines from a stream of bytes, of bounded length.

use std::io::{self, Read};

/// The longest line a server may send. The largest that make sense are jobs of pools that pay hundreds in the coinbase.
pub const LINE_MAX_BYTES: usize = 128 * 1024;

/// Bytes read at once.
const CHUNK: usize = 4096;

/// Reads lines.
#[derive(Debug)]
pub struct Lines<R> {
    stream: R,
    /// What was read and not yet handed out.
    buffer: Vec<u8>,
    /// So much of the buffer has no line break.
    searched: usize,
}

impl<R: Read> Lines<R> {
    /// The lines of this stream.
    pub fn new(stream: R) -> Lines<R> {
        Lines { stream, buffer: Vec::new(), searched: 0 }
    }

    /// The next line, without its line break; `None` at the end of the stream (an unfinished line is no line).
    ///
    /// # Errors
    /// The stream's own, or [`io::ErrorKind::InvalidData`] for a line that is too long.
    pub fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end.map(|end| end + self.searched) {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                self.searched = 0;
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE_MAX_BYTES {
                let reason = format!("it has sent a line of more than {LINE_MAX_BYTES} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            let mut chunk = [0; CHUNK];
            let count = match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if count == 0 {
                return Ok(None);
            }
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }
}

#[cfg(test)]
mod tests;
