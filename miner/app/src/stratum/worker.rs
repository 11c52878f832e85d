//! The thread between the servers and the session: connects, pumps lines and results through a [`Client`], and connects again.

use super::client::{Client, Ending, Fate, Login, Output};
use super::connection::Connection;
use super::endpoint::Endpoint;
use super::rotation::Rotation;
use super::{Credentials, Input};
use crate::error::MinerError;
use crate::gate::Gate;
use crate::source::{SourceEvent, SourceEvents};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// A server may send us away for at most so long.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(300);

/// What a worker is given.
pub(super) struct Setting {
    pub(super) servers: Vec<Endpoint>,
    pub(super) credentials: Credentials,
    pub(super) rotation: Rotation,
    pub(super) inbox: Receiver<Input>,
    /// For the threads that read.
    pub(super) to_inbox: SyncSender<Input>,
    /// Where results came through, on their way into the inbox.
    pub(super) gate: Gate,
    pub(super) stopped: Arc<AtomicBool>,
}

/// The thread's state.
pub(super) struct Worker {
    setting: Setting,
    events: SourceEvents,
    started: Instant,
    connections: u64,
    next_job: u64,
    /// The servers that are spoken to in the plainest way, see [`Login::is_plain`].
    plain: Vec<bool>,
    /// Some server has let us in at some time.
    was_let_in: bool,
    /// Refusals by servers, none having let us in.
    refusals: usize,
    /// The port that a server has sent us to, for the next attempt only.
    detour: Option<u16>,
    /// What was last said about an outage, so as not to repeat it.
    last_complaint: Option<String>,
}

/// How a connection went.
struct Service {
    ending: Ending,
    /// How long it gave work.
    served: Duration,
}

/// There is nobody to work for any more.
struct Ended;

impl Worker {
    pub(super) fn new(setting: Setting, events: SourceEvents) -> Worker {
        let plain = vec![false; setting.servers.len()];
        Worker {
            setting,
            events,
            started: Instant::now(),
            connections: 0,
            next_job: 0,
            plain,
            was_let_in: false,
            refusals: 0,
            detour: None,
            last_complaint: None,
        }
    }

    /// Works until the session ends.
    pub(super) fn run(mut self, first: Option<Connection>) {
        let mut opened = first;
        while let Ok(()) = self.visit(opened.take()) {}
    }

    /// One connection to the current server, from opening it to the pause after it.
    fn visit(&mut self, opened: Option<Connection>) -> Result<(), Ended> {
        let index = self.setting.rotation.current();
        let server = &self.setting.servers[index];
        let server = self.detour.take().map_or_else(|| server.clone(), |port| server.at_port(port));
        let connection = opened.map_or_else(|| Connection::open(&server), Ok);
        let service = match connection {
            Ok(connection) => self.serve(&server, index, &connection)?,
            Err(error) => {
                let ending = Ending::Broken { reason: error.to_string() };
                Service { ending, served: Duration::ZERO }
            }
        };
        let (reason, pause) = match service.ending {
            Ending::Reconnect { port, wait } => {
                self.detour = port;
                ("it asks us to connect again".to_owned(), wait.min(RECONNECT_WAIT_MAX))
            }
            Ending::Broken { reason } => (reason, self.setting.rotation.failed(service.served)),
            Ending::Refused { reason } => {
                let reason = format!("it does not let {:?} in: {reason}", self.setting.credentials.user);
                self.refused(&server, &reason)?;
                (reason, self.setting.rotation.failed(service.served))
            }
        };
        self.complain(&server, format!("{server}: {reason}"))?;
        self.pause(pause)
    }

    /// When every server has refused us and none ever let us in, asking again does not help.
    fn refused(&mut self, server: &Endpoint, reason: &str) -> Result<(), Ended> {
        self.refusals += 1;
        if self.was_let_in || self.refusals < self.setting.servers.len() {
            return Ok(());
        }
        let error = MinerError::LoginRefused { server: server.to_string(), reason: reason.to_owned() };
        self.tell(SourceEvent::Failed(error))?;
        Err(Ended)
    }

    /// Tells of an outage, once.
    fn complain(&mut self, server: &Endpoint, reason: String) -> Result<(), Ended> {
        if self.last_complaint.as_ref() == Some(&reason) {
            return Ok(());
        }
        self.last_complaint = Some(reason.clone());
        self.tell(SourceEvent::Lost { url: server.to_string(), reason })
    }

    /// Pumps a connection until it is over.
    fn serve(&mut self, server: &Endpoint, index: usize, connection: &Connection) -> Result<Service, Ended> {
        self.connections += 1;
        let number = self.connections;
        let broken = |reason: String| Service { ending: Ending::Broken { reason }, served: Duration::ZERO };
        if let Err(error) = connection.read_into(self.setting.to_inbox.clone(), number) {
            return Ok(broken(error.to_string()));
        }
        let Credentials { user, password } = self.setting.credentials.clone();
        let login = Login { host: server.host().to_owned(), user, password, is_plain: self.plain[index] };
        let mut client = Client::new(login, self.next_job, self.now());
        let mut first_work = None;
        let ending = loop {
            match self.pump(server, connection, &mut client, &mut first_work)? {
                Some(ending) => break ending,
                None => {
                    if let Some(reason) = self.take_input(number, &mut client)? {
                        break Ending::Broken { reason };
                    }
                }
            }
        };
        self.next_job = client.next_job();
        if client.unanswered() > 0 {
            self.tell(SourceEvent::Unanswered { results: client.unanswered() })?;
        }
        if first_work.is_none() && matches!(ending, Ending::Broken { .. }) {
            // Perhaps it was our way of speaking: the other one next time.
            self.plain[index] = !self.plain[index];
        }
        let served = first_work.map_or(Duration::ZERO, |since| self.now().saturating_sub(since));
        Ok(Service { ending, served })
    }

    /// Does what the client wants done; its ending if it is over.
    fn pump(
        &mut self,
        server: &Endpoint,
        connection: &Connection,
        client: &mut Client,
        first_work: &mut Option<Duration>,
    ) -> Result<Option<Ending>, Ended> {
        while let Some(output) = client.poll_output() {
            match output {
                Output::Line(line) => {
                    if let Err(error) = connection.send(&line) {
                        return Ok(Some(Ending::Broken { reason: error.to_string() }));
                    }
                }
                Output::Ready => {
                    self.was_let_in = true;
                    self.last_complaint = None;
                    self.tell(SourceEvent::Connected { url: server.to_string() })?;
                }
                Output::Work(offer) => {
                    first_work.get_or_insert(self.now());
                    self.tell(SourceEvent::Work(offer))?;
                }
                Output::Answered(submission) => self.tell(SourceEvent::Submitted(submission))?,
                Output::Notice(text) => self.tell(SourceEvent::Notice { text })?,
                Output::Over(ending) => return Ok(Some(ending)),
            }
        }
        Ok(None)
    }

    /// Waits for the next input, or for the client's next timeout. The reason, when the connection is gone.
    fn take_input(&mut self, number: u64, client: &mut Client) -> Result<Option<String>, Ended> {
        let wait = client.next_timeout().saturating_sub(self.now());
        match self.receive(wait)? {
            Some(Input::Line { connection, line }) if connection == number => client.handle_line(&line, self.now()),
            Some(Input::Closed { connection, reason }) if connection == number => return Ok(Some(reason)),
            Some(Input::Found(found)) => match client.submit(&found, self.now()) {
                Fate::Sent => {}
                Fate::Stale => self.tell(SourceEvent::Stale)?,
                Fate::Dropped => self.tell(SourceEvent::Dropped)?,
            },
            // Of an earlier connection.
            Some(Input::Line { .. } | Input::Closed { .. } | Input::Wake) => {}
            None => client.handle_timeout(self.now()),
        }
        Ok(None)
    }

    /// Pauses without a connection: results are worthless meanwhile.
    fn pause(&mut self, pause: Duration) -> Result<(), Ended> {
        let until = self.now() + pause;
        loop {
            let left = until.saturating_sub(self.now());
            match self.receive(left)? {
                Some(Input::Found(_)) => self.tell(SourceEvent::Stale)?,
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    /// The next input; `None` when there is none in this time.
    fn receive(&self, wait: Duration) -> Result<Option<Input>, Ended> {
        let input = match self.setting.inbox.recv_timeout(wait) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Err(Ended),
        };
        if matches!(input, Some(Input::Found(_))) {
            self.setting.gate.leave();
        }
        if self.setting.stopped.load(Ordering::Acquire) { Err(Ended) } else { Ok(input) }
    }

    fn tell(&self, event: SourceEvent) -> Result<(), Ended> {
        if self.events.send(event) { Ok(()) } else { Err(Ended) }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}
