//! The listener: so many connections at a time, and none that only sits there.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::{Context, Guard, http, websocket};

/// Connections at a time, at most. Further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 256;

/// A connection on which nothing moves for so long is closed. Longer than the longest long poll.
const IDLE_LIMIT: Duration = Duration::from_secs(120);

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What a request is answered with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) context: Arc<Context>,
    pub(super) guard: Arc<Guard>,
    pub(super) websockets: Arc<Semaphore>,
}

/// Answers until the node is to stop, and then finishes what it has begun.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, context: Arc<Context>, guard: Guard) -> io::Result<()> {
    let app = App {
        context: Arc::clone(&context),
        guard: Arc::new(guard),
        websockets: Arc::new(Semaphore::new(websocket::MAX_WEBSOCKETS)),
    };
    let router = Router::new().fallback(any(http::answer)).with_state(app);
    let listener = Limited { listener, slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)) };
    axum::serve(listener, router).with_graceful_shutdown(async move { context.stopping().await }).await
}

struct Limited {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                // The semaphore is never closed.
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let _ = stream.set_nodelay(true);
                    return (Watched { stream, idle: Box::pin(sleep(IDLE_LIMIT)), _slot: slot }, address);
                }
                Err(error) => {
                    tracing::warn!(%error, "taking an RPC connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when nothing has moved for a while.
struct Watched {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl Watched {
    fn moved(&mut self) {
        self.idle.as_mut().reset(Instant::now() + IDLE_LIMIT);
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Task<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(task, buffer) {
            Poll::Ready(result) => {
                self.moved();
                Poll::Ready(result)
            }
            Poll::Pending => self.idle.as_mut().poll(task).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(task, bytes);
        if result.is_ready() {
            self.moved();
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
