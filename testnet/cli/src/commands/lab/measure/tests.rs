use tally_sim::labs::{Axis, LabReport, Plot, Row};

use super::{aligned, number, to_json};

fn report(passes: &[bool]) -> LabReport {
    let row = |pass: &bool| Row {
        at: 3.0,
        measured: 1.5,
        theory: 1.25,
        interval: (1.0, 2.0),
        pass: *pass,
        more: vec![("extra", 7.0)],
    };
    let axis = Axis { label: "", logarithmic: false };
    LabReport {
        lab: "made up",
        seed: 9,
        parameter: "nodes",
        quantity: "nothing",
        rule: "none",
        rows: passes.iter().map(row).collect(),
        plot: Plot { title: "", x: axis, y: axis, series: Vec::new() },
    }
}

#[test]
fn json_has_the_headline_and_every_row() {
    let json = to_json(&report(&[true, true])).to_string();
    let row = r#"{"extra":7.0,"interval":[1.0,2.0],"measured":1.5,"nodes":3.0,"pass":true,"theory":1.25}"#;
    let expected = format!(
        r#"{{"interval":[1.0,2.0],"lab":"made up","measured":1.5,"pass":true,"rows":[{row},{row}],"seed":9,"theory":1.25}}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn one_row_that_fails_makes_the_lab_fail() {
    assert_eq!(to_json(&report(&[false, true]))["pass"], false);
    assert_eq!(to_json(&report(&[]))["pass"], false, "nothing measured is nothing shown");
}

#[test]
fn numbers_have_the_digits_that_count() {
    let cases = [
        (0.0, "0"),
        (12_345.6, "12346"),
        (234.56, "234.6"),
        (23.456, "23.46"),
        (2.3456, "2.346"),
        (0.018_64, "0.0186"),
        (40.0, "40"),
    ];
    for (value, text) in cases {
        assert_eq!(number(value), text);
    }
}

#[test]
fn columns_stand_to_the_right() {
    let table = [vec!["a".to_owned(), "bcd".to_owned()], vec!["12".to_owned(), "…".to_owned()]];
    assert_eq!(aligned(&table), [" a  bcd", "12    …"]);
}
