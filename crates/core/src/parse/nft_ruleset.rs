//! `nft list ruleset` and `nft list hooks`.
//!
//! Printed by nftables 0.7 to 1.1 (`src/rule.c`, `src/mnl.c`). A chain of the netdev family with `hook ingress` or `hook
//! egress` becomes one [`What::Hook`] per device. All lines are kept as fields: the key is where they stand (`netdev
//! filter ingress`), the value is the text.
//!
//! `drops_lacp` is true where a rule that fits a LACPDU (EtherType 0x8809, destination 01:80:c2:00:00:02, or no match at
//! all) drops it before another rule accepts it, or where the policy drops and nothing accepts it.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Hook, HookPoint, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "nft-ruleset";

const FAMILIES: &[&str] = &["ip", "ip6", "inet", "arp", "bridge", "netdev"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        if !["table", "family", "type", "hook"].iter().any(|word| l.trimmed().starts_with(word)) {
            return false;
        }
        let words: Vec<&str> = l.trimmed().split_whitespace().collect();
        match words.as_slice() {
            ["table", family, _, rest @ ..] => {
                FAMILIES.contains(family) && rest.first().is_some_and(|r| r.starts_with('{'))
            }
            ["family", family, rest @ ..] => {
                FAMILIES.contains(family) && rest.first().is_some_and(|r| r.starts_with('{'))
            }
            ["type", "filter" | "nat" | "route", "hook", ..] => true,
            ["hook", "ingress" | "egress", "device", ..] => true,
            _ => false,
        }
    })
}

#[derive(Clone)]
struct Chain {
    at: Citation,
    last: Citation,
    /// `netdev lacp`.
    table: String,
    name: String,
    point: Option<HookPoint>,
    devs: Vec<String>,
    policy_drop: bool,
    /// What the first rule that a LACPDU certainly fits does with it.
    verdict: Option<bool>,
    dropped: Option<u64>,
}

impl Chain {
    fn new(at: Citation, table: &str, name: &str) -> Self {
        Self {
            at,
            last: at,
            table: table.to_owned(),
            name: name.to_owned(),
            point: None,
            devs: Vec::new(),
            policy_drop: false,
            verdict: None,
            dropped: None,
        }
    }
    fn emit(self, out: &mut Out) {
        let Some(point) = self.point else { return };
        let drops_lacp = self.verdict.unwrap_or(self.policy_drop);
        let devs: Vec<Option<String>> =
            if self.devs.is_empty() { vec![None] } else { self.devs.iter().cloned().map(Some).collect() };
        for dev in devs {
            let hook = Hook {
                dev,
                point,
                program: format!("nft {} {}", self.table, self.name),
                drops_lacp,
                dropped: self.dropped,
            };
            out.record(self.at.to(self.last), None, What::Hook(hook));
        }
    }
    fn rule(&mut self, t: &str) {
        let spaced = t.replace(['{', '}', ',', '"', ';'], " ");
        let words: Vec<&str> = spaced.split_whitespace().take_while(|w| !w.starts_with('#')).collect();
        let drops = words.contains(&"drop") || words.contains(&"reject");
        let accepts = words.contains(&"accept");
        if !drops && !accepts {
            return;
        }
        let lacp_type = ["0x8809", "0x00008809", "34825"].iter().any(|v| words.contains(v))
            && (t.contains("ether type") || t.contains("meta protocol") || t.contains("@ll,96"));
        let lacp_to = (words.contains(&"01:80:c2:00:00:02") && t.contains("ether daddr"))
            || (t.contains("@ll,0,48") && words.contains(&"0x180c2000002"));
        if drops
            && let Some(n) = words.windows(2).find_map(|w| match w {
                ["packets", n] => n.parse::<u64>().ok(),
                _ => None,
            })
        {
            self.dropped = Some(self.dropped.unwrap_or(0).saturating_add(n));
        }
        // Words of a rule that match nothing in particular.
        let mut everything = true;
        let mut rest = words.iter();
        while let Some(w) = rest.next() {
            match *w {
                "counter" | "drop" | "accept" | "reject" | "log" | "flags" | "all" => {}
                "packets" | "bytes" | "prefix" | "comment" | "handle" | "level" | "group" | "name" => {
                    rest.next();
                }
                _ => everything = false,
            }
        }
        let negated = t.contains("!=") || words.contains(&"limit");
        let fits = (lacp_type || lacp_to || everything) && !negated;
        if fits && self.verdict.is_none() {
            self.verdict = Some(drops);
        }
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let mut depth: i32 = 0;
    let mut table = String::new();
    let mut chain: Option<Chain> = None;
    let mut hook: Option<Chain> = None;
    let mut place = String::new();
    let Some(start) = cursor.peek().map(Line::cite) else { return };
    let mut end = start;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let words: Vec<&str> = t.split_whitespace().collect();
        let heading = matches!(words.first(), Some(&"table" | &"family"))
            && words.last().is_some_and(|w| w.ends_with('{'));
        // The head of the ruleset may be cut away: then the depth is not known, and a line of rules begins it.
        if depth <= 0 && !heading && end != start && !matches!(t, "}") {
            break;
        }
        let headless = depth <= 0 && !heading;
        let mut known = true;
        if t == "}" || t == "};" {
            depth = depth.saturating_sub(1);
            if depth <= 1 {
                if let Some(c) = chain.take() {
                    c.emit(out);
                }
                if let Some(c) = hook.take() {
                    c.emit(out);
                }
                place.clone_from(&table);
            }
            fields.push(place.clone(), t, line.cite());
        } else {
            match words.as_slice() {
                ["table" | "family", family, rest @ ..] if heading => {
                    depth = 0;
                    let name = rest.first().filter(|n| !n.starts_with('{')).copied().unwrap_or("");
                    table = format!("{family} {name}").trim_end().to_owned();
                    place.clone_from(&table);
                }
                ["chain", name, ..] if t.ends_with('{') => {
                    chain = Some(Chain::new(line.cite(), &table, name));
                    place = format!("{table} {name}");
                }
                ["hook", at, rest @ ..] if t.ends_with('{') => {
                    let mut c = Chain::new(line.cite(), &table, "");
                    c.point = match *at {
                        "ingress" => Some(HookPoint::Ingress),
                        "egress" => Some(HookPoint::Egress),
                        _ => None,
                    };
                    if let ["device", dev, ..] = rest {
                        c.devs.push(dev.trim_matches('"').to_owned());
                    }
                    // Only chains of netdev hooks are on a device.
                    if c.devs.is_empty() {
                        c.point = None;
                    }
                    place = format!("{table} hook {at}");
                    hook = Some(c);
                }
                ["type", _, "hook", at, ..] => {
                    if let Some(c) = chain.get_or_insert_with(|| Chain::new(line.cite(), &table, "")).into() {
                        definition(c, at, t);
                    }
                }
                _ => {
                    if let Some(c) = chain.as_mut() {
                        c.rule(t);
                    } else if let Some(c) = hook.as_mut() {
                        // `0000000000 chain netdev filter ingress [nf_tables]`
                        if let Some(i) = words.iter().position(|w| *w == "chain") {
                            c.name = words
                                .iter()
                                .skip(i + 1)
                                .take_while(|w| !w.starts_with('['))
                                .copied()
                                .collect::<Vec<_>>()
                                .join(" ");
                        }
                    } else if depth <= 0 {
                        known = false;
                    }
                }
            }
            fields.push(place.clone(), t, line.cite());
        }
        let opens = i32::try_from(t.matches('{').count()).unwrap_or(0);
        let closes =
            if t == "}" || t == "};" { 0 } else { i32::try_from(t.matches('}').count()).unwrap_or(0) };
        depth = depth.saturating_add(opens).saturating_sub(closes);
        if headless {
            depth = depth.max(2);
        }
        end = line.cite();
        if let Some(c) = chain.as_mut().or(hook.as_mut()) {
            c.last = end;
        }
        if known {
            out.typed(line)
        } else {
            out.not_understood(line)
        }
        cursor.next();
    }
    if let Some(c) = chain {
        c.emit(out);
    }
    if let Some(c) = hook {
        c.emit(out);
    }
    out.record(start.to(end), None, What::Fields(fields));
}

/// `type filter hook ingress device "eth0" priority filter; policy drop;`
fn definition(c: &mut Chain, at: &str, t: &str) {
    let device = t.contains(" device ") || t.contains(" devices ");
    c.point = match at {
        "ingress" if device => Some(HookPoint::Ingress),
        "egress" if device => Some(HookPoint::Egress),
        _ => None,
    };
    let names = t.split_once(" devices = ").or_else(|| t.split_once(" device ")).map_or("", |(_, r)| r);
    let names = names.split(" priority").next().unwrap_or(names);
    for name in names.split(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '"')) {
        if !name.is_empty() {
            c.devs.push(name.to_owned());
        }
    }
    c.policy_drop = t.contains("policy drop");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn hooks(text: &str) -> Vec<Hook> {
        let parsed = parse_text_with(FileId(0), "x.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let hook = |w| if let What::Hook(h) = w { Some(h) } else { None };
        parsed.records.into_iter().filter_map(|r| hook(r.what)).collect()
    }

    #[test]
    fn netdev_chains() {
        for (rule, policy, want) in [
            ("ether type 0x8809 counter packets 12 bytes 1488 drop", "accept", true),
            ("ether daddr 01:80:c2:00:00:02 drop", "accept", true),
            ("counter packets 12 bytes 0 drop", "accept", true),
            ("ip saddr 10.0.0.1 drop", "accept", false),
            ("ether type 0x8809 accept", "drop", false),
            ("ip saddr 10.0.0.1 accept", "drop", true),
        ] {
            let got = hooks(&format!(
                "table netdev guard {{\n\tchain out {{\n\t\ttype filter hook egress devices = {{ eth0, eth1 }} priority filter; policy {policy};\n\t\t{rule}\n\t}}\n}}\ntable inet filter {{\n\tchain input {{\n\t\ttype filter hook input priority filter; policy drop;\n\t\ttcp dport {{ 22, 80 }} accept\n\t}}\n}}\n"
            ));
            let [a, b] = got.as_slice() else { panic!("{got:?}") };
            assert_eq!((a.dev.as_deref(), b.dev.as_deref()), (Some("eth0"), Some("eth1")));
            assert_eq!((a.drops_lacp, a.point), (want, HookPoint::Egress), "{rule}");
        }
    }

    #[test]
    fn list_of_hooks() {
        let got = hooks(
            "family netdev {\n\thook ingress device bond0 {\n\t\t 0000000000 chain netdev filter in [nf_tables]\n\t}\n}\nfamily ip {\n\thook input {\n\t\t 0000000000 chain ip filter INPUT [nf_tables]\n\t}\n}\n",
        );
        let [h] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((h.dev.as_deref(), h.point, h.drops_lacp), (Some("bond0"), HookPoint::Ingress, false));
    }
}
