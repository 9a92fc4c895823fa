//! `xdp-loader status` and `bpftool net`.
//!
//! `xdp-loader status` is printed by `print_iface_status()` in xdp-tools (1.0 to 1.5), `bpftool net` by
//! `tools/bpf/bpftool/net.c`. Each attached program becomes a [`What::Hook`]; what a program does is not in the text, so
//! `drops_lacp` stays false. Mails wrap the wide table of `xdp-loader`: the rest of a row is taken with its row.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Hook, HookPoint, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "xdp-status";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if t.starts_with("CURRENT XDP PROGRAM STATUS") || t.starts_with("Interface        Prio  Program name") {
        return true;
    }
    if loader_row(t).is_some() || t.ends_with("<No XDP program loaded!>") || component(t).is_some() {
        return true;
    }
    // The rule under the head of the table would pass for a divider.
    if t.starts_with("-----") {
        return (1..=3).any(|n| {
            i.checked_sub(n).and_then(|k| lines.get(k)).is_some_and(|l| {
                l.trimmed().starts_with("Interface        Prio  Program name")
                    || l.trimmed().starts_with("CURRENT XDP")
            })
        });
    }
    let next = lines.get(i + 1).map_or("", |l| l.trimmed());
    match t {
        "xdp:" => next.is_empty() || net_row(next, "xdp:").is_some(),
        "tc:" => net_row(next, t).is_some() || (next.is_empty() && later(lines, i, "flow_dissector:")),
        "flow_dissector:" => next.is_empty() || next.starts_with("id "),
        _ => false,
    }
}

fn later(lines: &[Line<'_>], i: usize, want: &str) -> bool {
    (1..=3).any(|n| lines.get(i + n).is_some_and(|l| l.trimmed() == want))
}

/// `bond0   xdp_dispatcher    native   64   90f686eb86991928`.
fn loader_row(t: &str) -> Option<(&str, String)> {
    if !["native", "skb", "hw", "unspecified"].iter().any(|mode| t.contains(mode)) {
        return None;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    let mode = words.iter().position(|w| matches!(*w, "native" | "skb" | "hw" | "unspecified"))?;
    let id = words.get(mode + 1)?;
    let dev = words.first()?;
    if !(2..=3).contains(&mode) || !id.bytes().all(|b| b.is_ascii_digit()) || !is_ifname(dev) {
        return None;
    }
    if let Some(tag) = words.get(mode + 2)
        && (tag.len() != 16 || !tag.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return None;
    }
    let name = words.get(mode.checked_sub(1)?)?;
    Some((dev, (*name).to_owned()))
}

/// ` =>              20     xsk_def_prog              73   8f9c40757cb0a6a2  XDP_PASS`.
fn component(t: &str) -> Option<String> {
    let words: Vec<&str> = t.strip_prefix("=>")?.split_whitespace().collect();
    let number = |w: &str| w.bytes().all(|b| b.is_ascii_digit());
    match words.as_slice() {
        [prio, name, id, ..] if number(prio) && number(id) => Some((*name).to_owned()),
        _ => None,
    }
}

/// A row of `bpftool net`: interface, point and program.
fn net_row(t: &str, section: &str) -> Option<(String, HookPoint, String)> {
    let words: Vec<&str> = t.split_whitespace().collect();
    let (dev, index) = words.first()?.split_once('(')?;
    if !index.strip_suffix(')')?.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kind = words.get(1)?;
    let point = if section == "xdp:" {
        HookPoint::Xdp
    } else if kind.contains("egress") || kind.ends_with("/primary") {
        HookPoint::Egress
    } else {
        HookPoint::Ingress
    };
    // `driver id 35`; `clsact/ingress prog.o:[sec] id 3`; `tcx/ingress cil_from prog_id 12`.
    let after = |key: &str| words.iter().position(|w| *w == key).and_then(|i| words.get(i + 1)).copied();
    let name = words.get(2).filter(|w| !matches!(**w, "id" | "prog_id" | "prog_id(s)" | "multi_attachments"));
    let id = after("id").or_else(|| after("prog_id"));
    let program = match (name, id) {
        (Some(name), Some(id)) => format!("{name} id {id}"),
        (Some(name), None) => (*name).to_owned(),
        (None, Some(id)) => format!("{kind} id {id}"),
        (None, None) => (*kind).to_owned(),
    };
    Some((dev.to_owned(), point, program))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let mut section = String::new();
    let mut dev: Option<String> = None;
    let mut row_open = false;
    let hook = |out: &mut Out, at: Citation, dev: Option<String>, point: HookPoint, program: String| {
        out.record(at, None, What::Hook(Hook { dev, point, program, drops_lacp: false, dropped: None }));
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            row_open = false;
            continue;
        }
        let t = line.trimmed();
        if let Some((name, program)) = loader_row(t) {
            dev = Some(name.to_owned());
            hook(out, line.cite(), dev.clone(), HookPoint::Xdp, program);
            row_open = true;
        } else if let Some(program) = component(t) {
            hook(out, line.cite(), dev.clone(), HookPoint::Xdp, program);
            row_open = true;
        } else if t.ends_with("<No XDP program loaded!>") {
            fields.push("no program", t, line.cite());
            row_open = false;
        } else if t.starts_with("CURRENT XDP PROGRAM STATUS")
            || t.starts_with("Interface ") && t.contains("Prio")
            || t == "Chain actions"
            || t.starts_with("-----")
        {
            fields.push("head", t, line.cite());
            row_open = false;
        } else if matches!(t, "xdp:" | "tc:" | "flow_dissector:" | "netfilter:" | "lirc:") {
            t.clone_into(&mut section);
            fields.push("section", t, line.cite());
            row_open = false;
        } else if let Some((name, point, program)) = net_row(t, &section).filter(|_| !section.is_empty()) {
            hook(out, line.cite(), Some(name), point, program);
            row_open = false;
        } else if matches!(section.as_str(), "flow_dissector:" | "netfilter:")
            && t.contains("id ")
            && row_like(t)
        {
            fields.push(section.trim_end_matches(':'), t, line.cite());
        } else if row_open && wrapped(t) {
            // `8f9c40757cb0a6a2  XDP_PASS`, the end of a row.
            fields.push("tag and actions", t, line.cite());
            row_open = false;
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    out.fields(fields);
}

fn row_like(t: &str) -> bool {
    t.starts_with("id ") || FAMILIES.iter().any(|f| t.starts_with(f))
}

const FAMILIES: &[&str] = &["ip ", "ip6 ", "inet ", "arp ", "bridge ", "netdev "];

fn wrapped(t: &str) -> bool {
    t.split_whitespace().all(|w| {
        let w = w.trim_end_matches(',');
        w.starts_with("XDP_") || (w.bytes().all(|b| b.is_ascii_hexdigit()) && (w.len() == 16 || w.len() <= 6))
    })
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
    fn xdp_loader() {
        let got = hooks(
            "CURRENT XDP PROGRAM STATUS:\n\nInterface        Prio  Program name      Mode     ID   Tag               Chain actions\n--------------------------------------------------------------------------------------\nlo                     <No XDP program loaded!>\nbond0                  xdp_dispatcher    native   64   90f686eb86991928\n =>              20     redirect_all              73\n8f9c40757cb0a6a2  XDP_PASS\n",
        );
        let [a, b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(
            (a.dev.as_deref(), a.program.as_str(), a.point),
            (Some("bond0"), "xdp_dispatcher", HookPoint::Xdp)
        );
        assert_eq!((b.dev.as_deref(), b.program.as_str()), (Some("bond0"), "redirect_all"));
    }

    #[test]
    fn bpftool_net() {
        let got = hooks(
            "xdp:\neth0(2) driver id 35\n\ntc:\neth0(2) clsact/egress main.o:[cls] id 3\nbond0(5) tcx/ingress cil_from prog_id 12 link_id 3\n\nflow_dissector:\n\nnetfilter:\n",
        );
        let seen: Vec<_> =
            got.iter().map(|h| (h.dev.as_deref().unwrap_or(""), h.point, h.program.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("eth0", HookPoint::Xdp, "driver id 35"),
                ("eth0", HookPoint::Egress, "main.o:[cls] id 3"),
                ("bond0", HookPoint::Ingress, "cil_from id 12")
            ]
        );
    }
}
