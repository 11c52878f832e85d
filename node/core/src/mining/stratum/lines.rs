//! Bytes as they come from a connection, cut into lines.

use crate::mining::stratum::error::DisconnectReason;
use crate::mining::stratum::limits::MAX_LINE_BYTES;

/// What has come and has not been taken. After every [`LineBuffer::push`] all lines are to be taken; then it never holds more
/// than [`MAX_LINE_BYTES`].
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the first line that was not taken begins.
    start: usize,
}

impl LineBuffer {
    /// Bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    ///
    /// # Errors
    /// [`DisconnectReason::LineTooLong`].
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, DisconnectReason> {
        let rest = &self.bytes[self.start..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        if end.unwrap_or(rest.len()) > MAX_LINE_BYTES {
            return Err(DisconnectReason::LineTooLong);
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let line = self.start..self.start + end;
        self.start = line.end + 1;
        Ok(self.bytes.get(line).map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Bytes that are held.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
