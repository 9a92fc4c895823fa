//! `ip route` and `ip -6 route` as text, all tables, also `ip route get`.
//!
//! Printed by `print_route()` in `ip/iproute.c`. One [`Fields`] record per route: `dst`, `type` where it is printed,
//! then the words of the tool (`via`, `dev`, `proto`, `metric`, ...); flags as `flag`; one `nexthop` field per path of
//! a multipath route; the `cache` line as `cache`.

use super::ip_link::is_prefix;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};
use crate::units::Stamp;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-route";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| begins(l.trimmed()) || multipath(l.trimmed(), lines.get(i + 1)))
}

const TYPES: &[&str] = &[
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];

/// Words with a value.
const KEYS: &[&str] = &[
    "via",
    "dev",
    "proto",
    "scope",
    "src",
    "metric",
    "table",
    "mtu",
    "advmss",
    "hoplimit",
    "expires",
    "error",
    "pref",
    "nhid",
    "weight",
    "realm",
    "realms",
    "ssthresh",
    "cwnd",
    "initcwnd",
    "initrwnd",
    "rto_min",
    "rtt",
    "rttvar",
    "window",
    "features",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
    "tos",
    "dsfield",
    "from",
    "iif",
    "oif",
    "uid",
    "users",
    "age",
    "ipid",
    "used",
    "reordering",
    "mark",
    "as",
    "to",
    "id",
    "ttl",
    "priority",
    "ttl-propagate",
    "dst",
];

/// Words without a value.
const FLAGS: &[&str] = &[
    "onlink",
    "linkdown",
    "dead",
    "pervasive",
    "offload",
    "trap",
    "notify",
    "unresolved",
    "rt_offload",
    "rt_trap",
    "rt_offload_failed",
    "offload_failed",
    "redirected",
    "dst-nat",
    "src-nat",
    "masq",
    "equalize",
];

/// True if a route begins with these words.
pub(super) fn begins(t: &str) -> bool {
    let Some(first) = t.split_whitespace().next() else { return false };
    let typed = TYPES.contains(&first);
    if !typed
        && first != "default"
        && !first.bytes().next().is_some_and(|b| b.is_ascii_hexdigit() || b == b':')
    {
        return false;
    }
    let mut words = t.split_whitespace().skip(usize::from(typed));
    let dst = words.next().unwrap_or("");
    if dst != "default" && !is_prefix(dst) {
        return false;
    }
    let rest: Vec<&str> = words.collect();
    match rest.first() {
        // `blackhole 10.0.0.0/8`.
        None => typed,
        Some(&w) => {
            (KEYS.contains(&w) || FLAGS.contains(&w) || matches!(w, "nexthop" | "encap" | "cache" | "\\"))
                && (typed
                    || rest.contains(&"dev")
                    || rest.contains(&"via")
                    || rest.contains(&"proto")
                    || rest.contains(&"nhid")
                    || rest.contains(&"scope"))
        }
    }
}

/// A destination alone, whose paths follow.
fn multipath(t: &str, next: Option<&Line<'_>>) -> bool {
    (t == "default" || is_prefix(t)) && next.is_some_and(|l| l.trimmed().starts_with("nexthop "))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if !begins(line.trimmed()) && !multipath(line.trimmed(), cursor.peek_at(1)) {
            return;
        }
        route(cursor, out, ID, line.trimmed(), false, None);
    }
}

/// Reads the route whose first line is next; `text` is that line without what stands before the route.
pub(super) fn route(
    cursor: &mut Cursor<'_, '_>,
    out: &mut Out,
    source: &'static str,
    text: &str,
    deleted: bool,
    time: Option<Stamp>,
) {
    let Some(first) = cursor.next() else { return };
    let mut fields = Fields::new(source, None);
    let mut last = first.cite();
    let mut words = text.split_whitespace().peekable();
    if let Some(kind) = words.next_if(|w| TYPES.contains(w)) {
        fields.push("type", kind, last);
    }
    fields.push("dst", words.next().unwrap_or(""), last);
    let ok = attributes(words, &mut fields, last);
    if ok {
        out.typed(first)
    } else {
        out.not_understood(first)
    }
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        let hop = t.starts_with("nexthop ");
        let cache = t == "cache" || t.starts_with("cache ");
        let wrapped = line.indent() > 0
            && t.split_whitespace().next().is_some_and(|w| KEYS.contains(&w) || FLAGS.contains(&w));
        if !(hop || cache || wrapped) {
            break;
        }
        cursor.next();
        last = line.cite();
        if hop || cache {
            let (key, rest) = t.split_once(' ').unwrap_or((t, ""));
            fields.push(key, rest.trim(), last);
            out.typed(line);
        } else if attributes(t.split_whitespace().peekable(), &mut fields, last) {
            out.typed(line);
        } else {
            out.not_understood(line);
        }
    }
    if deleted {
        fields.push("deleted", "true", first.cite());
    }
    fields.dev = fields.text("dev").map(str::to_owned).or_else(|| out.hints.dev.clone());
    out.record(first.cite().to(last), time, What::Fields(fields));
}

fn attributes<'a>(
    mut words: std::iter::Peekable<impl Iterator<Item = &'a str>>,
    fields: &mut Fields,
    at: crate::evidence::Citation,
) -> bool {
    let mut ok = true;
    while let Some(word) = words.next() {
        if word == "encap" {
            // Its words differ by kind and end where the path goes on.
            let mut text = Vec::new();
            while let Some(w) = words.next_if(|w| !matches!(*w, "via" | "dev" | "nhid" | "proto" | "scope")) {
                text.push(w);
            }
            fields.push("encap", text.join(" "), at);
        } else if word == "nexthop" {
            let rest: Vec<&str> = words.by_ref().collect();
            fields.push("nexthop", rest.join(" "), at);
        } else if word == "\\" {
            // One-line output.
        } else if KEYS.contains(&word) {
            let mut value = words.next().unwrap_or("").to_owned();
            if matches!(value.as_str(), "inet" | "inet6" | "lock" | "link")
                && word != "scope"
                && let Some(more) = words.next()
            {
                value = format!("{value} {more}");
            }
            fields.push(word, value, at);
        } else if FLAGS.contains(&word) || word.starts_with('<') && word.ends_with('>') || word == "cache" {
            fields.push("flag", word, at);
        } else {
            ok = false;
        }
    }
    ok
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn routes_of_several_shapes() {
        let text = "default via 192.0.2.1 dev bond0 proto static metric 100 onlink\ndefault proto static metric 20\n\tnexthop via 192.0.2.1 dev eno1 weight 1\n\tnexthop via inet6 fe80::1 dev eno2 weight 1 linkdown\n2001:db8::1 via fe80::1 dev eno1 metric 0 \n    cache  mtu 1492 hoplimit 255\nunreachable 2001:db8:f::/48 dev lo metric 1024 error -101\n10.0.0.0/8 nhid 5 encap mpls 100 via 192.0.2.9 dev eno1\nblackhole 198.51.100.0/24\ndefault is what everybody uses\nlocal switch in rack 10\ndefault\n203.0.113.0/24\n\tnexthop via 192.0.2.1 dev eno1 weight 1\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (11, 0, 3));
        let f: Vec<&Fields> =
            p.records.iter().map(|r| if let What::Fields(f) = &r.what { f } else { panic!() }).collect();
        assert_eq!(f.len(), 7);
        assert_eq!(f[0].dev.as_deref(), Some("bond0"));
        assert_eq!(f[1].entries.iter().filter(|e| e.key == "nexthop").count(), 2);
        assert_eq!(f[2].text("cache"), Some("mtu 1492 hoplimit 255"));
        assert_eq!(f[4].text("via"), Some("192.0.2.9"));
    }
}
