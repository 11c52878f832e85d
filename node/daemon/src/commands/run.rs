//! `node run`: a node from its start to its clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tally_node_core::chain::ChainError;
use tally_node_core::mempool::RelayPolicy;
use tally_node_core::net::address_book::secret::Secret;
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::node::{Node, NodeConfig};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::maintenance::open_store;
use crate::args::RunArgs;
use crate::config::Config;
use crate::driver::{Driver, DriverError, NodeHandle};
use crate::error::CommandError;
use crate::lan::Lan;
use crate::mine::Miner;
use crate::private_file::{NodeFile, PrivateFile};
use crate::progress::Bar;
use crate::rpc::{BANS_FILE, Coinbases, Context, Guard, read_bans};
use crate::store::Store;
use crate::stratum::Stratum;
use crate::transport::{NodeKey, Transport, TransportConfig, bind, listen};
use crate::{addresses, clock, logging, rpc, web};

/// Threads that carry connections: the node has its own.
const IO_THREADS: usize = 2;

/// Threads that read the disk for RPC, at most.
const DISK_THREADS: usize = 16;

/// How long requests that are being answered may take when the node stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// How long to wait before a peer's name is looked up again.
const RESOLVE_PAUSE: Duration = Duration::from_secs(30);

/// How often the progress of synchronisation is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// Runs a node until it is stopped.
///
/// # Errors
/// Why it cannot start, or had to stop.
pub fn run(args: &RunArgs) -> Result<(), CommandError> {
    let config = Config::resolve(args)?;
    let bar = Bar::new(config.log.json);
    logging::start(&config.log, &bar)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .max_blocking_threads(DISK_THREADS)
        .enable_all()
        .build()
        .map_err(|error| CommandError::failure(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(run_until_stopped(config, bar));
    runtime.shutdown_timeout(STOP_LIMIT);
    outcome
}

async fn run_until_stopped(config: Config, bar: Bar) -> Result<(), CommandError> {
    let started = Instant::now();
    let (stop, stop_seen) = watch::channel(false);
    watch_signals(stop.clone())?;
    let opening = (config.clone(), bar.clone(), stop_seen.clone());
    let store = off_thread(move || {
        let (config, bar, stop) = opening;
        open_store(&config.location, &bar, || !*stop.borrow())
    });
    let store = store.await?;
    let sockets = Sockets::bind(&config)?;
    let listen_address = sockets.peers.1;
    let (node, store) = make_node(&config, store, listen_address.port(), &bar, &stop_seen).await?;
    let key = NodeKey::open(&config.location.data_dir)?;
    let params = Arc::clone(&config.location.params);
    let tip = node.chain().tip();
    tracing::info!(
        network = params.name,
        height = tip.height.get(),
        hash = %tip.hash,
        data_dir = %config.location.data_dir.display(),
        id = %key.id(),
        "node {} starts",
        env!("CARGO_PKG_VERSION")
    );
    let (driver, handle, transport) = start_driver(&config, node, store.clone(), &key)?;

    let mut tasks = JoinSet::new();
    let (peers, listen_address) = sockets.peers;
    tokio::spawn(listen(transport.clone(), peers));
    connect_to_peers(&config, &handle, &transport);
    let lan = discover_lan(&config, &key, listen_address, &transport);
    let miner = start_miner(&config, &handle, &mut tasks)?;
    let stratum = match sockets.stratum {
        Some(listener) => Some(start_stratum(&config, listener, &handle, &stop, &mut tasks)?),
        None => None,
    };
    let context = Arc::new(Context {
        node: handle.clone(),
        store,
        params,
        listen: listen_address,
        user_agent: NodeConfig::default().user_agent,
        transport,
        id: key.id(),
        bans_file: config.location.data_dir.join(BANS_FILE),
        started,
        miner,
        stratum,
        coinbases: Coinbases::new(config.payout.clone(), random_bytes()?),
        stop,
    });
    let files = start_servers(&config, &context, sockets.rpc, sockets.web, listen_address, &mut tasks)?;
    tasks.spawn(show_progress(handle.clone(), bar));

    tokio::select! {
        () = context.stopping() => tracing::info!("stopping"),
        () = handle.ended() => {}
    }
    context.stop.send_replace(true);
    drop((files, lan));
    handle.stop().await;
    let outcome = off_thread(move || Ok(driver.join())).await?;
    // What is being answered is finished, if it does not take long.
    let _ = timeout(STOP_LIMIT, async { while tasks.join_next().await.is_some() {} }).await;
    outcome.map_err(|error| ended(&error))
}

fn start_driver(
    config: &Config,
    node: Node,
    store: Store,
    key: &NodeKey,
) -> Result<(Driver, NodeHandle, Transport), CommandError> {
    let params = &config.location.params;
    let network = TransportConfig {
        magic: params.magic,
        default_port: params.peer_port,
        max_inbound: config.peers.max_inbound,
        key: config.peers.encrypted.then(|| key.clone()),
    };
    if network.key.is_none() {
        tracing::warn!("connections to peers are not encrypted: for lessons only");
    }
    let data_dir = config.location.data_dir.clone();
    Driver::start(node, store, network, data_dir, Handle::current())
        .map_err(|error| CommandError::failure(format!("cannot start a thread: {error}")))
}

/// Calls the peers of the configuration. Names are looked up until they are found.
fn connect_to_peers(config: &Config, handle: &NodeHandle, transport: &Transport) {
    for peer in &config.peers.connect {
        let (peer, handle, transport) = (peer.clone(), handle.clone(), transport.clone());
        let default_port = config.location.params.peer_port;
        tokio::spawn(async move {
            let address = loop {
                match peer.resolve(default_port).await {
                    Ok(address) => break address,
                    Err(reason) => tracing::warn!(%peer, reason, "the peer is not found"),
                }
                sleep(RESOLVE_PAUSE).await;
            };
            transport.set_pin(address, peer.id);
            // The same address twice is once; a node that stops needs no peers.
            let _ = handle.call(move |core, now| core.node.add_node(now, address)).await;
        });
    }
}

/// Announces the node on the LAN, if that is wanted. A LAN that does not let it is no reason to stop.
fn discover_lan(config: &Config, key: &NodeKey, listen: SocketAddr, transport: &Transport) -> Option<Lan> {
    if !config.peers.discover_lan {
        return None;
    }
    let genesis = config.location.params.genesis_hash();
    Lan::start(key.id(), genesis, listen, transport.clone())
        .inspect_err(|reason| tracing::warn!(reason, "not looking for nodes on the LAN"))
        .ok()
}

fn ended(error: &DriverError) -> CommandError {
    let failure = CommandError::failure(error);
    match error {
        DriverError::Halted { rebuild: true, .. } => {
            failure.with_hint("start the node again: it makes its index again from the block files")
        }
        _ => failure,
    }
}

/// Runs something that takes its time without holding up the connections.
async fn off_thread<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, CommandError> + Send + 'static,
) -> Result<R, CommandError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CommandError::failure(format!("a thread ended: {error}")))?
}

/// The first SIGINT or SIGTERM stops the node cleanly; a second one does not wait for that.
fn watch_signals(stop: watch::Sender<bool>) -> Result<(), CommandError> {
    let register = |kind| signal(kind).map_err(|error| CommandError::failure(format!("cannot watch signals: {error}")));
    let (mut interrupt, mut terminate) = (register(SignalKind::interrupt())?, register(SignalKind::terminate())?);
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        stop.send_replace(true);
        either(&mut interrupt, &mut terminate).await;
        std::process::exit(1);
    });
    Ok(())
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}

/// Listening sockets with the addresses that they really have.
struct Sockets {
    peers: (TcpListener, SocketAddr),
    rpc: (TcpListener, SocketAddr),
    web: Option<(TcpListener, SocketAddr)>,
    stratum: Option<(TcpListener, SocketAddr)>,
}

impl Sockets {
    fn bind(config: &Config) -> Result<Self, CommandError> {
        let open = |address, option| {
            let listener = bind(address, option)?;
            let bound = listener.local_addr().map_err(CommandError::failure)?;
            Ok((listener, bound))
        };
        Ok(Self {
            peers: open(config.listen, "--listen")?,
            rpc: open(config.rpc.listen, "--rpc-listen")?,
            web: config.web_listen.map(|address| open(address, "--web-listen")).transpose()?,
            stratum: config.stratum_listen.map(|address| open(address, "--stratum-listen")).transpose()?,
        })
    }
}

/// The node on its store. An index that turns out not to fit together is made again, once.
async fn make_node(
    config: &Config,
    store: Store,
    listen_port: u16,
    bar: &Bar,
    stop: &watch::Receiver<bool>,
) -> Result<(Node, Store), CommandError> {
    let (config, bar, stop) = (config.clone(), bar.clone(), stop.clone());
    off_thread(move || match open_node(&config, &store, listen_port)? {
        Ok(node) => Ok((node, store)),
        Err(error) if !error.is_fatal() || matches!(error, ChainError::WrongGenesis { .. }) => {
            Err(CommandError::failure(error))
        }
        Err(error) => {
            let reason = error.to_string();
            store.mark_damaged(&reason).map_err(|error| CommandError::failure(format!("{reason}; {error}")))?;
            drop((error, store));
            let store = open_store(&config.location, &bar, || !*stop.borrow())?;
            let node = open_node(&config, &store, listen_port)?.map_err(CommandError::failure)?;
            Ok((node, store))
        }
    })
    .await
}

fn open_node(config: &Config, store: &Store, listen_port: u16) -> Result<Result<Node, ChainError>, CommandError> {
    let node_config = NodeConfig {
        listen_port,
        relay: RelayPolicy { max_bytes: config.mempool_bytes, ..RelayPolicy::default() },
        bans: read_bans(&config.location.data_dir.join(BANS_FILE)),
        max_inbound: config.peers.max_inbound,
        max_upload_per_day: config.peers.max_upload,
        minimum_chain_work: config.peers.minimum_chain_work,
        finding: FindingConfig {
            secret: Some(Secret::from_bytes(random_bytes()?)),
            saved: addresses::read(&config.location.data_dir, config.location.params.genesis_hash()),
            ..config.peers.finding()
        },
        trickle_mean_ms: config.trickle_ms.0,
        trickle_inbound_mean_ms: Some(config.trickle_ms.1),
        ..NodeConfig::default()
    };
    let seed = u64::from_le_bytes(random_bytes()?);
    let params = Arc::clone(&config.location.params);
    Ok(Node::new(node_config, params, Box::new(store.clone()), seed, clock::now()))
}

fn random_bytes<const COUNT: usize>() -> Result<[u8; COUNT], CommandError> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes)
        .map_err(|error| CommandError::failure(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes)
}

fn start_miner(
    config: &Config,
    node: &NodeHandle,
    tasks: &mut JoinSet<()>,
) -> Result<Option<Arc<crate::mine::MinerStatus>>, CommandError> {
    let Some(mine) = &config.mine else {
        return Ok(None);
    };
    let (miner, found, status) = Miner::start(mine, node.clone(), random_bytes()?)
        .map_err(|error| CommandError::usage(format!("--mine: {error}")))?;
    tracing::info!(address = %mine.address, threads = mine.threads, limit = mine.limit, "mining");
    tasks.spawn(miner.run(found, Arc::clone(&status)));
    Ok(Some(status))
}

fn start_stratum(
    config: &Config,
    listener: (TcpListener, SocketAddr),
    node: &NodeHandle,
    stop: &watch::Sender<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Stratum>, CommandError> {
    let params = Arc::clone(&config.location.params);
    let seed = u64::from_le_bytes(random_bytes()?);
    Ok(Stratum::start(listener, node.clone(), params, config.payout.clone(), seed, stop.subscribe(), tasks))
}

/// Starts RPC and /health, and writes down where they are. The files go away with what is returned.
fn start_servers(
    config: &Config,
    context: &Arc<Context>,
    rpc: (TcpListener, SocketAddr),
    web: Option<(TcpListener, SocketAddr)>,
    listen: SocketAddr,
    tasks: &mut JoinSet<()>,
) -> Result<Vec<PrivateFile>, CommandError> {
    let directory = &config.location.data_dir;
    let mut files = Vec::new();
    let secret = match &config.rpc.user_password {
        Some(user_password) => user_password.clone(),
        None => {
            let (file, cookie) = PrivateFile::write_cookie(directory)?;
            files.push(file);
            cookie
        }
    };
    let guard = Guard::new(&secret, &config.rpc.allowed_hosts);
    let (rpc, rpc_address) = rpc;
    let serving = rpc::serve(rpc, Arc::clone(context), guard);
    tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "RPC");
        }
    });
    let web_address = web.as_ref().map(|(_, address)| *address);
    if let Some((web, _)) = web {
        let serving = web::serve(web, Arc::clone(context));
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "web");
            }
        });
    }
    let stratum = context.stratum.as_ref().map(|stratum| stratum.listen());
    let node = NodeFile { pid: std::process::id(), listen, rpc: rpc_address, web: web_address, stratum };
    files.insert(0, PrivateFile::write_node(directory, &node)?);
    let (web, stratum) = (web_address.map(tracing::field::display), stratum.map(tracing::field::display));
    tracing::info!(peers = %listen, rpc = %rpc_address, web, stratum, "listening");
    Ok(files)
}

/// Shows how far synchronisation is, while there is any.
async fn show_progress(node: NodeHandle, bar: Bar) {
    let mut ticks = interval(PROGRESS_INTERVAL);
    let mut shown = false;
    loop {
        ticks.tick().await;
        let Ok(progress) = node.call(|core, _| core.node.sync_progress()).await else {
            bar.clear();
            return;
        };
        if progress.initial_sync {
            shown = true;
            bar.set("synchronising", progress.blocks.get().into(), progress.headers.get().into());
        } else if shown {
            shown = false;
            bar.clear();
            tracing::info!(height = progress.blocks.get(), "in step");
        }
    }
}
