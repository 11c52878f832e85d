//! The loop between engine and source: offers go to the engine, results to the source, and what happens to the report.

use crate::error::MinerError;
use crate::luck::Luck;
use crate::report::{Happening, Numbers, Report};
use crate::source::{Offer, Outcome, SourceEvent, SourceEvents, Submission, WorkSource};
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tally_kernels::{Engine, EngineConfig, Found};

/// What a session waits for.
#[derive(Debug)]
pub enum Event {
    /// The source says something.
    Source(SourceEvent),
    /// The engine has a result.
    Found(Found),
    /// Stop cleanly.
    Stop,
}

/// How long a session that is to stop waits for what it has handed in: a block is worth that much.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// How a session is to run.
pub struct Settings {
    /// The engine's settings.
    pub engine: EngineConfig,
    /// Whom blocks pay, for the report.
    pub address: String,
    /// Stop after so many blocks were accepted.
    pub blocks: Option<u64>,
    /// The work is asked for anew at least this often, so that the time in the header moves.
    pub refresh: Duration,
}

/// A session before it runs: the way in for its events exists, so that a signal handler can stop it.
pub struct Session {
    sender: Sender<Event>,
    events: Receiver<Event>,
    settings: Settings,
}

impl Session {
    /// A session with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Session {
        let (sender, events) = mpsc::channel();
        Session { sender, events, settings }
    }

    /// The way in for events, to stop the session from outside.
    #[must_use]
    pub fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// Mines until it is stopped, or has found enough, or nobody reads the report any more.
    ///
    /// # Errors
    /// When the engine or the source cannot start.
    pub fn run(self, source: &mut dyn WorkSource, report: &mut Report) -> Result<Numbers, MinerError> {
        let (engine, found) = Engine::start(self.settings.engine.clone())?;
        source.start(SourceEvents::new(self.sender.clone()))?;
        if report.say(&self.started(&engine)).is_err() {
            return Ok(Numbers::default());
        }
        let to_session = self.sender.clone();
        std::thread::spawn(move || {
            for result in found {
                if to_session.send(Event::Found(result)).is_err() {
                    return;
                }
            }
        });
        let mut running = Running {
            engine,
            source,
            report,
            luck: Luck::default(),
            started: Instant::now(),
            refreshed: Instant::now(),
            accepted: 0,
            rejected: 0,
            faults: 0,
            handed_in: 0,
            held_back: None,
            stop_at: None,
            settings: &self.settings,
        };
        let ended = running.run(&self.events);
        let numbers = running.numbers();
        // Whoever closed our output does not want to read a summary either.
        if let Ok(ending) = ended {
            let _ = running.report.say(&Happening::Ended(numbers));
            ending?;
        }
        Ok(numbers)
    }

    fn started(&self, engine: &Engine) -> Happening {
        Happening::Started {
            address: self.settings.address.clone(),
            threads: engine.threads(),
            kernel: engine.kernel().name(),
            limit: self.settings.engine.limit_hashes_per_second,
        }
    }
}

/// A session while it runs.
struct Running<'a> {
    engine: Engine,
    source: &'a mut dyn WorkSource,
    report: &'a mut Report,
    luck: Luck,
    started: Instant,
    refreshed: Instant,
    accepted: u64,
    rejected: u64,
    faults: u64,
    /// Results whose fate is not known yet.
    handed_in: u64,
    /// A result that would be one too many if those were all accepted.
    held_back: Option<Found>,
    /// Set when the session is to stop, and waits no longer than this for what it has handed in.
    stop_at: Option<Instant>,
    settings: &'a Settings,
}

/// What a session does after an event: go on, or end (with an error or without).
type Next = ControlFlow<Result<(), MinerError>>;

impl Running<'_> {
    /// The outer error is one of the output.
    fn run(&mut self, events: &Receiver<Event>) -> io::Result<Result<(), MinerError>> {
        loop {
            let until_refresh = self.settings.refresh.saturating_sub(self.refreshed.elapsed());
            let until_stop = self.stop_at.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            let wait = self.report.next_status(self.started.elapsed()).min(until_refresh).min(until_stop);
            let next = match events.recv_timeout(wait) {
                Ok(event) => self.handle(event)?,
                Err(RecvTimeoutError::Timeout) => ControlFlow::Continue(()),
                Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(Ok(())),
            };
            if let ControlFlow::Break(ending) = next {
                return Ok(ending);
            }
            if self.stop_at.is_some_and(|at| self.handed_in == 0 || Instant::now() >= at) {
                return Ok(Ok(()));
            }
            self.tick()?;
        }
    }

    fn handle(&mut self, event: Event) -> io::Result<Next> {
        match event {
            Event::Stop => return self.stop(),
            Event::Found(found) => self.found(found),
            Event::Source(SourceEvent::Failed(error)) => return Ok(ControlFlow::Break(Err(error))),
            Event::Source(SourceEvent::Work(offer)) => self.work(offer)?,
            Event::Source(SourceEvent::Submitted(submission)) => return self.submitted(submission),
            Event::Source(SourceEvent::Stale) => self.settled(),
            Event::Source(SourceEvent::Connected { url }) => self.report.say(&Happening::Connected { url })?,
            Event::Source(SourceEvent::NoWork { reason }) => {
                self.engine.set_job(None);
                self.report.say(&Happening::NoWork { reason })?;
            }
            Event::Source(SourceEvent::Lost { url, reason }) => {
                self.engine.set_job(None);
                self.report.say(&Happening::Lost { url, reason })?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Stops hashing; ends at once when nothing is under way, or when asked a second time.
    fn stop(&mut self) -> io::Result<Next> {
        self.engine.set_job(None);
        if self.handed_in == 0 || self.stop_at.is_some() {
            return Ok(ControlFlow::Break(Ok(())));
        }
        self.stop_at = Some(Instant::now() + LAST_ANSWERS);
        self.report.say(&Happening::Stopping { handed_in: self.handed_in })?;
        Ok(ControlFlow::Continue(()))
    }

    fn work(&mut self, offer: Offer) -> io::Result<()> {
        let target = offer.job.work.target();
        self.luck.set_target(&target, self.engine.hashes());
        if self.stop_at.is_none() {
            self.engine.set_job(Some(offer.job));
        }
        self.refreshed = Instant::now();
        self.report.say(&Happening::Work {
            height: offer.height,
            prev_block: offer.prev_block,
            transactions: offer.transactions,
            reward: offer.reward,
            target: hex::encode(target),
        })
    }

    /// Hands a result in, unless there may be enough already: never more blocks than were asked for.
    fn found(&mut self, found: Found) {
        if self.settings.blocks.is_some_and(|blocks| self.accepted + self.handed_in >= blocks) {
            self.held_back = Some(found);
        } else {
            self.handed_in += 1;
            self.source.submit(found);
        }
    }

    fn submitted(&mut self, submission: Submission) -> io::Result<Next> {
        match submission.outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Rejected { .. } => self.rejected += 1,
        }
        self.report.say(&Happening::Block(submission))?;
        if self.settings.blocks.is_some_and(|blocks| self.accepted >= blocks) {
            return Ok(ControlFlow::Break(Ok(())));
        }
        self.settled();
        Ok(ControlFlow::Continue(()))
    }

    /// The fate of a result is known, so one that was held back may go.
    fn settled(&mut self) {
        self.handed_in = self.handed_in.saturating_sub(1);
        if let Some(found) = self.held_back.take() {
            self.found(found);
        }
    }

    /// What is due by the clock.
    fn tick(&mut self) -> io::Result<()> {
        if self.refreshed.elapsed() >= self.settings.refresh {
            self.refreshed = Instant::now();
            self.source.refresh();
        }
        let faults = self.engine.faults();
        if faults > self.faults {
            self.faults = faults;
            self.report.say(&Happening::Fault { kernel: self.engine.kernel().name(), faults })?;
        }
        let now = self.started.elapsed();
        if self.report.next_status(now).is_zero() {
            let numbers = self.numbers();
            self.report.status(&numbers, now)?;
        }
        Ok(())
    }

    fn numbers(&mut self) -> Numbers {
        let hashes = self.engine.hashes();
        let now = self.started.elapsed();
        Numbers {
            seconds: now.as_secs_f64(),
            hashes,
            hashes_per_second: self.luck.rate(hashes, now),
            accepted: self.accepted,
            rejected: self.rejected,
            expected: self.luck.expected(hashes),
        }
    }
}
