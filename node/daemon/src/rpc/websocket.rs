//! One WebSocket: requests are answered as they come, and events of what was subscribed to are told in between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tally_node_core::event::Event as CoreEvent;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::RpcError;
use tally_rpc::events::{Event, Topic};
use tally_rpc::jsonrpc::{Incoming, Request};
use tally_rpc::methods::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};
use tokio::time::{interval, timeout};

use super::server::App;
use super::{Context, MAX_BATCH, MAX_BODY_BYTES, dispatch};

/// WebSockets at a time, at most.
pub(super) const MAX_WEBSOCKETS: usize = 64;

/// Requests of one connection that are answered at a time (long polls must not block the rest).
const REQUESTS_AT_ONCE: usize = 8;

/// A silent connection is pinged so often, which keeps it open and shows when it is dead.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Who does not read for so long is cut off.
const SEND_LIMIT: Duration = Duration::from_secs(30);

/// Takes the connection over.
pub(super) fn upgrade(app: App, upgrade: WebSocketUpgrade) -> Response {
    let Ok(slot) = Arc::clone(&app.websockets).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many WebSockets\n").into_response();
    };
    let upgrade = upgrade.max_message_size(MAX_BODY_BYTES).max_frame_size(MAX_BODY_BYTES);
    upgrade.on_upgrade(move |socket| async move {
        let events = app.context.node.subscribe();
        let (answers_in, answers) = mpsc::channel(REQUESTS_AT_ONCE);
        let session = Session {
            socket,
            context: app.context,
            topics: BTreeSet::new(),
            answers_in,
            at_once: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
            _slot: slot,
        };
        session.run(events, answers).await;
    })
}

struct Session {
    socket: WebSocket,
    context: Arc<Context>,
    topics: BTreeSet<Topic>,
    answers_in: mpsc::Sender<String>,
    at_once: Arc<Semaphore>,
    _slot: OwnedSemaphorePermit,
}

/// The connection is over.
struct Over;

impl Session {
    async fn run(mut self, mut events: broadcast::Receiver<CoreEvent>, mut answers: mpsc::Receiver<String>) {
        let mut pings = interval(PING_INTERVAL);
        let context = Arc::clone(&self.context);
        let stopping = context.stopping();
        tokio::pin!(stopping);
        loop {
            // While the full number of requests is being answered, no further one is read.
            let readable = self.at_once.available_permits() > 0;
            let step = tokio::select! {
                message = self.socket.recv(), if readable => match message {
                    Some(Ok(message)) => self.take(message).await,
                    Some(Err(_)) | None => Err(Over),
                },
                Some(answer) = answers.recv() => self.send(Message::Text(answer.into())).await,
                event = events.recv() => self.tell(event).await,
                _ = pings.tick() => self.send(Message::Ping(Default::default())).await,
                () = &mut stopping => {
                    let _ = self.send(Message::Close(None)).await;
                    return;
                }
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }

    async fn send_json(&mut self, value: &impl Serialize) -> Result<(), Over> {
        let text = serde_json::to_string(value).map_err(|_| Over)?;
        self.send(Message::Text(text.into())).await
    }

    async fn take(&mut self, message: Message) -> Result<(), Over> {
        let body = match &message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return Err(Over),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match Incoming::parse(body, MAX_BATCH) {
            Err(refused) => self.send_json(&refused).await,
            Ok(Incoming::Single(request)) if is_subscription(&request) => {
                let result = self.subscribe(&request);
                match request.answer(result) {
                    Some(answer) => self.send_json(&answer).await,
                    None => Ok(()),
                }
            }
            Ok(incoming) => {
                self.answer(incoming).await;
                Ok(())
            }
        }
    }

    /// Answers in a task of its own: events go on meanwhile.
    async fn answer(&mut self, incoming: Incoming) {
        let Ok(permit) = Arc::clone(&self.at_once).acquire_owned().await else {
            return;
        };
        let context = Arc::clone(&self.context);
        let answers = self.answers_in.clone();
        tokio::spawn(async move {
            let text = match incoming {
                Incoming::Single(request) => to_text(dispatch::answer(&context, request).await.as_ref()),
                Incoming::Batch(requests) => {
                    let batch = dispatch::answer_batch(&context, requests).await;
                    to_text((!batch.is_empty()).then_some(&batch))
                }
            };
            drop(permit);
            if let Some(text) = text {
                // The connection may be over.
                let _ = answers.send(text).await;
            }
        });
    }

    fn subscribe(&mut self, request: &Request) -> Result<Value, RpcError> {
        let method = Method::find(&request.method).ok_or_else(|| RpcError::method_not_found(&request.method))?;
        let arguments = Arguments::new(method, request.params.clone())?;
        if request.method == "unsubscribe" {
            self.topics.clear();
        } else {
            self.topics = arguments.required::<BTreeSet<Topic>>("topics")?;
        }
        Ok(Value::Bool(true))
    }

    async fn tell(&mut self, event: Result<CoreEvent, broadcast::error::RecvError>) -> Result<(), Over> {
        let event = match event {
            // Most clients want few of them, and a full block comes with thousands.
            Ok(event) if self.topics.contains(&topic_of(&event)) => convert(&event),
            Ok(_) => None,
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Event::Missed { count }),
            Err(broadcast::error::RecvError::Closed) => return Err(Over),
        };
        let wanted = |event: &Event| {
            let topics = &self.topics;
            event.topic().map_or(!topics.is_empty(), |topic| topics.contains(&topic))
        };
        match event.filter(wanted) {
            Some(event) => self.send_json(&event.notification()).await,
            None => Ok(()),
        }
    }
}

fn is_subscription(request: &Request) -> bool {
    matches!(request.method.as_str(), "subscribe" | "unsubscribe")
}

fn to_text(answer: Option<&impl Serialize>) -> Option<String> {
    answer.and_then(|answer| serde_json::to_string(answer).ok())
}

/// What one has to subscribe to for this event: as [`Event::topic`], before it is converted.
pub(super) fn topic_of(event: &CoreEvent) -> Topic {
    match event {
        CoreEvent::HeaderTip { .. }
        | CoreEvent::BlockConnected { .. }
        | CoreEvent::BlockDisconnected { .. }
        | CoreEvent::TipChanged { .. }
        | CoreEvent::BlockRejected { .. } => Topic::Blocks,
        CoreEvent::TransactionAccepted { .. } | CoreEvent::TransactionRemoved { .. } => Topic::Transactions,
        CoreEvent::PeerConnected { .. } | CoreEvent::PeerDisconnected { .. } => Topic::Peers,
    }
}

/// The core's event as the interface names it: the two have one form in JSON, which a test holds them to.
pub(super) fn convert(event: &CoreEvent) -> Option<Event> {
    let value = serde_json::to_value(event).ok()?;
    serde_json::from_value(value).ok()
}
