use super::Gate;

#[test]
fn so_many_are_let_in_at_once() {
    let gate = Gate::new(2);
    let same = gate.clone();
    assert_eq!([gate.enter(), same.enter(), gate.enter(), same.enter()], [true, true, false, false]);
    gate.leave();
    assert_eq!([same.enter(), same.enter()], [true, false]);
}

#[test]
fn leaving_an_empty_gate_makes_no_place() {
    let gate = Gate::new(1);
    gate.leave();
    assert_eq!([gate.enter(), gate.enter()], [true, false]);
}
