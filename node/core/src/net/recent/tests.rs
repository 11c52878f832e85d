use super::Recent;

#[test]
fn the_oldest_are_forgotten_first() {
    let mut recent = Recent::new(2);
    assert!(recent.insert(1) && recent.insert(2) && !recent.insert(1));
    assert!(recent.insert(3));
    assert!(!recent.contains(&1) && recent.contains(&2) && recent.contains(&3));
    recent.remove(&2);
    assert!(!recent.contains(&2) && recent.insert(2) && recent.contains(&3));
    recent.clear();
    assert!(!recent.contains(&3));
}
