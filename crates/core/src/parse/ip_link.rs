//! `ip link` and `ip addr` as text: plain, `-d`, `-s`, `-s -s`, `-br`, `-o`, `-h`, from iproute2 2.6 to 6.x and `BusyBox`.
//!
//! Printed by `print_linkinfo()`, `print_addrinfo()` and `print_stats64()` in `ip/ipaddress.c` and by the `print_opt`
//! functions of the link kinds (`ip/iplink_bond.c`, `iplink_vlan.c`, ...). The output is a stream of words: keys with
//! one value, flags, and tables of counters whose heading names the columns. It is read as that stream, because
//! pasted output has lost its indentation or was wrapped anywhere between two words, or even inside one.
//!
//! Kept: a [`Link`] per interface and one [`Counters`] record with its statistics, named as sysfs names them.
//! Keys of a kind get the kind as prefix (`bond.miimon`, `vxlan.id`, `bridge_slave.cost`) except those that
//! [`Link`] documents. `transns` is also kept as `carrier_changes`. Statistics of virtual functions are named
//! `vf0_rx_bytes` and so on, so that nobody takes them for those of the port. Errors of the tool become a
//! [`Fields`] record with the key `error`.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Link, Meaning, What};
use crate::units::{Mac, Stamp};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-link";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = unquote(&line.text).trim_start();
    if t.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        return Header::find(t).is_some_and(|h| !h.deleted);
    }
    brief_begins(lines, i) || tool_error(t).is_some() || beheaded(lines, i)
}

/// A block whose first lines were cut off, or that `grep` reduced. The same lines inside of a stream of `ip monitor` or
/// of `ip stats` belong to that stream.
fn beheaded(lines: &[Line<'_>], i: usize) -> bool {
    let Some(t) = lines.get(i).map(|l| unquote(&l.text).trim_start()) else { return false };
    if !orphan(t) {
        return false;
    }
    for p in (i.saturating_sub(16)..i).rev() {
        let Some(before) = lines.get(p).map(Line::trimmed) else { break };
        if before.starts_with('[') || before.starts_with("Deleted ") || before.starts_with("Timestamp: ") {
            return false;
        }
        if before.starts_with(|c: char| c.is_ascii_digit()) {
            return !before.contains(": group ");
        }
    }
    true
}

fn orphan(t: &str) -> bool {
    let mut words = t.split_whitespace();
    let (first, second, third) = (words.next().unwrap_or(""), words.next(), words.next());
    match first {
        "inet" | "inet6" => second.is_some_and(is_prefix) && t.contains(" scope "),
        "RX:" => second == Some("bytes") && third == Some("packets"),
        "TX:" => second == Some("bytes") && third == Some("packets"),
        "bond_slave" => second == Some("state"),
        "bond" => second == Some("mode") && t.contains(" miimon "),
        _ if first.starts_with("link/") => second.is_some_and(is_lladdr) && third == Some("brd"),
        _ => false,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut first = true;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = unquote(&line.text).trim_start();
        if let Some(header) = Header::find(t).filter(|h| !h.deleted) {
            stanza(cursor, out, ID, Some(header), None);
        } else if let Some(link) = brief(line).filter(|b| !b.short || !first).map(|b| b.link) {
            cursor.next();
            out.typed(line);
            out.record(line.cite(), None, What::Link(link));
        } else if let Some(error) = tool_error(t) {
            cursor.next();
            out.typed(line);
            let mut fields = Fields::new(ID, error.dev.or_else(|| out.hints.dev.clone()));
            fields.push("error", t, line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else if orphan(t) {
            stanza(cursor, out, ID, None, None);
        } else {
            return;
        }
        first = false;
    }
}

/// True for an address with or without prefix length.
pub(super) fn is_prefix(word: &str) -> bool {
    let (addr, len) = word.split_once('/').map_or((word, None), |(a, l)| (a, Some(l)));
    let addr = addr.split_once('%').map_or(addr, |(a, _)| a);
    len.is_none_or(|l| !l.is_empty() && l.len() <= 3 && l.bytes().all(|b| b.is_ascii_digit()))
        && addr.parse::<std::net::IpAddr>().is_ok()
}

/// A link layer address: octets in hexadecimal, or what somebody put in their place (`20:7c:14:xx:xx:xx`).
pub(super) fn is_lladdr(word: &str) -> bool {
    let mut n = 0;
    for part in word.split(':') {
        n += 1;
        if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'x' | b'X' | b'*'))
        {
            return false;
        }
    }
    n >= 4
}

/// The line without the marks of a quoting mail (`> `, `| `).
fn unquote(text: &str) -> &str {
    let mut t = text;
    for _ in 0..4 {
        let Some(rest) = t.trim_start().strip_prefix(['>', '|']) else { break };
        t = rest.strip_prefix(' ').unwrap_or(rest);
    }
    t
}

/// What `ip` says when it cannot.
pub(super) struct ToolError {
    /// The interface it complains about.
    pub(super) dev: Option<String>,
}

/// Recognises an error message of `ip` or of the kernel through it.
pub(super) fn tool_error(t: &str) -> Option<ToolError> {
    let quoted = |s: &str| {
        let name = s.split(['"', '\'']).nth(1)?;
        is_ifname(name).then(|| name.to_owned())
    };
    if (t.starts_with("Device \"") && t.ends_with("does not exist."))
        || t.starts_with("Cannot find device \"")
        || t.starts_with("ip: can't find device '")
        || (t.starts_with("ip: SIOC") && t.contains("failed"))
    {
        return Some(ToolError { dev: quoted(t) });
    }
    let plain = t.starts_with("RTNETLINK answers: ")
        || t.starts_with("Cannot open netlink socket: ")
        || t.starts_with("Cannot send dump request: ")
        || t.starts_with("Cannot talk to rtnetlink: ")
        || t.starts_with("Dump was interrupted and may be inconsistent")
        || t == "Dump terminated";
    plain.then_some(ToolError { dev: None })
}

/// The first line of an interface: `13: h1@if12: <BROADCAST,...> mtu 1500 ...` or `2: ens3    inet ...`.
pub(super) struct Header<'a> {
    /// Interface index.
    pub(super) index: u64,
    /// Interface.
    pub(super) name: &'a str,
    /// What stands after `@`.
    pub(super) parent: Option<&'a str>,
    /// What follows the name.
    pub(super) rest: &'a str,
    /// `Deleted` stood before it.
    pub(super) deleted: bool,
}

impl<'a> Header<'a> {
    /// Reads a header line (without leading blanks).
    pub(super) fn find(t: &'a str) -> Option<Self> {
        let (deleted, t) = t.strip_prefix("Deleted ").map_or((false, t), |r| (true, r.trim_start()));
        let mut t = t;
        // `grep -n` puts a line number in front.
        for _ in 0..2 {
            let digits = t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 || digits > 9 {
                return None;
            }
            let (number, rest) = t.split_at_checked(digits)?;
            let rest = rest.strip_prefix([':', '-'])?;
            if rest.starts_with(|c: char| c.is_ascii_digit()) {
                t = rest;
                continue;
            }
            let index = number.parse().ok()?;
            let rest = rest.strip_prefix(' ')?.trim_start();
            let end = rest.find(char::is_whitespace)?;
            let (name, rest) = rest.split_at_checked(end)?;
            let rest = rest.trim_start();
            let (name, colon) = name.strip_suffix(':').map_or((name, false), |n| (n, true));
            let plausible = if colon {
                rest.strip_prefix('<')
                    .is_some_and(|f| f.starts_with(|c: char| c.is_ascii_uppercase() || c == '>' || c == '0'))
            } else {
                let family = rest.split_whitespace().next().unwrap_or("");
                // Old `bridge link` puts the state between name and flags.
                (family == "state" && rest.contains(" : <"))
                    || (matches!(family, "inet" | "inet6" | "ipx" | "dnet" | "link")
                        && rest.split_whitespace().nth(1).is_some_and(is_prefix)
                        && rest.contains('/'))
                    || family.starts_with("link/")
            };
            let (name, parent) = name.split_once('@').map_or((name, None), |(n, p)| (n, Some(p)));
            if !plausible || name.is_empty() || name.len() > 32 {
                return None;
            }
            return Some(Self { index, name, parent, rest, deleted });
        }
        None
    }
}

/// The state words of `operstate`.
const STATES: &[&str] = &["UP", "DOWN", "UNKNOWN", "LOWERLAYERDOWN", "DORMANT", "NOTPRESENT", "TESTING"];

struct Brief {
    link: Link,
    /// Nothing but a name and a state: only believed between its like.
    short: bool,
}

/// A line of `ip -br link` or `ip -br addr`.
fn brief(line: &Line<'_>) -> Option<Brief> {
    let mut words = unquote(&line.text).split_whitespace();
    let name = words.next()?;
    let state = words.next().filter(|s| STATES.contains(s))?;
    let (name, parent) = name.split_once('@').map_or((name, None), |(n, p)| (n, Some(p)));
    let odd = |b: u8| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'+'));
    if name.is_empty() || name.len() > 15 || name.bytes().any(odd) {
        return None;
    }
    let mut link = new_link(ID, name, parent);
    link.fields.push("state", state, line.cite());
    let mut short = true;
    while let Some(word) = words.next() {
        if let Some(flags) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
            link.flags = flags.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect();
        } else if is_lladdr(word) {
            link.fields.push("mac", word, line.cite());
        } else if is_prefix(word) {
            link.fields.push("addr", word, line.cite());
        } else if word == "metric" || word == "peer" {
            link.fields.push(format!("addr.{word}"), words.next()?, line.cite());
        } else {
            return None;
        }
        short = false;
    }
    Some(Brief { link, short })
}

fn brief_begins(lines: &[Line<'_>], i: usize) -> bool {
    let Some(b) = lines.get(i).and_then(brief) else { return false };
    !b.short
        || (super::prompt::looks_like_ifname(&b.link.name)
            && (1..=3).any(|n| lines.get(i + n).and_then(brief).is_some_and(|b| !b.short)))
}

/// An empty link.
pub(super) fn new_link(source: &'static str, name: &str, parent: Option<&str>) -> Link {
    Link {
        source,
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        flags: Vec::new(),
        deleted: false,
        fields: Fields::new(source, Some(name.to_owned())),
    }
}

/// Which vocabulary is in force.
#[derive(Clone, PartialEq, Eq)]
enum Section {
    /// After the flags.
    Head,
    /// After `link/ether`.
    Link,
    /// Options of a link kind.
    Kind(String),
    /// Options of a port of an upper device: `bond_slave`, `bridge_slave`.
    Port(String),
    /// After `inet`.
    Addr,
    /// After `vf 0`.
    Vf,
}

/// Where the stream of words stands.
#[derive(Clone)]
struct State {
    section: Section,
    /// The key that waits for its value, and how many more values may follow the first.
    pending: Option<(String, u8)>,
    /// A `{ ... }` that is still open.
    open: Option<char>,
    /// Columns of a table, and how many of their values were read; `None` while columns are read.
    table: Option<Table>,
    /// The virtual function that is described.
    vf: Option<String>,
    /// Beginning of a word that the end of the line cut in two.
    half: Option<String>,
    /// The last word was a value that ended in a digit.
    digits: bool,
}

#[derive(Clone)]
struct Table {
    rx: bool,
    columns: Vec<&'static str>,
    read: usize,
}

enum Item {
    Flags(String),
    Field(String, String),
    /// More of the last field's value, after a blank or not.
    More(&'static str, String),
    Counter(String, u64, Meaning),
}

struct Fed {
    state: State,
    items: Vec<Item>,
    words: usize,
    unknown: usize,
    /// The first word was understood.
    first_known: bool,
}

/// Reads one interface from its header (or from what is left of it) to its last line, and records it.
pub(super) fn stanza(
    cursor: &mut Cursor<'_, '_>,
    out: &mut Out,
    source: &'static str,
    header: Option<Header<'_>>,
    time: Option<Stamp>,
) {
    let Some(begin) = cursor.next() else { return };
    let nameless = header.is_none();
    let (name, parent, rest, deleted) = header.as_ref().map_or_else(
        || (out.hints.dev.clone().unwrap_or_default(), None, unquote(&begin.text), false),
        |h| (h.name.to_owned(), h.parent, h.rest, h.deleted),
    );
    let mut link = new_link(source, &name, parent);
    link.deleted = deleted;
    if let Some(h) = &header {
        link.fields.push("ifindex", h.index.to_string(), begin.cite());
    }
    let section = if nameless { Section::Link } else { Section::Head };
    let mut state =
        State { section, pending: None, open: None, table: None, vf: None, half: None, digits: false };
    let mut counters = Vec::new();
    let mut permanent = false;
    let mut last = begin.cite();

    let fed = feed(&state, rest, next_word(cursor), &name, false);
    state = fed.state;
    keep(&mut link, &mut counters, &mut permanent, fed.items, begin.cite());
    mark(out, begin, fed.unknown);

    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            // Web pages double line ends; `ip` itself prints no blank lines.
            let next = (1..=2).find_map(|n| cursor.peek_at(n).filter(|l| !l.is_blank()));
            let goes_on = next.is_some_and(|l| {
                let t = unquote(&l.text);
                let fed = feed(&state, t, None, &name, t.starts_with([' ', '\t']));
                fed.unknown == 0 && Header::find(t.trim_start()).is_none() && brief(l).is_none()
            });
            if !goes_on {
                break;
            }
            cursor.next();
            continue;
        }
        let text = unquote(&line.text);
        let (t, indented) = (text.trim_start(), text.starts_with([' ', '\t']));
        if Header::find(t).is_some() || brief(line).is_some() || tool_error(t).is_some() {
            break;
        }
        if t.is_empty() {
            // The quoted blank line of a mail.
            break;
        }
        if nameless && t.starts_with("inet") && link.fields.get("addr").is_some() && orphan(t) {
            // Without a header each address may be of another interface.
            break;
        }
        let after = cursor.peek_at(1).map(first_word).unwrap_or_default();
        let fed = feed(&state, t, Some(after), &name, indented);
        let expecting =
            state.pending.is_some() || state.open.is_some() || state.table.is_some() || state.half.is_some();
        let mostly = fed.first_known && fed.unknown * 2 <= fed.words;
        let accept = fed.unknown == 0 || mostly && (expecting || indented || fed.words >= 4);
        if accept {
            cursor.next();
            last = line.cite();
            state = fed.state;
            keep(&mut link, &mut counters, &mut permanent, fed.items, line.cite());
            mark(out, line, fed.unknown);
        } else if indented {
            // It belongs here by its shape, but says nothing that is known: what it says is not guessed at.
            cursor.next();
            out.not_understood(line);
        } else {
            break;
        }
    }

    let at = begin.cite().to(last);
    if link.fields.text("kind") == Some("vlan")
        && let Some(parent) = link.parent.clone().filter(|p| !p.starts_with("if"))
    {
        link.fields.push("vlan_parent", parent, begin.cite());
    }
    if nameless && let Some(label) = link.fields.text("addr.label") {
        // An IPv4 address says whose it is.
        link.name = label.split(':').next().unwrap_or(label).to_owned();
        link.fields.dev = Some(link.name.clone());
    }
    let dev = (!link.name.is_empty()).then(|| link.name.clone());
    if dev.is_some() {
        if !(nameless && link.fields.entries.is_empty()) {
            out.record(at, time, What::Link(link));
        }
    } else if !link.fields.entries.is_empty() {
        out.record(at, time, What::Fields(Fields { source, dev: None, entries: link.fields.entries }));
    }
    if !counters.is_empty() {
        out.record(at, time, What::Counters(Counters { source, dev, entries: counters }));
    }
}

fn mark(out: &mut Out, line: &Line<'_>, unknown: usize) {
    if unknown == 0 {
        out.typed(line);
    } else {
        out.not_understood(line);
    }
}

fn first_word<'a>(line: &'a Line<'_>) -> &'a str {
    unquote(&line.text).split_whitespace().next().unwrap_or("")
}

fn next_word<'l>(cursor: &Cursor<'l, '_>) -> Option<&'l str> {
    cursor.peek().map(first_word)
}

fn keep(link: &mut Link, counters: &mut Vec<Counter>, permanent: &mut bool, items: Vec<Item>, at: Citation) {
    for item in items {
        match item {
            Item::Flags(flags) => {
                link.flags = flags.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect();
            }
            Item::Field(key, value) => {
                // `permaddr` and `perm_hwaddr` say the same.
                let address = key == "permaddr";
                if !(address && *permanent) {
                    link.fields.push(key, value, at);
                }
                *permanent |= address;
            }
            Item::More(glue, text) => {
                if let Some(field) = link.fields.entries.last_mut() {
                    field.value.push_str(if field.value.is_empty() { "" } else { glue });
                    field.value.push_str(&text);
                    field.at = field.at.to(at);
                }
            }
            Item::Counter(name, value, meaning) => {
                if name == "carrier_changes" {
                    link.fields.push("carrier_changes", value.to_string(), at);
                }
                counters.push(Counter { name, value, meaning, at });
            }
        }
    }
}

/// Reads the words of one line. Nothing is changed but the returned copy of the state, so that a line can be
/// tried before it is taken.
#[allow(clippy::too_many_lines, reason = "one state machine, in one place")]
fn feed(from: &State, text: &str, next_line: Option<&str>, name: &str, indented: bool) -> Fed {
    let mut s = from.clone();
    let mut items = Vec::new();
    let (mut words, mut unknown, mut first_known) = (0, 0, true);
    for segment in text.split('\\') {
        let list: Vec<&str> = segment.split_whitespace().collect();
        let mut i = 0;
        while let Some(&raw) = list.get(i) {
            let begins = i == 0;
            let ends = i + 1 == list.len();
            i += 1;
            words += 1;
            let joined = s.half.take().map(|h| h + raw);
            let word = joined.as_deref().unwrap_or(raw);

            // A group that is still open.
            if let Some(close) = s.open {
                let inside = word.trim_end_matches(close);
                if !inside.is_empty() {
                    items.push(Item::More(" ", inside.to_owned()));
                }
                if word.ends_with(close) {
                    s.open = None;
                }
                continue;
            }
            // Tables of counters.
            if let Some(table) = s.table.as_mut() {
                if table.read == 0
                    && let Some(column) = stats64::ip_column(table.rx, word)
                {
                    table.columns.push(column);
                    continue;
                }
                let column = table.columns.get(table.read).copied();
                if let (Some(column), Some(value)) = (column, stats64::number(word)) {
                    table.read += 1;
                    if table.read == table.columns.len() {
                        s.table = None;
                    }
                    items.push(match &s.vf {
                        Some(vf) => Item::Counter(format!("{vf}_{column}"), value, Meaning::Other),
                        None => Item::Counter(column.to_owned(), value, stats64::meaning(column)),
                    });
                    continue;
                }
                s.table = None;
            }
            if let Some(rx) = table_begins(word, list.get(i).copied()) {
                if !word.ends_with(':') {
                    i += 1;
                    words += 1;
                }
                s.table = Some(Table { rx, columns: Vec::new(), read: 0 });
                s.pending = None;
                continue;
            }
            // The value that a key waits for.
            if let Some((key, more)) = s.pending.take() {
                if word == "{" {
                    s.open = Some('}');
                    items.push(Item::Field(key, String::new()));
                    continue;
                }
                if section_word(word, list.get(i).copied(), &s.section).is_none() || !begins {
                    let value = clean_value(&key, word);
                    if key == "state"
                        && s.section == Section::Head
                        && value.starts_with(|c: char| c.is_ascii_lowercase())
                    {
                        // `bridge link` prints the state of the port in the place of the operational state.
                        items.push(Item::Field("bridge_slave.state".to_owned(), value));
                        s.section = Section::Port("bridge".to_owned());
                        continue;
                    }
                    s.digits = word.ends_with(|c: char| c.is_ascii_digit());
                    items.push(Item::Field(key.clone(), value));
                    if more > 0
                        && let Some(&next) = list.get(i)
                        && next.bytes().all(|b| b.is_ascii_digit())
                    {
                        items.push(Item::More(" ", next.to_owned()));
                        i += 1;
                        words += 1;
                    }
                    continue;
                }
            }
            if s.section == Section::Head
                && let Some(flags) = word.strip_prefix('<')
            {
                if let Some(flags) = flags.strip_suffix('>') {
                    s.digits = false;
                    items.push(Item::Flags(flags.to_owned()));
                    continue;
                }
                // Flags cut by the end of the line: the next word has the rest.
                let rest = list.get(i).copied();
                if let Some(rest) = rest.and_then(|r| r.strip_suffix('>')) {
                    i += 1;
                    words += 1;
                    items.push(Item::Flags(format!("{flags}{rest}")));
                } else {
                    s.half = Some(word.to_owned());
                }
                continue;
            }
            if let Some(change) = section_word(word, list.get(i).copied(), &s.section) {
                s.vf = None;
                s.digits = false;
                match change {
                    Change::Link(kind) => {
                        s.section = Section::Link;
                        items.push(Item::Field("link_type".to_owned(), kind.to_owned()));
                        if let Some(&addr) = list.get(i)
                            && (is_lladdr(addr) || addr.parse::<std::net::IpAddr>().is_ok())
                        {
                            let key = if is_lladdr(addr) { "mac" } else { "link_addr" };
                            items.push(Item::Field(key.to_owned(), addr.to_owned()));
                            i += 1;
                            words += 1;
                        } else if ends && kind != "none" {
                            s.pending = Some(("mac".to_owned(), 0));
                        }
                    }
                    Change::Kind(kind) => {
                        s.section = Section::Kind(kind.to_owned());
                        items.push(Item::Field("kind".to_owned(), kind.to_owned()));
                    }
                    Change::Port(kind) => {
                        s.section = Section::Port(kind.to_owned());
                        items.push(Item::Field("slave_kind".to_owned(), kind.to_owned()));
                    }
                    Change::Addr => {
                        s.section = Section::Addr;
                        s.pending = Some(("addr".to_owned(), 0));
                    }
                    Change::Vf => {
                        s.section = Section::Vf;
                        let n = list.get(i).copied().unwrap_or("");
                        i += 1;
                        words += 1;
                        let vf = format!("vf{n}");
                        items.push(Item::Field(vf.clone(), String::new()));
                        s.vf = Some(vf);
                    }
                    Change::Line(key) => {
                        let rest = list.get(i..).unwrap_or_default();
                        words += rest.len();
                        i = list.len();
                        items.push(Item::Field(key.to_owned(), rest.join(" ")));
                    }
                    Change::Value(key) => s.pending = Some((key.to_owned(), 0)),
                }
                continue;
            }
            if s.section == Section::Vf && vf_word(word) {
                items.push(Item::More(" ", word.to_owned()));
                continue;
            }
            let bare = word.trim_start_matches('(').trim_end_matches(')');
            match vocabulary(&s.section, bare) {
                Some(Word::Key(n)) => {
                    s.digits = false;
                    s.pending = Some((field_name(&s.section, bare), n));
                    continue;
                }
                Some(Word::Flag) => {
                    s.digits = false;
                    items.push(flag(&s.section, bare));
                    continue;
                }
                None => {}
            }
            if word == ":" && s.section == Section::Head {
                continue;
            }
            if let Some(xdp) = xdp_word(word) {
                items.push(Item::Field("xdp".to_owned(), xdp));
                continue;
            }
            if s.section == Section::Addr
                && ends
                && is_ifname(word)
                && (word.starts_with(name) || list.len() > 2)
            {
                items.push(Item::Field("addr.label".to_owned(), word.to_owned()));
                continue;
            }
            // A word or a number cut in two by a hard wrap.
            if ends
                && let Some(next) = next_line
                && !next.is_empty()
                && vocabulary(&s.section, &format!("{word}{next}")).is_some()
            {
                s.half = Some(word.to_owned());
                continue;
            }
            if begins && !indented && s.digits && word.bytes().all(|b| b.is_ascii_digit()) {
                items.push(Item::More("", word.to_owned()));
                continue;
            }
            unknown += 1;
            if words == 1 {
                first_known = false;
            }
        }
    }
    Fed { state: s, items, words, unknown, first_known }
}

/// `RX:` or `RX errors:` and so on.
fn table_begins(word: &str, next: Option<&str>) -> Option<bool> {
    match (word, next) {
        ("RX:", _) | ("RX", Some("errors:")) => Some(true),
        ("TX:", _) | ("TX", Some("errors:")) => Some(false),
        _ => None,
    }
}

enum Change<'a> {
    Link(&'a str),
    Kind(&'a str),
    Port(&'a str),
    Addr,
    Vf,
    /// The rest of the line is the value.
    Line(&'static str),
    Value(&'static str),
}

/// Words that begin a new part of the output wherever they stand.
fn section_word<'a>(word: &'a str, next: Option<&str>, section: &Section) -> Option<Change<'a>> {
    if *section == Section::Vf && word.starts_with("link/") {
        return None;
    }
    if let Some(kind) = word.strip_prefix("link/") {
        return (!kind.is_empty()).then_some(Change::Link(kind));
    }
    match word {
        "inet" | "inet6" => next.is_some_and(is_prefix).then_some(Change::Addr),
        "vf" => next.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())).then_some(Change::Vf),
        "altname" => Some(Change::Value("altname")),
        "alias" => Some(Change::Line("alias")),
        "prog/xdp" | "prog/xdpgeneric" | "prog/xdpoffload" | "prog/xdpdrv" => Some(Change::Line("xdp.prog")),
        "ingress-qos-map" => Some(Change::Value("vlan.ingress_qos")),
        "egress-qos-map" => Some(Change::Value("vlan.egress_qos")),
        "valid_lft" if *section != Section::Addr => Some(Change::Value("addr.valid_lft")),
        "preferred_lft" if *section != Section::Addr => Some(Change::Value("addr.preferred_lft")),
        _ => {
            if let Some(kind) = word.strip_suffix("_slave") {
                return KINDS.contains(&kind).then_some(Change::Port(kind));
            }
            (*section == Section::Link && KINDS.contains(&word)).then_some(Change::Kind(word))
        }
    }
}

enum Word {
    /// A key; so many further numbers may follow its value.
    Key(u8),
    Flag,
}

fn vocabulary(section: &Section, word: &str) -> Option<Word> {
    let key = |found: bool| found.then_some(Word::Key(u8::from(word == "srcport" || word == "port")));
    let flag = |found: bool| found.then_some(Word::Flag);
    match section {
        Section::Head => key(HEAD.contains(&word))
            .or_else(|| flag(word == "netns-immutable"))
            .or_else(|| key(LINK.contains(&word))),
        Section::Link => key(LINK.contains(&word)).or_else(|| flag(word == "netns-immutable")),
        Section::Kind(kind) if kind == "bond" => key(BOND.contains(&word) || LINK.contains(&word)),
        Section::Port(kind) if kind == "bond" => key(BOND_PORT.contains(&word) || LINK.contains(&word)),
        Section::Kind(_) => flag(word.starts_with('<') && word.ends_with('>') || KIND_FLAGS.contains(&word))
            .or_else(|| key(KIND_KEYS.contains(&word) || LINK.contains(&word))),
        Section::Port(_) => flag(PORT_FLAGS.contains(&word))
            .or_else(|| key(PORT_KEYS.contains(&word) || LINK.contains(&word))),
        Section::Addr => {
            flag(ADDR_FLAGS.contains(&word)).or_else(|| key(ADDR_KEYS.contains(&word) || word == "addr"))
        }
        Section::Vf => None,
    }
}

/// The key of a field for a key of the output.
pub(super) fn bond_port_field(key: &str) -> String {
    match key {
        "state" => "bond_state",
        "perm_hwaddr" => "permaddr",
        "ad_aggregator_id" => "aggregator_id",
        "ad_actor_oper_port_state" => "actor_state",
        "ad_partner_oper_port_state" => "partner_state",
        "ad_actor_oper_port_state_str" => "actor_state_str",
        "ad_partner_oper_port_state_str" => "partner_state_str",
        k => k,
    }
    .to_owned()
}

fn field_name(section: &Section, key: &str) -> String {
    if !matches!(section, Section::Head | Section::Addr) && LINK.contains(&key) {
        // Options common to all kinds stand after the kind's own; `priority` and the like are not among them.
        return key.to_owned();
    }
    match section {
        Section::Head => match key {
            "qlen" => "txqlen".to_owned(),
            "mode" => "linkmode".to_owned(),
            k => k.to_owned(),
        },
        Section::Kind(kind) => kind_field(kind, key),
        Section::Port(kind) if kind == "bond" => bond_port_field(key),
        Section::Port(kind) => format!("{kind}_slave.{key}"),
        Section::Addr => format!("addr.{key}"),
        Section::Link | Section::Vf => key.to_owned(),
    }
}

/// The key of a field for an option of a link kind.
pub(super) fn kind_field(kind: &str, key: &str) -> String {
    match (kind, key) {
        ("vlan", "id") => "vlan_id".to_owned(),
        ("vlan", "protocol") => "vlan_protocol".to_owned(),
        _ => format!("{kind}.{key}"),
    }
}

fn flag(section: &Section, word: &str) -> Item {
    match section {
        Section::Kind(kind) if kind == "vlan" => {
            Item::Field("vlan_flags".to_owned(), word.trim_matches(['<', '>']).to_owned())
        }
        Section::Kind(kind) => {
            Item::Field(format!("{kind}.{}", word.trim_matches(['<', '>'])), "on".to_owned())
        }
        Section::Port(kind) => Item::Field(format!("{kind}_slave.{word}"), "on".to_owned()),
        Section::Addr => Item::Field("addr.flag".to_owned(), word.to_owned()),
        _ => Item::Field(word.to_owned(), "on".to_owned()),
    }
}

/// `<active,in_sync>` as `active,in_sync`; brackets around tunnel options are dropped.
fn clean_value(key: &str, word: &str) -> String {
    let value = word.trim_end_matches(')');
    if key.ends_with("_str") { value.trim_matches(['<', '>']).to_owned() } else { value.to_owned() }
}

/// `xdp`, `xdpgeneric/id:12`: the mode of the program as the header line shows it.
fn xdp_word(word: &str) -> Option<String> {
    let (mode, id) = word.split_once('/').map_or((word, None), |(m, i)| (m, Some(i)));
    let known = matches!(mode, "xdp" | "xdpgeneric" | "xdpoffload" | "xdpdrv" | "xdpmulti");
    (known && id.is_none_or(|i| i.starts_with("id:"))).then(|| word.to_owned())
}

/// Words of the description of a virtual function.
fn vf_word(word: &str) -> bool {
    let w = word.trim_end_matches(',');
    w.starts_with("link/")
        || is_lladdr(w)
        || w.bytes().next().is_some_and(|b| b.is_ascii_digit())
        || matches!(
            w,
            "MAC"
                | "brd"
                | "vlan"
                | "qos"
                | "protocol"
                | "proto"
                | "vlan-protocol"
                | "tx"
                | "rate"
                | "max_tx_rate"
                | "min_tx_rate"
                | "(Mbps)"
                | "spoof"
                | "checking"
                | "on"
                | "off"
                | "link-state"
                | "auto"
                | "enable"
                | "disable"
                | "trust"
                | "query_rss"
                | "NODE_GUID"
                | "PORT_GUID"
        )
}

/// Link kinds (`ip link help` and the kernel's `rtnl_link_ops`).
const KINDS: &[&str] = &[
    "amt",
    "bareudp",
    "batadv",
    "bond",
    "bridge",
    "can",
    "dsa",
    "dummy",
    "erspan",
    "geneve",
    "gre",
    "gretap",
    "gtp",
    "hsr",
    "ifb",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipip",
    "ipoib",
    "ipvlan",
    "ipvtap",
    "lowpan",
    "macsec",
    "macvlan",
    "macvtap",
    "netdevsim",
    "netkit",
    "nlmon",
    "openvswitch",
    "ovpn",
    "pfcp",
    "ppp",
    "rmnet",
    "sit",
    "team",
    "tun",
    "vcan",
    "veth",
    "virt_wifi",
    "vlan",
    "vrf",
    "vsockmon",
    "vti",
    "vti6",
    "vxcan",
    "vxlan",
    "wireguard",
    "wwan",
    "xfrm",
];

/// Keys of the first line.
const HEAD: &[&str] =
    &["mtu", "qdisc", "master", "state", "mode", "group", "qlen", "protodown", "protodown_reason", "event"];

/// Keys of the second line and those printed after the options of a kind.
const LINK: &[&str] = &[
    "brd",
    "peer",
    "permaddr",
    "link-netnsid",
    "link-netns",
    "new-netnsid",
    "new-netns",
    "new-nsid",
    "new-ifindex",
    "promiscuity",
    "allmulti",
    "minmtu",
    "maxmtu",
    "addrgenmode",
    "numtxqueues",
    "numrxqueues",
    "gso_max_size",
    "gso_max_segs",
    "tso_max_size",
    "tso_max_segs",
    "gro_max_size",
    "gso_ipv4_max_size",
    "gro_ipv4_max_size",
    "max_pacing_offload_horizon",
    "headroom",
    "tailroom",
    "portname",
    "portid",
    "switchid",
    "parentbus",
    "parentdev",
    "protodown",
    "protodown_reason",
    "dpll-pin",
    "carrier_changes",
];

/// Options of a bond (`ip/iplink_bond.c`, and those of Cumulus Linux).
const BOND: &[&str] = &[
    "mode",
    "active_slave",
    "miimon",
    "updelay",
    "downdelay",
    "peer_notify_delay",
    "use_carrier",
    "arp_interval",
    "arp_missed_max",
    "arp_ip_target",
    "ns_ip6_target",
    "arp_validate",
    "arp_all_targets",
    "primary",
    "primary_reselect",
    "fail_over_mac",
    "xmit_hash_policy",
    "resend_igmp",
    "num_grat_arp",
    "num_unsol_na",
    "all_slaves_active",
    "min_links",
    "lp_interval",
    "packets_per_slave",
    "lacp_active",
    "lacp_rate",
    "lacp_strict",
    "lacp_bypass",
    "lacp_bypass_allow",
    "coupled_control",
    "broadcast_neighbor",
    "ad_select",
    "ad_aggregator",
    "ad_num_ports",
    "ad_actor_key",
    "ad_partner_key",
    "ad_partner_mac",
    "ad_actor_sys_prio",
    "ad_actor_system",
    "ad_user_port_key",
    "ad_lacp_bypass",
    "tlb_dynamic_lb",
    "clag",
    "clag_id",
    "es-sys-mac",
];

/// Options of a bond's member (`ip/iplink_bond_slave.c`).
const BOND_PORT: &[&str] = &[
    "state",
    "mii_status",
    "link_failure_count",
    "perm_hwaddr",
    "queue_id",
    "prio",
    "ad_aggregator_id",
    "ad_actor_oper_port_state",
    "ad_actor_oper_port_state_str",
    "ad_partner_oper_port_state",
    "ad_partner_oper_port_state_str",
    "ad_actor_port_prio",
    "ad_rx_bypass",
    "actor_port_prio",
];

/// Options with a value of all other kinds.
const KIND_KEYS: &[&str] = &[
    "6rd-prefix",
    "6rd-relay_prefix",
    "ageing",
    "ageing_time",
    "bcqueuelen",
    "usedbcqueuelen",
    "bclim",
    "bridge_id",
    "cipher",
    "conduit",
    "csum",
    "default_vid",
    "designated_root",
    "dev",
    "df",
    "dstport",
    "encap",
    "encap-dport",
    "encap-sport",
    "encaplimit",
    "encodingsa",
    "encrypt",
    "end_station",
    "erspan_dir",
    "erspan_hwid",
    "erspan_index",
    "erspan_ver",
    "ethertype",
    "fdb_local_vlan_0",
    "fdb_max_learned",
    "fdb_n_learned",
    "flags",
    "flowlabel",
    "forward_delay",
    "fwmark",
    "gateway",
    "gc_timer",
    "group",
    "group6",
    "group_address",
    "group_fwd_mask",
    "group_fwd_mask_str",
    "hello_time",
    "hello_timer",
    "hops",
    "hoplimit",
    "icvlen",
    "id",
    "if_id",
    "ikey",
    "interlink",
    "key",
    "label_policy",
    "local",
    "local6",
    "max_age",
    "maxaddr",
    "max_tunnels",
    "mcast_hash_elasticity",
    "mcast_hash_max",
    "mcast_igmp_version",
    "mcast_last_member_count",
    "mcast_last_member_interval",
    "mcast_membership_interval",
    "mcast_mld_version",
    "mcast_querier",
    "mcast_querier_interval",
    "mcast_query_interval",
    "mcast_query_response_interval",
    "mcast_query_use_ifaddr",
    "mcast_router",
    "mcast_snooping",
    "mcast_startup_query_count",
    "mcast_startup_query_interval",
    "mcast_stats_enabled",
    "mcast_vlan_snooping",
    "mdb_offload_fail_notification",
    "mode",
    "mst_enabled",
    "mux_id",
    "nf_call_arptables",
    "nf_call_ip6tables",
    "nf_call_iptables",
    "no_linklocal_learn",
    "numdisabled",
    "numqueues",
    "offload",
    "okey",
    "pi",
    "persist",
    "pkey",
    "policy",
    "port",
    "priority",
    "prl-default",
    "proto",
    "protect",
    "protocol",
    "remote",
    "remote6",
    "replay",
    "replay_window",
    "role",
    "root_path_cost",
    "root_port",
    "scb",
    "sci",
    "scrub",
    "send_sci",
    "sequence",
    "slave1",
    "slave2",
    "srcport",
    "srcportmin",
    "state",
    "stp_mode",
    "stp_state",
    "restart-ms",
    "supervision",
    "table",
    "tclass",
    "tcn_timer",
    "topology_change",
    "topology_change_detected",
    "topology_change_timer",
    "tos",
    "ttl",
    "type",
    "umcast",
    "user",
    "validate",
    "version",
    "vlan_default_pvid",
    "vlan_filtering",
    "vlan_protocol",
    "vlan_stats_enabled",
    "vlan_stats_per_port",
    "vnet_hdr",
    "window",
];

/// Words without a value of all other kinds.
const KIND_FLAGS: &[&str] = &[
    "any",
    "autodetected",
    "bridge",
    "collect_metadata",
    "external",
    "gbp",
    "gpe",
    "icsum",
    "innerproto-inherit",
    "ip4ip6",
    "ip6ip6",
    "ip6ip",
    "ipip",
    "ipip6",
    "iseq",
    "isatap",
    "l2miss",
    "l3miss",
    "learning",
    "localbypass",
    "mcroute",
    "mplsip",
    "multi_queue",
    "multiproto",
    "nolearning",
    "nolocalbypass",
    "nomultiproto",
    "nopmtudisc",
    "nopromisc",
    "noproxy",
    "norsc",
    "noudpcsum",
    "noudp6zerocsumrx",
    "noudp6zerocsumtx",
    "no-encap",
    "ocsum",
    "oseq",
    "pmtudisc",
    "private",
    "proxy",
    "remcsumrx",
    "remcsumtx",
    "rsc",
    "ignore-df",
    "seq",
    "truncate",
    "udp6zerocsumrx",
    "udp6zerocsumtx",
    "udpcsum",
    "vepa",
    "vnifilter",
];

/// Options of a port of a bridge, a team, a VRF.
const PORT_KEYS: &[&str] = &[
    "backup_nhid",
    "backup_port",
    "bcast_flood",
    "config_pending",
    "cost",
    "designated_bridge",
    "designated_cost",
    "designated_port",
    "designated_root",
    "fastleave",
    "flood",
    "forward_delay_timer",
    "group_fwd_mask",
    "group_fwd_mask_str",
    "group_fwd_maskhi",
    "group_fwd_maskhi_str",
    "guard",
    "hairpin",
    "hold_timer",
    "hwmode",
    "isolated",
    "learning",
    "learning_sync",
    "locked",
    "mab",
    "mcast_fast_leave",
    "mcast_flood",
    "mcast_max_groups",
    "mcast_n_groups",
    "mcast_router",
    "mcast_to_unicast",
    "message_age_timer",
    "neigh_suppress",
    "neigh_vlan_suppress",
    "peer_link",
    "port_id",
    "port_no",
    "priority",
    "proxy_arp",
    "proxy_arp_wifi",
    "root_block",
    "state",
    "table",
    "topology_change_ack",
    "vlan_tunnel",
    "dual_link",
];

/// Words without a value of such a port.
const PORT_FLAGS: &[&str] = &["self"];

/// Keys of an address.
const ADDR_KEYS: &[&str] =
    &["peer", "brd", "any", "scope", "metric", "proto", "valid_lft", "preferred_lft", "flags"];

/// Words without a value of an address.
const ADDR_FLAGS: &[&str] = &[
    "secondary",
    "temporary",
    "tentative",
    "deprecated",
    "dynamic",
    "permanent",
    "home",
    "nodad",
    "dadfailed",
    "optimistic",
    "mngtmpaddr",
    "managetempaddr",
    "noprefixroute",
    "autojoin",
    "stable-privacy",
];

/// True if the text is a MAC address of Ethernet; others (`InfiniBand`, tunnels) are longer or shorter.
#[must_use]
pub fn is_mac(word: &str) -> bool {
    word.len() == 17 && word.parse::<Mac>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, ip_link_json, parse_text_with};
    use std::collections::BTreeMap;

    fn read(text: &str) -> Parsed {
        parse_text_with(FileId(0), "ip-link.txt", text.as_bytes(), &[ip_link_json::FORMAT, FORMAT])
    }

    fn whole(text: &str) -> Parsed {
        let p = read(text);
        assert_eq!((p.not_understood.len(), p.unrecognised.len()), (0, 0), "{p:?}");
        p
    }

    fn link<'a>(p: &'a Parsed, name: &str) -> &'a Link {
        p.records
            .iter()
            .find_map(|r| match &r.what {
                What::Link(l) if l.name == name => Some(l),
                _ => None,
            })
            .expect(name)
    }

    fn counter(p: &Parsed, dev: &str, meaning: Meaning) -> Option<u64> {
        p.records.iter().find_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some(dev) => {
                c.entries.iter().find(|e| e.meaning == meaning).map(|e| e.value)
            }
            _ => None,
        })
    }

    // From a recording of our lab, kernel 6.12.107, iproute2 6.15.
    const TEXT: &str = "13: h1@if12: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc noqueue master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff link-netns wire promiscuity 1 allmulti 0 minmtu 68 maxmtu 65535 \n    veth \n    bond_slave state ACTIVE mii_status UP link_failure_count 1 perm_hwaddr 02:00:00:00:11:01 queue_id 0 prio 0 ad_aggregator_id 1 ad_actor_oper_port_state 63 ad_actor_oper_port_state_str <active,short_timeout,aggregating,in_sync,collecting,distributing> ad_partner_oper_port_state 55 ad_partner_oper_port_state_str <active,short_timeout> addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 gso_ipv4_max_size 65536 gro_ipv4_max_size 65536 \n    RX:  bytes packets errors dropped  missed   mcast           \n          3596      29      0       1       0       0 \n    RX errors:  length    crc   frame    fifo overrun\n                     0      7       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n          3348      27      0       0       2       0 \n    TX errors: aborted   fifo  window heartbt transns\n                     0      0       0       0       4 \n20: bond0: <BROADCAST,MULTICAST,MASTER,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 68 maxmtu 65535 \n    bond mode 802.3ad miimon 100 updelay 0 downdelay 0 peer_notify_delay 0 use_carrier 1 arp_interval 0 arp_missed_max 2 arp_validate none arp_all_targets any primary_reselect always fail_over_mac none xmit_hash_policy layer2 resend_igmp 1 num_grat_arp 1 all_slaves_active 0 min_links 0 lp_interval 1 packets_per_slave 1 lacp_active on lacp_rate fast coupled_control on ad_select stable ad_aggregator 1 ad_num_ports 2 ad_actor_key 15 ad_partner_key 15 ad_partner_mac 02:00:00:00:22:01 ad_actor_sys_prio 65535 ad_user_port_key 0 ad_actor_system 00:00:00:00:00:00 tlb_dynamic_lb 1 addrgenmode eui64 numtxqueues 16 numrxqueues 16 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 gso_ipv4_max_size 65536 gro_ipv4_max_size 65536 \n";
    const JSON: &str = r#"[{"ifindex":13,"link_index":12,"ifname":"h1","flags":["BROADCAST","MULTICAST","SLAVE","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","master":"bond0","operstate":"UP","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"ether","address":"02:00:00:00:11:01","broadcast":"ff:ff:ff:ff:ff:ff","link_netns":"wire","promiscuity":1,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"veth","info_slave_kind":"bond","info_slave_data":{"state":"ACTIVE","mii_status":"UP","link_failure_count":1,"perm_hwaddr":"02:00:00:00:11:01","queue_id":0,"prio":0,"ad_aggregator_id":1,"ad_actor_oper_port_state":63,"ad_actor_oper_port_state_str":["active","short_timeout","aggregating","in_sync","collecting","distributing"],"ad_partner_oper_port_state":55,"ad_partner_oper_port_state_str":["active","short_timeout"]}},"inet6_addr_gen_mode":"eui64","num_tx_queues":1,"num_rx_queues":1,"gso_max_size":65536,"gso_max_segs":65535,"tso_max_size":524280,"tso_max_segs":65535,"gro_max_size":65536,"gso_ipv4_max_size":65536,"gro_ipv4_max_size":65536,"stats64":{"rx":{"bytes":3596,"packets":29,"errors":0,"dropped":1,"over_errors":0,"multicast":0,"length_errors":0,"crc_errors":7,"frame_errors":0,"fifo_errors":0,"missed_errors":0},"tx":{"bytes":3348,"packets":27,"errors":0,"dropped":0,"carrier_errors":2,"collisions":0,"aborted_errors":0,"fifo_errors":0,"window_errors":0,"heartbeat_errors":0,"carrier_changes":4}}},{"ifindex":20,"ifname":"bond0","flags":["BROADCAST","MULTICAST","MASTER","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"ether","address":"02:00:00:00:11:01","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"bond","info_data":{"mode":"802.3ad","miimon":100,"updelay":0,"downdelay":0,"peer_notify_delay":0,"use_carrier":1,"arp_interval":0,"arp_missed_max":2,"arp_validate":null,"arp_all_targets":"any","primary_reselect":"always","fail_over_mac":"none","xmit_hash_policy":"layer2","resend_igmp":1,"num_peer_notif":1,"all_slaves_active":0,"min_links":0,"lp_interval":1,"packets_per_slave":1,"ad_lacp_active":"on","ad_lacp_rate":"fast","coupled_control":true,"ad_select":"stable","ad_info":{"aggregator":1,"num_ports":2,"actor_key":15,"partner_key":15,"partner_mac":"02:00:00:00:22:01"},"ad_actor_sys_prio":65535,"ad_user_port_key":0,"ad_actor_system":"00:00:00:00:00:00","tlb_dynamic_lb":1}},"inet6_addr_gen_mode":"eui64","num_tx_queues":16,"num_rx_queues":16,"gso_max_size":65536,"gso_max_segs":65535,"tso_max_size":524280,"tso_max_segs":65535,"gro_max_size":65536,"gso_ipv4_max_size":65536,"gro_ipv4_max_size":65536}]"#;

    fn fields(p: &Parsed, name: &str) -> BTreeMap<String, String> {
        link(p, name).fields.entries.iter().map(|f| (f.key.clone(), f.value.clone())).collect()
    }

    fn counters(p: &Parsed, dev: &str) -> BTreeMap<String, u64> {
        p.records
            .iter()
            .filter_map(|r| if let What::Counters(c) = &r.what { Some(c) } else { None })
            .filter(|c| c.dev.as_deref() == Some(dev))
            .flat_map(|c| c.entries.iter().map(|e| (e.name.clone(), e.value)))
            .collect()
    }

    #[test]
    fn text_and_json_give_the_same_fields() {
        let (text, json) = (whole(TEXT), whole(JSON));
        assert_eq!((text.typed, json.typed), (15, 1));
        for name in ["h1", "bond0"] {
            assert_eq!(fields(&text, name), fields(&json, name), "{name}");
            assert_eq!(link(&text, name).flags, link(&json, name).flags);
            assert_eq!(link(&text, name).parent, link(&json, name).parent);
        }
        assert_eq!(counters(&text, "h1"), counters(&json, "h1"));
        let h1 = &link(&text, "h1").fields;
        assert_eq!((h1.int("actor_state"), h1.int("partner_state")), (Some(63), Some(55)));
        assert_eq!((h1.text("bond_state"), h1.text("mii_status")), (Some("ACTIVE"), Some("UP")));
        assert_eq!((h1.text("kind"), h1.text("slave_kind")), (Some("veth"), Some("bond")));
        assert_eq!(h1.int("carrier_changes"), Some(4));
        let bond = &link(&text, "bond0").fields;
        assert_eq!((bond.text("bond.mode"), bond.int("bond.ad_num_ports")), (Some("802.3ad"), Some(2)));
        assert_eq!(counter(&text, "h1", Meaning::RxCrc), Some(7));
        assert_eq!(counter(&text, "h1", Meaning::TxCarrier), Some(2));
    }

    #[test]
    fn pretty_json_and_a_cut_tail() {
        let pretty =
            serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(JSON).unwrap()).unwrap();
        let p = whole(&pretty);
        assert_eq!(fields(&p, "bond0"), fields(&read(JSON), "bond0"));
        let cut = pretty.get(..pretty.len() * 3 / 4).unwrap();
        let p = read(cut);
        assert_eq!(link(&p, "h1").fields.int("partner_state"), Some(55));
        assert!(!p.not_understood.is_empty() && p.unrecognised.is_empty());
    }

    #[test]
    fn one_line_output_is_the_same() {
        let one = TEXT.replace("\n    ", "\\    ");
        let p = whole(&one);
        assert_eq!(p.typed, 2);
        assert_eq!(fields(&p, "h1"), fields(&read(TEXT), "h1"));
        assert_eq!(counters(&p, "h1"), counters(&read(TEXT), "h1"));
    }

    #[test]
    fn lost_indentation_doubled_line_ends_and_wraps() {
        let want = fields(&read(TEXT), "h1");
        let flat: String = TEXT.lines().map(|l| format!("{}\n", l.trim())).collect();
        assert_eq!(fields(&whole(&flat), "h1"), want);
        let doubled = TEXT.replace('\n', "\n\n");
        assert_eq!(fields(&whole(&doubled), "h1"), want);
        for width in [60, 72, 76, 80, 100] {
            // As a mail program wraps: between words.
            let mut soft = String::new();
            for line in TEXT.lines() {
                let mut column = 0;
                for word in line.split_inclusive(' ') {
                    if column + word.trim_end().len() > width && column > 0 {
                        soft.push('\n');
                        column = 0;
                    }
                    soft.push_str(word);
                    column += word.len();
                }
                soft.push('\n');
            }
            assert_eq!(fields(&whole(&soft), "h1"), want, "{width}");
            assert_eq!(counters(&whole(&soft), "h1"), counters(&read(TEXT), "h1"));
        }
    }

    #[test]
    fn hard_wrap_inside_of_a_word() {
        let p = whole(
            "7: ens1f1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:09 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 9702 addrgenmode none numtxqueues 112 n\numrxqueues 64 gso_max_size 655\n36 gso_max_segs 65535\n",
        );
        let f = &link(&p, "ens1f1").fields;
        assert_eq!((f.int("numrxqueues"), f.int("gso_max_size")), (Some(64), Some(65536)));
        assert_eq!(f.int("gso_max_segs"), Some(65535));
    }

    #[test]
    fn wrapped_mail() {
        let p = read(
            "Hi,\n\n5: eno1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc fq_codel state\nDOWN mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:xx:xx:xx brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu\n68 maxmtu 9000 addrgenmode none\n    RX: bytes  packets  errors  dropped overrun mcast\n    14933      126      0       8       3       0\n    TX: bytes  packets  errors  dropped carrier collsns\n    0          0        0       0       0       0\n    altname enp0s31f6\n\nDoes anybody know what this means?\n",
        );
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (9, 0, 2));
        let f = &link(&p, "eno1").fields;
        assert_eq!(
            (f.text("state"), f.int("minmtu"), f.text("altname")),
            (Some("DOWN"), Some(68), Some("enp0s31f6"))
        );
        assert_eq!(counter(&p, "eno1", Meaning::RxDropped), Some(8));
        assert_eq!(counter(&p, "eno1", Meaning::RxMissed), Some(3));
    }

    #[test]
    fn brief_output() {
        let p = whole(
            "root@h1:~# ip -br link\nlo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \neno1             DOWN           02:00:00:00:11:01 <NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP> \nbond0.70@bond0   UP             02:00:00:00:11:01 <BROADCAST,MULTICAST,UP,LOWER_UP> \nroot@h1:~# ip -br addr\nlo               UNKNOWN        127.0.0.1/8 ::1/128 \neno2             DOWN           \nbond0            UP             192.168.70.99/24 metric 100 fe80::fc:ff:fe00:1/64 \n",
        );
        assert!(link(&p, "eno1").flag("NO-CARRIER"));
        assert_eq!(link(&p, "bond0.70").parent.as_deref(), Some("bond0"));
        assert_eq!(link(&p, "eno2").fields.text("state"), Some("DOWN"));
        assert_eq!(link(&p, "bond0").fields.text("addr"), Some("192.168.70.99/24"));
    }

    #[test]
    fn addresses_kinds_functions_and_programs() {
        let p = whole(
            "2: eno1: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 xdpgeneric/id:64 qdisc mq master bond0 state UP group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff permaddr 02:00:00:00:11:02 promiscuity 2 minmtu 68 maxmtu 9702 parentbus pci parentdev 0000:01:00.0\n    RX: bytes  packets  errors  dropped missed  mcast\n    10 20 0 0 0 0\n    TX: bytes  packets  errors  dropped carrier collsns\n    30 40 0 0 0 0\n    vf 0     link/ether 02:00:00:00:33:01 brd ff:ff:ff:ff:ff:ff, vlan 70, spoof checking on, link-state auto, trust off\n    RX: bytes  packets  mcast   bcast   dropped\n    500 600 0 0 700\n    prog/xdp id 64 name drop_all tag 57cd311f2e27366b jited\n    altname enp1s0f0\n5: bond0.70@bond0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 0 maxmtu 65535\n    vlan protocol 802.1Q id 70 <REORDER_HDR>\n      egress-qos-map { 0:1 6:6 } addrgenmode eui64 numtxqueues 1\n    inet 192.168.70.99/24 metric 100 brd 192.168.70.255 scope global secondary dynamic bond0.70\n       valid_lft 84872sec preferred_lft forever\n    inet6 fe80::fc:ff:fe00:1/64 scope link proto kernel_ll\n       valid_lft forever preferred_lft forever\n6: gpd0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1400 qdisc fq_codel state UNKNOWN mode DEFAULT group default qlen 500\n    link/none \n7: sit0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN group default qlen 1000\n    link/sit 0.0.0.0 brd 0.0.0.0 promiscuity 0 minmtu 1280 maxmtu 65555\n    sit ip6ip remote any local any ttl 64 nopmtudisc 6rd-prefix 2002::/16 addrgenmode eui64\n",
        );
        let eno1 = &link(&p, "eno1").fields;
        assert_eq!(
            (eno1.text("xdp"), eno1.text("permaddr")),
            (Some("xdpgeneric/id:64"), Some("02:00:00:00:11:02"))
        );
        assert!(eno1.text("vf0").is_some_and(|v| v.contains("vlan 70")));
        assert!(eno1.text("xdp.prog").is_some_and(|v| v.starts_with("id 64 name drop_all")));
        // The port's own counters, not those of the virtual function.
        assert_eq!(counter(&p, "eno1", Meaning::RxPackets), Some(20));
        assert_eq!(counter(&p, "eno1", Meaning::RxDropped), Some(0));
        let vlan = &link(&p, "bond0.70").fields;
        assert_eq!((vlan.text("vlan_id"), vlan.text("vlan_parent")), (Some("70"), Some("bond0")));
        assert_eq!(vlan.text("vlan.egress_qos"), Some("0:1 6:6"));
        assert_eq!(
            (vlan.text("addr"), vlan.text("addr.label")),
            (Some("192.168.70.99/24"), Some("bond0.70"))
        );
        assert_eq!(link(&p, "sit0").fields.text("link_addr"), Some("0.0.0.0"));
    }

    #[test]
    fn beginnings_cut_off_and_errors() {
        let p = read(
            "$ ip -s link show eno1 | tail -4\n    RX: bytes  packets  errors  dropped missed  mcast\n    10 20 1 2 3 4\n    TX: bytes  packets  errors  dropped carrier collsns\n    30 40 0 0 5 0\n$ ip link show eno9\nDevice \"eno9\" does not exist.\n$ ip addr | grep inet\n    inet 127.0.0.1/8 scope host lo\n    inet 192.0.2.2/24 brd 192.0.2.255 scope global bond0\n",
        );
        assert_eq!((p.not_understood.len(), p.unrecognised.len()), (0, 0), "{p:?}");
        assert_eq!(counter(&p, "eno1", Meaning::TxCarrier), Some(5));
        assert_eq!(link(&p, "bond0").fields.text("addr"), Some("192.0.2.2/24"));
        assert!(p.records.iter().any(
            |r| matches!(&r.what, What::Fields(f) if f.dev.as_deref() == Some("eno9") && f.get("error").is_some())
        ));
    }

    #[test]
    fn human_readable_numbers_and_unknown_words() {
        let p = read(
            "2: eno1: <UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000\n    RX:  bytes packets errors dropped  missed   mcast\n         3.19k      29      0       0       0       0\n    frobnicate on the moon\nThanks\n",
        );
        assert_eq!(counter(&p, "eno1", Meaning::RxBytes), Some(3190));
        assert_eq!((p.not_understood.len(), p.unrecognised.len()), (1, 1));
    }

    #[test]
    fn more_kinds_and_odd_links() {
        let p = whole(
            "5: tunl0: <NOARP> mtu 1480 qdisc noop state DOWN mode DEFAULT\n    link/ipip 0.0.0.0 brd 0.0.0.0\n6: tunl1: <NOARP> mtu 1480 qdisc noop state DOWN\n    link/[65534]\n    inet 172.30.0.1 peer 172.30.0.2/32 scope global tunl1\n7: ib0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 65520 qdisc pfifo_fast state UP qlen 256\n    link/infiniband 80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0d:8d:01 brd 00:ff:ff:ff:ff:12:40:1b:ff:ff:00:00:00:00:00:00:ff:ff:ff:ff\n    ipoib pkey  0xffff mode  datagram umcast  0000 addrgenmode eui64\n8: ovs-system: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default qlen 1000\n    link/ether 02:00:00:00:44:01 brd ff:ff:ff:ff:ff:ff promiscuity 1 minmtu 68 maxmtu 65535 \n    openvswitch numtxqueues 1 numrxqueues 1 \n9: vxlan_sys_4789: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 65000 qdisc noqueue master ovs-system state UNKNOWN group default qlen 1000\n    link/ether 02:00:00:00:44:02 brd ff:ff:ff:ff:ff:ff promiscuity 1 minmtu 68 maxmtu 65535 \n    vxlan external id 0 srcport 0 0 dstport 4789 nolearning ttl auto ageing 300 udpcsum noudp6zerocsumtx udp6zerocsumrx \n    openvswitch_slave numtxqueues 1 numrxqueues 1 \n10: mv0@eno1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n    link/ether 02:00:00:00:44:03 brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 0 \n    macvlan mode bridge bcqueuelen 1000 usedbcqueuelen 1000 \n11: iv0@eno1: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default \n    link/ether 02:00:00:00:44:03 brd ff:ff:ff:ff:ff:ff promiscuity 0 \n    ipvlan  mode l2 bridge addrgenmode eui64 \n12: ip6tnl0@NONE: <NOARP> mtu 1452 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n    link/tunnel6 :: brd :: permaddr 8e3f:: promiscuity 0 minmtu 68 maxmtu 65407 \n    ip6tnl ip6ip6 remote any local any encaplimit 0 hoplimit 0 tclass 0x00 flowlabel 0x00000 (flowlabel 0x00000) addrgenmode none \n13: team0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n    link/ether 02:00:00:00:44:04 brd ff:ff:ff:ff:ff:ff promiscuity 0 \n    team addrgenmode eui64 \n14: eno2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq master team0 state UP group default qlen 1000\n    link/ether 02:00:00:00:44:04 brd ff:ff:ff:ff:ff:ff promiscuity 0 protodown on protodown_reason <clag,vrrp> \n    team_slave addrgenmode eui64 \n",
        );
        assert_eq!(link(&p, "vxlan_sys_4789").fields.text("slave_kind"), Some("openvswitch"));
        assert_eq!(link(&p, "vxlan_sys_4789").fields.text("vxlan.srcport"), Some("0 0"));
        assert_eq!(link(&p, "mv0").fields.text("macvlan.mode"), Some("bridge"));
        assert_eq!(link(&p, "team0").fields.text("kind"), Some("team"));
        assert_eq!(link(&p, "eno2").fields.text("slave_kind"), Some("team"));
        assert_eq!(link(&p, "tunl1").fields.text("addr.peer"), Some("172.30.0.2/32"));
    }

    #[test]
    fn quoted_mail() {
        let quoted: String = TEXT.lines().map(|l| format!("> {l}\n")).collect();
        let p = read(&format!("{quoted}>\n> Is that normal?\n"));
        assert_eq!(fields(&p, "bond0"), fields(&read(TEXT), "bond0"));
        assert_eq!((p.typed, p.unrecognised.len()), (15, 2));
    }

    #[test]
    fn prose_is_left_alone() {
        let p = read(
            "1: first of all, the state of the bond is fine\n2: then: <nothing> happened\nbond0 UP since yesterday\ninet is a word\nRX: none\n",
        );
        assert_eq!((p.recognised.len(), p.unrecognised.len()), (0, 5));
    }
}
