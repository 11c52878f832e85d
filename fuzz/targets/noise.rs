//! The encryption handshake, and what comes in its place or after it.

use std::sync::LazyLock;

use tally_node::transport::NodeKey;
use tally_node::transport::noise::{MAX_PLAIN_BYTES, Opener, Sealer, answer, call};
use tokio::runtime::{Builder, Runtime};

const MAGIC: u32 = 0x7a11_1e57;

static KEYS: LazyLock<[NodeKey; 2]> =
    LazyLock::new(|| [[1; 32], [2; 32]].map(|bytes| NodeKey::from_private(bytes).expect("a key")));

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

/// The first byte says whether the bytes come to a caller, to somebody who is called, or after the handshake.
pub fn noise(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let mut line = tokio::io::join(rest, tokio::io::sink());
            match first % 3 {
                0 => assert!(answer(&mut line, &KEYS[0], MAGIC).await.is_err(), "nobody can guess a handshake"),
                1 => assert!(call(&mut line, &KEYS[0], MAGIC, None).await.is_err(), "nobody can guess a handshake"),
                _ => {
                    let (sealer, opener) = connected().await;
                    after(sealer, opener, rest);
                }
            }
        });
    });
}

async fn connected() -> (Sealer, Opener) {
    let (mut left, mut right) = tokio::io::duplex(1024);
    let (called, calling) =
        tokio::join!(answer(&mut right, &KEYS[1], MAGIC), call(&mut left, &KEYS[0], MAGIC, Some(KEYS[1].id())));
    (calling.expect("an honest handshake").sealer, called.expect("an honest handshake").opener)
}

/// Pieces of the other side's own messages and of anything else: what was sealed comes out as it went in, up to the first thing that was
/// not; nothing else ever does.
fn after(mut sealer: Sealer, mut opener: Opener, story: &[u8]) {
    let mut expected = Vec::new();
    let mut is_spoilt = false;
    for step in story.chunks(9) {
        let (kind, content) = (step[0], &step[1..]);
        if kind % 4 == 0 {
            opener.push(content);
            is_spoilt |= !content.is_empty();
        } else if let Ok(message) = sealer.seal(content) {
            opener.push(&message);
            if !is_spoilt {
                expected.push(content.to_vec());
            }
        }
        loop {
            match opener.next(MAX_PLAIN_BYTES) {
                Ok(Some(plain)) => assert_eq!(Some(plain), (!expected.is_empty()).then(|| expected.remove(0))),
                Ok(None) => break,
                Err(_) => return assert!(is_spoilt && expected.is_empty()),
            }
        }
    }
    assert!(expected.is_empty());
}
