//! Every failure of the program in one place: its line of text, its exit code, and a hint where one helps.

use tally_primitives::address::AddressError;
use tally_primitives::encode::DecodeError;

use crate::config::ConfigError;
use crate::context::ContextError;
use crate::file::FileError;
use crate::keys::{KeysError, WordsError};
use crate::network::NetworkError;
use crate::nodes::NodesError;
use crate::payment::PaymentError;
use crate::prompt::PromptError;
use crate::selection::SelectionError;
use crate::sync::SyncError;
use crate::sync::drive::DriveError;

/// The exit codes of all Tallystick programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Anything that has no code of its own.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The coins do not reach.
    NotEnoughFunds = 3,
    /// The node answered no.
    Refused = 4,
    /// No node answered.
    Unreachable = 5,
}

/// Every failure.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The command line contradicts itself, or leaves something out.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The settings beside the wallet.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The wallet file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The words.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A question that was not answered.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The nodes.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// What a node answered.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A payment.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// An address on the command line.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A transaction on the command line.
    #[error("this is not a transaction: {source}")]
    Transaction {
        /// What does not fit.
        source: DecodeError,
    },
    /// The owner said no.
    #[error("{undone}: you did not say yes")]
    Declined {
        /// What did not happen.
        undone: &'static str,
    },
}

impl From<DriveError> for WalletError {
    fn from(error: DriveError) -> WalletError {
        match error {
            DriveError::Nodes(error) => error.into(),
            DriveError::Sync(error) => error.into(),
        }
    }
}

impl WalletError {
    /// The program's exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            WalletError::Context(_)
            | WalletError::Address(_)
            | WalletError::Transaction { .. }
            | WalletError::Words(WordsError::Count { .. } | WordsError::Unknown { .. } | WordsError::Checksum)
            | WalletError::Prompt(PromptError::NoTerminal { .. })
            | WalletError::Payment(PaymentError::Dust { .. } | PaymentError::MemoTooLong { .. })
            | WalletError::Network(NetworkError::Unknown { .. }) => ExitCode::Usage,
            WalletError::Payment(PaymentError::Selection(SelectionError::NotEnough { .. })) => ExitCode::NotEnoughFunds,
            WalletError::Nodes(NodesError::Refused { .. } | NodesError::Unauthorized { .. }) => ExitCode::Refused,
            WalletError::Nodes(NodesError::Unreachable { .. }) => ExitCode::Unreachable,
            _ => ExitCode::Failure,
        }
    }

    /// What to do about it, where that is not obvious.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            WalletError::File(FileError::Missing { .. }) => {
                "make one with `wallet create`, or name another with --wallet FILE"
            }
            WalletError::File(FileError::Exists { .. }) => "name another file with --wallet FILE",
            WalletError::File(FileError::Corrupt { .. }) => {
                "bring the file back from a copy, or make it anew from its words with `wallet restore`"
            }
            WalletError::File(FileError::WrongPassphrase { .. }) => {
                "capitals and spaces count; without the passphrase only the words help: `wallet restore`"
            }
            WalletError::File(FileError::Locked { .. }) => "wait until that process ends, and try again",
            WalletError::Nodes(NodesError::Unreachable { .. }) => {
                "start a node, or name one with --rpc URL --cookie FILE"
            }
            WalletError::Nodes(NodesError::Unauthorized { .. }) => {
                "name the node's cookie with --cookie FILE (it is in the node's data directory)"
            }
            WalletError::Nodes(NodesError::WrongNetwork { .. }) => {
                "name the node's network with --network NAME|FILE, or another node with --rpc URL"
            }
            WalletError::Network(NetworkError::WrongWallet { .. }) => {
                "name the wallet's network with --network NAME|FILE"
            }
            WalletError::Payment(PaymentError::FeeAboveLimit { .. }) => {
                "if that is meant, raise the limit with --max-fee AMOUNT"
            }
            WalletError::Payment(PaymentError::Selection(SelectionError::NotEnough { .. })) => {
                "`wallet balance` shows what is spendable; `send ADDRESS max` sends all of it"
            }
            WalletError::Payment(PaymentError::Selection(SelectionError::TooLarge { .. })) => {
                "send a smaller amount, or several times"
            }
            WalletError::Address(AddressError::Malformed { .. }) => {
                "copy the whole address again; one mistyped letter is enough to refuse it"
            }
            _ => return None,
        })
    }
}
