//! The requests of a connection, shares excepted.

use serde_json::{Map, Value, json};
use tally_primitives::units::Timestamp;

use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::error::Refusal;
use crate::mining::stratum::job::EXTRANONCE2_SIZE;
use crate::mining::stratum::limits::MAX_AGENT_CHARS;
use crate::mining::stratum::message::{self, Request, hex_word, text};
use crate::mining::stratum::session::Session;
use crate::mining::stratum::user::User;

/// Version bits that any miner may roll (BIP 320).
pub const ROLLABLE_VERSION_BITS: u32 = 0x1fff_e000;

/// Extensions of `mining.configure` that are answered; further ones are ignored.
const MAX_EXTENSIONS: usize = 16;

impl Session {
    pub(super) fn handle_request(&mut self, now: Timestamp, request: &Request) {
        let params = request.params.as_slice();
        let is_yes_or_no = matches!(request.method.as_str(), "mining.submit" | "mining.authorize");
        let result = match request.method.as_str() {
            "mining.subscribe" => Ok(self.subscribe(params)),
            "mining.authorize" => self.authorize(params),
            "mining.configure" => self.configure(params),
            "mining.submit" => self.submit(now, params),
            "mining.suggest_difficulty" => self.suggest_difficulty(now, params),
            // A connection's extranonce1 never changes, so there is nothing that the miner would have to be told.
            "mining.extranonce.subscribe" => Ok(Value::Bool(true)),
            _ => Err(request.unknown()),
        };
        match result {
            Ok(result) => {
                if let Some(id) = &request.id {
                    self.line(message::answer(id, &result));
                }
                self.after_answer(now, &request.method);
            }
            Err(refusal) => self.refuse(now, request.id.as_ref(), is_yes_or_no, &refusal),
        }
    }

    /// What follows an answer: the first job, or one of another difficulty.
    fn after_answer(&mut self, now: Timestamp, method: &str) {
        match method {
            "mining.subscribe" | "mining.authorize" if self.jobs.is_empty() => self.send_job(now, true),
            "mining.suggest_difficulty" if self.has_news() => self.send_job(now, false),
            "mining.submit" => self.after_share(now),
            _ => {}
        }
    }

    /// Answers with the connection's extranonce1. A session to be resumed may be named, and is not needed: every connection
    /// gets an extranonce1 of its own.
    fn subscribe(&mut self, params: &[Value]) -> Value {
        let agent = params.first().and_then(Value::as_str).unwrap_or_default();
        let is_plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
        self.agent = Some(agent.chars().filter(is_plain).take(MAX_AGENT_CHARS).collect());
        let extranonce1 = hex::encode(self.seat.extranonce1);
        let subscriptions = json!([["mining.set_difficulty", extranonce1], ["mining.notify", extranonce1]]);
        json!([subscriptions, extranonce1, EXTRANONCE2_SIZE])
    }

    fn authorize(&mut self, params: &[Value]) -> Result<Value, Refusal> {
        let name = text(params, 0, "the user name")?;
        if let Some(user) = &self.user {
            if user.name == name {
                return Ok(Value::Bool(true));
            }
            let reason = format!("this connection mines for {:?}; open another for another worker", user.name);
            return Err(Refusal::Unauthorized { reason });
        }
        match User::parse(name, &self.settings.params, self.settings.payout) {
            Ok(user) => {
                self.user = Some(user);
                Ok(Value::Bool(true))
            }
            Err(error) => {
                // Miners show this; of a refusal many only show that there was one.
                self.notify("client.show_message", &json!([error.to_string()]));
                Err(Refusal::Unauthorized { reason: error.to_string() })
            }
        }
    }

    fn suggest_difficulty(&mut self, now: Timestamp, params: &[Value]) -> Result<Value, Refusal> {
        let difficulty = params.first().and_then(Value::as_f64).and_then(Difficulty::new);
        let difficulty = difficulty.ok_or_else(|| Refusal::bad("the difficulty is no positive number"))?;
        self.vardiff.suggest(now, difficulty);
        Ok(Value::Bool(true))
    }

    /// BIP 310: which extensions the miner wants, and with which parameters.
    fn configure(&mut self, params: &[Value]) -> Result<Value, Refusal> {
        let extensions = params.first().and_then(Value::as_array);
        let extensions = extensions.ok_or_else(|| Refusal::bad("the extensions are no list"))?;
        let nothing = Map::new();
        let options = params.get(1).and_then(Value::as_object).unwrap_or(&nothing);
        let mut results = Map::new();
        for extension in extensions.iter().take(MAX_EXTENSIONS).filter_map(Value::as_str) {
            match extension {
                "version-rolling" => self.configure_version_rolling(options, &mut results)?,
                "subscribe-extranonce" => {
                    results.insert(extension.to_owned(), Value::Bool(true));
                }
                _ => {
                    results.insert(extension.to_owned(), Value::Bool(false));
                }
            }
        }
        Ok(Value::Object(results))
    }

    /// Gives the bits that are both asked for and free. A miner that wanted more of them sees that in the mask, and may work with
    /// less (BIP 310).
    fn configure_version_rolling(
        &mut self,
        options: &Map<String, Value>,
        results: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let asked = match options.get("version-rolling.mask") {
            None => u32::MAX,
            Some(mask) => hex_word(mask.as_str().unwrap_or_default(), "version-rolling.mask")?,
        };
        let least = options.get("version-rolling.min-bit-count");
        if least.is_some_and(|count| !count.is_u64()) {
            return Err(Refusal::bad("version-rolling.min-bit-count is no number"));
        }
        self.version_mask = asked & ROLLABLE_VERSION_BITS;
        let agreed = self.version_mask != 0;
        results.insert("version-rolling".to_owned(), Value::Bool(agreed));
        if agreed {
            results.insert("version-rolling.mask".to_owned(), json!(format!("{:08x}", self.version_mask)));
        }
        Ok(())
    }
}
