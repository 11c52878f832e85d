use super::{Ban, BanError, BanList, BanTarget};
use crate::net::disconnect::DisconnectReason;
use tally_primitives::units::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn target(text: &str) -> BanTarget {
    text.parse().unwrap()
}

#[test]
fn targets_are_addresses_with_or_without_a_port() {
    for text in ["192.0.2.1", "192.0.2.1:9740", "2001:db8::1", "[2001:db8::1]:9740"] {
        assert_eq!(target(text).to_string(), text);
    }
    assert!("localhost".parse::<BanTarget>().is_err());
}

#[test]
fn a_ban_of_a_port_leaves_its_neighbours_alone_and_ends() {
    let mut list = BanList::default();
    let until = Timestamp::from_seconds(2_000);
    list.ban(NOW, target("127.0.0.1:7001"), until).unwrap();
    assert_eq!(
        list.ban(NOW, target("127.0.0.1:7001"), until),
        Err(BanError::AlreadyBanned { target: target("127.0.0.1:7001") })
    );
    let ip = "127.0.0.1".parse().unwrap();
    assert_eq!(list.refusal(NOW, ip, Some(7_001)), Some(DisconnectReason::Banned));
    assert_eq!(list.refusal(NOW, ip, Some(7_002)), None);
    assert_eq!(list.refusal(NOW, ip, None), None);
    assert_eq!(list.refusal(until, ip, Some(7_001)), None);
    let kept: Vec<Ban> = list.iter(NOW).copied().collect();
    let mut restored = BanList::restore(kept);
    assert_eq!(restored.refusal(NOW, ip, Some(7_001)), Some(DisconnectReason::Banned));
    restored.unban(target("127.0.0.1:7001")).unwrap();
    assert_eq!(restored.refusal(NOW, ip, Some(7_001)), None);
    assert!(restored.unban(target("127.0.0.1:7001")).is_err());
}

#[test]
fn discouragement_lasts_a_day_and_never_covers_the_whole_loopback() {
    let mut list = BanList::default();
    let (far, loopback) = ("192.0.2.1".parse().unwrap(), "127.0.0.1".parse().unwrap());
    list.discourage(NOW, far, Some(5));
    list.discourage(NOW, loopback, None);
    list.discourage(NOW, loopback, Some(7_001));
    assert_eq!(list.refusal(NOW, far, None), Some(DisconnectReason::Discouraged));
    assert_eq!(list.refusal(NOW, loopback, None), None);
    assert_eq!(list.refusal(NOW, loopback, Some(7_001)), Some(DisconnectReason::Discouraged));
    let tomorrow = NOW.saturating_add_millis(24 * 60 * 60 * 1_000);
    assert_eq!(list.refusal(tomorrow, far, None), None);
    assert_eq!(list.iter(NOW).count(), 0, "only bans by hand are kept");
}
