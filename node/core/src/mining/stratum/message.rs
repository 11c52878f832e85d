//! Lines as requests, and answers as lines.

use serde_json::{Value, json};

use crate::mining::stratum::error::Refusal;

/// Characters of a request's id, if it is text. It is sent back, so it is kept short.
const MAX_ID_CHARS: usize = 64;

/// Characters of an unknown method's name that are sent back.
const MAX_METHOD_CHARS: usize = 32;

/// A line that asks for something.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// To be sent back; `None`: no answer is wanted.
    pub id: Option<Value>,
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Vec<Value>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Something is asked for.
    Request(Request),
    /// An answer to something that we sent: none is waited for.
    Answer,
}

impl Incoming {
    /// Reads a line.
    ///
    /// # Errors
    /// The id to answer to, and why it is no request.
    pub fn parse(line: &[u8]) -> Result<Incoming, (Option<Value>, Refusal)> {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            return Err((Some(Value::Null), Refusal::NotJson));
        };
        let refuse = |id, reason| Err((id, Refusal::NoRequest { reason }));
        let Value::Object(mut fields) = value else {
            return refuse(Some(Value::Null), "it is no object");
        };
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(id @ Value::Number(_)) => Some(id),
            Some(Value::String(id)) if id.len() <= MAX_ID_CHARS => Some(Value::String(id)),
            Some(_) => return refuse(Some(Value::Null), "its id is neither a number nor a short text"),
        };
        let method = match fields.remove("method") {
            Some(Value::String(method)) => method,
            Some(_) => return refuse(id, "its method is no text"),
            None if fields.contains_key("result") => return Ok(Incoming::Answer),
            None => return refuse(id, "it has no method"),
        };
        let params = match fields.remove("params") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(params)) => params,
            Some(_) => return refuse(id, "its params are no list"),
        };
        Ok(Incoming::Request(Request { id, method, params }))
    }
}

impl Request {
    /// That there is no such method.
    pub fn unknown(&self) -> Refusal {
        Refusal::UnknownMethod { method: self.method.chars().take(MAX_METHOD_CHARS).collect() }
    }
}

/// An answer.
pub fn answer(id: &Value, result: &Value) -> String {
    json!({ "id": id, "result": result, "error": null }).to_string()
}

/// A refusal. Where the answer would be true, miners look for a `false` beside the error.
pub fn refusal(id: &Value, is_yes_or_no: bool, refusal: &Refusal) -> String {
    let result = if is_yes_or_no { Value::Bool(false) } else { Value::Null };
    json!({ "id": id, "result": result, "error": refusal.to_json() }).to_string()
}

/// Something that the server says of its own accord.
pub fn notification(method: &str, params: &Value) -> String {
    json!({ "id": null, "method": method, "params": params }).to_string()
}

/// A parameter that is text.
///
/// # Errors
/// If it is missing or something else.
pub fn text<'a>(params: &'a [Value], index: usize, name: &str) -> Result<&'a str, Refusal> {
    let value = params.get(index).ok_or_else(|| Refusal::bad(format!("{name} is missing")))?;
    value.as_str().ok_or_else(|| Refusal::bad(format!("{name} is no text")))
}

/// Hex of exactly `N` bytes.
///
/// # Errors
/// If it is anything else.
pub fn hex_bytes<const N: usize>(text: &str, name: &str) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| Refusal::bad(format!("{name} is not {} hex digits", 2 * N)))?;
    Ok(bytes)
}

/// A big-endian number of four bytes in hex, as Stratum writes version, time and nonce.
///
/// # Errors
/// If it is anything else.
pub fn hex_word(text: &str, name: &str) -> Result<u32, Refusal> {
    hex_bytes(text, name).map(u32::from_be_bytes)
}
