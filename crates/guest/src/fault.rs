//! Faults as commands: what begins one and what ends it. What the switch itself does wrong is in [`crate::speaker`].

use crate::programs::{Batch, Place, Tool};
use crate::topology::{SLOW, Topology};
use bondwitness_lab::fault::{Fault, Hook, Member, Way};
use bondwitness_lab::incident::Incident;
use std::fmt::Write as _;

/// The commands for the beginning (`on`) or the end of a fault; none if it needs none.
pub(crate) fn commands(fault: &Fault, incident: &Incident, t: &Topology, on: bool) -> Vec<Batch> {
    let names = t.names;
    let updown = if on { "down" } else { "up" };
    match fault {
        Fault::CarrierDown { member } => {
            let ends = t.each(*member).into_iter().flat_map(|m| [names.wire_host(m), names.wire_far(m)]);
            vec![ip(Place::Wire, ends.map(|e| format!("link set {e} {updown}")))]
        }
        Fault::SwitchPortDown { member } => t
            .each(*member)
            .into_iter()
            .flat_map(|m| {
                [
                    ip(Place::Far(t.half_of(m)), [format!("link set {} {updown}", names.port(m))]),
                    // A cable takes the light away from the other end; two veth pairs do not.
                    ip(Place::Wire, [format!("link set {} {updown}", names.wire_host(m))]),
                ]
            })
            .collect(),
        Fault::LacpduLoss { member, way, share } => {
            vec![lost(t, *member, *way, SLOW, &drop_action(*share), on)]
        }
        Fault::FrameLoss { member, way } => vec![lost(t, *member, *way, "all", "drop", on)],
        Fault::LacpduDelay { member, way, ms } => {
            let ends = t.each(*member).into_iter().flat_map(|m| egress_of(t, m, *way));
            vec![tc(Place::Wire, ends.map(|d| netem(&d, &format!("delay {ms}ms"), on)))]
        }
        Fault::QdiscLoss { member } => {
            let members = t.each(*member).into_iter().map(|m| netem(&names.member(m), "loss 100%", on));
            vec![tc(Place::Host, members)]
        }
        Fault::HostFilter { member, hook } => {
            t.each(*member).into_iter().map(|m| host_filter(&names.member(m), *hook, on)).collect()
        }
        Fault::AdminDown { member } => {
            let members = t.each(*member).into_iter();
            vec![ip(Place::Host, members.map(|m| format!("link set {} {updown}", names.member(m))))]
        }
        Fault::Release { member, .. } => {
            let bond = names.bond();
            let line = |m: usize| {
                let m = names.member(m);
                if on {
                    format!("link set {m} nomaster")
                } else {
                    format!("link set {m} down\nlink set {m} master {bond}")
                }
            };
            vec![ip(Place::Host, t.each(*member).into_iter().map(line))]
        }
        Fault::MtuDiffers { member, mtu } => {
            let mtu =
                |m: usize| if on { *mtu } else { incident.topology.members.get(m).map_or(1500, |m| m.mtu) };
            let members = t.each(*member).into_iter();
            vec![ip(Place::Host, members.map(|m| format!("link set {} mtu {}", names.member(m), mtu(m))))]
        }
        Fault::HostRate { fast } => vec![restart(Place::Host, &names.bond(), &rate(*fast == on))],
        Fault::HostPassive {} => vec![restart(Place::Host, &names.bond(), &active(!on))],
        Fault::SwitchRate { fast } if !t.speaker => far_restart(t, &rate(*fast == on)),
        Fault::SwitchPassive {} if !t.speaker => far_restart(t, &active(!on)),
        Fault::SwitchSystem { member } | Fault::SwitchTakesHostSystem { member } if !t.speaker => {
            let own = matches!(fault, Fault::SwitchTakesHostSystem { .. });
            let system = match (on, own) {
                (true, true) => names.member_mac(0),
                (true, false) => names.system_mac(1),
                (false, _) => names.system_mac(0),
            };
            let mut halves: Vec<usize> = t.each(*member).into_iter().map(|m| t.half_of(m)).collect();
            halves.sort_unstable();
            halves.dedup();
            halves
                .into_iter()
                .map(|half| {
                    let bond = names.far_bond(half);
                    ip(Place::Far(half), [format!("link set {bond} type bond ad_actor_system {system}")])
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The members that a fault of the switch speaks of.
pub(crate) fn members_of(fault: &Fault, t: &Topology) -> Vec<usize> {
    match fault {
        Fault::SwitchSilent { member }
        | Fault::SwitchLate { member, .. }
        | Fault::SwitchDeaf { member, .. }
        | Fault::SwitchIgnoresRate { member }
        | Fault::SwitchEcho { member, .. }
        | Fault::SwitchKey { member, .. }
        | Fault::SwitchSystem { member }
        | Fault::SwitchTakesHostSystem { member }
        | Fault::SwitchStatic { member }
        | Fault::SwitchSuspends { member }
        | Fault::SwitchReleases { member }
        | Fault::SwitchPortDown { member }
        | Fault::CarrierDown { member }
        | Fault::Miswired { member }
        | Fault::TwoSpeakers { member } => t.each(*member),
        _ => Vec::new(),
    }
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

fn ip(place: Place, commands: impl IntoIterator<Item = String>) -> Batch {
    Batch { place, tool: Tool::Ip, text: lines(commands) }
}

fn tc(place: Place, commands: impl IntoIterator<Item = String>) -> Batch {
    Batch { place, tool: Tool::Tc, text: lines(commands) }
}

/// Frames of one protocol get lost where they enter the wire.
fn lost(t: &Topology, member: Member, way: Way, protocol: &str, action: &str, on: bool) -> Batch {
    let ends = t.each(member).into_iter().flat_map(|m| ingress_of(t, m, way));
    tc(
        Place::Wire,
        ends.map(|wire| {
            if on {
                format!("filter add dev {wire} ingress pref 1 protocol {protocol} matchall action {action}")
            } else {
                format!("filter del dev {wire} ingress pref 1")
            }
        }),
    )
}

/// The ends of the wire where frames of this direction come in.
fn ingress_of(t: &Topology, member: usize, way: Way) -> Vec<String> {
    let to_switch = way.outgoing().then(|| t.names.wire_host(member));
    let to_host = way.incoming().then(|| t.names.wire_far(member));
    to_switch.into_iter().chain(to_host).collect()
}

/// The ends of the wire where frames of this direction go out.
fn egress_of(t: &Topology, member: usize, way: Way) -> Vec<String> {
    let to_switch = way.outgoing().then(|| t.names.wire_far(member));
    let to_host = way.incoming().then(|| t.names.wire_host(member));
    to_switch.into_iter().chain(to_host).collect()
}

/// A random drop of `gact` has the probability 1/N, so the share is met by whichever of the two is the rarer. What is
/// not dropped must go on to the redirect.
fn drop_action(share: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 1000")]
    let one_in = |share: f64| (1.0 / share.max(0.001)).round() as u32;
    if share >= 0.999 {
        "drop".to_owned()
    } else if share > 0.5 {
        format!("drop random netrand continue {}", one_in(1.0 - share))
    } else if share > 0.0 {
        format!("continue random netrand drop {}", one_in(share))
    } else {
        "continue".to_owned()
    }
}

fn netem(device: &str, how: &str, on: bool) -> String {
    if on {
        format!("qdisc replace dev {device} root netem {how}")
    } else {
        format!("qdisc del dev {device} root")
    }
}

fn rate(fast: bool) -> String {
    format!("lacp_rate {}", if fast { "fast" } else { "slow" })
}

fn active(on: bool) -> String {
    format!("lacp_active {}", if on { "on" } else { "off" })
}

/// Options that bonding takes only while the bond is down.
fn restart(place: Place, bond: &str, option: &str) -> Batch {
    ip(
        place,
        [
            format!("link set {bond} down"),
            format!("link set {bond} type bond {option}"),
            format!("link set {bond} up"),
        ],
    )
}

fn far_restart(t: &Topology, option: &str) -> Vec<Batch> {
    (0..t.halves()).map(|half| restart(Place::Far(half), &t.names.far_bond(half), option)).collect()
}

fn host_filter(member: &str, hook: Hook, on: bool) -> Batch {
    let way = match hook {
        Hook::TcEgress | Hook::NftEgress => "egress",
        Hook::TcIngress | Hook::NftIngress | Hook::Xdp => "ingress",
    };
    match (hook, on) {
        (Hook::NftEgress | Hook::NftIngress, true) => Batch {
            place: Place::Host,
            tool: Tool::Nft,
            text: format!(
                "table netdev guard {{\n chain {way} {{\n  type filter hook {way} device \"{member}\" priority 0; policy accept;\n  ether type {SLOW} counter drop\n }}\n}}\n"
            ),
        },
        (Hook::NftEgress | Hook::NftIngress, false) => {
            Batch { place: Place::Host, tool: Tool::Nft, text: "delete table netdev guard\n".to_owned() }
        }
        (Hook::TcEgress | Hook::TcIngress | Hook::Xdp, true) => tc(
            Place::Host,
            [
                format!("qdisc add dev {member} clsact"),
                format!("filter add dev {member} {way} protocol {SLOW} matchall action drop"),
            ],
        ),
        (Hook::TcEgress | Hook::TcIngress | Hook::Xdp, false) => {
            tc(Place::Host, [format!("qdisc del dev {member} clsact")])
        }
    }
}
