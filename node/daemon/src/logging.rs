//! Logs on standard error: text for people, with colour on a terminal alone, or JSON for machines.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogConfig;
use crate::error::CommandError;
use crate::progress::Bar;

/// Starts logging for the process. Lines go past `bar`, so that they do not tear it.
///
/// # Errors
/// If the filter makes no sense.
pub fn start(config: &LogConfig, bar: &Bar) -> Result<(), CommandError> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|error| CommandError::usage(format!("the log filter {:?}: {error}", config.filter)))?;
    let writer = Past { bar: bar.clone() };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second start in one process, as in tests, keeps the first subscriber.
    let _ =
        if config.json { builder.json().try_init() } else { builder.with_ansi(colour()).with_target(false).try_init() };
    Ok(())
}

/// Whether standard error takes colour: a terminal does, unless NO_COLOR is set.
fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes whole lines past the progress bar.
#[derive(Clone)]
struct Past {
    bar: Bar,
}

impl<'a> MakeWriter<'a> for Past {
    type Writer = Past;

    fn make_writer(&'a self) -> Past {
        self.clone()
    }
}

impl Write for Past {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
