//! Requests, answers, parameters, and the table of methods.

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::error::{INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError, TYPE_ERROR};
use crate::jsonrpc::{Incoming, Params, Request, Response, Version};
use crate::methods::{METHODS, Method, help};

fn single(body: &str) -> Request {
    match Incoming::parse(body.as_bytes(), 10) {
        Ok(Incoming::Single(request)) => request,
        other => panic!("{body}: {other:?}"),
    }
}

fn refused(body: &str, max_batch: usize) -> (i32, Value) {
    let answer = Incoming::parse(body.as_bytes(), max_batch).expect_err("it is refused");
    (answer.outcome.expect_err("an error").code, answer.id)
}

#[test]
fn version_two() {
    let request = single(r#"{"jsonrpc":"2.0","id":"a","method":"getblockhash","params":[5]}"#);
    assert_eq!(request.version, Version::Two);
    let answer = request.answer(Ok(json!("x"))).expect("an answer");
    assert_eq!(json!(answer), json!({ "jsonrpc": "2.0", "result": "x", "id": "a" }));
    let error = RpcError::method_not_found("nope");
    let answer = request.answer(Err(error)).expect("an answer");
    let message = "no method \"nope\"; `help` lists them";
    assert_eq!(
        json!(answer),
        json!({ "jsonrpc": "2.0", "error": { "code": METHOD_NOT_FOUND, "message": message }, "id": "a" })
    );
}

#[test]
fn null_results_are_results() {
    let request = single(r#"{"jsonrpc":"2.0","id":1,"method":"submitblock","params":["00"]}"#);
    let answer = json!(request.answer(Ok(Value::Null)));
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "result": null, "id": 1 }));
    let read: Response = serde_json::from_value(answer).expect("an answer");
    assert_eq!(read.outcome, Ok(Value::Null));
}

#[test]
fn version_one_of_miners() {
    for body in [
        r#"{"id":1,"method":"getblockcount"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"getblockcount","params":[]}"#,
        r#"{"version":"1.1","id":1,"method":"getblockcount","params":null}"#,
    ] {
        let request = single(body);
        assert_eq!(request.params, Params::Positional(vec![]));
        let answer = request.answer(Ok(json!(5)));
        assert_eq!(json!(answer), json!({ "result": 5, "error": null, "id": 1 }));
        let error = RpcError::new(-8, "no").with_data(json!({ "rule": "TX-01" }));
        let answer = json!(request.answer(Err(error.clone())));
        assert_eq!(answer["result"], Value::Null);
        let read: Response = serde_json::from_value(answer).expect("an answer");
        assert_eq!(read.outcome, Err(error));
    }
    // Without an id an old request still waits for an answer.
    assert!(single(r#"{"method":"uptime"}"#).answer(Ok(json!(1))).is_some());
}

#[test]
fn notifications_are_not_answered() {
    let request = single(r#"{"jsonrpc":"2.0","method":"getblockcount"}"#);
    assert_eq!(request.answer(Ok(json!(5))), None);
    let request = single(r#"{"jsonrpc":"2.0","id":null,"method":"getblockcount"}"#);
    assert!(request.answer(Ok(json!(5))).is_some());
}

#[test]
fn what_is_no_request() {
    assert_eq!(refused("{", 10), (PARSE_ERROR, Value::Null));
    assert_eq!(refused("", 10), (PARSE_ERROR, Value::Null));
    assert_eq!(refused("5", 10), (INVALID_REQUEST, Value::Null));
    assert_eq!(refused(r#"{"id":7,"method":5}"#, 10), (INVALID_REQUEST, json!(7)));
    assert_eq!(refused(r#"{"id":7,"method":"x","params":"y"}"#, 10), (INVALID_REQUEST, json!(7)));
    assert_eq!(refused("[]", 10), (INVALID_REQUEST, Value::Null));
    assert_eq!(refused("[1,2,3]", 2), (INVALID_REQUEST, Value::Null));
    // Nesting is bounded by the JSON reader: no stack overflow.
    assert_eq!(refused(&"[".repeat(100_000), 10).0, PARSE_ERROR);
}

#[test]
fn batches_hold_good_and_bad() {
    let body = r#"[{"jsonrpc":"2.0","id":1,"method":"uptime"},5]"#;
    let Ok(Incoming::Batch(items)) = Incoming::parse(body.as_bytes(), 2) else {
        panic!("not a batch");
    };
    assert_eq!(items[0].as_ref().expect("a request").method, "uptime");
    let answer = items[1].as_ref().expect_err("no request");
    assert_eq!(answer.outcome.as_ref().expect_err("an error").code, INVALID_REQUEST);
}

#[test]
fn our_own_requests_are_of_version_two() {
    let request = Request::new(3, "getblockhash", vec![json!(5)]);
    let written = json!(request);
    assert_eq!(written, json!({ "jsonrpc": "2.0", "id": 3, "method": "getblockhash", "params": [5] }));
    assert_eq!(Request::from_value(written), Ok(request));
}

fn arguments(method: &str, params: Value) -> Result<Arguments, RpcError> {
    let params = serde_json::from_value(params).expect("parameters");
    Arguments::new(Method::find(method).expect("a method"), params)
}

#[test]
fn parameters_by_position_and_by_name() {
    for params in [json!(["ab", 2]), json!({ "verbosity": 2, "blockhash": "ab" })] {
        let arguments = arguments("getblock", params).expect("good parameters");
        assert_eq!(arguments.required::<String>("blockhash"), Ok("ab".to_owned()));
        assert_eq!(arguments.optional::<u8>("verbosity"), Ok(Some(2)));
    }
    for params in [json!(["ab"]), json!(["ab", null]), json!({ "blockhash": "ab" })] {
        let arguments = arguments("getblock", params).expect("good parameters");
        assert_eq!(arguments.optional::<u8>("verbosity"), Ok(None));
    }
}

#[test]
fn wrong_parameters() {
    for params in [json!([]), json!([null]), json!(["a", 1, 2]), json!({}), json!({ "hash": "a" })] {
        let error = arguments("getblock", params).expect_err("wrong parameters");
        assert_eq!(error.code, INVALID_PARAMS);
        assert!(error.message.ends_with("usage: getblock blockhash [verbosity]"), "{error}");
    }
    let arguments = arguments("getblock", json!([5, "x"])).expect("their number is right");
    let error = arguments.required::<String>("blockhash").expect_err("a number");
    assert_eq!(error.code, TYPE_ERROR);
    assert!(arguments.optional::<u8>("verbosity").is_err());
}

#[test]
fn the_table_is_complete_and_sound() {
    let of_the_specification = "getblockchaininfo getbestblockhash getblockcount getblockhash getblock getblockheader \
        getchaintips getdifficulty gettxout gettxoutsetinfo getrawtransaction decoderawtransaction \
        sendrawtransaction testmempoolaccept getmempoolinfo getrawmempool getmempoolentry estimatesmartfee \
        getpeerinfo getconnectioncount addnode disconnectnode setban listbanned getnetworkinfo getmininginfo \
        getnetworkhashps getblocktemplate submitblock generatetoaddress invalidateblock reconsiderblock \
        verifychain validateaddress uptime stop help getaddressutxos getaddresshistory";
    for name in of_the_specification.split_whitespace() {
        assert!(Method::find(name).is_some(), "{name}");
    }
    let names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "a name stands twice");
    for method in METHODS {
        let optional_from = method.params.iter().position(|param| !param.required);
        let required_to = method.params.iter().rposition(|param| param.required);
        assert!(
            optional_from.is_none_or(|first| required_to.is_none_or(|last| last < first)),
            "{}: a required parameter after an optional one",
            method.name
        );
    }
}

#[test]
fn help_lists_areas_and_methods() {
    let text = help(None).expect("the list");
    assert!(text.starts_with("== Blockchain ==\ngetbestblockhash\ngetblock blockhash [verbosity]\n"));
    assert!(text.contains("\n\n== Control ==\nhelp [command]\n"));
    let text = help(Some("getblockhash")).expect("a method");
    assert!(text.starts_with("getblockhash height\n\nThe hash"));
    assert_eq!(help(Some("nope")), None);
}
