//! One connection: bytes to lines, lines and work to the session, what the session says to the socket and to the node.

use std::sync::Arc;
use std::time::Duration;

use tally_node_core::chain::BlockFate;
use tally_node_core::mining::stratum::Output;
use tally_node_core::mining::stratum::error::DisconnectReason;
use tally_node_core::mining::stratum::lines::LineBuffer;
use tally_primitives::block::Block;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::{CLOSE_LIMIT, Stratum, Ticket, lock, stopping};
use crate::clock;

/// Bytes read at a time.
const READ_BYTES: usize = 4 * 1024;

/// Lines that may wait for a miner to read; a line has at most some 2,000 bytes.
const QUEUE_LINES: usize = 64;

/// How long a miner may leave its queue full.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Serves a connection to its end.
pub(super) async fn run(server: Arc<Stratum>, stream: TcpStream, ticket: Ticket, mut stop: watch::Receiver<bool>) {
    tracing::debug!(peer = %ticket.peer, "a miner connects");
    // Lines are small and waited for.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let (queue, lines) = mpsc::channel(QUEUE_LINES);
    let writing = tokio::spawn(write_lines(write, lines));
    let connection = Connection { server: &server, ticket: &ticket, queue };
    let reason = tokio::select! {
        served = connection.serve(read) => served.err().unwrap_or(DisconnectReason::Gone),
        () = stopping(&mut stop) => DisconnectReason::Stopping,
    };
    drop(connection);
    // The queue is closed now: the writer writes what is in it, and ends.
    let abort = writing.abort_handle();
    if timeout(CLOSE_LIMIT, writing).await.is_err() {
        abort.abort();
    }
    server.leave(clock::now(), &ticket, reason);
}

async fn write_lines(mut write: OwnedWriteHalf, mut lines: mpsc::Receiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        // The reader sees the same failure, or that nobody takes lines any more.
        if write.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

struct Connection<'a> {
    server: &'a Stratum,
    ticket: &'a Ticket,
    queue: mpsc::Sender<String>,
}

impl Connection<'_> {
    /// Serves until the miner hangs up, or there is another reason to end.
    async fn serve(&self, mut read: OwnedReadHalf) -> Result<(), DisconnectReason> {
        let session = &self.ticket.session;
        let mut work = self.server.work.subscribe();
        let mut lines = LineBuffer::default();
        let mut buffer = [0; READ_BYTES];
        work.mark_changed();
        loop {
            let now = clock::now();
            let Some(due) = lock(session).next_timeout() else {
                return Ok(());
            };
            tokio::select! {
                // New work first: a miner that talks without end must not keep itself from it.
                biased;
                changed = work.changed() => {
                    changed.map_err(|_| DisconnectReason::Stopping)?;
                    let new = work.borrow_and_update().clone();
                    lock(session).handle_work(clock::now(), new);
                    self.carry_out().await?;
                }
                count = read.read(&mut buffer) => {
                    let count = count.map_err(|_| DisconnectReason::Gone)?;
                    if count == 0 {
                        return Ok(());
                    }
                    lines.push(buffer.get(..count).unwrap_or_default());
                    while let Some(line) = lines.next_line()? {
                        lock(session).handle_line(clock::now(), line);
                        self.carry_out().await?;
                    }
                }
                () = sleep(Duration::from_millis(due.millis_since(now))) => {
                    lock(session).tick(clock::now());
                    self.carry_out().await?;
                }
            }
        }
    }

    /// Does what the session wants done, in order.
    async fn carry_out(&self) -> Result<(), DisconnectReason> {
        loop {
            let Some(output) = lock(&self.ticket.session).poll_output() else {
                return Ok(());
            };
            match output {
                Output::Line(line) => self.send(line).await?,
                Output::Block(block) => self.submit(block).await?,
                Output::Disconnect(reason) => return Err(reason),
            }
        }
    }

    /// Queues a line; a miner that does not read is not waited for for ever.
    async fn send(&self, line: String) -> Result<(), DisconnectReason> {
        match timeout(WRITE_LIMIT, self.queue.send(line)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(DisconnectReason::Gone),
            Err(_) => Err(DisconnectReason::SlowReader),
        }
    }

    /// Gives a block to the node.
    async fn submit(&self, block: Arc<Block>) -> Result<(), DisconnectReason> {
        let (hash, peer) = (block.hash(), self.ticket.peer);
        let user = lock(&self.ticket.session).user().map(|user| user.name.clone()).unwrap_or_default();
        let fate = self.server.node.submit_block(block).await.map_err(|_| DisconnectReason::Stopping)?;
        match fate {
            Ok(BlockFate::Connected) => {
                tracing::info!(%hash, user, %peer, "a miner found a block");
                lock(&self.ticket.session).handle_block_outcome(true);
            }
            Ok(_) => {
                tracing::info!(%hash, user, %peer, "a miner found a block too late");
                lock(&self.ticket.session).handle_block_outcome(false);
            }
            Err(error) => {
                tracing::warn!(%error, user, %peer, "a miner's block was refused");
                lock(&self.ticket.session).handle_block_outcome(false);
            }
        }
        Ok(())
    }
}
