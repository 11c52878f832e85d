use clap::{CommandFactory, Parser};

use super::{Args, Command, parse_hash_rate};

#[test]
fn the_command_line_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn hash_rates() {
    let good = [("0", 0), ("400000", 400_000), ("400k", 400_000), ("1.5M", 1_500_000), ("2 MH/s", 2_000_000)];
    for (text, rate) in good {
        assert_eq!(parse_hash_rate(text), Ok(rate), "{text}");
    }
    for text in ["", "k", "-1", "1T", "NaN", "inf", "1e13", "fast"] {
        assert!(parse_hash_rate(text).is_err(), "{text}");
    }
}

#[test]
fn nodes_are_1_to_30() {
    for (nodes, good) in [("0", false), ("1", true), ("30", true), ("31", false), ("x", false)] {
        assert_eq!(Args::try_parse_from(["testnet", "up", "--nodes", nodes]).is_ok(), good, "{nodes}");
    }
}

#[test]
fn reset_is_another_word_for_delete() {
    let args = Args::try_parse_from(["testnet", "down", "--reset"]).expect("good arguments");
    assert!(matches!(args.command, Command::Down(down) if down.delete));
}
