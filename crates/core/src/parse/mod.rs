//! From files to records. One file per format; recognition is by content; what is not understood is listed.
//!
//! A [`Format`] says where a block of its kind begins ([`Format::anchor`]) and reads it ([`Format::parse`]). A
//! file may hold many blocks of many formats (a paste of a whole session): [`parse_text`] walks over the lines
//! and gives each block to the format whose anchor fires first in [`FORMATS`]. A block ends where a shell prompt
//! or the anchor of another format begins.

use crate::evidence::{Citation, FileId, Line, Record, Text};
use crate::units::Stamp;

mod cursor;
mod empty_output;
mod ethtool_listing;
mod table;

pub use cursor::{Cursor, Out};
pub use table::FORMATS;

pub mod bpftool_net_json;
pub mod bridge_fdb;
pub mod bridge_link;
pub mod bridge_vlan;
pub mod chrony;
pub mod clock;
pub mod counter_line;
pub mod counter_meaning;
pub mod dpkg_list;
pub mod drop_monitor;
pub mod ethtool_channels;
pub mod ethtool_coalesce;
pub mod ethtool_driver;
pub mod ethtool_dump;
pub mod ethtool_eee;
pub mod ethtool_features;
pub mod ethtool_fec;
pub mod ethtool_json;
pub mod ethtool_module;
pub mod ethtool_pause;
pub mod ethtool_permaddr;
pub mod ethtool_phy_statistics;
pub mod ethtool_priv_flags;
pub mod ethtool_rings;
pub mod ethtool_rxfh;
pub mod ethtool_settings;
pub mod ethtool_stats;
pub mod ethtool_timestamping;
pub mod hostname_addresses;
pub mod ifcfg;
pub mod ifconfig;
pub mod ifupdown;
pub mod ini_lines;
pub mod ip_link;
pub mod ip_link_json;
pub mod ip_maddr;
pub mod ip_monitor;
pub mod ip_neigh;
pub mod ip_netconf;
pub mod ip_route;
pub mod ip_rule;
pub mod journal_export;
pub mod journal_json;
pub mod json_lines;
pub mod kernel_log;
pub mod kernel_messages;
pub mod lacp_fields;
pub mod lldp;
pub mod loadavg;
pub mod lspci;
pub mod modprobe_bonding;
pub mod netlink;
pub mod netplan;
pub mod netstat_listing;
pub mod netstat_s;
pub mod networkd;
pub mod nft_ruleset;
pub mod nm_keyfile;
pub mod nmcli;
pub mod nmstate;
pub mod nstat;
pub mod one_value;
pub mod os_release;
pub mod ovs_bond_show;
pub mod ovs_lacp_show;
pub mod ping;
pub mod proc_bonding;
pub mod proc_interrupts;
pub mod proc_modules;
pub mod proc_net_dev;
pub mod proc_net_dev_mcast;
pub mod proc_net_igmp;
pub mod proc_net_netstat;
pub mod proc_net_snmp;
pub mod proc_net_snmp6;
pub mod proc_net_vlan;
pub mod proc_stat;
pub mod prompt;
pub mod psi;
pub mod send_test;
pub mod softnet_stat;
pub mod stats64;
pub mod switch_output;
pub mod sysfs_bonding;
pub mod sysfs_net;
pub mod systemctl;
pub mod talos_machine_config;
pub mod talos_resources;
pub mod talos_table;
pub mod tc_class;
pub mod tc_filter;
pub mod tc_json;
pub mod tc_qdisc;
pub mod tcpdump_lacp;
pub mod teamdctl_state;
pub mod tracefs;
pub mod tshark_lacp;
pub mod uname;
pub mod uptime;
pub mod xdp_status;
pub mod xstats;
pub mod yaml_lines;

/// A text format that is recognised by its content.
pub struct Format {
    /// Stable id, printed as `recognised_as`: kebab-case, named after the source (`proc-net-bonding`).
    pub id: &'static str,
    /// Does a block of this format begin at `lines[i]`? Looks at `lines[i]` and at most three lines after it;
    /// cheap, and strict enough that prose or another format's block does not match.
    pub anchor: fn(lines: &[Line<'_>], i: usize) -> bool,
    /// Reads one block. Takes lines from the cursor until it is empty; marks each as typed or not understood.
    /// May stop early (return with lines left): the rest is looked at afresh.
    pub parse: fn(cursor: &mut Cursor<'_, '_>, out: &mut Out),
}

/// Hints that come from the name of a file, never from its content. They fill gaps; content wins.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The path relative to the case, with `/`.
    pub path: String,
    /// The prompt's or the file name's command line, such as `ethtool -S eth0`, if there is one.
    pub command: Option<String>,
    /// An interface that the command line or the file name seems to name.
    pub dev: Option<String>,
    /// A time given by a line before the block (`@@ 1795313330.05`, `date` output).
    pub time: Option<Stamp>,
}

/// What was understood of one file, and what was not.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// Format ids in order of first appearance.
    pub recognised: Vec<&'static str>,
    /// The facts.
    pub records: Vec<Record>,
    /// Non-blank lines that belong to recognised blocks and were understood.
    pub typed: u64,
    /// Non-blank lines of recognised blocks that were not understood.
    pub not_understood: Vec<Citation>,
    /// Non-blank lines outside every recognised block.
    pub unrecognised: Vec<Citation>,
    /// Per format: (typed, not understood).
    pub per_format: std::collections::BTreeMap<&'static str, (u64, u64)>,
}

/// Reads one text file.
#[must_use]
pub fn parse_text(file: FileId, path: &str, bytes: &[u8]) -> Parsed {
    parse_text_with(file, path, bytes, FORMATS)
}

/// Like [`parse_text`], with a chosen table of formats (tests of one format use a table of one).
#[must_use]
pub fn parse_text_with(file: FileId, path: &str, bytes: &[u8], formats: &[Format]) -> Parsed {
    let text = Text::new(file, bytes);
    let lines = &text.lines;
    // Which format begins at which line, found once: parsing stays linear in the file.
    let begins: Vec<Option<usize>> = (0..lines.len())
        .map(|i| {
            if lines.get(i).is_none_or(Line::is_blank) {
                return None;
            }
            formats.iter().position(|f| (f.anchor)(lines, i))
        })
        .collect();
    let prompts: Vec<Option<prompt::Prompt>> = lines.iter().map(|l| prompt::find(&l.text)).collect();

    let mut out = Out::new(prompt::hints_from_path(path));
    let base = out.hints.clone();
    let mut i = 0;
    // The line after one that announced a time: what it announces itself is of that time.
    let mut timed: Option<(usize, Stamp)> = None;
    // The time that the line before announced: `@@ time` stands before the divider that names the source.
    let mut announced = None;
    while let Some(line) = lines.get(i) {
        if line.is_blank() {
            i += 1;
            continue;
        }
        let time_before = announced.take();
        let begin = begins.get(i).copied().flatten();
        if let Some(p) = prompts.get(i).and_then(Option::as_ref) {
            // A prompt or a divider announces what follows; formats that know it better go first.
            if begin.is_none() {
                out.hints = p.hints(&base);
                if out.hints.time.is_none() {
                    out.hints.time = timed.filter(|(at, _)| *at == i).map(|(_, time)| time);
                }
                out.hints.time = out.hints.time.or(time_before);
                announced = p.time;
                out.typed_context(line);
                i += 1;
                timed = p.time.map(|time| (i, time));
                let next = (i..lines.len()).find(|n| lines.get(*n).is_some_and(|l| !l.is_blank()));
                let next_prompt =
                    next.and_then(|n| prompts.get(n)?.as_ref().filter(|_| begins.get(n) == Some(&None)));
                // The divider after a time names the source of what that time is of.
                let named = p.command.is_some() || next_prompt.is_none_or(|n| n.command.is_none());
                if named
                    && (next.is_none() || next_prompt.is_some())
                    && let Some(id) = empty_output::of(&out.hints)
                {
                    empty_output::record(id, line, &mut out);
                }
                continue;
            }
        }
        let Some(which) = begin else {
            out.unrecognised(line);
            i += 1;
            continue;
        };
        let Some(format) = formats.get(which) else { break };
        let mut end = i + 1;
        while end < lines.len() {
            let other = begins.get(end).copied().flatten().is_some_and(|w| w != which);
            let prompt =
                begins.get(end).copied().flatten().is_none() && prompts.get(end).is_some_and(Option::is_some);
            if other || prompt {
                break;
            }
            end += 1;
        }
        out.begin(format.id);
        let mut cursor = Cursor::new(lines, i, end);
        (format.parse)(&mut cursor, &mut out);
        let next = cursor.position();
        out.finish();
        if next > i {
            i = next;
        } else {
            // A parser that took nothing is a defect; the line is not lost for it.
            out.unrecognised(line);
            i += 1;
        }
    }
    out.into_parsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_has_the_time_and_the_interface_that_its_two_lines_announce() {
        let text = "@@ 1795313330.5\n==> ethtool -S eno1 (ETHTOOL_GSTATS) <==\nNIC statistics:\n     rx_drops: 1\n\
                    @@ 1795313331.5\n==> ethtool -S eno2 (ETHTOOL_GSTATS) <==\nNIC statistics:\n     rx_drops: 2\n\
                    $ ethtool -S eno3\nNIC statistics:\n     rx_drops: 3\n";
        let p = parse_text(FileId(0), "state/ethtool-S.txt", text.as_bytes());
        let seen: Vec<_> = p
            .records
            .iter()
            .map(|r| match &r.what {
                crate::evidence::What::Counters(c) => (c.dev.as_deref(), r.time.map(|t| t.ns)),
                other => panic!("{other:?}"),
            })
            .collect();
        let at = |seconds: i64| Some(seconds * 1_000_000_000 + 500_000_000);
        assert_eq!(
            seen,
            [(Some("eno1"), at(1_795_313_330)), (Some("eno2"), at(1_795_313_331)), (Some("eno3"), None)]
        );
    }

    #[test]
    fn a_time_before_the_divider_holds_for_the_block_after_it() {
        let text = "@@ 1795313330.250000000\n==> ip -s -d link <==\n1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n$ ip link\n1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n";
        let parsed = parse_text(FileId(0), "a.txt", text.as_bytes());
        let times: Vec<_> = parsed.records.iter().map(|r| r.time).collect();
        assert_eq!(times, [Some(Stamp::wall(1_795_313_330_250_000_000)), None]);
    }

    #[test]
    fn ids_are_unique_and_kebab() {
        let mut seen = std::collections::BTreeSet::new();
        for f in FORMATS {
            assert!(seen.insert(f.id), "{} twice", f.id);
            assert!(
                f.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                f.id
            );
        }
    }
}
