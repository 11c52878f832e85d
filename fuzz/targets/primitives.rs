//! What blocks are made of: decoded, encoded again, and judged by all rules that need no context.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tally_consensus::{block, header, transaction};
use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, SigHash};
use tally_primitives::params::Params;
use tally_primitives::spending::{SpendContext, SpendingPolicy, Witness};
use tally_primitives::transaction::{Output, Transaction};
use tally_primitives::units::Height;

/// Decodes; what decodes has one encoding.
fn decoded<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let value: T = encode::decode(data, MAX_BLOCK_SIZE).ok()?;
    assert_eq!(encode::encode(&value), data);
    assert_eq!(encode::encoded_size(&value), data.len());
    Some(value)
}

pub fn headers(data: &[u8]) {
    if let Some(found) = decoded::<Header>(data) {
        let _ = header::check_header_alone(&found, &Params::devnet().target_limit());
        if let Ok(target) = found.bits.to_target() {
            assert_eq!(target.to_compact(), found.bits, "compact targets have one form");
            let _ = target.work();
        }
    }
}

pub fn transactions(data: &[u8]) {
    let Some(found) = decoded::<Transaction>(data) else { return };
    assert_eq!(found.encoded_size(), data.len());
    let _ = (found.txid(), found.wtxid());
    let valid = transaction::check_transaction(&found);
    let loose = transaction::check_loose_transaction(&found);
    assert!(valid.is_ok() || loose.is_err(), "what is valid by itself may stand in a block");
    let spent: Vec<Output> = found.outputs.iter().take(1).cycle().take(found.inputs.len()).copied().collect();
    if spent.len() == found.inputs.len() {
        let sighash = found.sighash(&BlockHash::ZERO, &spent);
        for input in &found.inputs {
            evaluate(&input.witness, &sighash);
        }
    }
}

pub fn blocks(data: &[u8]) {
    if let Some(found) = decoded::<Block>(data) {
        let _ = block::check_block(&found, Height::new(1));
        let _ = found.hash();
    }
}

/// A policy, or a policy with what is to satisfy it.
pub fn policies(data: &[u8]) {
    if let Some(policy) = decoded::<SpendingPolicy>(data) {
        let _ = (policy.hash(), policy.check_limits());
        let text = serde_json::to_string(&policy).expect("every policy can be shown");
        assert_eq!(serde_json::from_str::<SpendingPolicy>(&text).expect("what was shown can be read"), policy);
    }
    if let Some(witness) = decoded::<Witness>(data) {
        evaluate(&witness, &SigHash::ZERO);
    }
}

fn evaluate(witness: &Witness, sighash: &SigHash) {
    if witness.policy.check_limits().is_ok() {
        let _ = witness.evaluate(&SpendContext { height: Height::new(9), coin_height: Height::new(3), sighash });
    }
}
