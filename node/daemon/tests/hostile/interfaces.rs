//! The other doors of a node: JSON-RPC and Stratum. Whoever besieges them, blocks of peers still connect.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use tally_rpc::auth;

use crate::common::{somebody, wait_for, wait_for_tip};
use crate::{MAX_MEMORY, Scene, peak_memory};

/// Connections that say nothing, to each door: fewer than it has, so that the test can still ask.
const SILENT: usize = 200;

/// Requests whose bodies never end.
const SLOW: usize = 30;

/// Bodies as long as they may be, of brackets that open.
const DEEP: usize = 8;

fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).unwrap()
}

fn post(to: SocketAddr, authorization: &str, length: usize, body: &[u8]) -> TcpStream {
    let mut stream = connect(to);
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have refused it before it was written.
    let _ = stream.write_all(body);
    stream
}

#[test]
fn blocks_connect_while_the_other_doors_are_besieged() {
    let payout = somebody().to_string();
    let scene = Scene::new(&["--stratum-listen", "127.0.0.1:0", "--payout", &payout]);
    let (rpc, stratum) = (scene.victim.file.rpc, scene.victim.file.stratum.unwrap());
    let cookie = auth::basic(&fs::read_to_string(scene.victim.data_dir.join(".cookie")).unwrap());
    let mut held = Vec::new();
    for number in 0..SILENT {
        held.push(connect(rpc));
        if number < SILENT / 4 {
            held.push(connect(stratum));
        }
    }
    for _ in 0..SLOW {
        held.push(post(rpc, &cookie, 1_000_000, b"{"));
    }
    let brackets = vec![b'['; 8 << 20];
    for _ in 0..DEEP {
        held.push(post(rpc, &cookie, brackets.len(), &brackets));
    }
    for _ in 0..3 {
        let tip = scene.honest.generate(1)[0];
        wait_for_tip(&[&scene.victim], tip);
    }
    let memory = peak_memory(scene.victim.pid());
    eprintln!("besieged: {} MB at most", memory / 1_000_000);
    assert!(memory < MAX_MEMORY, "{memory} bytes");
    drop(held);
    wait_for("the doors are free again", || scene.victim.try_call("getblockcount", &[]).ok());
    assert!(!scene.victim.log().contains("panicked"), "{}", scene.victim.log());
    assert_eq!(scene.victim.stop(), Some(0), "it still stops as it should");
}
