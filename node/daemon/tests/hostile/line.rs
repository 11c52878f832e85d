//! An attacker's line to the node: real encryption and real frames, and full control over what travels in them.

use std::net::SocketAddr;
use std::time::Duration;

use tally_node::transport::NodeKey;
use tally_node::transport::noise::{MAX_PLAIN_BYTES, Opener, Sealer, call};
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{Decoder, Message, Services, Version, encode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::params;

/// How long an attacker waits for the node before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// The node has thrown the attacker out, or does not answer.
#[derive(Debug)]
pub struct Thrown;

impl<E: std::error::Error> From<E> for Thrown {
    fn from(_: E) -> Thrown {
        Thrown
    }
}

/// An encrypted connection to the node.
pub struct Line {
    stream: TcpStream,
    sealer: Sealer,
    opener: Opener,
    decoder: Decoder,
}

impl Line {
    /// Connects and shakes hands as far as encryption goes.
    pub async fn open(target: SocketAddr) -> Result<Line, Thrown> {
        let key = NodeKey::generate()?;
        let mut stream = timeout(PATIENCE, TcpStream::connect(target)).await??;
        let secured = timeout(PATIENCE, call(&mut stream, &key, params().magic, None)).await??;
        let decoder = Decoder::new(params().magic);
        Ok(Line { stream, sealer: secured.sealer, opener: secured.opener, decoder })
    }

    /// … and as far as the protocol goes: an ordinary peer, so far.
    pub async fn greeted(target: SocketAddr, nonce: u64) -> Result<Line, Thrown> {
        let mut line = Line::open(target).await?;
        line.send(&Message::Version(Box::new(version(nonce)))).await?;
        line.send(&Message::VersionAck).await?;
        while line.receive().await? != Message::VersionAck {}
        Ok(line)
    }

    /// Sends a message in a frame.
    pub async fn send(&mut self, message: &Message) -> Result<(), Thrown> {
        self.send_bytes(&encode_frame(params().magic, message)).await
    }

    /// Sends bytes, encrypted. A node that does not read for long has thrown us out, as far as we are concerned.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Thrown> {
        for plain in bytes.chunks(MAX_PLAIN_BYTES) {
            let message = self.sealer.seal(plain)?;
            timeout(PATIENCE, self.stream.write_all(&message)).await??;
        }
        Ok(())
    }

    /// Sends bytes as they are, in the middle of an encrypted connection.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Thrown> {
        Ok(timeout(PATIENCE, self.stream.write_all(bytes)).await??)
    }

    /// The next message of the node.
    pub async fn receive(&mut self) -> Result<Message, Thrown> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(message);
            }
            if let Some(plain) = self.opener.next(MAX_PLAIN_BYTES)? {
                self.decoder.push(&plain);
                continue;
            }
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await?? {
                0 => return Err(Thrown),
                count => self.opener.push(&buffer[..count]),
            }
        }
    }

    /// Reads and forgets until the node closes the connection.
    pub async fn drain(&mut self) -> Result<(), Thrown> {
        let mut buffer = [0; 4096];
        while self.stream.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    /// The connection, for who needs no more than that.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// What an ordinary peer says of itself.
pub fn version(nonce: u64) -> Version {
    Version {
        protocol: 1,
        services: Services::FULL_CHAIN,
        genesis: params().genesis_hash(),
        time: Timestamp::from_seconds(1_800_000_000),
        nonce,
        user_agent: "attacker".to_owned(),
        listen_port: 0,
        height: Height::GENESIS,
        chain_work: Work::ZERO,
    }
}
