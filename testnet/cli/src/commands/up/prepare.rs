//! What has to be there before nodes start: the network, its wallets, free ports.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use tally_primitives::params::Params;

use super::output::Output;
use crate::args::UpArgs;
use crate::commands::down::clean_up;
use crate::error::Error;
use crate::files;
use crate::layout::{Layout, MINER, PEOPLE};
use crate::network;
use crate::programs::Programs;
use crate::state::{Settings, State};
use crate::supervisor::{Mining, Plan};
use crate::topology::links;
use crate::wallets;

const DEFAULT_NODES: u8 = 4;

/// Polite on two cores: one core hashes a hundred times as fast.
const DEFAULT_HASHRATE: u64 = 400_000;

/// Stops what an earlier `up` left behind when it was killed.
pub(super) fn after_an_earlier_run(layout: &Layout, output: &mut Output) -> Result<(), Error> {
    // A damaged file is said before anything is touched.
    State::load(layout)?;
    match clean_up(layout)? {
        0 => Ok(()),
        1 => output.say("stopped 1 node that an earlier run left behind"),
        count => output.say(&format!("stopped {count} nodes that an earlier run left behind")),
    }
}

/// The network in this directory; made if there is none.
pub(super) fn network(
    layout: &Layout,
    programs: &Programs,
    args: &UpArgs,
    output: &mut Output,
) -> Result<Settings, Error> {
    let Some(mut settings) = Settings::load(layout)? else {
        refuse_strangers(layout)?;
        return create(layout, programs, args);
    };
    check_network_file(layout)?;
    settings.nodes = args.nodes.unwrap_or(settings.nodes);
    settings.hashrate = args.hashrate.unwrap_or(settings.hashrate);
    settings.save(layout)?;
    if settings.hashrate > 0 && settings.hashrate < settings.made_for_hashrate / 2 {
        output.say(&format!(
            "note: this network's easiest target was chosen for {} hashes a second; with {} blocks take {} times as long",
            settings.made_for_hashrate,
            settings.hashrate,
            settings.made_for_hashrate / settings.hashrate,
        ))?;
    }
    Ok(settings)
}

/// Wallets come first: their addresses belong into the genesis block. The settings come last: with them the network is
/// whole.
fn create(layout: &Layout, programs: &Programs, args: &UpArgs) -> Result<Settings, Error> {
    let hashrate = args.hashrate.unwrap_or(DEFAULT_HASHRATE);
    let made_for_hashrate = if hashrate == 0 { DEFAULT_HASHRATE } else { hashrate };
    let params = network::fresh(made_for_hashrate, args.spacing)?;
    files::replace(&layout.network_file(), &params.to_toml())?;
    let wallet = |person| wallets::create(&programs.wallet, layout, person);
    let (alice, bob, miner) = (wallet(PEOPLE[0])?, wallet(PEOPLE[1])?, wallet(MINER)?);
    let params = network::with_allocations(params, &[alice.clone(), bob.clone()]);
    files::replace(&layout.network_file(), &params.to_toml())?;
    let nodes = args.nodes.unwrap_or(DEFAULT_NODES);
    let settings = Settings { nodes, hashrate, made_for_hashrate, alice, bob, miner };
    settings.save(layout)?;
    Ok(settings)
}

/// A directory without settings must not hold anything by our names.
fn refuse_strangers(layout: &Layout) -> Result<(), Error> {
    let entries = fs::read_dir(layout.dir()).map_err(Error::file("read", layout.dir()))?;
    let ours = [layout.lock(), layout.state()];
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if !ours.contains(&path) {
            let found = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::NotOurs { dir: layout.dir().to_owned(), found });
        }
    }
    Ok(())
}

fn check_network_file(layout: &Layout) -> Result<(), Error> {
    let path = layout.network_file();
    let damaged = |reason: String| Error::Damaged { path: path.clone(), reason, dir: layout.dir().to_owned() };
    let text = files::read_if_there(&path)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    Params::from_toml(&text).map(drop).map_err(|error| damaged(error.to_string().replace('\n', " ")))
}

/// How each node is started.
pub(super) fn plans(settings: &Settings, programs: &Programs, args: &UpArgs) -> Result<Vec<Plan>, Error> {
    let count = usize::from(settings.nodes);
    let links = links(count);
    #[allow(clippy::cast_precision_loss)]
    let each = settings.hashrate as f64 / f64::from(settings.nodes.max(1));
    (0..settings.nodes)
        .map(|number| {
            let index = usize::from(number);
            let name = Layout::node_name(index);
            let ports = args.base_port.map(|base| fixed_ports(base, number, &name)).transpose()?;
            Ok(Plan {
                name,
                program: programs.node.clone(),
                ports,
                mining: (each > 0.0).then(|| Mining { address: settings.miner.clone(), limit: each }),
                payout: Some(settings.miner.clone()),
                stratum: args.stratum_listen.filter(|_| index == 0),
                dials: links.iter().filter(|link| link.from == index).map(|link| link.to).collect(),
            })
        })
        .collect()
}

/// Ports counted from the base, if they are free now.
fn fixed_ports(base: u16, number: u8, name: &str) -> Result<(u16, u16), Error> {
    let peer = base + 2 * u16::from(number);
    for (port, purpose) in [(peer, "peers"), (peer + 1, "RPC")] {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
            return Err(Error::PortInUse { port, purpose: format!("{name}, {purpose}") });
        }
    }
    Ok((peer, peer + 1))
}
