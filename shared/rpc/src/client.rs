//! A blocking client. It keeps its connection open between calls, reads the cookie anew when the node has written a
//! new one (each start makes another), and never waits longer than its time limit.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;

use crate::auth;
use crate::error::RpcError;
use crate::jsonrpc::{Request, Response};

mod typed;

/// Most bytes of an answer: a verbose block of 1 MB of small transactions stays below.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// How a call proves that it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The file that the node writes into its data directory.
    CookieFile(PathBuf),
    /// A user that the node was configured with.
    UserPass {
        /// Name.
        user: String,
        /// Password.
        password: String,
    },
    /// Nothing.
    None,
}

/// Time limits of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For making the connection.
    pub connect: Duration,
    /// For a whole call.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(3), call: Duration::from_secs(30) }
    }
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there, or not in time.
    #[error("cannot reach the node at {url}: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The node does not know who calls; or the cookie file cannot be read, which means that the node does not run or
    /// is another user's.
    #[error("the node at {url} does not let us in: {reason}")]
    Unauthorized {
        /// Where.
        url: String,
        /// Which credentials were wrong.
        reason: String,
    },
    /// The node answered with an error.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// What came back is not an answer: probably no node listens there.
    #[error("the answer of {url} to {method} makes no sense: {reason}")]
    BadAnswer {
        /// Where.
        url: String,
        /// The method called.
        method: String,
        /// What was wrong.
        reason: String,
    },
}

impl ClientError {
    /// The error that the node answered with, if it answered.
    pub fn as_rpc(&self) -> Option<&RpcError> {
        match self {
            ClientError::Rpc(error) => Some(error),
            _ => None,
        }
    }

    /// Whether another node may do better: this one could not be asked at all.
    pub fn is_connection_failure(&self) -> bool {
        !matches!(self, ClientError::Rpc(_))
    }
}

/// A client of one node. It may be shared between threads.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    url: String,
    auth: Auth,
    timeouts: Timeouts,
    authorization: Mutex<Option<String>>,
    next_id: AtomicU64,
}

impl Client {
    /// A client with the usual time limits. Nothing is opened before the first call.
    /// `url` is `http://host:port` or `host:port`.
    pub fn new(url: impl Into<String>, auth: Auth) -> Client {
        Client::with_timeouts(url, auth, Timeouts::default())
    }

    /// A client with other time limits.
    pub fn with_timeouts(url: impl Into<String>, auth: Auth, timeouts: Timeouts) -> Client {
        let mut url = url.into();
        if !url.contains("://") {
            url.insert_str(0, "http://");
        }
        let agent = Agent::config_builder()
            // A proxy of the environment would carry the cookie away from this machine.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(timeouts.connect))
            .user_agent(concat!("tally-rpc/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Client { agent, url, auth, timeouts, authorization: Mutex::new(None), next_id: AtomicU64::new(1) }
    }

    /// Where the node is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls a method with parameters by position.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn call<T: DeserializeOwned>(&self, method: &str, params: Vec<Value>) -> Result<T, ClientError> {
        self.call_within(self.timeouts.call, method, params)
    }

    /// Calls a method with a time limit of its own (long polls).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn call_within<T: DeserializeOwned>(
        &self,
        limit: Duration,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = Request::new(id, method, params);
        let body = serde_json::to_vec(&request).map_err(|error| self.bad_answer(method, error))?;
        let answer = self.post(limit, method, &body)?;
        let response: Response = serde_json::from_slice(&answer).map_err(|error| self.bad_answer(method, error))?;
        let result = response.outcome?;
        if response.id.as_u64() != Some(id) {
            return Err(self.bad_answer(method, "it answers another call"));
        }
        serde_json::from_value(result).map_err(|error| self.bad_answer(method, error))
    }

    /// Sends a body and gives the answer's. A cookie that the node does not take any more is read again, once.
    fn post(&self, limit: Duration, method: &str, body: &[u8]) -> Result<Vec<u8>, ClientError> {
        let known = match self.authorization.lock() {
            Ok(guard) => guard.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        };
        if let Some(authorization) = known {
            let (status, answer) = self.post_once(limit, method, body, Some(&authorization))?;
            if status != 401 {
                return Ok(answer);
            }
        }
        let fresh = self.read_authorization()?;
        let (status, answer) = self.post_once(limit, method, body, fresh.as_deref())?;
        if status == 401 || status == 403 {
            let reason = match &self.auth {
                Auth::CookieFile(path) => {
                    format!("the cookie in {} is not this node's", path.display())
                }
                Auth::UserPass { user, .. } => format!("wrong password for user {user:?}"),
                Auth::None => "it wants a cookie or a password".to_owned(),
            };
            return Err(self.unauthorized(reason));
        }
        match self.authorization.lock() {
            Ok(mut guard) => *guard = fresh,
            Err(poisoned) => *poisoned.into_inner() = fresh,
        }
        Ok(answer)
    }

    fn post_once(
        &self,
        limit: Duration,
        method: &str,
        body: &[u8],
        authorization: Option<&str>,
    ) -> Result<(u16, Vec<u8>), ClientError> {
        let mut request = self
            .agent
            .post(&self.url)
            .config()
            .timeout_global(Some(limit))
            .build()
            .header("content-type", "application/json");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let mut response = request.send(body).map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Protocol(_) => self.bad_answer(method, error),
            error => self.unreachable(error),
        })?;
        let status = response.status().as_u16();
        let answer =
            response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().map_err(|error| match error {
                ureq::Error::BodyExceedsLimit(_) => self.bad_answer(method, error),
                error => self.unreachable(error),
            })?;
        Ok((status, answer))
    }

    fn read_authorization(&self) -> Result<Option<String>, ClientError> {
        match &self.auth {
            Auth::None => Ok(None),
            Auth::UserPass { user, password } => Ok(Some(auth::basic(&format!("{user}:{password}")))),
            Auth::CookieFile(path) => match fs::read_to_string(path) {
                Ok(cookie) => Ok(Some(auth::basic(cookie.trim_end()))),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    // The node removes its cookie when it stops: without one it does not run.
                    Err(self.unreachable(format!("there is no cookie {}", path.display())))
                }
                Err(error) => Err(self.unauthorized(format!("cannot read {}: {error}", path.display()))),
            },
        }
    }

    fn unreachable(&self, reason: impl ToString) -> ClientError {
        ClientError::Unreachable { url: self.url.clone(), reason: reason.to_string() }
    }

    fn unauthorized(&self, reason: String) -> ClientError {
        ClientError::Unauthorized { url: self.url.clone(), reason }
    }

    fn bad_answer(&self, method: &str, reason: impl ToString) -> ClientError {
        ClientError::BadAnswer { url: self.url.clone(), method: method.to_owned(), reason: reason.to_string() }
    }
}
