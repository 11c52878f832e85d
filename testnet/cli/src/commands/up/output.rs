//! What `up` says, and how: redrawn in place on a terminal, as plain lines elsewhere, as one document for programs.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Stdout};
use std::time::{Duration, Instant};

use tally_primitives::hash::BlockHash;

use crate::commands::{print_json, print_line, written};
use crate::error::Error;
use crate::layout::{Layout, PEOPLE, quoted_path};
use crate::programs::Programs;
use crate::report::Report;
use crate::screen::{Screen, Size};
use crate::state::{Settings, State};
use crate::supervisor::Notice;
use crate::table::{self, Colours, common_tip, short};

/// How many lines of the latest notices stay on the screen.
const NOTICES_SHOWN: usize = 6;

enum Mode {
    Live(Box<Screen<Stdout>>),
    Plain,
    Json,
}

/// Where `up` speaks.
pub(super) struct Output {
    mode: Mode,
    colours: Colours,
    started: Instant,
    notices: VecDeque<String>,
    report: Option<Report>,
    last_progress: String,
    last_tip: Option<BlockHash>,
}

impl Output {
    pub(super) fn new(json: bool) -> Output {
        let terminal = io::stdout().is_terminal();
        let mode = match (json, terminal) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Live(Box::new(Screen::new(io::stdout()))),
            (false, false) => Mode::Plain,
        };
        Output {
            mode,
            colours: Colours::new(terminal && std::env::var_os("NO_COLOR").is_none()),
            started: Instant::now(),
            notices: VecDeque::new(),
            report: None,
            last_progress: String::new(),
            last_tip: None,
        }
    }

    /// What we wait for.
    pub(super) fn progress(&mut self, text: &str) -> Result<(), Error> {
        if text == self.last_progress {
            return Ok(());
        }
        text.clone_into(&mut self.last_progress);
        match &mut self.mode {
            Mode::Live(screen) => written(screen.draw(&[format!("{text} …")], Size::of_stdout())),
            Mode::Plain | Mode::Json => Ok(()),
        }
    }

    /// A line that stays.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Error> {
        match &mut self.mode {
            Mode::Live(screen) => written(screen.print(&[text.to_owned()])),
            Mode::Plain => print_line(text),
            Mode::Json => {
                eprintln!("{text}");
                Ok(())
            }
        }
    }

    /// All nodes are in step for the first time.
    pub(super) fn in_step(&mut self, report: &Report, commands: &[String]) -> Result<(), Error> {
        let took = self.started.elapsed().as_secs_f64();
        let mut lines = vec![
            self.colours.strong(&format!("{} nodes are in step after {took:.1} s.", report.nodes.len())),
            String::new(),
            "Try in another terminal:".to_owned(),
        ];
        lines.extend(commands.iter().map(|command| format!("  {command}")));
        lines.push(String::new());
        self.last_tip = common_tip(report);
        match &mut self.mode {
            Mode::Live(screen) => {
                written(screen.print(&lines))?;
                self.refresh(report)
            }
            Mode::Plain => {
                let table = table::lines(report, self.colours);
                table.iter().chain(&lines).try_for_each(|line| print_line(line))
            }
            Mode::Json => print_json(report),
        }
    }

    /// Something happened to a node.
    pub(super) fn notice(&mut self, text: &str) -> Result<(), Error> {
        let text = format!("{}  {text}", clock(self.started.elapsed()));
        match &mut self.mode {
            Mode::Live(_) => {
                self.notices.extend(text.lines().map(str::to_owned));
                let surplus = self.notices.len().saturating_sub(NOTICES_SHOWN);
                self.notices.drain(..surplus);
                self.draw()
            }
            Mode::Plain => print_line(&text),
            Mode::Json => {
                eprintln!("{text}");
                Ok(())
            }
        }
    }

    /// How the nodes are now.
    pub(super) fn refresh(&mut self, report: &Report) -> Result<(), Error> {
        self.report = Some(report.clone());
        match self.mode {
            Mode::Live(_) => self.draw(),
            Mode::Plain => self.plain_line(report),
            Mode::Json => Ok(()),
        }
    }

    /// The last word.
    pub(super) fn finish(&mut self, layout: &Layout) -> Result<(), Error> {
        let dir = quoted_path(layout.dir());
        self.say(&format!("all nodes are stopped; the chain stays in {dir}, and the next `up` goes on with it"))
    }

    /// One line when the common tip has moved.
    fn plain_line(&mut self, report: &Report) -> Result<(), Error> {
        let tip = common_tip(report);
        if tip == self.last_tip {
            return Ok(());
        }
        self.last_tip = tip;
        let Some(tip) = tip else {
            return Ok(());
        };
        let at_tip: Vec<_> = report.nodes.iter().filter(|node| node.tip == Some(tip)).collect();
        let height = at_tip.first().and_then(|node| node.height).unwrap_or_default();
        let (together, count) = (at_tip.len(), report.nodes.len());
        let time = clock(self.started.elapsed());
        print_line(&format!("{time}  height {height}  {}  {together}/{count} nodes", short(&tip.to_string())))
    }

    fn draw(&mut self) -> Result<(), Error> {
        let Mode::Live(screen) = &mut self.mode else {
            return Ok(());
        };
        let mut lines = Vec::new();
        if let Some(report) = &self.report {
            lines = table::lines(report, self.colours);
            let time = clock(self.started.elapsed());
            let text = format!("  running for {time}; Ctrl-C stops all nodes, the chain stays");
            lines.extend([String::new(), self.colours.faint(&text)]);
        }
        lines.extend(self.notices.iter().map(|notice| format!("  {notice}")));
        written(screen.draw(&lines, Size::of_stdout()))
    }
}

/// A notice in words: a line, and the last lines of a dead node's log.
pub(super) fn describe(notice: &Notice, name: &str, state: &State) -> String {
    let seconds = |rest: &Duration| format!("{} s", rest.as_secs_f64());
    match notice {
        Notice::Ready { node, again, .. } => {
            let pid = state.nodes.get(*node).and_then(|node| node.pid).unwrap_or_default();
            let how = if *again { "runs again" } else { "runs" };
            format!("{name} {how} (pid {pid})")
        }
        Notice::Crashed { how, log, rest, .. } => {
            let mut text = format!("{name} {how}; it is started again in {}", seconds(rest));
            for line in log {
                text.push_str("\n      its log: ");
                text.push_str(line);
            }
            text
        }
        Notice::Stopped { .. } => format!("{name} was stopped; `testnet restart {name}` starts it again"),
        Notice::Adopted { pid, .. } => {
            format!("{name} was started by somebody else (pid {pid}); it is looked after from now on")
        }
        Notice::NotStarted { reason, rest, .. } => format!("{name}: {reason}; tried again in {}", seconds(rest)),
    }
}

/// What to try, ready to be copied.
pub(super) fn commands(layout: &Layout, programs: &Programs, settings: &Settings, report: &Report) -> Vec<String> {
    let wallet = quoted_path(&programs.wallet);
    let of = |person: &str| format!("{wallet} --wallet {}", quoted_path(&layout.wallet(person)));
    let mut commands = vec![
        format!("{} balance", of(PEOPLE[0])),
        format!("{} send {} 12.5", of(PEOPLE[0]), settings.bob),
        format!("{} history", of(PEOPLE[1])),
        format!("{} status --dir {}", quoted_path(&programs.testnet), quoted_path(layout.dir())),
    ];
    let stratum = report.nodes.iter().filter_map(|node| node.stratum.as_ref());
    commands.extend(stratum.map(|url| format!("minerd -a sha256d -o {url} -u {} -p x", settings.miner)));
    commands
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
