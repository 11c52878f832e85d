//! The peer protocol, without sockets: messages in, messages out.
//!
//! | file | what |
//! |---|---|
//! | [`limits`] | every limit and time-out, with its reason |
//! | [`peer`] | a connection, and what we know of its other end |
//! | `connection` | connections come and go; each message to whom it concerns |
//! | `handshake` | both sides say who they are |
//! | `headers` | headers first: whose chain has the most work |
//! | `download` | block bodies from several peers, stalls |
//! | `blocks` | a block arrives; what follows from a moved tip |
//! | `announce` | telling peers what is new |
//! | `relay` | transactions from peers |
//! | `requests` | which announced transactions to ask whom for |
//! | `orphans` | transactions whose parents have not come |
//! | `compact` | compact blocks from peers: put together, asked for, given up |
//! | `reconstruct` | from short ids and transactions at hand to the block |
//! | `push` | compact blocks to peers, and the transactions that they miss |
//! | `high_bandwidth` | which peers push blocks to us |
//! | `fee_filter` | which transactions the other would refuse anyway |
//! | `serve` | answering requests no faster than the peer reads |
//! | `ping` | is it there, and how far away |
//! | [`addresses`] | where other nodes listen |
//! | [`redial`] | peers that the operator asked for |
//! | [`bans`] | addresses that we do not want |
//! | [`disconnect`] | why a connection ends |

pub mod addresses;
mod announce;
pub mod bans;
mod blocks;
mod compact;
mod connection;
pub mod disconnect;
mod download;
mod fee_filter;
mod handshake;
mod headers;
mod high_bandwidth;
pub mod limits;
mod orphans;
pub mod peer;
mod ping;
mod push;
mod recent;
mod reconstruct;
pub mod redial;
mod relay;
mod requests;
mod serve;

use std::collections::BTreeMap;

use tally_primitives::units::Timestamp;

use crate::net::addresses::AddressBook;
use crate::net::bans::{Ban, BanList};
use crate::net::blocks::BlockSources;
use crate::net::compact::CompactBlocks;
use crate::net::download::BlockDownload;
use crate::net::high_bandwidth::HighBandwidth;
use crate::net::peer::{Direction, Peer, PeerId};
use crate::net::push::MadeCompact;
use crate::net::redial::Redial;
use crate::net::relay::TransactionRelay;
use crate::random::Random;

/// The peers, and everything that is known because of them.
#[derive(Debug)]
pub(crate) struct Net {
    pub peers: BTreeMap<PeerId, Peer>,
    pub download: BlockDownload,
    pub sources: BlockSources,
    pub relay: TransactionRelay,
    pub compact: CompactBlocks,
    pub made_compact: MadeCompact,
    pub high_bandwidth: HighBandwidth,
    pub book: AddressBook,
    pub bans: BanList,
    pub redial: Redial,
    pub random: Random,
    /// When peers that have called us are told of transactions.
    pub inbound_flush_at: Timestamp,
    /// Since the last call a peer has left: others may have to take over.
    pub peer_left: bool,
}

impl Net {
    pub fn new(seed: u64, bans: Vec<Ban>) -> Net {
        Net {
            peers: BTreeMap::new(),
            download: BlockDownload::default(),
            sources: BlockSources::default(),
            relay: TransactionRelay::new(),
            compact: CompactBlocks::new(),
            made_compact: MadeCompact::default(),
            high_bandwidth: HighBandwidth::default(),
            book: AddressBook::default(),
            bans: BanList::restore(bans),
            redial: Redial::default(),
            random: Random::new(seed),
            inbound_flush_at: Timestamp::from_millis(0),
            peer_left: false,
        }
    }

    /// The peers whose handshake is done.
    pub fn ready_peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values().filter(|peer| peer.is_ready())
    }

    /// A peer whose handshake is done.
    pub fn ready_peer_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(&id).filter(|peer| peer.is_ready())
    }

    pub fn inbound(&self) -> usize {
        self.peers.values().filter(|peer| peer.direction == Direction::Inbound).count()
    }
}
