use super::{Cli, parse_rate, parse_seconds, parse_versions};
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
fn versions_are_bits_of_bip_320() {
    for (text, mask) in [("off", 0), ("1", 0), ("2", 0x2000), ("16", 0x1_e000), ("65536", 0x1fff_e000)] {
        assert_eq!(parse_versions(text), Ok(mask), "{text}");
    }
    for text in ["", "0", "3", "131072", "-1", "on"] {
        assert!(parse_versions(text).is_err(), "{text}");
    }
}

#[test]
fn seconds_have_bounds() {
    assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
    for text in ["0", "-1", "nan", "1e9", "x"] {
        assert!(parse_seconds(text).is_err(), "{text}");
    }
}
