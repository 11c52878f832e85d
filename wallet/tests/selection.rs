//! Properties of coin selection, for arbitrary coins, amounts and fee rates.

use proptest::prelude::*;
use tally_primitives::units::{Amount, FeeRate};
use tally_wallet::selection::{Candidate, DUST, Selection, SelectionError, Target, select, select_all};

const INPUT: usize = 152;
const OUTPUT: usize = 40;

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    // Small, equal and large values, so that exact matches, ties and change all occur.
    let value = prop_oneof![1..2_000_u64, Just(5_000_u64), 1_000..100_000_u64, 1..10_000_000_000_u64];
    let candidate = value.prop_map(|value| Candidate { value: Amount::from_notches(value), input_size: INPUT });
    prop::collection::vec(candidate, 0..40)
}

fn target() -> impl Strategy<Value = Target> {
    (300..1_000_000_u64, 0..20_000_u64, 0..80_usize).prop_map(|(amount, rate, memo)| Target {
        amount: Amount::from_notches(amount),
        fixed_size: 28 + OUTPUT + memo,
        change_size: OUTPUT,
        change_input_size: INPUT,
        rate: FeeRate::from_notches_per_kilobyte(rate),
    })
}

fn sum(candidates: &[Candidate], selection: &Selection) -> Amount {
    Amount::checked_sum(selection.chosen.iter().map(|position| candidates[*position].value))
        .expect("the values are small")
}

/// What must hold of every selection, whoever asked for it.
fn check(candidates: &[Candidate], target: &Target, amount: Amount, selection: &Selection) {
    assert!(selection.chosen.is_sorted_by(|a, b| a < b), "no coin twice");
    let change_size = if selection.change.is_some() { target.change_size } else { 0 };
    assert_eq!(selection.size, target.fixed_size + selection.chosen.len() * INPUT + change_size);
    let change = selection.change.unwrap_or_default();
    assert_eq!(Some(sum(candidates, selection)), Amount::checked_sum([amount, change, selection.fee]));
    let least = target.rate.fee_for(selection.size);
    assert!(selection.fee >= least, "the rate is paid at least");
    match selection.change {
        Some(change) => {
            assert!(change >= DUST && change >= target.rate.fee_for(INPUT), "no dust");
            assert_eq!(selection.fee, least, "with change the fee is exact");
        }
        None => {
            let surplus = selection.fee.checked_sub(least).expect("at least the rate");
            let limit = Amount::checked_sum([target.rate.fee_for(target.change_size), target.least_change()])
                .expect("the values are small");
            assert!(surplus <= limit, "more was given away than change would have cost: {surplus}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_selection_reaches_pays_the_rate_and_makes_no_dust(candidates in candidates(), target in target()) {
        match select(&candidates, &target) {
            Ok(selection) => check(&candidates, &target, target.amount, &selection),
            Err(SelectionError::NotEnough { needed, available }) => {
                prop_assert_eq!(Some(available), Amount::checked_sum(candidates.iter().map(|coin| coin.value)));
                prop_assert!(needed > target.amount || target.rate == FeeRate::ZERO);
                // And it is true: even all coins that are worth their fee do not reach.
                let useful: Vec<Candidate> = candidates
                    .iter()
                    .copied()
                    .filter(|coin| coin.value > target.rate.fee_for(INPUT))
                    .collect();
                let all = Amount::checked_sum(useful.iter().map(|coin| coin.value)).unwrap();
                let fee = target.rate.fee_for(target.fixed_size + useful.len() * INPUT);
                prop_assert!(all < target.amount.checked_add(fee).unwrap());
            }
            Err(SelectionError::TooLarge { .. }) => prop_assert!(false, "forty coins always fit"),
        }
    }

    #[test]
    fn everything_means_everything_that_is_worth_its_fee(candidates in candidates(), target in target()) {
        if let Ok((selection, amount)) = select_all(&candidates, &target) {
            check(&candidates, &target, amount, &selection);
            prop_assert_eq!(selection.change, None);
            prop_assert_eq!(selection.fee, target.rate.fee_for(selection.size));
            for (position, coin) in candidates.iter().enumerate() {
                let is_worth = u128::from(coin.value.to_notches()) * 1000
                    > u128::from(target.rate.to_notches_per_kilobyte()) * INPUT as u128;
                prop_assert_eq!(selection.chosen.contains(&position), is_worth);
            }
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer(candidates in candidates(), target in target()) {
        prop_assert_eq!(select(&candidates, &target), select(&candidates, &target));
    }
}

#[test]
fn an_exact_match_needs_no_change() {
    let coin = |value| Candidate { value: Amount::from_notches(value), input_size: INPUT };
    let target = Target {
        amount: Amount::from_notches(30_000),
        fixed_size: 68,
        change_size: OUTPUT,
        change_input_size: INPUT,
        rate: FeeRate::from_notches_per_byte(1),
    };
    // 10,000 and 20,372 together: 30,000, and 372 for 68 + 2 × 152 bytes.
    let candidates = [coin(90_000), coin(20_372), coin(10_000), coin(7_000)];
    let selection = select(&candidates, &target).unwrap();
    assert_eq!(selection.chosen, [1, 2]);
    assert_eq!((selection.change, selection.fee), (None, Amount::from_notches(372)));
}

#[test]
fn too_many_small_coins_are_refused_with_the_size() {
    let candidates = vec![Candidate { value: Amount::from_notches(1_000), input_size: INPUT }; 700];
    let target = Target {
        amount: Amount::from_notches(580_000),
        fixed_size: 68,
        change_size: OUTPUT,
        change_input_size: INPUT,
        rate: FeeRate::from_notches_per_byte(1),
    };
    let error = select(&candidates, &target).unwrap_err();
    assert!(matches!(error, SelectionError::TooLarge { size: 100_001.., max: 100_000 }), "{error}");
}
