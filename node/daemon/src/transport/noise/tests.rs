//! Two ends in memory: honest ones, ones that do not encrypt, ones that lie.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::{MAX_PLAIN_BYTES, NoiseError, OpenError, PREAMBLE, Secured, TAG_BYTES, answer, call};
use crate::transport::{NodeId, NodeKey};

const MAGIC: u32 = 0x7a11_9740;

fn key() -> NodeKey {
    NodeKey::generate().unwrap()
}

async fn pair(pin: impl Fn(NodeId) -> Option<NodeId>) -> (Result<Secured, NoiseError>, Result<Secured, NoiseError>) {
    let (ours, theirs) = (key(), key());
    let (mut near, mut far) = duplex(1 << 10);
    let pin = pin(theirs.id());
    tokio::join!(
        async {
            let secured = call(&mut near, &ours, MAGIC, pin).await;
            drop(near);
            secured
        },
        async {
            let secured = answer(&mut far, &theirs, MAGIC).await;
            drop(far);
            secured
        }
    )
}

#[tokio::test]
async fn both_learn_who_the_other_is_and_only_they_can_read() {
    let (ours, theirs) = pair(Some).await;
    let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
    assert_ne!(ours.peer, theirs.peer);
    for (size, text) in [(0, 1_u8), (1, 2), (5_000, 3), (MAX_PLAIN_BYTES, 4)] {
        let plain = vec![text; size];
        let message = ours.sealer.seal(&plain).unwrap();
        assert_eq!(message.len(), 2 + size + TAG_BYTES);
        assert!(size < 100 || !message.windows(16).any(|window| window == [text; 16]), "the text can be read");
        // In pieces, as a line delivers.
        for piece in message.chunks(700) {
            assert_eq!(theirs.opener.next(MAX_PLAIN_BYTES), Ok(None));
            theirs.opener.push(piece);
        }
        assert_eq!(theirs.opener.next(MAX_PLAIN_BYTES), Ok(Some(plain)));
    }
    assert_eq!(theirs.opener.next(MAX_PLAIN_BYTES), Ok(None));
    assert_eq!(theirs.opener.pending.capacity(), 0, "an idle connection keeps nothing");
    assert!(ours.sealer.seal(&vec![0; MAX_PLAIN_BYTES + 1]).is_err());
    // The other direction has other keys.
    let message = theirs.sealer.seal(b"yes").unwrap();
    ours.opener.push(&message);
    assert_eq!(ours.opener.next(MAX_PLAIN_BYTES), Ok(Some(b"yes".to_vec())));
}

#[tokio::test]
async fn whoever_is_somebody_else_is_refused_before_it_learns_who_we_are() {
    let other = key().id();
    let (ours, theirs) = pair(|_| Some(other)).await;
    match ours.unwrap_err() {
        NoiseError::WrongIdentity { expected, found } => assert!(expected == other && found != other),
        error => panic!("{error}"),
    }
    assert!(matches!(theirs.unwrap_err(), NoiseError::Io { .. }));
}

#[tokio::test]
async fn messages_that_were_changed_repeated_or_left_out_are_noticed() {
    for spoil in 0..4 {
        let (ours, theirs) = pair(|_| None).await;
        let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
        let mut first = ours.sealer.seal(b"first").unwrap();
        let second = ours.sealer.seal(b"second").unwrap();
        match spoil {
            0 => *first.last_mut().unwrap() ^= 1,
            1 => first = second,
            2 => first = vec![15, 0, 1, 2, 3],
            _ => {
                theirs.opener.push(&first);
                assert!(theirs.opener.next(MAX_PLAIN_BYTES).unwrap().is_some());
            }
        }
        theirs.opener.push(&first);
        assert_eq!(theirs.opener.next(MAX_PLAIN_BYTES), Err(OpenError::Changed), "case {spoil}");
    }
}

#[tokio::test]
async fn a_length_that_is_only_announced_costs_nothing() {
    let (_, theirs) = pair(|_| None).await;
    let mut opener = theirs.unwrap().opener;
    opener.push(&[0xff, 0xff, 1, 2, 3]);
    let too_long = OpenError::TooLong { length: 65_535, max: 1_000 + TAG_BYTES };
    assert_eq!(opener.next(1_000), Err(too_long));
    assert_eq!(opener.next(MAX_PLAIN_BYTES), Ok(None));
    assert!(opener.pending.capacity() < 100);
}

/// What the called one says to somebody who opens with these bytes and then hangs up.
async fn refusal(opening: &[u8]) -> (NoiseError, Vec<u8>) {
    let (mut near, mut far) = duplex(1 << 16);
    near.write_all(opening).await.unwrap();
    near.shutdown().await.unwrap();
    let error = answer(&mut far, &key(), MAGIC).await.unwrap_err();
    drop(far);
    (error, rest(near).await)
}

async fn rest(mut stream: DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn openings_of_all_kinds() {
    let (error, said) = refusal(&[&MAGIC.to_le_bytes()[..], &[0; 60]].concat()).await;
    assert!(matches!(error, NoiseError::Plaintext), "{error}");
    assert_eq!(said, PREAMBLE, "so that it learns why");
    let cases: [(&[u8], &str); 7] = [
        (b"GET / HTTP/1.1\r\n", "no Tallystick connection"),
        (b"TALLYNX9 and so on", "no Tallystick connection"),
        (b"TAL", "ended the encryption handshake"),
        (b"TALLYNX1", "ended the encryption handshake"),
        (b"TALLYNX1\xff\xff", "has 65535 bytes instead of 32"),
        (b"TALLYNX1\x00\x00", "has 0 bytes instead of 32"),
        (b"TALLYNX1\x20\x00 too short", "ended the encryption handshake"),
    ];
    for (opening, part) in cases {
        let (error, said) = refusal(opening).await;
        assert!(error.to_string().contains(part), "{opening:?}: {error}");
        assert_eq!(said, b"", "{opening:?}");
    }
    // A good first message, then junk of the right length.
    let mut opening = PREAMBLE.to_vec();
    opening.extend([32, 0]);
    opening.extend([9; 32]);
    opening.extend([64, 0]);
    opening.extend([7; 64]);
    let (error, _) = refusal(&opening).await;
    assert!(matches!(error, NoiseError::Crypto { .. }), "{error}");
}

#[tokio::test]
async fn a_called_one_that_does_not_encrypt_is_recognised() {
    let (mut near, mut far) = duplex(1 << 16);
    far.write_all(&MAGIC.to_le_bytes()).await.unwrap();
    far.write_all(&[0; 100]).await.unwrap();
    let error = call(&mut near, &key(), MAGIC, None).await.unwrap_err();
    assert!(error.to_string().contains("--plaintext-peers"), "{error}");
    let (mut near, mut far) = duplex(1 << 16);
    far.write_all(&[96, 0]).await.unwrap();
    far.write_all(&[5; 96]).await.unwrap();
    let error = call(&mut near, &key(), MAGIC, None).await.unwrap_err();
    assert!(matches!(error, NoiseError::Crypto { .. }), "{error}");
}
