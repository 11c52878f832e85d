use super::{Cli, parse_rate, parse_seconds};
use clap::CommandFactory;
use std::time::Duration;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn rates_may_have_units() {
    for (text, rate) in [("1000", 1e3), ("0.5", 0.5), ("25k", 25e3), ("1.5M", 1.5e6), ("2G", 2e9), ("3K", 3e3)] {
        assert_eq!(parse_rate(text), Ok(rate), "{text}");
    }
    for text in ["", "k", "0", "-1", "nan", "inf", "1 k", "1kk", "ten", "1µ"] {
        assert!(parse_rate(text).is_err(), "{text}");
    }
}

#[test]
fn seconds_have_bounds() {
    assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
    for text in ["0", "-1", "nan", "1e9", "x"] {
        assert!(parse_seconds(text).is_err(), "{text}");
    }
}
