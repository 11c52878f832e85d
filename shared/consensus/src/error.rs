//! The catalogue of rules, and the one error every broken rule has.

use std::fmt;

use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot};
use tally_primitives::pow::{CompactTarget, CompactTargetError, Target};
use tally_primitives::spending::{PolicyLimitError, SpendError};
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, Height};

macro_rules! rules {
    ($($variant:ident $code:literal $text:literal;)*) => {
        /// The ID of a consensus rule, as code, tests and book name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $(#[doc = concat!($code, ": ", $text, ".")] $variant,)*
        }

        impl RuleId {
            /// Every rule, in the order of the catalogue.
            pub const ALL: &[RuleId] = &[$(RuleId::$variant,)*];

            /// The ID as people write it: `TX-04`.
            pub const fn code(self) -> &'static str {
                match self { $(RuleId::$variant => $code,)* }
            }

            /// The rule in one line.
            pub const fn text(self) -> &'static str {
                match self { $(RuleId::$variant => $text,)* }
            }
        }
    };
}

rules! {
    Hdr01 "HDR-01" "the header's hash is at most its target";
    Hdr02 "HDR-02" "bits is canonical, positive and no easier than the network's limit";
    Hdr03 "HDR-03" "bits is what the difficulty rule asks for at this height";
    Hdr04 "HDR-04" "the parent is known and not invalid";
    Hdr05 "HDR-05" "time is greater than the median of the last 11 headers'";
    Hdr06 "HDR-06" "time is at most 2 hours ahead of now";
    Hdr07 "HDR-07" "version's top three bits are 001";
    Blk01 "BLK-01" "there is a first transaction, and it alone is a coinbase";
    Blk02 "BLK-02" "the Merkle root matches";
    Blk03 "BLK-03" "the Merkle tree is not a mutated one";
    Blk04 "BLK-04" "encoded size is at most 1,000,000 bytes";
    Blk05 "BLK-05" "the coinbase memo starts with the height";
    Blk06 "BLK-06" "the coinbase claims at most subsidy plus fees";
    Tx01 "TX-01" "at least one input (unless coinbase) and one output";
    Tx02 "TX-02" "every output's value is positive (zero is allowed in a coinbase) and at most the maximum supply; so is their sum";
    Tx03 "TX-03" "no outpoint twice in one transaction";
    Tx04 "TX-04" "memo at most 80 bytes; in a coinbase 8 to 100";
    In01 "IN-01" "every spent coin exists and is unspent, also within the block";
    In02 "IN-02" "a coinbase coin is mature";
    In03 "IN-03" "inputs' sum covers outputs' sum, without overflow";
    In04 "IN-04" "the revealed policy hashes to the coin's lock";
    In05 "IN-05" "the policy is within its limits";
    In06 "IN-06" "the policy is satisfied: signatures, preimages, heights";
    In07 "IN-07" "nothing in the witness is left over";
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A broken consensus rule: one variant a rule. The text starts with the rule's ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// HDR-01: not enough work.
    #[error("HDR-01: block hash {hash} is above its target {target}")]
    HashAboveTarget {
        /// The header's hash.
        hash: BlockHash,
        /// The target its bits stand for.
        target: Target,
    },
    /// HDR-02: bits that no block of this network may carry.
    #[error("HDR-02: bits {bits}: {fault}")]
    UnacceptableBits {
        /// The header's bits.
        bits: CompactTarget,
        /// What is wrong with them.
        fault: BitsFault,
    },
    /// HDR-03: bits other than the difficulty rule's.
    #[error("HDR-03: bits {bits} where the difficulty rule asks for {expected}")]
    WrongBits {
        /// The header's bits.
        bits: CompactTarget,
        /// What the rule asks for at this height.
        expected: CompactTarget,
    },
    /// HDR-04: nothing valid to build on.
    #[error("HDR-04: parent {parent} is {fault}")]
    BadParent {
        /// The hash the header names as its parent.
        parent: BlockHash,
        /// Unknown or invalid.
        fault: ParentFault,
    },
    /// HDR-05: too old.
    #[error("HDR-05: time {time} is not greater than the median {median_time_past} of the last 11 headers")]
    TimeTooOld {
        /// The header's time, seconds since the Unix epoch.
        time: u32,
        /// The median of the last 11 headers' times, in the same unit.
        median_time_past: u32,
    },
    /// HDR-06: too far ahead; acceptable later.
    #[error("HDR-06: time {time} is more than {} seconds ahead of now ({now})", crate::header::MAX_SECONDS_AHEAD)]
    TimeTooFarAhead {
        /// The header's time, seconds since the Unix epoch.
        time: u32,
        /// Our own clock, in the same unit.
        now: u32,
    },
    /// HDR-07: version bits that are not BIP 9's.
    #[error("HDR-07: the top three bits of version {version:#010x} are not 001")]
    BadVersion {
        /// The header's version.
        version: u32,
    },
    /// BLK-01: no coinbase first, or another one later.
    #[error("BLK-01: {fault} ({transactions} transactions)")]
    BadCoinbasePosition {
        /// How many transactions the block has.
        transactions: usize,
        /// What is wrong.
        fault: CoinbaseFault,
    },
    /// BLK-02: the body is not the one the header commits to.
    #[error("BLK-02: the header commits to Merkle root {header}, the transactions hash to {computed}")]
    MerkleRootMismatch {
        /// The root in the header.
        header: MerkleRoot,
        /// The root of the transactions.
        computed: MerkleRoot,
    },
    /// BLK-03: the root matches, but only because transactions were repeated (CVE-2012-2459).
    #[error("BLK-03: the Merkle tree under {root} is mutated: it repeats transactions")]
    MutatedMerkleTree {
        /// The root that both the honest and the mutated list have.
        root: MerkleRoot,
    },
    /// BLK-04: too large.
    #[error("BLK-04: the block has {size} bytes, at most {max} are allowed")]
    BlockTooLarge {
        /// Encoded size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// BLK-05: the coinbase does not name the block's height.
    #[error("BLK-05: the coinbase memo of block {expected} starts with {}", shown_height(*found))]
    WrongCoinbaseHeight {
        /// The block's height.
        expected: Height,
        /// What the memo says; `None` when it is no height at all.
        found: Option<Height>,
    },
    /// BLK-06: the coinbase claims too much.
    #[error("BLK-06: the coinbase claims {claimed} TALLY, subsidy and fees allow {allowed}")]
    CoinbaseClaimsTooMuch {
        /// Sum of the coinbase's outputs.
        claimed: Amount,
        /// Subsidy plus fees.
        allowed: Amount,
    },
    /// TX-01: spends nothing or pays nobody.
    #[error("TX-01: a transaction needs an input (unless coinbase) and an output, this one has {inputs} and {outputs}")]
    NoInputsOrOutputs {
        /// Number of inputs.
        inputs: usize,
        /// Number of outputs.
        outputs: usize,
    },
    /// TX-02: a value that cannot exist.
    #[error("TX-02: output {output} ({value} TALLY): {fault}")]
    BadOutputValue {
        /// Index of the first output at fault.
        output: usize,
        /// Its value.
        value: Amount,
        /// What is wrong.
        fault: ValueFault,
    },
    /// TX-03: the same coin spent twice by one transaction.
    #[error("TX-03: {outpoint} is spent twice in one transaction")]
    DuplicateInput {
        /// The outpoint that is repeated.
        outpoint: OutPoint,
    },
    /// TX-04: memo too short or too long.
    #[error("TX-04: the memo has {size} bytes, it must have {min} to {max}")]
    BadMemoSize {
        /// Its size in bytes.
        size: usize,
        /// The fewest bytes allowed.
        min: usize,
        /// The most bytes allowed.
        max: usize,
    },
    /// IN-01: nothing there to spend.
    #[error("IN-01: coin {outpoint} does not exist or is already spent")]
    MissingCoin {
        /// The coin that was looked for.
        outpoint: OutPoint,
    },
    /// IN-02: mined coins must rest.
    #[error(
        "IN-02: coinbase coin {outpoint} of block {coin_height} needs {maturity} blocks, too young for block {height}"
    )]
    ImmatureCoinbase {
        /// The coin.
        outpoint: OutPoint,
        /// Height of the block that made it.
        coin_height: Height,
        /// Height of the block that spends it.
        height: Height,
        /// How many blocks must lie between.
        maturity: u32,
    },
    /// IN-03: spends more than it has.
    #[error("IN-03: inputs of {} do not cover outputs of {}", shown_sum(*inputs), shown_sum(*outputs))]
    InputsBelowOutputs {
        /// Sum of the spent coins; `None` when it overflows.
        inputs: Option<Amount>,
        /// Sum of the outputs; `None` when it overflows.
        outputs: Option<Amount>,
    },
    /// IN-04: a policy other than the one the coin is locked to.
    #[error("IN-04: input {input} reveals a policy with hash {revealed}, its coin is locked to {lock}")]
    WrongPolicy {
        /// Index of the input.
        input: usize,
        /// The coin's lock.
        lock: LockHash,
        /// Hash of the revealed policy.
        revealed: LockHash,
    },
    /// IN-05: a policy too deep, too large, or with an impossible threshold.
    #[error("IN-05: the policy of input {input} is outside its limits: {source}")]
    PolicyOutsideLimits {
        /// Index of the input.
        input: usize,
        /// Which limit.
        source: PolicyLimitError,
    },
    /// IN-06: the policy says no.
    #[error("IN-06: the policy of input {input} is not satisfied: {source}")]
    PolicyNotSatisfied {
        /// Index of the input.
        input: usize,
        /// Why.
        source: SpendError,
    },
    /// IN-07: more in the witness than the policy used.
    #[error("IN-07: the witness of input {input} has {signatures} signatures and {preimages} preimages left over")]
    WitnessLeftOver {
        /// Index of the input.
        input: usize,
        /// Signatures the policy did not ask for.
        signatures: usize,
        /// Preimages the policy did not ask for.
        preimages: usize,
    },
}

impl RuleError {
    /// The rule that is broken.
    pub const fn rule_id(&self) -> RuleId {
        match self {
            RuleError::HashAboveTarget { .. } => RuleId::Hdr01,
            RuleError::UnacceptableBits { .. } => RuleId::Hdr02,
            RuleError::WrongBits { .. } => RuleId::Hdr03,
            RuleError::BadParent { .. } => RuleId::Hdr04,
            RuleError::TimeTooOld { .. } => RuleId::Hdr05,
            RuleError::TimeTooFarAhead { .. } => RuleId::Hdr06,
            RuleError::BadVersion { .. } => RuleId::Hdr07,
            RuleError::BadCoinbasePosition { .. } => RuleId::Blk01,
            RuleError::MerkleRootMismatch { .. } => RuleId::Blk02,
            RuleError::MutatedMerkleTree { .. } => RuleId::Blk03,
            RuleError::BlockTooLarge { .. } => RuleId::Blk04,
            RuleError::WrongCoinbaseHeight { .. } => RuleId::Blk05,
            RuleError::CoinbaseClaimsTooMuch { .. } => RuleId::Blk06,
            RuleError::NoInputsOrOutputs { .. } => RuleId::Tx01,
            RuleError::BadOutputValue { .. } => RuleId::Tx02,
            RuleError::DuplicateInput { .. } => RuleId::Tx03,
            RuleError::BadMemoSize { .. } => RuleId::Tx04,
            RuleError::MissingCoin { .. } => RuleId::In01,
            RuleError::ImmatureCoinbase { .. } => RuleId::In02,
            RuleError::InputsBelowOutputs { .. } => RuleId::In03,
            RuleError::WrongPolicy { .. } => RuleId::In04,
            RuleError::PolicyOutsideLimits { .. } => RuleId::In05,
            RuleError::PolicyNotSatisfied { .. } => RuleId::In06,
            RuleError::WitnessLeftOver { .. } => RuleId::In07,
        }
    }

    /// Whether the verdict holds for ever for everything with this block hash, so that the hash may be marked invalid.
    ///
    /// Four verdicts do not: a header too far ahead (HDR-06) and one with an unknown parent (HDR-04) may be fine later;
    /// a body that does not belong to the header (BLK-02) or repeats transactions (BLK-03) says nothing about the
    /// honest body with the same hash.
    /// [`check_block`](crate::block::check_block) looks at those two first, so every other verdict on a body is about
    /// the one body that the header commits to.
    pub const fn is_permanent(&self) -> bool {
        !matches!(
            self,
            RuleError::TimeTooFarAhead { .. }
                | RuleError::BadParent { fault: ParentFault::Unknown, .. }
                | RuleError::MerkleRootMismatch { .. }
                | RuleError::MutatedMerkleTree { .. }
        )
    }
}

/// What is wrong with a header's bits (HDR-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitsFault {
    /// They are negative, zero, too large or not canonical.
    #[error("{source}")]
    NoTarget {
        /// Which of these.
        source: CompactTargetError,
    },
    /// Easier than the network's limit.
    #[error("easier than the network's limit {limit}")]
    TooEasy {
        /// The easiest bits of the network.
        limit: CompactTarget,
    },
}

/// What is wrong with a header's parent (HDR-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParentFault {
    /// Nobody has shown it to us yet; it may still come.
    #[error("unknown")]
    Unknown,
    /// It broke a rule, and so does everything built on it.
    #[error("invalid")]
    Invalid,
}

/// What is wrong with a block's coinbase (BLK-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinbaseFault {
    /// The block has no transactions.
    #[error("the block has no coinbase")]
    Empty,
    /// The first transaction has inputs.
    #[error("the first transaction is not a coinbase")]
    FirstIsNotCoinbase,
    /// A later transaction has no inputs.
    #[error("transaction {position} is a second coinbase")]
    Second {
        /// Its position in the block.
        position: usize,
    },
}

/// What is wrong with an output's value (TX-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// It is zero.
    #[error("the value must be positive")]
    Zero,
    /// It is above the maximum supply.
    #[error("the value is above the maximum supply")]
    AboveMaximum,
    /// With it, the sum of the outputs passes the maximum supply.
    #[error("the outputs' sum is above the maximum supply")]
    SumAboveMaximum,
}

fn shown_height(found: Option<Height>) -> String {
    found.map_or_else(|| "no height".to_owned(), |height| height.to_string())
}

fn shown_sum(sum: Option<Amount>) -> String {
    sum.map_or_else(|| "more than can be counted".to_owned(), |amount| format!("{amount} TALLY"))
}
