//! Settings about peers: whom to call, whom to let in, and how connections are made.

use std::net::SocketAddr;

use tally_node_core::net::address_book::group::{AddressGroups, is_dialable};
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::net::limits::{BLOCK_ONLY_PEERS, MAX_INBOUND_PEERS, MAX_INBOUND_PER_GROUP, OUTBOUND_PEERS};
use tally_primitives::pow::Work;

use super::file::FileConfig;
use super::or_list;
use crate::args::{AddressGroupsArg, RunArgs};
use crate::error::CommandError;
use crate::transport::peer_address::PeerAddress;

/// More peers than this help nobody: each connection costs memory on both sides.
const MAX_OUTBOUND: usize = 64;

/// A node with more than this needs another kind of transport.
const MAX_INBOUND: usize = 1_000;

/// Settings about peers.
#[derive(Clone, Debug)]
pub struct PeersConfig {
    /// Peers to keep connected.
    pub connect: Vec<PeerAddress>,
    /// Peers to find and call.
    pub max_outbound: usize,
    /// Peers that may call.
    pub max_inbound: usize,
    /// How many of them may be of one network.
    pub max_inbound_per_group: usize,
    /// Whose addresses are grouped by network.
    pub address_groups: AddressGroups,
    /// Where to begin, besides the network's seeds.
    pub seeds: Vec<String>,
    /// Where others can call this node.
    pub external_address: Option<SocketAddr>,
    /// Whether to look for nodes on the LAN.
    pub discover_lan: bool,
    /// Bytes to send in a day.
    pub max_upload: Option<u64>,
    /// Chains with less work are not kept.
    pub minimum_chain_work: Work,
    /// Whether connections are encrypted.
    pub encrypted: bool,
}

impl PeersConfig {
    /// Arguments over file over defaults.
    ///
    /// # Errors
    /// What is wrong with the first wrong setting, in one line.
    pub(super) fn resolve(args: &RunArgs, file: &FileConfig) -> Result<Self, CommandError> {
        let peers = &args.peers;
        let connect = or_list(&args.connect, file.connect.clone());
        let discover_lan = peers.discover_lan.or(file.discover_lan).unwrap_or(false);
        let keeps_to_some = !connect.is_empty() && !discover_lan;
        let default_outbound = if keeps_to_some { 0 } else { OUTBOUND_PEERS };
        let encrypted = !peers.plaintext_peers.or(file.plaintext_peers).unwrap_or(false);
        let megabytes = |megabytes: u64| megabytes.saturating_mul(1_000_000);
        let config = Self {
            max_outbound: peers.max_outbound.or(file.max_outbound).unwrap_or(default_outbound),
            max_inbound: peers.max_inbound.or(file.max_inbound).unwrap_or(MAX_INBOUND_PEERS),
            max_inbound_per_group: peers
                .max_inbound_per_group
                .or(file.max_inbound_per_group)
                .unwrap_or(MAX_INBOUND_PER_GROUP),
            address_groups: match peers.address_groups.or(file.address_groups) {
                None | Some(AddressGroupsArg::Public) => AddressGroups::Public,
                Some(AddressGroupsArg::All) => AddressGroups::All,
                Some(AddressGroupsArg::None) => AddressGroups::None,
            },
            seeds: or_list(&peers.seed, file.seed.clone()),
            external_address: peers.external_address.or(file.external_address),
            discover_lan,
            max_upload: peers.max_upload.or(file.max_upload).map(megabytes),
            minimum_chain_work: peers.minimum_chain_work.or(file.minimum_chain_work).unwrap_or(Work::ZERO),
            encrypted,
            connect,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CommandError> {
        let too_many = |option: &str, max: usize| Err(CommandError::usage(format!("{option} must be at most {max}")));
        if self.max_outbound > MAX_OUTBOUND {
            return too_many("--max-outbound", MAX_OUTBOUND);
        }
        if self.max_inbound > MAX_INBOUND {
            return too_many("--max-inbound", MAX_INBOUND);
        }
        if let Some(pinned) = self.connect.iter().find(|peer| peer.id.is_some() && !self.encrypted) {
            return Err(CommandError::usage(format!(
                "--connect {pinned}: without encryption nobody can prove who it is"
            ))
            .with_hint("leave out --plaintext-peers, or the part before the @"));
        }
        if let Some(address) = self.external_address.filter(|address| !is_dialable(*address)) {
            return Err(CommandError::usage(format!("--external-address {address}: nobody can call that")));
        }
        Ok(())
    }

    /// What the node is told.
    pub fn finding(&self) -> FindingConfig {
        FindingConfig {
            full_peers: self.max_outbound,
            block_only_peers: if self.max_outbound == 0 { 0 } else { BLOCK_ONLY_PEERS },
            groups: self.address_groups,
            seeds: self.seeds.clone(),
            own_address: self.external_address,
            max_inbound_per_group: self.max_inbound_per_group,
            ..FindingConfig::default()
        }
    }
}
