//! `node rpc`: one call to a running node.

use std::time::Duration;

use serde_json::Value;
use tally_rpc::auth::COOKIE_FILE;
use tally_rpc::client::{Auth, Client, ClientError, Timeouts};

use super::print;
use crate::args::RpcArgs;
use crate::config::Location;
use crate::error::{CommandError, exit_code};
use crate::private_file::NodeFile;

/// How long a call may take: a long poll takes a minute.
const CALL_LIMIT: Duration = Duration::from_secs(600);

/// Runs `node rpc`.
///
/// # Errors
/// 5 if no node answers, 4 if it refuses.
pub fn run(args: &RpcArgs) -> Result<(), CommandError> {
    let location = Location::resolve(&args.location)?;
    let file = NodeFile::read(&location.data_dir);
    let url = match (&args.url, &file) {
        (Some(url), _) => url.clone(),
        (None, Some(file)) => file.rpc.to_string(),
        (None, None) => format!("127.0.0.1:{}", location.params.rpc_port),
    };
    let auth = match (&args.user, &args.password) {
        (Some(user), Some(password)) => Auth::UserPass { user: user.clone(), password: password.clone() },
        (None, None) => Auth::CookieFile(location.data_dir.join(COOKIE_FILE)),
        _ => return Err(CommandError::usage("--user and --password go together")),
    };
    let timeouts = Timeouts { call: CALL_LIMIT, ..Timeouts::default() };
    let client = Client::with_timeouts(url, auth, timeouts);
    let params = args.params.iter().map(|text| parameter(text)).collect();
    let answer: Value = client.call(&args.method, params).map_err(|error| failure(&error))?;
    match answer {
        Value::Null => Ok(()),
        // Text for people, as bitcoin-cli prints it.
        Value::String(text) => print(format!("{text}\n").as_bytes()),
        other => super::print_json(&other),
    }
}

/// JSON as it is, and anything else as text. Digits alone that are too long for a number (hashes, hex) are text too.
fn parameter(text: &str) -> Value {
    let short = text.len() <= 20;
    match serde_json::from_str(text) {
        Ok(Value::Number(number)) if short => Value::Number(number),
        Ok(Value::Number(_)) | Err(_) => Value::String(text.to_owned()),
        Ok(other) => other,
    }
}

fn failure(error: &ClientError) -> CommandError {
    match error {
        ClientError::Rpc(refused) => CommandError::new(exit_code::REFUSED, refused),
        ClientError::Unauthorized { .. } => CommandError::new(exit_code::REFUSED, error),
        ClientError::Unreachable { .. } => CommandError::new(exit_code::UNREACHABLE, error)
            .with_hint("is the node running, with this --network and --data-dir?"),
        ClientError::BadAnswer { .. } => CommandError::failure(error),
    }
}

#[cfg(test)]
mod tests;
