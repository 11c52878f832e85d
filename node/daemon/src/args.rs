//! The command line as it is written. Nothing is decided here: `config` makes a resolved configuration of it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tally_primitives::pow::Work;

use crate::transport::peer_address::PeerAddress;

const EXAMPLES: &str = "\
Examples:
  node --network devnet                        run a node of a network of your own
  node run --connect 192.0.2.7:9740            run a mainnet node that keeps to a peer
  node --stratum-listen 0.0.0.0:3333           let miners work for it: minerd -o stratum+tcp://…
  node rpc getblockchaininfo                   ask a running node
  node inspect address tally1…                 what is in an address
  node check --repair                          check what is on disk, and repair it

Every option of `run` can also stand in the environment (TALLY_NETWORK, TALLY_DATA_DIR, …) or in the
configuration file (DATA_DIR/node.toml): arguments go over the environment, that over the file.";

/// A full node of Tallystick.
#[derive(Debug, Parser)]
#[command(name = "node", version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `run` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node until it is stopped (the default)
    Run(Box<RunArgs>),
    /// Decode what is given and print every field as JSON
    #[command(subcommand)]
    Inspect(InspectCommand),
    /// Check everything on disk, offline
    Check(CheckArgs),
    /// Make the index again from the block files, offline
    Reindex(ReindexArgs),
    /// Call a method of a running node (`node rpc help` lists them)
    Rpc(RpcArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Which network, and where its data are.
#[derive(Clone, Debug, Default, Args)]
pub struct LocationArgs {
    /// mainnet, testnet, devnet, or a network file
    #[arg(long, value_name = "NAME|FILE", env = "TALLY_NETWORK")]
    pub network: Option<String>,
    /// Where the chain is kept [default: ~/.tallystick/NETWORK]
    #[arg(long, value_name = "DIR", env = "TALLY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Configuration file [default: DATA_DIR/node.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "TALLY_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What is written to the log, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct LogArgs {
    /// What is logged: a level, or levels by part such as info,tally_node::rpc=debug [default: info]
    #[arg(long, value_name = "FILTER", env = "TALLY_LOG")]
    pub log: Option<String>,
    /// Log lines as JSON
    #[arg(long, value_name = "BOOL", env = "TALLY_LOG_JSON", num_args = 0..=1, default_missing_value = "true")]
    pub log_json: Option<bool>,
}

/// Options of `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Network and data directory.
    #[command(flatten)]
    pub location: LocationArgs,
    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
    /// Where peers connect [default: 0.0.0.0 and the network's port]; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "TALLY_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Where JSON-RPC is answered [default: 127.0.0.1 and the network's port]
    #[arg(long, value_name = "ADDR", env = "TALLY_RPC_LISTEN")]
    pub rpc_listen: Option<SocketAddr>,
    /// Where /health is answered [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "TALLY_WEB_LISTEN")]
    pub web_listen: Option<SocketAddr>,
    /// Where miners connect by Stratum [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "TALLY_STRATUM_LISTEN")]
    pub stratum_listen: Option<SocketAddr>,
    /// Who is paid for blocks of miners that name no address [default: the address of --mine]
    #[arg(long, value_name = "ADDRESS", env = "TALLY_PAYOUT")]
    pub payout: Option<String>,
    /// A peer to keep connected, as HOST:PORT or ID@HOST:PORT; may be repeated. The node then looks for no others, unless --max-outbound says so
    #[arg(long, value_name = "PEER", env = "TALLY_CONNECT", value_delimiter = ',')]
    pub connect: Vec<PeerAddress>,
    /// How peers are found, and how many.
    #[command(flatten)]
    pub peers: PeerArgs,
    /// User for RPC, instead of the cookie
    #[arg(long, value_name = "USER", env = "TALLY_RPC_USER")]
    pub rpc_user: Option<String>,
    /// Password for RPC; in the environment or the file it is not seen by others
    #[arg(long, value_name = "PASSWORD", env = "TALLY_RPC_PASSWORD", hide_env_values = true)]
    pub rpc_password: Option<String>,
    /// Further host names by which RPC may be called; may be repeated
    #[arg(long, value_name = "NAME", env = "TALLY_RPC_ALLOW_HOST", value_delimiter = ',')]
    pub rpc_allow_host: Vec<String>,
    /// Most memory for waiting transactions, in MB [default: 300]
    #[arg(long, value_name = "MB", env = "TALLY_MEMPOOL")]
    pub mempool: Option<u32>,
    /// Mean delay before a payment is announced to a peer, in milliseconds; hides where it came from [default: 2000 and
    /// 5000 for peers that called us where blocks are a minute apart, else 50]
    #[arg(long, value_name = "MS", env = "TALLY_TRICKLE")]
    pub trickle: Option<u64>,
    /// Mine to this address
    #[arg(long, value_name = "ADDRESS", env = "TALLY_MINE")]
    pub mine: Option<String>,
    /// Threads that mine [default: 1]
    #[arg(long, value_name = "N", env = "TALLY_MINE_THREADS")]
    pub mine_threads: Option<usize>,
    /// Most hashes a second to mine with [default: no limit]
    #[arg(long, value_name = "HASHES_PER_S", env = "TALLY_MINE_LIMIT")]
    pub mine_limit: Option<f64>,
}

/// Options of `run` about finding peers and about how many there may be.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Peers")]
pub struct PeerArgs {
    /// Peers to find and call, besides two for blocks only [default: 8; 0 with --connect]
    #[arg(long, value_name = "N", env = "TALLY_MAX_OUTBOUND")]
    pub max_outbound: Option<usize>,
    /// Peers that may call this node [default: 117]
    #[arg(long, value_name = "N", env = "TALLY_MAX_INBOUND")]
    pub max_inbound: Option<usize>,
    /// How many of them may be of one network (IPv4 /16, IPv6 /32) [default: 32]
    #[arg(long, value_name = "N", env = "TALLY_MAX_INBOUND_PER_GROUP")]
    pub max_inbound_per_group: Option<usize>,
    /// Whose addresses are grouped by network: public (those of one machine or LAN are not), all, or none (for the laboratory only) [default: public]
    #[arg(long, value_name = "WHOSE", env = "TALLY_ADDRESS_GROUPS")]
    pub address_groups: Option<AddressGroupsArg>,
    /// Where to begin, as HOST or HOST:PORT, besides the network's own seeds; may be repeated
    #[arg(long, value_name = "HOST", env = "TALLY_SEED", value_delimiter = ',')]
    pub seed: Vec<String>,
    /// Where others can call this node, if that is not where its connections come from
    #[arg(long, value_name = "ADDR", env = "TALLY_EXTERNAL_ADDRESS")]
    pub external_address: Option<SocketAddr>,
    /// Find nodes of the same network on the LAN, and be found by them (mDNS)
    #[arg(long, value_name = "BOOL", env = "TALLY_DISCOVER_LAN", num_args = 0..=1, default_missing_value = "true")]
    pub discover_lan: Option<bool>,
    /// Megabytes to send in a day; beyond that, old blocks are not served [default: no limit]
    #[arg(long, value_name = "MB", env = "TALLY_MAX_UPLOAD")]
    pub max_upload: Option<u64>,
    /// Keep no header of a chain with less work, as 64 hexadecimal digits (`chainwork` of a node that you trust): a new node is not fed cheap chains [default: 0]
    #[arg(long, value_name = "WORK", env = "TALLY_MINIMUM_CHAIN_WORK")]
    pub minimum_chain_work: Option<Work>,
    /// Do not encrypt connections, so that everybody can read them; such nodes talk only to each other
    #[arg(long, value_name = "BOOL", env = "TALLY_PLAINTEXT_PEERS", num_args = 0..=1, default_missing_value = "true")]
    pub plaintext_peers: Option<bool>,
}

/// Whose addresses are grouped by network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressGroupsArg {
    /// Public ones
    Public,
    /// All
    All,
    /// Nobody's
    None,
}

/// What `inspect` decodes.
#[derive(Debug, Subcommand)]
pub enum InspectCommand {
    /// An 80-byte header
    Header {
        /// The header, hex
        hex: String,
    },
    /// A block
    Block {
        /// The block, hex; - reads it from standard input
        hex: String,
    },
    /// A transaction
    Transaction {
        /// The transaction, hex; - reads it from standard input
        hex: String,
    },
    /// A spending policy
    Policy {
        /// The policy, hex
        hex: String,
    },
    /// An address
    Address {
        /// The address
        address: String,
    },
    /// Raw 80-byte headers one after another: a line for each, and a line of sums
    Headers {
        /// The file; - reads standard input
        file: PathBuf,
    },
    /// ASERT: lines of `time_difference height_difference` in, one compact target out for each
    NextBits(NextBitsArgs),
}

/// The anchor and the schedule of `inspect next-bits`.
#[derive(Debug, Args)]
pub struct NextBitsArgs {
    /// The anchor's compact target, such as 0x1d00ffff
    #[arg(long, value_name = "B")]
    pub anchor_bits: String,
    /// Seconds between blocks
    #[arg(long, value_name = "S")]
    pub spacing: u32,
    /// Half-life in seconds
    #[arg(long, value_name = "H")]
    pub half_life: u32,
    /// The easiest compact target
    #[arg(long, value_name = "B")]
    pub limit: String,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Network and data directory.
    #[command(flatten)]
    pub location: LocationArgs,
    /// Make the index again if it is damaged
    #[arg(long)]
    pub repair: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `reindex`.
#[derive(Debug, Args)]
pub struct ReindexArgs {
    /// Network and data directory.
    #[command(flatten)]
    pub location: LocationArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `rpc`.
#[derive(Debug, Args)]
pub struct RpcArgs {
    /// Network and data directory.
    #[command(flatten)]
    pub location: LocationArgs,
    /// Where the node answers [default: what DATA_DIR/node.json says]
    #[arg(long, value_name = "URL", env = "TALLY_RPC")]
    pub url: Option<String>,
    /// User, if the node has one instead of a cookie
    #[arg(long, value_name = "USER", env = "TALLY_RPC_USER")]
    pub user: Option<String>,
    /// Password of that user
    #[arg(long, value_name = "PASSWORD", env = "TALLY_RPC_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// The method
    pub method: String,
    /// Its parameters: JSON, or text where that is no JSON
    #[arg(value_name = "PARAM", allow_negative_numbers = true)]
    pub params: Vec<String>,
}
