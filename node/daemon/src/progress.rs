//! How far something is: a bar on a terminal, a log line now and then otherwise.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a log line tells the progress where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// A progress bar that may be shown and hidden; clones are the same bar.
#[derive(Clone)]
pub struct Bar {
    bar: ProgressBar,
    terminal: bool,
    last_line: Arc<Mutex<Option<Instant>>>,
}

impl Bar {
    /// A bar that is not shown yet. Without a terminal (or where output is for machines) it never will be.
    pub fn new(for_machines: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !for_machines;
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, terminal, last_line: Arc::new(Mutex::new(None)) }
    }

    /// Shows `done` of `total` under a name.
    pub fn set(&self, what: &'static str, done: u64, total: u64) {
        if self.terminal {
            if self.bar.is_hidden() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            self.bar.set_message(what);
            self.bar.set_length(total);
            self.bar.set_position(done);
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= LINE_INTERVAL) {
            *last = Some(Instant::now());
            tracing::info!(done, total, "{what}");
        }
    }

    /// Hides it.
    pub fn clear(&self) {
        if self.terminal {
            self.bar.finish_and_clear();
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
            self.bar.reset();
        }
        *self.last_line.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Runs something that writes to the terminal while the bar is out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}
