//! What was really injected into each kernel recording, and what the host alone can decide.
//!
//! Written by hand from the `events.txt` of each recording, from the scripts that made it, and from `kernel-facts.md`
//! section 11; never from what the engine answers. The engine does not see any of it.

use crate::accuracy::score::{Decidable, Truth};
use bondwitness_core::domain::{FaultDomain as D, Way};

/// The truth about one recording, as a constant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    domain: D,
    also: &'static [D],
    decidable: Decidable,
    members: &'static [&'static str],
    way: Option<Way>,
}

impl Known {
    /// As the scores want it.
    pub(crate) fn truth(&self) -> Truth {
        Truth {
            also: self.also.to_vec(),
            members: self.members.iter().map(|m| (*m).to_owned()).collect(),
            way: self.way,
            ..Truth::of(self.domain, self.domain.side(), self.decidable)
        }
    }
}

/// A recording with its truth.
pub(crate) struct Recording {
    /// `<kernel>/<folder>` below `kernel-recordings`.
    pub(crate) path: &'static str,
    /// What was done to it.
    pub(crate) what: &'static str,
    /// The truth.
    pub(crate) truth: Known,
}

const fn truth(domain: D, decidable: Decidable) -> Known {
    Known { domain, also: &[], decidable, members: &[], way: None }
}

/// LACPDUs of member h1 dropped between the two taps: the wire is guilty, the host can be cleared, and whether the link
/// or the switch lost them is not to be told from the host.
const fn lost(way: Way) -> Known {
    let mut t = truth(D::Physical, Decidable::Exoneration);
    t.members = &["h1"];
    t.way = Some(way);
    t
}

const fn on(mut t: Known, members: &'static [&'static str]) -> Known {
    t.members = members;
    t
}

const fn with(mut t: Known, also: &'static [D]) -> Known {
    t.also = also;
    t
}

/// Every recording, in the order of their paths.
pub(crate) const RECORDINGS: &[Recording] = &[
    Recording {
        path: "6.12.107/carrier",
        what: "carrier of h1 lost on the wire for 9 s, then five short flaps; h2 was set down by the administrator (a drill, no fault)",
        truth: on(truth(D::Physical, Decidable::Side), &["h1"]),
    },
    Recording {
        path: "6.12.107/cpu",
        what: "SCHED_FIFO loop on the only CPU for 8 s; the other end shares that CPU and is late too",
        truth: truth(D::HostStarvation, Decidable::Side),
    },
    Recording {
        path: "6.12.107/dup-system",
        what: "the second switch of an MLAG pair takes the host's own system id on h2",
        truth: on(truth(D::Mlag, Decidable::Side), &["h2"]),
    },
    Recording {
        path: "6.12.107/healthy-fast",
        what: "nothing injected, both ends fast",
        truth: truth(D::Healthy, Decidable::Side),
    },
    Recording {
        path: "6.12.107/loss-both",
        what: "LACPDUs of h1 dropped on the wire in both directions for 14 s",
        truth: lost(Way::Both),
    },
    Recording {
        path: "6.12.107/loss-h2s",
        what: "LACPDUs of h1 dropped on the wire towards the switch for 78 s",
        truth: lost(Way::HostToSwitch),
    },
    Recording {
        path: "6.12.107/loss-s2h",
        what: "LACPDUs of h1 dropped on the wire towards the host for 78 s",
        truth: lost(Way::SwitchToHost),
    },
    Recording {
        path: "6.12.107/loss-short",
        what: "LACPDUs of h1 dropped on the wire towards the host, four times for 5 s",
        truth: lost(Way::SwitchToHost),
    },
    Recording {
        path: "6.12.107/mlag-split",
        what: "the second switch of an MLAG pair changes its system id on h2, back, and four times more",
        truth: on(truth(D::Mlag, Decidable::Side), &["h2"]),
    },
    Recording {
        path: "6.12.107/passive",
        what: "the switch goes passive (harmless), then the host too",
        truth: truth(D::ConfigBoth, Decidable::Side),
    },
    Recording {
        path: "6.12.107/rate-mismatch",
        what: "host fast, switch slow: legal, nothing injected",
        truth: truth(D::Healthy, Decidable::Side),
    },
    Recording {
        path: "6.12.107/rate-mismatch2",
        what: "host slow, switch fast; LACPDUs of h1 dropped on the wire towards the switch for 12 s",
        truth: lost(Way::HostToSwitch),
    },
    Recording {
        path: "6.12.107/vlan1",
        what: "frames of VLAN 70 dropped on the host above, in and below the bond; in two of the cases the other end was at fault (MTU, port down)",
        truth: with(truth(D::VlanTxPath, Decidable::Side), &[D::SwitchConfig, D::Physical]),
    },
    Recording {
        path: "6.12.107/vlanb",
        what: "a test NIC answers NETDEV_TX_BUSY below an active-backup bond: no LACP in it",
        truth: with(truth(D::HostDriverFirmware, Decidable::Nothing), &[D::VlanTxPath]),
    },
    Recording {
        path: "6.12.107/vland",
        what: "experiments with a VLAN on a member, one after the other, with failovers and silent legs: only their summary was kept",
        truth: with(truth(D::HostConfig, Decidable::Nothing), &[D::SwitchControlPlane, D::Physical]),
    },
    Recording {
        path: "6.12.107/vlane",
        what: "a VLAN on one of two LACP members, and both members deaf for a while: only summaries were kept",
        truth: with(truth(D::HostConfig, Decidable::Nothing), &[D::SwitchControlPlane]),
    },
    Recording {
        path: "6.12.107/xstats",
        what: "nothing injected: only the output of statistics commands was kept",
        truth: truth(D::Healthy, Decidable::Nothing),
    },
    Recording {
        path: "6.12.57/k57",
        what: "LACPDUs of h1 dropped on the wire towards the switch for 11 s; afterwards frames of VLAN 70 dropped on the host, and the port of the other end set down",
        truth: with(on(truth(D::VlanTxPath, Decidable::Side), &["h1"]), &[D::Physical]),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_on_disk_has_a_truth() {
        let root = crate::generated::repository().join("../shared/kernel-recordings");
        let found = crate::accuracy::recordings::recordings(&root).unwrap();
        if found.is_empty() {
            eprintln!("skipped: no kernel recordings at ../shared/kernel-recordings");
            return;
        }
        let table: Vec<&str> = RECORDINGS.iter().map(|r| r.path).collect();
        assert_eq!(found, table);
    }

    #[test]
    fn labels_agree_with_themselves() {
        assert!(RECORDINGS.windows(2).all(|p| p[0].path < p[1].path));
        for r in RECORDINGS {
            // A direction without a member would be a claim that cannot be checked.
            assert!(r.truth.way.is_none() || !r.truth.members.is_empty(), "{}", r.path);
        }
    }
}
