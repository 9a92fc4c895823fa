//! What became of every numbered requirement that no check names: a table written by hand after reading the code.
//!
//! Requirements that a check names in `Check.requirements` are not listed here; a test sees to it that each id has one
//! of the two and never both. A row that claims something points to the file that does it, and `cargo xtask docs` fails
//! if that file is gone.

use bondwitness_core::finding::Check;

/// How far a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Done.
    Met,
    /// The evidence is read or a part is done; the rest is named in the reason.
    Partly,
    /// Nothing yet; the reason names where it belongs.
    Later,
    /// A statement about the source documents that asks for nothing that a program could do.
    NoCode,
}

impl Status {
    /// The word in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Partly => "partly",
            Self::Later => "later",
            Self::NoCode => "no code needed",
        }
    }
}

/// Why some requirements have no check.
pub(crate) struct Reason {
    /// The ids.
    pub(crate) ids: &'static [&'static str],
    /// How far they are met.
    pub(crate) status: Status,
    /// Why, in one sentence.
    pub(crate) why: &'static str,
    /// The files that the claim rests on, from the root of the repository.
    pub(crate) files: &'static [&'static str],
}

/// Every id of the requirements, in order.
pub(crate) fn all_ids() -> Vec<String> {
    let mut ids: Vec<String> = (1..=42).map(|n| format!("S0-{n:02}")).collect();
    ids.extend((1..=121).map(|n| format!("S4-{n:02}")));
    ids.extend((1..=8).map(|n| format!("D-{n:02}")));
    for n in 1..=38 {
        ids.push(format!("E-{n:02}"));
        if n == 11 {
            ids.push("E-11b".to_owned());
        }
    }
    ids
}

/// The checks that name an id.
pub(crate) fn checks_for<'a>(checks: &'a [Check], id: &str) -> Vec<&'a Check> {
    checks.iter().filter(|c| c.requirements.contains(&id)).collect()
}

/// The reason for an id without a check.
pub(crate) fn reason_for(id: &str) -> Option<&'static Reason> {
    REASONS.iter().find(|r| r.ids.contains(&id))
}

const fn reason(
    ids: &'static [&'static str],
    status: Status,
    why: &'static str,
    files: &'static [&'static str],
) -> Reason {
    Reason { ids, status, why, files }
}

use Status::{Later, Met, NoCode, Partly};

/// The table, by area.
pub(crate) const REASONS: &[Reason] = &[
    // VLAN over a bond: symptoms and inventory.
    reason(&["S0-01"], Later, "probing a pod's gateway is a live probe: a later issue", &[]),
    reason(
        &["S0-02"],
        Partly,
        "`ip neigh` is read with its states; no check judges a FAILED gateway yet, other network namespaces are looked at with `--netns` one at a time",
        &["crates/core/src/parse/ip_neigh.rs"],
    ),
    reason(&["S0-03"], Later, "history per VLAN needs the flight recorder: a later issue", &[]),
    reason(
        &["S0-04"],
        Partly,
        "log lines of switches are recognised and kept as they are; they are not on the timeline yet (issue on switch output)",
        &["crates/core/src/parse/switch_output.rs"],
    ),
    reason(
        &["S0-05"],
        Met,
        "release, kernel, driver, firmware and NICs are collected and read",
        &[
            "crates/core/src/parse/os_release.rs",
            "crates/core/src/parse/uname.rs",
            "crates/core/src/parse/ethtool_driver.rs",
            "crates/core/src/parse/lspci.rs",
        ],
    ),
    reason(
        &["S0-07"],
        Partly,
        "findings name the VLAN that drops; a verdict per VLAN is not given, the subject is the bond",
        &["crates/core/src/checks/vlan_tx_drop.rs"],
    ),
    reason(
        &["S0-08", "S0-37"],
        Later,
        "network attachment definitions belong to the bypass reconciler: a later issue",
        &[],
    ),
    reason(
        &["S0-09"],
        Partly,
        "LLDP neighbours are read; the vendor of the gateway's MAC address is not looked up",
        &["crates/core/src/parse/lldp.rs"],
    ),
    reason(&["S0-12"], Later, "the fleet view is a later issue", &[]),
    reason(
        &["S0-14"],
        Met,
        "drop reports with place and reason are read (`skb:kfree_skb`, drop monitor) and cited by `vlan-tx-drop`",
        &["crates/core/src/parse/tracefs.rs", "crates/core/src/parse/drop_monitor.rs"],
    ),
    reason(&["S0-15"], Later, "the A/B probe changes the host: a later issue, with guard rails", &[]),
    reason(
        &["S0-18"],
        Met,
        "the queueing discipline of every layer is read",
        &["crates/core/src/parse/tc_qdisc.rs"],
    ),
    reason(
        &["S0-19", "S0-20", "S0-21", "S0-22", "S0-23", "S0-24", "S0-25", "S0-26"],
        Later,
        "a journal of remedies with counters before and after is a later issue",
        &[],
    ),
    reason(
        &["S0-28"],
        Later,
        "recognising a recovery by bounce needs history: flight recorder, a later issue",
        &[],
    ),
    reason(
        &[
            "S0-29", "S0-30", "S0-31", "S0-32", "S0-33", "S0-34", "S0-35", "S0-36", "S0-38", "S0-39",
            "S0-40", "S0-41", "E-08",
        ],
        Partly,
        "`bypass plan|apply|run|remove` keeps the interface, with guard rails; what is not settled or measured stands in docs/bypass.md",
        &["crates/core/src/plan/bypass.rs", "crates/host/src/reconcile.rs"],
    ),
    // Fast plan.
    reason(
        &["S4-01"],
        Met,
        "one command collects and judges, on the running host or from saved evidence",
        &["crates/bondwitness/src/cmd/diagnose.rs", "crates/bondwitness/src/cmd/live.rs"],
    ),
    reason(
        &["S4-03"],
        Met,
        "outages on the wire while carrier holds get a cause of their own, and the `lacp-lost-*` and `partner-*` checks speak about them",
        &["crates/core/src/wire.rs"],
    ),
    reason(
        &["S4-04"],
        Met,
        "`ip -br link`, `ip -d -s link`, their JSON and the netlink messages themselves are read",
        &["crates/core/src/parse/ip_link.rs", "crates/core/src/parse/ip_link_json.rs"],
    ),
    reason(
        &["S4-07"],
        Met,
        "the whole file is read, of every kernel generation and privilege level; unknown lines are listed",
        &["crates/core/src/parse/proc_bonding.rs"],
    ),
    reason(
        &["S4-10"],
        Met,
        "kernel log, journal and driver messages are collected, read and classified",
        &[
            "crates/core/src/parse/kernel_log.rs",
            "crates/core/src/parse/kernel_messages.rs",
            "crates/core/src/parse/journal_json.rs",
        ],
    ),
    reason(
        &["S4-19"],
        Met,
        "every finding has a citation, and `gaps` names the kinds of evidence that are missing",
        &["crates/core/src/finding.rs", "crates/core/src/verdict.rs"],
    ),
    // Facts for `explain`.
    reason(
        &["S4-20", "S4-22", "S4-23", "S4-28", "S4-111"],
        Later,
        "general facts: `explain` has pages of checks only, no page of general questions yet",
        &[],
    ),
    // Tasks.
    reason(
        &["S4-44"],
        Later,
        "a matrix of known-good drivers and firmware belongs to the fleet view: a later issue",
        &[],
    ),
    reason(
        &["S4-51"],
        Partly,
        "`bridge link` and `bridge vlan` are read; the collectors leave the VLANs of bridges out",
        &["crates/core/src/parse/bridge_link.rs", "crates/core/src/parse/bridge_vlan.rs"],
    ),
    reason(&["S4-53"], Later, "`drill`: a later issue", &[]),
    reason(
        &["S4-55"],
        Met,
        "every member is captured on, in both directions; captures of every member, or one of all interfaces, are read",
        &[
            "crates/host/src/sensor/taps.rs",
            "crates/core/src/capture/reader.rs",
            "crates/core/src/capture/fold.rs",
        ],
    ),
    reason(
        &["S4-62", "S4-68"],
        Partly,
        "the verdict's next steps name what to ask the network team; the full request (`ask-switch`) is a later issue",
        &["crates/core/src/advice.rs"],
    ),
    reason(
        &["S4-64", "S4-66", "S4-67", "S4-75"],
        Later,
        "switch output is recognised and listed, not read further; asking for it and judging it are later issues (switch request, switch parsers)",
        &["crates/core/src/parse/switch_output.rs"],
    ),
    reason(
        &["S4-76", "S4-78"],
        Met,
        "frames are taken by EtherType 0x8809 and decoded to the standard's layout; wrong lengths are anomalies",
        &["crates/lacp/src/wire.rs", "crates/core/src/capture/fold.rs"],
    ),
    reason(
        &["S4-77", "E-11b"],
        Partly,
        "the verdict asks for captures on members, never on the bond, and a member without one is a gap; that a capture was taken on the bond itself is not said yet",
        &["crates/core/src/verdict.rs"],
    ),
    // Checklists.
    reason(&["S4-92"], Met, "the window of the case is given in UTC", &["crates/core/src/report/mod.rs"]),
    reason(
        &["S4-93", "S4-94", "S4-95", "S4-96", "S4-97"],
        Met,
        "snapshots, logs, counters, settings and captures of one window are collected and read together",
        &["crates/host/src/sensor/session.rs", "crates/core/src/case.rs"],
    ),
    reason(
        &[],
        Partly,
        "events of all sources are on one timeline and clocks are tied where two sources saw the same event; the switch's log is not on it yet",
        &["crates/core/src/timeline.rs"],
    ),
    reason(
        &["S4-100", "S4-102", "S4-103", "S4-104"],
        Partly,
        "the next steps of a `physical` verdict name the order, one part at a time, with readings before and after ten minutes under load; the program does not keep a record of the swaps",
        &["crates/core/src/advice.rs"],
    ),
    reason(
        &["S4-101", "S4-106"],
        Later,
        "comparing before and after a change needs baselines: a later issue",
        &[],
    ),
    reason(
        &[],
        Partly,
        "classification, logs, counters, wire and snapshots are judged together; the drill and comparing both ends' counters are later issues",
        &["crates/core/src/verdict.rs"],
    ),
    // Implied requirements.
    reason(
        &["D-01"],
        Met,
        "twelve fault domains with side, confidence, suspects and what would change the verdict",
        &["crates/core/src/domain.rs", "crates/core/src/verdict.rs"],
    ),
    reason(
        &["D-02"],
        Met,
        "a finding cannot be built without a citation; inputs carry hashes",
        &["crates/core/src/finding.rs", "crates/core/src/evidence/citation.rs"],
    ),
    reason(
        &["D-03"],
        Met,
        "folders, archives, bundles, sosreports, Talos support archives, captures and pasted text are read",
        &["crates/host/src/load/mod.rs"],
    ),
    reason(
        &["D-04"],
        Met,
        "neither the advised capture (`tcpdump -p`) nor our own sets promiscuous mode",
        &["crates/core/src/advice.rs", "crates/host/src/sys/packet.rs"],
    ),
    reason(
        &["D-05"],
        Met,
        "the short form of /proc/net/bonding is read and the missing details are a gap with reason and command; `doctor` tells before",
        &["crates/core/src/parse/proc_bonding.rs", "crates/bondwitness/src/cmd/doctor/mod.rs"],
    ),
    reason(
        &["D-07"],
        Met,
        "teamd and Open vSwitch are read as subjects beside bonding",
        &[
            "crates/core/src/parse/teamdctl_state.rs",
            "crates/core/src/parse/ovs_bond_show.rs",
            "crates/core/src/parse/ovs_lacp_show.rs",
        ],
    ),
    reason(
        &["D-08"],
        Partly,
        "`chronyc tracking` and `timedatectl` are read; nothing is correlated with switch logs yet, so no verdict uses them",
        &["crates/core/src/parse/chrony.rs"],
    ),
    // Errata.
    reason(
        &["E-05"],
        Partly,
        "counters of one reading stay together and each keeps its place; live, links come from one netlink dump, which the kernel may interrupt",
        &["crates/core/src/case.rs"],
    ),
    reason(&["E-11"], NoCode, "a remark on a name", &[]),
    reason(
        &["E-18"],
        Met,
        "flaps are found in LACPDUs and state, not in the log; sampling state live is issue 4",
        &["crates/core/src/wire.rs"],
    ),
    reason(
        &["E-19"],
        Met,
        "both wordings of the log line are read",
        &["crates/core/src/parse/kernel_messages.rs"],
    ),
    reason(
        &["E-21"],
        Met,
        "the header is read whatever its version",
        &["crates/core/src/parse/proc_bonding.rs"],
    ),
    reason(
        &["E-22"],
        Partly,
        "the parser's tests hold text of real kernels; the recordings that `cargo xtask accuracy` reads are real kernels too",
        &["crates/core/src/parse/proc_bonding.rs", "xtask/src/truth.rs"],
    ),
    reason(
        &["E-24"],
        Met,
        "sysfs values are read with number and name, `ip -d` with its names",
        &["crates/core/src/parse/sysfs_net.rs", "crates/core/src/parse/ip_link.rs"],
    ),
    reason(
        &["E-27"],
        Met,
        "LACPDUs are decoded by our own decoder; tcpdump's text is read in its real layout",
        &["crates/lacp/src/wire.rs", "crates/core/src/parse/tcpdump_lacp.rs"],
    ),
    reason(
        &["E-28"],
        Met,
        "a capture shorter than four expected periods is a gap of the verdict",
        &["crates/core/src/verdict.rs"],
    ),
    reason(&["E-30", "E-33"], NoCode, "a remark on wording or on the date of a sample", &[]),
    reason(
        &["E-32"],
        Met,
        "what a counter means is decided per driver name, with the direction-revealing fault counters",
        &["crates/core/src/parse/counter_meaning.rs"],
    ),
    reason(&["E-34"], Met, "no check blames ad_select", &["crates/core/src/checks/mod.rs"]),
    reason(&["E-38"], NoCode, "samples that must not become fixtures; none did", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use bondwitness_core::checks::CHECKS;
    use std::collections::BTreeSet;

    /// The ids that a text of requirements defines: the first cell of its table rows.
    fn ids_of(text: &str) -> Vec<String> {
        text.lines()
            .filter_map(|l| l.strip_prefix("| ")?.split(" |").next())
            .map(str::trim)
            .filter(|c| {
                c.split_once('-').is_some_and(|(area, number)| {
                    matches!(area, "S0" | "S4" | "D" | "E")
                        && number.starts_with(|d: char| d.is_ascii_digit())
                })
            })
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn ids_are_found_in_a_text() {
        let text = "| ID | x |\n|---|---|\n| S0-01 | a |\n| E-11b | b | c |\n| D-wrong | d |\nS4-01 in prose\n| none | S4-02 |\n";
        assert_eq!(ids_of(text), ["S0-01", "E-11b"]);
    }

    #[test]
    fn every_id_of_the_requirements_is_known() {
        let path = crate::generated::repository().join("../shared/design/requirements.md");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: no requirements at ../shared/design/requirements.md");
            return;
        };
        let given: BTreeSet<String> = ids_of(&text).into_iter().collect();
        assert_eq!(given, all_ids().into_iter().collect());
    }

    #[test]
    fn every_id_has_a_check_or_a_reason_and_not_both() {
        for id in all_ids() {
            let checks = checks_for(CHECKS, &id);
            let reasons: Vec<_> = REASONS.iter().filter(|r| r.ids.contains(&id.as_str())).collect();
            assert!(!checks.is_empty() || reasons.len() == 1, "{id}: no check and {} reasons", reasons.len());
            assert!(checks.is_empty() || reasons.is_empty(), "{id}: a check names it, so its reason must go");
        }
    }

    #[test]
    fn no_check_and_no_reason_names_an_unknown_id() {
        let known: BTreeSet<String> = all_ids().into_iter().collect();
        for id in CHECKS.iter().flat_map(|c| c.requirements).chain(REASONS.iter().flat_map(|r| r.ids)) {
            assert!(known.contains(*id), "{id}");
        }
    }

    #[test]
    fn claims_rest_on_files_that_exist() {
        let root = crate::generated::repository();
        for r in REASONS {
            assert!(matches!(r.status, Status::Later | Status::NoCode) || !r.files.is_empty(), "{:?}", r.ids);
            for file in r.files {
                assert!(root.join(file).is_file(), "{file}");
            }
        }
    }
}
