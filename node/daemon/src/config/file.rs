//! The configuration file: the options of `run`, in TOML.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tally_primitives::pow::Work;

use crate::args::AddressGroupsArg;
use crate::error::CommandError;
use crate::transport::peer_address::PeerAddress;

/// What a configuration file may say. Relative paths are meant from the file's own directory.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileConfig {
    /// Name or file.
    pub network: Option<String>,
    /// Where the chain is kept.
    pub data_dir: Option<PathBuf>,
    /// What is logged.
    pub log: Option<String>,
    /// Whether log lines are JSON.
    pub log_json: Option<bool>,
    /// Where peers connect.
    pub listen: Option<SocketAddr>,
    /// Where JSON-RPC is answered.
    pub rpc_listen: Option<SocketAddr>,
    /// Where /health is answered.
    pub web_listen: Option<SocketAddr>,
    /// Where miners connect by Stratum.
    pub stratum_listen: Option<SocketAddr>,
    /// Who is paid for blocks of miners that name no address.
    pub payout: Option<String>,
    /// Peers to keep connected.
    pub connect: Option<Vec<PeerAddress>>,
    /// Peers to find and call.
    pub max_outbound: Option<usize>,
    /// Peers that may call.
    pub max_inbound: Option<usize>,
    /// How many of them may be of one network.
    pub max_inbound_per_group: Option<usize>,
    /// Whose addresses are grouped by network.
    pub address_groups: Option<AddressGroupsArg>,
    /// Where to begin.
    pub seed: Option<Vec<String>>,
    /// Where others can call this node.
    pub external_address: Option<SocketAddr>,
    /// Whether to look for nodes on the LAN.
    pub discover_lan: Option<bool>,
    /// Megabytes to send in a day.
    pub max_upload: Option<u64>,
    /// Chains with less work are not kept.
    pub minimum_chain_work: Option<Work>,
    /// Whether connections are left unencrypted.
    pub plaintext_peers: Option<bool>,
    /// User for RPC.
    pub rpc_user: Option<String>,
    /// Password for RPC.
    pub rpc_password: Option<String>,
    /// Further host names by which RPC may be called.
    pub rpc_allow_host: Option<Vec<String>>,
    /// Most memory for waiting transactions, in MB.
    pub mempool: Option<u32>,
    /// Mean delay before a payment is announced to a peer, in milliseconds.
    pub trickle: Option<u64>,
    /// Mine to this address.
    pub mine: Option<String>,
    /// Threads that mine.
    pub mine_threads: Option<usize>,
    /// Most hashes a second.
    pub mine_limit: Option<f64>,
}

impl FileConfig {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// If it cannot be read, or is not TOML, or holds a setting that there is not.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            CommandError::usage(format!("cannot read the configuration {}: {error}", path.display()))
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            let message = error.message();
            CommandError::usage(format!("the configuration {}: {message}", path.display()))
        })?;
        let home = path.parent().unwrap_or(Path::new("."));
        config.data_dir = config.data_dir.map(|directory| home.join(directory));
        if let Some(network) = &config.network
            && super::is_file_name(network)
        {
            config.network = Some(home.join(network).display().to_string());
        }
        Ok(config)
    }
}
