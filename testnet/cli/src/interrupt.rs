//! Ctrl-C, SIGTERM and SIGHUP, as messages.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::error::Error;

/// Receives one message for each signal.
#[derive(Debug)]
pub struct Interrupts {
    receiver: Receiver<()>,
}

impl Interrupts {
    /// Catches the signals of this process from now on.
    ///
    /// # Errors
    /// If they are caught already, or the system refuses.
    pub fn catch() -> Result<Interrupts, Error> {
        let (sender, interrupts) = Interrupts::channel();
        // When the receiver is gone, the program is ending anyway.
        ctrlc::set_handler(move || {
            let _ = sender.send(());
        })
        .map_err(|error| Error::System { what: "to catch Ctrl-C", reason: error.to_string() })?;
        Ok(interrupts)
    }

    /// Interrupts that come from a sender.
    pub fn channel() -> (Sender<()>, Interrupts) {
        let (sender, receiver) = channel();
        (sender, Interrupts { receiver })
    }

    /// Waits, and says whether it was interrupted.
    pub fn wait(&self, time: Duration) -> bool {
        match self.receiver.recv_timeout(time) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                // No signal can come any more; the time still has to pass.
                std::thread::sleep(time);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
