use super::{Entry, Net, UnixTime};
use tally_primitives::hash::Txid;
use tally_primitives::units::{Amount, Height};
use tally_rpc::address::AddressTransaction;

fn transaction(received: u64, spent: u64) -> AddressTransaction {
    AddressTransaction {
        txid: Txid::ZERO,
        height: Some(Height::new(5)),
        block_hash: None,
        time: 1_000,
        received: Amount::from_notches(received),
        spent: Amount::from_notches(spent),
        fee: Amount::from_notches(7),
        confirmations: 1,
    }
}

#[test]
fn the_fee_is_the_payers() {
    let sent = Entry::from(transaction(100, 300));
    assert_eq!((sent.net.to_notches(), sent.fee), (-200, Amount::from_notches(7)));
    let received = Entry::from(transaction(100, 0));
    assert_eq!((received.net.to_notches(), received.fee), (100, Amount::ZERO));
}

#[test]
fn net_shows_a_sign() {
    let net = |received, spent| Net::new(Amount::from_notches(received), Amount::from_notches(spent));
    assert_eq!(net(1_250_000_000, 0).to_string(), "+12.50000000");
    assert_eq!(net(1, 100_000_002).to_string(), "-1.00000001");
    assert_eq!(net(5, 5).to_string(), "+0.00000000");
    assert_eq!(serde_json::to_string(&net(1, 3)).unwrap(), "-2");
}

#[test]
fn newest_come_first_and_waiting_ones_before_all() {
    let entry = |height: Option<u32>, time: u32| {
        let height = height.map(Height::new);
        Entry::from(AddressTransaction { height, time, ..transaction(1, 0) })
    };
    let mut entries = [entry(Some(3), 9), entry(None, 1), entry(Some(8), 2), entry(Some(8), 4), entry(None, 2)];
    entries.sort_by(Entry::newest_first);
    let order: Vec<(Option<u32>, u32)> =
        entries.iter().map(|entry| (entry.height.map(Height::get), entry.time.0)).collect();
    assert_eq!(order, [(None, 2), (None, 1), (Some(8), 4), (Some(8), 2), (Some(3), 9)]);
}

#[test]
fn dates() {
    let table = [
        (0, "1970-01-01 00:00:00"),
        (951_782_400, "2000-02-29 00:00:00"),
        (1_231_006_505, "2009-01-03 18:15:05"),
        (1_795_219_200, "2026-11-21 00:00:00"),
        (4_107_542_399, "2100-02-28 23:59:59"),
        (4_107_542_400, "2100-03-01 00:00:00"),
        (u32::MAX, "2106-02-07 06:28:15"),
    ];
    for (seconds, text) in table {
        assert_eq!(UnixTime(seconds).to_string(), text);
    }
}
