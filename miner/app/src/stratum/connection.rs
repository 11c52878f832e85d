//! A TCP connection: lines out at once, lines in through a thread of its own.

use super::Input;
use super::endpoint::Endpoint;
use super::lines::Lines;
use rustix::net::sockopt;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// For each address of the host.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A server that takes no bytes for so long is gone.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// A connection on which nothing happens is tried after the first time, then after each of the second, so many times: a host
/// that vanished without a word is noticed after a minute and a half, long before the protocol's own patience ends.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;

/// A connection; closed when dropped.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects, trying each address of the host.
    pub(super) fn open(server: &Endpoint) -> io::Result<Connection> {
        let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in server.resolvable().to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_MAX) {
                Ok(stream) => return Connection::with(stream),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn with(stream: TcpStream) -> io::Result<Connection> {
        // A share is worth its own packet: late is stale.
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_MAX))?;
        sockopt::set_socket_keepalive(&stream, true)?;
        sockopt::set_tcp_keepidle(&stream, KEEPALIVE_IDLE)?;
        sockopt::set_tcp_keepintvl(&stream, KEEPALIVE_INTERVAL)?;
        sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_TRIES)?;
        Ok(Connection { stream })
    }

    /// Starts the thread that brings lines into the inbox, and at last the news that there will be no more.
    pub(super) fn read_into(&self, inbox: SyncSender<Input>, connection: u64) -> io::Result<()> {
        let stream = self.stream.try_clone()?;
        let read = move || {
            let mut lines = Lines::new(stream);
            let reason = loop {
                match lines.next_line() {
                    Ok(Some(line)) => {
                        if inbox.send(Input::Line { connection, line }).is_err() {
                            return;
                        }
                    }
                    Ok(None) => break "it has closed the connection".to_owned(),
                    Err(error) => break error.to_string(),
                }
            };
            // When nobody listens, nobody wants to know.
            let _ = inbox.send(Input::Closed { connection, reason });
        };
        std::thread::Builder::new().name("miner-stratum-read".to_owned()).spawn(read).map(drop)
    }

    /// Sends lines.
    pub(super) fn send(&self, text: &str) -> io::Result<()> {
        (&self.stream).write_all(text.as_bytes()).map_err(|error| match error.kind() {
            // What a write timeout is called depends on the system.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                io::Error::new(io::ErrorKind::TimedOut, "it does not read what we send")
            }
            _ => error,
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Wakes the reading thread too. It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
