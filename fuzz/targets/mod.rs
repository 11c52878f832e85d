//! What is fuzzed: one function a target, bytes in. Whatever the bytes are, it must not panic, and what it checks must hold.
//!
//! Two programs include this file: the fuzzer (`fuzz/fuzz_targets`), which looks for new inputs, and a test of the daemon
//! (`node/daemon/tests/corpus.rs`), which runs those that were kept.

mod node;
mod noise;
mod primitives;
pub mod seeds;
mod stratum;
mod text;
mod wire;

/// A target: its name, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. The name is that of the fuzzer's program and of the corpus's folder.
pub const TARGETS: [Target; 14] = [
    ("frames", wire::frames),
    ("messages", wire::messages),
    ("compact", wire::compact),
    ("headers", primitives::headers),
    ("transactions", primitives::transactions),
    ("blocks", primitives::blocks),
    ("policies", primitives::policies),
    ("addresses", text::addresses),
    ("network_file", text::network_file),
    ("rpc", text::rpc),
    ("peers_dat", node::peers_dat),
    ("core", node::sequence),
    ("noise", noise::noise),
    ("stratum", stratum::stratum),
];

/// Runs the target of this name.
///
/// # Panics
/// If there is none, and if the target finds something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("the target exists");
    target(data);
}

/// Takes bytes apart, for targets whose input is a story.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// The next `count` bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A piece with its length in front.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = self.short();
        self.take(usize::from(length))
    }
}
