use super::{BlockJob, Template, TemplateError};
use tally_kernels::sha256::sha256d;
use tally_kernels::{Found, Work};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::pow::CompactTarget;
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};
use tally_rpc::mining::{BlockTemplate, TemplateTransaction};

const PAYOUT: LockHash = LockHash::from_bytes([0x42; 32]);

fn payment(index: u32) -> Transaction {
    let witness = Witness { policy: SpendingPolicy::Older(index), signatures: Vec::new(), preimages: Vec::new() };
    Transaction {
        version: 1,
        inputs: vec![Input { outpoint: OutPoint { txid: Txid::ZERO, index }, witness }],
        outputs: vec![Output { value: Amount::ONE_TALLY, lock: LockHash::ZERO }],
        memo: Vec::new(),
    }
}

fn template(transactions: u32) -> BlockTemplate {
    let bits = CompactTarget::from_bits(0x207f_ffff);
    let entry = |transaction: Transaction| TemplateTransaction {
        data: hex::encode(encode::encode(&transaction)),
        txid: transaction.txid(),
        hash: transaction.wtxid(),
        fee: Amount::ZERO,
        size: transaction.encoded_size() as u64,
    };
    BlockTemplate {
        version: 0x2000_0000,
        previousblockhash: BlockHash::from_bytes([9; 32]),
        transactions: (0..transactions).map(payment).map(entry).collect(),
        coinbasevalue: Amount::from_notches(777),
        longpollid: "1".to_owned(),
        target: bits.to_target().unwrap(),
        bits,
        height: Height::new(300),
        mintime: 1000,
        curtime: 2000,
        sizelimit: 1_000_000,
        mutable: Vec::new(),
        noncerange: "00000000ffffffff".to_owned(),
    }
}

fn job(template: BlockTemplate) -> Result<BlockJob, TemplateError> {
    BlockJob::new(&Template::new(template)?, PAYOUT, b"tag")
}

fn found(job: &BlockJob, extra_nonce: u64, nonce: u32) -> Found {
    let mut header_bytes = job.work().header(extra_nonce).unwrap();
    header_bytes[76..].copy_from_slice(&nonce.to_le_bytes());
    Found { job_id: 0, extra_nonce, header_bytes, hash: sha256d(&header_bytes) }
}

#[test]
fn a_result_becomes_a_block_whatever_the_number_of_transactions() {
    for count in 0..12 {
        let job = job(template(count)).unwrap();
        for extra_nonce in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let block = job.block(&found(&job, extra_nonce, 99)).unwrap();
            let coinbase = &block.transactions[0];
            assert_eq!(block.merkle_root(), block.header.merkle_root, "{count} transactions");
            assert_eq!(block.transactions.len(), 1 + usize::try_from(count).unwrap());
            assert!(coinbase.is_coinbase());
            assert_eq!(coinbase.coinbase_height(), Some(Height::new(300)));
            assert_eq!(coinbase.outputs, [Output { value: Amount::from_notches(777), lock: PAYOUT }]);
            assert_eq!(coinbase.memo[8..11], *b"tag");
            assert_eq!(coinbase.memo[11..], extra_nonce.to_le_bytes());
            let header = &block.header;
            assert_eq!((header.version, header.time, header.nonce), (0x2000_0000, 2000, 99));
            assert_eq!(header.prev_block, BlockHash::from_bytes([9; 32]));
        }
    }
}

#[test]
fn a_result_of_other_work_is_no_block() {
    let (ours, other) = (job(template(2)).unwrap(), job(template(3)).unwrap());
    assert!(ours.block(&found(&other, 5, 1)).is_none());
    let mut wrong_extra_nonce = found(&ours, 5, 1);
    wrong_extra_nonce.extra_nonce = 6;
    assert!(ours.block(&wrong_extra_nonce).is_none());
}

#[test]
fn the_time_is_never_before_the_least() {
    let job = job(BlockTemplate { mintime: 3000, ..template(0) }).unwrap();
    assert_eq!(job.block(&found(&job, 0, 0)).unwrap().header.time, 3000);
}

#[test]
fn a_block_that_pays_nothing_is_possible() {
    let nothing = job(BlockTemplate { coinbasevalue: Amount::ZERO, ..template(1) }).unwrap();
    let block = nothing.block(&found(&nothing, 0, 0)).unwrap();
    assert_eq!(block.transactions[0].outputs[0].value, Amount::ZERO);
}

#[test]
fn templates_without_a_possible_block_are_refused() {
    let refused = |template| job(template).unwrap_err();
    let bits = CompactTarget::from_bits(0x1d00_ffff);
    assert!(matches!(refused(BlockTemplate { bits, ..template(1) }), TemplateError::TargetMismatch { .. }));
    assert!(matches!(
        refused(BlockTemplate { sizelimit: 200, ..template(1) }),
        TemplateError::TooLarge { limit: 200, .. }
    ));
    let mut broken = template(3);
    broken.transactions[1].data.truncate(20);
    assert!(matches!(refused(broken), TemplateError::BadTransaction { index: 1, .. }));
    let mut swapped = template(3);
    swapped.transactions[2].hash = swapped.transactions[0].hash;
    assert!(matches!(refused(swapped), TemplateError::BadTransaction { index: 2, .. }));
}
