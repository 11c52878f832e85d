//! One HTTP request: judged by its headers first, read within limits, answered in its own style.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tally_rpc::error::{INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR};
use tally_rpc::jsonrpc::{self, Incoming, Version};
use tokio::time::{sleep, timeout};

use super::server::App;
use super::{MAX_BATCH, MAX_BODY_BYTES, dispatch, websocket};

/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// A wrong password costs so much time, which spoils guessing.
const WRONG_PASSWORD_PAUSE: Duration = Duration::from_millis(250);

/// Answers a POST, or turns a GET into a WebSocket.
pub(super) async fn answer(State(app): State<App>, request: Request) -> Response {
    if let Err(refusal) = app.guard.check(request.headers()) {
        let status = refusal.status();
        if status == StatusCode::UNAUTHORIZED {
            if request.headers().contains_key(header::AUTHORIZATION) {
                sleep(WRONG_PASSWORD_PAUSE).await;
            }
            let realm = HeaderValue::from_static("Basic realm=\"jsonrpc\"");
            return (status, [(header::WWW_AUTHENTICATE, realm)], "wrong or missing cookie or password\n")
                .into_response();
        }
        return (status, "requests of web pages, or by a foreign Host, are refused\n").into_response();
    }
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::GET {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &app).await {
            Ok(upgrade) => websocket::upgrade(app, upgrade),
            Err(rejection) => rejection.into_response(),
        };
    }
    if parts.method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "JSON-RPC is asked by POST\n").into_response();
    }
    match read(body).await {
        Ok(body) => answer_body(&app, &body).await,
        Err(response) => response,
    }
}

#[allow(clippy::result_large_err)] // The error is the answer.
async fn read(body: Body) -> Result<Bytes, Response> {
    match timeout(BODY_LIMIT, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((StatusCode::PAYLOAD_TOO_LARGE, format!("at most {MAX_BODY_BYTES} bytes\n")).into_response()),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n").into_response()),
    }
}

async fn answer_body(app: &App, body: &[u8]) -> Response {
    match Incoming::parse(body, MAX_BATCH) {
        Err(refused) => json(status_of(&refused), &refused),
        Ok(Incoming::Single(request)) => match dispatch::answer(&app.context, request).await {
            Some(answer) => json(status_of(&answer), &answer),
            None => StatusCode::NO_CONTENT.into_response(),
        },
        Ok(Incoming::Batch(requests)) => {
            let answers = dispatch::answer_batch(&app.context, requests).await;
            if answers.is_empty() { StatusCode::NO_CONTENT.into_response() } else { json(StatusCode::OK, &answers) }
        }
    }
}

/// Version 2.0 says everything in the body; before it, errors also had a status, as in Bitcoin Core.
fn status_of(answer: &jsonrpc::Response) -> StatusCode {
    let code = answer.outcome.as_ref().err().map(|error| error.code);
    match (answer.version, code) {
        (Version::Two, Some(PARSE_ERROR)) => StatusCode::BAD_REQUEST,
        (Version::Two, _) | (Version::One, None) => StatusCode::OK,
        (Version::One, Some(METHOD_NOT_FOUND)) => StatusCode::NOT_FOUND,
        (Version::One, Some(INVALID_REQUEST)) => StatusCode::BAD_REQUEST,
        (Version::One, Some(_)) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(mut body) => {
            body.push(b'\n');
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
