//! The thread that waits for new templates, and finds another node when one fails.

use super::{Origin, Shared};
use crate::error::MinerError;
use crate::nodes::{BackOff, check_address};
use crate::source::{SourceEvent, SourceEvents};
use std::time::{Duration, Instant};
use tally_rpc::client::Client;
use tally_rpc::mining::BlockTemplate;

/// A node that answers a long poll sooner than this with nothing new does not know long polls.
const LONG_POLL_MIN: Duration = Duration::from_secs(1);

/// The thread that waits for templates.
pub(super) struct Poller<'a> {
    shared: &'a Shared,
    events: &'a SourceEvents,
    /// The node that answered last, and its template's `longpollid`.
    following: Option<(usize, String)>,
    /// A node has answered at some time.
    was_connected: bool,
    /// What was last said about an outage, so as not to repeat it.
    last_complaint: Option<String>,
    back_off: BackOff,
}

impl<'a> Poller<'a> {
    pub(super) fn new(shared: &'a Shared, events: &'a SourceEvents) -> Poller<'a> {
        Poller { shared, events, following: None, was_connected: false, last_complaint: None, back_off: BackOff::new() }
    }

    pub(super) fn run(mut self) {
        while !self.shared.is_stopped() {
            let (index, client) = self.shared.nodes.current();
            let goes_on = match self.ask(index, client) {
                Ok(answer) => self.follow(index, client, answer),
                Err(error) => self.recover(index, client, error),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// The next template of a node: at once from a node that we do not follow yet, else when there is something new.
    fn ask(&self, index: usize, client: &Client) -> Result<BlockTemplate, MinerError> {
        match &self.following {
            Some((followed, longpollid)) if *followed == index => {
                let asked = Instant::now();
                let answer = client.block_template(Some(longpollid))?;
                if answer.longpollid == *longpollid {
                    self.shared.pause(LONG_POLL_MIN.saturating_sub(asked.elapsed()));
                }
                Ok(answer)
            }
            _ => {
                check_address(client, &self.shared.payout)?;
                Ok(client.block_template(None)?)
            }
        }
    }

    fn follow(&mut self, index: usize, client: &Client, answer: BlockTemplate) -> bool {
        let is_new = self.following.as_ref().is_none_or(|(followed, _)| *followed != index);
        self.following = Some((index, answer.longpollid.clone()));
        self.was_connected = true;
        self.last_complaint = None;
        self.back_off = BackOff::new();
        if is_new && !self.events.send(SourceEvent::Connected { url: client.url().to_owned() }) {
            return false;
        }
        self.shared.deliver(answer, if is_new { Origin::NewNode } else { Origin::LongPoll }, self.events)
    }

    /// Goes to the next node, with a pause when all have failed. False when it is over.
    fn recover(&mut self, index: usize, client: &Client, error: MinerError) -> bool {
        self.following = None;
        if !self.was_connected && matches!(error, MinerError::AddressRefused { .. }) {
            self.events.send(SourceEvent::Failed(error));
            return false;
        }
        let reason = error.to_string();
        if self.last_complaint.as_ref() != Some(&reason) {
            self.last_complaint = Some(reason.clone());
            if !self.events.send(SourceEvent::Lost { url: client.url().to_owned(), reason }) {
                return false;
            }
        }
        if self.shared.nodes.move_on(index) {
            self.shared.pause(self.back_off.pause());
        }
        true
    }
}
