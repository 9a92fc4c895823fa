//! `bpf-programs` and `nftables`: what may drop frames where `tc filter` does not show it.
//!
//! Programs are printed as `bpftool net` prints them, with the names of XDP programs added. The rule set is saved as the
//! kernel sends it, and once more as `nft list ruleset` prints it where that is installed.

use super::dumps::{To, dumps};
use super::program::{Bounds, hand_over};
use super::{Collector, Pace, Sink, Target, text};
use crate::bounded;
use crate::bpf::{self, Hook};
use crate::interface::{self, Interface};
use crate::netlink::Request;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// The collector of BPF programs.
pub(super) const BPF: Collector = Collector { id: "bpf-programs", pace: Pace::Snapshot, run: programs };
/// The collector of the rule set.
pub(super) const NFTABLES: Collector = Collector { id: "nftables", pace: Pace::Snapshot, run: nftables };

const LIMIT: Duration = Duration::from_secs(5);
/// A host of containers has some ten thousand rules.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), octets: 8 * 1024 * 1024 };
/// `NETLINK_NETFILTER`.
const NETFILTER: u16 = 12;
/// `NFNL_SUBSYS_NFTABLES`, in the upper half of the message type.
const NFTABLES_SUBSYSTEM: u16 = 10 << 8;

fn programs(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let begun = crate::clock::begin();
    let target = target.clone();
    let listed = bounded::call("bpf-programs", LIMIT, move || {
        let all = interface::list()?;
        listing(&target.stack(&all))
    });
    let window = begun.end();
    let listed = listed.map(String::into_bytes);
    text(sink, "bpf-programs", "state/bpf.txt", "bpf(BPF_PROG_QUERY), as bpftool net", window, listed)
}

/// As `do_show()` of `bpftool net` prints it.
fn listing(stack: &[&Interface]) -> io::Result<String> {
    let mut xdp = "xdp:\n".to_owned();
    let mut tc = "tc:\n".to_owned();
    for interface in stack {
        let Interface { name, index, .. } = interface;
        for (mode, id) in &interface.xdp {
            let program = bpf::name(*id).unwrap_or_default();
            let program = if program.is_empty() { program } else { format!("{program} ") };
            let _ = writeln!(xdp, "{name}({index}) {mode} {program}id {id}");
        }
        for hook in Hook::ALL {
            let ids = match bpf::programs(*index, hook) {
                Ok(ids) => ids,
                // A kernel that does not know the hook, or an interface that cannot have it: nothing hangs there.
                Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                    continue;
                }
                Err(e) if e.raw_os_error() == Some(libc::ENXIO) => continue,
                Err(e) => return Err(e),
            };
            for id in ids {
                // Without CAP_SYS_ADMIN the name is not told.
                let program = bpf::name(id).ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "?".to_owned());
                let _ = writeln!(tc, "{name}({index}) {} {program} prog_id {id}", hook.name());
            }
        }
    }
    Ok(format!("{xdp}\n{tc}\nflow_dissector:\n\n"))
}

fn nftables(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let to = To { collector: "nftables", file: "state/nftables.pcapng", protocol: NETFILTER };
    // struct nfgenmsg, all zero: every family.
    let requests = [("NFT_MSG_GETTABLE", 1), ("NFT_MSG_GETCHAIN", 4), ("NFT_MSG_GETRULE", 7)]
        .map(|(name, kind)| (format!("{name} dump"), Request::dump(NFTABLES_SUBSYSTEM | kind).raw(&[0; 4])));
    dumps(sink, to, requests.to_vec())?;
    hand_over(sink, "nftables", "state/nftables.txt", &["nft", "list", "ruleset"], BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bondwitness_core::evidence::{FileId, What};

    #[test]
    fn the_listing_is_read_as_that_of_bpftool() {
        let interface = Interface {
            index: 0x7fff_fff0,
            name: "eno1".to_owned(),
            xdp: vec![("driver", u32::MAX)],
            ..Interface::default()
        };
        let text = match listing(&[&interface]) {
            Ok(text) => text,
            // Asking for a hook needs CAP_NET_ADMIN, and the call may be forbidden or absent.
            Err(e) => {
                assert!(
                    matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
                        || e.raw_os_error() == Some(libc::ENODEV),
                    "{e}"
                );
                "xdp:\neno1(2147483632) driver id 4294967295\n\ntc:\n\nflow_dissector:\n\n".to_owned()
            }
        };
        let parsed = bondwitness_core::parse::parse_text(FileId(0), "state/bpf.txt", text.as_bytes());
        assert_eq!(
            (parsed.recognised.as_slice(), parsed.unrecognised.len()),
            (&["xdp-status"][..], 0),
            "{text}"
        );
        let hooks: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| {
                if let What::Hook(h) = &r.what { Some((h.dev.as_deref(), h.program.as_str())) } else { None }
            })
            .collect();
        assert_eq!(hooks, [(Some("eno1"), "driver id 4294967295")]);
    }
}
