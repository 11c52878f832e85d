//! `miner kernels`.

use super::print;
use crate::cli::KernelsArgs;
use crate::error::MinerError;
use serde_json::json;
use tally_kernels::{calibration, kernel};

pub(super) fn kernels(args: &KernelsArgs) -> Result<(), MinerError> {
    let best = kernel::best().name();
    let mut text = String::new();
    for kernel in kernel::all() {
        let (name, available, chosen) = (kernel.name(), kernel.is_available(), kernel.name() == best);
        // The portable kernel is not measured: it is what is left when nothing else runs.
        let measured = calibration::calibrated().iter().find(|it| it.kernel.name() == name);
        let rate = measured.map(|it| it.hashes_per_second / 1e6);
        let line = if args.json {
            json!({
                "kernel": name, "available": available, "chosen": chosen, "description": kernel.description(),
                "versions": kernel.versions(), "mhs": rate,
            })
            .to_string()
        } else {
            let state = match (chosen, available) {
                (true, _) => "chosen",
                (false, true) => "runs here",
                (false, false) => "not on this processor",
            };
            let rate = rate.map_or_else(String::new, |rate| format!("{rate:.1} MH/s"));
            format!("{name:<8}  {state:<21}  {rate:>10}  {}", kernel.description())
        };
        text.push_str(&line);
        text.push('\n');
    }
    if !args.json {
        text.push_str(
            "Rates are of one thread for a moment, just measured; the first as fast as any within 5 % is chosen.\n",
        );
    }
    print(&text)
}
