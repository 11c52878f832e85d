//! How fast a peer may fill the book.

use tally_primitives::units::Timestamp;

use super::PeerAddresses;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

#[test]
fn a_peer_fills_the_book_at_a_bounded_rate() {
    let mut addresses = PeerAddresses::new(NOW);
    assert_eq!(addresses.take(800, NOW), 1);
    addresses.asked(NOW);
    assert_eq!(addresses.take(800, NOW), 800);
    assert_eq!(addresses.take(800, NOW), 200);
    assert_eq!(addresses.take(800, NOW), 0);
    assert_eq!(addresses.take(800, NOW.saturating_add_millis(30_000)), 3);
}
