//! A proxy on loopback that passes on everything, a while later: the delay of a long line without one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// Bytes read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// A listening proxy. Its threads end with the connections.
pub struct Proxy {
    /// Where to call.
    pub address: String,
}

impl Proxy {
    /// Passes connections on to `target`; what is sent in either direction arrives `delay` later.
    pub fn start(target: &str, delay: Duration) -> Result<Proxy, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let target = target.to_owned();
        thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                // The caller sees a closed connection and calls again.
                let _ = connect(caller, &target, delay);
            }
        });
        Ok(Proxy { address })
    }
}

fn connect(caller: TcpStream, target: &str, delay: Duration) -> std::io::Result<()> {
    let called = TcpStream::connect(target)?;
    for stream in [&caller, &called] {
        stream.set_nodelay(true)?;
    }
    pass_on(caller.try_clone()?, called.try_clone()?, delay);
    pass_on(called, caller, delay);
    Ok(())
}

fn pass_on(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || read(from, &sender, delay));
    thread::spawn(move || write(to, &receiver));
}

fn read(mut from: TcpStream, sender: &Sender<(Instant, Vec<u8>)>, delay: Duration) {
    let mut buffer = vec![0; PIECE_BYTES];
    while let Ok(count) = from.read(&mut buffer)
        && count > 0
    {
        if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn write(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, bytes)) = receiver.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other side may have closed it already.
    let _ = to.shutdown(Shutdown::Both);
}
