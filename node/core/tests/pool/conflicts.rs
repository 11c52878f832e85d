//! Double spends, chains of unconfirmed transactions and replacements, as a table of scenarios.

use std::collections::{BTreeMap, BTreeSet};

use tally_node_core::chain::ChainError;
use tally_node_core::mempool::{MempoolError, RelayPolicy};
use tally_node_core::testing::{allocations, branch_on, lock_of, outputs_of, rich_key, spend};
use tally_primitives::hash::Txid;
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::Bench;

/// Steps, each with what must come of it after `=>`:
/// - `a c0+b.1 2 1000 => ok -x`: transaction a spends the allocated coin 0 and output 1 of b, makes 2 outputs and pays
///   1,000 notches; it is accepted, and x leaves for it. Other verdicts: see `verdict`.
/// - `again a => known`: a is sent once more.
/// - `mine a b => x:Conflict`: a block with a and b; x leaves the pool because of it.
/// - `reorg 2 => +a`: the last two blocks are replaced by three empty ones; a is back.
struct Scenario {
    name: &'static str,
    steps: &'static [&'static str],
    /// What is in the pool at the end.
    pool: &'static str,
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "a payment, once", steps: &["a c0 1 1000 => ok", "again a => known"], pool: "a" },
    Scenario {
        name: "a chain of unconfirmed transactions",
        steps: &["a c0 2 1000 => ok", "b a.0 1 1000 => ok", "c a.1+b.0 1 1000 => ok"],
        pool: "a b c",
    },
    Scenario {
        name: "a child before its parent is missing inputs",
        steps: &["parent c0 1 1000 => later", "b parent.0 1 1000 => missing", "again parent => ok", "again b => ok"],
        pool: "parent b",
    },
    Scenario {
        name: "an output that does not exist",
        steps: &["a c0 1 1000 => ok", "b a.5 1 1000 => missing"],
        pool: "a",
    },
    Scenario { name: "the fee is below the minimum", steps: &["a c0 1 219 => low", "b c0 1 220 => ok"], pool: "b" },
    Scenario {
        name: "a double spend that pays the same",
        steps: &["a c0 1 1000 => ok", "b c0 2 1000 => cheap"],
        pool: "a",
    },
    Scenario {
        name: "a replacement pays for itself too",
        steps: &["a c0 1 1000 => ok", "b c0 1 1219 => cheap", "c c0 1 1220 => ok -a"],
        pool: "c",
    },
    Scenario {
        name: "a replacement pays for descendants",
        steps: &["a c0 1 1000 => ok", "b a.0 1 2000 => ok", "c c0 1 3219 => cheap", "d c0 1 3220 => ok -a -b"],
        pool: "d",
    },
    Scenario {
        name: "a replacement of several at once",
        steps: &[
            "a c0 1 1000 => ok",
            "b c1 1 1000 => ok",
            "x c2 1 1000 => ok",
            "c c0+c1 1 2300 => cheap",
            "d c0+c1 1 4000 => ok -a -b",
        ],
        pool: "d x",
    },
    Scenario {
        name: "more in all but less a byte is no replacement",
        steps: &["a c0 1 1000 => ok", "b c0 30 2500 => cheap"],
        pool: "a",
    },
    Scenario {
        name: "a replacement of a child alone",
        steps: &["a c0 2 1000 => ok", "b a.0 1 1000 => ok", "c a.0+c1 1 5000 => ok -b"],
        pool: "a c",
    },
    Scenario {
        name: "nobody spends what it replaces",
        steps: &["a c0 1 1000 => ok", "b c0+a.0 1 9000 => spends"],
        pool: "a",
    },
    Scenario {
        name: "a replacement out of a child's way",
        steps: &["a c0 1 1000 => ok", "b a.0 1 1000 => ok", "c c0 1 9000 => ok -a -b", "again b => missing"],
        pool: "c",
    },
    Scenario {
        name: "confirmed ones leave, their children stay",
        steps: &["a c0 2 1000 => ok", "b a.0 1 1000 => ok", "mine a => a:Confirmed", "again a => confirmed"],
        pool: "b",
    },
    Scenario {
        name: "a block's double spend throws out the other with its children",
        steps: &[
            "a c0 1 1000 => ok",
            "b a.0 1 1000 => ok",
            "x c1 1 1000 => ok",
            "rival c0 1 500 => later",
            "mine rival => a:Conflict b:Conflict",
            "again a => missing",
        ],
        pool: "x",
    },
    Scenario {
        name: "a reorganisation brings transactions back",
        steps: &["a c0 1 1000 => ok", "mine a => a:Confirmed", "mine => ", "reorg 2 => +a"],
        pool: "a",
    },
    Scenario {
        name: "a child stays when its parent comes back",
        steps: &["a c0 1 1000 => ok", "mine a => a:Confirmed", "b a.0 1 1000 => ok", "reorg 1 => +a"],
        pool: "a b",
    },
    Scenario {
        name: "a whole chain comes back in order",
        steps: &[
            "a c0 1 1000 => ok",
            "b a.0 2 1000 => ok",
            "mine a b => a:Confirmed b:Confirmed",
            "c b.1 1 1000 => ok",
            "mine c => c:Confirmed",
            "d c.0+b.0 1 1000 => ok",
            "reorg 2 => +a +b +c",
        ],
        pool: "a b c d",
    },
    Scenario {
        name: "what never was in the pool returns as well, even below relay policy",
        steps: &["a c0 1 1 => later", "mine a => ", "reorg 1 => +a"],
        pool: "a",
    },
];

/// What a refusal is called in the table.
fn verdict(error: &MempoolError) -> &'static str {
    match error {
        MempoolError::MissingInputs { .. } => "missing",
        MempoolError::AlreadyInMempool { .. } => "known",
        MempoolError::AlreadyConfirmed { .. } => "confirmed",
        MempoolError::FeeTooLow { .. } => "low",
        MempoolError::ReplacementTooCheap { .. } => "cheap",
        MempoolError::SpendsReplaced { .. } => "spends",
        _ => "otherwise",
    }
}

struct Stage {
    bench: Bench,
    made: BTreeMap<String, Transaction>,
    names: BTreeMap<Txid, String>,
}

impl Stage {
    fn new() -> Self {
        Self { bench: Bench::new(RelayPolicy::default()), made: BTreeMap::new(), names: BTreeMap::new() }
    }

    fn coin(&self, text: &str) -> (OutPoint, Output) {
        if let Some((name, index)) = text.split_once('.') {
            let made = outputs_of(&self.made[name]);
            let index: u32 = index.parse().unwrap();
            let existing = made.get(usize::try_from(index).unwrap()).copied();
            return existing.unwrap_or((OutPoint { index, ..made[0].0 }, made[0].1));
        }
        let number: usize = text.trim_start_matches('c').parse().unwrap();
        allocations(self.bench.chain.chain.params())[number]
    }

    fn make(&mut self, words: &[&str]) -> Transaction {
        let [name, coins, outputs, fee] = words else { panic!("a transaction is: name coins outputs fee") };
        let coins: Vec<_> = coins.split('+').map(|coin| self.coin(coin)).collect();
        let (outputs, fee): (u64, u64) = (outputs.parse().unwrap(), fee.parse().unwrap());
        let total = coins.iter().map(|(_, output)| output.value.to_notches()).sum::<u64>() - fee;
        let part = total / outputs;
        let value = |index: u64| if index == 0 { total - part * (outputs - 1) } else { part };
        let outputs = (0..outputs)
            .map(|index| Output { value: Amount::from_notches(value(index)), lock: lock_of(&rich_key()) })
            .collect();
        let transaction = spend(self.bench.chain.chain.params(), &rich_key(), &coins, outputs);
        self.names.insert(transaction.txid(), (*name).to_owned());
        self.made.insert((*name).to_owned(), transaction.clone());
        transaction
    }

    fn send(&mut self, transaction: &Transaction) -> String {
        match self.bench.send(transaction) {
            Ok(accepted) => {
                let replaced: BTreeSet<_> =
                    accepted.replaced.iter().map(|txid| format!(" -{}", self.names[txid])).collect();
                format!("ok{}", replaced.into_iter().collect::<String>())
            }
            Err(error) => verdict(&error).to_owned(),
        }
    }

    fn step(&mut self, step: &str) -> String {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words[0] {
            "again" => self.send(&self.made[words[1]].clone()),
            "mine" => {
                let made = words[1..].iter().map(|name| self.made[*name].clone());
                let block = made.fold(self.bench.chain.next(), |block, transaction| block.with(transaction)).build();
                let update = self.bench.block(&block).expect("the block is valid");
                let removed: BTreeSet<String> =
                    update.removed.iter().map(|(txid, reason)| format!("{}:{reason:?}", self.names[txid])).collect();
                removed.into_iter().collect::<Vec<_>>().join(" ")
            }
            "reorg" => self.reorganise(words[1].parse().unwrap()).expect("the branch is valid"),
            _ => {
                let transaction = self.make(&words);
                self.send(&transaction)
            }
        }
    }

    fn reorganise(&mut self, depth: u32) -> Result<String, ChainError> {
        let fork = self.bench.chain.chain.tip().height.get() - depth;
        let parent = self.bench.chain.block_at(fork);
        let params = self.bench.chain.chain.params().clone();
        let mut returned = Vec::new();
        for block in branch_on(&params, &parent.header, Height::new(fork), depth + 1, 99) {
            returned.extend(self.bench.block(&block)?.returned);
        }
        let returned: Vec<String> = returned.iter().map(|txid| format!("+{}", self.names[txid])).collect();
        Ok(returned.join(" "))
    }
}

#[test]
fn scenarios() {
    for scenario in SCENARIOS {
        let mut stage = Stage::new();
        for step in scenario.steps {
            let (what, expected) = step.split_once("=>").expect("step => outcome");
            let expected = expected.trim();
            let found = match expected {
                "later" => {
                    let words: Vec<&str> = what.split_whitespace().collect();
                    stage.make(&words);
                    "later".to_owned()
                }
                _ => stage.step(what.trim()),
            };
            assert_eq!(found, expected, "{}: {step}", scenario.name);
            stage.bench.audit();
        }
        let names: Vec<String> = stage.bench.txids().iter().map(|txid| stage.names[txid].clone()).collect();
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, scenario.pool.split_whitespace().collect(), "{}", scenario.name);
    }
}
