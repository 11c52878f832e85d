//! Methods about the node itself.

use serde_json::Value;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::RpcError;
use tally_rpc::methods;

use super::Context;
use super::answer::json_of;

pub(super) fn help(arguments: &Arguments) -> Result<Value, RpcError> {
    let command: Option<String> = arguments.optional("command")?;
    match methods::help(command.as_deref()) {
        Some(text) => json_of(&text),
        None => Err(RpcError::method_not_found(command.as_deref().unwrap_or_default())),
    }
}

pub(super) fn stop(context: &Context) -> Result<Value, RpcError> {
    context.stop.send_replace(true);
    json_of(&"the node stops")
}

pub(super) fn uptime(context: &Context) -> Result<Value, RpcError> {
    json_of(&context.started.elapsed().as_secs())
}
