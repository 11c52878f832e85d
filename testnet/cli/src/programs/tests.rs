use super::Programs;

#[test]
fn says_which_is_missing() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = |name: &str| {
        let error = Programs::find_in(dir.path()).expect_err("missing");
        assert!(error.to_string().starts_with(&format!("the program `{name}` is missing: ")), "{error}");
        assert!(error.hint().is_some());
    };
    missing("node");
    std::fs::write(dir.path().join("node"), "").expect("written");
    missing("wallet");
    std::fs::write(dir.path().join("wallet"), "").expect("written");
    assert!(Programs::find_in(dir.path()).is_ok());
}
