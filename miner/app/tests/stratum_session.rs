//! A session over Stratum within the test's process, where the engine's settings and the status line are at hand.

mod support;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use support::pool::{Configure, FLOOD, FakePool, SOME};
use tally_kernels::EngineConfig;
use tally_miner::report::{Numbers, Payee, Report};
use tally_miner::session::{Session, Settings};
use tally_miner::stratum::{Credentials, StratumSource};

fn source(pool: &FakePool) -> StratumSource {
    let credentials = Credentials { user: "me".to_owned(), password: "x".to_owned() };
    StratumSource::new(&[pool.url()], credentials, false).expect("a server")
}

/// One thread that changes the version after few nonces.
fn settings(results: Option<u64>) -> Settings {
    Settings {
        engine: EngineConfig { threads: 1, nonces: 0..=63, ..EngineConfig::default() },
        payee: Payee::User("me".to_owned()),
        results,
        blocks: None,
        refresh: Duration::from_secs(10),
    }
}

/// Mines until so many shares are accepted; if that takes far too long, until a watchdog stops it.
fn mine(pool: &FakePool, shares: u64) -> Numbers {
    let session = Session::new(settings(Some(shares)));
    let stopper = session.stopper();
    let (is_done, watch) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            stopper.stop();
            stopper.stop();
        }
    });
    let numbers = session.run(&mut source(pool), &mut Report::json(Box::new(io::sink())));
    drop(is_done);
    numbers.expect("it mines")
}

#[test]
fn versions_are_rolled_within_the_mask_and_the_pool_finds_the_same_headers() {
    for mask in [0x1fff_e000, 0x0000_e000, 0x1000_2000, 0] {
        let pool = FakePool::start(SOME);
        pool.state().configure = Configure::Mask(mask);
        let numbers = mine(&pool, 40);
        assert_eq!((numbers.accepted, numbers.rejected), (40, 0));
        let state = pool.state();
        let bits: BTreeSet<u32> =
            state.submits.iter().map(|submit| u32::from_str_radix(&submit.params[5], 16).expect("hex")).collect();
        assert!(state.submits.iter().all(|submit| submit.error.is_none()), "{:?}", state.submits);
        assert!(bits.iter().all(|bits| bits & !mask == 0), "{bits:x?} within {mask:x}");
        let versions = 1_usize << mask.count_ones();
        assert!(bits.len() > versions.min(8) / 2 || versions == 1, "{bits:x?} of {versions} versions");
    }
}

/// A terminal that hands on what is written to it.
struct Terminal(Sender<String>);

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.send(text).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a status line with at least so many dropped shares.
fn wait_for_dropped(screen: &Receiver<String>, count: u64) {
    let mut text = String::new();
    loop {
        text.push_str(&screen.recv_timeout(Duration::from_secs(60)).expect("a status line"));
        let number = text.rsplit_once("dropped ").and_then(|(_, rest)| rest.split(' ').next());
        if number.and_then(|number| number.parse().ok()).is_some_and(|dropped: u64| dropped >= count) {
            return;
        }
    }
}

#[test]
fn a_flood_of_shares_is_dropped_politely() {
    let pool = FakePool::start(FLOOD);
    pool.state().holds_answers = true;
    let (sender, screen) = mpsc::channel();
    let session = Session::new(settings(None));
    let stopper = session.stopper();
    let mut source = source(&pool);
    let running = std::thread::spawn(move || {
        let mut report = Report::text(Box::new(io::sink()), Some(Box::new(Terminal(sender))));
        session.run(&mut source, &mut report)
    });
    // So long as none is answered there are no more than these; what is found meanwhile is dropped, and the engine goes on.
    pool.wait_for_shares(256);
    wait_for_dropped(&screen, 10_000);
    assert_eq!(pool.state().submits.len(), 256);
    assert!(pool.state().submits.iter().all(|submit| submit.error.is_none()));
    stopper.stop();
    stopper.stop();
    let numbers = running.join().expect("no panic").expect("it mines");
    assert!(numbers.dropped >= 10_000 && numbers.found > numbers.dropped, "{numbers:?}");
    assert_eq!((numbers.accepted, numbers.rejected), (0, 0));
}

#[test]
fn answers_come_through_in_a_flood() {
    let pool = FakePool::start(FLOOD);
    let numbers = mine(&pool, 5000);
    assert_eq!((numbers.accepted, numbers.rejected), (5000, 0));
    let state = pool.state();
    assert_eq!((state.submits.len(), state.connected), (5000, 1));
    assert!(state.submits.iter().all(|submit| submit.error.is_none()));
}
