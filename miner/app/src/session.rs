//! A session: an engine and a source, brought together by the loop in `session/running`.
//!
//! Everything that happens comes through one queue of bounded length. The source waits while it is full, so a server that
//! talks too much is slowed down and not stored. Shares get a part of it; those that find no place are given up and counted, so
//! the engine goes on.

mod running;

use crate::error::MinerError;
use crate::gate::Gate;
use crate::report::{Happening, Numbers, Payee, Report};
use crate::source::{SourceEvent, SourceEvents, WorkSource};
use running::Running;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;
use tally_kernels::{Engine, EngineConfig, Found};

/// Events that may wait for the session.
const EVENTS_WAITING_MAX: usize = 256;

/// Of these, shares.
const SHARES_WAITING_MAX: usize = 128;

/// What a session waits for.
#[derive(Debug)]
pub enum Event {
    /// The source says something.
    Source(SourceEvent),
    /// The engine has a result.
    Found(Found),
    /// Look up: something is to be done that is not in the queue.
    Wake,
}

/// How a session is to run.
pub struct Settings {
    /// The engine's settings.
    pub engine: EngineConfig,
    /// Who earns, for the report.
    pub payee: Payee,
    /// Stop after so many results (blocks from a node, else shares) were accepted.
    pub results: Option<u64>,
    /// Stop after so many shares were accepted that are blocks.
    pub blocks: Option<u64>,
    /// The work is asked for anew at least this often, so that the time in the header moves.
    pub refresh: Duration,
}

/// Stops a session from outside.
#[derive(Clone, Debug)]
pub struct Stopper {
    asked: Arc<AtomicU64>,
    session: SyncSender<Event>,
}

impl Stopper {
    /// Asks the session to stop: cleanly the first time, at once the second time. Never waits.
    pub fn stop(&self) {
        self.asked.fetch_add(1, Ordering::Release);
        // When the queue is full the session is awake, and when it is gone the session has ended.
        let _ = self.session.try_send(Event::Wake);
    }
}

/// A session before it runs: the way in for its events exists, so that a signal handler can stop it.
pub struct Session {
    stopper: Stopper,
    events: Receiver<Event>,
    settings: Settings,
}

impl Session {
    /// A session with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Session {
        let (session, events) = mpsc::sync_channel(EVENTS_WAITING_MAX);
        Session { stopper: Stopper { asked: Arc::default(), session }, events, settings }
    }

    /// What stops the session from outside.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Mines until it is stopped, or has found enough, or nobody reads the report any more.
    ///
    /// # Errors
    /// When the engine or the source cannot start.
    pub fn run(self, source: &mut dyn WorkSource, report: &mut Report) -> Result<Numbers, MinerError> {
        let Session { stopper, events, settings } = self;
        let (engine, found) = Engine::start(settings.engine.clone())?;
        source.start(SourceEvents::new(stopper.session.clone()))?;
        if report.say(&started(&engine, &settings)).is_err() {
            return Ok(Numbers::default());
        }
        let forwarder = Forwarder {
            session: stopper.session,
            gate: matches!(settings.payee, Payee::User(_)).then(|| Gate::new(SHARES_WAITING_MAX)),
            overflow: Arc::default(),
        };
        let (gate, overflow) = (forwarder.gate.clone(), Arc::clone(&forwarder.overflow));
        std::thread::spawn(move || forwarder.run(&found));
        let mut running = Running::new(engine, source, report, &settings, stopper.asked, gate, overflow);
        let ended = running.run(&events);
        let numbers = running.numbers();
        // Whoever closed our output does not want to read a summary either.
        if let Ok(ending) = ended {
            let _ = running.say(&Happening::Ended(numbers));
            ending?;
        }
        Ok(numbers)
    }
}

/// Brings results into the session's queue.
struct Forwarder {
    session: SyncSender<Event>,
    /// For shares: there may be more than anyone wants, and the engine should not stop for them. A block waits for its place.
    gate: Option<Gate>,
    /// Results that were given up.
    overflow: Arc<AtomicU64>,
}

impl Forwarder {
    fn run(&self, found: &Receiver<Found>) {
        for result in found {
            if self.gate.as_ref().is_some_and(|gate| !gate.enter()) {
                self.overflow.fetch_add(1, Ordering::Relaxed);
            } else if self.session.send(Event::Found(result)).is_err() {
                return;
            }
        }
    }
}

fn started(engine: &Engine, settings: &Settings) -> Happening {
    Happening::Started {
        payee: settings.payee.clone(),
        threads: engine.threads(),
        kernel: engine.kernel().name(),
        limit: settings.engine.limit_hashes_per_second,
    }
}
