use std::time::Duration;

use super::Interrupts;

#[test]
fn an_interrupt_ends_the_wait() {
    let (sender, interrupts) = Interrupts::channel();
    assert!(!interrupts.wait(Duration::ZERO));
    sender.send(()).expect("sent");
    assert!(interrupts.wait(Duration::from_secs(3600)));
    drop(sender);
    assert!(!interrupts.wait(Duration::ZERO));
}
