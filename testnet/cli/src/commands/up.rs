//! `testnet up`: starts everything, shows it, and stops it again.

use std::time::{Duration, Instant};

use crate::args::UpArgs;
use crate::error::Error;
use crate::interrupt::Interrupts;
use crate::layout::{Layout, MINER, PEOPLE};
use crate::links;
use crate::lock::DirLock;
use crate::programs::Programs;
use crate::report::Report;
use crate::state::{Settings, State};
use crate::supervisor::{Notice, Supervisor};
use crate::wallets::{self, RpcEndpoint};
use crate::watch::{Health, Watch, missing};

mod output;
mod prepare;

use output::Output;

/// How long the nodes may take to come together. A long chain is read at the start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Pauses while the nodes start: whoever waits should not wait for us.
const TIGHT: Duration = Duration::from_millis(5);

/// Pauses while they run.
const RELAXED: Duration = Duration::from_millis(100);

/// How often the nodes are asked how they are.
const ASK_EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(args: &UpArgs) -> Result<(), Error> {
    let interrupts = Interrupts::catch()?;
    let mut output = Output::new(args.json);
    let layout = Layout::create(args.dir.dir.as_deref())?;
    let lock = DirLock::acquire(&layout)?;
    let programs = Programs::find()?;
    prepare::after_an_earlier_run(&layout, &mut output)?;
    let settings = prepare::network(&layout, &programs, args, &mut output)?;
    let plans = prepare::plans(&settings, &programs, args)?;
    output.progress(&format!("starting {} nodes", plans.len()))?;
    let supervisor = Supervisor::start(&layout, plans)?;
    let mut run = Run { layout, settings, programs, supervisor, watch: Watch::default(), interrupts, output };
    let result = run.start().and_then(|started| if started { run.keep_running(args.for_seconds) } else { Ok(()) });
    // An error speaks for itself.
    let stopped = run.stop(result.is_ok());
    drop(lock);
    result.and(stopped)
}

/// A network that runs.
struct Run {
    layout: Layout,
    settings: Settings,
    programs: Programs,
    supervisor: Supervisor,
    watch: Watch,
    interrupts: Interrupts,
    output: Output,
}

impl Run {
    /// Waits until all nodes are in step. False if it was interrupted.
    fn start(&mut self) -> Result<bool, Error> {
        let end = Instant::now() + START_LIMIT;
        self.supervisor.state().save(&self.layout)?;
        if !self.wait_until_ready(end)? {
            return Ok(false);
        }
        let state = self.state_changed()?;
        links::make_all(&self.layout, &state.nodes).map_err(|error| self.not_in_step(error.to_string()))?;
        let Some(health) = self.wait_until_in_step(end)? else {
            return Ok(false);
        };
        let report = Report::new(&self.layout, &state, &health);
        self.output.in_step(&report, &output::commands(&self.layout, &self.programs, &self.settings, &report))?;
        Ok(true)
    }

    fn wait_until_ready(&mut self, end: Instant) -> Result<bool, Error> {
        let count = usize::from(self.settings.nodes);
        while self.supervisor.ready() < count {
            for notice in self.supervisor.tick(Instant::now()) {
                self.must_be_good(notice)?;
            }
            let text = format!("starting {count} nodes: {} answer", self.supervisor.ready());
            if Instant::now() >= end {
                return Err(self.not_in_step(text));
            }
            self.output.progress(&text)?;
            if self.interrupts.wait(TIGHT) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A node that dies before it was ever ready has a reason that trying again will not remove.
    fn must_be_good(&self, notice: Notice) -> Result<(), Error> {
        let (node, how, log) = match notice {
            Notice::Crashed { node, how, log, .. } => (node, how, log.join(" / ")),
            Notice::Stopped { node } => (node, "ended".to_owned(), String::new()),
            Notice::NotStarted { node, reason, .. } => (node, reason, String::new()),
            Notice::Ready { .. } | Notice::Adopted { .. } => return Ok(()),
        };
        Err(Error::NodeFailed { name: self.supervisor.name(node).to_owned(), how, log })
    }

    fn wait_until_in_step(&mut self, end: Instant) -> Result<Option<Vec<Option<Health>>>, Error> {
        loop {
            self.handle_notices()?;
            let health = self.watch.ask(&self.layout, &self.supervisor.state().nodes);
            let Some(text) = missing(&health) else {
                return Ok(Some(health));
            };
            if Instant::now() >= end {
                return Err(self.not_in_step(text));
            }
            self.output.progress(&text)?;
            if self.interrupts.wait(TIGHT) {
                return Ok(None);
            }
        }
    }

    fn not_in_step(&self, missing: String) -> Error {
        Error::NotInStep { seconds: START_LIMIT.as_secs(), missing, dir: self.layout.dir().to_owned() }
    }

    /// Until Ctrl-C or the time is over.
    fn keep_running(&mut self, seconds: Option<u64>) -> Result<(), Error> {
        let end = seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        let mut asked = Instant::now();
        loop {
            let now = Instant::now();
            let pause = end.map_or(RELAXED, |end| end.saturating_duration_since(now).min(RELAXED));
            if self.interrupts.wait(pause) || end.is_some_and(|end| Instant::now() >= end) {
                return Ok(());
            }
            let something_happened = self.handle_notices()?;
            if something_happened || asked.elapsed() >= ASK_EVERY {
                asked = Instant::now();
                let state = self.supervisor.state();
                let health = self.watch.ask(&self.layout, &state.nodes);
                self.output.refresh(&Report::new(&self.layout, &state, &health))?;
            }
        }
    }

    /// Looks after the nodes, and says what happened.
    fn handle_notices(&mut self) -> Result<bool, Error> {
        let notices = self.supervisor.tick(Instant::now());
        if notices.is_empty() {
            return Ok(false);
        }
        let state = self.state_changed()?;
        for notice in &notices {
            if let Notice::Ready { node, again: true, before } = notice {
                links::renew(&self.layout, &state.nodes, *node, *before);
            }
            let text = output::describe(notice, self.supervisor.name(notice.node()), &state);
            self.output.notice(&text)?;
        }
        Ok(true)
    }

    /// Writes down what runs now, for `status`, for wallets, and for whoever comes after a crash of ours.
    fn state_changed(&self) -> Result<State, Error> {
        let state = self.supervisor.state();
        state.save(&self.layout)?;
        let endpoint = |node: &crate::state::NodeState| {
            let url = node.addresses?.rpc_url();
            Some(RpcEndpoint { url, cookie: self.layout.cookie(&node.name) })
        };
        let endpoints: Vec<RpcEndpoint> = state.nodes.iter().filter_map(endpoint).collect();
        wallets::configure(&self.layout, &[PEOPLE[0], PEOPLE[1], MINER], &endpoints)?;
        Ok(state)
    }

    /// Stops all nodes; another Ctrl-C kills them.
    fn stop(&mut self, aloud: bool) -> Result<(), Error> {
        // Stopping matters more than saying so.
        let said = if aloud { self.output.notice("stopping all nodes") } else { Ok(()) };
        let interrupts = &self.interrupts;
        self.supervisor.stop(|| interrupts.wait(Duration::ZERO));
        crate::files::remove_if_there(&self.layout.state())?;
        said?;
        if aloud { self.output.finish(&self.layout) } else { Ok(()) }
    }
}
