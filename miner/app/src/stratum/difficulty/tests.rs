use super::Difficulty;
use serde_json::{Number, Value};

fn of(text: &str) -> Option<Difficulty> {
    let value: Value = serde_json::from_str(text).unwrap();
    Difficulty::from_number(value.as_number().unwrap())
}

fn target(text: &str) -> String {
    hex::encode(of(text).unwrap().target())
}

#[test]
fn difficulty_one_is_bitcoins_easiest_target() {
    let one = format!("00000000ffff{}", "00".repeat(26));
    for text in ["1", "1.0", "1e0"] {
        assert_eq!(target(text), one, "{text}");
    }
    assert_eq!(hex::encode(Difficulty::ONE.target()), one);
}

#[test]
fn targets_are_the_exact_quotients_rounded_down() {
    // Computed with fractions of unlimited precision.
    for (difficulty, expected) in [
        ("2", "000000007fff8000000000000000000000000000000000000000000000000000"),
        ("3", "0000000055550000000000000000000000000000000000000000000000000000"),
        ("7", "0000000024922492492492492492492492492492492492492492492492492492"),
        ("65535", "0000000000010000000000000000000000000000000000000000000000000000"),
        ("1000000.0", "00000000000010c6e6d9be4cd74927913e81450efdc9c4da9003eea209aaa3ad"),
        ("18446744073709551615", "000000000000000000000000ffff000000000000ffff000000000000ffff0000"),
        ("512.5", "00000000007fdf881df881df881df881df881df881df881df881df881df881df"),
        ("0.5", "00000001fffe0000000000000000000000000000000000000000000000000000"),
        ("0.0009765625", "000003fffc000000000000000000000000000000000000000000000000000000"),
        // The float nearest to a thousandth is a little more, so the target is a little less than 65,535,000 · 2^208.
        ("0.001", "000003e7fc17fffffffa2405dc00000008c9f735fffffff2d10d2f00000013c6"),
        ("1e-9", "3b9a8e6535fffef481b5fe088151b0791619e09d7e3f36fccfbaa4c14955fdb7"),
        // What stands for the devnet's bits, 0x207fffff.
        ("4.656542373906925e-10", "7ffffefffffffbfe000e0405f426140d539584dcf3a4abd45cc9473788b29624"),
    ] {
        assert_eq!(target(difficulty), expected, "{difficulty}");
    }
}

#[test]
fn the_easiest_targets_are_possible() {
    assert_eq!(target("1e-12"), "ff".repeat(32));
    assert_eq!(target("5e-324"), "ff".repeat(32));
    assert_eq!(target("1e-300"), "ff".repeat(32));
}

#[test]
fn the_hardest_leave_no_hash() {
    assert_eq!(target("1e300"), "00".repeat(32));
    // 2^224 is beyond the target of difficulty 1, 2^208 leaves its highest bits.
    assert_eq!(Difficulty::from_f64(2.0_f64.powi(224)).unwrap().target(), [0; 32]);
    assert_eq!(hex::encode(Difficulty::from_f64(2.0_f64.powi(208)).unwrap().target()), format!("{:0>64}", "ffff"));
    assert_eq!(hex::encode(Difficulty::from_f64(2.0_f64.powi(216)).unwrap().target()), format!("{:0>64}", "ff"));
}

#[test]
fn only_positive_numbers_are_difficulties() {
    for text in ["0", "0.0", "-1", "-0.5"] {
        assert_eq!(of(text), None, "{text}");
    }
    for value in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        assert_eq!(Difficulty::from_f64(value), None);
    }
}

#[test]
fn the_float_comes_back() {
    for value in [1.0, 0.001, 4.656542373906925e-10, 1e15, 5e-324, 1e-310, f64::MAX, 3.5] {
        assert_eq!(Difficulty::from_f64(value).unwrap().to_f64(), value);
    }
    assert_eq!(Difficulty::from_number(&Number::from(u64::MAX)).unwrap().to_f64(), u64::MAX as f64);
}

#[test]
fn harder_is_never_easier() {
    let mut last = [0xff; 32];
    for step in 0_u32..4000 {
        let target = Difficulty::from_f64(1e-12 * 1.02_f64.powi(i32::try_from(step).unwrap())).unwrap().target();
        assert!(target <= last, "step {step}");
        last = target;
    }
}
