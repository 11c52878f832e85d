//! A whole network on one machine: real `node` processes that mine real proof of work, and two wallets with coins.
//!
//! This crate **forbids** shortcuts: it starts the same programs that anybody starts, talks to them over JSON-RPC only,
//! and imports nothing of the daemon, the wallet or the miner; only `testnet lab` runs nodes of its own, simulated ones. It also forbids itself to touch a process or a file that
//! it did not make: processes are recognised by the data directory on their command line, and a directory is used by one
//! `testnet up` at a time.
//!
//! | file | what it holds |
//! |---|---|
//! | `args` | the command line |
//! | `error` | what can go wrong, with exit codes and hints |
//! | `layout` | where everything lies in the network's directory |
//! | `files` | writing a file whole or not at all |
//! | `lock` | one `up` a directory |
//! | `state` | `settings.json` (what the network was made with), `state.json` (what runs now), `node.json` of each node |
//! | `system` | processes and signals |
//! | `programs` | the other programs, beside this one |
//! | `network` | the network file: its own genesis, difficulty for the hash rate, allocations |
//! | `wallets` | the demo wallets and their configuration |
//! | `topology` | who is linked to whom |
//! | `supervisor` | starts nodes, sees them crash, starts them again, stops them |
//! | `links` | keeps the links after a node has moved to another port |
//! | `watch` | asks all nodes at once how they are |
//! | `report` | the shape of `status --json` |
//! | `table` | the same for people |
//! | `screen` | lines that are redrawn in place |
//! | `svg` | drawings of what labs found |
//! | `progress` | a bar for what takes long |
//! | `interrupt` | Ctrl-C and its relatives |
//! | `commands` | a file for each subcommand |

pub mod args;
pub mod commands;
pub mod error;
pub mod files;
pub mod interrupt;
pub mod layout;
pub mod links;
pub mod lock;
pub mod network;
pub mod programs;
pub mod progress;
pub mod report;
pub mod screen;
pub mod state;
pub mod supervisor;
pub mod svg;
pub mod system;
pub mod table;
pub mod topology;
pub mod wallets;
pub mod watch;
