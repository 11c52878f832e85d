//! The wallet: keys, coins, payments. It trusts a node with what is in the chain, and with nothing else.
//!
//! **Forbids** any knowledge of the node's inside: it speaks JSON-RPC (`tally-rpc`) and imports no crate of the node.
//! Secrets are erased from memory when dropped, and are in no debugging text, message or argument.
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`keys`] | BIP 39 words, BIP 32 derivation, paths, addresses |
//! | [`mod@file`] | the encrypted wallet file: envelope, seal, lock, atomic replacement |
//! | [`state`] | what is remembered beside the words, and its change sets |
//! | [`config`] | the settings beside the file: network and nodes |
//! | [`network`] | the network of a wallet |
//! | [`nodes`] | several nodes, fail-over, the check of their genesis |
//! | [`sync`] | finding used addresses, coins and history; apart from the connection |
//! | [`coins`] | coins, their status, the balance |
//! | [`history`] | payments as their owner sees them |
//! | [`selection`] | which coins to spend |
//! | [`payment`] | from the wish to the signed transaction |
//! | [`fees`] | which fee rate to pay |
//! | [`wallet`] | an open wallet: file, keys and network together |
//! | [`args`] | the command line, as typed |
//! | [`context`] | the command line, resolved once |
//! | [`prompt`] | questions on the terminal, and passphrases |
//! | [`table`] | tables for people |
//! | [`commands`] | one file a subcommand |
//! | [`error`] | every failure, its exit code and its hint |

pub mod args;
pub mod coins;
pub mod commands;
pub mod config;
pub mod context;
pub mod error;
pub mod fees;
pub mod file;
pub mod history;
pub mod keys;
pub mod network;
pub mod nodes;
pub mod payment;
pub mod prompt;
pub mod selection;
pub mod state;
pub mod sync;
pub mod table;
pub mod wallet;
