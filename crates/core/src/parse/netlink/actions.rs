//! Actions of filters, with what they counted.
//!
//! Filled by `tcf_action_dump_1()` in `net/sched/act_api.c` and the `dump` of each action (Linux 6.12); printed by
//! `tc_print_one_action()` in `tc/m_action.c`, `m_gact.c`, `m_mirred.c`, `m_police.c` (iproute2 6.15). Of actions that change a
//! packet only the kind is kept.

use super::filters::Filter;
use super::{Context, qdiscs};
use crate::evidence::Fields;
use crate::netlink::{Attr, names};

/// `TC_ACT_SHOT`.
const SHOT: i32 = 2;

/// What follows an action (`TC_ACT_*`), as `tc` prints it.
fn verdict(code: i32) -> String {
    const NAMES: [&str; 9] =
        ["pass", "reclassify", "drop", "pipe", "stolen", "queued", "repeat", "redirect", "trap"];
    match u64::try_from(code) {
        // The two highest bits say that the rest is where to go on.
        Ok(n) if n >> 28 == 1 => format!("jump {}", n & 0x0fff_ffff),
        Ok(n) if n >> 28 == 2 => format!("goto chain {}", n & 0x0fff_ffff),
        Ok(n) => names::of(&NAMES, n),
        Err(_) => "continue".to_owned(),
    }
}

/// The list of actions of a filter.
pub(super) fn read(filter: &mut Filter, list: &Attr<'_>, context: &Context<'_>) {
    for action in list.attrs() {
        let kind = action.attrs().find(1).map(|a| a.text()).unwrap_or_default();
        let options = action.attrs().find(2);
        // Every action has its parameters in the second attribute, and they begin alike (`tc_gen`).
        let parameters = options.and_then(|o| o.attrs().find(2));
        let number = |at: usize| parameters.and_then(|p| p.order.i32_at(p.value, at));
        let unsigned = |at: usize| parameters.and_then(|p| p.order.u32_at(p.value, at));
        let code = number(8).unwrap_or(0);
        let order = action.kind;
        let words = match kind.as_str() {
            "gact" => {
                filter.drops |= code == SHOT;
                format!("gact action {}", verdict(code))
            }
            "mirred" => {
                let (point, what) = match unsigned(20) {
                    Some(1) => ("Egress", "Redirect"),
                    Some(2) => ("Egress", "Mirror"),
                    Some(3) => ("Ingress", "Redirect"),
                    Some(4) => ("Ingress", "Mirror"),
                    _ => ("unknown", "unknown"),
                };
                let dev = context.interfaces.name(unsigned(24).unwrap_or(0));
                format!("mirred ({point} {what} to device {dev}) {}", verdict(code))
            }
            "police" => {
                // struct tc_police (TCA_POLICE_TBF, 1): index, what happens to what is too much.
                let police = options.and_then(|o| o.attrs().find(1));
                let code = police.and_then(|p| p.order.i32_at(p.value, 4)).unwrap_or(0);
                filter.drops |= code == SHOT;
                let index = police.and_then(|p| p.u32()).unwrap_or(0);
                format!("police 0x{index:x} action {}", verdict(code))
            }
            _ => kind.clone(),
        };
        filter.line(format!("action order {order}: {words}"), context);
        if let (true, Some(index)) = (matches!(kind.as_str(), "gact" | "mirred"), unsigned(0)) {
            let (references, bound) = (number(12).unwrap_or(0), number(16).unwrap_or(0));
            filter.line(format!("index {index} ref {references} bind {bound}"), context);
        }
        if let Some(stats) = action.attrs().find(4) {
            statistics(filter, &stats, context);
        }
    }
}

/// `TCA_ACT_STATS`: the lines `Sent` and `backlog`.
fn statistics(filter: &mut Filter, stats: &Attr<'_>, context: &Context<'_>) {
    let mut counts = Fields::new("tc-filter", None);
    let totals = qdiscs::stats2("", &mut counts, stats, context.at);
    let text = |key: &str| counts.text(key).unwrap_or("0").to_owned();
    filter.line(
        format!(
            "Sent {} bytes {} pkt (dropped {}, overlimits {} requeues {})",
            text("bytes"),
            totals.packets,
            totals.dropped,
            text("overlimits"),
            totals.requeues
        ),
        context,
    );
    filter.line(format!("backlog {} requeues {}", text("backlog"), totals.requeues), context);
    // Of several actions the one that dropped most: what one drops the next does not see.
    filter.dropped = Some(filter.dropped.unwrap_or(0).max(totals.dropped));
}
