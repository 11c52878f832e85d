//! Lines of miners: anything, at any time, to a session with work.

use std::sync::{Arc, LazyLock};

use tally_node_core::mempool::{Mempool, RelayPolicy};
use tally_node_core::mining::BlockTemplate;
use tally_node_core::mining::stratum::limits::MAX_LINE_BYTES;
use tally_node_core::mining::stratum::lines::LineBuffer;
use tally_node_core::mining::stratum::{Gate, Output, Session, Settings, Work};
use tally_node_core::testing::{self, TestChain};
use tally_primitives::hash::{BlockHash, LockHash};

use super::Bytes;

static TEMPLATE: LazyLock<BlockTemplate> = LazyLock::new(|| {
    let chain = TestChain::new();
    BlockTemplate::build(&chain.chain, &Mempool::new(RelayPolicy::default()), testing::now())
});

fn work(parent: u8) -> Arc<Work> {
    Arc::new(Work::new(BlockTemplate { prev_block: BlockHash::from_bytes([parent; 32]), ..TEMPLATE.clone() }))
}

pub fn stratum(data: &[u8]) {
    let mut story = Bytes::new(data);
    let settings = Arc::new(Settings { params: testing::params(), payout: Some(LockHash::from_bytes([3; 32])) });
    let mut now = testing::now();
    let Ok(seat) = Gate::new(1).admit(now, [127, 0, 0, 1].into()) else { return };
    let mut session = Session::new(settings, seat, now);
    session.handle_work(now, Some(work(1)));
    let ready = ["mining.subscribe\",\"params\":[]", "mining.authorize\",\"params\":[\"x\",\"x\"]"];
    for request in ready {
        session.handle_line(now, format!("{{\"id\":1,\"method\":\"{request}}}").as_bytes());
    }
    let mut lines = LineBuffer::default();
    while !story.is_empty() {
        match story.byte() % 8 {
            0 => session.handle_work(now, Some(work(story.byte()))),
            1 => {
                now = now.saturating_add_millis(u64::from(story.short()) * 10);
                session.tick(now);
            }
            2 => session.handle_work(now, None),
            _ => {
                lines.push(story.piece());
                loop {
                    match lines.next_line() {
                        Ok(Some(line)) => session.handle_line(now, line),
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
                assert!(lines.len() <= MAX_LINE_BYTES);
            }
        }
        let mut outputs = 0;
        while let Some(output) = session.poll_output() {
            outputs += 1;
            match output {
                Output::Line(line) => assert!(line.len() < 8_192 && !line.contains('\n')),
                Output::Block(_) => session.handle_block_outcome(data.len().is_multiple_of(2)),
                Output::Disconnect(_) => return,
            }
        }
        assert!(outputs < 40_000);
        assert!(session.status(now).hashes_per_second.is_finite());
    }
}
