use super::{all, best, by_name};
use std::collections::BTreeSet;

#[test]
fn every_kernel_is_found_by_its_own_name() {
    let names: BTreeSet<_> = all().iter().map(|kernel| kernel.name()).collect();
    assert_eq!(names.len(), all().len());
    for kernel in all() {
        assert_eq!(by_name(kernel.name()).unwrap().name(), kernel.name());
    }
    assert!(by_name("no such kernel").is_none());
}

#[test]
fn the_best_kernel_is_available_here() {
    assert!(best().is_available());
}
