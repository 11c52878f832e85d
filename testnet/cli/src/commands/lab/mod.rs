//! `testnet lab`: networks on virtual time.

use crate::args::lab::{LabArgs, LabCommand};
use crate::error::Error;

mod worlds;

pub(super) fn run(args: &LabArgs) -> Result<(), Error> {
    match &args.lab {
        LabCommand::Worlds(args) => worlds::run(args),
    }
}
