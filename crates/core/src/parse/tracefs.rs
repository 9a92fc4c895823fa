//! Trace events: the kernel's `trace` file, `trace-cmd report`, `perf script`, `perf trace`, and our lab's counts of them.
//!
//! `comm-pid [cpu] flags seconds: event: arguments` (ftrace) or `comm pid [cpu] seconds: subsystem:event: arguments` (perf), with a
//! count in front where the lab ran `uniq -c`. `kfree_skb` (reason and location), `net_dev_xmit` (reason `xmit` with its
//! return code) and `xdp_redirect_err` and its kin (reason is the event, `rc` the error, `symbol` the first driver symbol of
//! the stack below) become [`What::Drop`]; other events are kept as fields. Mails wrap the long lines.

use super::drop_monitor::symbol;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Drop, Fields, Line, What};
use crate::units::Stamp;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tracefs";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    event(t).is_some() || perf_trace(t).is_some() || t.starts_with("# tracer: ") || orphan(t)
}

/// A frame of a stack whose event was cut away.
fn orphan(t: &str) -> bool {
    t.split_once(' ').is_some_and(|(a, _)| a.len() == 16)
        && frame(t).is_some_and(|(symbol, _)| symbol.contains("+0x"))
}

struct Event<'a> {
    time: Option<Stamp>,
    count: u64,
    name: &'a str,
    arguments: &'a str,
}

/// Events that may stand without a task in front (counts of `uniq -c`).
const BARE: &[&str] =
    &["kfree_skb", "net_dev_xmit", "consume_skb", "net_dev_queue", "netif_receive_skb", "net_dev_start_xmit"];

fn event(t: &str) -> Option<Event<'_>> {
    // A count and the event only.
    let (first, rest) = t.split_once(' ').unwrap_or((t, ""));
    let rest = rest.trim_start();
    if let Ok(count) = first.parse::<u64>()
        && let Some((name, arguments)) = rest.split_once(':')
        && BARE.contains(&name)
    {
        return Some(Event { time: None, count, name, arguments: arguments.trim() });
    }
    // ... [cpu] flags seconds: name: arguments
    let (before, after) = t.split_once(" [")?;
    let (cpu, after) = after.split_once(']')?;
    if before.is_empty() || cpu.is_empty() || !cpu.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let after = after.trim_start();
    let mut words = after.split_whitespace();
    let mut stamp = words.next()?;
    let mut rest = after.get(stamp.len()..)?;
    if !stamp.ends_with(':') {
        // Flags such as `..s1.` stand between.
        if stamp.len() > 6 {
            return None;
        }
        rest = rest.trim_start();
        stamp = rest.split_whitespace().next()?;
        rest = rest.get(stamp.len()..)?;
    }
    let (secs, frac) = stamp.strip_suffix(':')?.split_once('.')?;
    let digits = |s: &str| !s.is_empty() && s.len() <= 12 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(secs) || !digits(frac) {
        return None;
    }
    let (name, arguments) = name_of(rest.trim())?;
    Some(Event { time: boot(secs, frac), count: 1, name, arguments })
}

/// `kfree_skb: args`, `skb:kfree_skb: args`.
fn name_of(rest: &str) -> Option<(&str, &str)> {
    let word = rest.split_whitespace().next()?;
    let name = word.strip_suffix(':')?;
    let arguments = rest.get(word.len()..)?.trim();
    let name = name.rsplit(':').next().unwrap_or(name);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some((name, arguments))
}

fn boot(secs: &str, frac: &str) -> Option<Stamp> {
    let secs: i64 = secs.parse().ok()?;
    let frac = frac.get(..frac.len().min(9))?;
    let scale = 10_i64.checked_pow(9_u32.checked_sub(u32::try_from(frac.len()).ok()?)?)?;
    Some(Stamp::boot(
        secs.checked_mul(1_000_000_000)?.checked_add(frac.parse::<i64>().ok()?.checked_mul(scale)?)?,
    ))
}

/// `0.000 ping/4242 skb:kfree_skb(skbaddr: 0xff.., location: 0xff.., protocol: 2048, reason: TC_EGRESS)`, `perf trace`.
///
/// Where it prints the reason as a number, the number is kept: what it means differs between kernels.
fn perf_trace(t: &str) -> Option<Drop> {
    let (time, rest) = t.split_once(' ')?;
    let (before, arguments) = rest.split_once("skb:kfree_skb(")?;
    let seconds = time.replace(',', "");
    if seconds.parse::<f64>().is_err() || before.split_whitespace().count() > 8 {
        return None;
    }
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let value = |key: &str| {
        arguments.split(", ").find_map(|a| a.strip_prefix(key)?.strip_prefix(": ").map(str::trim))
    };
    let location = value("location").filter(|l| !l.starts_with("0x")).map(symbol);
    Some(Drop {
        dev: None,
        reason: value("reason").unwrap_or("NOT_SPECIFIED").trim_start_matches("SKB_DROP_REASON_").to_owned(),
        symbol: location,
        rc: None,
        count: 1,
    })
}

/// The value of `key=value` in the arguments.
fn argument<'a>(arguments: &'a str, key: &str) -> Option<&'a str> {
    arguments.split_whitespace().find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
}

struct Draft {
    at: Citation,
    last: Citation,
    time: Option<Stamp>,
    count: u64,
    name: String,
    arguments: String,
    /// The symbols of the stack and whether each is of a module.
    stack: Vec<(String, bool)>,
}

impl Draft {
    fn emit(self, out: &mut Out) {
        let at = self.at.to(self.last);
        let a = self.arguments.as_str();
        let index = argument(a, "ifindex").filter(|n| *n != "0").map(|n| format!("ifindex {n}"));
        let dev = argument(a, "dev").map(str::to_owned).or(index);
        let driver = self
            .stack
            .iter()
            .find(|(_, module)| *module)
            .or_else(|| self.stack.first())
            .map(|(s, _)| s.clone());
        let drop = match self.name.as_str() {
            "kfree_skb" => Some(Drop {
                dev: dev.clone(),
                reason: a.split_once("reason: ").map_or("NOT_SPECIFIED", |(_, r)| r.trim()).to_owned(),
                symbol: argument(a, "location").map(symbol).or(driver),
                rc: None,
                count: self.count,
            }),
            "net_dev_xmit" => Some(Drop {
                dev: dev.clone(),
                reason: "xmit".to_owned(),
                symbol: None,
                rc: argument(a, "rc").and_then(|n| n.parse().ok()),
                count: self.count,
            }),
            name if name.starts_with("xdp_") && (name.ends_with("_err") || name == "xdp_exception") => {
                Some(Drop {
                    dev: dev.clone(),
                    reason: name.to_owned(),
                    symbol: driver,
                    rc: argument(a, "err").and_then(|n| n.parse().ok()),
                    count: self.count,
                })
            }
            _ => None,
        };
        if let Some(drop) = drop {
            out.record(at, self.time, What::Drop(drop));
            return;
        }
        let mut fields = Fields::new(ID, dev);
        fields.push(self.name, self.arguments, at);
        for (symbol, _) in self.stack {
            fields.push("stack", symbol, at);
        }
        out.record(at, self.time, What::Fields(fields));
    }
}

/// `ffffffffc05d0f0f ixgbe_run_xdp+0x10f (/lib/...)`, `=> ixgbe_run_xdp`: the symbol and the path behind it.
fn frame(t: &str) -> Option<(&str, &str)> {
    if let Some(rest) = t.strip_prefix("=> ") {
        return rest.split_whitespace().next().map(|s| (s, ""));
    }
    let (address, rest) = t.split_once(' ')?;
    if address.len() < 6 || !address.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let rest = rest.trim_start();
    let (symbol, path) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((symbol, path))
}

/// A path or module name that is not the kernel proper.
fn module(path: &str) -> bool {
    let p = path.trim_matches(['(', ')', '[', ']']);
    !p.is_empty()
        && !p.contains("vmlinux")
        && !p.contains("kernel.kallsyms")
        && (p.contains(".ko") || path.starts_with("([") || path.starts_with('['))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut draft: Option<Draft> = None;
    let mut notes = Fields::new(ID, None);
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some(e) = event(t) {
            if let Some(d) = draft.take() {
                d.emit(out);
            }
            draft = Some(Draft {
                at: line.cite(),
                last: line.cite(),
                time: e.time,
                count: e.count,
                name: e.name.to_owned(),
                arguments: e.arguments.to_owned(),
                stack: Vec::new(),
            });
        } else if let Some(drop) = perf_trace(t) {
            if let Some(d) = draft.take() {
                d.emit(out);
            }
            out.record(line.cite(), None, What::Drop(drop));
        } else if t.starts_with('#')
            && (line.text.starts_with('#')
                && (t.len() == 1
                    || t.contains("tracer:")
                    || t.contains("entries-in-buffer")
                    || t.contains("---")
                    || t.contains("=>")
                    || t.contains("||")
                    || t.contains("TASK-PID")
                    || t.contains("| |")))
        {
            notes.push("heading", t, line.cite());
        } else if draft.is_none() && orphan(t) {
            draft = Some(Draft {
                at: line.cite(),
                last: line.cite(),
                time: None,
                count: 1,
                name: "stack without its event".to_owned(),
                arguments: String::new(),
                stack: Vec::new(),
            });
            continue;
        } else if let Some(d) = draft.as_mut() {
            if t == "<stack trace>" {
                // What follows are frames.
            } else if let Some((name, path)) = frame(t) {
                if d.stack.len() < 64 {
                    d.stack.push((symbol(name), module(path)));
                }
            } else if t.starts_with('(') && t.ends_with(')') && !d.stack.is_empty() {
                // The path of the frame, wrapped onto its own line.
                if let Some((_, m)) = d.stack.last_mut() {
                    *m |= module(t);
                }
            } else if d.stack.is_empty()
                && (t.contains('=') || t.starts_with("reason: "))
                && !t.ends_with('.')
            {
                d.arguments.push(' ');
                d.arguments.push_str(t);
            } else {
                break;
            }
            d.last = line.cite();
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    if let Some(d) = draft {
        d.emit(out);
    }
    if let (Some(first), Some(last)) =
        (notes.entries.first().map(|f| f.at), notes.entries.last().map(|f| f.at))
    {
        out.record(first.to(last), None, What::Fields(notes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn drops(text: &str) -> Vec<(Option<Stamp>, Drop)> {
        let parsed = parse_text_with(FileId(0), "trace.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Drop(d) = r.what { Some((r.time, d)) } else { None })
            .collect()
    }

    #[test]
    fn ftrace_lines() {
        let got = drops(
            "# tracer: nop\n#\n         python3-314     [000] b....   124.721456: kfree_skb: skbaddr=000000003c9329ef rx_sk=0000000000000000 protocol=2048 location=__dev_queue_xmit+0xcd6/0xf10 reason: QDISC_DROP\n         python3-314     [000] bN...   124.721536: net_dev_xmit: dev=bond0.70 skbaddr=000000003c9329ef len=242 rc=1\n     82 net_dev_xmit: dev=bond0   rc=1\n",
        );
        let [(t, a), (_, b), (_, c)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(*t, Some(Stamp::boot(124_721_456_000)));
        assert_eq!((a.reason.as_str(), a.symbol.as_deref()), ("QDISC_DROP", Some("__dev_queue_xmit")));
        assert_eq!((b.reason.as_str(), b.dev.as_deref(), b.rc), ("xmit", Some("bond0.70"), Some(1)));
        assert_eq!((c.count, c.rc), (82, Some(1)));
    }

    #[test]
    fn perf_trace_lines() {
        let got = drops(
            "     0.000 ping/4242 skb:kfree_skb(skbaddr: 0xffff8a0001, location: 0xffffffffb2a0, protocol: 2048, reason: TC_EGRESS)\n 1,204.118 :0/0 skb:kfree_skb(skbaddr: 0xffff8a0002, location: nft_do_chain+0x40e, protocol: 2048, reason: 77)\n",
        );
        let [(_, a), (_, b)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.reason.as_str(), a.symbol.as_deref(), a.count), ("TC_EGRESS", None, 1));
        assert_eq!((b.reason.as_str(), b.symbol.as_deref()), ("77", Some("nft_do_chain")));
    }

    #[test]
    fn perf_script_with_a_wrapped_stack() {
        let got = drops(
            "ksoftirqd/0    14 [000] 10956.235960: xdp:xdp_redirect_err: prog_id=9\naction=REDIRECT ifindex=5 to_ifindex=0 err=-22 map_id=19 map_index=5\n        ffffffff873dcbf4 xdp_do_redirect+0x3b4\n(/lib/modules/6.1.0/build/vmlinux)\n        ffffffffc05d0f0f drv_run_xdp+0x10f\n(/lib/modules/6.1.0/kernel/drivers/net/ethernet/drv/drv.ko)\n        ffffffffc05d297a drv_poll+0x51a ([drv])\n",
        );
        let [(_, d)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(
            (d.reason.as_str(), d.rc, d.symbol.as_deref()),
            ("xdp_redirect_err", Some(-22), Some("drv_run_xdp"))
        );
        assert_eq!(d.dev.as_deref(), Some("ifindex 5"));
    }
}
