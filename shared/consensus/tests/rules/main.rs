//! Every rule, refusing and accepting, and tables of named scenarios: whole blocks that break one rule each.

mod block;
mod header;
mod inputs;
mod scenarios;
mod subsidy;
mod support;
mod transaction;
mod world;
