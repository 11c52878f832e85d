use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;
use tally_primitives::units::Amount;

use super::{easiest_target, fresh, with_allocations};

#[test]
fn the_easiest_target_takes_one_spacing() {
    for (hashrate, spacing) in [(400_000, 3), (1, 4), (1_000_000, 1), (2_000_000_000, 60), (1_000_000_000_000, 3600)] {
        let expected = u64::from(spacing) * hashrate;
        let work = easiest_target(hashrate, spacing).to_target().expect("a target").work().to_f64();
        let ratio = work / expected as f64;
        // A compact target has at least 16 significant bits.
        assert!((0.999..1.001).contains(&ratio), "{hashrate} × {spacing}: {ratio}");
    }
    for hashrate in [0, 1] {
        let bits = easiest_target(hashrate, 1);
        assert_eq!(bits.to_target().expect("a target").to_compact(), bits);
    }
}

#[test]
fn each_network_is_another() {
    let one = fresh(400_000, 3).expect("random numbers");
    let two = fresh(400_000, 3).expect("random numbers");
    assert_ne!(one.magic, two.magic);
    assert_ne!(one.genesis_hash(), two.genesis_hash());
    assert_eq!(Params::from_toml(&one.to_toml()), Ok(one));
}

#[test]
fn allocations_are_coins_of_the_genesis() {
    let params = fresh(400_000, 3).expect("random numbers");
    let address = |byte| Address::new(params.address_prefix.clone(), LockHash::from_bytes([byte; 32]));
    let (alice, bob) = (address(1), address(2));
    let params = with_allocations(params, &[alice.clone(), bob.clone()]);
    assert_eq!(Params::from_toml(&params.to_toml()).as_ref(), Ok(&params));
    let genesis = params.genesis();
    let sum = |owner: &Address| {
        let coins = genesis.transactions[0].outputs.iter().filter(|output| output.lock == owner.lock);
        Amount::checked_sum(coins.map(|output| output.value)).expect("a sum")
    };
    assert_eq!(sum(&alice).to_string(), "1000.00000000");
    assert_eq!(sum(&bob), sum(&alice));
}
