//! `lldp`: which port of which switch each member is plugged into, if a daemon of the host already listens.
//!
//! Nothing is sent and nobody is started: a tool is run only where its daemon is there.

use super::program::{Bounds, hand_over};
use super::{Collector, Pace, Sink, Target};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "lldp";
const FILE: &str = "state/lldp.txt";
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(3), octets: 1024 * 1024 };

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    // networkd keeps what it heard in this folder.
    let heard = std::fs::read_dir("/run/systemd/netif/lldp").is_ok_and(|mut f| f.next().is_some());
    if heard {
        hand_over(sink, ID, FILE, &["networkctl", "--no-pager", "--full", "lldp"], BOUNDS)?;
    }
    if ["/run/lldpd.socket", "/run/lldpd/lldpd.socket", "/var/run/lldpd.socket"]
        .iter()
        .any(|p| Path::new(p).exists())
    {
        hand_over(sink, ID, FILE, &["lldpcli", "show", "neighbors", "details"], BOUNDS)?;
    }
    Ok(())
}
