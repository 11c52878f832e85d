//! The peer protocol against scripted peers: every message that a peer could send is put into a real node by hand, and what the node
//! sends is looked at.

mod bench;
mod compact;
mod connections;
mod fees;
mod finding;
mod gossip;
mod handshake;
mod inbound;
mod low_work;
mod misbehaviour;
mod push;
mod serving;
mod sync;
mod transactions;
