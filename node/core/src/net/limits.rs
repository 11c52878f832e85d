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

/// A chain whose work is less than our tip's by more than this many blocks is not kept: deeper forks are of no use, and without an end.
pub const LOW_WORK_BLOCKS: usize = 144;

/// Of a chain that has not shown enough work, one bit is remembered for so many headers …
pub const LOW_WORK_MARK_EVERY: u64 = 128;

/// … and for so many bits: 32 KB, or the headers of a minute's spacing for 63 years.
pub const MAX_LOW_WORK_MARKS: usize = 1 << 18;

/// The second time its headers are kept when so many have followed that match: by 15 bits, for which 160 KB a peer are held.
pub const MAX_LOW_WORK_HELD: usize = 2_000;

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

/// How long a peer may deliver no block that we asked for, at first. Its time doubles whenever it turns out too short…
pub const MIN_STALL_TIMEOUT_MS: u64 = 2_000;

/// … up to this, and shrinks again with every block that it delivers.
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

/// Requests for transactions of blocks that one peer may have waiting. Each may name every place of a block, which are 16 KB; an honest peer puts
/// a new block together, and perhaps another of the same height.
pub const MAX_TRANSACTIONS_REQUESTS: usize = 4;

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

/// Transactions that all peers together have announced and that have not come: some eight megabytes. Beyond that each
/// peer may have as many waiting as in flight.
pub const MAX_WANTED_TRANSACTIONS: usize = 20_000;

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

/// … and their bytes in memory: with all slots taken 30 MB.
pub const MAX_ORPHAN_BYTES_PER_PEER: usize = 250_000;

/// How long an orphan waits for its parents.
pub const ORPHAN_EXPIRY_MS: u64 = 5 * 60_000;

/// Orphans looked at again in one go, so that a thousand that wait for the same parent do not hold up a block.
pub const ORPHANS_PER_TURN: usize = 32;

/// Peers that a node chooses and calls for everything: each more costs everybody's inbound slots.
pub const OUTBOUND_PEERS: usize = 8;

/// Peers that it calls for blocks only. No transaction or address passes over these connections, so nobody can find them out by what does.
pub const BLOCK_ONLY_PEERS: usize = 2;

/// Block-only peers that are called first after a restart: whoever restarts us gains nothing.
pub const MAX_ANCHORS: usize = 2;

/// Between two calls: so that ten slots are filled within two seconds, and a book of dead addresses costs little.
pub const CALL_PACE_MS: u64 = 200;

/// Between two looks for somebody to call when there was nobody, at first …
pub const MIN_SEARCH_PAUSE_MS: u64 = 1_000;

/// … doubling up to this. A new address ends the pause.
pub const MAX_SEARCH_PAUSE_MS: u64 = 60_000;

/// Mean time between feelers.
pub const FEELER_MEAN_MS: u64 = 2 * 60_000;

/// Spacings without a block after which the tip counts as stale: happens by chance once in 3,000 blocks.
pub const STALE_TIP_SPACINGS: u64 = 8;

/// … but never sooner than this.
pub const MIN_STALE_TIP_MS: u64 = 60_000;

/// How long an extra peer may take to show that it is better than the others.
pub const EXTRA_PEER_TRIAL_MS: u64 = 30_000;

/// How long after the start seeds are asked even though addresses are known, if nobody answers there.
pub const SEED_PATIENCE_MS: u64 = 30_000;

/// The longest pause between two questions to the seeds, which doubles each time.
pub const MAX_SEED_PAUSE_MS: u64 = 60 * 60_000;

/// Names of seeds.
pub const MAX_SEEDS: usize = 32;

/// Addresses taken of one seed's answer.
pub const MAX_SEED_ADDRESSES: usize = 256;

/// Addresses that a book can hold: a place in every bucket.
pub const MAX_ADDRESS_BOOK: usize = 81_920;

/// Buckets of rumours, each with 64 places.
pub const NEW_BUCKETS: u64 = 1_024;

/// How many of them what comes from one group can reach.
pub const NEW_BUCKETS_PER_SOURCE: u64 = 64;

/// Buckets of addresses that have answered us.
pub const TRIED_BUCKETS: u64 = 256;

/// How many of them the addresses of one group can reach.
pub const TRIED_BUCKETS_PER_GROUP: u64 = 8;

/// Places that one rumour may have, told from different sides.
pub const MAX_NEW_PLACES: usize = 8;

/// Addresses that want a tried place that is taken.
pub const MAX_CONTESTS: usize = 10;

/// Who answered within this time keeps the place: 4 hours in seconds.
pub const CONTEST_SUCCESS_SECONDS: u32 = 4 * 60 * 60;

/// A contest that no call has decided by then goes to the newcomer: 40 minutes in seconds.
pub const CONTEST_PATIENCE_SECONDS: u32 = 40 * 60;

/// Addresses of our own that we remember.
pub const MAX_OWN_ADDRESSES: usize = 64;

/// How often what has changed in the address book is kept.
pub const SAVE_BOOK_MS: u64 = 15 * 60_000;

/// How soon new anchors are.
pub const SAVE_ANCHORS_MS: u64 = 60_000;

/// Of the known addresses a peer is told at most this share, in percent: so one question does not show the whole book.
pub const ADDRESS_ANSWER_PERCENT: usize = 23;

/// … but so many in any case: small networks must find together.
pub const MIN_ADDRESS_ANSWER: usize = 8;

/// The same answer for everybody for so long: asking again and again would show what changes.
pub const ADDRESS_ANSWER_MS: u64 = 24 * 60 * 60_000;

/// Only messages this short are passed on: longer ones are answers.
pub const MAX_RELAYED_ADDRESSES: usize = 10;

/// Only addresses seen so recently are passed on: 10 minutes in seconds.
pub const ADDRESS_RELAY_SECONDS: u32 = 10 * 60;

/// Peers that an address is passed on to.
pub const ADDRESS_RELAY_PEERS: usize = 2;

/// Mean delay before addresses are passed on.
pub const ADDRESS_TRICKLE_MS: u64 = 10_000;

/// Addresses that we remember a peer to know.
pub const KNOWN_ADDRESSES: usize = 1_000;

/// How often our own address is told again.
pub const OWN_ADDRESS_MS: u64 = 24 * 60 * 60_000;

/// A rumour is taken to be older by this than it says: 2 hours in seconds.
pub const ADDRESS_PENALTY_SECONDS: u32 = 2 * 60 * 60;

/// Inbound peers of one group: a quarter of all, so that one network cannot take every slot, and room for a classroom behind one address.
pub const MAX_INBOUND_PER_GROUP: usize = 32;

/// Connections that one address may open at once …
pub const CALLS_AT_ONCE: u64 = 64;

/// … and after that one in this time.
pub const CALL_REFILL_MS: u64 = 1_000;

/// Addresses whose calls are counted.
pub const MAX_CALLERS: usize = 2_000;

/// Inbound peers that nobody can drive out: of groups that nobody can choose, …
pub const PROTECTED_BY_GROUP: usize = 4;

/// … with the shortest round trips, …
pub const PROTECTED_BY_PING: usize = 8;

/// … that last sent a transaction that was news, …
pub const PROTECTED_BY_TRANSACTION: usize = 4;

/// … or a block. Of the rest, the older half stays too.
pub const PROTECTED_BY_BLOCK: usize = 4;

/// Clocks of outbound peers that are compared with ours.
pub const MAX_CLOCK_SAMPLES: usize = 50;

/// With fewer, nothing is said.
pub const MIN_CLOCK_SAMPLES: usize = 5;

/// How far the middle one may be off before people are told: 10 minutes.
pub const MAX_CLOCK_OFFSET_MS: i64 = 10 * 60_000;

/// The period of the upload target.
pub const UPLOAD_PERIOD_MS: u64 = 24 * 60 * 60_000;

/// Blocks younger than this are sent whatever the target says: a week in seconds.
pub const RECENT_BLOCK_SECONDS: u32 = 7 * 24 * 60 * 60;

/// Of a user agent we send and keep so much: enough for a name, a version and a comment.
pub const MAX_USER_AGENT_KEPT: usize = 64;

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
