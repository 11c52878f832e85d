//! Signing, and a last look at the result before anybody else sees it.

use tally_primitives::hash::BlockHash;
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, Output, Transaction};

use super::{Payment, PaymentError};
use crate::keys::Account;

impl Payment {
    /// Signs every input. `genesis` names the network: on another one the signatures are worth nothing.
    ///
    /// # Errors
    /// A key that cannot be derived, or a result that fails its own check.
    pub fn sign(&self, account: &Account, genesis: &BlockHash) -> Result<Transaction, PaymentError> {
        let unsigned_input = |coin: &crate::coins::OwnedCoin| {
            let policy = account.policy(coin.path)?;
            let witness = Witness { policy, signatures: Vec::new(), preimages: Vec::new() };
            Ok(Input { outpoint: coin.outpoint, witness })
        };
        let mut transaction = Transaction {
            version: CURRENT_VERSION,
            inputs: self.spent.iter().map(unsigned_input).collect::<Result<_, PaymentError>>()?,
            outputs: self.outputs.clone(),
            memo: self.memo.clone(),
        };
        let spent: Vec<Output> = self.spent.iter().map(|coin| coin.output()).collect();
        let sighash = transaction.sighash(genesis, &spent);
        for (input, coin) in transaction.inputs.iter_mut().zip(&self.spent) {
            input.witness.signatures.push(account.secret_key(coin.path)?.sign(&sighash));
        }
        self.check(&transaction, genesis, &spent)?;
        Ok(transaction)
    }

    /// Catches what a fault of the machine may have changed: BIP 340 advises to verify every signature made.
    fn check(&self, transaction: &Transaction, genesis: &BlockHash, spent: &[Output]) -> Result<(), PaymentError> {
        let wrong = |problem: String| Err(PaymentError::SelfCheck { problem });
        let size = transaction.encoded_size();
        if size != self.size {
            return wrong(format!("it has {size} bytes instead of {}", self.size));
        }
        let sighash = transaction.sighash(genesis, spent);
        for (index, (input, output)) in transaction.inputs.iter().zip(spent).enumerate() {
            if input.witness.policy.hash() != output.lock {
                return wrong(format!("input {index} has another key's coin"));
            }
            let is_signed = match (&input.witness.policy, input.witness.signatures.as_slice()) {
                (SpendingPolicy::Key(key), [signature]) => key.verify(&sighash, signature),
                _ => false,
            };
            if !is_signed {
                return wrong(format!("the signature of input {index} does not verify"));
            }
        }
        Ok(())
    }
}
