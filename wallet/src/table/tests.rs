use super::{Align, render};

#[test]
fn columns_fit_their_widest_cell() {
    let rows = [["a".to_owned(), "1.5".to_owned()], ["bcd".to_owned(), "10.25".to_owned()]];
    let table = render([("name", Align::Left), ("net", Align::Right)], &rows);
    assert_eq!(table, "name    net\na       1.5\nbcd   10.25");
}
