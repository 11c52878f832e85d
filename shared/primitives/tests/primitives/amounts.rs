//! Amounts, fee rates, heights and times.

use proptest::prelude::{any, proptest};
use tally_primitives::units::{Amount, AmountParseError, FeeRate, Height, Timestamp};

fn notches(notches: u64) -> Amount {
    Amount::from_notches(notches)
}

proptest! {
    #[test]
    fn arithmetic_is_that_of_wide_integers(a in any::<u64>(), b in any::<u64>(), c in 0u64..1_000) {
        let fits = |value: u128| u64::try_from(value).ok().map(notches);
        assert_eq!(notches(a).checked_add(notches(b)), fits(u128::from(a) + u128::from(b)));
        assert_eq!(notches(a).checked_sub(notches(b)), a.checked_sub(b).map(notches));
        assert_eq!(notches(a).checked_mul(c), fits(u128::from(a) * u128::from(c)));
        let sum = u128::from(a) + u128::from(b) + u128::from(c);
        assert_eq!(Amount::checked_sum([a, b, c].map(notches)), fits(sum));
    }

    #[test]
    fn what_is_shown_is_read_back(value in any::<u64>()) {
        let amount = notches(value);
        assert_eq!(amount.to_string().parse(), Ok(amount));
        assert_eq!(format!("{value}notch").parse(), Ok(amount));
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,40}", digits in "[0-9.]{0,30}(notch)?") {
        for text in [&text, &digits] {
            if let Ok(amount) = text.parse::<Amount>() {
                assert_eq!(amount.to_string().parse(), Ok(amount), "{text}");
            }
        }
    }

    #[test]
    fn a_fee_pays_its_rate_and_not_a_notch_more_than_needed(rate in 0u64..1_000_000_000, size in 1usize..1_000_000) {
        let rate = FeeRate::from_notches_per_kilobyte(rate);
        let fee = rate.fee_for(size);
        assert!(FeeRate::of(fee, size) >= rate);
        if let Some(less) = fee.checked_sub(notches(1)) {
            assert!(u128::from(less.to_notches()) * 1_000 < u128::from(rate.to_notches_per_kilobyte()) * size as u128);
        }
    }
}

#[test]
fn text_is_read_as_tally_or_notches() {
    let cases: [(&str, u64); 12] = [
        ("0", 0),
        ("1", 100_000_000),
        ("12.5", 1_250_000_000),
        ("12.50000000", 1_250_000_000),
        ("0.00000001", 1),
        ("0.1", 10_000_000),
        ("007", 700_000_000),
        ("21000000", 2_100_000_000_000_000),
        ("184467440737.09551615", u64::MAX),
        ("0notch", 0),
        ("1250000000notch", 1_250_000_000),
        ("18446744073709551615notch", u64::MAX),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse(), Ok(notches(expected)), "{text}");
    }
}

#[test]
fn other_text_is_refused_with_the_reason() {
    let not_a_number = [
        "", ".", "1.", ".5", "-1", "+1", "1,5", "1.2.3", "1e8", "0x10", " 1", "1 ", "1_000", "TALLY", "1 TALLY", "١",
        "½", "NaN", "notch", "-1notch", "1.5notch", "1 notch", "1notch ", "notch1",
    ];
    for text in not_a_number {
        let expected = AmountParseError::NotANumber { text: text.to_owned() };
        assert_eq!(text.parse::<Amount>(), Err(expected), "'{text}'");
    }
    for text in ["0.000000001", "1.123456789", "0.0000000000"] {
        let expected = AmountParseError::TooPrecise { text: text.to_owned() };
        assert_eq!(text.parse::<Amount>(), Err(expected), "'{text}'");
    }
    for text in ["184467440737.09551616", "184467440738", "99999999999999999999999", "18446744073709551616notch"] {
        let expected = AmountParseError::TooLarge { text: text.to_owned() };
        assert_eq!(text.parse::<Amount>(), Err(expected), "'{text}'");
    }
}

#[test]
fn amounts_are_shown_with_eight_decimals() {
    let cases =
        [(0, "0.00000000"), (1, "0.00000001"), (1_250_000_000, "12.50000000"), (u64::MAX, "184467440737.09551615")];
    for (value, text) in cases {
        assert_eq!(notches(value).to_string(), text);
    }
    assert_eq!(format!("[{:>12}]", notches(1)), "[  0.00000001]");
    assert_eq!(Amount::MAX_SUPPLY.to_string(), "21000000.00000000");
    assert_eq!(Amount::from_tally(21_000_000), Some(Amount::MAX_SUPPLY));
    assert_eq!(Amount::from_tally(u64::MAX), None);
}

#[test]
fn amounts_are_plain_numbers_in_json() {
    assert_eq!(serde_json::to_string(&notches(u64::MAX)).unwrap(), u64::MAX.to_string());
    assert!(serde_json::from_str::<Amount>("-1").is_err());
    assert!(serde_json::from_str::<Amount>("1.5").is_err());
    assert!(serde_json::from_str::<Amount>("18446744073709551616").is_err());
}

#[test]
fn fee_rates_round_in_the_nodes_favour_and_saturate() {
    let rate = FeeRate::from_notches_per_kilobyte;
    assert_eq!(rate(1).fee_for(1), notches(1));
    assert_eq!(rate(1_000).fee_for(250), notches(250));
    assert_eq!(rate(1_500).fee_for(101), notches(152));
    assert_eq!(FeeRate::ZERO.fee_for(1_000_000), Amount::ZERO);
    assert_eq!(rate(u64::MAX).fee_for(usize::MAX), notches(u64::MAX));
    assert_eq!(FeeRate::of(notches(1), 1_001), FeeRate::ZERO);
    assert_eq!(FeeRate::of(notches(1), 0), rate(u64::MAX));
    assert_eq!(FeeRate::of(notches(u64::MAX), 1), rate(u64::MAX));
    assert_eq!(FeeRate::from_notches_per_byte(u64::MAX), rate(u64::MAX));
    assert_eq!(FeeRate::from_notches_per_byte(2).to_string(), "2.000 notch/byte");
    assert_eq!(rate(1_250).to_string(), "1.250 notch/byte");
}

#[test]
fn heights_and_times_saturate_instead_of_wrapping() {
    assert_eq!(Height::new(u32::MAX).next(), Height::new(u32::MAX));
    assert_eq!(Height::new(5).saturating_add(u32::MAX), Height::new(u32::MAX));
    assert_eq!(Height::new(5).checked_sub_blocks(5), Some(Height::GENESIS));
    assert_eq!(Height::new(5).checked_sub_blocks(6), None);
    assert_eq!(Timestamp::from_millis(u64::MAX).as_seconds(), u32::MAX);
    assert_eq!(Timestamp::from_millis(1_999).as_seconds(), 1);
    assert_eq!(Timestamp::from_seconds(u32::MAX).as_seconds(), u32::MAX);
    assert_eq!(Timestamp::from_millis(u64::MAX).saturating_add_millis(1).as_millis(), u64::MAX);
    assert_eq!(Timestamp::from_millis(5).millis_since(Timestamp::from_millis(7)), 0);
}
