//! `miner run`.

use crate::cli::RunArgs;
use crate::error::MinerError;
use crate::getblocktemplate::RpcSource;
use crate::nodes::{Credentials, Nodes};
use crate::report::{Payee, Report};
use crate::session::{Session, Settings};
use crate::source::WorkSource;
use crate::stratum::{self, StratumSource};
use std::io::{self, IsTerminal};
use std::time::Duration;
use tally_kernels::EngineConfig;
use tally_primitives::address::Address;

pub(super) fn run(args: &RunArgs) -> Result<(), MinerError> {
    if args.stratum.is_empty() { for_nodes(args) } else { for_pools(args) }
}

fn for_nodes(args: &RunArgs) -> Result<(), MinerError> {
    // Clap does not let this be missing.
    let address: Address = args.address.as_deref().unwrap_or_default().parse()?;
    let engine = engine_config(args)?;
    let nodes = Nodes::new(&args.rpc, &credentials(args))?;
    let mut source = RpcSource::new(nodes, address.clone(), args.wait)?;
    let settings = Settings {
        engine,
        payee: Payee::Address(address.to_string()),
        results: args.blocks,
        blocks: None,
        refresh: Duration::from_secs(args.refresh),
    };
    mine(args, settings, &mut source)
}

fn for_pools(args: &RunArgs) -> Result<(), MinerError> {
    let user = args.user.clone().unwrap_or_default();
    let engine = engine_config(args)?;
    let credentials = stratum::Credentials { user: user.clone(), password: args.password.clone() };
    let mut source = StratumSource::new(&args.stratum, credentials, args.wait)?;
    let settings = Settings {
        engine,
        payee: Payee::User(user),
        results: args.shares,
        blocks: args.blocks,
        refresh: Duration::from_secs(args.refresh),
    };
    mine(args, settings, &mut source)
}

fn mine(args: &RunArgs, settings: Settings, source: &mut dyn WorkSource) -> Result<(), MinerError> {
    let session = Session::new(settings);
    let stopper = session.stopper();
    ctrlc::set_handler(move || stopper.stop())
        .map_err(|error| MinerError::System { action: "wait for Ctrl-C", reason: error.to_string() })?;
    session.run(source, &mut report(args.json))?;
    Ok(())
}

fn engine_config(args: &RunArgs) -> Result<EngineConfig, MinerError> {
    let kernel = args.kernel.0;
    if !kernel.is_available() {
        return Err(MinerError::KernelUnavailable { kernel: kernel.name() });
    }
    let all = EngineConfig::default();
    let threads = args.threads.unwrap_or(all.threads);
    Ok(EngineConfig { threads, limit_hashes_per_second: args.limit, kernel, pin: args.pin, ..all })
}

fn credentials(args: &RunArgs) -> Credentials {
    match (&args.rpc_user, &args.rpc_password) {
        (Some(name), Some(password)) => Credentials::User { name: name.clone(), password: password.clone() },
        _ => Credentials::Cookies(args.cookie.clone()),
    }
}

fn report(json: bool) -> Report {
    let out = Box::new(io::stdout());
    if json {
        return Report::json(out);
    }
    let terminal = io::stderr().is_terminal().then(|| Box::new(io::stderr()) as Box<dyn io::Write + Send>);
    Report::text(out, terminal)
}
