//! The methods that our own programs call, with their types.

use std::time::Duration;

use serde_json::{Value, json};
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::units::Height;

use super::{Client, ClientError};
use crate::address::{AddressHistory, AddressQuery, AddressUtxos};
use crate::chain::{BlockInfo, BlockchainInfo, TxOutSetInfo};
use crate::mempool::{FeeEstimate, MempoolInfo};
use crate::mining::{BlockTemplate, MiningInfo, TemplateRequest};
use crate::network::{NetworkInfo, PeerInfo};
use crate::transaction::{AcceptVerdict, TransactionInfo};

/// How long a long poll may wait; the node answers after 60 s at the latest.
const LONG_POLL: Duration = Duration::from_secs(75);

// Every method here fails as `Client::call` does: see `ClientError`.
#[allow(clippy::missing_errors_doc)]
impl Client {
    /// `getblockchaininfo`.
    pub fn blockchain_info(&self) -> Result<BlockchainInfo, ClientError> {
        self.call("getblockchaininfo", vec![])
    }

    /// `getblockcount`.
    pub fn block_count(&self) -> Result<Height, ClientError> {
        self.call("getblockcount", vec![])
    }

    /// `getbestblockhash`.
    pub fn best_block_hash(&self) -> Result<BlockHash, ClientError> {
        self.call("getbestblockhash", vec![])
    }

    /// `getblockhash`.
    pub fn block_hash(&self, height: Height) -> Result<BlockHash, ClientError> {
        self.call("getblockhash", vec![json!(height)])
    }

    /// `getblock` with verbosity 1.
    pub fn block(&self, hash: &BlockHash) -> Result<BlockInfo, ClientError> {
        self.call("getblock", vec![json!(hash), json!(1)])
    }

    /// `gettxoutsetinfo`.
    pub fn tx_out_set_info(&self) -> Result<TxOutSetInfo, ClientError> {
        self.call("gettxoutsetinfo", vec![])
    }

    /// `getmempoolinfo`.
    pub fn mempool_info(&self) -> Result<MempoolInfo, ClientError> {
        self.call("getmempoolinfo", vec![])
    }

    /// `getrawmempool`, ids only.
    pub fn mempool_ids(&self) -> Result<Vec<Txid>, ClientError> {
        self.call("getrawmempool", vec![json!(false)])
    }

    /// `estimatesmartfee`.
    pub fn estimate_fee(&self, blocks: u32) -> Result<FeeEstimate, ClientError> {
        self.call("estimatesmartfee", vec![json!(blocks)])
    }

    /// `getrawtransaction` with verbosity 1.
    pub fn transaction(&self, txid: &Txid) -> Result<TransactionInfo, ClientError> {
        self.call("getrawtransaction", vec![json!(txid), json!(1)])
    }

    /// `sendrawtransaction`; `hex` is the encoded transaction.
    pub fn send_raw_transaction(&self, hex: &str) -> Result<Txid, ClientError> {
        self.call("sendrawtransaction", vec![json!(hex)])
    }

    /// `testmempoolaccept`; each text is an encoded transaction in hex.
    pub fn test_mempool_accept(&self, hex: &[String]) -> Result<Vec<AcceptVerdict>, ClientError> {
        self.call("testmempoolaccept", vec![json!(hex)])
    }

    /// `getaddressutxos`.
    pub fn address_utxos(&self, addresses: &[Address]) -> Result<AddressUtxos, ClientError> {
        self.call("getaddressutxos", vec![address_query(addresses)])
    }

    /// `getaddresshistory`.
    pub fn address_history(&self, addresses: &[Address]) -> Result<AddressHistory, ClientError> {
        self.call("getaddresshistory", vec![address_query(addresses)])
    }

    /// `getpeerinfo`.
    pub fn peer_info(&self) -> Result<Vec<PeerInfo>, ClientError> {
        self.call("getpeerinfo", vec![])
    }

    /// `getconnectioncount`.
    pub fn connection_count(&self) -> Result<u32, ClientError> {
        self.call("getconnectioncount", vec![])
    }

    /// `getnetworkinfo`.
    pub fn network_info(&self) -> Result<NetworkInfo, ClientError> {
        self.call("getnetworkinfo", vec![])
    }

    /// `addnode`; `command` is `add`, `remove` or `onetry`.
    pub fn add_node(&self, node: &str, command: &str) -> Result<(), ClientError> {
        self.call("addnode", vec![json!(node), json!(command)])
    }

    /// `disconnectnode` by address.
    pub fn disconnect_node(&self, address: &str) -> Result<(), ClientError> {
        self.call("disconnectnode", vec![json!(address)])
    }

    /// `setban add`, for some seconds.
    pub fn ban(&self, subnet: &str, seconds: u32) -> Result<(), ClientError> {
        let params = vec![json!(subnet), json!("add"), json!(seconds)];
        self.call("setban", params)
    }

    /// `setban remove`.
    pub fn unban(&self, subnet: &str) -> Result<(), ClientError> {
        self.call("setban", vec![json!(subnet), json!("remove")])
    }

    /// `getmininginfo`.
    pub fn mining_info(&self) -> Result<MiningInfo, ClientError> {
        self.call("getmininginfo", vec![])
    }

    /// `getblocktemplate`. With the last one's `longpollid` it waits up to a minute for something new.
    pub fn block_template(&self, longpollid: Option<&str>) -> Result<BlockTemplate, ClientError> {
        let request = TemplateRequest { longpollid: longpollid.map(str::to_owned), ..TemplateRequest::default() };
        let limit = match longpollid {
            Some(_) => LONG_POLL,
            None => self.timeouts.call,
        };
        self.call_within(limit, "getblocktemplate", vec![json!(request)])
    }

    /// `submitblock`: `None` if the block was taken, else why not.
    pub fn submit_block(&self, hex: &str) -> Result<Option<String>, ClientError> {
        self.call("submitblock", vec![json!(hex)])
    }

    /// `generatetoaddress`.
    pub fn generate(&self, blocks: u32, to: &Address) -> Result<Vec<BlockHash>, ClientError> {
        let params = vec![json!(blocks), json!(to.to_string())];
        self.call("generatetoaddress", params)
    }

    /// `uptime`, in seconds.
    pub fn uptime(&self) -> Result<u64, ClientError> {
        self.call("uptime", vec![])
    }

    /// `stop`: the text that the node says goodbye with.
    pub fn stop(&self) -> Result<String, ClientError> {
        self.call("stop", vec![])
    }
}

fn address_query(addresses: &[Address]) -> Value {
    json!(AddressQuery { addresses: addresses.iter().map(Address::to_string).collect() })
}
