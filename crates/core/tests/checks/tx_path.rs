//! The way of a VLAN's frames to the wire: `bond-discards-itself`, `egress-filter-drops`, `egress-program-unaccounted`,
//! `member-discards-on-transmit`, `member-queue-stopped`, `mtu-shrinks-on-path`, `sent-not-answered`, `vlan-down`,
//! `vlan-queue-drops`.

use crate::answers::Evidence;
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Bearing, Severity, Strength as S};

/// What one interface counts: sent and dropped.
type Sent = (u64, u64);

/// A reading of `ip -s -d link`: a VLAN over a bond of two members.
#[derive(Clone, Copy)]
struct Links {
    vlan: Sent,
    bond: Sent,
    member: Sent,
    vlan_up: bool,
    member_mtu: u32,
}

const IDLE: Links =
    Links { vlan: (100, 0), bond: (500, 0), member: (250, 0), vlan_up: true, member_mtu: 1500 };

impl Links {
    fn text(self) -> String {
        let block = |n: u32, name: &str, flags: &str, mtu: u32, rest: &str, detail: &str, (p, d): Sent| {
            format!(
                "{n}: {name}: <BROADCAST,MULTICAST,{flags}> mtu {mtu} qdisc noqueue {rest} mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 68 maxmtu 65535 \n{detail}    RX:  bytes packets errors dropped  missed   mcast           \n         90000     900      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n         {} {p} 0 {d} 0 0 \n",
                p * 100
            )
        };
        let up = if self.vlan_up { "UP,LOWER_UP" } else { "" };
        let flags = if self.vlan_up { up } else { "SIMPLE" };
        let mut text = String::new();
        for (n, name) in [(2, "eno1"), (3, "eno2")] {
            let sent = if n == 2 { self.member } else { (250, 0) };
            let mtu = if n == 2 { self.member_mtu } else { 1500 };
            text += &block(n, name, "SLAVE,UP,LOWER_UP", mtu, "master bond0 state UP", "", sent);
        }
        text += &block(4, "bond0", "MASTER,UP,LOWER_UP", 1500, "state UP", "", self.bond);
        let vlan = "    vlan protocol 802.1Q id 70 <REORDER_HDR> numtxqueues 1 numrxqueues 1 \n";
        text += &block(5, "bond0.70@bond0", flags, 1500, "state UP", vlan, self.vlan);
        text
    }
}

/// Two readings of the interfaces, and a file that is read before and after.
fn twice(before: Links, after: Links) -> Evidence {
    Evidence::bond().with("before/link.txt", before.text()).with("after/link.txt", after.text())
}

fn both(evidence: Evidence, name: &str, before: String, after: String) -> Evidence {
    evidence.with(&format!("before/{name}"), before).with(&format!("after/{name}"), after)
}

/// 120 frames of the VLAN lost above the bond.
fn lost() -> Evidence {
    twice(IDLE, Links { vlan: (100, 120), ..IDLE })
}

fn filter(vlan: u16, dropped: u64) -> String {
    format!(
        "filter protocol 802.1Q pref 49152 flower chain 0 \nfilter protocol 802.1Q pref 49152 flower chain 0 handle 0x1 \n  vlan_id {vlan}\n  not_in_hw\n\taction order 1: gact action drop\n\t random type none pass val 0\n\t index 1 ref 1 bind 1 installed 4 sec used 1 sec\n\tAction statistics:\n\tSent 17334 bytes {dropped} pkt (dropped {dropped}, overlimits 0 requeues 0) \n\tbacklog 0b 0p requeues 0\n"
    )
}

const ON_BOND: &str = "tc_-s_filter_show_dev_bond0_egress";

fn qdisc(dev: &str, kind: &str, sent: u64, dropped: u64, backlog: u64) -> String {
    format!(
        "qdisc {kind} 8001: dev {dev} root refcnt 2 limit 10p\n Sent 20000 bytes {sent} pkt (dropped {dropped}, overlimits 0 requeues {backlog}) \n backlog 0b {backlog}p requeues {backlog}\n"
    )
}

#[test]
fn a_filter_that_counted_what_is_missing_is_the_place() {
    both(lost(), ON_BOND, filter(70, 7), filter(70, 127))
        .ask("egress-filter-drops")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Strong)
        .says("bond0.70 counts 120 drops, and flower on bond0 dropped 120 (owner: tc)");
}

#[test]
fn a_filter_for_another_vlan_one_that_stood_still_and_one_that_counted_little_are_not() {
    both(lost(), ON_BOND, filter(30, 7), filter(30, 127)).ask("egress-filter-drops").quiet();
    both(lost(), ON_BOND, filter(70, 127), filter(70, 127)).ask("egress-filter-drops").quiet();
    both(lost(), ON_BOND, filter(70, 7), filter(70, 37)).ask("egress-filter-drops").quiet();
    // Nothing of the VLAN is missing: the filter drops what nobody here asked about.
    both(
        twice(IDLE, Links { vlan: (220, 0), bond: (620, 0), member: (370, 0), ..IDLE }),
        ON_BOND,
        filter(70, 7),
        filter(70, 127),
    )
    .ask("egress-filter-drops")
    .quiet();
}

const CILIUM: &str =
    "xdp:\n\ntc:\nbond0(4) tcx/egress cil_to_netdev prog_id 812 link_id 9\n\nflow_dissector:\n\nnetfilter:\n";

#[test]
fn a_program_that_does_not_count_is_named_and_not_accused() {
    lost()
        .with("bpftool.txt", CILIUM)
        .ask("egress-program-unaccounted")
        .context()
        .says("bond0.70: 120 frames are lost above the members; cil_to_netdev id 812 on bond0 does not say");
}

/// Everything else was read: no queue, no rule of nft, no other program.
fn nothing_else(evidence: Evidence) -> Evidence {
    let none = |dev: &str| {
        format!(
            "qdisc noqueue 0: dev {dev} root refcnt 2 \n Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n"
        )
    };
    evidence
        .with("after/qdisc.txt", ["eno1", "eno2", "bond0", "bond0.70"].map(none).concat())
        .with("after/nft.txt", "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n")
}

#[test]
fn a_program_that_is_all_that_is_left_is_accused() {
    nothing_else(lost().with("bpftool.txt", CILIUM))
        .ask("egress-program-unaccounted")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Moderate);
}

#[test]
fn a_program_is_no_matter_where_nothing_is_lost() {
    let sent = Links { vlan: (220, 0), bond: (620, 0), member: (370, 0), ..IDLE };
    nothing_else(twice(IDLE, sent).with("bpftool.txt", CILIUM)).ask("egress-program-unaccounted").quiet();
}

#[test]
fn a_queue_that_refused_what_is_missing_is_the_place() {
    both(lost(), "qdisc.txt", qdisc("eno1", "pfifo", 50, 4, 0), qdisc("eno1", "pfifo", 50, 124, 0))
        .ask("vlan-queue-drops")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Strong)
        .says("pfifo 8001: on eno1 dropped 120");
    // It swallows: the VLAN counts the frames as sent.
    let swallowed = Links { vlan: (220, 0), ..IDLE };
    both(
        twice(IDLE, swallowed),
        "qdisc.txt",
        qdisc("eno1", "netem", 50, 0, 0),
        qdisc("eno1", "netem", 50, 120, 0),
    )
    .ask("vlan-queue-drops")
    .one()
    .accuses(D::VlanTxPath, S::Strong)
    .says("took and discarded 120 frames");
}

#[test]
fn a_queue_that_stood_still_or_drops_a_little_under_load_is_not() {
    both(lost(), "qdisc.txt", qdisc("eno1", "pfifo", 50, 124, 0), qdisc("eno1", "pfifo", 90, 124, 0))
        .ask("vlan-queue-drops")
        .quiet();
    let busy = Links { vlan: (1_000_100, 0), bond: (998_500, 0), member: (998_250, 0), ..IDLE };
    both(
        twice(IDLE, busy),
        "qdisc.txt",
        qdisc("eno1", "fq_codel", 50, 0, 0),
        qdisc("eno1", "fq_codel", 1_000_000, 2000, 0),
    )
    .ask("vlan-queue-drops")
    .quiet();
}

#[test]
fn a_driver_that_takes_nothing_lets_the_queue_grow() {
    let waits = Links { vlan: (300, 0), ..IDLE };
    both(
        twice(IDLE, waits),
        "qdisc.txt",
        qdisc("eno1", "fq_codel", 50, 0, 0),
        qdisc("eno1", "fq_codel", 50, 0, 200),
    )
    .ask("member-queue-stopped")
    .one()
    .about("eno1", Some(Way::HostToSwitch))
    .says("200 frames wait in the queue of eno1");
    let sent = Links { vlan: (300, 0), bond: (700, 0), member: (450, 0), ..IDLE };
    both(
        twice(IDLE, sent),
        "qdisc.txt",
        qdisc("eno1", "fq_codel", 50, 0, 0),
        qdisc("eno1", "fq_codel", 250, 0, 3),
    )
    .ask("member-queue-stopped")
    .quiet();
}

#[test]
fn a_vlan_that_is_off_is_a_fault_only_for_who_wants_to_send() {
    let off = Links { vlan_up: false, ..IDLE };
    twice(off, off)
        .with("burst.txt", "sender: {'ENETDOWN': 120}\n")
        .ask("vlan-down")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Moderate)
        .says("bond0.70 is switched off");
    twice(off, off).ask("vlan-down").context().neutral(Severity::Warning);
    lost().ask("vlan-down").quiet();
}

#[test]
fn a_member_that_drops_is_the_driver() {
    let drops = Links { vlan: (100, 120), bond: (500, 120), member: (250, 120), ..IDLE };
    let said =
        twice(IDLE, drops).ask("member-discards-on-transmit").one().about("eno1", Some(Way::HostToSwitch));
    assert_eq!(
        said.finding.bearing,
        Bearing::Implicates(vec![(D::VlanTxPath, S::Moderate), (D::HostDriverFirmware, S::Weak)])
    );
    lost().ask("member-discards-on-transmit").quiet();
    // A small MTU below explains it.
    twice(Links { member_mtu: 1000, ..IDLE }, Links { member_mtu: 1000, ..drops })
        .ask("mtu-shrinks-on-path")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Moderate)
        .says("the MTU of eno1 is 1000, that of bond0.70 above it 1500");
}

#[test]
fn a_smaller_mtu_without_drops_is_a_warning() {
    twice(Links { member_mtu: 1000, ..IDLE }, Links { member_mtu: 1000, ..IDLE })
        .ask("mtu-shrinks-on-path")
        .context()
        .neutral(Severity::Warning);
    twice(IDLE, IDLE).ask("mtu-shrinks-on-path").quiet();
}

#[test]
fn what_the_bond_counts_beyond_its_members_is_its_own() {
    twice(IDLE, Links { vlan: (100, 120), bond: (500, 120), ..IDLE })
        .ask("bond-discards-itself")
        .one()
        .about("", Some(Way::HostToSwitch))
        .says("bond0 counts 120 drops that no member counts");
    let of_member = Links { vlan: (100, 120), bond: (500, 120), member: (250, 120), ..IDLE };
    twice(IDLE, of_member).ask("bond-discards-itself").quiet();
}

const NO_ANSWER: &str = "PING 192.168.70.1 (192.168.70.1): 56 data bytes\n\n--- 192.168.70.1 ping statistics ---\n3 packets transmitted, 0 packets received, 100% packet loss\n";

#[test]
fn what_left_and_was_not_answered_is_not_the_way_out() {
    let sent = Links { vlan: (220, 0), bond: (620, 0), member: (370, 0), ..IDLE };
    let said = twice(IDLE, sent).with("ping.txt", NO_ANSWER).ask("sent-not-answered").one();
    assert_eq!(said.finding.bearing, Bearing::RulesOut(D::VlanTxPath));
    twice(IDLE, sent)
        .with("ping.txt", NO_ANSWER.replace(" 0 packets received, 100%", " 3 packets received, 0%"))
        .ask("sent-not-answered")
        .quiet();
    // The members did not send it.
    twice(IDLE, Links { vlan: (220, 0), ..IDLE })
        .with("ping.txt", NO_ANSWER)
        .ask("sent-not-answered")
        .quiet();
}
