//! The table of every method: what `help` prints, and the names of parameters.

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, for requests by name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// Which part of the node a method is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Blocks and the coin set.
    Blockchain,
    /// Waiting transactions.
    Mempool,
    /// Single transactions.
    RawTransactions,
    /// Peers.
    Network,
    /// Mining.
    Mining,
    /// Addresses.
    Address,
    /// The node itself.
    Control,
}

impl Area {
    /// Its heading in `help`.
    pub fn title(self) -> &'static str {
        match self {
            Area::Blockchain => "Blockchain",
            Area::Mempool => "Mempool",
            Area::RawTransactions => "Transactions",
            Area::Network => "Network",
            Area::Mining => "Mining",
            Area::Address => "Addresses",
            Area::Control => "Control",
        }
    }
}

/// One method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Where `help` lists it.
    pub area: Area,
    /// Its parameters in order.
    pub params: &'static [Param],
    /// One line.
    pub summary: &'static str,
}

impl Method {
    /// Finds a method by its name.
    pub fn find(name: &str) -> Option<&'static Method> {
        METHODS.iter().find(|method| method.name == name)
    }

    /// Name and parameters, optional ones in brackets: `getblock blockhash [verbosity]`.
    pub fn usage(&self) -> String {
        let mut text = self.name.to_owned();
        for param in self.params {
            text.push(' ');
            if param.required {
                text.push_str(param.name);
            } else {
                text.push('[');
                text.push_str(param.name);
                text.push(']');
            }
        }
        text
    }
}

/// What `help` answers: every method by area, or one method.
pub fn help(command: Option<&str>) -> Option<String> {
    if let Some(name) = command {
        return Method::find(name).map(|method| format!("{}\n\n{}", method.usage(), method.summary));
    }
    let mut text = String::new();
    let mut area = None;
    for method in METHODS {
        if area != Some(method.area) {
            if area.is_some() {
                text.push('\n');
            }
            text.push_str(&format!("== {} ==\n", method.area.title()));
            area = Some(method.area);
        }
        text.push_str(&method.usage());
        text.push('\n');
    }
    text.push_str("\n`help command` tells more of one.\n");
    Some(text)
}

const fn required(name: &'static str) -> Param {
    Param { name, required: true }
}

const fn optional(name: &'static str) -> Param {
    Param { name, required: false }
}

macro_rules! methods {
    ($($area:ident { $($name:literal [$($param:expr),*] $summary:literal)* })*) => {
        /// Every method, area by area.
        pub const METHODS: &[Method] = &[$($(
            Method { name: $name, area: Area::$area, params: &[$($param),*], summary: $summary },
        )*)*];
    };
}

methods! {
    Blockchain {
        "getbestblockhash" [] "The tip's hash."
        "getblock" [required("blockhash"), optional("verbosity")] "A block: 0 hex, 1 (default) with transaction ids, 2 with transactions."
        "getblockchaininfo" [] "Where the chain stands: height, tip, difficulty, progress."
        "getblockcount" [] "The tip's height."
        "getblockhash" [required("height")] "The hash of the active chain's block at a height."
        "getblockheader" [required("blockhash"), optional("verbose")] "A header: fields (default) or 80 bytes in hex."
        "getchaintips" [] "Every branch that the node knows, with its status."
        "getdifficulty" [] "The network's easiest target divided by the tip's."
        "gettxout" [required("txid"), required("n"), optional("include_mempool")] "An unspent coin, or null."
        "gettxoutsetinfo" [] "Count, sum and hash of all unspent coins."
        "invalidateblock" [required("blockhash")] "Treats a block as invalid, and its descendants with it."
        "reconsiderblock" [required("blockhash")] "Takes back invalidateblock, for the block, its ancestors and descendants."
        "verifychain" [optional("checklevel"), optional("nblocks")] "Checks the last blocks of the store again."
    }
    Mempool {
        "estimatesmartfee" [required("conf_target"), optional("estimate_mode")] "The fee rate that should confirm within so many blocks."
        "getmempoolentry" [required("txid")] "One waiting transaction: fees, size, family."
        "getmempoolinfo" [] "Size of the mempool, its limit and least fee rate."
        "getrawmempool" [optional("verbose")] "Ids of all waiting transactions, or their entries."
        "testmempoolaccept" [required("rawtxs"), optional("maxfeerate")] "Whether the mempool would take transactions; takes none."
    }
    RawTransactions {
        "decoderawtransaction" [required("hexstring")] "The fields of an encoded transaction."
        "getrawtransaction" [required("txid"), optional("verbosity"), optional("blockhash")] "A transaction: 0 (default) hex, 1 fields, 2 with fee and spent coins."
        "sendrawtransaction" [required("hexstring"), optional("maxfeerate")] "Takes a transaction into the mempool and relays it; its id."
    }
    Network {
        "addnode" [required("node"), required("command")] "command: add (keep connected), remove, or onetry; node is ip:port."
        "disconnectnode" [optional("address"), optional("nodeid")] "Ends the connection to ip:port, or to a peer by its id."
        "getconnectioncount" [] "How many peers are connected."
        "getnetworkinfo" [] "Version, connections, relay fees."
        "getpeerinfo" [] "Every peer: address, versions, traffic, what it has."
        "listbanned" [] "Who is banned, and until when."
        "setban" [required("subnet"), required("command"), optional("bantime"), optional("absolute")] "command: add or remove; subnet is ip or ip:port."
    }
    Mining {
        "generatetoaddress" [required("nblocks"), required("address"), optional("maxtries")] "Mines blocks at once (networks whose target never rises)."
        "getblocktemplate" [optional("template_request")] "What to mine (BIP 22, 23); with longpollid it waits for something new."
        "getmininginfo" [] "Difficulty, hash rate, the node's own miner."
        "getnetworkhashps" [optional("nblocks"), optional("height")] "Hashes a second by the last blocks' work and times."
        "getstratuminfo" [] "The Stratum server's miners: shares, hash rates, blocks."
        "submitblock" [required("hexdata"), optional("dummy")] "Takes a block; null, or why not."
    }
    Address {
        "getaddresshistory" [required("query")] "Transactions of addresses: query is {\"addresses\": […]}."
        "getaddressutxos" [required("query")] "Coins of addresses: query is {\"addresses\": […]}."
        "validateaddress" [required("address")] "Whether text is an address of this network."
    }
    Control {
        "help" [optional("command")] "Lists all methods, or tells of one."
        "stop" [] "Stops the node cleanly."
        "subscribe" [required("topics")] "WebSocket only: events of blocks, transactions, peers."
        "unsubscribe" [] "WebSocket only: no more events."
        "uptime" [] "Seconds since the node started."
    }
}
