//! `miner kernels`.

use super::print;
use crate::cli::KernelsArgs;
use crate::error::MinerError;
use serde_json::json;
use tally_kernels::kernel;

pub(super) fn kernels(args: &KernelsArgs) -> Result<(), MinerError> {
    let best = kernel::best().name();
    let mut text = String::new();
    for kernel in kernel::all() {
        let (name, available, chosen) = (kernel.name(), kernel.is_available(), kernel.name() == best);
        let line = if args.json {
            let description = kernel.description();
            json!({"kernel": name, "available": available, "chosen": chosen, "description": description}).to_string()
        } else {
            let state = match (chosen, available) {
                (true, _) => "chosen",
                (false, true) => "runs here",
                (false, false) => "not on this processor",
            };
            format!("{name:<8}  {state:<22}  {}", kernel.description())
        };
        text.push_str(&line);
        text.push('\n');
    }
    print(&text)
}
