use super::{Call, ExtraNonce, Notify, Refusal, ServerMessage, configured_mask, printable};
use crate::stratum::difficulty::Difficulty;
use serde_json::{Value, json};

fn read(line: &str) -> ServerMessage {
    ServerMessage::read(line.as_bytes()).unwrap()
}

fn call(line: &str) -> Call {
    match read(line) {
        ServerMessage::Call { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

fn wrong(line: &str) -> String {
    ServerMessage::read(line.as_bytes()).unwrap_err().to_string()
}

fn refusal(line: &str) -> Refusal {
    match read(line) {
        ServerMessage::Answer { result: Err(refusal), .. } => refusal,
        other => panic!("{other:?}"),
    }
}

/// The parameters of a job with the wire's byte orders.
fn notify_params() -> Value {
    json!([
        "bf",
        "4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000",
        "01000000",
        "ffff",
        ["11".repeat(32), "22".repeat(32)],
        "20000002",
        "1c2ac4af",
        "504e86b9",
        true
    ])
}

fn notify_line(params: &Value) -> String {
    json!({"id": null, "method": "mining.notify", "params": params}).to_string()
}

#[test]
fn work_is_read_in_the_orders_of_the_wire() {
    let Call::Notify(notify) = call(&notify_line(&notify_params())) else { panic!("work") };
    let Notify { job, prev_block, coinbase_1, coinbase_2, branch, version, bits, time, clean } = notify;
    assert_eq!((job.as_str(), coinbase_1, coinbase_2), ("bf", vec![1, 0, 0, 0], vec![0xff, 0xff]));
    // Each group of four bytes is reversed: the first on the wire is f8b6164d in the header.
    assert!(hex::encode(prev_block).starts_with("f8b6164d19e2f65a"), "{}", hex::encode(prev_block));
    assert_eq!(branch, [[0x11; 32], [0x22; 32]]);
    assert_eq!((version, bits, time, clean), (0x2000_0002, 0x1c2a_c4af, 0x504e_86b9, true));
}

#[test]
fn incomplete_work_is_refused_part_by_part() {
    let parts = ["job", "previous block", "first part", "second part", "branch", "version", "bits", "time"];
    for (index, words) in parts.into_iter().enumerate() {
        for broken in [json!(null), json!(7), json!("xyz"), json!(["zz"]), json!("00ff0")] {
            if index == 0 && broken.is_string() {
                continue;
            }
            let mut params = notify_params();
            params[index] = broken.clone();
            assert!(wrong(&notify_line(&params)).contains(words), "{words} as {broken}");
        }
    }
    let mut long = notify_params();
    long[4] = json!(vec!["11".repeat(32); 33]);
    assert!(wrong(&notify_line(&long)).contains("too long"));
    let mut without_clean = notify_params();
    without_clean.as_array_mut().unwrap().pop();
    let Call::Notify(notify) = call(&notify_line(&without_clean)) else { panic!("work") };
    assert!(!notify.clean);
}

#[test]
fn the_other_notifications_are_read() {
    let difficulty = |value: f64| Difficulty::from_f64(value).unwrap();
    let one = |method: &str, params: Value| call(&json!({"id": null, "method": method, "params": params}).to_string());
    assert_eq!(one("mining.set_difficulty", json!([0.25])), Call::SetDifficulty(difficulty(0.25)));
    let extra = ExtraNonce { prefix: vec![0xab, 0xcd], size: 4 };
    assert_eq!(one("mining.set_extranonce", json!(["abcd", 4])), Call::SetExtraNonce(extra));
    assert_eq!(one("mining.set_version_mask", json!(["00ffe000"])), Call::SetVersionMask(0x00ff_e000));
    assert_eq!(one("client.show_message", json!(["hello"])), Call::ShowMessage("hello".to_owned()));
    assert_eq!(one("client.get_version", json!([])), Call::GetVersion);
    assert_eq!(one("mining.ping", json!([])), Call::Ping);
    assert_eq!(one("mining.dance", json!([])), Call::Unknown);
    let reconnect = |host: Option<&str>, port, wait_seconds| Call::Reconnect {
        host: host.map(ToOwned::to_owned),
        port,
        wait_seconds,
    };
    assert_eq!(one("client.reconnect", json!(["a.example", 3333, 5])), reconnect(Some("a.example"), Some(3333), 5));
    assert_eq!(one("client.reconnect", json!(["", "3333", "5"])), reconnect(None, Some(3333), 5));
    assert_eq!(one("client.reconnect", json!([])), reconnect(None, None, 0));
    assert_eq!(one("client.reconnect", json!([null, 70000])), reconnect(None, None, 0));
}

#[test]
fn notifications_without_sense_are_refused() {
    for (method, params) in [
        ("mining.set_difficulty", json!([0])),
        ("mining.set_difficulty", json!([-1])),
        ("mining.set_difficulty", json!(["x"])),
        ("mining.set_difficulty", json!([])),
        ("mining.set_extranonce", json!(["abc", 4])),
        ("mining.set_extranonce", json!(["ab"])),
        ("mining.set_extranonce", json!(["ab", 65])),
        ("mining.set_extranonce", json!(["ab".repeat(65), 4])),
        ("mining.set_version_mask", json!([5])),
        ("mining.set_version_mask", json!(["+fffe000"])),
    ] {
        let line = json!({"id": null, "method": method, "params": params}).to_string();
        assert!(ServerMessage::read(line.as_bytes()).is_err(), "{line}");
    }
    for line in ["", "{", "7", "null", "[]", "{}", r#"{"id":null,"result":true}"#, r#"{"id":1,"method":5}"#] {
        assert!(ServerMessage::read(line.as_bytes()).is_err(), "{line}");
    }
    assert!(ServerMessage::read(b"\xff\xfe").is_err());
    assert!(ServerMessage::read("[".repeat(100_000).as_bytes()).is_err(), "nothing this deep is read");
}

#[test]
fn requests_of_the_server_have_an_id() {
    let ServerMessage::Call { id, .. } = read(r#"{"id":"a","method":"client.get_version","params":[]}"#) else {
        panic!("a call")
    };
    assert_eq!(id, Some(json!("a")));
}

#[test]
fn answers_are_matched_by_their_id() {
    let answer = |id, result| ServerMessage::Answer { id, result: Ok(result) };
    assert_eq!(read(r#"{"id":4,"result":true,"error":null}"#), answer(4, json!(true)));
    assert_eq!(read(r#"{"id":"4","result":true}"#), answer(4, json!(true)));
    assert_eq!(read(r#"{"id":4,"result":null,"error":false}"#), answer(4, Value::Null));
    assert_eq!(read(r#"{"id":4,"method":null,"result":false,"error":null}"#), answer(4, json!(false)));
}

#[test]
fn errors_come_in_several_forms() {
    let low = Refusal { code: Some(23), text: "low difficulty".to_owned() };
    assert_eq!(refusal(r#"{"id":4,"result":null,"error":[23,"low difficulty",null]}"#), low);
    assert_eq!(refusal(r#"{"id":4,"result":false,"error":{"code":23,"message":"low difficulty"}}"#), low);
    assert_eq!(low.reason(), "low difficulty (23)");
    let text = refusal(r#"{"id":4,"result":null,"error":"no"}"#);
    assert_eq!((text.code, text.reason().as_str()), (None, "no"));
    assert_eq!(refusal(r#"{"id":4,"error":[]}"#).reason(), "the server gives no reason");
    assert_eq!(refusal(r#"{"id":4,"error":[20]}"#).reason(), "(20)");
    assert!(refusal(r#"{"id":4,"error":[24,"who?",null]}"#).has_forgotten_us());
    assert!(!low.has_forgotten_us());
}

#[test]
fn the_mask_counts_only_when_rolling_is_on() {
    assert_eq!(
        configured_mask(&json!({"version-rolling": true, "version-rolling.mask": "1fffe000"})),
        Some(0x1fff_e000)
    );
    for none in [
        json!({"version-rolling": false, "version-rolling.mask": "1fffe000"}),
        json!({"version-rolling": "unknown extension"}),
        json!({"version-rolling": true}),
        json!({"version-rolling": true, "version-rolling.mask": 536_862_720}),
        json!(null),
        json!([true]),
    ] {
        assert_eq!(configured_mask(&none), None, "{none}");
    }
}

#[test]
fn texts_cannot_steer_the_terminal() {
    assert_eq!(printable("\u{1b}[2Jred\nalert\r"), "[2Jred alert");
    assert_eq!(printable(&"x".repeat(1000)).len(), 200);
}
