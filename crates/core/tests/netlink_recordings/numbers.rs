//! Messages that name an interface by its number only, beside the dump of links in a file of its own, as collections have
//! them; and what the differential trial (`cargo xtask vm --differ`) found to be read wrong.

use super::built::{file, link};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::evidence::What;
use bondwitness_core::netlink::build::Request;

/// `struct tcmsg` at clsact's egress, priority 1, EtherType 0x8809.
fn head(index: u32) -> Vec<u8> {
    let protocol = u32::from(u16::from_ne_bytes([0x88, 0x09]));
    let mut head = vec![0; 4];
    for n in [index, 1, 0xffff_fff3, 1 << 16 | protocol] {
        head.extend(n.to_ne_bytes());
    }
    head
}

/// A filter that drops all LACPDUs of the interface with this number.
fn filter(index: u32) -> Vec<u8> {
    let gact: Vec<u8> = [1i32, 0, 2, 1, 1].iter().flat_map(|n| n.to_ne_bytes()).collect();
    Request::new(44, 2, 5)
        .octets(&head(index))
        .text(1, "flower")
        .nested(2)
        .nested(3)
        .nested(1)
        .text(1, "gact")
        .nested(2)
        .attr(2, &gact)
        .bytes()
}

/// `RTM_NEWSTATS` with the LACPDUs that a member received.
fn received(index: u32, count: u64) -> Vec<u8> {
    let mut head = vec![0; 4];
    head.extend(index.to_ne_bytes());
    head.extend([4, 0, 0, 0]);
    Request::new(92, 2, 6).octets(&head).nested(3).nested(2).nested(1).u64(0, count).bytes()
}

/// Interfaces of all hooks and of all counters of LACPDUs.
fn named(files: &[(&str, Vec<u8>)]) -> (Vec<String>, Vec<String>) {
    let inputs: Vec<Input<'_>> =
        files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
    let case = diagnose::case_of(&inputs);
    let hooks = case.hooks().filter_map(|(_, h)| h.dev.clone()).collect();
    let counters = case.records.iter().filter_map(|r| match &r.what {
        What::Counters(c) if c.entries.iter().any(|e| e.name == "lacpdu_rx") => c.dev.clone(),
        _ => None,
    });
    (hooks, counters.collect())
}

#[test]
fn the_dump_of_links_names_what_other_files_number() {
    let links = |messages: &[Request]| {
        let all: Vec<u8> = messages.iter().flat_map(|m| m.clone().bytes()).collect();
        file(&[(0, "RTM_GETLINK dump", all)])
    };
    let (eno1, eno2) = (link("eno1", 7, 0x1_1843), link("eno2", 8, 0x1_1843));
    let filters = file(&[(0, "RTM_GETTFILTER eno1 egress", filter(7))]);
    let stats = file(&[(0, "RTM_GETSTATS eno2", received(8, 5))]);
    let case = |links: Vec<u8>, folder: &str| {
        named(&[
            (&format!("{folder}/links.pcapng"), links),
            ("state/filters.pcapng", filters.clone()),
            ("state/stats.pcapng", stats.clone()),
        ])
    };
    let list = |names: [&str; 1]| names.map(str::to_owned).to_vec();
    let both = || links(&[eno1.clone(), eno2.clone()]);
    assert_eq!(case(both(), "state"), (list(["eno1"]), list(["eno2"])));
    // Another folder may be another namespace, with other numbers.
    assert_eq!(case(both(), "other"), (list(["if7"]), list(["if8"])));
    // Two interfaces have had the number 7.
    let again = links(&[eno1.clone(), link("tap0", 7, 0x1_1843), eno2.clone()]);
    assert_eq!(case(again, "state"), (list(["if7"]), list(["eno2"])));
}

#[test]
fn a_filter_on_a_member_is_found_in_a_collection() {
    let member = link("eno1", 7, 0x1_1843).u32(10, 3).nested(18).text(4, "bond").nested(5).u8(1, 0).u8(2, 0);
    let member = member.u16(6, 1).u8(7, 63).u16(8, 63).end().end().bytes();
    let bond = link("bond0", 3, 0x1_1443).nested(18).text(1, "bond").nested(2).u8(1, 4).end().end().bytes();
    let links = file(&[(0, "RTM_GETLINK dump", [member, bond].concat())]);
    let filters = file(&[(0, "RTM_GETTFILTER eno1 clsact egress", filter(7))]);
    let input = |path, bytes| Input { path, bytes, sha256: None, problem: None };
    let report =
        diagnose::diagnose(&[input("state/links.pcapng", &links), input("state/filters.pcapng", &filters)]);
    let findings: Vec<_> = report.subjects.iter().flat_map(|s| &s.judged.findings).collect();
    assert!(
        findings.iter().any(|f| f.check == "slow-protocol-filter" && f.member.as_deref() == Some("eno1")),
        "{:?}",
        findings.iter().map(|f| (f.check, f.member.clone())).collect::<Vec<_>>()
    );
}

#[test]
fn flower_and_u32_are_read_as_tc_prints_them() {
    let flower = Request::new(44, 2, 5)
        .octets(&head(7))
        .text(1, "flower")
        .nested(2)
        // TCA_FLOWER_KEY_VLAN_ID, in the order of the host; _VLAN_ETH_TYPE, in that of the network.
        .u16(23, 70)
        .attr(25, &[0x08, 0x00])
        // TCA_FLOWER_KEY_IPV4_DST and its mask; TCA_FLOWER_KEY_ETH_SRC with a mask that is no prefix.
        .attr(12, &[192, 0, 2, 0])
        .attr(13, &[255, 255, 255, 0])
        .attr(6, &[2, 0, 0, 0, 0, 1])
        .attr(7, &[0xff, 0, 0, 0, 0, 0xff])
        .end()
        .bytes();
    // TCA_U32_SEL with one key, TCA_U32_PCNT, TCA_U32_FLAGS (not in hardware).
    let mut selector = vec![0, 0, 1, 0];
    selector.resize(16, 0);
    selector.extend([0, 0, 0xff, 0xff, 0, 0, 0x88, 0x09]);
    selector.extend((-4i32).to_ne_bytes());
    selector.extend([0; 4]);
    let tried: Vec<u8> = [8u64, 3, 3].iter().flat_map(|n| n.to_ne_bytes()).collect();
    let u32 = Request::new(44, 2, 5).octets(&head(7)).text(1, "u32").nested(2).attr(5, &selector);
    let u32 = u32.attr(9, &tried).u32(11, 8).end().bytes();
    let bytes = file(&[(0, "RTM_GETTFILTER eno1 egress", [flower, u32].concat())]);
    let case =
        diagnose::case_of(&[Input { path: "filters.pcapng", bytes: &bytes, sha256: None, problem: None }]);
    let lines: Vec<&str> = case
        .records
        .iter()
        .filter_map(|r| match &r.what {
            What::Fields(f) if f.source == "tc-filter" => Some(&f.entries),
            _ => None,
        })
        .flatten()
        .map(|f| f.value.as_str())
        .collect();
    for line in [
        "vlan_id 70",
        "vlan_ethtype ip",
        "dst_ip 192.0.2.0/24",
        "src_mac 02:00:00:00:00:01/ff:00:00:00:00:ff",
        "match 00008809/0000ffff at -4 (success 3 )",
        "not_in_hw (rule hit 8 success 3)",
    ] {
        assert!(lines.contains(&line), "{line:?} is not among {lines:?}");
    }
}
