//! How long messages may be. A decoder checks these before it keeps or decodes a single byte of the body.

use tally_primitives::block::{Header, MAX_BLOCK_SIZE};

use crate::compact::ShortId;

/// No frame's payload is longer than this, whatever its kind: room for every kind of today and of tomorrow
/// (SPEC §7), and small enough that a hundred hostile peers cannot fill a laptop's memory.
pub const MAX_PAYLOAD_BYTES: usize = 2 << 20;

/// The longest payload until the peer has acknowledged our `Version`: strangers get no memory.
pub const MAX_HANDSHAKE_PAYLOAD_BYTES: usize = 1 << 10;

/// Bytes of a user agent: enough for a name, a version and a comment.
pub const MAX_USER_AGENT_BYTES: usize = 128;

/// Records in one `Addresses`: what Bitcoin allows; a node knows its network after one or two of them.
pub const MAX_ADDRESSES: usize = 1_000;

/// Hashes in a block locator: its steps double, so 101 reach back further than any chain is long.
pub const MAX_LOCATOR_HASHES: usize = 101;

/// Headers in one `Headers`: 160 KB, so that a million headers take 500 round trips.
pub const MAX_HEADERS: usize = 2_000;

/// Items in one `Inventory`.
pub const MAX_INVENTORY_ITEMS: usize = 5_000;

/// Items in one `GetData` or `NotFound`: more than a node asks one peer for at a time.
pub const MAX_GET_DATA_ITEMS: usize = 1_000;

/// Transactions of a block, at most: the shortest spending transaction has 128 bytes (one input by a policy without signatures, one output), the
/// shortest coinbase 76. So a place in a block fits into 16 bits.
pub const MAX_BLOCK_TRANSACTIONS: usize =
    1 + (MAX_BLOCK_SIZE - Header::SIZE - LENGTH_BYTES - MIN_COINBASE_BYTES) / MIN_TRANSACTION_BYTES;

/// Bytes of the transactions that a `CompactBlock` carries whole, each with its place.
pub const MAX_PREFILLED_BYTES: usize = 10_000;

/// A `CompactBlock` stays within this where it can: what TCP sends in its first flight (ten segments), with room for
/// frames and encryption. Short ids alone go beyond it from some 1,800 transactions on.
pub const COMPACT_BLOCK_TARGET_BYTES: usize = 11_000;

/// The enum index that opens every payload.
pub(crate) const KIND_BYTES: usize = 4;
/// The length that opens every list.
pub(crate) const LENGTH_BYTES: usize = 8;
/// Version, no inputs, one output, and a memo of the height alone.
const MIN_COINBASE_BYTES: usize = 4 + LENGTH_BYTES + (LENGTH_BYTES + 8 + HASH_BYTES) + (LENGTH_BYTES + 8);
/// Version; one input: outpoint, a policy of one number, no signatures, no preimages; one output; no memo.
const MIN_TRANSACTION_BYTES: usize =
    4 + LENGTH_BYTES + (HASH_BYTES + 4 + 8 + 2 * LENGTH_BYTES) + (LENGTH_BYTES + 8 + HASH_BYTES) + LENGTH_BYTES;
const HASH_BYTES: usize = 32;
/// Index and hash.
pub(crate) const INVENTORY_ITEM_BYTES: usize = 4 + HASH_BYTES;
/// Last seen, services, and an IPv6 socket address with its enum index.
const ADDRESS_RECORD_BYTES: usize = 4 + 8 + (4 + 16 + 2);

pub(crate) const VERSION_BYTES: usize =
    KIND_BYTES + 4 + 8 + HASH_BYTES + 8 + 8 + (LENGTH_BYTES + MAX_USER_AGENT_BYTES) + 2 + 4 + HASH_BYTES;
pub(crate) const EMPTY_BYTES: usize = KIND_BYTES;
pub(crate) const PING_BYTES: usize = KIND_BYTES + 8;
pub(crate) const ADDRESSES_BYTES: usize = KIND_BYTES + LENGTH_BYTES + MAX_ADDRESSES * ADDRESS_RECORD_BYTES;
pub(crate) const GET_HEADERS_BYTES: usize = KIND_BYTES + LENGTH_BYTES + MAX_LOCATOR_HASHES * HASH_BYTES + HASH_BYTES;
pub(crate) const HEADERS_BYTES: usize = KIND_BYTES + LENGTH_BYTES + MAX_HEADERS * Header::SIZE;
pub(crate) const INVENTORY_BYTES: usize = KIND_BYTES + LENGTH_BYTES + MAX_INVENTORY_ITEMS * INVENTORY_ITEM_BYTES;
pub(crate) const GET_DATA_BYTES: usize = KIND_BYTES + LENGTH_BYTES + MAX_GET_DATA_ITEMS * INVENTORY_ITEM_BYTES;
/// A transaction may be as long as the block that could hold it; relay policy is stricter, but a refusal by
/// relay policy must not look like a broken frame.
pub(crate) const BLOCK_BYTES: usize = KIND_BYTES + MAX_BLOCK_SIZE;
pub(crate) const SEND_COMPACT_BYTES: usize = KIND_BYTES + 1;
/// One prefilled transaction as long as all may be, and short ids for the others.
pub(crate) const COMPACT_BLOCK_BYTES: usize = KIND_BYTES
    + Header::SIZE
    + 8
    + (LENGTH_BYTES + (MAX_BLOCK_TRANSACTIONS - 1) * ShortId::SIZE)
    + (LENGTH_BYTES + MAX_PREFILLED_BYTES);
pub(crate) const GET_BLOCK_TRANSACTIONS_BYTES: usize =
    KIND_BYTES + HASH_BYTES + LENGTH_BYTES + MAX_BLOCK_TRANSACTIONS * 2;
/// All transactions of the largest block: its hash stands in the place of its header.
pub(crate) const BLOCK_TRANSACTIONS_BYTES: usize = BLOCK_BYTES - Header::SIZE + HASH_BYTES;
pub(crate) const FEE_FILTER_BYTES: usize = KIND_BYTES + 8;

const _: () = assert!(BLOCK_BYTES <= MAX_PAYLOAD_BYTES && INVENTORY_BYTES <= MAX_PAYLOAD_BYTES);
const _: () = assert!(MAX_BLOCK_TRANSACTIONS <= u16::MAX as usize);
const _: () = assert!(VERSION_BYTES <= MAX_HANDSHAKE_PAYLOAD_BYTES);
