//! Keeps nodes running: starts them, sees when they are ready, starts a crashed one again, and stops them all. A node
//! is ready when its `node.json` says so; what it does then is the business of others.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::files;
use crate::layout::Layout;
use crate::state::{Addresses, NodeFile, NodeState, State};
use crate::system::{self, End};

mod process;
#[cfg(test)]
mod tests;

pub use process::{Mining, Plan};
use process::{Process, spawn};

/// How long a node may take to close its store before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a node that crashed rests before it is started again; doubles with each start that fails.
const REST: Duration = Duration::from_millis(500);

/// The longest rest.
const MAX_REST: Duration = Duration::from_secs(10);

/// How many lines of a dead node's log are shown.
const LOG_LINES: usize = 3;

/// Something that the owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A node answers.
    Ready {
        /// Which.
        node: usize,
        /// Whether it had run before: then its peers have to be told.
        again: bool,
        /// Where it was before.
        before: Option<Addresses>,
    },
    /// A node ended without being asked to, and is started again after a rest.
    Crashed {
        /// Which.
        node: usize,
        /// How it ended.
        how: String,
        /// The last lines of its log.
        log: Vec<String>,
        /// The rest.
        rest: Duration,
    },
    /// A node ended because somebody asked it to, and stays down.
    Stopped {
        /// Which.
        node: usize,
    },
    /// A node runs that somebody else started in its place.
    Adopted {
        /// Which.
        node: usize,
        /// Its process.
        pid: u32,
    },
    /// A node could not be started; it is tried again after a rest.
    NotStarted {
        /// Which.
        node: usize,
        /// Why.
        reason: String,
        /// The rest.
        rest: Duration,
    },
}

impl Notice {
    /// Which node it is about.
    pub fn node(&self) -> usize {
        match self {
            Notice::Ready { node, .. }
            | Notice::Crashed { node, .. }
            | Notice::Stopped { node }
            | Notice::Adopted { node, .. }
            | Notice::NotStarted { node, .. } => *node,
        }
    }
}

#[derive(Debug)]
enum Phase {
    /// The process runs and has not said that it is ready.
    Starting { process: Process },
    /// It is ready. `leaving`: it was asked to stop, to be started again.
    Ready { process: Process, leaving: bool },
    /// It does not run, and is started at this time.
    Resting { until: Instant },
    /// It does not run, and stays so.
    Down,
}

#[derive(Debug)]
struct Node {
    plan: Plan,
    phase: Phase,
    addresses: Option<Addresses>,
    was_ready: bool,
    /// Where the part of the log begins that its latest process writes.
    log_start: u64,
    failed_starts: u32,
}

/// All nodes of a run. Dropping it stops them.
#[derive(Debug)]
pub struct Supervisor {
    layout: Layout,
    nodes: Vec<Node>,
}

impl Supervisor {
    /// Starts all nodes.
    ///
    /// # Errors
    /// If one cannot be started; those that were are stopped again.
    pub fn start(layout: &Layout, plans: Vec<Plan>) -> Result<Supervisor, Error> {
        let mut supervisor = Supervisor { layout: layout.clone(), nodes: Vec::new() };
        for plan in plans {
            let started = spawn(layout, &plan, None, &[])?;
            supervisor.nodes.push(Node {
                plan,
                phase: Phase::Starting { process: started.process },
                log_start: started.log_start,
                addresses: None,
                was_ready: false,
                failed_starts: 0,
            });
        }
        Ok(supervisor)
    }

    /// Looks after all nodes once, and says what happened. To be called often: it never waits.
    pub fn tick(&mut self, now: Instant) -> Vec<Notice> {
        let mut notices = Vec::new();
        for index in 0..self.nodes.len() {
            if self.restart_was_asked_for(index) {
                self.restart(index, now);
            }
            notices.extend(self.look_after(index, now));
        }
        notices
    }

    /// What runs now.
    pub fn state(&self) -> State {
        let node = |node: &Node| NodeState {
            name: node.plan.name.clone(),
            pid: match &node.phase {
                Phase::Starting { process } | Phase::Ready { process, .. } => Some(process.pid()),
                Phase::Resting { .. } | Phase::Down => None,
            },
            addresses: node.addresses,
        };
        State { nodes: self.nodes.iter().map(node).collect() }
    }

    /// How many nodes are ready.
    pub fn ready(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node.phase, Phase::Ready { .. })).count()
    }

    /// A node's name.
    pub fn name(&self, node: usize) -> &str {
        &self.nodes[node].plan.name
    }

    /// Stops a node and starts it again at once; starts one that is down.
    pub fn restart(&mut self, node: usize, now: Instant) {
        match &mut self.nodes[node].phase {
            Phase::Ready { process, leaving } => {
                process.end(End::Ask);
                *leaving = true;
            }
            Phase::Starting { .. } => {}
            phase @ (Phase::Resting { .. } | Phase::Down) => *phase = Phase::Resting { until: now },
        }
    }

    /// Stops all nodes: asks them, and kills those that take too long, or all that are left when `hurry` says so.
    /// Nothing that tells of a running node stays behind.
    pub fn stop(&mut self, mut hurry: impl FnMut() -> bool) {
        let mut running: Vec<(String, Process)> = Vec::new();
        for node in &mut self.nodes {
            if let Phase::Starting { process } | Phase::Ready { process, .. } =
                std::mem::replace(&mut node.phase, Phase::Down)
            {
                process.end(End::Ask);
                running.push((node.plan.name.clone(), process));
            }
        }
        let end = Instant::now() + PATIENCE;
        loop {
            running.retain_mut(|(name, process)| process.ended(&self.layout, name).is_none());
            if running.is_empty() {
                break;
            }
            if hurry() || Instant::now() >= end {
                for (_, process) in &running {
                    process.end(End::Kill);
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for node in &self.nodes {
            forget(&self.layout, &node.plan.name);
        }
    }

    fn restart_was_asked_for(&self, index: usize) -> bool {
        let request = self.layout.restart_request(&self.nodes[index].plan.name);
        // If it cannot be removed, the node would be restarted for ever.
        request.exists() && files::remove_if_there(&request).is_ok()
    }

    fn look_after(&mut self, index: usize, now: Instant) -> Option<Notice> {
        let name = self.nodes[index].plan.name.clone();
        match &mut self.nodes[index].phase {
            Phase::Starting { process } => {
                if let Some(how) = process.ended(&self.layout, &name) {
                    return Some(self.failed_to_start(index, how, now));
                }
                let file = NodeFile::load(&self.layout.node_file(&name))?;
                (file.pid == process.pid()).then(|| self.became_ready(index, file.addresses))
            }
            Phase::Ready { process, leaving } => {
                let leaving = *leaving;
                let how = process.ended(&self.layout, &name)?;
                self.ended(index, how, leaving, now)
            }
            Phase::Resting { until } if *until <= now => self.start_again(index, now),
            Phase::Resting { .. } | Phase::Down => None,
        }
    }

    fn became_ready(&mut self, index: usize, addresses: Addresses) -> Notice {
        let node = &mut self.nodes[index];
        let before = node.addresses.replace(addresses);
        let again = std::mem::replace(&mut node.was_ready, true);
        node.failed_starts = 0;
        let phase = std::mem::replace(&mut node.phase, Phase::Down);
        if let Phase::Starting { process } = phase {
            node.phase = Phase::Ready { process, leaving: false };
        }
        Notice::Ready { node: index, again, before }
    }

    fn ended(&mut self, index: usize, how: process::Ending, leaving: bool, now: Instant) -> Option<Notice> {
        if leaving {
            self.nodes[index].phase = Phase::Resting { until: now };
            return None;
        }
        if how.is_clean() {
            self.nodes[index].phase = Phase::Down;
            return Some(Notice::Stopped { node: index });
        }
        self.nodes[index].phase = Phase::Resting { until: now + REST };
        let log = self.last_words(index);
        Some(Notice::Crashed { node: index, how: how.to_string(), log, rest: REST })
    }

    fn failed_to_start(&mut self, index: usize, how: process::Ending, now: Instant) -> Notice {
        let log = self.last_words(index);
        let rest = self.rest_after_failure(index, now);
        Notice::Crashed { node: index, how: how.to_string(), log, rest }
    }

    fn last_words(&self, index: usize) -> Vec<String> {
        let node = &self.nodes[index];
        files::last_lines(&self.layout.node_log(&node.plan.name), node.log_start, LOG_LINES)
    }

    /// Doubles the rest with each failure in a row.
    fn rest_after_failure(&mut self, index: usize, now: Instant) -> Duration {
        let node = &mut self.nodes[index];
        let rest = REST.saturating_mul(1 << node.failed_starts.min(10)).min(MAX_REST);
        node.failed_starts += 1;
        node.phase = Phase::Resting { until: now + rest };
        rest
    }

    fn start_again(&mut self, index: usize, now: Instant) -> Option<Notice> {
        let name = self.nodes[index].plan.name.clone();
        if let Some(pid) = system::process_of(&self.layout, &name) {
            self.nodes[index].phase = Phase::Starting { process: Process::Found(pid) };
            return Some(Notice::Adopted { node: index, pid });
        }
        let node = &self.nodes[index];
        // Peers and wallets know where it was. If it could not start there, it may go elsewhere.
        let usual = if node.failed_starts == 0 { node.addresses } else { None };
        let peers: Vec<SocketAddr> = node
            .plan
            .dials
            .iter()
            .filter_map(|peer| self.nodes.get(*peer)?.addresses.map(|addresses| addresses.listen))
            .collect();
        match spawn(&self.layout, &node.plan, usual, &peers) {
            Ok(started) => {
                self.nodes[index].phase = Phase::Starting { process: started.process };
                self.nodes[index].log_start = started.log_start;
                None
            }
            Err(error) => {
                let rest = self.rest_after_failure(index, now);
                Some(Notice::NotStarted { node: index, reason: error.to_string(), rest })
            }
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop(|| false);
    }
}

/// Removes what a node writes while it runs, and leaves behind when it is killed.
pub fn forget(layout: &Layout, name: &str) {
    for path in [layout.node_file(name), layout.cookie(name), layout.restart_request(name)] {
        // What cannot be removed is overwritten by the next start.
        let _ = files::remove_if_there(&path);
    }
}
