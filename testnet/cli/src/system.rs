//! Processes: who is alive, who is ours, and how to end them. A process is ours if a node's data directory in our
//! network's directory stands on its command line; ids alone prove nothing, since the system uses them again.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::layout::Layout;

/// How to end a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGTERM: it cleans up.
    Ask,
    /// SIGKILL: it is gone.
    Kill,
}

/// Sends a signal. False if there is no such process, or it is another user's.
pub fn signal(pid: u32, end: End) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    match end {
        // A process that was stopped (SIGSTOP) hears only when it goes on.
        End::Ask => kill_process(pid, Signal::TERM).is_ok() && kill_process(pid, Signal::CONT).is_ok(),
        End::Kill => kill_process(pid, Signal::KILL).is_ok(),
    }
}

/// A process of one of our nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurProcess {
    /// Its id.
    pub pid: u32,
    /// The node's name.
    pub node: String,
}

/// Every process of this network's nodes, whoever started it.
pub fn our_processes(layout: &Layout) -> Vec<OurProcess> {
    let mut ours: Vec<OurProcess> = command_lines()
        .into_iter()
        .filter_map(|(pid, words)| Some(OurProcess { pid, node: node_of(layout.dir(), &words)? }))
        .collect();
    ours.sort_by_key(|process| process.pid);
    ours
}

/// The process that runs this node, if one does.
pub fn process_of(layout: &Layout, node: &str) -> Option<u32> {
    our_processes(layout).into_iter().find(|process| process.node == node).map(|process| process.pid)
}

/// Ends all of this network's nodes: asks them, waits, and kills what is left. Gives those that it found.
pub fn end_ours(layout: &Layout, patience: Duration) -> Vec<OurProcess> {
    let found = our_processes(layout);
    for process in &found {
        signal(process.pid, End::Ask);
    }
    let end = Instant::now() + patience;
    loop {
        let left = our_processes(layout);
        if left.is_empty() {
            return found;
        }
        if Instant::now() >= end {
            for process in &left {
                signal(process.pid, End::Kill);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The node's name, if these words start a node in `dir`.
fn node_of(dir: &Path, words: &[String]) -> Option<String> {
    let position = words.iter().position(|word| word == "--data-dir")?;
    let name = Path::new(words.get(position + 1)?).strip_prefix(dir).ok()?.to_str()?;
    let number = name.strip_prefix("node-")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.to_owned())
}

#[cfg(target_os = "linux")]
fn command_lines() -> Vec<(u32, Vec<String>)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let pid = path.file_name()?.to_str()?.parse().ok()?;
            // Empty for a process that has ended and waits to be collected.
            let line = std::fs::read(path.join("cmdline")).ok()?;
            let words = line.split(|byte| *byte == 0);
            Some((pid, words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<(u32, Vec<String>)> {
    let Ok(output) = std::process::Command::new("ps").args(["-axww", "-o", "pid=,stat=,command="]).output() else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let pid = words.next()?.parse().ok()?;
            let running = !words.next()?.starts_with('Z');
            running.then(|| (pid, words.collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
