//! Requests, responses and batches. Version 2.0 is spoken by default; a request without `"jsonrpc": "2.0"` (version
//! 1.0 or 1.1, as miners and old scripts send) is answered in its own style, where `result` and `error` both stand.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{INVALID_REQUEST, PARSE_ERROR, RpcError};

/// Which style a request was written in, and so its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 1.0 or 1.1: the answer holds `result` and `error`, one of them null.
    One,
    /// 2.0: the answer holds `jsonrpc` and either `result` or `error`.
    #[default]
    Two,
}

/// Parameters as they were sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Params {
    /// `[…]`
    Positional(Vec<Value>),
    /// `{…}`
    Named(Map<String, Value>),
}

impl Default for Params {
    fn default() -> Params {
        Params::Positional(Vec::new())
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How to answer.
    pub version: Version,
    /// `None` is a notification of version 2.0: nobody waits for an answer.
    pub id: Option<Value>,
    /// The method's name.
    pub method: String,
    /// Its parameters.
    pub params: Params,
}

#[derive(Deserialize)]
struct RawRequest {
    #[serde(default)]
    jsonrpc: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: String,
    #[serde(default)]
    params: Option<Params>,
}

/// Tells an `id` of null from no `id` at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Request {
    /// A request of version 2.0 with parameters by position.
    pub fn new(id: u64, method: impl Into<String>, params: Vec<Value>) -> Request {
        Request {
            version: Version::Two,
            id: Some(Value::from(id)),
            method: method.into(),
            params: Params::Positional(params),
        }
    }

    /// Reads one request out of parsed JSON. The error is the answer to give.
    // The error is an answer, built at most once a request: its size costs nothing.
    #[allow(clippy::result_large_err)]
    pub fn from_value(value: Value) -> Result<Request, Response> {
        let id = value.get("id").cloned().unwrap_or(Value::Null);
        let raw: RawRequest = serde_json::from_value(value).map_err(|error| {
            let error = RpcError::new(INVALID_REQUEST, format!("not a request: {error}"));
            Response::failure(Version::Two, id, error)
        })?;
        let version = match raw.jsonrpc.as_ref().and_then(Value::as_str) {
            Some("2.0") => Version::Two,
            _ => Version::One,
        };
        // Only version 2.0 knows notifications: an older request is answered with a null id.
        let id = match version {
            Version::Two => raw.id,
            Version::One => Some(raw.id.unwrap_or(Value::Null)),
        };
        Ok(Request { version, id, method: raw.method, params: raw.params.unwrap_or_default() })
    }

    /// The answer to this request; `None` if it is a notification.
    pub fn answer(&self, result: Result<Value, RpcError>) -> Option<Response> {
        let id = self.id.clone()?;
        Some(match result {
            Ok(value) => Response::success(self.version, id, value),
            Err(error) => Response::failure(self.version, id, error),
        })
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.version == Version::Two {
            map.serialize_entry("jsonrpc", "2.0")?;
        }
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("params", &self.params)?;
        map.end()
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The style of the request.
    pub version: Version,
    /// The request's id; null if it could not be read.
    pub id: Value,
    /// The result, or why there is none.
    pub outcome: Result<Value, RpcError>,
}

impl Response {
    /// An answer with a result.
    pub fn success(version: Version, id: Value, result: Value) -> Response {
        Response { version, id, outcome: Ok(result) }
    }

    /// An answer with an error.
    pub fn failure(version: Version, id: Value, error: RpcError) -> Response {
        Response { version, id, outcome: Err(error) }
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (result, error) = match &self.outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        if self.version == Version::One {
            map.serialize_entry("result", &result)?;
            map.serialize_entry("error", &error)?;
        } else {
            map.serialize_entry("jsonrpc", "2.0")?;
            if let Some(value) = result {
                map.serialize_entry("result", value)?;
            }
            if let Some(error) = error {
                map.serialize_entry("error", error)?;
            }
        }
        map.serialize_entry("id", &self.id)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Response, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            jsonrpc: Option<String>,
            #[serde(default)]
            result: Value,
            error: Option<RpcError>,
            #[serde(default)]
            id: Value,
        }
        let raw = Raw::deserialize(deserializer)?;
        Ok(Response {
            version: match raw.jsonrpc {
                Some(_) => Version::Two,
                None => Version::One,
            },
            id: raw.id,
            outcome: match raw.error {
                Some(error) => Err(error),
                None => Ok(raw.result),
            },
        })
    }
}

/// What a body holds.
#[derive(Debug, PartialEq)]
pub enum Incoming {
    /// One request.
    Single(Request),
    /// Several, each a request or the answer that says why it is none.
    Batch(Vec<Result<Request, Response>>),
}

impl Incoming {
    /// Reads a body: one request or a batch of at most `max_batch`. The error is the whole answer to give.
    #[allow(clippy::result_large_err)]
    pub fn parse(body: &[u8], max_batch: usize) -> Result<Incoming, Response> {
        let refuse = |code, message: String| Response::failure(Version::Two, Value::Null, RpcError::new(code, message));
        let value: Value =
            serde_json::from_slice(body).map_err(|error| refuse(PARSE_ERROR, format!("not JSON: {error}")))?;
        let Value::Array(items) = value else {
            return Request::from_value(value).map(Incoming::Single);
        };
        if items.is_empty() || items.len() > max_batch {
            let message = format!("a batch holds 1 to {max_batch} requests, this one {}", items.len());
            return Err(refuse(INVALID_REQUEST, message));
        }
        Ok(Incoming::Batch(items.into_iter().map(Request::from_value).collect()))
    }
}
