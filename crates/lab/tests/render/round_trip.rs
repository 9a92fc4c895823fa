//! What the parsers make of the rendered files.

use crate::views::{WALL, physical, port, split74};
use bondwitness_core::capture::reader;
use bondwitness_core::evidence::{Counters, Direction, FileId, KernelLine, Link, Meaning, What};
use bondwitness_core::parse::{Parsed, parse_text};
use bondwitness_core::units::Stamp;
use bondwitness_lab::render::{self, capture, ethtool_stats, ip_link, ip_link_json, ip_monitor, kernel_log};
use bondwitness_lab::view::{Frame, LinkEvent, LogLine, MemberView};
use lacp::Mac;
use lacp::machine::{Pdu, Time};

/// Parses, and insists that every line was understood.
pub(crate) fn read(path: &str, text: &str) -> Parsed {
    let parsed = parse_text(FileId(0), path, text.as_bytes());
    assert!(parsed.not_understood.is_empty(), "{path}: {:?}\n{text}", parsed.not_understood);
    assert!(parsed.unrecognised.is_empty(), "{path}: {:?}\n{text}", parsed.unrecognised);
    parsed
}

fn counters(p: &Parsed) -> Vec<&Counters> {
    p.records.iter().filter_map(|r| if let What::Counters(c) = &r.what { Some(c) } else { None }).collect()
}

fn links(p: &Parsed) -> Vec<&Link> {
    p.records.iter().filter_map(|r| if let What::Link(l) = &r.what { Some(l) } else { None }).collect()
}

fn kernel_lines(p: &Parsed) -> Vec<(Option<Stamp>, &KernelLine)> {
    p.records
        .iter()
        .filter_map(|r| if let What::Kernel(k) = &r.what { Some((r.time, k)) } else { None })
        .collect()
}

const KERNELS: [&str; 5] = [
    "3.10.0-1160.el7.x86_64",
    "4.18.0-553.el8.x86_64",
    "5.10.0-30-amd64",
    "6.1.0-26-amd64",
    "6.12.107+deb13-amd64",
];

#[test]
fn proc_bonding_of_every_generation() {
    for kernel in KERNELS {
        for (privileged, lacp) in [(true, true), (false, true), (true, false)] {
            let mut view = split74();
            view.kernel = kernel.to_owned();
            view.bond.lacp = lacp;
            view.members[1].speed_mbps = None;
            view.members[1].mii_up = false;
            let text =
                format!("@@ 1795313316.175108421\n{}", render::proc_bonding::render(&view, privileged));
            let p = read("during-1/proc-net-bonding-bond0.txt", &text);
            let [r] = &p.records[..] else { panic!("{kernel}: {}", p.records.len()) };
            let What::Bond(b) = &r.what else { panic!("{kernel}") };
            assert_eq!((r.time, b.name.as_deref()), (Some(Stamp::wall(WALL)), Some("bond0")));
            assert_eq!(b.fields.get("LACP active").is_some(), lacp && kernel.starts_with('6'));
            assert_eq!(b.fields.get("Peer Notification Delay (ms)").is_some(), kernel >= "5");
            assert_eq!(
                b.fields.text("Ethernet Channel Bonding Driver").unwrap().contains("2011"),
                kernel < "6"
            );
            let states: Vec<_> = b
                .members
                .iter()
                .map(|m| (m.name.as_str(), m.actor.int("port state"), m.partner.int("port state")))
                .collect();
            if privileged && lacp {
                assert_eq!(states, [("h1", Some(63), Some(63)), ("h2", Some(7), Some(15))]);
                assert_eq!(b.members[1].fields.int("Actor Churned Count"), Some(1));
                assert_eq!(b.members[1].partner.text("system mac address"), Some("02:00:00:dd:ee:ff"));
            } else {
                assert_eq!(states, [("h1", None, None), ("h2", None, None)]);
            }
            assert_eq!(b.members[1].fields.text("Speed"), Some("Unknown"));
        }
    }
}

#[test]
fn links_of_every_generation() {
    for kernel in KERNELS {
        for json in [false, true] {
            let mut view = physical("ice");
            view.kernel = kernel.to_owned();
            view.members[1].carrier = false;
            let text = if json { ip_link_json::render(&view) } else { ip_link::render(&view, 1) };
            let p = read("before/x.txt", &format!("@@ 1795313316.175108421\n{text}"));
            let all = links(&p);
            let get = |dev: &str| *all.iter().find(|l| l.name == dev).unwrap();
            assert!(get("eno1").flag("LOWER_UP") && get("eno2").flag("NO-CARRIER"), "{kernel}");
            assert_eq!(get("eno1").fields.text("actor_state"), Some("63"), "{kernel}");
            assert_eq!(get("eno2").fields.text("partner_state"), Some("15"), "{kernel}");
            assert_eq!(get("eno2").fields.text("master"), Some("bond0"));
            assert_eq!(get("bond0").fields.text("bond.ad_num_ports"), Some("1"), "{kernel}");
            assert_eq!(get("bond0").fields.text("bond.mode"), Some("802.3ad"));
            let c = counters(&p);
            let of = |dev: &str, want: Meaning| {
                c.iter()
                    .filter(|c| c.dev.as_deref() == Some(dev))
                    .flat_map(|c| &c.entries)
                    .find(|e| e.meaning == want)
                    .map(|e| e.value)
            };
            assert_eq!(of("eno2", Meaning::RxBytes), Some(2 * 12_345_678_901), "{kernel}");
            assert_eq!(of("eno1", Meaning::TxCarrier), Some(6), "{kernel}");
            assert!(p.records.iter().all(|r| r.time == Some(Stamp::wall(WALL))));
        }
    }
}

#[test]
fn monitor_messages_have_their_times_and_states() {
    let view = split74();
    let event = |at_ms, member: usize, m: MemberView| LinkEvent {
        at: Time::from_millis(at_ms),
        member,
        member_view: Box::new(m),
    };
    let down = MemberView { carrier: false, ..view.members[0].clone() };
    let events = [event(2500, 1, view.members[1].clone()), event(1250, 0, down)];
    for kernel in KERNELS {
        let bond = ip_monitor::Bond { name: "bond0", kernel, lacp: true };
        let p = read("ip-monitor-link.txt", &ip_monitor::render(&events, bond, WALL));
        let got: Vec<_> = p
            .records
            .iter()
            .filter_map(|r| {
                let What::Link(l) = &r.what else { return None };
                Some((r.time.unwrap(), l.name.as_str(), l.flag("LOWER_UP"), l.fields.text("actor_state")))
            })
            .collect();
        // iproute2 prints microseconds.
        let local = |ns: i64| Stamp::local((WALL + ns) / 1000 * 1000);
        assert_eq!(
            got,
            [(local(1_250_000_000), "h1", false, Some("63")), (local(2_500_000_000), "h2", true, Some("7"))],
            "{kernel}"
        );
    }
}

#[test]
fn monitor_has_the_lines_of_the_recording() {
    // The first message of fixtures/mlag-split is of h1 in BACKUP or ACTIVE; its form is what matters here.
    let recorded = include_str!("../../../../fixtures/mlag-split/host-ip-monitor-link.txt");
    let shape = |line: &str| {
        let words: Vec<&str> = line.split(' ').filter(|w| !w.starts_with('<')).collect();
        words
            .iter()
            .filter(|w| w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'/'))
            .map(|w| (*w).to_owned())
            .collect::<Vec<_>>()
    };
    let view = split74();
    let bond = ip_monitor::Bond { name: "bond0", kernel: &view.kernel, lacp: true };
    let event = LinkEvent { at: Time::ZERO, member: 0, member_view: Box::new(view.members[0].clone()) };
    let ours = ip_monitor::render(&[event], bond, WALL).replace("ff promisc", "ff link-netns wire promisc");
    let of_kernel: Vec<_> = recorded.lines().take(4).map(shape).collect();
    assert_eq!(ours.lines().map(shape).collect::<Vec<_>>(), of_kernel);
    assert_eq!(ours.matches('\n').count(), 4);
    let ends = |text: &str| text.lines().take(4).map(|l| l.ends_with(' ')).collect::<Vec<_>>();
    assert_eq!(ends(&ours), ends(recorded));
}

#[test]
fn xstats_give_back_the_lacpdus() {
    for text in [render::xstats::render(&split74()), render::xstats::text(&split74())] {
        lacpdus(&read("before/ip_-j_stats_xstats_slave.json", &text));
    }
}

fn lacpdus(p: &Parsed) {
    let got: Vec<_> = counters(p)
        .iter()
        .map(|c| {
            let of = |want| c.entries.iter().find(|e| e.meaning == want).map(|e| e.value);
            (c.dev.clone().unwrap(), of(Meaning::LacpduRx), of(Meaning::LacpduTx))
        })
        .collect();
    assert_eq!(got, [("h1".to_owned(), Some(90), Some(90)), ("h2".to_owned(), Some(93), Some(91))]);
}

/// The counters of the view come back under their meanings, as far as the driver has them.
#[test]
fn nic_counters_of_every_driver() {
    use Meaning::{
        FecCorrected, FecUncorrected, LinkDown, RxBytes, RxCrc, RxMissed, RxMulticast, RxPackets, RxPause,
        RxSymbol, TxBytes, TxMulticast, TxPackets, TxPause, TxTimeout,
    };
    let basic = [RxCrc, RxMissed, RxMulticast, RxBytes, TxBytes, RxPause, TxPause];
    let cases: [(&str, &[Meaning]); 9] = [
        ("ixgbe", &[RxPackets, TxPackets, TxTimeout]),
        ("i40e", &[TxMulticast, TxTimeout, RxSymbol]),
        ("ice", &[TxMulticast, TxTimeout, RxSymbol]),
        ("mlx5_core", &[RxPackets, TxPackets, TxMulticast, RxSymbol, LinkDown, FecCorrected]),
        ("bnxt_en", &[RxPackets, TxPackets, TxMulticast, RxSymbol, LinkDown, FecCorrected, FecUncorrected]),
        ("igb", &[RxPackets, TxPackets, TxMulticast, TxTimeout]),
        ("igc", &[RxPackets, TxPackets, TxMulticast, TxTimeout]),
        ("e1000e", &[RxPackets, TxPackets, TxMulticast, TxTimeout]),
        ("tg3", &[TxMulticast]),
    ];
    for (driver, own) in cases {
        let view = physical(driver);
        let m = &view.members[1];
        let text = ethtool_stats::render(m);
        let p = read("before/ethtool_-S_eno2.txt", &format!("@@ 1795313316.175108421\n{text}"));
        let all = counters(&p);
        let [c] = all[..] else { panic!("{driver}") };
        assert_eq!(c.dev.as_deref(), Some("eno2"));
        assert!(c.entries.len() >= 25, "{driver}: {}", c.entries.len());
        let n = &m.nic;
        for want in basic.iter().chain(own) {
            let value = match want {
                RxPackets => n.rx_packets,
                TxPackets => n.tx_packets,
                RxBytes => n.rx_bytes,
                TxBytes => n.tx_bytes,
                RxMulticast => n.rx_multicast,
                TxMulticast => n.tx_multicast,
                RxCrc => n.rx_crc,
                RxSymbol => n.rx_symbol,
                RxMissed => n.rx_missed,
                RxPause => n.rx_pause,
                TxPause => n.tx_pause,
                TxTimeout => n.tx_timeout,
                LinkDown => n.link_down,
                FecCorrected => n.fec_corrected,
                FecUncorrected => n.fec_uncorrectable,
                _ => panic!("{want:?}"),
            };
            assert!(
                c.entries.iter().any(|e| e.meaning == *want && e.value == value),
                "{driver}: {want:?} {value}\n{text}"
            );
        }
        // No name twice, as in a real string table.
        let names: std::collections::BTreeSet<_> = c.entries.iter().map(|e| &e.name).collect();
        assert_eq!(names.len(), c.entries.len(), "{driver}");
        assert_eq!(
            bondwitness_core::parse::counter_meaning::driver_of(names.iter().map(|n| n.as_str())),
            Some(driver)
        );
    }
    let veth = read("x/ethtool_-S_h1.txt", &ethtool_stats::render(&split74().members[0]));
    assert_eq!(counters(&veth).len(), 1);
    let unknown = MemberView { driver: "virtio_net".to_owned(), ..split74().members[0].clone() };
    read("x/ethtool_-S_h1.txt", &ethtool_stats::render(&unknown));
}

#[test]
fn log_lines_have_their_times_in_every_shape() {
    let line = |at_ns, text: &str| LogLine { at_ns, level: 6, text: text.to_owned() };
    let log = [
        line(12_345_678_000, "bond0: (slave eno1): link status definitely down, disabling slave"),
        line(-90_000_000_000, "ixgbe 0000:3b:00.0 eno1: NIC Link is Up 10 Gbps, Flow Control: RX/TX"),
        line(15_000_001_000, "bond0: (slave eno1): link status definitely up, 10000 Mbps full duplex"),
    ];
    for kernel in ["6.1.0-26-amd64", "6.12.107+deb13-amd64"] {
        let origin =
            kernel_log::Origin { hostname: "db01", kernel, wall0_ns: WALL, boot0_ns: 400_000_123_000 };
        let at = [-90_000_000_000_i64, 12_345_678_000, 15_000_001_000];
        let micros = |ns: i64| ns / 1000 * 1000;
        let wall: Vec<i64> = at.iter().map(|a| micros(WALL + a)).collect();
        for (path, text, want) in [
            (
                "dmesg.txt",
                kernel_log::dmesg(&log, origin),
                at.map(|a| Stamp::boot(micros(400_000_123_000 + a))).to_vec(),
            ),
            (
                "dmesg-T.txt",
                kernel_log::dmesg_time(&log, origin),
                wall.iter().map(|w| Stamp::local(w / 1_000_000_000 * 1_000_000_000)).collect(),
            ),
            (
                "journalctl-k.txt",
                kernel_log::journal_iso(&log, origin),
                wall.iter().map(|w| Stamp::wall(*w)).collect(),
            ),
            (
                "journalctl-k.json",
                kernel_log::journal_json(&log, origin),
                wall.iter().map(|w| Stamp::wall(*w)).collect(),
            ),
        ] {
            let p = read(path, &text);
            let got = kernel_lines(&p);
            assert_eq!(got.iter().map(|(t, _)| t.unwrap()).collect::<Vec<_>>(), want, "{path}");
            assert!(got.iter().all(|(_, k)| k.dev.as_deref() == Some("eno1")), "{path}");
            assert_eq!(got[1].1.text, log[0].text, "{path}");
            if path.starts_with("journal") {
                assert!(got.iter().all(|(_, k)| k.host.as_deref() == Some("db01")), "{path}");
            }
        }
    }
}

#[test]
fn programs_in_the_journal() {
    let log = [LogLine {
        at_ns: 0,
        level: 6,
        text: "NetworkManager[812]: <info>  [1795.1] device (eno1): state change: activated -> unmanaged"
            .to_owned(),
    }];
    let origin = kernel_log::Origin { hostname: "db01", kernel: "6.1.0", wall0_ns: WALL, boot0_ns: 5 };
    for text in [kernel_log::journal_iso(&log, origin), kernel_log::journal_json(&log, origin)] {
        let p = read("journalctl.txt", &text);
        assert_eq!(kernel_lines(&p)[0].1.driver.as_deref(), Some("NetworkManager"), "{text}");
    }
}

pub(crate) fn frames() -> Vec<Frame> {
    let actor = port([2, 0, 0, 0, 0x11, 1], 15, 1, 63);
    let partner = port([2, 0, 0, 0xaa, 0xbb, 0xcc], 335, 7, 61);
    (0..6_u64)
        .map(|n| {
            let outgoing = n % 2 == 0;
            let (a, p) = if outgoing { (actor, partner) } else { (partner, actor) };
            Frame {
                at: Time(n * 1_049_123_456),
                member: usize::from(n >= 4),
                outgoing,
                source: Mac([2, 0, 0, 0, 0x20, u8::from(outgoing)]),
                pdu: Pdu { actor: a, partner: p },
            }
        })
        .collect()
}

type Seen = (i64, u32, Option<Direction>, Mac, Vec<u8>);

fn seen(bytes: &[u8]) -> (Vec<Seen>, reader::Totals) {
    let mut list = Vec::new();
    let totals =
        reader::read(bytes, &mut |f| list.push((f.ns, f.iface, f.direction, f.mac(), f.payload.to_vec())));
    assert!(totals.damage.is_none(), "{:?}", totals.damage);
    (list, totals)
}

#[test]
fn frames_come_back_with_direction_and_time() {
    let frames = frames();
    let all: Vec<&Frame> = frames.iter().collect();
    let direction = |f: &Frame| Some(if f.outgoing { Direction::Out } else { Direction::In });
    let payload = |f: &Frame| lacp::Lacpdu::new(f.pdu.actor, f.pdu.partner).encode();
    let at = |f: &Frame| WALL + i64::try_from(f.at.0).unwrap();

    let (ng, totals) = seen(&capture::pcapng(&all, "eno1", "6.12.107", WALL));
    assert_eq!(totals.interfaces[0].name.as_deref(), Some("eno1"));
    let want: Vec<Seen> = frames.iter().map(|f| (at(f), 0, direction(f), f.source, payload(f))).collect();
    assert_eq!(ng, want);

    let micros = |f: &Frame| at(f) / 1000 * 1000;
    let (any, _) = seen(&capture::any(&all, |m| 31 + 4 * u32::try_from(m).unwrap(), WALL));
    let want: Vec<Seen> = frames
        .iter()
        .map(|f| {
            let index = if f.member == 0 { 31 } else { 35 };
            (micros(f), index, direction(f), f.source, payload(f))
        })
        .collect();
    assert_eq!(any, want);

    let (plain, _) = seen(&capture::plain(&all, WALL));
    let want: Vec<Seen> = frames.iter().map(|f| (micros(f), 0, None, f.source, payload(f))).collect();
    assert_eq!(plain, want);
    assert_eq!(capture::ethernet(&frames[0]).len(), 124);
}

#[test]
fn a_capture_without_frames_is_a_capture() {
    for bytes in [
        capture::pcapng(&[], "eno1", "6.1.0", WALL),
        capture::any(&[], |_| 2, WALL),
        capture::plain(&[], WALL),
    ] {
        assert!(bondwitness_core::capture::is_capture(&bytes));
        assert!(seen(&bytes).0.is_empty());
    }
}

/// The bytes that tcpdump wrote for the same PDUs (`fixtures/healthy-fast/host-h1.pcap`).
#[test]
fn plain_captures_are_those_of_tcpdump() {
    let recorded = include_bytes!("../../../../fixtures/healthy-fast/host-h1.pcap");
    let (list, _) = seen(recorded);
    let frames: Vec<Frame> = list
        .iter()
        .take(5)
        .map(|(ns, _, _, mac, payload)| {
            let (actor, partner) = lacp::wire::fixed(payload).unwrap();
            Frame {
                at: Time(u64::try_from(*ns).unwrap()),
                member: 0,
                outgoing: false,
                source: *mac,
                pdu: Pdu { actor, partner },
            }
        })
        .collect();
    let ours = capture::plain(&frames.iter().collect::<Vec<_>>(), 0);
    // Only the snapshot length differs: the recording asked for 256 octets.
    assert_eq!(ours[..16], recorded[..16]);
    assert_eq!(ours[20..], recorded[20..ours.len()]);
}
