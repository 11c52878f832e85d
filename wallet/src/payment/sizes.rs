//! Encoded sizes, known before anything is signed: every signature has 64 bytes. Measured on the encoding itself, so
//! that they cannot drift from it.

use tally_primitives::encode::encoded_size;
use tally_primitives::hash::{LockHash, Txid};
use tally_primitives::keys::{PublicKey, Signature};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::Amount;

/// An output.
pub(super) fn output() -> usize {
    encoded_size(&Output { value: Amount::ZERO, lock: LockHash::ZERO })
}

/// An input that spends a coin of one key.
pub(super) fn key_input() -> usize {
    encoded_size(&Input {
        outpoint: OutPoint { txid: Txid::ZERO, index: 0 },
        witness: Witness {
            policy: SpendingPolicy::Key(PublicKey::from_bytes([0; 32])),
            signatures: vec![Signature::from_bytes([0; Signature::SIZE])],
            preimages: Vec::new(),
        },
    })
}

/// A transaction without inputs. (A list's length takes the same bytes whatever it is.)
pub(super) fn without_inputs(outputs: usize, memo_bytes: usize) -> usize {
    let empty = Transaction { version: CURRENT_VERSION, inputs: Vec::new(), outputs: Vec::new(), memo: Vec::new() };
    empty.encoded_size() + outputs * output() + memo_bytes
}
