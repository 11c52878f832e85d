//! From a method's name to its function.

use std::sync::Arc;

use serde_json::Value;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{INVALID_REQUEST, RpcError};
use tally_rpc::jsonrpc::{Params, Request, Response};
use tally_rpc::methods::Method;

use super::{Context, address, chain, coins, control, mempool, mining, network, raw, submit, template};

/// Answers one request; `None` if nobody waits for an answer.
pub(super) async fn answer(context: &Arc<Context>, mut request: Request) -> Option<Response> {
    let params = std::mem::take(&mut request.params);
    let result = call(context, &request.method, params).await;
    if let Err(error) = &result {
        tracing::debug!(method = request.method, %error, "RPC refused");
    }
    request.answer(result)
}

/// Answers the requests of a batch, one after another.
pub(super) async fn answer_batch(context: &Arc<Context>, requests: Vec<Result<Request, Response>>) -> Vec<Response> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        match request {
            Ok(request) => answers.extend(answer(context, request).await),
            Err(refused) => answers.push(refused),
        }
    }
    answers
}

/// Calls a method.
pub(super) async fn call(context: &Arc<Context>, name: &str, params: Params) -> Result<Value, RpcError> {
    let method = Method::find(name).ok_or_else(|| RpcError::method_not_found(name))?;
    let arguments = Arguments::new(method, params)?;
    let c = context.as_ref();
    let a = &arguments;
    match name {
        "getbestblockhash" => chain::getbestblockhash(c).await,
        "getblock" => chain::getblock(c, a).await,
        "getblockchaininfo" => chain::getblockchaininfo(c).await,
        "getblockcount" => chain::getblockcount(c).await,
        "getblockhash" => chain::getblockhash(c, a).await,
        "getblockheader" => chain::getblockheader(c, a).await,
        "getchaintips" => chain::getchaintips(c).await,
        "getdifficulty" => chain::getdifficulty(c).await,
        "invalidateblock" => chain::invalidateblock(c, a).await,
        "reconsiderblock" => chain::reconsiderblock(c, a).await,
        "verifychain" => chain::verifychain(c, a).await,
        "gettxout" => coins::gettxout(c, a).await,
        "gettxoutsetinfo" => coins::gettxoutsetinfo(c).await,
        "estimatesmartfee" => mempool::estimatesmartfee(c, a).await,
        "getmempoolentry" => mempool::getmempoolentry(c, a).await,
        "getmempoolinfo" => mempool::getmempoolinfo(c).await,
        "getrawmempool" => mempool::getrawmempool(c, a).await,
        "testmempoolaccept" => mempool::testmempoolaccept(c, a).await,
        "decoderawtransaction" => raw::decoderawtransaction(c, a),
        "getrawtransaction" => raw::getrawtransaction(c, a).await,
        "sendrawtransaction" => raw::sendrawtransaction(c, a).await,
        "addnode" => network::addnode(c, a).await,
        "disconnectnode" => network::disconnectnode(c, a).await,
        "getconnectioncount" => network::getconnectioncount(c).await,
        "getnetworkinfo" => network::getnetworkinfo(c).await,
        "getpeerinfo" => network::getpeerinfo(c).await,
        "listbanned" => network::listbanned(c).await,
        "setban" => network::setban(c, a).await,
        "generatetoaddress" => mining::generatetoaddress(c, a).await,
        "getblocktemplate" => template::getblocktemplate(c, a).await,
        "getmininginfo" => mining::getmininginfo(c).await,
        "getnetworkhashps" => mining::getnetworkhashps(c, a).await,
        "getstratuminfo" => mining::getstratuminfo(c),
        "submitblock" => submit::submitblock(c, a).await,
        "getaddresshistory" => address::getaddresshistory(c, a).await,
        "getaddressutxos" => address::getaddressutxos(c, a).await,
        "validateaddress" => address::validateaddress(c, a),
        "help" => control::help(a),
        "stop" => control::stop(c),
        "uptime" => control::uptime(c),
        "subscribe" | "unsubscribe" => {
            Err(RpcError::new(INVALID_REQUEST, format!("{name} works over WebSocket alone, and not in a batch")))
        }
        _ => Err(RpcError::method_not_found(name)),
    }
}
