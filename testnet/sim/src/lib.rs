//! The real node core on virtual time: several [`tally_node_core::node::Node`]s, a network between them, faults, and checkers that know
//! nothing of the code they check.
//!
//! **Forbids** threads, the wall clock and every order that differs from run to run (see `clippy.toml`). A world is a function of
//! its seed: the same seed gives the same events, to the byte ([`log::EventLog`]).
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`scenario`] | [`scenario::Scenario`]: a whole story from a seed, and its [`scenario::Report`] |
//! | [`worlds`] | many of them, and what came out of all |
//! | [`labs`] | questions about networks, answered by many worlds and compared with theory |
//! | [`world`] | [`world::World`]: hosts, connections, and the loop over events |
//! | `driver` | carrying out what a node wants done, as the daemon does |
//! | `faults` | partitions, crashes, and everything put right again |
//! | [`hostile`] | hosts whose owners do not keep to the rules |
//! | [`host`] | a machine with a node, its store and its clock: start, crash, restart |
//! | [`disk`] | the stores of all hosts, in which what is equal is there once |
//! | [`clock`] | virtual time, and what hosts' clocks make of it |
//! | [`network`] | latency, bandwidth, loss, regions, partitions; packets as messages or as frames in pieces |
//! | [`queue`] | the event queue, ordered by time and then by order of scheduling |
//! | `slab` | packets on the way |
//! | [`topology`] | who calls whom |
//! | [`traffic`] | miners and payments |
//! | [`checkers`] | what must hold, whatever happens, and what must hold once all is quiet |
//! | [`observe`] | what labs look at |
//! | [`log`] | the hash over everything that happened, and a trace for people |
//!
//! # A world by hand
//!
//! ```
//! use tally_sim::scenario::Scenario;
//! let report = Scenario::random(7).run();
//! assert_eq!(report.violations, Vec::<String>::new(), "repeat with seed {}", report.seed);
//! assert_eq!(report.log_hash, Scenario::random(7).run().log_hash);
//! ```

pub mod checkers;
pub mod clock;
pub mod disk;
mod driver;
mod faults;
pub mod host;
pub mod hostile;
pub mod labs;
pub mod log;
pub mod network;
pub mod observe;
pub mod queue;
pub mod scenario;
mod slab;
pub mod topology;
pub mod traffic;
pub mod world;
pub mod worlds;
