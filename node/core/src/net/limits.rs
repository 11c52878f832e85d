//! Every limit and time-out of the peer protocol, with its reason. Times are in milliseconds.

/// The protocol version that we speak.
pub const PROTOCOL_VERSION: u32 = 1;

/// The oldest protocol version that we talk to.
pub const MIN_PROTOCOL_VERSION: u32 = 1;

/// Connections that others open to us. A laptop's file descriptors and memory stand far more than this; what suffers first is the
/// uplink.
pub const MAX_INBOUND_PEERS: usize = 117;

/// From connection to `VersionAck`: a peer that needs longer is not worth its slot.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 5_000;

/// How often we ask a peer whether it is there.
pub const PING_INTERVAL_MS: u64 = 60_000;

/// How long a peer may take to say so.
pub const PONG_TIMEOUT_MS: u64 = 20_000;

/// How long a peer may take to answer `GetHeaders`: 160 KB on the slowest line that can follow the chain at all.
pub const HEADERS_TIMEOUT_MS: u64 = 30_000;

/// Peers that we ask for headers at the same time while we are behind: two, so that one silent peer costs no time, and not all, since
/// each would send the same.
pub const MAX_HEADER_SYNC_PEERS: usize = 2;

/// New blocks announced by their headers in one message; a longer reorganisation is announced by its tip, and whoever
/// wants it asks.
pub const MAX_ANNOUNCED_HEADERS: usize = 8;

/// Blocks asked of one peer at a time: enough to fill a line while answers travel, few enough to ask elsewhere soon.
pub const MAX_BLOCKS_IN_FLIGHT: usize = 16;

/// How far ahead of the first missing block we download: what arrives early waits on disk.
pub const DOWNLOAD_WINDOW_BLOCKS: u32 = 1_024;

/// How long a peer may deliver no block that we asked for, at first. The time doubles whenever it turns out too short…
pub const MIN_STALL_TIMEOUT_MS: u64 = 2_000;

/// … up to this, and shrinks again with every block that arrives.
pub const MAX_STALL_TIMEOUT_MS: u64 = 64_000;

/// Blocks that another peer had to deliver instead, without one of its own in between, before a staller is dropped.
pub const MAX_STALLS: u32 = 3;

/// Requests of one peer that wait until it has read what we sent before. An honest peer has at most 16 blocks and 100 transactions in
/// flight.
pub const MAX_SERVE_QUEUE: usize = 2_000;

/// We answer `GetData` only while fewer bytes than this wait to be sent to the peer: two blocks, so that the line never
/// runs dry.
pub const SERVE_QUEUE_BYTES: usize = 2_000_000;

/// A peer that lets this much pile up does not read: more than all we send unasked and one answer of each kind.
pub const MAX_SEND_QUEUE_BYTES: usize = 8_000_000;

/// Peers that we ask to push new blocks to us (BIP 152): enough that one of them is early, few enough that it costs little.
pub const MAX_HIGH_BANDWIDTH_PEERS: usize = 3;

/// A compact block further above our tip than this is only a header to us: its transactions are not in our mempool.
pub const MAX_COMPACT_AHEAD_BLOCKS: u32 = 2;

/// Blocks further below the tip than this are sent whole to who asks for their compact form.
pub const MAX_COMPACT_DEPTH: u32 = 5;

/// Blocks further below the tip than this are sent whole to who asks for some of their transactions.
pub const MAX_TRANSACTIONS_DEPTH: u32 = 10;

/// How long a peer may take to send the transactions that are missing in a compact block; then others are asked.
pub const COMPACT_TIMEOUT_MS: u64 = 5_000;

/// Who pushed the same block is asked as well if the one asked first takes longer than this: it cannot hold up a block for five seconds.
pub const COMPACT_HEDGE_MS: u64 = 500;

/// Peers whose copies of one block are put together at a time.
pub const MAX_RECONSTRUCTIONS_PER_BLOCK: usize = 3;

/// Compact blocks that are put together at a time, of all peers: some 100 KB each.
pub const MAX_RECONSTRUCTIONS: usize = 24;

/// Compact blocks that we remember to have tried, and those that failed.
pub const COMPACT_BLOCKS_REMEMBERED: usize = 1_000;

/// Requests for transactions of blocks that one peer may have waiting: one for each block that it puts together.
pub const MAX_TRANSACTIONS_REQUESTS: usize = 16;

/// A block with more transactions than this is passed on first and connected then. Below that, connecting takes no
/// longer than passing on.
pub const RELAY_FIRST_TRANSACTIONS: usize = 16;

/// Signatures verified between two looks at what else has come: some two milliseconds.
pub const VERIFY_AHEAD_INPUTS: usize = 64;

/// Refused blocks whose reason we remember, for whoever submitted them.
pub const REFUSALS_REMEMBERED: usize = 100;

/// Mean time between two looks whether our minimum fee rate is worth telling.
pub const FEE_FILTER_MEAN_MS: u64 = 10 * 60_000;

/// How soon, at the latest, a change by a third is told.
pub const FEE_FILTER_HURRY_MS: u64 = 5 * 60_000;

/// Transactions a peer has announced and we have not asked for yet. Beyond that its announcements are forgotten.
pub const MAX_ANNOUNCED_TRANSACTIONS: usize = 5_000;

/// Transactions asked of one peer at a time.
pub const MAX_TRANSACTIONS_IN_FLIGHT: usize = 100;

/// How long a peer may take to send a transaction before another announcer is asked.
pub const TRANSACTION_TIMEOUT_MS: u64 = 20_000;

/// Transactions that wait to be announced to one peer.
pub const MAX_ANNOUNCEMENT_QUEUE: usize = 5_000;

/// Transaction ids in one `Inventory` that we send.
pub const MAX_INVENTORY_SENT: usize = 1_000;

/// Mean delay before a transaction is announced to a peer. It gathers several into a message and blurs where a payment
/// came from; a second in all must do for a payment to reach every mempool. For networks whose blocks come often.
pub const DEFAULT_TRICKLE_MEAN_MS: u64 = 50;

/// The same where a payment waits a minute for its block anyway, and where it came from is worth hiding: to peers that we have called …
pub const PRIVATE_TRICKLE_MEAN_MS: u64 = 2_000;

/// … and to those that have called us, among which an observer is more likely to be.
pub const PRIVATE_TRICKLE_INBOUND_MEAN_MS: u64 = 5_000;

/// No such delay is longer than this many means (one in fifty would be): so a payment crosses five nodes within a second.
pub const MAX_TRICKLE_MEANS: u64 = 4;

/// Transactions that we remember a peer to have: some minutes of a full network.
pub const KNOWN_TRANSACTIONS: usize = 10_000;

/// Transactions that we remember to have refused, until the next block changes what is acceptable.
pub const REJECTED_TRANSACTIONS: usize = 20_000;

/// Transactions that we remember to have been confirmed: those of several full blocks, since announcements of them go on
/// for a while.
pub const CONFIRMED_TRANSACTIONS: usize = 20_000;

/// Orphans that one peer may have us keep …
pub const MAX_ORPHANS_PER_PEER: usize = 100;

/// … and their bytes: with all slots taken less than 50 MB.
pub const MAX_ORPHAN_BYTES_PER_PEER: usize = 400_000;

/// How long an orphan waits for its parents.
pub const ORPHAN_EXPIRY_MS: u64 = 5 * 60_000;

/// Orphans looked at again in one go, so that a thousand that wait for the same parent do not hold up a block.
pub const ORPHANS_PER_TURN: usize = 32;

/// Addresses that we keep.
pub const MAX_ADDRESS_BOOK: usize = 4_096;

/// Records that a peer may send at once after we asked …
pub const ADDRESS_BUCKET: u64 = 1_000;

/// … and after that one in this time; the rest is ignored.
pub const ADDRESS_REFILL_MS: u64 = 10_000;

/// An address last seen longer ago than this is not worth passing on: 30 days in seconds.
pub const ADDRESS_HORIZON_SECONDS: u32 = 30 * 24 * 60 * 60;

/// How far in the past a rumour with an impossible time is put: 5 days in seconds.
pub const ADDRESS_DOUBTFUL_SECONDS: u32 = 5 * 24 * 60 * 60;

/// How long the address of a peer that broke a rule is avoided.
pub const DISCOURAGE_MS: u64 = 24 * 60 * 60_000;

/// Addresses that we avoid at a time; the one that is due first makes room.
pub const MAX_DISCOURAGED: usize = 10_000;

/// Bans by hand.
pub const MAX_BANS: usize = 10_000;

/// Peers that the operator asked for.
pub const MAX_MANUAL_PEERS: usize = 256;

/// The first pause before a manual peer is dialled again: short, since a node that restarts is back within a second …
pub const MIN_REDIAL_MS: u64 = 250;

/// … doubling up to this.
pub const MAX_REDIAL_MS: u64 = 60_000;

/// How long a connection must have lasted for the pause to start small again.
pub const STABLE_CONNECTION_MS: u64 = 30_000;

/// A dial that the driver has not answered by now counts as failed.
pub const DIAL_TIMEOUT_MS: u64 = 15_000;

/// Frames of unknown kinds in a minute that we skip. A newer peer sends a few; more is noise.
pub const MAX_UNKNOWN_FRAMES_PER_MINUTE: u32 = 20;

/// How often old things are thrown away (mempool, orphans, bans).
pub const HOUSEKEEPING_MS: u64 = 60_000;

/// Who sent a stored block that is not connected yet: so that the right peer answers for it.
pub const MAX_BLOCK_SOURCES: usize = 2 * DOWNLOAD_WINDOW_BLOCKS as usize;
