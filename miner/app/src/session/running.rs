//! The loop between engine and source: offers go to the engine, results to the source, and what happens to the report.

use super::{Event, Settings};
use crate::error::MinerError;
use crate::gate::Gate;
use crate::luck::Luck;
use crate::report::{Happening, Numbers, Report};
use crate::source::{Handed, Offer, Outcome, Purpose, SourceEvent, Submission, WorkSource};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tally_kernels::{Engine, Found};

/// How long a session that is to stop waits for what it has handed in: a block is worth that much.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// A session while it runs.
pub(super) struct Running<'a> {
    engine: Engine,
    source: &'a mut dyn WorkSource,
    report: &'a mut Report,
    settings: &'a Settings,
    luck: Luck,
    /// What is counted here; the rest is filled in by `numbers`.
    counted: Numbers,
    started: Instant,
    refreshed: Instant,
    faults: u64,
    /// Results whose fate is not known yet.
    handed_in: u64,
    /// A result that would be one too many if those were all accepted.
    held_back: Option<Found>,
    /// How often the session was asked to stop, and how often it has seen to it.
    stops_asked: Arc<AtomicU64>,
    stops_seen: u64,
    /// Set when the session is to stop, and waits no longer than this for what it has handed in.
    stop_at: Option<Instant>,
    /// Where shares came through, on their way into the queue.
    gate: Option<Gate>,
    /// Results that never came into the queue.
    overflow: Arc<AtomicU64>,
}

/// What a session does after an event: go on, or end (with an error or without).
type Next = ControlFlow<Result<(), MinerError>>;

impl<'a> Running<'a> {
    pub(super) fn new(
        engine: Engine,
        source: &'a mut dyn WorkSource,
        report: &'a mut Report,
        settings: &'a Settings,
        stops_asked: Arc<AtomicU64>,
        gate: Option<Gate>,
        overflow: Arc<AtomicU64>,
    ) -> Running<'a> {
        Running {
            engine,
            source,
            report,
            settings,
            luck: Luck::default(),
            counted: Numbers::default(),
            started: Instant::now(),
            refreshed: Instant::now(),
            faults: 0,
            handed_in: 0,
            held_back: None,
            stops_asked,
            stops_seen: 0,
            stop_at: None,
            gate,
            overflow,
        }
    }

    pub(super) fn say(&mut self, happening: &Happening) -> io::Result<()> {
        self.report.say(happening)
    }

    /// The outer error is one of the output.
    pub(super) fn run(&mut self, events: &Receiver<Event>) -> io::Result<Result<(), MinerError>> {
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
            if let ControlFlow::Break(ending) = self.see_to_stops()? {
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
            Event::Wake => {}
            Event::Found(found) => {
                self.gate.iter().for_each(Gate::leave);
                self.counted.found += 1;
                self.found(found);
            }
            Event::Source(SourceEvent::Failed(error)) => return Ok(ControlFlow::Break(Err(error))),
            Event::Source(SourceEvent::Work(offer)) => self.work(offer)?,
            Event::Source(SourceEvent::Submitted(submission)) => return self.submitted(submission),
            Event::Source(SourceEvent::Stale) => {
                self.counted.stale += 1;
                self.settled(1);
            }
            Event::Source(SourceEvent::Dropped) => {
                self.counted.dropped += 1;
                self.settled(1);
            }
            Event::Source(SourceEvent::Unanswered { results }) => {
                self.counted.unanswered += results;
                self.settled(results);
            }
            Event::Source(SourceEvent::Notice { text }) => self.report.say(&Happening::Notice { text })?,
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

    /// Does what the stopper has asked for since the last look.
    fn see_to_stops(&mut self) -> io::Result<Next> {
        while self.stops_seen < self.stops_asked.load(Ordering::Acquire) {
            self.stops_seen += 1;
            if let ControlFlow::Break(ending) = self.stop()? {
                return Ok(ControlFlow::Break(ending));
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
        if let Purpose::Share { difficulty, .. } = &offer.purpose {
            self.counted.difficulty = Some(*difficulty);
        }
        if self.stop_at.is_none() {
            self.engine.set_job(Some(offer.job));
        }
        self.refreshed = Instant::now();
        let (prev_block, purpose) = (offer.prev_block, offer.purpose);
        self.report.say(&Happening::Work { prev_block, purpose, target: hex::encode(target) })
    }

    /// Hands a result in, unless there may be enough already: never more are accepted than were asked for.
    fn found(&mut self, found: Found) {
        if self.settings.results.is_some_and(|results| self.counted.accepted + self.handed_in >= results) {
            let replaced = self.held_back.replace(found);
            self.counted.dropped += u64::from(replaced.is_some());
        } else if self.source.submit(found) {
            self.handed_in += 1;
        } else {
            self.counted.dropped += 1;
        }
    }

    fn submitted(&mut self, submission: Submission) -> io::Result<Next> {
        let is_accepted = submission.outcome == Outcome::Accepted;
        match submission.outcome {
            Outcome::Accepted => self.counted.accepted += 1,
            Outcome::Rejected { .. } => self.counted.rejected += 1,
        }
        let is_block = match submission.result {
            Handed::Block { .. } => true,
            Handed::Share { is_block, .. } => is_block,
        };
        self.counted.blocks += u64::from(is_accepted && is_block);
        self.report.say(&Happening::Result(submission))?;
        let are_enough = |limit: Option<u64>, count: u64| limit.is_some_and(|limit| count >= limit);
        if are_enough(self.settings.results, self.counted.accepted)
            || are_enough(self.settings.blocks, self.counted.blocks)
        {
            return Ok(ControlFlow::Break(Ok(())));
        }
        self.settled(1);
        Ok(ControlFlow::Continue(()))
    }

    /// The fate of results is known, so one that was held back may go.
    fn settled(&mut self, results: u64) {
        self.handed_in = self.handed_in.saturating_sub(results);
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

    pub(super) fn numbers(&mut self) -> Numbers {
        let hashes = self.engine.hashes();
        let now = self.started.elapsed();
        let overflow = self.overflow.load(Ordering::Relaxed);
        Numbers {
            seconds: now.as_secs_f64(),
            hashes,
            hashes_per_second: self.luck.rate(hashes, now),
            expected: self.luck.expected(hashes),
            found: self.counted.found + overflow,
            dropped: self.counted.dropped + overflow,
            ..self.counted
        }
    }
}
