//! How long messages may be. A decoder checks these before it keeps or decodes a single byte of the body.

use tally_primitives::block::{Header, MAX_BLOCK_SIZE};

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

/// The enum index that opens every payload.
pub(crate) const KIND_BYTES: usize = 4;
/// The length that opens every list.
const LENGTH_BYTES: usize = 8;
const HASH_BYTES: usize = 32;
/// Index and hash.
const INVENTORY_ITEM_BYTES: usize = 4 + HASH_BYTES;
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

const _: () = assert!(BLOCK_BYTES <= MAX_PAYLOAD_BYTES && INVENTORY_BYTES <= MAX_PAYLOAD_BYTES);
const _: () = assert!(VERSION_BYTES <= MAX_HANDSHAKE_PAYLOAD_BYTES);
