//! Which member a link of a capture of all interfaces belongs to.

use super::*;

/// A cooked capture of version 2 (`tcpdump -i any`): link, index of its interface.
fn sll2(links: &[(u16, u32, Vec<Frame>)]) -> Vec<u8> {
    let mut frames: Vec<(i64, u16, u32, bool, &Lacpdu)> = links
        .iter()
        .flat_map(|(member, index, frames)| {
            frames.iter().map(|(ms, ours, pdu)| (*ms, *member, *index, *ours, pdu))
        })
        .collect();
    frames.sort_by_key(|f| f.0);
    let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 20, 1, 0, 0];
    for (ms, member, index, ours, pdu) in frames {
        let mut frame = vec![0x88, 0x09, 0, 0];
        frame.extend(index.to_be_bytes());
        // ARPHRD_ETHER, then PACKET_OUTGOING or PACKET_MULTICAST.
        frame.extend([0, 1, if ours { 4 } else { 2 }, 6]);
        frame.extend(if ours { host_mac(member) } else { [0, 0x1c, 0x73, 0, 1, member as u8] });
        frame.extend([0, 0]);
        frame.extend(pdu.encode());
        let n = frame.len() as u32;
        for v in [(T0 + ms / 1000) as u32, (ms % 1000 * 1000) as u32, n, n] {
            out.extend(v.to_le_bytes());
        }
        out.extend(frame);
    }
    out
}

/// Nothing of the host passes the tap, and the partner has never heard it.
fn never_sent(member: u16) -> Vec<Frame> {
    talk(member, 90, |_| (None, Some((0x47, PortInfo::default()))))
}

fn names_with(capture: Vec<u8>, more: &[(&str, String)]) -> Vec<String> {
    let mut files = vec![("any.pcap".to_owned(), capture)];
    files.extend(more.iter().map(|(n, t)| ((*n).to_owned(), t.clone().into_bytes())));
    let report = judge(&files);
    assert_eq!(report.case.subjects.len(), 1);
    let heard = report.case.subjects[0].members.iter().filter(|m| m.wire.is_some());
    heard.map(|m| m.name.clone()).collect()
}

fn three_members() -> String {
    let mut text = proc([(63, 63), (63, 63)]);
    text.push_str("\nSlave Interface: eno3\nMII Status: up\nPermanent HW addr: 02:00:00:00:11:03\n");
    text
}

#[test]
fn an_index_is_named_by_any_source_that_lists_it() {
    let capture = || sll2(&[(1, 12, never_sent(1)), (2, 13, talk(2, 90, |_| healthy(2)))]);
    let proc = || ("bond0.txt", three_members());
    let link = |i: u32, n: u32| {
        format!(
            "{i}: eno{n}: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc mq master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n"
        )
    };
    for (name, text) in [
        ("ip-link.txt", format!("{}{}{}", link(12, 1), link(13, 2), link(14, 3))),
        ("ip.json", r#"[{"ifindex":12,"ifname":"eno1","flags":["UP"],"mtu":1500,"operstate":"UP"},{"ifindex":13,"ifname":"eno2","flags":["UP"],"mtu":1500,"operstate":"UP"}]"#.to_owned()),
        ("sys.txt", "/sys/class/net/eno1/ifindex:12\n/sys/class/net/eno2/ifindex:13\n".to_owned()),
    ] {
        assert_eq!(names_with(capture(), &[proc(), (name, text)]), ["eno1", "eno2"], "{name}");
    }
    assert_eq!(names_with(capture(), &[proc()]), ["eno2", "if12"], "nothing tells which of two it is");
}

#[test]
fn the_permanent_address_of_our_own_frames_goes_before_an_index_of_another_boot() {
    let healthy = |m| talk(m, 90, |_| healthy(m));
    let capture = sll2(&[(1, 12, healthy(1)), (2, 13, healthy(2))]);
    let stale = "/sys/class/net/eno2/ifindex:12\n/sys/class/net/eno1/ifindex:13\n".to_owned();
    let report = judge(&[
        ("any.pcap".to_owned(), capture),
        ("bond0.txt".to_owned(), proc([(63, 63), (63, 63)]).into_bytes()),
        ("sys.txt".to_owned(), stale.into_bytes()),
    ]);
    for m in &report.case.subjects[0].members {
        let part = &m.wire.as_ref().expect("captured").parts[0];
        assert_eq!(Some(part.out[0].source), m.perm, "{}", m.name);
    }
}

#[test]
fn an_index_that_two_interfaces_had_names_none() {
    let capture = sll2(&[(1, 12, never_sent(1)), (2, 13, talk(2, 90, |_| healthy(2)))]);
    let both = "/sys/class/net/eno1/ifindex:12\n/sys/class/net/eno3/ifindex:12\n".to_owned();
    assert_eq!(names_with(capture, &[("bond0.txt", three_members()), ("sys.txt", both)]), ["eno2", "if12"]);
}

#[test]
fn what_is_left_over_is_the_member_that_is_left_over_if_the_same_partner_speaks() {
    let two = || ("bond0.txt", proc([(63, 63), (63, 63)]));
    let capture = |stranger: bool| {
        let mut other = never_sent(1);
        for (_, _, pdu) in other.iter_mut().filter(|_| stranger) {
            pdu.actor.key = 77;
        }
        sll2(&[(1, 12, other), (2, 13, talk(2, 90, |_| healthy(2)))])
    };
    assert_eq!(names_with(capture(false), &[two()]), ["eno1", "eno2"]);
    assert_eq!(names_with(capture(true), &[two()]), ["eno2", "if12"]);
}

#[test]
fn a_list_of_members_that_was_cut_off_does_not_make_strangers_of_the_rest() {
    let whole = proc([(63, 63), (63, 63)]);
    let cut = whole[..whole.find("\nSlave Interface: eno2").expect("the second member")].to_owned();
    let report = judge(&[
        ("bond0.txt".to_owned(), cut.into_bytes()),
        ("eno1.pcap".to_owned(), pcap(1, &talk(1, 90, |_| healthy(1)))),
        ("eno2.pcap".to_owned(), pcap(2, &talk(2, 90, |_| healthy(2)))),
    ]);
    let members = &report.case.subjects[0].members;
    assert_eq!(members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["eno1", "eno2"]);
    for m in members {
        let part = &m.wire.as_ref().expect("captured").parts[0];
        assert_eq!((part.out.len(), part.ins.len()), (1, 1), "{}", m.name);
    }
    assert!(!checks(&report).contains(&"own-system-received"), "{:?}", checks(&report));
}
