//! One golden JSON for each shape: what stands here is what programs elsewhere rely on.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod requests;
mod shapes;

const HASH: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const OTHER: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
const LOCK: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Reads the JSON as `T` and writes it back: nothing may be lost, renamed or added.
#[track_caller]
fn golden<T: Serialize + DeserializeOwned + Debug>(value: Value) -> T {
    let read: T = serde_json::from_value(value.clone()).expect("the golden JSON is of this type");
    let written = serde_json::to_value(&read).expect("it can be written");
    assert_eq!(written, value, "{read:?}");
    // As text too: flattened structs and maps behave differently there.
    let text = serde_json::to_string(&read).expect("it can be written as text");
    let again: T = serde_json::from_str(&text).expect("it can be read as text");
    assert_eq!(json!(again), value);
    read
}

/// An address of the development network that holds `LOCK`.
fn address() -> String {
    let lock = LOCK.parse().expect("a lock");
    let prefix = tally_primitives::params::Params::devnet().address_prefix;
    tally_primitives::address::Address::new(prefix, lock).to_string()
}
