//! Output of switches: recognised and listed as [`What::Switch`], not read further yet.
//!
//! Cisco IOS, IOS-XE, NX-OS, IOS-XR and Small Business, Arista EOS, Junos, HPE Comware and ProCurve, Huawei VRP, Dell, Aruba
//! AOS-CX, MikroTik, SONiC, Cumulus (`clagctl`), Extreme EXOS, Nokia SR OS, PAN-OS, Brocade and Ruckus, Edgecore, Allied
//! Telesis and Fortinet. A block begins at a prompt with a command of a switch (`sw1#show lacp neighbor`), at a heading that
//! only such output has, or at a log line with a switch's mnemonic (`%LACP-5-...`). Formats that a Linux-based switch
//! shares with hosts (`/proc/net/bonding` of Cumulus, teamd's state of SONiC) belong to their own parsers, which stand
//! before this one in the table.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Line, SwitchOutput, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "switch-output";

/// Headings: (vendor, what the output is, how the line begins).
const BEGINS: &[(&str, &str, &str)] = &[
    ("cisco-ios", "show etherchannel summary", "Number of channel-groups in use:"),
    ("cisco-ios", "show etherchannel summary", "Group  Port-channel  Protocol"),
    ("cisco-ios", "show etherchannel detail", "Port-channels in the group:"),
    ("cisco-ios", "show etherchannel detail", "Channel-group listing:"),
    ("cisco-ios", "show etherchannel detail", "Group state = L"),
    ("cisco-ios", "show etherchannel port-channel", "Age of the Port-channel "),
    ("cisco-ios", "show interfaces etherchannel", "Port state    = "),
    ("cisco-ios", "show interfaces etherchannel", "Port index    = "),
    ("cisco-ios", "show interfaces etherchannel", "Age of the port in the current state:"),
    ("cisco-ios", "show etherchannel port-channel", "Port state          = "),
    ("cisco-like", "show lacp neighbor", "Partner's information"),
    ("cisco-nxos", "show port-channel database", "Last bundled member is "),
    ("cisco-nxos", "show port-channel database", "Time since last bundle is "),
    ("cisco-nxos", "show port-channel database", "Age of the port-channel is "),
    ("cisco-ios", "show lacp counters", "LACPDUs         Marker"),
    ("cisco-ios", "show logging", "Syslog logging: enabled"),
    ("cisco-ios", "show interfaces status", "Port      Name               Status"),
    ("cisco-ios", "show ip interface brief", "Interface              IP-Address      OK?"),
    ("cisco-ios", "show interfaces counters errors", "Port           Align-Err"),
    ("cisco-ios", "show interfaces counters etherchannel", "Port            InOctets"),
    ("cisco-ios", "show controllers ethernet-controller", "Transmit                  "),
    ("cisco-ios", "running-config", "interface TenGigabitEthernet"),
    ("cisco-ios", "running-config", "interface GigabitEthernet"),
    ("cisco-ios", "running-config", "interface TwentyFiveGig"),
    ("cisco-ios", "running-config", "interface HundredGig"),
    ("cisco-ios", "running-config", "interface FastEthernet"),
    ("cisco-ios", "running-config", "interface Port-channel"),
    ("arista-eos", "running-config", "interface Port-Channel"),
    ("cisco-nxos", "running-config", "interface port-channel"),
    ("cisco-nxos", "running-config", "interface Ethernet"),
    ("cisco-nxos", "show vpc", "vPC domain id"),
    ("cisco-nxos", "show vpc", "(*) - local vPC is down"),
    ("cisco-nxos", "show vpc", "(*) - local vpc is down"),
    ("cisco-nxos", "show port-channel database", "Last membership update is"),
    ("cisco-nxos", "show port-channel summary", "Group Port-       Type     Protocol"),
    ("cisco-nxos", "show lacp counters", "NOTE: Clear lacp counters"),
    ("cisco-nxos", "show interface counters errors", "Port          Align-Err"),
    ("cisco-nxos", "show interface status", "Port          Name               Status"),
    ("cisco-nxos", "show interface transceiver", "transceiver is present"),
    ("cisco-nxos", "show interface", "admin state is "),
    ("cisco-iosxr", "show bundle", "Local links <active/standby/configured>"),
    ("cisco-iosxr", "show lacp", "State: a - Port is marked as Aggreg"),
    ("cisco-iosxr", "show lacp", "Period: S - Slow, F - Fast"),
    ("arista-eos", "show mlag", "MLAG Configuration:"),
    ("arista-eos", "show port-channel summary", "Number of channels in use:"),
    ("arista-eos", "show port-channel summary", "Port-Channel       Protocol"),
    ("arista-eos", "show interfaces status", "Port Name Status Vlan Duplex Speed Type"),
    ("arista-eos", "show interfaces status", "Port       Name           Status"),
    ("junos", "show lacp interfaces", "Aggregated interface: "),
    ("junos", "show lacp statistics", "LACP Statistics:"),
    ("junos", "show lacp interfaces", "LACP protocol:"),
    ("junos", "show interfaces", "Physical interface: "),
    ("junos", "configuration", "set interfaces "),
    ("comware", "display link-aggregation verbose", "Loadsharing Type: Shar"),
    ("comware", "display link-aggregation verbose", "Loadsharing Mode: "),
    ("comware", "display link-aggregation member-port", "Aggregation Interface: "),
    ("comware", "display link-aggregation member-port", "Aggregate Interface: "),
    ("comware", "display link-aggregation", "Aggregation Mode: "),
    ("comware", "display counters", "Interface         Total (pkts)"),
    ("comware", "configuration", "interface Bridge-Aggregation"),
    ("huawei", "display eth-trunk", "ActorPortName "),
    ("huawei", "display eth-trunk", "Info: No valid trunk"),
    ("huawei", "display eth-trunk", "WorkingMode: "),
    ("huawei", "display interface", "Line protocol current state"),
    ("huawei", "configuration", "interface Eth-Trunk"),
    ("dell", "show lacp", "A - Active LACP, B - Passive LACP"),
    ("dell", "show lacp", "Port-channel "),
    ("aruba-aoscx", "show lacp", "State abbreviations :"),
    ("aruba-aoscx", "show lacp interfaces", "Actor details of all interfaces"),
    ("aruba-aoscx", "show lacp interfaces", "Partner details of all interfaces"),
    ("aruba-aoscx", "show lacp aggregates", "Aggregate name "),
    ("mikrotik", "print", "Flags: X - disabled"),
    ("mikrotik", "print", "Flags: D - DYNAMIC"),
    ("mikrotik", "print", "Flags: R - RUNNING"),
    ("mikrotik", "interface ethernet monitor", "auto-negotiation: done"),
    ("mikrotik", "interface ethernet monitor", "name: ether"),
    ("mikrotik", "interface ethernet monitor", "name: sfp"),
    ("sonic", "show interfaces portchannel", "Flags: A - active, I - inactive"),
    ("sonic", "show interfaces portchannel", "No.  Team Dev"),
    ("sonic", "show interfaces counters", "IFACE    STATE"),
    ("sonic", "show interfaces flap", "Interface      Flap Count"),
    ("cumulus", "clagctl", "Our Priority, ID, and Role:"),
    ("cumulus", "clagctl", "The peer is alive"),
    ("extreme-exos", "show sharing", "Load Sharing Monitor"),
    ("extreme-exos", "show ports information detail", "Description String:"),
    ("extreme-exos", "show lacp", "LACP PDUs dropped on non-LACP"),
    ("extreme-exos", "show lacp", "Lag   Actor    Actor"),
    ("hpe-procurve", "show trunks", "Load Balancing Method:"),
    ("hpe-procurve", "show trunks", "Load Balancing"),
    ("hpe-procurve", "show interfaces", "Status and Counters - Port"),
    ("nokia-sros", "show lag", "Lag Data"),
    ("nokia-sros", "show lag port", "Lag Port States"),
    ("nokia-sros", "show lag", "Lag-id "),
    ("paloalto-panos", "show lacp aggregate-ethernet", "AE group: "),
    ("brocade", "show lag brief", "Total number of LAGs"),
    ("brocade", "show lag", "LACP System Priority / ID"),
    ("brocade", "show trunk", "Configured trunks:"),
    ("brocade", "show interfaces brief", "Port   Link     Port-State"),
    ("brocade", "show lag", "Deployment: HW Trunk"),
    ("edgecore", "show interfaces status", "Information of Eth "),
    ("cisco-smb", "show interfaces status", "Port     Type         Duplex  Speed Neg"),
    ("allied-awplus", "show etherchannel", "Aggregator po"),
    ("fortinet", "diagnose netlink aggregate", "LACP flags: (A|P)(S|F)"),
    ("fortinet", "diagnose switch trunk", "Switch Trunk Information"),
];

/// Words that only such output has, anywhere in the line.
const HAS: &[(&str, &str, &str)] = &[
    ("cisco-ios", "show etherchannel summary", "- bundled in port-channel"),
    ("cisco-ios", "show lacp", "Device is requesting Slow LACPDUs"),
    ("cisco-ios", "show interfaces status err-disabled", "Err-disabled Vlans"),
    ("cisco-like", "show interfaces", " is up, line protocol is "),
    ("cisco-like", "show interfaces", " is down, line protocol is "),
    ("cisco-like", "show interfaces", " is administratively down, line protocol is "),
    ("cisco-like", "show interfaces", " is disabled, line protocol is "),
    ("cisco-nxos", "show port-channel summary", "P - Up in port-channel (members)"),
    ("cisco-nxos", "show lacp neighbor", "Device is sending Slow LACPDUs"),
    ("cisco-nxos", "show interface", "suspended(no LACP PDUs)"),
    // Lines from the middle of outputs: the head is often cut away.
    ("cisco-like", "show port-channel summary", "- Hot-standby (LACP only)"),
    ("cisco-like", "show lacp", "A - Device is in Active mode"),
    ("cisco-like", "show etherchannel summary", "f - failed to allocate aggregator"),
    ("cisco-like", "show etherchannel summary", "u - unsuitable for bundling"),
    ("cisco-like", "show etherchannel summary", "- waiting to be aggregated"),
    ("cisco-ios", "show interfaces etherchannel", "Pseudo port-channel"),
    ("cisco-ios", "show interfaces counters", "InOctets    InUcastPkts"),
    ("cisco-nxos", "show port-channel summary", "U - Up (port-channel)"),
    ("cisco-nxos", "show vpc", "vPC keep-alive status"),
    ("cisco-iosxr", "show lacp", "Port is marked as Collecting"),
    ("cisco-iosxr", "show lacp", "Port is marked as Distributing"),
    ("arista-eos", "show port-channel summary", "a - LACP Active"),
    ("junos", "show lacp interfaces", "LACP state:       Role"),
    ("comware", "display link-aggregation", "A -- LACP_Activity"),
    ("comware", "display counters", "Broadcast (pkts)"),
    ("huawei", "display eth-trunk", "'s state information is:"),
    ("huawei", "display interface", " current state : "),
    ("mikrotik", "log print", " topics="),
    ("sonic", "show interfaces portchannel", "S - selected, D - deselected"),
    ("sonic", "show interfaces counters fec-stats", "FEC_UNCORR"),
    ("brocade", "show interfaces", "LACP-BLOCKED"),
    ("brocade", "show lag", "Deploy Trunk Primary"),
    ("cisco-smb", "show interfaces status", "Flow Link          Back   Mdix"),
    ("cisco-ios", "show platform software cpm counters", "TX-DROP                  RX-DROP"),
    ("cisco-nxos", "show", ": executing command 'show"),
    ("cisco-nxos", "show interface counters errors", "Symbol-Err"),
    ("cisco-nxos", "show interface counters errors", "InDiscards"),
    ("cisco-like", "show interfaces counters errors", "Single-Col"),
];

/// Names in JSON of switches.
const JSON: &[(&str, &str, &str)] = &[
    ("arista-eos", "show port-channel | json", "\"portChannels\""),
    ("arista-eos", "show lacp | json", "\"actorPortStatus\""),
    ("arista-eos", "show mlag detail | json", "\"dualPrimaryDetectionState\""),
    ("arista-eos", "show mlag | json", "\"mlagPorts\""),
    ("arista-eos", "show mlag | json", "\"negStatus\""),
    ("arista-eos", "show mlag | json", "\"mlagActive\""),
    ("arista-eos", "show mlag | json", "\"peerLinkStatus\""),
    ("arista-eos", "show mlag | json", "\"peerLink\""),
    ("cumulus", "clagctl -j", "\"clagIntfs\""),
    ("cumulus", "clagctl -j", "\"peerIf\""),
    ("sonic", "database", "\"LAG_TABLE"),
    ("sonic", "database", "\"LAG_MEMBER_TABLE"),
    ("sonic", "database", "\"PORTCHANNEL"),
    ("cisco-nxos", "show vpc | json", "\"vpc-"),
    ("cisco-nxos", "show | json", "\"TABLE_"),
    ("unknown", "collected output", "\"devtype\""),
];

/// Second words of commands of switches.
const SUBJECTS: &[&str] = &[
    "etherchannel",
    "lacp",
    "port-channel",
    "interface",
    "interfaces",
    "int",
    "vpc",
    "bundle",
    "lag",
    "mlag",
    "sharing",
    "trunk",
    "trunks",
    "ports",
    "clock",
    "logging",
    "log",
    "version",
    "ver",
    "running-config",
    "run",
    "configuration",
    "link-aggregation",
    "eth-trunk",
    "counters",
    "transceiver",
    "vlan",
    "mac",
    "spanning-tree",
    "cdp",
    "lldp",
    "stackwise-virtual",
    "switch",
    "platform",
    "controllers",
    "ntp",
    "policy-map",
    "virtual-chassis",
    "iccp",
    "chassis",
    "irf",
    "m-lag",
    "drni",
    "vsx",
    "vlt",
    "copp-policy",
    "aggregate-ethernet",
    "netlink",
    "port",
    "events",
    "system",
    "tech-support",
    "inventory",
];

/// Which pairs of neighbouring bytes a text has, in 256 bits. A text can hold a pattern only if it has all its pairs: most
/// lines are seen at a glance not to hold any of many patterns.
const fn pairs(text: &[u8]) -> [u64; 4] {
    let mut set = [0u64; 4];
    let mut rest = text;
    while let [a, tail @ ..] = rest {
        if let [b, ..] = tail {
            let bit = (*a as u32 * 5 + *b as u32 * 83) & 255;
            set[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        rest = tail;
    }
    set
}

/// The pairs of each text.
const fn pairs_of<const N: usize>(texts: [&str; N]) -> [[u64; 4]; N] {
    let mut all = [[0u64; 4]; N];
    let mut i = 0;
    while i < N {
        all[i] = pairs(texts[i].as_bytes());
        i += 1;
    }
    all
}

/// The first of the patterns that the line holds, given the pairs of each.
fn first_in(
    t: &str,
    patterns: impl Iterator<Item = &'static str>,
    of_patterns: &[[u64; 4]],
) -> Option<usize> {
    let [a, b, c, d] = pairs(t.as_bytes());
    patterns.zip(of_patterns).position(|(pattern, p)| {
        p[0] & !a == 0 && p[1] & !b == 0 && p[2] & !c == 0 && p[3] & !d == 0 && t.contains(pattern)
    })
}

/// The first pattern of [`HAS`] that the line holds.
fn has(t: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    static PAIRS: [[u64; 4]; HAS.len()] = {
        let mut texts = [""; HAS.len()];
        let mut i = 0;
        while i < HAS.len() {
            texts[i] = HAS[i].2;
            i += 1;
        }
        pairs_of(texts)
    };
    HAS.get(first_in(t, HAS.iter().map(|h| h.2), &PAIRS)?)
}

fn head(t: &str) -> Option<(&'static str, &'static str)> {
    // The first byte tells most patterns apart without a call.
    let first = t.as_bytes().first();
    // Some words that begin a line here begin lines of prose too: the line must look like a heading.
    let found =
        BEGINS.iter().find(|(_, _, b)| b.as_bytes().first() == first && t.starts_with(b)).or_else(|| has(t));
    if let Some((vendor, what, pattern)) = found {
        let fits = match *pattern {
            "Port-channel " => t.contains(" admin ") && t.contains(" oper "),
            "Physical interface: " => t.contains(',') || (t.contains('-') && t.contains('/')),
            // `IpInDiscards` is a counter of a host.
            "Symbol-Err" | "InDiscards" | "Single-Col" => t.starts_with("Port "),
            "Transmit                  " => t.contains("Receive"),
            "Aggregation Mode: " => t.ends_with("Dynamic") || t.ends_with("Static"),
            "set interfaces " => t.contains(" ae") || t.contains("ether-options") || t.contains(" unit "),
            " topics=" => t.starts_with("time=") || t.contains(" message="),
            "Load Balancing" => t.contains("Port |"),
            " current state : " => t.ends_with("UP") || t.ends_with("DOWN") || t.contains("Administratively"),
            "The peer is alive" => t == "The peer is alive",
            "Aggregator po" => t.contains("IfIndex"),
            " is up, line protocol is " | " is down, line protocol is " => true,
            "interface Ethernet" => t.split_whitespace().count() == 2,
            _ => true,
        };
        return fits.then_some((*vendor, *what));
    }
    if t.starts_with(['"', '{', '[']) {
        return JSON.iter().find(|(_, _, h)| t.contains(h)).map(|(v, w, _)| (*v, *w));
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    match words.as_slice() {
        ["Interface", port, "is", "up" | "down", ..] if port.contains('/') || port.starts_with("lag") => {
            Some(("aruba-aoscx", "show interface"))
        }
        [port, "is", "up" | "down", ..] if nxos_port(port) => Some(("cisco-nxos", "show interface")),
        [port, "neighbors"] if port.starts_with("port-channel") => Some(("cisco-nxos", "show lacp neighbor")),
        ["Channel", "group", _, "neighbors"] | ["Channel", "group:", _] => Some(("cisco-ios", "show lacp")),
        [name]
            if name
                .strip_prefix("Bundle-Ether")
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) =>
        {
            Some(("cisco-iosxr", "show bundle"))
        }
        ["Bundle-Ether", n] if n.bytes().all(|b| b.is_ascii_digit()) => Some(("cisco-iosxr", "show bundle")),
        _ => None,
    }
}

fn nxos_port(port: &str) -> bool {
    ["Ethernet", "port-channel", "mgmt", "loopback", "Vlan"]
        .iter()
        .any(|p| port.strip_prefix(p).is_some_and(|n| n.bytes().next().is_some_and(|b| b.is_ascii_digit())))
}

/// A command of a switch, with or without the prompt before it.
fn command(t: &str) -> Option<&str> {
    let rest = match t.find(['#', '>']) {
        Some(at) => {
            let prompt = t.get(..at)?;
            let host = |b: u8| b.is_ascii_alphanumeric() || b"._:/()@~-[]<* ".contains(&b);
            if prompt.is_empty()
                || prompt.len() > 64
                || !prompt.bytes().all(host)
                || prompt.split_whitespace().count() > 1 && !prompt.starts_with('[')
            {
                command_words(t).then_some(t)?
            } else {
                t.get(at + 1..)?.trim()
            }
        }
        None => t.strip_prefix(['[']).and_then(|r| r.split_once(']')).map_or(t, |(_, r)| r.trim()),
    };
    (command_words(rest) && rest.split_whitespace().count() <= 10 && !rest.ends_with(['.', ',', ':']))
        .then_some(rest)
}

fn command_words(t: &str) -> bool {
    let mut words = t.split_whitespace();
    match (words.next(), words.next()) {
        (Some("show" | "sho" | "sh" | "display" | "dis" | "diagnose" | "get"), Some(subject)) => {
            SUBJECTS.contains(&subject)
        }
        (Some("/interface" | "/interface/bonding/monitor" | "/interface/bonding/print"), _) => true,
        _ => t.starts_with("/interface/"),
    }
}

/// A line of a switch's log.
fn log(t: &str) -> Option<&'static str> {
    if let Some(at) = t.find('%') {
        let rest = t.get(at + 1..)?;
        if let Some(mnemonic) = rest.strip_prefix('%') {
            // %%01IFNET/4/IF_STATE, %%10LAGG/6/LAGG_INACTIVE_PHYSTATE
            let two = mnemonic.get(..2)?;
            if two.bytes().all(|b| b.is_ascii_digit()) && mnemonic.contains('/') {
                return Some(if two == "10" { "comware" } else { "huawei" });
            }
        }
        let word = rest.split([':', ' ']).next().unwrap_or("");
        let parts: Vec<&str> = word.split('-').collect();
        let upper = |p: &&str| {
            !p.is_empty() && p.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let severity = parts.iter().any(|p| p.len() == 1 && p.bytes().all(|b| (b'0'..=b'7').contains(&b)));
        if parts.len() >= 3 && severity && parts.iter().all(upper) {
            return Some("cisco-like");
        }
    }
    const LOG: &[(&str, &str)] = &[
        ("junos", "SNMP_TRAP_LINK_"),
        ("junos", "LACPD_TIMEOUT"),
        ("junos", "LACP_INTF_DOWN"),
        ("junos", "KERN_LACP_INTF_STATE_CHANGE"),
        ("junos", "DDOS_PROTOCOL_VIOLATION"),
        ("junos", "ESWD_BPDU_BLOCK"),
        ("brocade", " System: Interface ethernet "),
        ("sonic", "setHostIntfsOperStatus"),
        ("hpe-procurve", " ports: ST1-CMDR: port "),
        ("huawei", "LACP/4/LACP_STATE_DOWN"),
    ];
    static PAIRS: [[u64; 4]; LOG.len()] = {
        let mut texts = [""; LOG.len()];
        let mut i = 0;
        while i < LOG.len() {
            texts[i] = LOG[i].1;
            i += 1;
        }
        pairs_of(texts)
    };
    LOG.get(first_in(t, LOG.iter().map(|l| l.1), &PAIRS)?).map(|(vendor, _)| *vendor)
}

/// Lines of one repeated sign, with blanks: rules of tables.
fn rule(t: &str) -> bool {
    t.len() >= 4 && t.bytes().all(|b| matches!(b, b'-' | b'=' | b'*' | b' ' | b'+' | b'|'))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if rule(t) {
        // A rule would pass for a divider between commands; after a heading of a switch it is part of the table.
        let back = |n: usize| i.checked_sub(n).and_then(|k| lines.get(k)).map_or("", |l| l.trimmed());
        return (1..=80)
            .map(back)
            .take_while(|p| super::prompt::find(p).is_none() || rule(p))
            .any(|p| head(p).is_some() || command(p).is_some());
    }
    if matches!(t, "{" | "[") {
        return (1..=12)
            .filter_map(|n| lines.get(i + n))
            .map(Line::trimmed)
            .any(|p| JSON.iter().any(|(_, _, h)| p.contains(h)));
    }
    if matches!(t, "Legend:" | "Flags" | "Flags:") {
        return (1..=3).filter_map(|n| lines.get(i + n)).any(|l| head(l.trimmed()).is_some());
    }
    // IOS-XR prints the date above every output.
    let day = t
        .split_whitespace()
        .next()
        .is_some_and(|d| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&d));
    if day && t.contains('.') && t.split_whitespace().count() <= 6 {
        return (1..=3).filter_map(|n| lines.get(i + n)).any(|l| head(l.trimmed()).is_some());
    }
    head(t).is_some() || log(t).is_some() || command(t).is_some()
}

/// Whether a line of a configuration, or of a list of ports, makes a member port active or passive.
fn lacp_active(t: &str) -> Option<bool> {
    let words: Vec<&str> = t.split_whitespace().collect();
    let word = match words.as_slice() {
        // IOS, NX-OS, EOS, AlliedWare Plus, Dell; AOS-CX.
        ["channel-group", _, "mode", word, ..] | ["lacp", "mode", word] => word,
        // Junos, `show configuration | display set`.
        ["set", "interfaces", _, "aggregated-ether-options", "lacp", word] => word,
        // NX-OS, `show port-channel database`.
        [.., port, word, _] | [.., port, word, _, "*"]
            if word.starts_with('[') && port.starts_with("Ethernet") =>
        {
            word.trim_matches(['[', ']'])
        }
        _ => return None,
    };
    match word {
        "active" => Some(true),
        "passive" => Some(false),
        _ => None,
    }
}

/// Words in a row that make a sentence: the mail goes on.
fn prose(t: &str) -> bool {
    let words: Vec<&str> = t.split_whitespace().collect();
    let plain = words
        .iter()
        .filter(|w| {
            w.trim_end_matches([',', '.', '?', '!', ':', ';'])
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b == b'\'')
        })
        .count();
    let lower = words.iter().filter(|w| w.bytes().next().is_some_and(|b| b.is_ascii_lowercase())).count();
    // `u - unsuitable for bundling`, `Age of the port: 0d` are of a legend or a listing.
    words.len() >= 6
        && plain * 4 >= words.len() * 3
        && lower * 2 >= words.len()
        && !["  ", "|", " - ", ": "].iter().any(|p| t.contains(p))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(first) = cursor.peek() else { return };
    if let Some(vendor) = log(first.trimmed()) {
        logs(vendor, cursor, out);
        return;
    }
    let announced = out.hints.command.clone().filter(|c| command_words(c));
    let mut open: Option<(Citation, Citation, SwitchOutput)> = None;
    let mut after_blank = false;
    let emit = |open: Option<(Citation, Citation, SwitchOutput)>, out: &mut Out| {
        if let Some((first, last, output)) = open {
            out.record(first.to(last), None, What::Switch(output));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        let known = head(t);
        let cmd = command(t).filter(|_| known.is_none());
        if open.is_some() && known.is_none() && cmd.is_none() {
            if log(t).is_some() && !open.as_ref().is_some_and(|(_, _, o)| o.command.contains("log")) {
                break;
            }
            if after_blank && prose(t) {
                break;
            }
        }
        if let Some(cmd) = cmd {
            emit(open.take(), out);
            let output = SwitchOutput { vendor: "unknown", command: cmd.to_owned(), lacp_active: Vec::new() };
            open = Some((line.cite(), line.cite(), output));
        } else {
            let (_, last, output) = open.get_or_insert_with(|| {
                let output = SwitchOutput {
                    vendor: "unknown",
                    command: announced.clone().unwrap_or_default(),
                    lacp_active: Vec::new(),
                };
                (line.cite(), line.cite(), output)
            });
            *last = line.cite();
            if let Some(active) = lacp_active(t) {
                output.lacp_active.push((active, line.cite()));
            }
            if let Some((vendor, what)) = known {
                if matches!(output.vendor, "unknown" | "cisco-like") {
                    output.vendor = vendor;
                }
                if output.command.is_empty() {
                    what.clone_into(&mut output.command);
                }
            }
        }
        out.typed(line);
        after_blank = false;
        cursor.next();
    }
    emit(open, out);
}

fn logs(vendor: &'static str, cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(start) = cursor.peek().map(Line::cite) else { return };
    let mut last = start;
    let mut seen = 0;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        // A mail wraps a log line: `changed state to down` follows on a line of its own.
        let wrapped = seen > 0 && (t.starts_with("changed state to") || t.starts_with("state to "));
        if log(t).is_none() && !wrapped {
            break;
        }
        seen += 1;
        last = line.cite();
        out.typed(line);
        cursor.next();
    }
    let output = SwitchOutput { vendor, command: "log".to_owned(), lacp_active: Vec::new() };
    out.record(start.to(last), None, What::Switch(output));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn outputs(text: &str) -> (Vec<(String, String)>, usize) {
        let parsed = parse_text_with(FileId(0), "x.txt", text.as_bytes(), &[FORMAT]);
        let untyped = parsed.not_understood.len() + parsed.unrecognised.len();
        let switch = |w| if let What::Switch(s) = w { Some((s.vendor.to_owned(), s.command)) } else { None };
        (parsed.records.into_iter().filter_map(|r| switch(r.what)).collect(), untyped)
    }

    #[test]
    fn vendors() {
        for (text, vendor) in [
            (
                "sw1#show etherchannel summary\nFlags:  D - down        P - bundled in port-channel\n        I - stand-alone s - suspended\nGroup  Port-channel  Protocol    Ports\n------+-------------+-----------+-----\n1      Po1(SU)         LACP      Gi1/0/1(P)\n",
                "cisco-ios",
            ),
            (
                "Flags:  D - Down        P - Up in port-channel (members)\n------------\nGroup Port-       Type     Protocol  Member Ports\n",
                "cisco-nxos",
            ),
            (
                "Aggregated interface: ae0\n    LACP state:       Role   Exp   Def  Dist  Col  Syn  Aggr  Timeout  Activity\n      xe-0/0/1       Actor    No    No   Yes  Yes  Yes   Yes     Fast    Active\n",
                "junos",
            ),
            (
                "Eth-Trunk1's state information is:\nLocal:\nLAG ID: 1                   WorkingMode: LACP\n-----------------\nActorPortName          Status\n",
                "huawei",
            ),
            ("{\n \"portChannels\": {\n  \"Port-Channel1\": {\n  }\n }\n}\n", "arista-eos"),
            (
                "Sep 30 14:33:00: %LINK-3-UPDOWN: Interface TenGigabitEthernet1/0/1,\nchanged state to down\n",
                "cisco-like",
            ),
        ] {
            let (got, untyped) = outputs(text);
            assert_eq!(untyped, 0, "{text}");
            assert_eq!(got.first().map(|(v, _)| v.as_str()), Some(vendor), "{text}");
        }
    }

    #[test]
    fn active_and_passive() {
        for (text, want) in [
            (
                "sw1# show running-config interface Ethernet1\ninterface Ethernet1\n   channel-group 5 mode passive\n",
                &[false][..],
            ),
            ("interface GigabitEthernet1/0/1\n channel-group 1 mode active\n", &[true][..]),
            ("interface GigabitEthernet1/0/1\n channel-group 1 mode on\n", &[]),
            (
                "set interfaces ae0 aggregated-ether-options lacp passive\nset interfaces ae0 unit 0\n",
                &[false][..],
            ),
            (
                "Last membership update is successful\n    Ports:   Ethernet1/3     [passive] [up]\n             Ethernet1/4     [active ] [up] *\n             Ethernet1/5     [active] [up] *\n",
                &[false, true][..],
            ),
            (
                "Flags:  S - Device is requesting Slow LACPDUs\n  A - Device is in active mode.        P - Device is in passive mode.\n",
                &[],
            ),
        ] {
            let parsed = parse_text_with(FileId(0), "x.txt", text.as_bytes(), &[FORMAT]);
            let got: Vec<bool> = parsed
                .records
                .iter()
                .filter_map(|r| if let What::Switch(s) = &r.what { Some(s) } else { None })
                .flat_map(|s| s.lacp_active.iter().map(|(a, _)| *a))
                .collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn hosts_are_not_switches() {
        for text in [
            "Ethernet Channel Bonding Driver: v6.12.107\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\nMII Status: up\n",
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000\n",
            "[   12.3] bond0: (slave eth0): link status definitely up, 10000 Mbps full duplex\n",
            "The switch shows 100% packet loss - 5 of 5 lost.\n",
            "root@h1:~# ip -s link show eth0\n",
            "NIC statistics:\n     rx_packets: 100\n",
            "show me the output of the command please, thanks a lot\n",
            "{\n    \"ifname\": \"eth0\"\n}\n",
            "IpInDiscards                    0                  0.0\n",
        ] {
            let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(parsed.recognised.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_mail_that_goes_on_is_left_alone() {
        let (got, untyped) = outputs(
            "sw1# show lacp counters\nPort 1 2 3\n\nSo as you can see the counters do not move at all.\n",
        );
        assert_eq!((got.len(), untyped), (1, 1));
    }
}
