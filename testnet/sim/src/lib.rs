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
//! | [`world`] | [`world::World`]: hosts, connections, and the loop over events |
//! | `driver` | carrying out what a node wants done, as the daemon does |
//! | [`host`] | a machine with a node and its store: start, crash, restart |
//! | [`network`] | connections, delays, partitions; packets as messages or as frames in pieces |
//! | [`queue`] | the event queue, ordered by time and then by order of scheduling |
//! | [`topology`] | who calls whom |
//! | [`traffic`] | miners and payments |
//! | [`checkers`] | what must hold, whatever happens, and what must hold once all is quiet |
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
mod driver;
pub mod host;
pub mod log;
pub mod network;
pub mod queue;
pub mod scenario;
pub mod topology;
pub mod traffic;
pub mod world;
pub mod worlds;
