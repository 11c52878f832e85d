//! Work from a pool, or from a node that is one, over Stratum v1.
//!
//! - [`message`]: what is said on the wire
//! - [`client`]: the protocol as a state machine, without sockets
//!   - [`job`]: a pool's job as work for the engine, and results as shares
//!   - [`difficulty`]: from a difficulty to a target, in integers
//! - [`endpoint`]: a server's address
//! - [`rotation`]: which server next, and when
//! - [`lines`]: lines of bounded length from a stream
//! - `connection`: a TCP connection with a thread that reads
//! - `worker`: the thread that brings all this together
//!
//! Everything that comes, comes through one inbox of bounded length: lines (the reading thread waits while it is full, and so
//! at last does the server), and results of the engine (given up when there is no room).

pub mod client;
mod connection;
pub mod difficulty;
pub mod endpoint;
pub mod job;
pub mod lines;
pub mod message;
pub mod rotation;
mod worker;

use crate::error::MinerError;
use crate::gate::Gate;
use crate::source::{SourceEvents, WorkSource};
use connection::Connection;
use endpoint::Endpoint;
use rotation::Rotation;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use tally_kernels::Found;
use worker::Worker;

/// Lines and results that may wait for the worker. Lines have at most [`lines::LINE_MAX_BYTES`].
const INBOX_MAX: usize = 64;

/// Of these, results.
const RESULTS_WAITING_MAX: usize = 32;

/// What comes into the worker's inbox.
#[derive(Debug)]
enum Input {
    /// A line from the connection with this number.
    Line { connection: u64, line: Vec<u8> },
    /// The connection with this number is gone.
    Closed { connection: u64, reason: String },
    /// A result of the engine.
    Found(Found),
    /// Look whether it is time to stop.
    Wake,
}

/// Who we are to the servers.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The worker's name; for our own node a payout address.
    pub user: String,
    /// Its password, `x` where none is asked for.
    pub password: String,
}

/// Work over Stratum.
pub struct StratumSource {
    servers: Vec<Endpoint>,
    credentials: Credentials,
    wait: bool,
    inbox: Option<SyncSender<Input>>,
    gate: Gate,
    stopped: Arc<AtomicBool>,
}

impl StratumSource {
    /// Work from these servers, the preferred first. With `wait`, none needs to answer yet.
    ///
    /// # Errors
    /// [`MinerError::BadServer`].
    pub fn new(servers: &[String], credentials: Credentials, wait: bool) -> Result<StratumSource, MinerError> {
        let servers = servers.iter().map(|text| text.parse()).collect::<Result<Vec<Endpoint>, MinerError>>()?;
        Ok(StratumSource {
            servers,
            credentials,
            wait,
            inbox: None,
            gate: Gate::new(RESULTS_WAITING_MAX),
            stopped: Arc::default(),
        })
    }

    /// Connects to the first server that can be reached, and makes it the current one.
    fn first_connection(&self, rotation: &mut Rotation) -> Result<Connection, MinerError> {
        let mut first_error = None;
        for server in &self.servers {
            match Connection::open(server) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    let (server, reason) = (server.to_string(), error.to_string());
                    first_error.get_or_insert(MinerError::ServerUnreachable { server, reason });
                    // There is no pause: nobody has been bothered yet.
                    rotation.skip();
                }
            }
        }
        Err(first_error
            .unwrap_or(MinerError::System { action: "mine for a pool", reason: "no server was named".to_owned() }))
    }
}

impl WorkSource for StratumSource {
    fn start(&mut self, events: SourceEvents) -> Result<(), MinerError> {
        let refused = |action, reason: String| MinerError::System { action, reason };
        let seed = getrandom::u64().map_err(|error| refused("get random numbers", error.to_string()))?;
        let mut rotation = Rotation::new(self.servers.len(), seed);
        let first = if self.wait { None } else { Some(self.first_connection(&mut rotation)?) };
        let (sender, inbox) = mpsc::sync_channel(INBOX_MAX);
        self.inbox = Some(sender.clone());
        let worker = Worker::new(
            worker::Setting {
                servers: self.servers.clone(),
                credentials: self.credentials.clone(),
                rotation,
                inbox,
                to_inbox: sender,
                gate: self.gate.clone(),
                stopped: Arc::clone(&self.stopped),
            },
            events,
        );
        let spawned = std::thread::Builder::new().name("miner-stratum".to_owned()).spawn(move || worker.run(first));
        spawned.map(drop).map_err(|error| refused("start a thread", error.to_string()))
    }

    /// There is nothing to ask for: the server sends new work by itself.
    fn refresh(&self) {}

    fn submit(&self, found: Found) -> bool {
        let Some(inbox) = self.inbox.as_ref().filter(|_| self.gate.enter()) else { return false };
        let sent = inbox.try_send(Input::Found(found)).is_ok();
        if !sent {
            self.gate.leave();
        }
        sent
    }
}

impl Drop for StratumSource {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(inbox) = &self.inbox {
            // A worker with a full inbox looks up without being woken.
            let _ = inbox.try_send(Input::Wake);
        }
    }
}
