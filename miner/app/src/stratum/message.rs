//! What is said on the wire: a JSON object a line. Requests and answers have an `id`, notifications have none (or null).
//!
//! There is no standard but BIP 310; what is written here is what servers send and miners take. Where servers differ and the
//! meaning is clear, both are taken: errors as arrays, objects or texts, ports as numbers or texts.

use super::difficulty::Difficulty;
use serde_json::{Value, json};

/// Siblings on the way from the coinbase to the Merkle root: a block has fewer than 2^32 transactions.
const BRANCH_MAX: usize = 32;

/// Bytes of an extra nonce's part.
const EXTRA_NONCE_MAX_BYTES: usize = 64;

/// Characters of a text from the server that people get to see.
const TEXT_MAX_CHARS: usize = 200;

/// Something that a server said.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// A notification or a request.
    Call {
        /// Set when it wants an answer.
        id: Option<Value>,
        /// What it says.
        call: Call,
    },
    /// The answer to our request with this number.
    Answer {
        /// Ours.
        id: u64,
        /// Its result or its error.
        result: Result<Value, Refusal>,
    },
}

/// A server's notification or request.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `mining.notify`: new work.
    Notify(Notify),
    /// `mining.set_difficulty`: how hard shares of later work are.
    SetDifficulty(Difficulty),
    /// `mining.set_extranonce`: what later work's coinbases contain.
    SetExtraNonce(ExtraNonce),
    /// `mining.set_version_mask` (BIP 310): the bits that may be rolled, at once.
    SetVersionMask(u32),
    /// `client.reconnect`.
    Reconnect {
        /// Another host; `None`: the same.
        host: Option<String>,
        /// Another port; `None`: the same.
        port: Option<u16>,
        /// After so many seconds.
        wait_seconds: u64,
    },
    /// `client.show_message`.
    ShowMessage(String),
    /// `client.get_version`: who we are.
    GetVersion,
    /// `mining.ping`, which some servers send to see whether we live.
    Ping,
    /// Anything else.
    Unknown,
}

/// Work: everything of a block that is not the miner's to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The server's name for it.
    pub job: String,
    /// The parent's hash, as in the header.
    pub prev_block: [u8; 32],
    /// The coinbase before the extra nonce.
    pub coinbase_1: Vec<u8>,
    /// The coinbase after the extra nonce.
    pub coinbase_2: Vec<u8>,
    /// The siblings from the coinbase up to the Merkle root.
    pub branch: Vec<[u8; 32]>,
    /// The header's version.
    pub version: u32,
    /// The header's bits.
    pub bits: u32,
    /// The header's time.
    pub time: u32,
    /// Whether earlier work has become worthless.
    pub clean: bool,
}

/// The two parts of the extra nonce: the server's bytes, and how many are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraNonce {
    /// `extranonce1`: makes our work different from that of others.
    pub prefix: Vec<u8>,
    /// Bytes of `extranonce2`, at most 64.
    pub size: usize,
}

/// An error as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// By convention 20 other, 21 unknown or stale job, 22 duplicate, 23 low difficulty, 24 unauthorized, 25 not subscribed.
    pub code: Option<i64>,
    /// Why.
    pub text: String,
}

impl Refusal {
    /// The server no longer knows who we are: 24 and 25.
    #[must_use]
    pub fn has_forgotten_us(&self) -> bool {
        matches!(self.code, Some(24 | 25))
    }

    /// In a line.
    #[must_use]
    pub fn reason(&self) -> String {
        match (self.code, self.text.as_str()) {
            (None, "") => "the server gives no reason".to_owned(),
            (None, text) => text.to_owned(),
            (Some(code), text) => format!("{text} ({code})").trim_start().to_owned(),
        }
    }

    fn read(error: &Value) -> Option<Refusal> {
        let (code, text) = match error {
            Value::Null | Value::Bool(false) => return None,
            Value::Array(parts) => (parts.first().and_then(Value::as_i64), parts.get(1).and_then(Value::as_str)),
            Value::Object(parts) => {
                (parts.get("code").and_then(Value::as_i64), parts.get("message").and_then(Value::as_str))
            }
            Value::String(text) => (None, Some(text.as_str())),
            _ => (None, None),
        };
        Some(Refusal { code, text: printable(text.unwrap_or_default()) })
    }
}

/// A line that is no message; the text says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Malformed {
    what: &'static str,
}

const fn malformed(what: &'static str) -> Malformed {
    Malformed { what }
}

impl ServerMessage {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Malformed`] when it is none of the above, or lacks what its kind needs.
    pub fn read(line: &[u8]) -> Result<ServerMessage, Malformed> {
        let message: Value = serde_json::from_slice(line).map_err(|_| malformed("it is no JSON"))?;
        if let Some(method) = message.get("method").filter(|method| !method.is_null()) {
            let method = method.as_str().ok_or(malformed("its method is no text"))?;
            let id = message.get("id").filter(|id| !id.is_null()).cloned();
            let call = call(method, message.get("params").unwrap_or(&Value::Null))?;
            return Ok(ServerMessage::Call { id, call });
        }
        let id = match message.get("id") {
            Some(Value::Number(id)) => id.as_u64(),
            Some(Value::String(id)) => id.parse().ok(),
            _ => None,
        };
        let id = id.ok_or(malformed("it has neither a method nor the id of a request"))?;
        let result = match message.get("error").and_then(Refusal::read) {
            Some(refusal) => Err(refusal),
            None => Ok(message.get("result").cloned().unwrap_or_default()),
        };
        Ok(ServerMessage::Answer { id, result })
    }
}

fn call(method: &str, params: &Value) -> Result<Call, Malformed> {
    Ok(match method {
        "mining.notify" => Call::Notify(notify(params)?),
        "mining.set_difficulty" => {
            let number = params.get(0).and_then(Value::as_number);
            let difficulty = number.and_then(Difficulty::from_number);
            Call::SetDifficulty(difficulty.ok_or(malformed("mining.set_difficulty: no positive number"))?)
        }
        "mining.set_extranonce" => Call::SetExtraNonce(ExtraNonce::read(params.get(0), params.get(1))?),
        "mining.set_version_mask" => {
            let mask = params.get(0).and_then(word);
            Call::SetVersionMask(mask.ok_or(malformed("mining.set_version_mask: no mask"))?)
        }
        "client.reconnect" => reconnect(params),
        "client.show_message" => {
            Call::ShowMessage(printable(params.get(0).and_then(Value::as_str).unwrap_or_default()))
        }
        "client.get_version" => Call::GetVersion,
        "mining.ping" => Call::Ping,
        _ => Call::Unknown,
    })
}

fn notify(params: &Value) -> Result<Notify, Malformed> {
    let bytes = |index: usize| params.get(index).and_then(hex_bytes);
    let number = |index: usize| params.get(index).and_then(word);
    let branch = params.get(4).and_then(Value::as_array).ok_or(malformed("mining.notify: no Merkle branch"))?;
    if branch.len() > BRANCH_MAX {
        return Err(malformed("mining.notify: the Merkle branch is too long"));
    }
    let branch: Option<Vec<[u8; 32]>> = branch.iter().map(|node| hex_bytes(node)?.try_into().ok()).collect();
    let job = params.get(0).and_then(Value::as_str).ok_or(malformed("mining.notify: no job"))?;
    let prev_block: Option<[u8; 32]> = bytes(1).and_then(|bytes| bytes.try_into().ok());
    let mut prev_block = prev_block.ok_or(malformed("mining.notify: no hash of the previous block"))?;
    // It travels as eight words of the other byte order.
    prev_block.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    Ok(Notify {
        job: job.to_owned(),
        prev_block,
        coinbase_1: bytes(2).ok_or(malformed("mining.notify: no first part of the coinbase"))?,
        coinbase_2: bytes(3).ok_or(malformed("mining.notify: no second part of the coinbase"))?,
        branch: branch.ok_or(malformed("mining.notify: a node of the Merkle branch is no hash"))?,
        version: number(5).ok_or(malformed("mining.notify: no version"))?,
        bits: number(6).ok_or(malformed("mining.notify: no bits"))?,
        time: number(7).ok_or(malformed("mining.notify: no time"))?,
        clean: params.get(8).and_then(Value::as_bool).unwrap_or(false),
    })
}

impl ExtraNonce {
    /// Reads `extranonce1` and the size of `extranonce2`.
    ///
    /// # Errors
    /// When they are missing or too long.
    pub fn read(prefix: Option<&Value>, size: Option<&Value>) -> Result<ExtraNonce, Malformed> {
        let prefix = prefix.and_then(hex_bytes).filter(|prefix| prefix.len() <= EXTRA_NONCE_MAX_BYTES);
        let size = size.and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        Ok(ExtraNonce {
            prefix: prefix.ok_or(malformed("its extranonce1 is no hex of at most 64 bytes"))?,
            size: size
                .filter(|size| *size <= EXTRA_NONCE_MAX_BYTES)
                .ok_or(malformed("its extranonce2 size is no number of at most 64 bytes"))?,
        })
    }
}

fn reconnect(params: &Value) -> Call {
    let number = |index: usize| match params.get(index) {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let host = params.get(0).and_then(Value::as_str).map(printable).filter(|host| !host.is_empty());
    let port = number(1).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
    Call::Reconnect { host, port, wait_seconds: number(2).unwrap_or(0) }
}

/// The mask in the answer to `mining.configure`; `None` when versions are not to be rolled.
#[must_use]
pub fn configured_mask(result: &Value) -> Option<u32> {
    let is_on = result.get("version-rolling").and_then(Value::as_bool) == Some(true);
    result.get("version-rolling.mask").and_then(word).filter(|_| is_on)
}

/// One of our requests, as a line.
#[must_use]
pub fn request(id: u64, method: &str, params: &Value) -> String {
    format!("{}\n", json!({"id": id, "method": method, "params": params}))
}

/// Our answer to a server's request, as a line.
#[must_use]
pub fn answer(id: &Value, result: &Value) -> String {
    format!("{}\n", json!({"id": id, "result": result, "error": null}))
}

/// Our answer to a server's request that we do not know, as a line.
#[must_use]
pub fn unknown_method(id: &Value) -> String {
    format!("{}\n", json!({"id": id, "result": null, "error": [-3, "unknown method", null]}))
}

/// Text from the network for a terminal: one line of bounded length that cannot steer the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .take(TEXT_MAX_CHARS)
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect::<String>()
        .trim()
        .to_owned()
}

fn hex_bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?).ok()
}

/// Eight hex digits, the most significant first.
fn word(value: &Value) -> Option<u32> {
    hex_bytes(value)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests;
