//! Who put a filter there, as far as its name tells, and what is to be done there first.

use crate::report::printable;

/// Who a filter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Cilium's datapath (`bpf/bpf_host.c`: sections `to-netdev` and `from-netdev`, programs `cil_to_netdev`,
    /// `cil_from_netdev`).
    Cilium,
    /// Calico's eBPF datapath (`calico_tc_*`, `cali_*`, `to_hep_*`).
    Calico,
    /// A BPF program that nobody here knows.
    Bpf,
    /// firewalld's tables.
    Firewalld,
    /// A rule of nftables.
    Nft,
    /// A filter of tc.
    Tc,
}

impl Owner {
    /// From what a tool printed of the program or filter: `bpf bpf_host.o:[to-netdev]`, `nft netdev guard out`, `flower`.
    #[must_use]
    pub fn of(program: &str) -> Self {
        let p = program.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| p.contains(w));
        if has(&[
            "cil_to_netdev",
            "cil_from_netdev",
            "cil_to_host",
            "cil_from_host",
            "bpf_host.o",
            "bpf_netdev",
            "to-netdev",
            "from-netdev",
            "cilium",
        ]) {
            Self::Cilium
        } else if has(&[
            "calico_tc",
            "calico_to_",
            "calico_from_",
            "cali_tc",
            "to_hep_",
            "from_hep_",
            "calico",
        ]) {
            Self::Calico
        } else if p.starts_with("nft ") {
            if p.contains("firewalld") { Self::Firewalld } else { Self::Nft }
        } else if p.starts_with("bpf") || has(&["tcx", ".o:[", " prog_id ", " id "]) {
            Self::Bpf
        } else {
            Self::Tc
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cilium => "Cilium",
            Self::Calico => "Calico",
            Self::Bpf => "a BPF program of unknown owner",
            Self::Firewalld => "firewalld",
            Self::Nft => "nftables",
            Self::Tc => "tc",
        }
    }

    /// What to do at its owner.
    #[must_use]
    pub fn remedy(self, dev: &str, program: &str, vlan: Option<u16>) -> String {
        let (dev, program) = (printable(dev), printable(program));
        let tag = vlan.map_or_else(|| "the VLAN's id".to_owned(), |v| v.to_string());
        match self {
            Self::Cilium => format!(
                "Cilium lets only the VLAN tags pass that it was told or found at its start: add {tag} to the Helm value bpf.vlanBypass (agent option --vlan-bpf-bypass) and restart the agent on this node; `cilium-dbg monitor --type drop` names the drop \"VLAN traffic disallowed by VLAN filter\""
            ),
            Self::Calico => format!(
                "Calico attaches its programs to what FelixConfiguration's bpfDataIfacePattern matches: look at its policy for host endpoints on {dev}, or leave {dev} out of the pattern"
            ),
            Self::Bpf => format!(
                "find who loaded it: `bpftool prog show` (name, uid, loaded_at) and `bpftool net show dev {dev}`; mend it there, not by removing {program} by hand"
            ),
            Self::Firewalld => format!(
                "mend the zone or policy in firewalld that {program} comes from; a rule changed in nft is lost at the next reload"
            ),
            Self::Nft => format!(
                "mend the rule where it is kept (the file that `nft -f` loads, or the program that owns the table): {program}"
            ),
            Self::Tc => format!(
                "find who sets it (a script, networkd, a container's network plugin): `tc -s filter show dev {dev} egress`; mend it there, else it comes back"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_owner() {
        for (program, owner) in [
            ("bpf cil_to_netdev-bond0", Owner::Cilium),
            ("bpf bpf_host.o:[to-netdev]", Owner::Cilium),
            ("cil_to_netdev id 12", Owner::Cilium),
            ("bpf calico_tc_main", Owner::Calico),
            ("nft netdev guard out", Owner::Nft),
            ("nft inet firewalld filter", Owner::Firewalld),
            ("bpf", Owner::Bpf),
            ("tcx/egress id 9", Owner::Bpf),
            ("flower", Owner::Tc),
            ("matchall", Owner::Tc),
        ] {
            assert_eq!(Owner::of(program), owner, "{program}");
        }
        assert!(
            Owner::Cilium.remedy("bond0", "x", Some(70)).contains("add 70 to the Helm value bpf.vlanBypass")
        );
    }
}
