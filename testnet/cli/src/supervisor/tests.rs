//! The supervisor against small scripts in place of a node.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{MAX_REST, Notice, Plan, REST, Supervisor};
use crate::layout::Layout;
use crate::system::{End, our_processes, signal};

/// Says that it is ready, then waits; removes its file when asked to end.
const GOOD: &str = r#"
trap 'rm -f "$dir/node.json"; exit 0' TERM
rm -f "$dir/nothing"
mkfifo "$dir/nothing"
exec 3<> "$dir/nothing"
echo "{\"pid\":$$,\"listen\":\"127.0.0.1:4242\",\"rpc\":\"127.0.0.1:1\"}" > "$dir/node.json.new"
mv "$dir/node.json.new" "$dir/node.json"
while :; do read -r _ <&3; done
"#;

/// What every script does first.
const HEAD: &str = "echo \"$listen\" >> \"$dir/starts\"\necho 'it starts'\n";

/// The program in place of a node; see there.
const SCRIPTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/scripted");

struct Fixture {
    _dir: tempfile::TempDir,
    layout: Layout,
    program: PathBuf,
}

fn fixture(script: &str) -> Fixture {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    let program = layout.dir().join("node");
    symlink(SCRIPTED, &program).expect("linked");
    let fixture = Fixture { _dir: dir, layout, program };
    fixture.set_script(script);
    fixture
}

impl Fixture {
    fn set_script(&self, script: &str) {
        // Those that run read the old file on.
        let fresh = self.layout.dir().join("script.new");
        fs::write(&fresh, format!("{HEAD}{script}")).expect("written");
        fs::rename(&fresh, self.layout.dir().join("script")).expect("renamed");
    }

    fn plans(&self, count: usize) -> Vec<Plan> {
        let plan = |index| Plan {
            name: Layout::node_name(index),
            program: self.program.clone(),
            ports: None,
            mining: None,
            payout: None,
            stratum: None,
            dials: vec![],
        };
        (0..count).map(plan).collect()
    }

    fn start(&self, count: usize) -> Driven {
        let supervisor = Supervisor::start(&self.layout, self.plans(count)).expect("started");
        Driven { supervisor, ahead: Duration::ZERO }
    }

    /// The `--listen` of every start.
    fn starts(&self, node: &str) -> Vec<String> {
        let text = fs::read_to_string(self.layout.node_dir(node).join("starts")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// A supervisor whose clock can be put forward, so that nobody has to wait for a rest to pass.
struct Driven {
    supervisor: Supervisor,
    ahead: Duration,
}

impl Deref for Driven {
    type Target = Supervisor;

    fn deref(&self) -> &Supervisor {
        &self.supervisor
    }
}

impl DerefMut for Driven {
    fn deref_mut(&mut self) -> &mut Supervisor {
        &mut self.supervisor
    }
}

impl Driven {
    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }
}

/// Puts the clock forward, then ticks until something is noticed.
fn next(driven: &mut Driven, later: Duration) -> Vec<Notice> {
    driven.ahead += later;
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let now = driven.now();
        let notices = driven.tick(now);
        if !notices.is_empty() {
            return notices;
        }
        assert!(Instant::now() < end, "nothing happens");
        std::thread::yield_now();
    }
}

/// Ticks until all nodes are ready.
fn all_ready(supervisor: &mut Driven, count: usize) {
    while supervisor.ready() < count {
        let notices = next(supervisor, Duration::ZERO);
        assert!(notices.iter().all(|notice| matches!(notice, Notice::Ready { again: false, .. })), "{notices:?}");
    }
}

fn pid(supervisor: &Supervisor, node: usize) -> u32 {
    supervisor.state().nodes[node].pid.expect("it runs")
}

#[test]
fn nodes_start_and_stop_without_a_trace() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(3);
    all_ready(&mut supervisor, 3);
    assert_eq!(our_processes(&fixture.layout).len(), 3);
    let state = supervisor.state();
    assert_eq!(state.nodes[2].name, "node-3");
    assert_eq!(state.nodes[2].addresses.expect("known").listen.port(), 4242);
    supervisor.stop(|| false);
    assert!(our_processes(&fixture.layout).is_empty());
    assert!(!fixture.layout.node_file("node-1").exists());
    assert_eq!(supervisor.state().nodes[0].pid, None);
    let later = supervisor.now() + MAX_REST;
    assert!(supervisor.tick(later).is_empty(), "a stopped node came back");
}

#[test]
fn dropping_stops_as_well() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(2);
    all_ready(&mut supervisor, 2);
    drop(supervisor);
    assert!(our_processes(&fixture.layout).is_empty());
}

#[test]
fn a_killed_node_is_started_again_at_its_old_address() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(2);
    all_ready(&mut supervisor, 2);
    let before = supervisor.state().nodes[0].addresses;
    for round in 1..=3 {
        let old = pid(&supervisor, 0);
        assert!(signal(old, End::Kill));
        let notices = next(&mut supervisor, Duration::ZERO);
        let [Notice::Crashed { node: 0, how, log, rest }] = &notices[..] else { panic!("{notices:?}") };
        assert_eq!(how, "was killed (signal 9)");
        assert_eq!(log.last().map(String::as_str), Some("it starts"));
        assert_eq!(*rest, REST);
        assert_eq!(supervisor.state().nodes[0].pid, None);
        let ready = Notice::Ready { node: 0, again: true, before };
        assert_eq!(next(&mut supervisor, REST), [ready]);
        assert_ne!(pid(&supervisor, 0), old);
        assert_eq!(fixture.starts("node-1").len(), 1 + round);
    }
    assert_eq!(fixture.starts("node-1"), ["127.0.0.1:0", "127.0.0.1:4242", "127.0.0.1:4242", "127.0.0.1:4242"]);
    assert_eq!(fixture.starts("node-2").len(), 1);
}

#[test]
fn a_node_that_ends_by_itself_stays_down_until_it_is_asked_for() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(1);
    all_ready(&mut supervisor, 1);
    assert!(signal(pid(&supervisor, 0), End::Ask));
    assert_eq!(next(&mut supervisor, Duration::ZERO), [Notice::Stopped { node: 0 }]);
    let later = supervisor.now() + MAX_REST;
    assert!(supervisor.tick(later).is_empty());
    fs::write(fixture.layout.restart_request("node-1"), "").expect("written");
    assert!(matches!(next(&mut supervisor, Duration::ZERO)[..], [Notice::Ready { node: 0, again: true, .. }]));
    assert!(!fixture.layout.restart_request("node-1").exists());
}

#[test]
fn a_restart_that_was_asked_for_is_no_crash() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(1);
    all_ready(&mut supervisor, 1);
    let old = pid(&supervisor, 0);
    let now = supervisor.now();
    supervisor.restart(0, now);
    assert!(matches!(next(&mut supervisor, Duration::ZERO)[..], [Notice::Ready { node: 0, again: true, .. }]));
    assert_ne!(pid(&supervisor, 0), old);
}

#[test]
fn a_node_that_cannot_start_is_tried_ever_less_often_and_elsewhere() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(1);
    all_ready(&mut supervisor, 1);
    fixture.set_script("echo 'error: port 4242 is in use'; exit 1");
    assert!(signal(pid(&supervisor, 0), End::Kill));
    assert!(matches!(next(&mut supervisor, Duration::ZERO)[..], [Notice::Crashed { .. }]));
    let mut rests = Vec::new();
    for _ in 0..6 {
        let notices = next(&mut supervisor, MAX_REST);
        let [Notice::Crashed { how, log, rest, .. }] = &notices[..] else { panic!("{notices:?}") };
        assert_eq!(how, "ended with exit code 1");
        assert_eq!(log.last().map(String::as_str), Some("error: port 4242 is in use"));
        rests.push(rest.as_millis());
    }
    assert_eq!(rests, [500, 1000, 2000, 4000, 8000, 10_000]);
    assert_eq!(fixture.starts("node-1")[1..3], ["127.0.0.1:4242", "127.0.0.1:0"]);
    fs::remove_file(&fixture.program).expect("removed");
    let notices = next(&mut supervisor, MAX_REST);
    let [Notice::NotStarted { reason, .. }] = &notices[..] else { panic!("{notices:?}") };
    assert!(reason.starts_with("cannot start "), "{reason}");
    symlink(SCRIPTED, &fixture.program).expect("linked");
    fixture.set_script(GOOD);
    assert!(matches!(next(&mut supervisor, MAX_REST)[..], [Notice::Ready { .. }]));
}

#[test]
fn a_node_that_was_started_by_hand_is_taken_over() {
    let fixture = fixture(GOOD);
    let mut supervisor = fixture.start(1);
    all_ready(&mut supervisor, 1);
    assert!(signal(pid(&supervisor, 0), End::Kill));
    assert!(matches!(next(&mut supervisor, Duration::ZERO)[..], [Notice::Crashed { .. }]));
    let mut by_hand = std::process::Command::new(&fixture.program)
        .args(["run", "--data-dir"])
        .arg(fixture.layout.node_dir("node-1"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    // Not before its command line is there to be seen.
    while our_processes(&fixture.layout).is_empty() {
        std::thread::yield_now();
    }
    let adopted = Notice::Adopted { node: 0, pid: by_hand.id() };
    assert_eq!(next(&mut supervisor, MAX_REST), [adopted]);
    assert!(matches!(next(&mut supervisor, Duration::ZERO)[..], [Notice::Ready { again: true, .. }]));
    assert_eq!(pid(&supervisor, 0), by_hand.id());
    supervisor.stop(|| false);
    assert!(by_hand.wait().expect("ended").success());
}

#[test]
fn a_stubborn_node_is_killed_when_there_is_no_more_patience() {
    let stubborn = GOOD.replace("exit 0", ":");
    let fixture = fixture(&stubborn);
    let mut supervisor = fixture.start(1);
    all_ready(&mut supervisor, 1);
    let mut asked = 0;
    supervisor.stop(|| {
        asked += 1;
        asked > 1
    });
    assert!(our_processes(&fixture.layout).is_empty());
    assert!(!fixture.layout.node_file("node-1").exists());
}

#[test]
fn a_missing_program_is_an_error_at_once() {
    let fixture = fixture(GOOD);
    let mut plans = fixture.plans(2);
    plans[1].program = "/nonexistent/node".into();
    let error = Supervisor::start(&fixture.layout, plans).expect_err("missing");
    assert!(error.to_string().starts_with("cannot start /nonexistent/node: "), "{error}");
    assert!(our_processes(&fixture.layout).is_empty(), "the first node was left running");
}
