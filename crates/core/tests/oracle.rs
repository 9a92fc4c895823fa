//! Our reading of captures against two independent ones: tshark's and tcpdump's.
//!
//! So that correctness does not rest on our own reading of the standard. Every LACPDU of every capture at hand is
//! compared field by field: the captures under `fixtures/`, the kernel recordings and corpus captures beside the
//! repository where they are present, and captures written here for what no recording holds (tags, version 2,
//! SONiC's version, Marker PDUs, nanoseconds, pcapng).
//!
//! Where a tool or the recordings are absent the tests say `skipped: ...` and pass; with
//! `BONDWITNESS_REQUIRE_ORACLES=1` absence is a failure.
#![allow(
    clippy::disallowed_methods,
    reason = "the purity of core holds for its library; a test must read files and start the other decoders"
)]
#![allow(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests fail and report like tests")]

use bondwitness_core::capture::reader;
use bondwitness_core::evidence::{Direction, FileId, TextPdu, What};
use bondwitness_core::parse;
use bondwitness_core::units::{Mac, Stamp};
use lacp::wire::{self, Marker, SlowPdu, Tlv, VERSION_SONIC_RETRY};
use lacp::{Lacpdu, PortInfo, PortState};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A slow-protocol frame as we read it.
struct Seen {
    number: u64,
    ns: i64,
    iface: u32,
    direction: Option<Direction>,
    source: Mac,
    pdu: SlowPdu,
}

impl Seen {
    fn lacpdu(&self) -> Option<&Lacpdu> {
        if let SlowPdu::Lacpdu(p) = &self.pdu { Some(p) } else { None }
    }
}

fn ours(bytes: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    reader::read(bytes, &mut |f| {
        seen.push(Seen {
            number: f.number,
            ns: f.ns,
            iface: f.iface,
            direction: f.direction,
            source: f.mac(),
            pdu: wire::decode(f.payload).0,
        });
    });
    seen
}

/// Says why a test does nothing, and fails if it was told that it must not.
fn absent(what: &str) {
    assert!(
        std::env::var_os("BONDWITNESS_REQUIRE_ORACLES").is_none_or(|v| v != "1"),
        "BONDWITNESS_REQUIRE_ORACLES=1, but {what}"
    );
    println!("skipped: {what}");
}

fn installed(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        absent(&format!("{tool} not installed"));
    }
    there
}

/// Standard output of a tool. Both tools warn on standard error about things that do not matter here.
fn output(command: &mut Command) -> String {
    let out = command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output().expect("the tool starts");
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?} ended with {}: {errors}", out.status);
    String::from_utf8(out.stdout).expect("UTF-8")
}

/// The captures to compare. Name and folder decide, so that a new recording takes part without a line here.
fn captures() -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = repository.join("../shared");
    let mut files = Vec::new();
    walk(&repository.join("fixtures"), &mut files);
    let recordings = shared.join("kernel-recordings");
    if recordings.is_dir() {
        let mut found = Vec::new();
        walk(&recordings, &mut found);
        // The far end's captures hold the same PDUs once more.
        found.retain(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("host-")));
        files.append(&mut found);
    } else {
        absent("recordings absent");
    }
    walk(&shared.join("corpus/formats/pcap"), &mut files);
    walk(&shared.join("switch-samples/captures"), &mut files);
    files.retain(|p| p.extension().is_some_and(|e| e == "pcap" || e == "pcapng"));
    files.sort();
    files
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Runs `each` over all files, on as many threads as there are processors: tshark takes its time to start.
/// Returns the sum of what `each` counted.
fn over(files: &[PathBuf], each: impl Fn(&Path) -> usize + Sync) -> usize {
    let (next, sum) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sum.fetch_add(each(file), Ordering::Relaxed);
                }
            });
        }
    });
    sum.load(Ordering::Relaxed)
}

/// The columns that tshark prints, one row per LACPDU.
const COLUMNS: [&str; 22] = [
    "frame.number",
    "frame.time_epoch",
    "eth.src",
    "sll.src.eth",
    "sll.ifindex",
    "sll.pkttype",
    "lacp.version",
    "lacp.actor.sys_priority",
    "lacp.actor.sysid",
    "lacp.actor.key",
    "lacp.actor.port_priority",
    "lacp.actor.port",
    "lacp.actor.state",
    "lacp.actor.state_str",
    "lacp.partner.sys_priority",
    "lacp.partner.sysid",
    "lacp.partner.key",
    "lacp.partner.port_priority",
    "lacp.partner.port",
    "lacp.partner.state",
    "lacp.partner.state_str",
    "lacp.collector.max_delay",
];

fn tshark_rows(file: &Path, filter: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(["-Y", filter, "-T", "fields"]);
    command.args(["-E", "separator=/t", "-E", "occurrence=f"]);
    for column in columns {
        command.args(["-e", column]);
    }
    output(&mut command).lines().map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

/// tshark writes numbers in decimal or, for some fields of some versions, in hexadecimal.
fn number(text: &str) -> u64 {
    let value = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    value.unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

/// `1795313395.587082000` in nanoseconds.
fn nanoseconds(text: &str) -> i64 {
    let (secs, frac) = text.split_once('.').expect("seconds with a fraction");
    assert_eq!(frac.len(), 9, "{text}");
    secs.parse::<i64>().expect("seconds") * 1_000_000_000 + frac.parse::<i64>().expect("nanoseconds")
}

fn port_of(row: &[String]) -> (PortInfo, String) {
    let [system_priority, system, key, port_priority, port, state, letters] = row else { panic!("{row:?}") };
    let n = |t: &str| u16::try_from(number(t)).expect("16 bits");
    let info = PortInfo {
        system_priority: n(system_priority),
        system: system.parse().expect("a MAC address"),
        key: n(key),
        port_priority: n(port_priority),
        port: n(port),
        state: PortState::from_bits_retain(u8::try_from(number(state)).expect("8 bits")),
    };
    // Some versions of Wireshark write a middle dot where others write an asterisk.
    (info, letters.replace('\u{b7}', "*"))
}

/// Compares every LACPDU of a file; returns how many there were.
fn compare_with_tshark(file: &Path) -> usize {
    let bytes = std::fs::read(file).expect("the capture can be read");
    let seen = ours(&bytes);
    let lacpdus: Vec<(&Seen, &Lacpdu)> = seen.iter().filter_map(|s| Some((s, s.lacpdu()?))).collect();
    let rows = tshark_rows(file, "lacp", &COLUMNS);
    let at = file.display();
    assert_eq!(
        lacpdus.iter().map(|(s, _)| s.number).collect::<Vec<_>>(),
        rows.iter().map(|r| number(&r[0])).collect::<Vec<_>>(),
        "{at}: the frames that hold a LACPDU"
    );
    for ((frame, pdu), row) in lacpdus.iter().zip(&rows) {
        let at = format!("{at} frame {}", frame.number);
        assert_eq!(frame.ns, nanoseconds(&row[1]), "{at}: time");
        let source = if row[2].is_empty() { &row[3] } else { &row[2] };
        assert_eq!(frame.source, source.parse().expect("a MAC address"), "{at}: source");
        if !row[4].is_empty() {
            assert_eq!(u64::from(frame.iface), number(&row[4]), "{at}: interface index");
        }
        if !row[5].is_empty() {
            // PACKET_OUTGOING is 4 (if_packet.h).
            let direction = if number(&row[5]) == 4 { Direction::Out } else { Direction::In };
            assert_eq!(frame.direction, Some(direction), "{at}: direction");
        }
        assert_eq!(u64::from(pdu.version), number(&row[6]), "{at}: version");
        assert_eq!((pdu.actor, pdu.actor.state.wireshark()), port_of(&row[7..14]), "{at}: actor");
        assert_eq!((pdu.partner, pdu.partner.state.wireshark()), port_of(&row[14..21]), "{at}: partner");
        assert_eq!(u64::from(pdu.collector_max_delay), number(&row[21]), "{at}: collector max delay");
    }
    rows.len()
}

/// What our parser of tcpdump's text makes of tcpdump's text.
fn tcpdump_pdus(file: &Path, options: &[&str]) -> Vec<(Option<Stamp>, TextPdu)> {
    let mut command = Command::new("tcpdump");
    command.args(["-nn", "-e", "-vvv"]).args(options).arg("-r").arg(file);
    let text = output(&mut command);
    let parsed = parse::parse_text(FileId(0), "tcpdump.txt", text.as_bytes());
    let pdu = |w| if let What::Pdu(p) = w { Some(p) } else { None };
    parsed.records.into_iter().filter_map(|r| Some((r.time, pdu(r.what)?))).collect()
}

/// Compares every LACPDU that tcpdump prints in full with the frame it came from; returns how many.
fn compare_with_tcpdump(file: &Path) -> usize {
    let bytes = std::fs::read(file).expect("the capture can be read");
    let seen = ours(&bytes);
    // tcpdump prints the fields of version 1 only.
    let lacpdus: Vec<(&Seen, &Lacpdu)> =
        seen.iter().filter_map(|s| Some((s, s.lacpdu().filter(|p| p.version == 1)?))).collect();
    let at = file.display();
    // Once with the time of day, as people paste it, and once with the whole time.
    let time_of_day = |ns: i64| Stamp::local(ns / 1000 * 1000 % 86_400_000_000_000);
    let plain = tcpdump_pdus(file, &[]);
    let whole = tcpdump_pdus(file, &["-tt", "--time-stamp-precision=nano"]);
    assert_eq!((plain.len(), whole.len()), (lacpdus.len(), lacpdus.len()), "{at}: number of LACPDUs");
    for (((frame, pdu), plain), whole) in lacpdus.iter().zip(&plain).zip(&whole) {
        let at = format!("{at} frame {}", frame.number);
        assert_eq!(plain.0, Some(time_of_day(frame.ns)), "{at}: time of day");
        // The parser takes a number with fewer digits than this for something else than a time.
        if frame.ns >= 100_000_000 * 1_000_000_000 {
            assert_eq!(whole.0, Some(Stamp::wall(frame.ns)), "{at}: time");
        }
        for (_, read) in [plain, whole] {
            assert_eq!(read.source, Some(frame.source), "{at}: source");
            assert_eq!(read.direction, frame.direction, "{at}: direction");
            assert!(read.has_partner, "{at}: partner block");
            assert_eq!(read.pdu.version, pdu.version, "{at}: version");
            assert_eq!(read.pdu.actor, pdu.actor, "{at}: actor");
            assert_eq!(read.pdu.partner, pdu.partner, "{at}: partner");
            assert_eq!(read.pdu.collector_max_delay, pdu.collector_max_delay, "{at}: collector max delay");
        }
    }
    whole.len()
}

#[test]
fn recordings_as_tshark_reads_them() {
    if installed("tshark") {
        let files = captures();
        let n = over(&files, compare_with_tshark);
        println!("{n} LACPDUs of {} captures agree with tshark", files.len());
    }
}

#[test]
fn recordings_as_tcpdump_reads_them() {
    if installed("tcpdump") {
        let files = captures();
        let n = over(&files, compare_with_tcpdump);
        println!("{n} LACPDUs of {} captures agree with tcpdump", files.len());
    }
}

/// A frame with its VLAN tags.
fn ethernet(tags: &[[u8; 4]], payload: &[u8]) -> Vec<u8> {
    let mut frame = Mac::SLOW_PROTOCOLS.0.to_vec();
    frame.extend([2, 0, 0, 0, 0x11, 1]);
    frame.extend(tags.concat());
    frame.extend(wire::ETHERTYPE_SLOW.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Frames that no recording holds. The last two are Marker PDUs; version 2 and SONiC's version are two more that
/// tcpdump does not print in full.
fn oddities() -> Vec<Vec<u8>> {
    let port = |n: u8, state: u8| PortInfo {
        system_priority: 0x8000 | u16::from(n),
        system: Mac([2, 0, 0, 0, 0x22, n]),
        key: 0xff00 | u16::from(n),
        port_priority: u16::from(n) << 8,
        port: 0x100 + u16::from(n),
        state: PortState::from_bits_retain(state),
    };
    let mut frames = Vec::new();
    for state in 0..=255u8 {
        let mut pdu = Lacpdu::new(port(1, state), port(2, !state));
        pdu.collector_max_delay = u16::from(state) << 7 | 1;
        frames.push(ethernet(&[], &pdu.encode()));
    }
    let plain = Lacpdu::new(port(3, 0x3d), port(4, 0x3f));
    frames.push(ethernet(&[[0x81, 0, 0, 7]], &plain.encode()));
    frames.push(ethernet(&[[0x88, 0xa8, 0, 9], [0x81, 0, 0, 7]], &plain.encode()));
    let unknown = Lacpdu { tlvs: vec![Tlv { kind: 0xee, value: vec![1, 2, 3] }], ..plain.clone() };
    frames.push(ethernet(&[], &unknown.encode()));
    // 802.1AX-2014 version 2: Port Algorithm, Conversation ID Digest, a mask, Service Mapping Digest.
    let tlvs = [(4u8, 4usize), (5, 18), (6, 130), (10, 16)];
    let two = Lacpdu {
        version: 2,
        tlvs: tlvs.iter().map(|&(kind, n)| Tlv { kind, value: vec![0x5a; n] }).collect(),
        ..plain.clone()
    };
    frames.push(ethernet(&[], &two.encode()));
    let sonic = Lacpdu {
        version: VERSION_SONIC_RETRY,
        tlvs: vec![Tlv { kind: 0x80, value: vec![5, 0] }, Tlv { kind: 0x81, value: vec![3, 0] }],
        ..plain
    };
    frames.push(ethernet(&[], &sonic.encode()));
    for response in [false, true] {
        let marker = Marker {
            response,
            version: 1,
            port: 0x0107,
            system: Mac([2, 0, 0, 0, 0x33, 9]),
            transaction: 0xdead_beef,
            rest: vec![0; 94],
        };
        frames.push(ethernet(&[], &marker.encode()));
    }
    frames
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a short frame")
}

/// A classic capture with nanoseconds, big endian.
fn classic(frames: &[Vec<u8>]) -> Vec<u8> {
    let head = [0xa1b2_3c4du32, 0x0002_0004, 0, 0, 0x40000, 1];
    let mut b: Vec<u8> = head.iter().flat_map(|w| w.to_be_bytes()).collect();
    for (i, frame) in (0u32..).zip(frames) {
        for word in [1_795_313_395 + i, 999_999_999 - i * 1001, length(frame), length(frame)] {
            b.extend(word.to_be_bytes());
        }
        b.extend(frame);
    }
    b
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (length(&body) + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

/// A pcapng of two interfaces: one in microseconds, by default; one in 2^-30 s, with an offset, whose packets
/// tell their direction. A second section has them the other way round.
fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let magic = 0x1a2b_3c4du32.to_le_bytes();
    let section = block(0x0a0d_0d0a, &[&magic[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    let ethernet = [1, 0, 0, 0, 0, 0, 4, 0];
    let resolution = [9, 0, 1, 0, 0x80 | 30, 0, 0, 0];
    let offset = [&[14, 0, 8, 0][..], &1_000_000_000i64.to_le_bytes()].concat();
    let plain = block(1, &ethernet);
    let fine = block(1, &[&ethernet[..], &resolution, &offset, &[0; 4]].concat());
    let mut b = [&section[..], &plain, &fine].concat();
    for (i, frame) in (0u64..).zip(frames) {
        if i == 100 {
            b.extend([&section[..], &fine, &plain].concat());
        }
        let interface = u32::from(i % 2 == 1);
        let coarse = (interface == 0) == (i < 100);
        let ticks = if coarse { 1_795_313_395_000_001 + i } else { (795_313_395 << 30) + 12_345 * i };
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        let mut body = Vec::new();
        for word in [interface, high, low, length(frame), length(frame)] {
            body.extend(word.to_le_bytes());
        }
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        if !coarse {
            let inbound_or_outbound = if i % 4 < 2 { 1 } else { 2 };
            body.extend([2, 0, 4, 0, inbound_or_outbound, 0, 0, 0, 0, 0, 0, 0]);
        }
        b.extend(block(6, &body));
    }
    b
}

/// Writes a capture where only tests write.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the test folder can be written");
    path
}

#[test]
fn oddities_as_tshark_reads_them() {
    if !installed("tshark") {
        return;
    }
    let frames = oddities();
    let file = written("tshark-oddities.pcap", &classic(&frames));
    assert_eq!(compare_with_tshark(&file), frames.len() - 2);
    let bytes = pcapng(&frames);
    let file = written("tshark-oddities.pcapng", &bytes);
    assert_eq!(compare_with_tshark(&file), frames.len() - 2);

    let columns = [
        "frame.packet_flags_direction",
        "marker.tlvType",
        "marker.version",
        "marker.requesterPort",
        "marker.requesterSystem",
        "marker.requesterTransId",
    ];
    let rows = tshark_rows(&file, "slow", &columns);
    let seen = ours(&bytes);
    assert_eq!(rows.len(), seen.len());
    let (mut markers, mut directed) = (0, 0);
    for (frame, row) in seen.iter().zip(&rows) {
        let direction = match row[0].as_str() {
            "" => None,
            text => match number(text) {
                1 => Some(Direction::In),
                2 => Some(Direction::Out),
                _ => None,
            },
        };
        assert_eq!(frame.direction, direction, "frame {}: {:?}", frame.number, row[0]);
        directed += usize::from(direction.is_some());
        if let SlowPdu::Marker(m) = &frame.pdu {
            markers += 1;
            let fields = [u64::from(m.response) + 1, u64::from(m.version), u64::from(m.port)];
            assert_eq!(fields, [number(&row[1]), number(&row[2]), number(&row[3])]);
            assert_eq!(m.system, row[4].parse().expect("a MAC address"));
            assert_eq!(u64::from(m.transaction), number(&row[5]));
        }
    }
    assert_eq!(markers, 2);
    assert!(directed > frames.len() / 3, "tshark tells the direction of {directed} frames only");
}

#[test]
fn oddities_as_tcpdump_reads_them() {
    if installed("tcpdump") {
        let frames = oddities();
        let file = written("tcpdump-oddities.pcap", &classic(&frames));
        assert_eq!(compare_with_tcpdump(&file), frames.len() - 4);
    }
}
