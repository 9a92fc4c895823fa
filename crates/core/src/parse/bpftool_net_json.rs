//! `bpftool -j net [show]`, also `-p`.
//!
//! Printed by `tools/bpf/bpftool/net.c` and `netlink_dumper.h` (kernels 5.x to 6.x): one object with the arrays `xdp`, `tc`,
//! `flow_dissector` and `netfilter`. The records are those of the text output ([`super::xdp_status`]).

use super::ip_link_json::opening;
use super::json_lines::{self, Scalar};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Hook, HookPoint, Line, What};
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "bpftool-net-json";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| l.trimmed().starts_with('[')) && opening(lines, i).starts_with("[{\"xdp\":[")
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let read = json_lines::read(cursor);
    let mut rows: BTreeMap<(usize, String, usize), Vec<&Scalar>> = BTreeMap::new();
    for s in &read.scalars {
        if let [outer, section, n, _, ..] = s.path.as_slice()
            && let (Ok(outer), Ok(n)) = (outer.parse(), n.parse())
        {
            rows.entry((outer, section.clone(), n)).or_default().push(s);
        }
    }
    let mut fields = Fields::new(ID, None);
    for (path, at) in &read.objects {
        if let [_, section] = path.as_slice() {
            fields.push("section", section.as_str(), *at);
        }
    }
    for line in &read.lines {
        out.typed(line);
    }
    for ((_, section, _), scalars) in rows {
        let value = |key: &str| {
            scalars.iter().find(|s| s.path.get(3).is_some_and(|k| k == key)).map(|s| s.value.as_str())
        };
        let (Some(dev), Some(first), Some(last)) = (value("devname"), scalars.first(), scalars.last()) else {
            continue;
        };
        let kind = value("kind").or_else(|| value("mode")).unwrap_or("");
        let point = match section.as_str() {
            "xdp" => HookPoint::Xdp,
            "tc" if kind.contains("egress") || kind.ends_with("/primary") => HookPoint::Egress,
            "tc" => HookPoint::Ingress,
            _ => continue,
        };
        let id = value("prog_id").or_else(|| value("id")).unwrap_or("?");
        let program = format!("{} id {id}", value("name").unwrap_or(kind));
        let hook = Hook { dev: Some(dev.to_owned()), point, program, drops_lacp: false, dropped: None };
        out.record(first.at.to(last.at), None, What::Hook(hook));
    }
    out.fields(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn programs_of_all_sections() {
        let text = r#"[{"xdp":[{"devname":"eth0","ifindex":2,"mode":"driver","id":35}],"tc":[{"devname":"bond0","ifindex":4,"kind":"tcx/egress","name":"cil_to_netdev","prog_id":812,"prog_flags":[],"link_id":9,"link_flags":[]},{"devname":"eth0","ifindex":2,"kind":"clsact/ingress","name":"main.o:[cls]","id":3}],"flow_dissector":[],"netfilter":[]}]"#;
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let mut got: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| {
                if let What::Hook(h) = &r.what {
                    Some((h.dev.as_deref()?, h.point, h.program.as_str()))
                } else {
                    None
                }
            })
            .collect();
        got.sort_unstable();
        assert_eq!(
            got,
            [
                ("bond0", HookPoint::Egress, "cil_to_netdev id 812"),
                ("eth0", HookPoint::Xdp, "driver id 35"),
                ("eth0", HookPoint::Ingress, "main.o:[cls] id 3")
            ]
        );
    }
}
