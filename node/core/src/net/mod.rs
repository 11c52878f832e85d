//! The peer protocol, without sockets: messages in, messages out.
//!
//! | file | what |
//! |---|---|
//! | [`limits`] | every limit and time-out, with its reason |
//! | [`peer`] | a connection, and what we know of its other end |
//! | `peers` | all of them, and when something is due at one |
//! | `connection` | connections come and go; each message to whom it concerns |
//! | `handshake` | both sides say who they are |
//! | `headers` | headers first: whose chain has the most work; `headers/low_work`: those with too little |
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
//! | [`finding`] | how a node finds peers: the settings |
//! | [`address_book`] | what is known of other nodes' addresses |
//! | `gossip` | addresses on their way |
//! | `seeds` | where to begin |
//! | `outbound` | whom to call |
//! | [`redial`] | peers that the operator asked for |
//! | `inbound` | whom to let in, and who has to leave |
//! | `upload` | a target for the bytes sent in a day |
//! | `clock_skew` | peers' clocks |
//! | [`bans`] | addresses that we do not want |
//! | [`disconnect`] | why a connection ends |

pub mod address_book;
mod announce;
pub mod bans;
mod blocks;
mod clock_skew;
mod compact;
mod connection;
pub mod disconnect;
mod download;
mod fee_filter;
pub mod finding;
mod gossip;
mod handshake;
mod headers;
mod high_bandwidth;
mod inbound;
pub mod limits;
mod orphans;
mod outbound;
pub mod peer;
mod peers;
mod ping;
mod push;
mod recent;
mod reconstruct;
pub mod redial;
mod relay;
mod requests;
mod seeds;
mod serve;
mod upload;

use std::sync::Arc;

use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::pow::Work;
use tally_primitives::units::Timestamp;

use crate::net::address_book::AddressBook;
use crate::net::address_book::saved::SavedBook;
use crate::net::address_book::secret::Secret;
use crate::net::bans::BanList;
use crate::net::blocks::BlockSources;
use crate::net::clock_skew::ClockSkew;
use crate::net::compact::CompactBlocks;
use crate::net::download::BlockDownload;
use crate::net::gossip::AddressAnswers;
use crate::net::high_bandwidth::HighBandwidth;
use crate::net::inbound::Callers;
use crate::net::outbound::Outbound;
use crate::net::peer::{Direction, Peer, PeerId, Role};
use crate::net::peers::Peers;
use crate::net::push::MadeCompact;
use crate::net::redial::Redial;
use crate::net::relay::TransactionRelay;
use crate::net::seeds::Seeds;
use crate::net::upload::Upload;
use crate::node::NodeConfig;
use crate::random::Random;

/// The peers, and everything that is known because of them.
#[derive(Debug)]
pub(crate) struct Net {
    pub peers: Peers,
    pub download: BlockDownload,
    pub sources: BlockSources,
    pub relay: TransactionRelay,
    pub compact: CompactBlocks,
    pub made_compact: MadeCompact,
    /// The headers that were announced last.
    pub made_headers: Option<Arc<[Header]>>,
    pub high_bandwidth: HighBandwidth,
    /// No peer claims more work than this.
    pub highest_claim: Work,
    pub secret: Secret,
    pub book: AddressBook,
    pub answers: AddressAnswers,
    pub seeds: Seeds,
    pub outbound: Outbound,
    pub callers: Callers,
    pub clock_skew: ClockSkew,
    pub upload: Upload,
    /// The tip whose bringer has been noted.
    pub tip_noted: BlockHash,
    pub bans: BanList,
    pub redial: Redial,
    pub random: Random,
    /// When peers that have called us are told of transactions.
    pub inbound_flush_at: Timestamp,
    /// Since the last call a peer has left: others may have to take over.
    pub peer_left: bool,
}

impl Net {
    pub fn new(config: &NodeConfig, params: &Params, seed: u64, now: Timestamp) -> Net {
        let finding = &config.finding;
        let secret = finding.secret.unwrap_or_else(|| Secret::from_seed(seed));
        let (groups, defences) = (finding.groups, finding.defences);
        let book = match &finding.saved {
            Some(saved) => AddressBook::restore(saved, seed, groups, defences),
            None => AddressBook::new(secret, seed, groups, defences),
        };
        let anchors = finding.saved.as_ref().filter(|_| defences.anchors).map(SavedBook::anchors);
        Net {
            peers: Peers::default(),
            download: BlockDownload::default(),
            sources: BlockSources::default(),
            relay: TransactionRelay::new(),
            compact: CompactBlocks::new(),
            made_compact: MadeCompact::default(),
            made_headers: None,
            high_bandwidth: HighBandwidth::default(),
            highest_claim: Work::ZERO,
            secret: *book.secret(),
            answers: AddressAnswers::default(),
            seeds: Seeds::new(&finding.seeds, &params.seeds, book.len(), now),
            outbound: Outbound::new(anchors.unwrap_or_default(), now),
            callers: Callers::default(),
            clock_skew: ClockSkew::default(),
            upload: Upload::new(now),
            tip_noted: BlockHash::ZERO,
            book,
            bans: BanList::restore(config.bans.clone()),
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

    /// How many peers have this role.
    pub fn with_role(&self, role: Role) -> usize {
        self.peers.values().filter(|peer| peer.role == role).count()
    }

    pub fn inbound(&self) -> usize {
        self.peers.values().filter(|peer| peer.direction == Direction::Inbound).count()
    }
}
