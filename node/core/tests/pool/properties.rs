//! Whatever happens, the pool's books balance, and what it holds can be mined.

use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::{prop_assert_eq, proptest};
use tally_node_core::mempool::RelayPolicy;
use tally_node_core::testing::{allocations, branch_on, lock_of, mine_template, outputs_of, rich_key, spend};
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::Bench;

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A payment of some of the coins ever seen: `coins` are shares of that list.
    Pay { coins: Vec<u16>, outputs: u8, fee: u16 },
    /// The template is mined.
    Mine,
    /// The last blocks give way to empty ones.
    Reorganise { depth: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pay = (proptest::collection::vec(any::<u16>(), 1..4), 1u8..5, 200u16..9_000)
        .prop_map(|(coins, outputs, fee)| Step::Pay { coins, outputs, fee });
    let step = proptest::prop_oneof![
        12 => pay,
        1 => proptest::strategy::Just(Step::Mine),
        1 => (1u8..4).prop_map(|depth| Step::Reorganise { depth }),
    ];
    proptest::collection::vec(step, 1..70)
}

fn payment(bench: &Bench, seen: &[(OutPoint, Output)], coins: &[u16], outputs: u8, fee: u16) -> Option<Transaction> {
    let mut picked: Vec<(OutPoint, Output)> = Vec::new();
    for share in coins {
        // Coins made lately are picked more often, so that chains and conflicts arise.
        let back = usize::from(*share) % seen.len().min(30);
        let coin = seen[seen.len() - 1 - back];
        if !picked.contains(&coin) {
            picked.push(coin);
        }
    }
    let total: u64 = picked.iter().map(|(_, output)| output.value.to_notches()).sum();
    let part = total.checked_sub(u64::from(fee))? / u64::from(outputs);
    let output = Output { value: Amount::from_notches(part), lock: lock_of(&rich_key()) };
    Some(spend(bench.chain.chain.params(), &rich_key(), &picked, vec![output; usize::from(outputs)]))
}

fn reorganise(bench: &mut Bench, depth: u8) {
    let tip = bench.chain.chain.tip().height.get();
    let depth = u32::from(depth).min(tip);
    let fork = bench.chain.block_at(tip - depth);
    let params = bench.chain.chain.params().clone();
    for block in branch_on(&params, &fork.header, Height::new(tip - depth), depth + 1, u64::from(tip) + 1000) {
        bench.block(&block).expect("empty blocks are valid");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_books_balance(steps in steps(), is_small in any::<bool>()) {
        let max_bytes = if is_small { 25_000 } else { 300_000_000 };
        let mut bench = Bench::new(RelayPolicy { max_bytes, ..RelayPolicy::default() });
        let mut seen = allocations(bench.chain.chain.params());
        for step in steps {
            match step {
                Step::Pay { coins, outputs, fee } => {
                    let Some(payment) = payment(&bench, &seen, &coins, outputs, fee) else { continue };
                    let before = bench.txids();
                    match bench.send(&payment) {
                        Ok(_) => seen.extend(outputs_of(&payment)),
                        Err(_) => prop_assert_eq!(bench.txids(), before),
                    }
                }
                Step::Mine => {
                    let block = mine_template(&bench.template(), lock_of(&rich_key()), b"");
                    bench.block(&block).expect("a template is valid");
                }
                Step::Reorganise { depth } => reorganise(&mut bench, depth),
            }
            bench.audit();
        }
    }
}
