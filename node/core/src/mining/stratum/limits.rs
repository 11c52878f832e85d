//! Every limit of the Stratum server, with its reason.

use crate::mining::stratum::difficulty::Difficulty;

/// Bytes of one line from a miner. The longest honest one, `mining.configure` with every extension, has some 300.
pub const MAX_LINE_BYTES: usize = 4096;

/// Connections in all.
pub const MAX_CONNECTIONS: usize = 256;

/// Connections from one address (IPv6: from one /64). A room full of miners may share one.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 64;

/// An address whose connection was ended for its behaviour is refused for so long.
pub const REFUSAL_MS: u64 = 30_000;

/// Refused addresses that are remembered; beyond, the one that has waited longest is forgiven.
pub const MAX_REFUSED_ADDRESSES: usize = 1_024;

/// Within so long a connection must have subscribed and been authorized.
pub const AUTHORIZE_TIMEOUT_MS: u64 = 30_000;

/// A connection from which nothing has come for so long is ended. Variable difficulty sees to it that an honest miner has
/// something to say every few seconds.
pub const IDLE_TIMEOUT_MS: u64 = 600_000;

/// Requests that may come at once: while the first difficulty is far too low, a fast miner sends many.
pub const REQUEST_BURST: u32 = 2_000;

/// One more request is allowed every so often.
pub const REQUEST_REFILL_MS: u64 = 10;

/// Bad requests (refused shares that are not merely stale, lines that are no requests) that may come at once.
pub const BAD_BURST: u32 = 50;

/// One more bad request is allowed every so often.
pub const BAD_REFILL_MS: u64 = 2_000;

/// Jobs whose shares are taken. A new tip clears them.
pub const MAX_JOBS: usize = 8;

/// Shares of one job that are remembered, to know duplicates. Then the job takes no more.
pub const MAX_SHARES_PER_JOB: usize = 512;

/// After so many shares the miner is given a new job, so that no job is ever full in honest use.
pub const RENEW_AFTER_SHARES: usize = 256;

/// Characters of a user name: an address has about 65, a worker's name follows.
pub const MAX_USER_CHARS: usize = 160;

/// Characters of a worker's name.
pub const MAX_WORKER_CHARS: usize = 64;

/// Characters of the program's name that are kept.
pub const MAX_AGENT_CHARS: usize = 64;

/// The difficulty of a new connection: 4 million hashes a share, a second or so of one core.
pub const START_DIFFICULTY: Difficulty = Difficulty::power_of_two(-10);

/// The least difficulty: every hash is a share.
pub const MIN_DIFFICULTY: Difficulty = Difficulty::power_of_two(-32);

/// The greatest difficulty: 2^80 hashes a share.
pub const MAX_DIFFICULTY: Difficulty = Difficulty::power_of_two(48);

/// Shares a minute that variable difficulty aims at.
pub const SHARES_PER_MINUTE: u64 = 20;

/// A share is never asked to be harder than a block, unless shares would then come so many times as often as is aimed at.
pub const MAX_RATE_FACTOR: f64 = 64.0;

/// A job is sent again at least so often, with the time of then. Miners give a job up after 120 s (minerd) or 300 s.
pub const REFRESH_MS: u64 = 30_000;

/// Better fees are offered at most so often: every new job costs a miner a moment.
pub const FEES_PAUSE_MS: u64 = 5_000;
