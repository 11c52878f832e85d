//! What becomes of parameters.

use serde_json::json;

use super::parameter;

#[test]
fn parameters_are_json_or_text() {
    assert_eq!(parameter("12"), json!(12));
    assert_eq!(parameter("-1"), json!(-1));
    assert_eq!(parameter("true"), json!(true));
    assert_eq!(parameter("[\"blocks\"]"), json!(["blocks"]));
    assert_eq!(parameter("{\"addresses\":[]}"), json!({"addresses": []}));
    assert_eq!(parameter("127.0.0.1:9"), json!("127.0.0.1:9"));
    let digits = "0000000000000000000000000000000000000000000000000000000000000001";
    assert_eq!(parameter(digits), json!(digits));
    assert_eq!(parameter(&"1".repeat(64)), json!("1".repeat(64)));
}
