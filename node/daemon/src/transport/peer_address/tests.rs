//! How peers are written.

use super::{PeerAddress, Place};

#[test]
fn addresses_names_and_identities() {
    let id = "0123456789abcdef".repeat(4);
    for text in ["192.0.2.7:9740", "[2001:db8::1]:9740", "seed.example.org:9740", "localhost"] {
        for text in [text.to_owned(), format!("{id}@{text}")] {
            let peer: PeerAddress = text.parse().unwrap();
            assert_eq!(peer.to_string(), text);
            assert_eq!(peer.id.is_some(), text.contains('@'));
        }
    }
    assert!(matches!("127.0.0.1:1".parse::<PeerAddress>().unwrap().place, Place::Address(_)));
    for wrong in
        ["", "192.0.2.7", "host:port", "host:99999", "a b:1", "x@127.0.0.1:1", "@127.0.0.1:1", "host:1:2", "-\n"]
    {
        assert!(wrong.parse::<PeerAddress>().is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn names_are_looked_up_and_take_the_networks_port() {
    let peer: PeerAddress = "localhost".parse().unwrap();
    let found = peer.resolve(9_740).await.unwrap();
    assert!(found.ip().is_loopback() && found.port() == 9_740, "{found}");
    let peer: PeerAddress = "localhost:77".parse().unwrap();
    assert_eq!(peer.resolve(9_740).await.unwrap().port(), 77);
}
