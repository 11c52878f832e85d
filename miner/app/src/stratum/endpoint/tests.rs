use super::Endpoint;
use crate::error::MinerError;

#[test]
fn hosts_and_ports_are_read_with_or_without_a_scheme() {
    for text in ["pool.example:3333", "stratum+tcp://pool.example:3333", "stratum+tcp://pool.example:3333/"] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.host(), endpoint.resolvable()), ("pool.example", ("pool.example", 3333)));
        assert_eq!(endpoint.to_string(), "stratum+tcp://pool.example:3333");
    }
    let ipv6: Endpoint = "[::1]:3333".parse().unwrap();
    assert_eq!((ipv6.host(), ipv6.resolvable()), ("[::1]", ("::1", 3333)));
    assert_eq!(ipv6.at_port(4).to_string(), "stratum+tcp://[::1]:4");
}

#[test]
fn what_cannot_be_a_server_is_refused_with_a_reason() {
    for (text, words) in [
        ("pool.example", "port is missing"),
        ("pool.example:0", "from 1 to 65535"),
        ("pool.example:x", "from 1 to 65535"),
        (":3333", "host is missing"),
        ("stratum+ssl://pool.example:3333", "only stratum+tcp"),
        ("http://pool.example:3333", "only stratum+tcp"),
        ("me:secret@pool.example:3333", "--user"),
        ("::1:3333", "brackets"),
        ("a b:1", "no host"),
    ] {
        match text.parse::<Endpoint>() {
            Err(MinerError::BadServer { reason, .. }) => assert!(reason.contains(words), "{text}: {reason}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}
