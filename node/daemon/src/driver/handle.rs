//! How the rest of the program asks the node: a closure goes to its thread, the answer comes back.

use std::sync::Arc;
use std::time::Duration;

use tally_node_core::chain::{BlockFate, ChainError};
use tally_node_core::event::Event;
use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::Core;

/// How long to wait for an event about a block before asking what became of it.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What a call leaves to be done once its consequences are stored.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// Something to do on the node's thread.
type Task = Box<dyn FnOnce(&mut Core, Timestamp) -> Answer + Send>;

/// A call into the node.
pub(super) enum Call {
    Do(Task),
    /// Answered when the blocks of everything that the node has handed over to the store survive a power cut.
    WhenSynced(Answer),
    Stop,
}

/// The node has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node stops")]
pub struct Stopped;

/// Changes whenever there is something better to mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkStamp {
    /// The tip: with another one, work on this one is in vain.
    pub tip: BlockHash,
    /// Counts changes of the mempool: with another one, there may be more fees.
    pub sequence: u64,
}

/// A handle to the node; clones are the same.
#[derive(Clone)]
pub struct NodeHandle {
    calls: mpsc::Sender<Call>,
    events: broadcast::Sender<Event>,
    work: watch::Receiver<WorkStamp>,
    ended: watch::Receiver<bool>,
}

impl NodeHandle {
    pub(super) fn new(
        calls: mpsc::Sender<Call>,
        events: broadcast::Sender<Event>,
        work: watch::Receiver<WorkStamp>,
        ended: watch::Receiver<bool>,
    ) -> Self {
        Self { calls, events, work, ended }
    }

    /// Runs a closure on the node's thread. The answer comes when everything that follows from it is stored and sent. What followed from
    /// earlier calls may still be on its way to the disk: readers of the store see it, and [`NodeHandle::synced`] waits for the blocks.
    ///
    /// # Errors
    /// If the node stops.
    pub async fn call<R: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Core, Timestamp) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (sender, receiver) = oneshot::channel();
        let run = move |core: &mut Core, now: Timestamp| -> Answer {
            let result = call(core, now);
            Box::new(move || {
                // Who asked may have gone away.
                let _ = sender.send(result);
            })
        };
        self.calls.send(Call::Do(Box::new(run))).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// Waits until all blocks that the node has taken so far survive a power cut.
    ///
    /// # Errors
    /// If the node stops.
    pub async fn synced(&self) -> Result<(), Stopped> {
        let (sender, receiver) = oneshot::channel();
        let answer = Box::new(move || {
            // Who asked may have gone away.
            let _ = sender.send(());
        });
        self.calls.send(Call::WhenSynced(answer)).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// Gives a block to the node and waits for what becomes of it. The node passes it on as soon as it has checked what it can without
    /// the block's coins; only then it connects it.
    ///
    /// # Errors
    /// If the node stops; inside, the rule that the block breaks.
    pub async fn submit_block(&self, block: Arc<Block>) -> Result<Result<BlockFate, ChainError>, Stopped> {
        let mut events = self.subscribe();
        let hash = match self.call(move |core, now| core.node.stage_block(now, block)).await? {
            Ok(staged) if staged.is_new => staged.hash,
            Ok(_) => return Ok(Ok(BlockFate::Duplicate)),
            Err(error) => return Ok(Err(error)),
        };
        loop {
            if let Some(fate) = self.call(move |core, _| core.node.fate_of(&hash).transpose()).await? {
                self.synced().await?;
                return Ok(fate);
            }
            // Whatever happens to the block is an event, and so are many other things; one that was missed is made up for by asking again.
            if let Ok(Err(broadcast::error::RecvError::Closed)) = timeout(ASK_AGAIN, events.recv()).await {
                return Err(Stopped);
            }
        }
    }

    /// Asks the node to stop: it stores what it has, and its thread ends.
    pub async fn stop(&self) {
        // It may have stopped by itself.
        let _ = self.calls.send(Call::Stop).await;
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// What there is to mine, and when it changes.
    pub fn work(&self) -> watch::Receiver<WorkStamp> {
        self.work.clone()
    }

    /// Waits until the node's thread has ended.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that the sender is gone, and so is the thread.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}
