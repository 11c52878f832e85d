use super::{Order, Payment, PaymentError, SendAmount, plan, sizes};
use crate::coins::OwnedCoin;
use crate::keys::{Account, CoinType, KeyPath, Keychain, Words};
use crate::selection::{DUST, SelectionError};
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::spending::SpendContext;
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height};

const TO: LockHash = LockHash::from_bytes([0xaa; 32]);
const CHANGE: LockHash = LockHash::from_bytes([0xbb; 32]);
const GENESIS: BlockHash = BlockHash::from_bytes([7; 32]);

fn account() -> Account {
    Account::derive(&Words::from_entropy(&[5; 16]).unwrap().seed(""), CoinType::TESTNETS).unwrap()
}

fn coin(account: &Account, index: u32, value: u64) -> OwnedCoin {
    let path = KeyPath { keychain: Keychain::Receive, index };
    let [low, high, ..] = index.to_le_bytes();
    let mut txid = [0; 32];
    // Against the order of the indexes, so that sorting has something to do.
    txid[..2].copy_from_slice(&[0xff - low, high]);
    OwnedCoin {
        outpoint: OutPoint { txid: Txid::from_bytes(txid), index },
        value: Amount::from_notches(value),
        lock: account.policy(path).unwrap().hash(),
        path,
        height: Some(Height::new(1)),
        coinbase: false,
        spent_by: None,
    }
}

fn order(amount: SendAmount) -> Order {
    Order {
        to: TO,
        amount,
        rate: FeeRate::from_notches_per_byte(2),
        memo: Vec::new(),
        change_to: CHANGE,
        max_fee: Amount::from_notches(1_000_000),
    }
}

const fn notches(value: u64) -> SendAmount {
    SendAmount::Exactly(Amount::from_notches(value))
}

/// Everything that consensus would check of it.
fn check(payment: &Payment, account: &Account) -> Transaction {
    let transaction = payment.sign(account, &GENESIS).unwrap();
    assert_eq!(transaction.encoded_size(), payment.size);
    let spent: Vec<Output> = payment.spent().iter().map(OwnedCoin::output).collect();
    let sighash = transaction.sighash(&GENESIS, &spent);
    for (input, output) in transaction.inputs.iter().zip(&spent) {
        assert_eq!(input.witness.policy.hash(), output.lock);
        input.witness.policy.check_limits().unwrap();
        let context = SpendContext { height: Height::new(9), coin_height: Height::new(1), sighash: &sighash };
        input.witness.evaluate(&context).unwrap();
    }
    let sum = |outputs: &[Output]| Amount::checked_sum(outputs.iter().map(|output| output.value)).unwrap();
    assert_eq!(sum(&spent).checked_sub(sum(&transaction.outputs)), Some(payment.fee));
    transaction
}

#[test]
fn sizes_are_those_of_the_encoding() {
    // version 4, three list lengths of 8; outpoint 36, policy 4 + 32, signatures 8 + 64, preimages 8; value 8, lock 32.
    assert_eq!((sizes::without_inputs(0, 0), sizes::key_input(), sizes::output()), (28, 152, 40));
}

#[test]
fn a_payment_with_change_pays_the_rate_exactly() {
    let account = account();
    let coins = [coin(&account, 0, 1_000_000), coin(&account, 1, 50_000)];
    let payment = plan(&order(notches(400_000)), &coins).unwrap();
    let size = 28 + 152 + 2 * 40;
    assert_eq!((payment.size, payment.fee), (size, Amount::from_notches(2 * size as u64)));
    assert_eq!(payment.change, Some(Amount::from_notches(1_000_000 - 400_000 - 2 * size as u64)));
    let transaction = check(&payment, &account);
    assert!(transaction.outputs.contains(&Output { value: Amount::from_notches(400_000), lock: TO }));
    assert!(transaction.outputs.contains(&Output { value: payment.change.unwrap(), lock: CHANGE }));
}

#[test]
fn inputs_and_outputs_stand_in_an_order_that_tells_nothing() {
    let account = account();
    let coins: Vec<OwnedCoin> = (0..5).map(|index| coin(&account, index, 100_000)).collect();
    let transaction = check(&plan(&order(notches(420_000)), &coins).unwrap(), &account);
    assert!(transaction.inputs.is_sorted_by_key(|input| input.outpoint));
    assert!(transaction.outputs.is_sorted_by_key(|output| output.value));
    assert_eq!((transaction.inputs.len(), transaction.outputs.len()), (5, 2));
}

#[test]
fn max_leaves_nothing_but_the_fee() {
    let account = account();
    // The last coin is worth less than its own input costs at this rate.
    let coins = [coin(&account, 0, 70_000), coin(&account, 1, 30_000), coin(&account, 2, 303)];
    let payment = plan(&order(SendAmount::Max), &coins).unwrap();
    let size = 28 + 2 * 152 + 40;
    assert_eq!((payment.size, payment.fee, payment.change), (size, Amount::from_notches(2 * size as u64), None));
    assert_eq!(payment.amount, Amount::from_notches(100_000 - 2 * size as u64));
    assert_eq!(check(&payment, &account).outputs.len(), 1);
}

#[test]
fn the_memo_is_carried_and_paid_for() {
    let account = account();
    let coins = [coin(&account, 0, 1_000_000)];
    let with_memo = Order { memo: b"rent".to_vec(), ..order(notches(1_000)) };
    let payment = plan(&with_memo, &coins).unwrap();
    assert_eq!(payment.size, 28 + 152 + 80 + 4);
    assert_eq!(check(&payment, &account).memo, b"rent");
    let too_long = Order { memo: vec![b'x'; 81], ..with_memo };
    assert_eq!(plan(&too_long, &coins), Err(PaymentError::MemoTooLong { size: 81 }));
}

#[test]
fn unconfirmed_change_is_used_only_where_it_must() {
    let account = account();
    let waiting = OwnedCoin { height: None, ..coin(&account, 0, 900_000) };
    let coins = [waiting.clone(), coin(&account, 1, 100_000)];
    let small = plan(&order(notches(50_000)), &coins).unwrap();
    assert!(small.spent().iter().all(|coin| coin.height.is_some()));
    let large = plan(&order(notches(950_000)), &coins).unwrap();
    assert!(large.spent().contains(&waiting));
}

#[test]
fn what_cannot_be_paid_is_refused() {
    let account = account();
    let coins = [coin(&account, 0, 10_000)];
    let least = DUST.to_notches();
    assert!(matches!(plan(&order(notches(least - 1)), &coins), Err(PaymentError::Dust { .. })));
    assert!(matches!(plan(&order(notches(0)), &coins), Err(PaymentError::Dust { .. })));
    plan(&order(notches(least)), &coins).unwrap();
    // The fee of 2 × 220 notches comes on top.
    plan(&order(notches(10_000 - 440)), &coins).unwrap();
    let error = plan(&order(notches(10_000 - 439)), &coins).unwrap_err();
    let expected =
        SelectionError::NotEnough { needed: Amount::from_notches(10_001), available: Amount::from_notches(10_000) };
    assert_eq!(error, PaymentError::Selection(expected));
    assert!(matches!(plan(&order(SendAmount::Max), &[]), Err(PaymentError::Selection(_))));
    assert!(matches!(plan(&order(notches(u64::MAX)), &coins), Err(PaymentError::Selection(_))));
}

#[test]
fn an_absurd_fee_is_refused_unless_meant() {
    let account = account();
    let coins = [coin(&account, 0, 1_000_000_000)];
    let dear = Order { rate: FeeRate::from_notches_per_byte(5_000), ..order(notches(1_000)) };
    assert!(matches!(plan(&dear, &coins), Err(PaymentError::FeeAboveLimit { .. })));
    plan(&Order { max_fee: Amount::ONE_TALLY, ..dear }, &coins).unwrap();
}

#[test]
fn a_coin_of_another_key_is_not_signed_away() {
    let account = account();
    let foreign = OwnedCoin { lock: LockHash::from_bytes([1; 32]), ..coin(&account, 0, 100_000) };
    let payment = plan(&order(notches(1_000)), &[foreign]).unwrap();
    assert!(matches!(payment.sign(&account, &GENESIS), Err(PaymentError::SelfCheck { .. })));
}
