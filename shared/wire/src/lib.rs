//! The messages that Tallystick peers exchange, and the frames that carry them: bytes in, bytes out.
//!
//! **Forbids** sockets, files, threads and clocks (see `clippy.toml`): whoever owns a connection pushes the bytes it
//! read into a [`Decoder`] and writes the bytes that [`encode_frame`] returns. What a message *means* is none of this crate's
//! business either: that is the peer protocol in `tally-node-core`.
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`message`] | [`Message`], one variant a kind, in the order that fixes their numbers; [`MessageKind`] |
//! | [`version`] | [`Version`], the first message on every connection |
//! | [`inventory`] | [`InventoryItem`]: how blocks and transactions are announced and asked for |
//! | [`compact`] | [`CompactBlock`]: a block for those who have its transactions; short ids |
//! | [`address`] | [`AddressRecord`]: where another node listens |
//! | [`frame`] | magic, length, checksum: [`encode_frame`], [`FrameError`] |
//! | [`decoder`] | [`Decoder`]: from a stream of bytes to messages, each limit checked before anything is allocated |
//! | [`limits`] | how long each kind may be, and why |

pub mod address;
pub mod compact;
pub mod decoder;
pub mod frame;
pub mod inventory;
pub mod limits;
pub mod message;
pub mod version;

pub use address::AddressRecord;
pub use compact::{CompactBlock, Prefilled, ShortId, ShortIdKey};
pub use decoder::Decoder;
pub use frame::{FrameError, encode as encode_frame};
pub use inventory::InventoryItem;
pub use message::{Message, MessageKind};
pub use version::{Services, Version};
