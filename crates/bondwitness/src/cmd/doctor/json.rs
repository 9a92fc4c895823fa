//! `doctor --json`, schema `bondwitness/doctor/v1`.

use super::View;
use super::grant;
use bondwitness_core::report::printable;
use bondwitness_core::units::rfc3339;
use bondwitness_host::doctor::{Bond, Member};
use bondwitness_host::privilege::{Access, Grant};
use serde_json::{Value, json};

/// The value of `schema`.
pub(super) const SCHEMA: &str = "bondwitness/doctor/v1";

pub(super) fn page(view: &View) -> Value {
    let f = &view.facts;
    let missing = grant::missing(f);
    json!({
        "schema": SCHEMA,
        "tool": {"version": env!("CARGO_PKG_VERSION")},
        "host": {
            "hostname": f.kernel.hostname,
            "kernel": f.kernel.release,
            "version": f.kernel.version,
            "machine": f.kernel.machine,
            "lockdown": f.kernel.lockdown,
            "container": f.place.container,
            "virtual_machine": f.place.virtual_machine,
            "talos": f.place.talos,
            "netns": f.place.netns,
            "is_host_netns": f.place.host_netns,
        },
        "user": {
            "uid": f.user.uid,
            "gid": f.user.gid,
            "capabilities": f.user.capabilities,
            "initial_user_namespace": f.user.initial_user_namespace,
            "no_new_privileges": f.user.no_new_privileges,
        },
        "asked": view.asked,
        "found": view.found(),
        "bonds": f.bonds.iter().map(bond).collect::<Vec<_>>(),
        "functions": f.functions.iter().map(|t| {
            let (access, seen) = match &t.access {
                Access::Yes(seen) => ("yes", seen),
                Access::No(why) => ("no", why),
                Access::NotHere(why) => ("not here", why),
            };
            let (kind, name) = match t.function.grant {
                Grant::Everyone => ("everyone", None),
                Grant::Capability(c) => ("capability", Some(c.name())),
                Grant::Root(c) => ("root", Some(c.name())),
                Grant::Group(g) => ("group", Some(g)),
            };
            json!({
                "id": t.function.id,
                "does": t.function.does,
                "access": access,
                "seen": seen,
                "needs": {"kind": kind, "name": name, "or": none_if_empty(t.function.or)},
                "blind": t.function.blind,
                "verdicts": none_if_empty(t.function.verdicts),
                "narrows": t.function.narrows.iter().map(|d| d.name()).collect::<Vec<_>>(),
                "checked_by": t.function.checked_by,
                "tried_by": t.function.tried_by,
            })
        }).collect::<Vec<_>>(),
        "grant": {
            "capabilities": missing.capabilities,
            "groups": missing.groups,
            "needs_root": missing.root,
            "setcap": missing.setcap(&view.program),
            "systemd": missing.unit(),
            "container": missing.container(),
            "pod": missing.pod(),
        },
        "module": f.module.as_ref().map(|m| json!({
            "version": m.version,
            "changed": m.changed.iter().map(|(n, v)| (n.clone(), Value::from(v.clone()))).collect::<serde_json::Map<_, _>>(),
        })),
        "clock": {
            "now": rfc3339(f.clock.now.real_ns),
            "monotonic_ns": f.clock.now.monotonic_ns,
            "boot_ns": f.clock.now.boot_ns,
            "within_ns": f.clock.now.within_ns,
            "synchronised": f.clock.synchronised,
            "max_error_us": f.clock.max_error_us,
            "service": f.clock.service,
            "source": f.clock.source,
            "time_namespace": f.clock.shifted,
        },
        "kernel_log": {
            "ring_bytes": f.log.ring_bytes,
            "overwritten": f.log.overwritten,
            "restricted": f.log.restricted,
        },
        "judge": match &view.judge {
            Ok(steps) => json!({"locked": true, "error": null, "steps": steps.iter().map(|s| json!({
                "id": s.id, "takes": s.takes, "done": s.done, "how": s.how,
            })).collect::<Vec<_>>()}),
            Err(why) => json!({"locked": false, "error": why, "steps": []}),
        },
    })
}

fn none_if_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn bond(bond: &Bond) -> Value {
    json!({
        "name": printable(&bond.name),
        "mode": bond.mode,
        "members": bond.members.iter().map(member).collect::<Vec<_>>(),
    })
}

fn member(member: &Member) -> Value {
    json!({
        "name": printable(&member.name),
        "driver": member.driver.as_ref().map(|d| json!({
            "name": d.name,
            "version": d.version,
            "firmware": d.firmware,
            "bus": d.bus,
            "flags": d.flags.iter().map(|f| (f.name.clone(), Value::from(f.on))).collect::<serde_json::Map<_, _>>(),
        })),
        "traps": member.traps.iter().map(|t| json!({
            "id": t.id, "what": t.what, "so": t.so, "source": t.source,
        })).collect::<Vec<_>>(),
        "netlink": member.exports.map(|e| json!({
            "churn": e.churn,
            "lacpdu_counters": e.lacpdu_counters,
            "port_priority": e.port_priority,
        })),
    })
}
