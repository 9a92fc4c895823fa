//! The kernel log and the system log around it, as `dmesg`, `journalctl`, syslog daemons and consoles print it.
//!
//! Line forms: `dmesg` (`[  177.032515] `, with `CONFIG_PRINTK_CALLER` `[ 77.4][ T8058] `), `-T`, `-e`, `-d`, `-x`, `-r`,
//! `--time-format iso`, `/dev/kmsg`; `journalctl -o short`, `short-iso[-precise]`, `short-precise`, `short-full`,
//! `short-monotonic`, `short-unix`, `with-unit`; RFC 3164, RFC 5424 and ISO syslog, logread of OpenWrt; Talos
//! (`kern: info: [2026-...]: `). Without any time, lines that only the kernel prints.
//!
//! Clocks: a time with a zone is [`Clock::Wall`](crate::units::Clock::Wall). A time since boot comes next: a syslog
//! line with both a civil time without zone and `[ 1138.649269]` gets the boot time, which is precise and does not
//! depend on a zone. A civil time alone is local.
//!
//! Every line with a recognised prefix becomes a record: lines of user programs as [`KernelKind::Other`] with the
//! program as driver. Lines without prefix directly below (stack traces, register and ring dumps, what a mailer
//! wrapped) are added to the text of the record above. A device that speaks by its bus address only gets the
//! interface name that the same log gave this address before.

use super::kernel_messages::{classify, is_bus, is_unmistakable};
use super::prompt::{epoch, is_ifname};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, KernelKind, KernelLine, Line, What};
use crate::units::{Stamp, civil_ns, month};
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format { id: "kernel-log", anchor, parse };

/// A log line without its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    time: Option<Stamp>,
    /// Seconds since the line before (`dmesg -e`), in nanoseconds.
    delta: Option<i64>,
    /// The host that the line names as its own.
    host: Option<&'a str>,
    /// A program other than the kernel.
    program: Option<&'a str>,
    text: &'a str,
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = unquote(&line.text);
    entry(t).is_some()
        || is_unmistakable(t)
        || marker(t).is_some_and(|k| k == KernelKind::Boot)
        || t.starts_with("-- Logs begin at ")
        || t.starts_with("-- Journal begins at ")
        || glued(t).is_some_and(|(front, _)| {
            front.len() <= 32 && front.trim_end().ends_with([':', '#', '$', '>']) || front.ends_with("dmesg")
        })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut state = State::default();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            state.broken = true;
            continue;
        }
        let t = unquote(&line.text);
        let mut head = true;
        if let Some(e) = entry(t) {
            cursor.next();
            state.push(&e, line.cite(), out);
        } else if let Some((front, e)) = glued(t).and_then(|(f, rest)| Some((f, entry(rest)?))) {
            cursor.next();
            if state.any && !state.broken && !front.trim().is_empty() {
                append(out, front.trim(), line.cite());
            }
            state.push(&e, line.cite(), out);
        } else if is_unmistakable(t) {
            cursor.next();
            let text = t.strip_prefix("kernel: ").unwrap_or(t);
            state.untimed |= !state.any;
            state.push(&Entry { time: None, delta: None, host: None, program: None, text }, line.cite(), out);
        } else if let Some(kind) = marker(t) {
            cursor.next();
            let kernel =
                KernelLine { host: None, dev: None, bond: None, driver: None, kind, text: t.to_owned() };
            out.record(line.cite(), None, What::Kernel(kernel));
            state.any = true;
        } else if state.untimed && said_to_be_dmesg(out) && !is_trace(t) && line.indent() <= state.indent {
            // A kernel without CONFIG_PRINTK_TIME: the name of the file says that every line is the kernel's.
            cursor.next();
            state.push(&tagged(None, t), line.cite(), out);
        } else if state.any && !state.broken && state.continues(&line.text, t) {
            cursor.next();
            append(out, t, line.cite());
            head = false;
        } else {
            // Prose, or another format's lines: looked at afresh.
            return;
        }
        out.typed(line);
        state.broken = false;
        if head {
            state.indent = line.indent();
        }
        state.width = line.text.chars().count();
    }
}

/// What the lines before say about the next one.
#[derive(Default)]
struct State {
    /// A record was made.
    any: bool,
    /// A blank line was seen since.
    broken: bool,
    /// The block began without times.
    untimed: bool,
    indent: usize,
    width: usize,
    wrapped: u8,
    /// The clock of `dmesg -e`, which prints differences.
    running: Option<Stamp>,
    /// Driver and bus address to interface; none where an address has several.
    names: BTreeMap<(String, String), Option<String>>,
    /// The same by bus, slot and function alone, as the IOMMU names devices.
    short: BTreeMap<String, Option<String>>,
}

impl<'a> Entry<'a> {
    /// With the word that stands where the host does, if it can be one.
    fn of(mut self, host: &'a str) -> Self {
        // Some loggers write a level, or leave a dash, in the place of the host.
        let word = !LEVELS.iter().any(|l| l.eq_ignore_ascii_case(host));
        let name = host.bytes().any(|b| b.is_ascii_alphanumeric())
            && host.len() <= 255
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'(' | b')'));
        self.host = (word && name).then_some(host);
        self
    }
}

impl State {
    fn push(&mut self, e: &Entry<'_>, at: Citation, out: &mut Out) {
        let mut time = e.time;
        if let Some(delta) = e.delta {
            if let (Some(running), None) = (&mut self.running, time) {
                running.ns = running.ns.saturating_add(delta);
                time = Some(*running);
            }
        } else if time.is_some() {
            self.running = time;
        }
        let host = e.host.map(str::to_owned);
        let kernel = if let Some(program) = e.program {
            KernelLine {
                host,
                dev: program_dev(e.text).map(str::to_owned),
                bond: None,
                driver: Some(program.to_owned()),
                kind: if e.text.starts_with("Missed ") && e.text.contains("kernel messages") {
                    KernelKind::Suppressed
                } else {
                    KernelKind::Other
                },
                text: e.text.to_owned(),
            }
        } else {
            let m = classify(e.text);
            let (mut dev, mut kind) = (m.dev, m.kind);
            if let (Some(bus), Some(driver)) = (m.bus, &m.driver) {
                self.learn(driver.clone(), &bus, &mut dev);
            }
            let iommu = kind == KernelKind::Other
                && (e.text.starts_with("DMAR: ") && e.text.contains("fault")
                    || e.text.contains("IO_PAGE_FAULT"));
            if dev.is_none()
                && (iommu || matches!(kind, KernelKind::AerCorrectable | KernelKind::AerUncorrectable))
            {
                // Root ports and the IOMMU speak about a device by its address.
                dev = self.about(e.text);
                if iommu && dev.is_some() {
                    kind = KernelKind::DriverError;
                }
            }
            KernelLine { host, dev, bond: m.bond, driver: m.driver, kind, text: e.text.to_owned() }
        };
        out.record(at, time, What::Kernel(kernel));
        self.any = true;
        self.wrapped = 0;
    }

    /// The interface of the first known bus address in a text.
    fn about(&self, text: &str) -> Option<String> {
        text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '=' | ','))
            .filter(|w| w.len() >= 7 && is_bus(w))
            .find_map(|w| self.short.get(&short_bus(w)).cloned().flatten())
    }

    /// Learns the interface of a bus address, or fills it in.
    fn learn(&mut self, driver: String, bus: &str, dev: &mut Option<String>) {
        let key = (driver, bus.to_ascii_lowercase());
        let short = short_bus(bus);
        match (dev.as_deref(), self.names.get_mut(&key)) {
            (Some(name), None) => {
                self.names.insert(key, Some(name.to_owned()));
                note(self.short.entry(short).or_insert_with(|| Some(name.to_owned())), name);
            }
            (Some(name), Some(known)) => {
                note(known, name);
                if let Some(known) = self.short.get_mut(&short) {
                    note(known, name);
                }
            }
            (None, Some(Some(known))) => *dev = Some(known.clone()),
            (None, _) => {}
        }
    }

    /// May this line without head belong to the one above?
    fn continues(&mut self, raw: &str, t: &str) -> bool {
        if is_trace(t) || raw.len() - raw.trim_start().len() > self.indent {
            return true;
        }
        // A mailer breaks a line where the next word would not fit: the line above is as long as it could be.
        let word = t.split_whitespace().next().map_or(0, |w| w.chars().count());
        let full = self.width >= 55 && self.width <= 110 && self.width + 1 + word > 66;
        if full && self.wrapped < 3 {
            self.wrapped += 1;
            return true;
        }
        false
    }
}

fn said_to_be_dmesg(out: &Out) -> bool {
    out.hints.command.as_deref().map_or_else(
        || out.hints.path.rsplit('/').next().is_some_and(|f| f.contains("dmesg")),
        |c| c.trim_start_matches("sudo ").starts_with("dmesg"),
    )
}

/// Two names at the same address: renamed, or two ports. `eth0` before is the kernel's first name.
fn note(known: &mut Option<String>, name: &str) {
    if known.as_deref().is_some_and(|k| k != name) {
        let renamed = known.as_deref().is_some_and(is_first_name) && !is_first_name(name);
        *known = renamed.then(|| name.to_owned());
    }
}

/// `02:00.0` of `0000:02:00.0`.
fn short_bus(bus: &str) -> String {
    bus.get(bus.len().saturating_sub(7)..).unwrap_or(bus).to_ascii_lowercase()
}

fn is_first_name(name: &str) -> bool {
    name.strip_prefix("eth").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

/// Adds a line to the text of the last record.
fn append(out: &mut Out, text: &str, at: Citation) {
    if let Some(last) = out.last_mut()
        && let What::Kernel(k) = &mut last.what
    {
        k.text.push('\n');
        k.text.push_str(text.trim_end());
        last.at = last.at.to(at);
    }
}

/// Mail quoting and leading blanks removed.
fn unquote(text: &str) -> &str {
    let mut t = text.trim_start();
    while let Some(rest) = t.strip_prefix('>') {
        t = rest.trim_start();
    }
    t.strip_prefix("| ").map_or(t, str::trim_start)
}

/// Lines that stand between log lines.
fn marker(t: &str) -> Option<KernelKind> {
    if t == "-- Reboot --" || t.starts_with("-- Boot ") && t.ends_with(" --") {
        return Some(KernelKind::Boot);
    }
    if (t.starts_with("-- Logs begin at ")
        || t.starts_with("-- Journal begins at ")
        || t.starts_with("-- Journal file")
        || t.starts_with("-- No entries"))
        && t.ends_with("--")
    {
        return Some(KernelKind::Other);
    }
    // The one who pasted left lines out.
    let inner = t.trim_matches(|c| matches!(c, '[' | ']' | '<' | '>' | '(' | ')' | '-' | ' '));
    let elided = matches!(
        inner,
        "..."
            | ".."
            | "…"
            | "snip"
            | "skip"
            | "skipped"
            | "cut"
            | "snipped"
            | "... snip ..."
            | "more of the same"
    );
    (elided && t.len() <= 24 || t.len() >= 3 && t.bytes().all(|b| b == b'.'))
        .then_some(KernelKind::Suppressed)
}

/// Parts of a stack trace, register dump or hex dump.
fn is_trace(t: &str) -> bool {
    const STARTS: &[&str] = &[
        "Call Trace:",
        "Call trace:",
        "Backtrace:",
        "Stack:",
        "Code: ",
        "Modules linked in:",
        "Hardware name: ",
        "Workqueue: ",
        "RIP: ",
        "RSP: ",
        "RAX: ",
        "RDX: ",
        "RBP: ",
        "R10: ",
        "R13: ",
        "FS:  ",
        "CS:  ",
        "CR2: ",
        "DR0: ",
        "DR3: ",
        "PKRU: ",
        "Tainted: ",
        "<TASK>",
        "</TASK>",
        "<IRQ>",
        "</IRQ>",
        "<NMI>",
        "---[ end",
        "------------[ cut here",
        "Mem-Info:",
        "pstate: ",
        "pc : ",
        "lr : ",
        "sp : ",
        "Disabling lock debugging",
        "Kernel Offset: ",
    ];
    if STARTS.iter().any(|s| t.starts_with(s)) || t.starts_with("CPU: ") && t.contains(" PID: ") {
        return true;
    }
    // `igc_rd32+0x88/0xa0 [igc]`, ` ? foo+0x1/0x2`.
    let symbol = t.strip_prefix("? ").unwrap_or(t);
    let first = symbol.split_whitespace().next().unwrap_or("");
    if first.contains("+0x") && first.contains("/0x") {
        return true;
    }
    // `00000000: 01 00 5e`, `x29: ffff`.
    t.split_once(':').is_some_and(|(front, rest)| {
        (front.len() == 8 || front.len() == 16)
            && front.bytes().all(|b| b.is_ascii_hexdigit())
            && rest.starts_with(' ')
    })
}

/// The interface a message of a network program is about: `eth0: Lost carrier`, `device (eth0): state change`.
fn program_dev(text: &str) -> Option<&str> {
    if let Some((_, rest)) = text.split_once("device (")
        && let Some((name, _)) = rest.split_once(')')
        && is_ifname(name)
    {
        return Some(name);
    }
    let (word, _) = text.split_once(": ")?;
    super::prompt::looks_like_ifname(word).then_some(word)
}

/// A line whose kernel stamp stands behind other text: a login prompt of a console, a wrapped mail.
fn glued(t: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    // A handful of brackets is enough; lines full of them are no log lines.
    for _ in 0..8 {
        let at = from + t.get(from..)?.find('[')?;
        let rest = t.get(at..)?;
        let inside = rest.get(1..)?.split_once(']')?.0;
        if at > 0 && inside.len() >= 12 && boot(inside).is_some() {
            return Some((t.get(..at)?, rest));
        }
        from = at + 1;
    }
    None
}

/// Reads the head of a line. `None` if it has none of the known forms.
pub(super) fn entry(t: &str) -> Option<Entry<'_>> {
    let t = t.trim_start();
    let first = *t.as_bytes().first()?;
    match first {
        b'[' => bracket(t),
        b'<' => priority(t),
        b'0'..=b'9' => {
            iso(t).or_else(|| kmsg(t)).or_else(|| unix(t)).or_else(|| talos_node(t)).or_else(|| grepped(t))
        }
        _ => syslog(t)
            .or_else(|| weekday(t))
            .or_else(|| facility(t))
            .or_else(|| console(t))
            .or_else(|| talos_node(t))
            .or_else(|| grepped(t)),
    }
}

/// Seconds and microseconds since boot. Ten digits of seconds are an epoch (`ping -D`), not a boot time.
fn boot(inside: &str) -> Option<i64> {
    let (secs, micros) = inside.trim_start().split_once('.')?;
    if secs.is_empty()
        || secs.len() > 9
        || !(3..=9).contains(&micros.len())
        || !secs.bytes().chain(micros.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    nanos(secs, micros)
}

fn nanos(secs: &str, frac: &str) -> Option<i64> {
    epoch(secs, frac).map(|s| s.ns)
}

fn kernel(time: Option<Stamp>, text: &str) -> Entry<'_> {
    Entry { time, delta: None, host: None, program: None, text: text.trim_start() }
}

/// `[  177.032515] `, `[Tue Nov 22 02:34:40 2026] `, `[Nov22 02:34] `, `[  +0.000002] `, `[    0.1 <    0.000002>] `.
fn bracket(t: &str) -> Option<Entry<'_>> {
    let (inside, rest) = t.strip_prefix('[')?.split_once(']')?;
    if let Some(entry) = status(inside, rest) {
        return Some(entry);
    }
    let rest = caller(rest);
    let inner = inside.trim();
    if let Some(ns) = boot(inner) {
        return Some(tagged(Some(Stamp::boot(ns)), rest));
    }
    if let Some(delta) = inner.strip_prefix('+') {
        let ns = boot(delta)?;
        return Some(Entry {
            time: None,
            delta: Some(ns),
            host: None,
            program: None,
            text: rest.trim_start(),
        });
    }
    if let Some((front, delta)) = inner.split_once('<') {
        boot(delta.trim_end_matches('>').trim())?;
        let time = boot(front.trim()).map(Stamp::boot).or_else(|| ctime(front.trim()));
        return Some(tagged(time, rest));
    }
    if let Some(time) = ctime(inner).or_else(|| minute(inner)) {
        return Some(tagged(Some(time), rest));
    }
    None
}

/// `[ T8058] ` and `[    C0] ` after the stamp.
fn caller(rest: &str) -> &str {
    let t = rest.trim_start();
    if let Some((who, after)) = t.strip_prefix('[').and_then(|r| r.split_once(']')) {
        let who = who.trim();
        if let Some(n) = who.strip_prefix(['T', 'C'])
            && !n.is_empty()
            && n.bytes().all(|b| b.is_ascii_digit())
        {
            return after;
        }
    }
    rest
}

/// `[  OK  ] Started ...` of systemd on a console.
fn status<'a>(inside: &str, rest: &'a str) -> Option<Entry<'a>> {
    (inside.len() == 6
        && inside.starts_with([' ', 'F', 'D', '*'])
        && matches!(
            inside.trim(),
            "OK" | "FAILED" | "DEPEND" | "INFO" | "WARN" | "TIME" | "SKIP" | "*" | "**" | "***"
        )
        && rest.starts_with(' '))
    .then(|| Entry { time: None, delta: None, host: None, program: Some("systemd"), text: rest.trim_start() })
}

/// `Tue Nov 22 02:34:40 2026`.
fn ctime(t: &str) -> Option<Stamp> {
    let mut words = t.split_whitespace();
    let (day, mon, dom, clock, year) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !is_weekday(day) {
        return None;
    }
    civil(year.parse().ok()?, month(mon)?, dom.parse().ok()?, clock).map(Stamp::local)
}

/// `Nov22 02:34` of `dmesg -e`.
fn minute(t: &str) -> Option<Stamp> {
    let (date, clock) = t.split_once(' ')?;
    let mon = month(date.get(..3)?)?;
    let day = date.get(3..)?.trim().parse().ok()?;
    if clock.len() != 5 {
        return None;
    }
    civil(0, mon, day, clock.trim()).map(Stamp::local)
}

fn is_weekday(t: &str) -> bool {
    matches!(t, "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun")
}

/// A civil date and a clock `02:34[:40[.123]]`. Year 0 stands for no year: 1970.
fn civil(year: i32, month: u8, day: u8, clock: &str) -> Option<i64> {
    let (clock, frac) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (h, m) = (parts.next()?, parts.next()?);
    let s = parts.next().unwrap_or("0");
    if parts.next().is_some() || h.len() > 2 || m.len() != 2 || !frac.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nano = nanos("0", frac)?;
    let nano = u32::try_from(nano).ok()?;
    let (h, m, s) = (h.parse().ok()?, m.parse().ok()?, s.parse().ok()?);
    if year == 0 && month == 2 && day == 29 {
        // 1970 has no such day; the day after the 28th is what it is.
        return civil_ns(1970, 3, 1, h, m, s, nano);
    }
    civil_ns(if year == 0 { 1970 } else { year }, month, day, h, m, s, nano)
}

/// `<6>` in front of a kernel or syslog line, `<30>1 ` of RFC 5424.
fn priority(t: &str) -> Option<Entry<'_>> {
    let (pri, rest) = t.strip_prefix('<')?.split_once('>')?;
    if pri.is_empty() || pri.len() > 3 || !pri.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(rest) = rest.strip_prefix("1 ") {
        return rfc5424(rest);
    }
    if rest.starts_with('<') {
        return None;
    }
    plain(rest).or_else(|| {
        // `dmesg -r` of a kernel without CONFIG_PRINTK_TIME.
        (pri.len() == 1 && !rest.trim().is_empty()).then(|| kernel(None, rest))
    })
}

/// `2026-11-22T02:34:40.035001Z host kernel - - - text`.
fn rfc5424(t: &str) -> Option<Entry<'_>> {
    let (time, rest) = t.split_once(' ')?;
    let (stamp, _) = iso_stamp(time)?;
    let mut words = rest.splitn(5, ' ');
    let (host, program, _pid, _msgid, rest) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    // Structured data: `-` or `[...]`.
    let text = rest
        .strip_prefix("- ")
        .or_else(|| rest.strip_prefix('[').and_then(|r| r.split_once("] ")).map(|(_, t)| t))
        .unwrap_or(rest);
    Some(finish(Some(stamp), program, text.trim_start_matches('\u{feff}')).of(host))
}

/// `2026-11-22T02:34:40.035001+00:00`; true if a comma stands before the fraction, as only `dmesg` writes it.
fn iso_stamp(t: &str) -> Option<(Stamp, bool)> {
    let (date, clock) = t.split_once('T').or_else(|| t.split_once(' '))?;
    let mut parts = date.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if y.len() != 4 || m.len() != 2 || d.len() != 2 || parts.next().is_some() {
        return None;
    }
    let zone_at = clock.find(['+', '-', 'Z']).unwrap_or(clock.len());
    let (clock, zone) = (clock.get(..zone_at)?, clock.get(zone_at..)?);
    if clock.len() < 8 {
        return None;
    }
    let ns = civil(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?, clock)?;
    let comma = clock.contains(',');
    Some((zoned(ns, zone)?, comma))
}

/// A civil time with its zone: `Z`, `+02:00`, `-0700`, or none.
fn zoned(ns: i64, zone: &str) -> Option<Stamp> {
    if zone.is_empty() {
        return Some(Stamp::local(ns));
    }
    if zone == "Z" {
        return Some(Stamp::wall(ns));
    }
    let negative = zone.starts_with('-');
    let digits: String = zone.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.len() != 4 && digits.len() != 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).unwrap_or("0").parse().ok()?;
    let offset = hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60_000_000_000)?;
    Some(Stamp::wall(if negative { ns.checked_add(offset)? } else { ns.checked_sub(offset)? }))
}

/// `2026-11-22T02:34:40+0000 host kernel: `, `2026-11-22 02:34:40.123 host kernel: `, `2026-11-22T02:34:40,035001+00:00 `.
fn iso(t: &str) -> Option<Entry<'_>> {
    let (time, rest) = t.split_once(' ')?;
    let (time, rest) = if time.len() == 10 {
        let end = t.get(11..)?.find(' ')?.checked_add(11)?;
        (t.get(..end)?, t.get(end..)?)
    } else {
        (time, rest)
    };
    let (stamp, comma) = iso_stamp(time)?;
    if comma {
        return Some(tagged(Some(stamp), caller(rest)));
    }
    host_and_tag(Some(stamp), rest.trim_start())
}

/// `6,1234,177032515,-;text` of `/dev/kmsg`.
fn kmsg(t: &str) -> Option<Entry<'_>> {
    let (front, text) = t.split_once(';')?;
    let mut parts = front.split(',');
    let (pri, seq, micros, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let digits = |p: &str| !p.is_empty() && p.len() < 16 && p.bytes().all(|b| b.is_ascii_digit());
    if !digits(pri) || !digits(seq) || !digits(micros) || flags.len() > 2 || flags.contains(' ') {
        return None;
    }
    let ns = micros.parse::<i64>().ok()?.checked_mul(1000)?;
    Some(tagged(Some(Stamp::boot(ns)), text))
}

/// `1795313330.123456 host kernel: `.
fn unix(t: &str) -> Option<Entry<'_>> {
    let (time, rest) = t.split_once(' ')?;
    let (secs, frac) = time.split_once('.')?;
    if secs.len() != 10
        || !(3..=9).contains(&frac.len())
        || !secs.bytes().chain(frac.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    host_and_tag(epoch(secs, frac), rest)
}

/// `Nov 22 02:34:40 host kernel: `, also with a fraction or a year.
fn syslog(t: &str) -> Option<Entry<'_>> {
    let mon = month(t.get(..3)?)?;
    let rest = t.get(3..)?.strip_prefix(' ')?.trim_start();
    let (day, rest) = rest.split_once(' ')?;
    let day: u8 = day.parse().ok()?;
    let (mut clock, mut rest) = rest.trim_start().split_once(' ')?;
    let mut year = 0;
    if clock.len() == 4 && clock.bytes().all(|b| b.is_ascii_digit()) {
        year = clock.parse().ok()?;
        (clock, rest) = rest.split_once(' ')?;
    }
    if clock.len() < 8 {
        return None;
    }
    let ns = civil(year, mon, day, clock.trim_end_matches(':'))?;
    host_and_tag(Some(Stamp::local(ns)), rest.trim_start())
}

/// `Tue 2026-11-22 02:34:40 UTC host kernel: ` (journalctl short-full) and
/// `Tue Nov 22 02:34:40 2026 kern.info kernel: ` (logread).
fn weekday(t: &str) -> Option<Entry<'_>> {
    let (day, rest) = t.split_once(' ')?;
    if !is_weekday(day) {
        return None;
    }
    if rest.bytes().next()?.is_ascii_digit() {
        let end = rest.get(11..)?.find(' ')?.checked_add(11)?;
        let (stamp, _) = iso_stamp(rest.get(..end)?)?;
        let (zone, rest) = rest.get(end..)?.trim_start().split_once(' ')?;
        let stamp = match zone {
            "UTC" | "GMT" => Stamp::wall(stamp.ns),
            z if z.starts_with(['+', '-']) && z.len() > 1 => zoned(stamp.ns, &format!("{z:0<5}"))?,
            z if (2..=5).contains(&z.len()) && z.bytes().all(|b| b.is_ascii_uppercase()) => stamp,
            _ => return None,
        };
        return host_and_tag(Some(stamp), rest);
    }
    let mut words = rest.splitn(5, ' ').filter(|w| !w.is_empty());
    let (mon, dom, clock, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (year, rest) = match words.next() {
        Some(r) => (year, r),
        None => year.split_once(' ')?,
    };
    let ns = civil(year.parse().ok()?, month(mon)?, dom.parse().ok()?, clock)?;
    host_and_tag(Some(Stamp::local(ns)), rest)
}

const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const LEVELS: &[&str] =
    &["emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug"];

/// `kern  :info  : [  177.0] text` (`dmesg -x`) and `kern:    info: [2026-11-22T02:34:40.1Z]: text` (Talos).
fn facility(t: &str) -> Option<Entry<'_>> {
    let (facility, rest) = t.split_once(':')?;
    if !FACILITIES.contains(&facility.trim_end()) {
        return None;
    }
    let (level, rest) = rest.split_once(':')?;
    if !LEVELS.contains(&level.trim()) {
        return None;
    }
    let rest = rest.trim_start();
    if let Some((inside, text)) = rest.strip_prefix('[').and_then(|r| r.split_once("]: "))
        && let Some((stamp, _)) = iso_stamp(inside)
    {
        return Some(tagged(Some(stamp), text));
    }
    let kern = facility.trim_end() == "kern";
    plain(rest).or_else(|| kern.then(|| kernel(None, rest)))
}

/// `172.20.0.2: kern:    info: [...]: text`: `talosctl dmesg`, with the node by address or by name.
fn talos_node(t: &str) -> Option<Entry<'_>> {
    let (node, rest) = t.split_once(": ")?;
    let named = node.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-'));
    // Words before a colon are common, so the time must follow.
    named.then(|| facility(rest.trim_start())).flatten().filter(|e| e.time.is_some()).map(|e| e.of(node))
}

/// A console says `kernel: ` without a time.
fn console(t: &str) -> Option<Entry<'_>> {
    let rest = t.strip_prefix("kernel: ")?;
    if rest.starts_with('<') { priority(rest).filter(|e| e.time.is_some()) } else { bracket(rest) }
}

/// The forms that stand behind a priority or a facility; none of them looks for another form in turn, so that a
/// hostile line cannot make this call itself without end.
fn plain(t: &str) -> Option<Entry<'_>> {
    let t = t.trim_start();
    match t.as_bytes().first()? {
        b'[' => bracket(t),
        b'0'..=b'9' => iso(t),
        _ => syslog(t).or_else(|| weekday(t)),
    }
}

/// `kern.log.1:Nov 22 02:34:40 ...` and `12:[  177.0] ...`: output of grep.
fn grepped(t: &str) -> Option<Entry<'_>> {
    let (file, rest) = t.split_once(':')?;
    let number = !file.is_empty() && file.len() <= 7 && file.bytes().all(|b| b.is_ascii_digit());
    let named = !file.contains(' ')
        && file.len() <= 80
        && ["log", "messages", "dmesg", "kern", "journal"].iter().any(|w| file.contains(w));
    if !number && !named {
        return None;
    }
    plain(rest)
}

/// `host program[pid]: text`. Without a host (`--no-hostname`, busybox) the tag comes first.
fn host_and_tag<'a>(time: Option<Stamp>, rest: &'a str) -> Option<Entry<'a>> {
    let (first, after) = rest.split_once(' ')?;
    if let Some(program) = tag(first) {
        return switch_free(finish(time, program, after));
    }
    if first.ends_with(':') {
        return None;
    }
    let after = after.trim_start();
    // logread and busybox: `host kern.info kernel: text`, `kern.info kernel: text`.
    let is_level =
        |w: &str| w.split_once('.').is_some_and(|(f, l)| FACILITIES.contains(&f) && LEVELS.contains(&l));
    if is_level(first) {
        let (word, text) = after.split_once(' ')?;
        return Some(finish(time, tag(word)?, text));
    }
    if after.starts_with("last message repeated ") || after.starts_with("-- MARK --") {
        return Some(Entry { time, delta: None, host: None, program: Some("syslog"), text: after }.of(first));
    }
    let (second, text) = after.split_once(' ').unwrap_or((after, ""));
    if is_level(second) {
        let (word, text) = text.trim_start().split_once(' ')?;
        return Some(finish(time, tag(word)?, text).of(first));
    }
    if let Some(program) = tag(second) {
        return switch_free(finish(time, program, text).of(first));
    }
    // `systemd-logind[1]` with a name of two words: `(sd-pam)[1]:` is one; `rpc.mountd [12]:`.
    let (pid, text) = text.split_once(' ').unwrap_or((text, ""));
    if pid.starts_with('[') && pid.ends_with("]:") && is_program(second) {
        return switch_free(finish(time, second, text).of(first));
    }
    None
}

/// Switches log to the same daemons; their messages (`%LACP-5-...`) are not this format's.
fn switch_free(e: Entry<'_>) -> Option<Entry<'_>> {
    let mnemonic = |t: &str| {
        t.strip_prefix('%').is_some_and(|r| {
            r.split_once(':').is_some_and(|(m, _)| {
                m.contains('-')
                    && m.bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
            })
        })
    };
    let is = mnemonic(e.text)
        || e.program.is_some_and(|p| p.starts_with('%'))
        || e.text.split_once(": ").is_some_and(|(_, r)| mnemonic(r));
    (!is).then_some(e)
}

/// `kernel:`, `NetworkManager[812]:`, `systemd-networkd.service[12]:` without pid and colon.
fn tag(word: &str) -> Option<&str> {
    let t = word.strip_suffix(':')?;
    let name = t.strip_suffix(']').and_then(|t| t.rsplit_once('[')).map_or(t, |(n, _)| n);
    is_program(name).then_some(name)
}

fn is_program(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 80
        && name.bytes().any(|b| b.is_ascii_alphabetic())
        && name.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b'-' | b'.' | b'/' | b'(' | b')' | b'@' | b'+' | b'\\')
        })
}

/// Text after a stamp: of the kernel, or `host program[pid]: text` (short-monotonic), or `program[pid]: text` in
/// the kernel's buffer.
fn tagged<'a>(time: Option<Stamp>, rest: &'a str) -> Entry<'a> {
    let text = rest.trim_start();
    let mut words = text.splitn(3, ' ');
    let (first, second, third) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next());
    let pid = |w: &str| {
        w.strip_suffix("]:").and_then(|w| w.rsplit_once('[')).is_some_and(|(name, n)| {
            is_program(name) && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())
        })
    };
    if pid(first)
        && let Some(program) = tag(first)
    {
        let text = text.split_once(' ').map_or("", |(_, r)| r);
        return Entry { time, delta: None, host: None, program: Some(program), text };
    }
    if let Some(text) = text.strip_prefix("[talos] ") {
        return Entry { time, delta: None, host: None, program: Some("talos"), text };
    }
    if !first.is_empty() && !first.ends_with(':') && (second == "kernel:" || pid(second)) {
        return finish(time, tag(second).unwrap_or("kernel"), third.unwrap_or("")).of(first);
    }
    if first == "kernel:" {
        return finish(time, "kernel", text.split_once(' ').map_or("", |(_, r)| r));
    }
    kernel(time, text)
}

/// A line of a program. The kernel's own may repeat the time since boot: it wins over a time without zone.
fn finish<'a>(time: Option<Stamp>, program: &'a str, text: &'a str) -> Entry<'a> {
    let text = text.trim_start();
    if !matches!(program, "kernel" | "vmunix" | "kern") {
        return Entry { time, delta: None, host: None, program: Some(program), text };
    }
    if let Some((inside, rest)) = text.strip_prefix('[').and_then(|r| r.split_once(']'))
        && let Some(ns) = boot(inside)
    {
        let wall = time.filter(|t| t.clock == crate::units::Clock::Wall);
        return kernel(wall.or(Some(Stamp::boot(ns))), caller(rest));
    }
    kernel(time, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Record};
    use crate::parse::{Parsed, parse_text_with};

    #[test]
    fn the_host_of_a_line() {
        let host = |t: &str| entry(t).expect(t).host.map(str::to_owned);
        for t in [
            "Nov 22 02:34:40 db01 kernel: x",
            "kern.log.1:Nov 22 02:34:40 db01 kernel: [  177.032515] x",
            "2026-11-22T02:34:40+0000 db01 sshd[12]: x",
            "Sun 2026-11-22 02:34:40 UTC db01 kernel: x",
            "1795313330.123456 db01 kernel: x",
            "[  177.032515] db01 kernel: x",
            "<6>1 2026-11-22T02:34:40Z db01 kernel - - - x",
            "Nov 22 02:34:40 db01 kern.info kernel: x",
            "Nov 22 02:34:40 db01 last message repeated 2 times",
        ] {
            assert_eq!(host(t).as_deref(), Some("db01"), "{t}");
        }
        for t in [
            "Nov 22 02:34:40 kernel: x",
            "[  177.032515] db01: x",
            "<6>1 2026-11-22T02:34:40Z - kernel - - - x",
            "2026-11-22 02:34:40.123 INFO kernel: x",
        ] {
            assert_eq!(host(t), None, "{t}");
        }
        assert_eq!(
            host("172.20.0.2: kern:    info: [2026-11-22T02:34:40.1Z]: x").as_deref(),
            Some("172.20.0.2")
        );
    }

    fn read(text: &str) -> Parsed {
        parse_text_with(FileId(0), "dmesg.txt", text.as_bytes(), &[FORMAT])
    }
    fn lines(text: &str) -> Vec<Record> {
        let p = read(text);
        assert!(p.not_understood.is_empty() && p.unrecognised.is_empty(), "{p:?}");
        p.records
    }
    fn one(text: &str) -> (Option<String>, KernelLine) {
        let mut r = lines(text);
        assert_eq!(r.len(), 1, "{text}");
        let r = r.remove(0);
        let What::Kernel(k) = r.what else { panic!("{text}") };
        (r.time.map(|t| t.to_string()), k)
    }

    const BODY: &str = "bond0: (slave h1): link status definitely down, disabling slave";

    #[test]
    fn every_head() {
        for (head, time) in [
            ("[  177.032515] ", Some("boot+177.032515s")),
            ("[  177.032515][ T8058] ", Some("boot+177.032515s")),
            ("[  177.032515] [   C0] ", Some("boot+177.032515s")),
            ("<6>[  177.032515] ", Some("boot+177.032515s")),
            ("kern  :info  : [  177.032515] ", Some("boot+177.032515s")),
            ("[  177.032515 <    0.000002>] ", Some("boot+177.032515s")),
            ("6,1234,177032515,-;", Some("boot+177.032515s")),
            ("[  177.032515] host1 kernel: ", Some("boot+177.032515s")),
            ("Nov 22 02:34:40 host1 kernel: [  177.032515] ", Some("boot+177.032515s")),
            ("[Sun Nov 22 02:34:40 2026] ", Some("2026-11-22T02:34:40.000")),
            ("Nov 22 02:34:40 host1 kernel: ", Some("11-22T02:34:40.000")),
            ("Nov  2 02:34:40.035001 host1 kernel: ", Some("11-02T02:34:40.035")),
            ("Nov 22 02:34:40 kernel: ", Some("11-22T02:34:40.000")),
            ("Feb 29 02:34:40 host1 kernel: ", Some("03-01T02:34:40.000")),
            ("messages-20261122:Nov 22 02:34:40 host1 kernel: ", Some("11-22T02:34:40.000")),
            ("2026-11-22T02:34:40,035001+00:00 ", Some("2026-11-22T02:34:40.035Z")),
            ("2026-11-22T02:34:40.035001+02:00 host1 kernel: ", Some("2026-11-22T00:34:40.035Z")),
            ("2026-11-22T02:34:40-0700 host1 kernel: ", Some("2026-11-22T09:34:40.000Z")),
            ("2026-11-22T02:34:40.035Z host1 kernel: [  177.032515] ", Some("2026-11-22T02:34:40.035Z")),
            ("2026-11-22 02:34:40.035 host1 kernel: ", Some("2026-11-22T02:34:40.035")),
            ("Sun 2026-11-22 02:34:40 UTC host1 kernel: ", Some("2026-11-22T02:34:40.000Z")),
            ("Sun 2026-11-22 02:34:40.5 CET host1 kernel: ", Some("2026-11-22T02:34:40.500")),
            ("Sun Nov 22 02:34:40 2026 kern.info kernel: [  177.032515] ", Some("boot+177.032515s")),
            ("<6>1 2026-11-22T02:34:40.035001Z host1 kernel - - - ", Some("2026-11-22T02:34:40.035Z")),
            ("kern:    info: [2026-11-22T02:34:40.035001Z]: ", Some("2026-11-22T02:34:40.035Z")),
            ("172.20.0.2: kern:    info: [2026-11-22T02:34:40.035001Z]: ", Some("2026-11-22T02:34:40.035Z")),
            ("1795314880.035001 host1 kernel: ", Some("2026-11-22T02:34:40.035Z")),
            ("> [  177.032515] ", Some("boot+177.032515s")),
            ("host1 login: [  177.032515] ", Some("boot+177.032515s")),
            ("", None),
        ] {
            let (t, k) = one(&format!("{head}{BODY}"));
            assert_eq!(t.as_deref(), time, "{head}");
            assert_eq!((k.kind, k.text.as_str()), (KernelKind::MemberDown, BODY), "{head}");
            assert_eq!((k.dev.as_deref(), k.bond.as_deref()), (Some("h1"), Some("bond0")), "{head}");
        }
    }

    #[test]
    fn differences_of_reltime() {
        let r = lines("[Nov22 02:34] a: b\n[  +1.500000] c: d\n[  +0.250000] e: f\n");
        let t: Vec<String> = r.iter().filter_map(|r| r.time.map(|t| t.to_string())).collect();
        assert_eq!(t, ["11-22T02:34:00.000", "11-22T02:34:01.500", "11-22T02:34:01.750"]);
    }

    #[test]
    fn programs_are_kept_as_other() {
        let (_, k) =
            one("Nov 22 02:34:40 h1 NetworkManager[812]: <info>  device (eth0): state change: activated");
        assert_eq!(
            (k.kind, k.driver.as_deref(), k.dev.as_deref()),
            (KernelKind::Other, Some("NetworkManager"), Some("eth0"))
        );
        let (_, k) =
            one("user: warning: [2026-11-22T02:34:40.035001Z]: [talos] link is down, bond0: (slave x)");
        assert_eq!((k.kind, k.driver.as_deref()), (KernelKind::Other, Some("talos")));
        let (_, k) = one("[    5.1234] systemd[1]: Starting Network Time Synchronization...");
        assert_eq!(k.driver.as_deref(), Some("systemd"));
    }

    // `%s: %7s: [%s]: %s` of facility, level, time (RFC 3339 with as many digits as it takes) and message, in `Dmesg()` of
    // `internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go`; `talosctl dmesg` puts the node before it.
    #[test]
    fn the_kernel_log_of_talos() {
        let bundle = "kern:    info: [2026-03-01T10:00:01.5Z]: ixgbe 0000:01:00.0 enp1s0f0: NIC Link is Down\nkern: warning: [2026-03-01T10:00:01.712345678Z]: bond0: (slave enp1s0f0): link status definitely down, disabling slave\nuser: warning: [2026-03-01T10:00:02Z]: [talos] link state changed {\"component\": \"controller-runtime\", \"link\": \"enp1s0f0\", \"up\": false}\ndaemon:    info: [2026-03-01T10:00:03.25Z]: udevd[812]: starting version 3.2.14\n";
        let named: String = bundle.lines().map(|l| format!("192.0.2.10: {l}\n")).collect();
        let short: String = bundle.lines().map(|l| format!("node-a.example: {l}\n")).collect();
        for text in [bundle, &named, &short] {
            let p = read(text);
            assert!(p.unrecognised.is_empty(), "{text} {p:?}");
            let got: Vec<_> = p
                .records
                .iter()
                .filter_map(|r| if let What::Kernel(k) = &r.what { Some((r.time, k)) } else { None })
                .collect();
            let [(_, down), (at, member), (_, talos), (_, udev)] = got.as_slice() else { panic!("{got:?}") };
            assert_eq!((down.kind, down.dev.as_deref()), (KernelKind::LinkDown, Some("enp1s0f0")));
            assert_eq!((member.kind, member.bond.as_deref()), (KernelKind::MemberDown, Some("bond0")));
            assert_eq!(at.map(|t| t.ns % 1_000_000_000), Some(712_345_678));
            assert_eq!((talos.kind, talos.driver.as_deref()), (KernelKind::Other, Some("talos")));
            assert_eq!(udev.driver.as_deref(), Some("udevd"));
        }
    }

    #[test]
    fn continuations_belong_to_the_line_above() {
        let r = lines(
            "[  153.900000] igb 0000:01:00.0 eth0: Detected Tx Unit Hang\n  Tx Queue             <0>\n  TDH                  <5>\n[  154.000000] Call Trace:\nigc_rd32+0x88/0xa0 [igc]\n",
        );
        assert_eq!(r.len(), 2);
        let What::Kernel(k) = &r[0].what else { panic!() };
        assert!(k.kind == KernelKind::TxHang && k.text.ends_with("TDH                  <5>"), "{k:?}");
    }

    #[test]
    fn wrapped_mail() {
        let r = lines(
            "[    1.220721] e1000e 0000:00:1f.6 eth0: Intel(R) PRO/1000 Network\nConnection [    1.222632] e1000e 0000:00:1f.6 eno1: renamed from eth0\n[  153.932626] e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full\nDuplex, Flow Control: None\n",
        );
        assert_eq!(r.len(), 3);
        let What::Kernel(k) = &r[2].what else { panic!() };
        assert_eq!(
            k.text,
            "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full\nDuplex, Flow Control: None"
        );
    }

    #[test]
    fn faults_of_the_bus_find_their_interface() {
        let r = lines(
            "[ 1.000000] igb 0000:02:00.0 eno1: PHC added\n[ 2.000000] pcieport 0000:00:1c.0: AER: Corrected error received: 0000:02:00.0\n[ 3.000000] DMAR: [DMA Write] Request device [02:00.0] fault addr f000 [fault reason 05] x\n[ 4.000000] DMAR: [DMA Write] Request device [03:00.0] fault addr f000 [fault reason 05] x\n",
        );
        let got: Vec<(KernelKind, Option<&str>)> = r
            .iter()
            .filter_map(
                |r| if let What::Kernel(k) = &r.what { Some((k.kind, k.dev.as_deref())) } else { None },
            )
            .collect();
        assert_eq!(
            got,
            [
                (KernelKind::Other, Some("eno1")),
                (KernelKind::AerCorrectable, Some("eno1")),
                (KernelKind::DriverError, Some("eno1")),
                (KernelKind::Other, None),
            ]
        );
    }

    #[test]
    fn a_dmesg_without_times() {
        let r = lines(
            "Linux version 2.6.32-754.el6.x86_64 (builder@host) (gcc version 4.4.7) #1 SMP\nInitializing cgroup subsys cpuset\nbonding: bond0: enslaving eth0 as a backup interface with an up link.\n",
        );
        let kinds: Vec<KernelKind> = r
            .iter()
            .filter_map(|r| if let What::Kernel(k) = &r.what { Some(k.kind) } else { None })
            .collect();
        assert_eq!(kinds, [KernelKind::Boot, KernelKind::Other, KernelKind::Enslaved]);
    }

    #[test]
    fn hostile_nesting_ends() {
        for unit in ["<6>", "<6> ", "kernel: ", "kern:info: ", "1:", "> ", "["] {
            let _ = read(&unit.repeat(50_000));
            let _ = read(&format!("{}[    1.000000] x", unit.repeat(50_000)));
        }
    }

    #[test]
    fn a_bus_address_gets_its_interface() {
        let r = lines(
            "[ 1.000000] i40e 0000:02:00.0 eth0: PCI-Express\n[ 2.000000] i40e 0000:02:00.0 eno1: renamed from eth0\n[ 3.000000] i40e 0000:02:00.0: Error I40E_AQ_RC_ENOSPC, forcing overflow promiscuous on PF\n",
        );
        let What::Kernel(k) = &r[2].what else { panic!() };
        assert_eq!((k.kind, k.dev.as_deref()), (KernelKind::FilterError, Some("eno1")));
    }

    #[test]
    fn other_things_are_not_log_lines() {
        for text in [
            "[1795313330.123456] 64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.1 ms",
            "[2026-11-22T02:34:40.123456] 2: eth0: <BROADCAST> mtu 1500",
            "Nov 22 was a Sunday, and the link went down: twice",
            "2026-11-22 02:34:40.123456 IP 192.0.2.1.22 > 192.0.2.2.40000: Flags [P.]",
            "Nov 22 02:34:40 sw1 Lacp: %LACP-5-STATE: port Et1 moved",
            "Nov 22 02:34:40.123: %LINK-3-UPDOWN: Interface Gi1/0/1, changed state to down",
            "2026-11-22T02:34:40.035Z|00012|bond|INFO|interface eth0: link state down",
            "MII Status: up",
            "user: root",
            "eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500",
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536",
            "12:34:56.789012 LACPv1, length 110",
        ] {
            let p = read(text);
            assert!(p.records.is_empty(), "{text}: {:?}", p.records);
        }
    }
}
