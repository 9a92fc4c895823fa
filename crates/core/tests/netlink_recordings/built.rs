//! Replies that no driver of the guest can give: built octet by octet after `include/uapi/linux/ethtool_netlink.h`,
//! `if_link.h`, `net_dropmon.h` (Linux 6.12) and the documents of the transceivers. They show that the reader reads what those
//! headers say, not that a driver says so.

use bondwitness_core::capture::writer::{self, Packet, Writer};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::evidence::{Counter, FileId, Meaning, What};
use bondwitness_core::netlink::build::Request;
use bondwitness_core::parse::{self, Parsed};

/// Family id that the controller tells in these captures.
const ETHTOOL: u16 = 21;
const NET_DM: u16 = 22;

/// A capture as `bondwitness` writes it: protocol, comment, datagram.
pub(crate) fn file(datagrams: &[(u16, &str, Vec<u8>)]) -> Vec<u8> {
    let mut w = Writer::new("test", "Linux");
    let interface = w.interface("netlink", writer::NETLINK, 0, None);
    for (n, (protocol, comment, bytes)) in (0i64..).zip(datagrams) {
        let data = writer::cooked_netlink(*protocol, bytes);
        w.packet(&Packet {
            interface,
            ns: 1_700_000_000_000_000_000 + n * 1_000_000,
            data: &data,
            length: u32::try_from(data.len()).unwrap(),
            direction: None,
            comment: (!comment.is_empty()).then_some(comment),
        });
    }
    w.into_bytes()
}

fn read(datagrams: &[(u16, &str, Vec<u8>)]) -> Parsed {
    parse::netlink::read(FileId(0), &file(datagrams))
}

fn family(id: u16, name: &str) -> (u16, &'static str, Vec<u8>) {
    (16, "CTRL_CMD_GETFAMILY", Request::generic(16, 0, 1, 1, 2).u16(1, id).text(2, name).bytes())
}

/// A reply of ethtool with its header.
fn reply(command: u8) -> Request {
    Request::generic(ETHTOOL, 0, 9, command, 1).nested(1).u32(1, 2).text(2, "eno1").end()
}

pub(crate) fn link(name: &str, index: u32, flags: u32) -> Request {
    let mut head = vec![0, 0, 1, 0];
    head.extend(index.to_ne_bytes());
    head.extend(flags.to_ne_bytes());
    head.extend([0; 4]);
    Request::new(16, 2, 5).octets(&head).text(3, name)
}

fn field(p: &Parsed, source: &str, key: &str) -> Option<String> {
    p.records.iter().find_map(|r| match &r.what {
        What::Fields(f) if f.source == source => f.text(key).map(str::to_owned),
        What::Link(l) if l.source == source => l.fields.text(key).map(str::to_owned),
        _ => None,
    })
}

fn counter<'p>(p: &'p Parsed, name: &str) -> Option<&'p Counter> {
    p.records.iter().find_map(|r| match &r.what {
        What::Counters(c) if c.dev.as_deref() == Some("eno1") => c.entries.iter().find(|e| e.name == name),
        _ => None,
    })
}

#[test]
fn three_replies_are_one_reading_of_the_settings() {
    let modes = |bits: &[u32]| -> Vec<u8> {
        let mut words = [0u32; 4];
        for b in bits {
            words[usize::try_from(b / 32).unwrap()] |= 1 << (b % 32);
        }
        words.iter().flat_map(|w| w.to_ne_bytes()).collect()
    };
    let p = read(&[
        (16, "ETHTOOL_MSG_LINKINFO_GET eno1", reply(2).u8(2, 3).u8(3, 1).u8(6, 0).bytes()),
        (
            16,
            "ETHTOOL_MSG_LINKMODES_GET eno1",
            reply(4)
                .u8(2, 1)
                .nested(3)
                .u32(2, 128)
                .attr(4, &modes(&[6, 43]))
                .attr(5, &modes(&[6, 10, 13, 43, 50]))
                .end()
                .u32(5, 10_000)
                .u8(6, 1)
                .u32(9, 1)
                .bytes(),
        ),
        (
            16,
            "ETHTOOL_MSG_LINKSTATE_GET eno1",
            reply(6).u8(2, 0).u32(3, 5).u32(4, 7).u8(5, 0).u8(6, 1).u32(7, 3).bytes(),
        ),
    ]);
    assert_eq!(p.records.len(), 1, "{:?}", p.records);
    let get = |key: &str| field(&p, "ethtool", key).unwrap_or_default();
    assert_eq!(
        (get("Port").as_str(), get("Speed").as_str(), get("Duplex").as_str()),
        ("FIBRE", "10000Mb/s", "Full")
    );
    assert_eq!(get("Supported link modes"), "10000baseSR/Full");
    assert_eq!((get("Supported ports").as_str(), get("Supported FEC modes").as_str()), ("[ FIBRE ]", "RS"));
    assert_eq!(
        (get("Supported pause frame use").as_str(), get("Advertised pause frame use").as_str()),
        ("Symmetric", "No")
    );
    assert_eq!(
        (get("Advertised auto-negotiation").as_str(), get("Auto-negotiation").as_str()),
        ("Yes", "on")
    );
    assert_eq!((get("SQI").as_str(), get("Link Down Events").as_str()), ("5/7", "3"));
    assert_eq!(get("Link detected"), "no (Autoneg, No partner detected)");
    // Each field cites the frame that it came from.
    let What::Fields(f) = &p.records[0].what else { panic!() };
    let cited: Vec<_> = ["Port", "Speed", "Link detected"].map(|k| f.get(k).unwrap().at).into();
    assert!(cited[0] != cited[1] && cited[1] != cited[2]);
}

#[test]
fn a_later_reading_is_a_record_of_its_own() {
    let state = |link: u8| (16, "ETHTOOL_MSG_LINKSTATE_GET eno1", reply(6).u8(2, link).bytes());
    let p = read(&[state(1), state(0)]);
    assert_eq!(p.records.len(), 2);
}

#[test]
fn forward_error_correction_counts_sum_and_lanes() {
    let array = |n: &[u64]| -> Vec<u8> { n.iter().flat_map(|v| v.to_ne_bytes()).collect() };
    let p = read(&[
        family(ETHTOOL, "ethtool"),
        (
            16,
            "",
            reply(30)
                .nested(2)
                .u32(2, 75)
                .attr(1, &[])
                .nested(3)
                .nested(1)
                .u32(1, 50)
                .text(2, "RS")
                .end()
                .end()
                .end()
                .u8(3, 1)
                .u32(4, 50)
                .nested(5)
                .attr(2, &array(&[500, 300, 200]))
                .attr(3, &array(&[7]))
                .end()
                .bytes(),
        ),
    ]);
    assert_eq!(field(&p, "ethtool-fec", "Supported/Configured FEC encodings").as_deref(), Some("Auto RS"));
    assert_eq!(field(&p, "ethtool-fec", "Active FEC encoding").as_deref(), Some("RS"));
    let sum = counter(&p, "corrected_blocks").unwrap();
    assert_eq!((sum.value, sum.meaning), (500, Meaning::FecCorrected));
    let lane = counter(&p, "corrected_blocks lane 1").unwrap();
    assert_eq!((lane.value, lane.meaning), (200, Meaning::Other));
    assert_eq!(counter(&p, "uncorrectable_blocks").map(|c| c.meaning), Some(Meaning::FecUncorrected));
}

#[test]
fn standard_groups_have_the_names_of_the_standard() {
    let head = Request::generic(ETHTOOL, 0, 9, 33, 1).nested(2).u32(1, 2).text(2, "eno1").end();
    let p = read(&[(
        16,
        "ETHTOOL_MSG_STATS_GET eno1",
        head.nested(4)
            .u32(2, 1)
            .u32(3, 18)
            .nested(4)
            .u64(4, 11)
            .end()
            .nested(4)
            .u64(0, 1000)
            .end()
            .end()
            .nested(4)
            .u32(2, 0)
            .u32(3, 17)
            .nested(4)
            .u64(0, 5)
            .end()
            .end()
            .nested(4)
            .u32(2, 3)
            .u32(3, 20)
            .nested(5)
            .u32(7, 65)
            .u32(8, 127)
            .u64(9, 42)
            .end()
            .end()
            .bytes(),
    )]);
    assert_eq!(
        counter(&p, "eth-mac-FrameCheckSequenceErrors").map(|c| (c.value, c.meaning)),
        Some((11, Meaning::RxCrc))
    );
    assert_eq!(counter(&p, "eth-mac-FramesTransmittedOK").map(|c| c.value), Some(1000));
    assert_eq!(
        counter(&p, "eth-phy-SymbolErrorDuringCarrier").map(|c| (c.value, c.meaning)),
        Some((5, Meaning::RxSymbol))
    );
    assert_eq!(counter(&p, "rx-rmon-etherStatsPkts65to127Octets").map(|c| c.value), Some(42));
}

#[test]
fn flags_of_the_driver_and_energy() {
    let bit = |r: Request, n: u32, name: &str, set: bool| {
        let r = r.nested(1).u32(1, n).text(2, name);
        if set { r.attr(3, &[]) } else { r }.end()
    };
    let flags = bit(reply(14).nested(2).u32(2, 2).nested(3), 0, "link-down-on-close", true);
    let flags = bit(flags, 1, "legacy-rx", false).bytes();
    let modes = bit(reply(24).nested(2).u32(2, 64).nested(3), 5, "1000baseT/Full", false).end().end();
    let energy = modes.u8(4, 0).u8(5, 1).u8(6, 1).u32(7, 17).bytes();
    let p = read(&[(16, "ETHTOOL_MSG_PRIVFLAGS_GET eno1", flags), (16, "ETHTOOL_MSG_EEE_GET eno1", energy)]);
    assert_eq!(field(&p, "ethtool-priv-flags", "link-down-on-close").as_deref(), Some("on"));
    assert_eq!(field(&p, "ethtool-priv-flags", "legacy-rx").as_deref(), Some("off"));
    assert_eq!(field(&p, "ethtool-eee", "EEE status").as_deref(), Some("enabled - inactive"));
    assert_eq!(field(&p, "ethtool-eee", "Tx LPI").as_deref(), Some("17 (us)"));
    assert_eq!(field(&p, "ethtool-eee", "Supported EEE link modes").as_deref(), Some("1000baseT/Full"));
    assert_eq!(field(&p, "ethtool-eee", "Advertised EEE link modes").as_deref(), Some("Not reported"));
}

#[test]
fn pause_frames_are_counted() {
    let p = read(&[(
        16,
        "ETHTOOL_MSG_PAUSE_GET eno1",
        reply(22).u8(2, 1).u8(3, 1).u8(4, 0).nested(5).u64(2, 3).u64(3, 4).end().bytes(),
    )]);
    assert_eq!(field(&p, "ethtool-a", "RX").as_deref(), Some("on"));
    assert_eq!(counter(&p, "rx_pause_frames").map(|c| (c.value, c.meaning)), Some((4, Meaning::RxPause)));
}

/// 128 octets of which some are given.
fn page(octets: &[(usize, &[u8])]) -> Vec<u8> {
    let mut all = vec![0; 128];
    for (at, bytes) in octets {
        all[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    all
}

#[test]
fn diagnostics_of_an_sfp() {
    let identity = page(&[(0, &[3]), (20, b"ACME Optics     "), (92, &[0x68, 0x80])]);
    // 38.5 degrees, 3.3 V, 6 mA, 0.5 mW sent, no light received; its low alarm, and the threshold of it.
    let values = page(&[
        (34, &[0, 100]),
        (96, &[38, 128]),
        (98, &33_000u16.to_be_bytes()),
        (100, &3_000u16.to_be_bytes()),
        (102, &5_000u16.to_be_bytes()),
        (113, &[0x40]),
    ]);
    let of = |i2c: &str, data: &[u8]| {
        let comment = format!("ETHTOOL_MSG_MODULE_EEPROM_GET eno1 i2c {i2c} page 0x00 offset 0");
        let comment: &'static str = Box::leak(comment.into_boxed_str());
        (16, comment, reply(32).attr(7, data).bytes())
    };
    let p = read(&[of("0x50", &identity), of("0x51", &values)]);
    let get = |key: &str| field(&p, "ethtool-m", key).unwrap_or_default();
    assert_eq!((get("Identifier").as_str(), get("Vendor name").as_str()), ("0x03 (SFP)", "ACME Optics"));
    assert_eq!(get("Module temperature"), "38.50 degrees C / 101.30 degrees F");
    assert_eq!(
        (get("Module voltage").as_str(), get("Laser bias current").as_str()),
        ("3.3000 V", "6.000 mA")
    );
    assert_eq!(get("Laser output power"), "0.5000 mW / -3.01 dBm");
    assert_eq!(get("Receiver signal average optical power"), "0.0000 mW / -inf dBm");
    assert_eq!(
        (get("Laser rx power low alarm").as_str(), get("Laser rx power high alarm").as_str()),
        ("On", "Off")
    );
    assert_eq!(get("Laser rx power low alarm threshold"), "0.0100 mW / -20.00 dBm");
}

#[test]
fn diagnostics_of_a_qsfp_and_of_cmis() {
    let of = |dev: &str, page: u8, offset: u32, data: &[u8]| {
        let comment =
            format!("ETHTOOL_MSG_MODULE_EEPROM_GET {dev} i2c 0x50 page {page:#04x} offset {offset}");
        let comment: &'static str = Box::leak(comment.into_boxed_str());
        (16, comment, reply(32).attr(7, data).bytes())
    };
    let qsfp = page(&[(0, &[0x11]), (9, &[0x04]), (34, &[0, 0, 0x27, 0x10])]);
    let cmis_low = page(&[(0, &[0x18]), (14, &[40, 0])]);
    let cmis_lanes = page(&[(150 - 128, &[0b100]), (186 - 128, &[0x27, 0x10])]);
    let p = read(&[of("eno1", 0, 0, &qsfp), of("eno2", 0, 0, &cmis_low), of("eno2", 0x11, 128, &cmis_lanes)]);
    let by = |dev: &str, key: &str| {
        p.records.iter().find_map(|r| match &r.what {
            What::Fields(f) if f.source == "ethtool-m" && f.dev.as_deref() == Some(dev) => {
                f.text(key).map(str::to_owned)
            }
            _ => None,
        })
    };
    assert_eq!(
        by("eno1", "Rcvr signal avg optical power(Channel 2)").as_deref(),
        Some("1.0000 mW / 0.00 dBm")
    );
    // Octet 9, bit 2: the second lane's low alarm.
    assert_eq!(by("eno1", "Laser rx power low alarm (Channel 2)").as_deref(), Some("On"));
    assert_eq!(by("eno1", "Laser rx power low alarm (Channel 1)").as_deref(), Some("Off"));
    assert_eq!(by("eno2", "Module temperature").as_deref(), Some("40.00 degrees C / 104.00 degrees F"));
    assert_eq!(
        by("eno2", "Rcvr signal avg optical power (Channel 1)").as_deref(),
        Some("1.0000 mW / 0.00 dBm")
    );
    assert_eq!(by("eno2", "Laser rx power low alarm (Channel 3)").as_deref(), Some("On"));
}

#[test]
fn dropped_packets() {
    let alert = Request::generic(NET_DM, 0, 0, 5, 2)
        .u64(2, 0xffff_ffff_8100_0000)
        .text(3, "__dev_queue_xmit+0x34f/0xf10")
        .nested(4)
        .u32(0, 7)
        .end()
        .u16(6, 0x8809)
        .text(23, "TC_EGRESS")
        .bytes();
    let p = read(&[
        family(NET_DM, "NET_DM"),
        (0, "RTM_GETLINK dump", link("eno1", 7, 0x1043).bytes()),
        (16, "", alert),
    ]);
    let drop =
        p.records.iter().find_map(|r| if let What::Drop(d) = &r.what { Some(d) } else { None }).unwrap();
    assert_eq!((drop.dev.as_deref(), drop.reason.as_str()), (Some("eno1"), "TC_EGRESS"));
    assert_eq!((drop.symbol.as_deref(), drop.count), (Some("__dev_queue_xmit"), 1));
    assert_eq!(field(&p, "drop-monitor", "protocol").as_deref(), Some("0x8809"));
}

#[test]
fn failures_are_the_words_of_the_tools() {
    let request = Request::generic(ETHTOOL, 5, 3, 29, 1).nested(1).text(2, "eno1").end().bytes();
    let mut payload = (-95_i32).to_ne_bytes().to_vec();
    payload.extend(&request);
    let refused = Request::new(2, 0, 3).octets(&payload).bytes();
    let mut capped = (-1_i32).to_ne_bytes().to_vec();
    capped.extend(request.get(..16).unwrap());
    capped.extend([12, 0, 1, 0]);
    capped.extend(b"no way!\0");
    let p = read(&[
        family(ETHTOOL, "ethtool"),
        (16, "", refused),
        (16, "ETHTOOL_MSG_RINGS_GET eno1", Request::new(2, 0x300, 4).octets(&capped).bytes()),
        (16, "", Request::new(2, 0x100, 5).octets(&[0; 20]).bytes()),
    ]);
    assert_eq!(field(&p, "ethtool-fec", "error").as_deref(), Some("netlink error: Operation not supported"));
    assert_eq!(field(&p, "ethtool-g", "error").as_deref(), Some("netlink error: Operation not permitted"));
    assert_eq!(field(&p, "ethtool-g", "kernel says").as_deref(), Some("no way!"));
    assert_eq!(p.records.len(), 2, "an acknowledgement is no failure: {:?}", p.records);
}

#[test]
fn an_interrupted_dump_says_so_once() {
    let mut first = link("eno1", 2, 0x1043).bytes();
    first[6] |= 0x10;
    let mut done = Request::new(3, 2, 5).octets(&[0; 4]).bytes();
    done[6] |= 0x10;
    let p = read(&[(0, "RTM_GETLINK dump", first), (0, "RTM_GETLINK dump", done)]);
    let said: Vec<_> = p
        .records
        .iter()
        .filter_map(
            |r| if let What::Fields(f) = &r.what { f.text("error").map(|e| (f.source, e)) } else { None },
        )
        .collect();
    assert_eq!(said, [("ip-link", "Dump was interrupted and may be inconsistent.")]);
}

#[test]
fn programs_churn_and_what_is_not_known() {
    let bond = link("eno1", 2, 0x1843)
        .nested(18)
        .text(4, "bond")
        .nested(5)
        .u8(1, 1)
        .u8(11, 1)
        .u8(12, 2)
        .u8(99, 7)
        .end()
        .end()
        .nested(43)
        .u8(2, 2)
        .u32(4, 64)
        .u32(6, 64)
        .end()
        .u32(200, 0x0102_0304)
        .bytes();
    let p = read(&[(0, "RTM_GETLINK dump", bond)]);
    let get = |key: &str| field(&p, "ip-link", key);
    assert_eq!(get("xdp").as_deref(), Some("xdpgeneric/id:64"));
    assert_eq!(get("xdp.prog").as_deref(), Some("id 64"));
    assert_eq!(get("bond_state").as_deref(), Some("BACKUP"));
    assert_eq!(get("actor_churn_state").as_deref(), Some("churned"));
    assert_eq!(get("partner_churn_state").as_deref(), Some("none"));
    assert_eq!(get("bond_slave.attr 99").as_deref(), Some("07"));
    assert!(get("attr 200").is_some());
}

#[test]
fn a_host_of_the_other_byte_order() {
    // RTM_NEWLINK as a big endian machine writes it: eno1, index 2, UP and running, MTU 9000.
    let mut m = Vec::new();
    m.extend([0, 0, 0, 52, 0, 16, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0]);
    m.extend([0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0x10, 0x43, 0, 0, 0, 0]);
    m.extend([0, 9, 0, 3]);
    m.extend(b"eno1\0\0\0\0");
    m.extend([0, 8, 0, 4, 0, 0, 0x23, 0x28]);
    let p = read(&[(0, "RTM_GETLINK dump", m)]);
    let [r] = p.records.as_slice() else { panic!("{:?}", p.records) };
    let What::Link(l) = &r.what else { panic!("{r:?}") };
    assert_eq!((l.name.as_str(), l.fields.text("mtu"), l.flag("LOWER_UP")), ("eno1", Some("9000"), true));
}

#[test]
fn a_filter_that_cannot_be_read_whole_drops_nothing() {
    let filter = |extra: Option<u16>| {
        let mut head = vec![0; 4];
        head.extend(2u32.to_ne_bytes());
        head.extend(1u32.to_ne_bytes());
        head.extend(0xffff_fff3u32.to_ne_bytes());
        // Priority 1, EtherType 0x8809 in network order.
        let protocol = u32::from(u16::from_ne_bytes([0x88, 0x09]));
        head.extend((1 << 16 | protocol).to_ne_bytes());
        let gact: Vec<u8> = [1i32, 0, 2, 1, 1].iter().flat_map(|n| n.to_ne_bytes()).collect();
        let mut m = Request::new(44, 2, 5).octets(&head).text(1, "flower").nested(2);
        if let Some(kind) = extra {
            m = m.u32(kind, 1);
        }
        m.nested(3).nested(1).text(1, "gact").nested(2).attr(2, &gact).bytes()
    };
    let drops = |extra| {
        let p = read(&[(0, "RTM_GETTFILTER eno1 egress", filter(extra))]);
        p.records.iter().any(|r| matches!(&r.what, What::Hook(h) if h.drops_lacp))
    };
    assert!(drops(None));
    // TCA_FLOWER_KEY_ENC_KEY_ID, and a match of the future.
    assert!(!drops(Some(26)) && !drops(Some(300)));
}

#[test]
fn a_capture_of_netlink_is_evidence_like_text() {
    let member = link("eno1", 2, 0x1_1843)
        .u32(10, 3)
        .nested(18)
        .text(4, "bond")
        .nested(5)
        .u8(1, 0)
        .u8(2, 0)
        .u16(6, 1)
        .u8(7, 63)
        .u16(8, 63)
        .end()
        .end()
        .bytes();
    let bond = link("bond0", 3, 0x1_1443).nested(18).text(1, "bond").nested(2).u8(1, 4).end().end().bytes();
    let bytes = file(&[(0, "RTM_GETLINK dump", [member, bond].concat())]);
    let report = diagnose::diagnose(&[Input {
        path: "host/links.pcapng",
        bytes: &bytes,
        sha256: None,
        problem: None,
    }]);
    assert_eq!(report.case.files[0].recognised, ["pcapng", "netlink"]);
    let subjects: Vec<_> = report
        .case
        .subjects
        .iter()
        .map(|s| (s.name.as_str(), s.members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(subjects, [("bond0", vec!["eno1"])]);
}

/// Counters, filters and queueing disciplines have indices only: the listing beside them in the collection has the names.
#[test]
fn files_of_one_collection_know_the_names_of_its_listing() {
    let links = |names: &[&str]| {
        let told: Vec<_> =
            names.iter().map(|n| (0, "RTM_GETLINK dump", link(n, 2, 0x1003).bytes())).collect();
        file(&told)
    };
    // struct if_stats_msg, IFLA_STATS_LINK_XSTATS_SLAVE, LINK_XSTATS_TYPE_BOND, BOND_XSTATS_3AD, BOND_3AD_STAT_LACPDU_TX.
    let head: Vec<u8> = [0u32, 2, 4].iter().flat_map(|w| w.to_ne_bytes()).collect();
    let sent = Request::new(92, 0, 1).octets(&head).nested(3).nested(2).nested(1);
    let sent = sent.u64(1, 40).end().end().end();
    let stats = file(&[(0, "RTM_GETSTATS eno1", sent.bytes())]);
    let counted = |files: &[(&str, &[u8])]| -> Vec<String> {
        let inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        let case = diagnose::case_of(&inputs);
        let tx =
            |list: &[bondwitness_core::series::Series]| list.iter().any(|s| s.meaning == Meaning::LacpduTx);
        case.counters.iter().filter(|(_, list)| tx(list)).map(|(dev, _)| dev.clone()).collect()
    };
    let one = links(&["eno1"]);
    assert_eq!(counted(&[("state/links.pcapng", &one), ("state/stats.pcapng", &stats)]), ["eno1"]);
    assert_eq!(counted(&[("a/state/links.pcapng", &one), ("a/state/stats.pcapng", &stats)]), ["eno1"]);
    // Of another collection, or renamed meanwhile: nobody knows.
    assert_eq!(counted(&[("a/state/links.pcapng", &one), ("b/state/stats.pcapng", &stats)]), ["if2"]);
    assert_eq!(counted(&[("a/state/links.pcapng", &one), ("stats.pcapng", &stats)]), ["if2"]);
    let two = links(&["eth0", "eno1"]);
    assert_eq!(counted(&[("state/links.pcapng", &two), ("state/stats.pcapng", &stats)]), ["if2"]);
}
