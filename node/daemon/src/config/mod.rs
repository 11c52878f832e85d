//! The resolved configuration: arguments over environment over configuration file over defaults, decided once.

pub mod file;
pub mod peers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tally_node_core::net::limits::{DEFAULT_TRICKLE_MEAN_MS, PRIVATE_TRICKLE_INBOUND_MEAN_MS, PRIVATE_TRICKLE_MEAN_MS};
use tally_primitives::address::Address;
use tally_primitives::params::Params;

use crate::args::{LocationArgs, RunArgs};
use crate::error::CommandError;
use file::FileConfig;
use peers::PeersConfig;

/// The configuration file's name in the data directory.
pub const CONFIG_FILE: &str = "node.toml";

const DEFAULT_MEMPOOL_MB: u32 = 300;

/// From this time between blocks on, payments are announced late enough to hide where they came from.
const PRIVATE_SPACING_SECONDS: u32 = 60;

/// Which network, and where its data are.
#[derive(Clone, Debug)]
pub struct Location {
    /// The network.
    pub params: Arc<Params>,
    /// The data directory.
    pub data_dir: PathBuf,
}

/// Everything that a running node was told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Network and data directory.
    pub location: Location,
    /// Logging.
    pub log: LogConfig,
    /// Where peers connect.
    pub listen: SocketAddr,
    /// Peers.
    pub peers: PeersConfig,
    /// JSON-RPC.
    pub rpc: RpcConfig,
    /// Where /health is answered.
    pub web_listen: Option<SocketAddr>,
    /// Where miners connect by Stratum.
    pub stratum_listen: Option<SocketAddr>,
    /// Who is paid for blocks of miners that name no address: by Stratum, or with the coinbase of `getblocktemplate`.
    pub payout: Option<Address>,
    /// Most memory for waiting transactions, in bytes.
    pub mempool_bytes: usize,
    /// Mean delays before a payment is announced: to peers that we have called, and to those that have called us, in
    /// milliseconds.
    pub trickle_ms: (u64, u64),
    /// The node's own miner.
    pub mine: Option<MineConfig>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A filter as tracing's `EnvFilter` reads it.
    pub filter: String,
    /// Whether lines are JSON.
    pub json: bool,
}

/// How JSON-RPC is answered.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// Where.
    pub listen: SocketAddr,
    /// `user:password`, instead of a cookie.
    pub user_password: Option<String>,
    /// Host names by which it may be called, besides addresses and localhost.
    pub allowed_hosts: Vec<String>,
}

/// How the node mines.
#[derive(Clone, Debug)]
pub struct MineConfig {
    /// Who is paid.
    pub address: Address,
    /// Threads.
    pub threads: usize,
    /// Most hashes a second.
    pub limit: Option<f64>,
}

/// Whether a network's name is rather a file's: it has a directory or an extension.
pub fn is_file_name(network: &str) -> bool {
    network.contains('/') || Path::new(network).extension().is_some()
}

impl Location {
    /// Resolves network and data directory, for every command that needs no more.
    ///
    /// # Errors
    /// An unknown network, a bad network file or a bad configuration file.
    pub fn resolve(args: &LocationArgs) -> Result<Self, CommandError> {
        resolve_location(args).map(|(location, _)| location)
    }
}

impl Config {
    /// Resolves what `run` was told.
    ///
    /// # Errors
    /// What is wrong with the first wrong setting, in one line.
    pub fn resolve(args: &RunArgs) -> Result<Self, CommandError> {
        let (location, file) = resolve_location(&args.location)?;
        let params = &location.params;
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let rpc = RpcConfig {
            listen: args.rpc_listen.or(file.rpc_listen).unwrap_or(SocketAddr::new(local, params.rpc_port)),
            user_password: user_password(args, &file)?,
            allowed_hosts: or_list(&args.rpc_allow_host, file.rpc_allow_host.clone()),
        };
        let mine = mine(args, &file, params)?;
        let mempool = args.mempool.or(file.mempool).unwrap_or(DEFAULT_MEMPOOL_MB);
        let mempool_bytes = usize::try_from(mempool).unwrap_or(usize::MAX).saturating_mul(1_000_000);
        Ok(Self {
            log: LogConfig {
                filter: args.log.log.clone().or(file.log.clone()).unwrap_or_else(|| "info".to_owned()),
                json: args.log.log_json.or(file.log_json).unwrap_or(false),
            },
            listen: args.listen.or(file.listen).unwrap_or(SocketAddr::new(any, params.peer_port)),
            peers: PeersConfig::resolve(args, &file)?,
            rpc,
            web_listen: args.web_listen.or(file.web_listen),
            stratum_listen: args.stratum_listen.or(file.stratum_listen),
            payout: payout(args, &file, params)?.or(mine.as_ref().map(|mine| mine.address.clone())),
            mempool_bytes,
            trickle_ms: trickle(args.trickle.or(file.trickle), params),
            mine,
            location,
        })
    }
}

/// Where blocks are a minute apart a payment can wait some seconds for its privacy.
fn trickle(told: Option<u64>, params: &Params) -> (u64, u64) {
    match told {
        Some(mean) => (mean, mean),
        None if params.spacing_seconds >= PRIVATE_SPACING_SECONDS => {
            (PRIVATE_TRICKLE_MEAN_MS, PRIVATE_TRICKLE_INBOUND_MEAN_MS)
        }
        None => (DEFAULT_TRICKLE_MEAN_MS, DEFAULT_TRICKLE_MEAN_MS),
    }
}

fn or_list<T: Clone>(args: &[T], file: Option<Vec<T>>) -> Vec<T> {
    if args.is_empty() { file.unwrap_or_default() } else { args.to_vec() }
}

fn resolve_location(args: &LocationArgs) -> Result<(Location, FileConfig), CommandError> {
    let mut file = args.config.as_deref().map(FileConfig::read).transpose()?;
    let network_of = |file: &Option<FileConfig>| {
        let named = file.as_ref().and_then(|file| file.network.clone());
        args.network.clone().or(named)
    };
    // Without --config, the file in the data directory counts, and that directory may depend on the network.
    if file.is_none() {
        let directory = match &args.data_dir {
            Some(directory) => directory.clone(),
            None => default_data_dir(&network(network_of(&file).as_deref())?)?,
        };
        let path = directory.join(CONFIG_FILE);
        if path.exists() {
            let mut read = FileConfig::read(&path)?;
            read.data_dir = Some(directory);
            file = Some(read);
        }
    }
    let params = network(network_of(&file).as_deref())?;
    let file = file.unwrap_or_default();
    let data_dir = match args.data_dir.clone().or(file.data_dir.clone()) {
        Some(directory) => directory,
        None => default_data_dir(&params)?,
    };
    let location = Location { params: Arc::new(params), data_dir };
    Ok((location, file))
}

fn network(name: Option<&str>) -> Result<Params, CommandError> {
    let name = name.unwrap_or("mainnet");
    if let Some(params) = Params::by_name(name) {
        return Ok(params);
    }
    let text = match std::fs::read_to_string(name) {
        Ok(text) => text,
        Err(_) if !is_file_name(name) => {
            return Err(CommandError::usage(format!("there is no network {name:?}"))
                .with_hint("give mainnet, testnet, devnet or the path of a network file"));
        }
        Err(error) => {
            return Err(CommandError::usage(format!("cannot read the network file {name}: {error}")));
        }
    };
    Params::from_toml(&text).map_err(|error| CommandError::usage(format!("{name}: {error}")))
}

fn default_data_dir(params: &Params) -> Result<PathBuf, CommandError> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = home.ok_or_else(|| {
        CommandError::usage("there is no home directory to keep the chain in").with_hint("give --data-dir DIR")
    })?;
    let plain = !params.name.is_empty()
        && params.name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if !plain {
        return Err(CommandError::usage(format!("the network's name {:?} is no directory's", params.name))
            .with_hint("give --data-dir DIR"));
    }
    Ok(home.join(".tallystick").join(&params.name))
}

fn user_password(args: &RunArgs, file: &FileConfig) -> Result<Option<String>, CommandError> {
    let user = args.rpc_user.as_ref().or(file.rpc_user.as_ref());
    let password = args.rpc_password.as_ref().or(file.rpc_password.as_ref());
    match (user, password) {
        (None, None) => Ok(None),
        (Some(user), Some(_)) if user.is_empty() || user.contains(':') => {
            Err(CommandError::usage("the RPC user's name must not be empty or contain a colon"))
        }
        (Some(user), Some(password)) => Ok(Some(format!("{user}:{password}"))),
        _ => Err(CommandError::usage("--rpc-user and --rpc-password go together")),
    }
}

fn payout(args: &RunArgs, file: &FileConfig, params: &Params) -> Result<Option<Address>, CommandError> {
    let text = args.payout.as_ref().or(file.payout.as_ref());
    let parse =
        |text| Address::parse_for(text, params).map_err(|error| CommandError::usage(format!("--payout: {error}")));
    text.map(String::as_str).map(parse).transpose()
}

fn mine(args: &RunArgs, file: &FileConfig, params: &Params) -> Result<Option<MineConfig>, CommandError> {
    let Some(text) = args.mine.as_ref().or(file.mine.as_ref()) else {
        return Ok(None);
    };
    let address = Address::parse_for(text, params).map_err(|error| CommandError::usage(format!("--mine: {error}")))?;
    let threads = args.mine_threads.or(file.mine_threads).unwrap_or(1);
    let limit = args.mine_limit.or(file.mine_limit);
    if threads == 0 {
        return Err(CommandError::usage("--mine-threads must be at least 1"));
    }
    if limit.is_some_and(|limit| !limit.is_finite() || limit <= 0.0) {
        return Err(CommandError::usage("--mine-limit must be a positive number of hashes a second"));
    }
    Ok(Some(MineConfig { address, threads, limit }))
}

#[cfg(test)]
mod tests;
