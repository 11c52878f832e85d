//! Methods about peers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tally_node_core::chain::Chain;
use tally_node_core::net::bans::{Ban, BanError, BanTarget};
use tally_node_core::net::limits::PROTOCOL_VERSION;
use tally_node_core::net::peer::{Direction, PeerId, PeerInfo as CorePeer, Role};
use tally_node_core::net::redial::ManualPeerError;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{
    CLIENT_INVALID_IP_OR_SUBNET, CLIENT_NODE_ALREADY_ADDED, CLIENT_NODE_NOT_ADDED, CLIENT_NODE_NOT_CONNECTED,
    MISC_ERROR, RpcError,
};
use tally_rpc::network::{BannedPeer, ConnectionType, LocalAddress, NetworkInfo, PeerInfo};

use super::Context;
use super::answer::{json_of, stopped};
use super::chain::blocking;
use crate::driver::Core;
use crate::private_file::PrivateFile;
use crate::transport::peer_address::PeerAddress;

/// How long a ban lasts unless said otherwise, in seconds.
const DEFAULT_BAN_SECONDS: u64 = 24 * 60 * 60;

/// The name of the file that keeps bans.
pub const BANS_FILE: &str = "bans.json";

/// Reads the bans of an earlier run. A file that makes no sense is treated as none, with a warning.
pub fn read_bans(path: &Path) -> Vec<Ban> {
    let Ok(text) = std::fs::read(path) else {
        return Vec::new();
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "ignoring the list of bans");
        Vec::new()
    })
}

pub(super) async fn getconnectioncount(context: &Context) -> Result<Value, RpcError> {
    let count = context.node.call(|core, now| core.node.peers(now).filter(|peer| peer.ready).count());
    json_of(&count.await.map_err(stopped)?)
}

pub(super) async fn getpeerinfo(context: &Context) -> Result<Value, RpcError> {
    let peers = context.node.call(|core, now| {
        let peers = core.node.peers(now).filter(|peer| peer.ready);
        peers.map(|peer| describe(core, &peer)).collect::<Vec<_>>()
    });
    json_of(&peers.await.map_err(stopped)?)
}

fn describe(core: &Core, peer: &CorePeer) -> PeerInfo {
    let traffic = core.traffic(peer.id);
    let count = |counter: fn(&crate::transport::Traffic) -> &std::sync::atomic::AtomicU64| {
        traffic.map_or(0, |traffic| counter(traffic).load(Ordering::Relaxed))
    };
    let seconds = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let as_seconds = |millis: u64| millis as f64 / 1000.0;
    let inbound = peer.direction == Direction::Inbound;
    let identity = traffic.and_then(|traffic| traffic.identity.get());
    PeerInfo {
        id: peer.id.0,
        addr: peer.address.to_string(),
        listen_port: peer.listen_address.map_or(0, |address| address.port()),
        lastsend: seconds(count(|traffic| &traffic.last_sent)),
        lastrecv: seconds(count(|traffic| &traffic.last_received)),
        bytessent: count(|traffic| &traffic.sent),
        bytesrecv: count(|traffic| &traffic.received),
        conntime: peer.connected_at.as_seconds(),
        timeoffset: peer.time_offset_millis / 1000,
        pingtime: peer.ping_millis.map(as_seconds),
        minping: peer.min_ping_millis.map(as_seconds),
        version: peer.protocol,
        subver: peer.user_agent.clone(),
        inbound,
        startingheight: peer.start_height.get(),
        synced_headers: peer.best_known.map_or(-1, |(_, height)| i64::from(height.get())),
        synced_blocks: peer.best_known.and_then(|(hash, _)| common_height(core.node.chain(), &hash)).unwrap_or(-1),
        inflight: peer.blocks_in_flight.iter().map(|height| height.get()).collect(),
        connection_type: match peer.role {
            Role::Inbound => ConnectionType::Inbound,
            Role::Manual => ConnectionType::Manual,
            Role::Full => ConnectionType::OutboundFullRelay,
            Role::BlockOnly => ConnectionType::BlockRelayOnly,
            Role::Feeler => ConnectionType::Feeler,
        },
        relaytxes: peer.relays,
        last_block: peer.last_block_at.map_or(0, Timestamp::as_seconds),
        last_transaction: peer.last_transaction_at.map_or(0, Timestamp::as_seconds),
        bip152_hb_to: peer.pushes_to_us,
        bip152_hb_from: peer.we_push,
        minfeefilter: peer.fee_filter,
        transport_protocol_type: if identity.is_some() { "v2" } else { "v1" }.to_owned(),
        node_id: identity.map(ToString::to_string),
    }
}

/// The height up to which a peer's best chain and our active one are the same.
fn common_height(chain: &Chain, hash: &BlockHash) -> Option<i64> {
    let index = chain.index();
    let fork = index.fork(index.find(hash)?, index.find(&chain.tip().hash)?);
    Some(i64::from(index.get(fork).height.get()))
}

pub(super) async fn getnetworkinfo(context: &Context) -> Result<Value, RpcError> {
    let (listen, subversion) = (context.listen, context.user_agent.clone());
    let node_id = context.transport.is_encrypted().then(|| context.id.to_string());
    let info = context.node.call(move |core, now| {
        let peers: Vec<_> = core.node.peers(now).filter(|peer| peer.ready).collect();
        let count = |direction| {
            let of_kind = peers.iter().filter(|peer| peer.direction == direction);
            u32::try_from(of_kind.count()).unwrap_or(u32::MAX)
        };
        let (inbound, outbound) = (count(Direction::Inbound), count(Direction::Outbound));
        let mut offsets: Vec<_> = peers.iter().map(|peer| peer.time_offset_millis / 1000).collect();
        offsets.sort_unstable();
        let policy = core.node.mempool().policy();
        NetworkInfo {
            version: version_number(),
            subversion,
            protocolversion: PROTOCOL_VERSION,
            localrelay: true,
            timeoffset: offsets.get(offsets.len() / 2).copied().unwrap_or(0),
            networkactive: true,
            connections: inbound.saturating_add(outbound),
            connections_in: inbound,
            connections_out: outbound,
            relayfee: policy.min_fee_rate,
            incrementalfee: policy.incremental_fee_rate,
            localaddresses: vec![LocalAddress { address: listen.ip().to_string(), port: listen.port() }],
            node_id,
            warnings: core.node.clock_warning().map(clock_warning).into_iter().collect(),
        }
    });
    json_of(&info.await.map_err(stopped)?)
}

/// Major × 10,000 + minor × 100 + patch.
fn version_number() -> u32 {
    let parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    parts.fold(0, |number, part| number * 100 + part)
}

/// What the owner of a machine whose clock is wrong should know.
pub(crate) fn clock_warning(offset_millis: i64) -> String {
    let (seconds, direction) =
        (offset_millis.unsigned_abs() / 1000, if offset_millis > 0 { "behind" } else { "ahead of" });
    format!("this machine's clock is {seconds} s {direction} those of the peers: check date and time")
}

fn parse_address(text: &str) -> Result<SocketAddr, RpcError> {
    text.parse().map_err(|_| RpcError::invalid_parameter(format!("{text:?} is not an address; give IP:PORT")))
}

pub(super) async fn addnode(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let text: String = arguments.required("node")?;
    let peer: PeerAddress = text.parse().map_err(|error| RpcError::invalid_parameter(format!("{error}")))?;
    let command: String = arguments.required("command")?;
    if !matches!(command.as_str(), "add" | "remove" | "onetry") {
        return Err(RpcError::invalid_parameter(format!("command is add, remove or onetry, not {command:?}")));
    }
    if peer.id.is_some() && !context.transport.is_encrypted() {
        return Err(RpcError::invalid_parameter("without encryption nobody can prove who it is"));
    }
    let address = peer
        .resolve(context.params.peer_port)
        .await
        .map_err(|reason| RpcError::invalid_parameter(format!("{text:?} is not found: {reason}")))?;
    context.transport.set_pin(address, peer.id.filter(|_| command != "remove"));
    let outcome = context.node.call(move |core, now| match command.as_str() {
        "add" => core.node.add_node(now, address),
        "remove" => core.node.remove_node(now, address),
        _ => {
            core.node.try_node(now, address);
            Ok(())
        }
    });
    outcome.await.map_err(stopped)?.map_err(|error| {
        let code = match &error {
            ManualPeerError::AlreadyAdded { .. } => CLIENT_NODE_ALREADY_ADDED,
            ManualPeerError::NotAdded { .. } => CLIENT_NODE_NOT_ADDED,
            _ => MISC_ERROR,
        };
        RpcError::new(code, error.to_string())
    })?;
    Ok(Value::Null)
}

pub(super) async fn disconnectnode(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    // An empty address stands for none, as in Core, so that the id can be given by position.
    let address = arguments.optional::<String>("address")?.filter(|address| !address.is_empty());
    let id: Option<u64> = arguments.optional("nodeid")?;
    let known = match (address, id) {
        (Some(address), None) => {
            let address = parse_address(&address)?;
            context.node.call(move |core, now| core.node.disconnect_address(now, address)).await
        }
        (None, Some(id)) => context.node.call(move |core, now| core.node.disconnect_peer(now, PeerId(id))).await,
        _ => return Err(RpcError::invalid_parameter("give either an address or a nodeid")),
    };
    if known.map_err(stopped)? {
        Ok(Value::Null)
    } else {
        Err(RpcError::new(CLIENT_NODE_NOT_CONNECTED, "no such peer is connected"))
    }
}

pub(super) async fn setban(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let invalid = |message: String| RpcError::new(CLIENT_INVALID_IP_OR_SUBNET, message);
    let target: BanTarget =
        arguments.required::<String>("subnet")?.parse().map_err(|error| invalid(format!("{error}")))?;
    let seconds: u64 = arguments.optional("bantime")?.unwrap_or(0);
    let absolute = arguments.optional("absolute")?.unwrap_or(false);
    let command: String = arguments.required("command")?;
    let outcome = match command.as_str() {
        "add" => context.node.call(move |core, now| {
            let until = ban_end(now, seconds, absolute);
            core.node.ban(now, target, until)
        }),
        "remove" => {
            let outcome = context.node.call(move |core, _| core.node.unban(target)).await;
            outcome.map_err(stopped)?.map_err(|error| invalid(error.to_string()))?;
            return keep_bans(context).await;
        }
        _ => return Err(RpcError::invalid_parameter(format!("command is add or remove, not {command:?}"))),
    };
    outcome.await.map_err(stopped)?.map_err(|error| {
        let code = match &error {
            BanError::AlreadyBanned { .. } => CLIENT_NODE_ALREADY_ADDED,
            _ => CLIENT_INVALID_IP_OR_SUBNET,
        };
        RpcError::new(code, error.to_string())
    })?;
    keep_bans(context).await
}

fn ban_end(now: Timestamp, seconds: u64, absolute: bool) -> Timestamp {
    let millis = seconds.saturating_mul(1000);
    match (seconds, absolute) {
        (0, _) => now.saturating_add_millis(DEFAULT_BAN_SECONDS * 1000),
        (_, true) => Timestamp::from_millis(millis),
        (_, false) => now.saturating_add_millis(millis),
    }
}

/// Writes the bans down, so that they hold after a restart.
async fn keep_bans(context: &Context) -> Result<Value, RpcError> {
    let bans = context.node.call(|core, now| core.node.bans(now).copied().collect::<Vec<Ban>>());
    let text =
        serde_json::to_vec(&bans.await.map_err(stopped)?).map_err(|error| RpcError::internal(error.to_string()))?;
    let path = context.bans_file.clone();
    let written = blocking(move || {
        let directory = path.parent().unwrap_or(Path::new("."));
        PrivateFile::write(directory, BANS_FILE, &text).map(PrivateFile::keep)
    });
    written.await?.map_err(|error| RpcError::new(MISC_ERROR, error.message))?;
    Ok(Value::Null)
}

pub(super) async fn listbanned(context: &Context) -> Result<Value, RpcError> {
    let bans = context.node.call(|core, now| {
        let describe = |ban: &Ban| {
            let (created, until) = (ban.created.as_seconds(), ban.until.as_seconds());
            BannedPeer {
                address: ban.target.to_string(),
                ban_created: created,
                banned_until: until,
                ban_duration: until.saturating_sub(created),
                time_remaining: until.saturating_sub(now.as_seconds()),
            }
        };
        core.node.bans(now).map(describe).collect::<Vec<_>>()
    });
    json_of(&bans.await.map_err(stopped)?)
}
