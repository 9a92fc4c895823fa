//! `sysfs-bonding`: the options of each bond as sysfs has them, printed as `grep -H . /sys/class/net/BOND/bonding/*` prints
//! them.
//!
//! What sysfs has of each member (`bonding_slave/*`) stands in the listing of `links`, number for number
//! (`drivers/net/bonding/bond_netlink.c`, `bond_fill_slave_info()`), and is not read a second time: it is a third of a
//! snapshot's cost.
//!
//! Without `CAP_NET_ADMIN` some files are empty (`ad_partner_mac`, `ad_actor_system`); empty files give no line.

use super::files::{foreign_sysfs, grep};
use super::{Collector, Pace, Sink, Target, text};
use crate::interface::sysfs_is_ours;
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "sysfs-bonding";
const FILE: &str = "state/sysfs-bonding.txt";

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for folder in target.bonds.iter().map(|b| format!("/sys/class/net/{b}/bonding")) {
        let source = format!("grep -H . {folder}/*");
        if !sysfs_is_ours() {
            let now = crate::clock::begin().end();
            text(sink, ID, FILE, &source, now, Err(foreign_sysfs()))?;
            continue;
        }
        let (window, bytes) = match names(&folder) {
            Ok(names) => {
                let paths: Vec<String> = names.iter().map(|n| format!("{folder}/{n}")).collect();
                let (window, bytes) = grep(&paths);
                (window, Ok(bytes))
            }
            Err(e) => (crate::clock::begin().end(), Err(e)),
        };
        text(sink, ID, FILE, &source, window, bytes)?;
    }
    Ok(())
}

/// The files of a folder, in order.
fn names(folder: &str) -> io::Result<Vec<String>> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder)?.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}
