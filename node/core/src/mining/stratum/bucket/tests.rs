use tally_primitives::units::Timestamp;

use super::Bucket;

#[test]
fn a_burst_and_then_one_at_a_time() {
    let at = Timestamp::from_millis;
    let mut bucket = Bucket::new(3, 100);
    let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
    assert_eq!(taken(&mut bucket, at(1_000)), 3);
    assert_eq!(taken(&mut bucket, at(1_099)), 0);
    assert_eq!(taken(&mut bucket, at(1_100)), 1);
    assert_eq!(taken(&mut bucket, at(1_350)), 2);
    assert_eq!(taken(&mut bucket, at(9_000)), 3, "no more than the burst, however long the pause");
    // A clock that was set back gives nothing for free.
    assert_eq!(taken(&mut bucket, at(5_000)), 0);
    assert_eq!(taken(&mut bucket, at(5_100)), 1);
}
