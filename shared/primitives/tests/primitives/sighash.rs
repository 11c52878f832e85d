//! What a signature commits to: everything but the witnesses.

use tally_primitives::hash::{BlockHash, LockHash, SigHash, Txid};
use tally_primitives::keys::Signature;
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::Amount;

/// Everything that a signature's message is made of.
#[derive(Clone)]
struct Signed {
    genesis: BlockHash,
    transaction: Transaction,
    spent: Vec<Output>,
}

impl Signed {
    fn sighash(&self) -> SigHash {
        self.transaction.sighash(&self.genesis, &self.spent)
    }
}

fn output(seed: u8) -> Output {
    Output { value: Amount::from_notches(u64::from(seed)), lock: LockHash::from_bytes([seed; 32]) }
}

fn signed() -> Signed {
    let input = |seed| Input {
        outpoint: OutPoint { txid: Txid::from_bytes([seed; 32]), index: u32::from(seed) },
        witness: Witness { policy: SpendingPolicy::Older(1), signatures: vec![], preimages: vec![] },
    };
    let transaction = Transaction {
        version: 1,
        inputs: vec![input(1), input(2)],
        outputs: vec![output(3), output(4)],
        memo: b"memo".to_vec(),
    };
    Signed { genesis: BlockHash::from_bytes([9; 32]), transaction, spent: vec![output(5), output(6)] }
}

type Change = fn(&mut Signed);

#[test]
fn every_change_but_the_witnesses_changes_the_message() {
    let changes: [(&str, Change); 22] = [
        ("network", |signed| signed.genesis = BlockHash::ZERO),
        ("version", |signed| signed.transaction.version = 2),
        ("an outpoint's txid", |signed| signed.transaction.inputs[0].outpoint.txid = Txid::ZERO),
        ("an outpoint's index", |signed| signed.transaction.inputs[1].outpoint.index += 1),
        ("order of inputs", |signed| signed.transaction.inputs.swap(0, 1)),
        ("order of inputs and coins", |signed| {
            signed.transaction.inputs.swap(0, 1);
            signed.spent.swap(0, 1);
        }),
        ("an input less", |signed| signed.transaction.inputs.truncate(1)),
        ("an input more", |signed| {
            let input = signed.transaction.inputs[0].clone();
            signed.transaction.inputs.push(input);
        }),
        ("a value", |signed| signed.transaction.outputs[0].value = Amount::from_notches(77)),
        ("a lock", |signed| signed.transaction.outputs[1].lock = LockHash::ZERO),
        ("order of outputs", |signed| signed.transaction.outputs.swap(0, 1)),
        ("an output less", |signed| signed.transaction.outputs.truncate(1)),
        ("an output more", |signed| signed.transaction.outputs.push(output(8))),
        ("the memo", |signed| signed.transaction.memo[0] ^= 1),
        ("a longer memo", |signed| signed.transaction.memo.push(0)),
        ("no memo", |signed| signed.transaction.memo.clear()),
        ("a spent value", |signed| signed.spent[0].value = Amount::from_notches(77)),
        ("the other spent value", |signed| signed.spent[1].value = Amount::from_notches(77)),
        ("a spent lock", |signed| signed.spent[0].lock = LockHash::ZERO),
        ("the other spent lock", |signed| signed.spent[1].lock = LockHash::ZERO),
        ("order of spent coins", |signed| signed.spent.swap(0, 1)),
        ("a spent coin less", |signed| signed.spent.truncate(1)),
    ];
    let mut seen = vec![("unchanged", signed().sighash())];
    for (name, change) in changes {
        let mut changed = signed();
        change(&mut changed);
        let sighash = changed.sighash();
        for (other, before) in &seen {
            assert_ne!(sighash, *before, "'{name}' has the message of '{other}'");
        }
        seen.push((name, sighash));
    }
}

#[test]
fn witnesses_change_neither_the_message_nor_the_txid_but_the_wtxid() {
    let before = signed();
    let changes: [(&str, Change); 3] = [
        ("policy", |signed| signed.transaction.inputs[0].witness.policy = SpendingPolicy::Opaque(LockHash::ZERO)),
        ("signature", |signed| signed.transaction.inputs[1].witness.signatures.push(Signature::from_bytes([1; 64]))),
        ("preimage", |signed| signed.transaction.inputs[1].witness.preimages.push(Preimage::from_bytes([1; 32]))),
    ];
    for (name, change) in changes {
        let mut after = before.clone();
        change(&mut after);
        assert_eq!(after.sighash(), before.sighash(), "{name}");
        assert_eq!(after.transaction.txid(), before.transaction.txid(), "{name}");
        assert_ne!(after.transaction.wtxid(), before.transaction.wtxid(), "{name}");
    }
}
