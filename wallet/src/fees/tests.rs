use super::NotchesPerByte;

#[test]
fn rates_are_read_exactly() {
    for (text, rate) in [("1", 1_000), ("2.5", 2_500), ("0.001", 1), ("10.025", 10_025), ("0", 0)] {
        let parsed: NotchesPerByte = text.parse().unwrap();
        assert_eq!(parsed.0.to_notches_per_kilobyte(), rate, "{text}");
    }
    for text in ["", "-1", "+1", "1,5", ".5", "1.", "1.0005", "1e3", "99999999999999999999", " 1"] {
        assert!(text.parse::<NotchesPerByte>().is_err(), "{text}");
    }
}
