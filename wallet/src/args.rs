//! The command line, as typed. [`crate::context`] resolves it once.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use tally_primitives::units::Amount;

use crate::fees::NotchesPerByte;
use crate::payment::SendAmount;

/// The wallet of Tallystick.
#[derive(Debug, Parser)]
#[command(name = "wallet", version, about, after_help = EXAMPLES, max_term_width = 110)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  wallet create --network testnet
  wallet address
  wallet balance
  wallet send ttally1… 12.5
  wallet --wallet alice.wallet --rpc http://127.0.0.1:19741 --cookie node/.cookie history

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not enough funds, 4 refused by the node, 5 no node reachable.";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The wallet file [default: ~/.tallystick/wallet]
    #[arg(long, global = true, value_name = "FILE", env = "TALLY_WALLET", hide_env_values = true)]
    pub wallet: Option<PathBuf>,
    /// A node; may be given several times, the first that answers is used
    #[arg(long, global = true, value_name = "URL")]
    pub rpc: Vec<String>,
    /// The cookie file of the node: one for all --rpc, or one for each in the same order
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "rpc_user")]
    pub cookie: Vec<PathBuf>,
    /// A user that the nodes were configured with, instead of a cookie
    #[arg(long, global = true, value_name = "NAME")]
    pub rpc_user: Option<String>,
    /// The file with that user's password (or set TALLY_RPC_PASSWORD)
    #[arg(long, global = true, value_name = "FILE", requires = "rpc_user")]
    pub rpc_password_file: Option<PathBuf>,
    /// mainnet, testnet, devnet, or a network file
    #[arg(long, global = true, value_name = "NAME|FILE")]
    pub network: Option<String>,
    /// Read the wallet's passphrase from the first line of a file (or set TALLY_PASSPHRASE)
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Print JSON; all amounts in notches
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new wallet and show its words, the backup
    Create(Create),
    /// Make a wallet from the words of another
    Restore(Restore),
    /// Show an address to be paid at: the first one not used yet
    Address(AddressArgs),
    /// Show what the wallet holds
    Balance,
    /// Pay somebody
    Send(Send),
    /// List all payments, the newest first
    History,
    /// List the coins
    Coins,
    /// Hand a transaction to the network
    Broadcast(Broadcast),
    /// Show the backup words
    Words(WordsArgs),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// `wallet create`.
#[derive(Debug, Args)]
pub struct Create {
    /// How many words the backup has
    #[arg(long, value_name = "COUNT", default_value = "12", value_parser = ["12", "24"])]
    pub words: String,
    /// Leave the file unencrypted: whoever reads it has the money
    #[arg(long, conflicts_with = "passphrase_file")]
    pub no_passphrase: bool,
}

/// `wallet restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// Read the words from a file, or from standard input with `-`, instead of asking for them
    #[arg(long, value_name = "FILE")]
    pub words_file: Option<PathBuf>,
    /// Leave the file unencrypted: whoever reads it has the money
    #[arg(long, conflicts_with = "passphrase_file")]
    pub no_passphrase: bool,
}

/// `wallet address`.
#[derive(Debug, Args)]
pub struct AddressArgs {
    /// An address that was never shown before, even if the last one is still unused
    #[arg(long)]
    pub new: bool,
}

/// `wallet send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wallet send ttally1… 12.5
  wallet send ttally1… 1250000000notch --fee-rate 2.5
  wallet send ttally1… max --confirm-within 2 --yes --json")]
pub struct Send {
    /// Whom to pay
    pub address: String,
    /// How much: TALLY as 12.5, notches as 1250000000notch, or max
    #[arg(value_name = "AMOUNT|max", value_parser = parse_send_amount)]
    pub amount: SendAmount,
    /// The fee rate, in notches per byte
    #[arg(long, value_name = "NOTCH_PER_BYTE", conflicts_with = "confirm_within")]
    pub fee_rate: Option<NotchesPerByte>,
    /// Ask the node for the fee rate that confirms within so many blocks [default: 6]
    #[arg(long, value_name = "BLOCKS", value_parser = clap::value_parser!(u32).range(1..=1008))]
    pub confirm_within: Option<u32>,
    /// The highest fee to pay [default: 0.1]
    #[arg(long, value_name = "AMOUNT")]
    pub max_fee: Option<Amount>,
    /// Text to carry along, for everybody to read: at most 80 bytes
    #[arg(long, value_name = "TEXT")]
    pub memo: Option<String>,
    /// Work everything out, but send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before sending
    #[arg(long, short)]
    pub yes: bool,
}

/// `wallet broadcast`.
#[derive(Debug, Args)]
pub struct Broadcast {
    /// The transaction in hex; `-` reads it from standard input
    #[arg(value_name = "HEX")]
    pub transaction: String,
}

/// `wallet words`.
#[derive(Debug, Args)]
pub struct WordsArgs {
    /// Do not ask before showing them
    #[arg(long, short)]
    pub yes: bool,
}

/// `wallet completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell
    pub shell: Shell,
}

fn parse_send_amount(text: &str) -> Result<SendAmount, String> {
    if text == "max" {
        return Ok(SendAmount::Max);
    }
    text.parse().map(SendAmount::Exactly).map_err(|error: tally_primitives::units::AmountParseError| error.to_string())
}
