//! Header chains with little work: followed, and not kept before they have shown enough.

use tally_node_core::net::disconnect::{DisconnectReason, Violation};
use tally_node_core::net::limits::{LOW_WORK_BLOCKS, MAX_LOW_WORK_HELD};
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::NodeConfig;
use tally_node_core::testing;
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::units::Height;
use tally_wire::Message;
use tally_wire::limits::MAX_HEADERS;

use crate::bench::Bench;

/// Headers of a chain that has enough work: more than two messages.
const LONG: u32 = 4_500;

/// Blocks whose work is asked for.
const ENOUGH: usize = 4_200;

/// A node that wants to see the work of [`ENOUGH`] blocks before it keeps a header.
fn demanding() -> Bench {
    let block = testing::params().target_limit().work();
    let minimum_chain_work: Work = std::iter::repeat_n(block, ENOUGH).sum();
    Bench::with(NodeConfig { minimum_chain_work, trickle_mean_ms: 0, ..NodeConfig::default() })
}

fn chain(count: u32, branch: u64) -> Vec<Header> {
    let params = testing::params();
    let genesis = params.genesis().header;
    testing::branch_on(&params, &genesis, Height::GENESIS, count, branch).iter().map(|block| block.header).collect()
}

fn kept(bench: &Bench) -> usize {
    // Without genesis.
    bench.node.chain().index().len() - 1
}

/// The last locator that the node has sent to a peer since the last look.
fn locator(bench: &mut Bench, peer: PeerId) -> Option<Vec<BlockHash>> {
    let locator = |message| match message {
        Message::GetHeaders { locator, .. } => Some(locator),
        _ => None,
    };
    bench.sent_to(peer).into_iter().filter_map(locator).last()
}

/// What a peer with this chain answers.
fn answer(chain: &[Header], locator: &[BlockHash]) -> Vec<Header> {
    let after = |hash| chain.iter().position(|header| header.hash() == hash).map(|at| at + 1);
    let from = locator.iter().find_map(|hash| after(*hash)).unwrap_or(0);
    chain[from..].iter().take(MAX_HEADERS).copied().collect()
}

/// Announces the beginning of a chain and answers with it until nothing more is asked for; gives the headers that were sent. The most
/// that was kept meanwhile goes to `watch`.
fn serve(bench: &mut Bench, peer: PeerId, chain: &[Header], mut watch: impl FnMut(usize, usize)) -> usize {
    let mut next = Some(vec![bench.genesis().hash()]);
    let mut sent = 0;
    while let Some(locator_asked) = next {
        let headers = answer(chain, &locator_asked);
        sent += headers.len();
        bench.receive(peer, Message::Headers(headers.into()));
        watch(sent, kept(bench));
        next = locator(bench, peer);
    }
    sent
}

#[test]
fn a_chain_that_has_shown_enough_work_comes_again_and_is_kept() {
    let mut bench = demanding();
    let headers = chain(LONG, 0);
    let peer = bench.peer();
    let sent = serve(&mut bench, peer, &headers, |sent, kept| {
        assert!(sent > LONG as usize || kept == 0, "{kept} headers are kept after {sent}");
    });
    assert_eq!(sent, 2 * LONG as usize);
    assert_eq!(kept(&bench), LONG as usize);
    assert_eq!(bench.node.sync_progress().headers.get(), LONG);
    assert_eq!(bench.blocks_asked_of(peer).len(), 0, "they were asked for with the last headers");
    assert_eq!(bench.reason(peer), None);
}

#[test]
fn a_chain_with_too_little_work_leaves_nothing_behind() {
    let mut bench = demanding();
    let poor = bench.peer();
    let sent = serve(&mut bench, poor, &chain(4_100, 0), |_, kept| assert_eq!(kept, 0));
    assert_eq!(sent, 4_100, "once");
    assert_eq!(bench.reason(poor), None, "a lagging peer is no attacker");
    assert_eq!(bench.blocks_asked_of(poor), []);
    let rich = bench.peer();
    serve(&mut bench, rich, &chain(LONG, 1), |_, _| {});
    assert_eq!(kept(&bench), LONG as usize);
}

#[test]
fn whoever_shows_another_chain_the_second_time_gets_nothing_kept() {
    let mut bench = demanding();
    let peer = bench.peer();
    let (shown, other) = (chain(LONG, 0), chain(LONG, 1));
    let mut next = vec![bench.genesis().hash()];
    let mut sent = 0;
    loop {
        let headers = if sent < LONG as usize { answer(&shown, &next) } else { answer(&other, &next) };
        sent += headers.len();
        bench.receive(peer, Message::Headers(headers.into()));
        let Some(asked) = locator(&mut bench, peer) else { break };
        next = asked;
    }
    assert!(sent > LONG as usize, "there was a second time");
    assert_eq!(kept(&bench), 0);
}

/// Fewer headers than are held back.
const EARLY: usize = MAX_LOW_WORK_HELD - 500;

/// What cannot be told from the right chain by the marks so far is held back.
#[test]
fn a_chain_that_ends_early_the_second_time_gets_little_kept() {
    let mut bench = demanding();
    let peer = bench.peer();
    let headers = chain(LONG, 0);
    let mut next = vec![bench.genesis().hash()];
    let mut sent = 0;
    loop {
        let mut message = answer(&headers, &next);
        if sent >= LONG as usize {
            message.truncate(EARLY);
        }
        sent += message.len();
        bench.receive(peer, Message::Headers(message.into()));
        let Some(asked) = locator(&mut bench, peer) else { break };
        next = asked;
    }
    assert_eq!(sent, LONG as usize + EARLY);
    assert_eq!(kept(&bench), 0);
}

#[test]
fn forks_far_below_the_tip_are_not_kept_and_near_ones_are() {
    let mut bench = Bench::new();
    let blocks: Vec<_> = (0..LOW_WORK_BLOCKS + 60).map(|_| bench.mine()).collect();
    let peer = bench.peer();
    let params = testing::params();
    let before = kept(&bench);
    let far = chain(3, 7);
    bench.receive(peer, Message::Headers(far.clone().into()));
    assert_eq!(kept(&bench), before);
    let near = testing::branch_on(&params, &blocks[99].header, Height::new(100), 3, 7);
    bench.receive(peer, Message::Headers(near.iter().map(|block| block.header).collect()));
    assert_eq!(kept(&bench), before + 3);
    assert_eq!(bench.reason(peer), None);
    // From far below, and yet with more work than the tip.
    let better = chain(u32::try_from(LOW_WORK_BLOCKS).expect("few") + 70, 7);
    bench.receive(peer, Message::Headers(better.clone().into()));
    assert_eq!(kept(&bench), before + 3 + better.len());
    assert!(bench.node.chain().index().find(&far[0].hash()).is_some());
}

/// Bits that promise much work count only where it was done.
#[test]
fn work_that_was_not_done_does_not_count() {
    let mut bench = demanding();
    let peer = bench.peer();
    let mut headers = chain(10, 0);
    headers[9].bits = CompactTarget::from_bits(0x0300_ffff);
    bench.receive(peer, Message::Headers(headers.into()));
    assert_eq!(kept(&bench), 0);
    let reason = bench.reason(peer);
    let DisconnectReason::Violation { violation } = reason.expect("punished") else { panic!("{reason:?}") };
    assert!(matches!(**violation, Violation::Header { .. }), "{violation}");
}

/// The rules hold for headers that are not kept as well.
#[test]
fn a_chain_that_is_followed_must_be_valid() {
    let mut bench = demanding();
    let peer = bench.peer();
    let mut headers = chain(2_500, 0);
    bench.receive(peer, Message::Headers(headers[..MAX_HEADERS].into()));
    assert!(locator(&mut bench, peer).is_some());
    headers[2_000].time = headers[1_980].time;
    testing::grind(&mut headers[2_000]);
    bench.receive(peer, Message::Headers(vec![headers[2_000]].into()));
    assert!(matches!(bench.reason(peer), Some(DisconnectReason::Violation { .. })), "{:?}", bench.reason(peer));
    assert_eq!(kept(&bench), 0);
}
