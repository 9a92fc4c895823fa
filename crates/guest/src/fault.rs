//! Faults as commands: what begins one and what ends it.

use crate::programs::{Batch, Place, Tool};
use crate::topology::{MLAG_KEY, SLOW, Topology};
use bondwitness_guest::plan::{Fault, Hook, Rate, Way};
use std::fmt::Write as _;

/// What begins a fault, and what ends it.
pub(crate) struct Commands {
    /// Begin.
    pub(crate) begin: Vec<Batch>,
    /// End.
    pub(crate) end: Vec<Batch>,
    /// The line of `events.txt`.
    pub(crate) what: String,
}

impl Commands {
    fn new(what: impl Into<String>, begin: Vec<Batch>, end: Vec<Batch>) -> Self {
        Self { begin, end, what: what.into() }
    }
}

fn ip(place: Place, text: impl Into<String>) -> Batch {
    Batch { place, tool: Tool::Ip, text: text.into() + "\n" }
}

fn tc(place: Place, text: impl Into<String>) -> Batch {
    Batch { place, tool: Tool::Tc, text: text.into() + "\n" }
}

/// The commands of a fault.
pub(crate) fn commands(fault: &Fault, t: &Topology) -> Commands {
    let names = t.names;
    match *fault {
        Fault::CarrierDown { member, both_ends } => {
            let mut ends = vec![names.wire_host(member)];
            if both_ends {
                ends.push(names.wire_far(member));
            }
            let set = |state: &str| {
                let lines: Vec<String> = ends.iter().map(|e| format!("link set {e} {state}")).collect();
                vec![ip(Place::Wire, lines.join("\n"))]
            };
            let what = format!("carrier-down {} both_ends={both_ends}", names.member(member));
            Commands::new(what, set("down"), set("up"))
        }
        Fault::LacpduLoss { member, way, percent } => {
            let action = drop_action(percent);
            let (mut begin, mut end) = (String::new(), String::new());
            for wire in ingress_of(t, member, way) {
                let _ = writeln!(
                    begin,
                    "filter add dev {wire} ingress pref 1 protocol {SLOW} matchall action {action}"
                );
                let _ = writeln!(end, "filter del dev {wire} ingress pref 1");
            }
            let what = format!("lacpdu-loss {} {} {percent}%", names.member(member), word(way));
            Commands::new(what, vec![tc(Place::Wire, begin)], vec![tc(Place::Wire, end)])
        }
        Fault::FrameLoss { member, way, percent } => netem(
            format!("frame-loss {} {} {percent}%", names.member(member), word(way)),
            &egress_of(t, member, way),
            &format!("loss {percent}%"),
            Place::Wire,
        ),
        Fault::FrameDelay { member, way, delay_ms, jitter_ms } => netem(
            format!("frame-delay {} {} {delay_ms}ms jitter {jitter_ms}ms", names.member(member), word(way)),
            &egress_of(t, member, way),
            &format!("delay {delay_ms}ms {jitter_ms}ms"),
            Place::Wire,
        ),
        Fault::HostQdiscLoss { member, percent } => netem(
            format!("host-qdisc-loss {} {percent}%", names.member(member)),
            &[names.member(member)],
            &format!("loss {percent}%"),
            Place::Host,
        ),
        Fault::KeyChange { member } => {
            let half = t.half_of(member);
            let (bond, place) = (names.far_bond(half), Place::Far(half));
            // A key given to a bond is not passed on to the ports it has already: they must be enslaved again.
            let key = |key: u16| {
                let ports: Vec<String> =
                    (0..t.members).filter(|i| t.half_of(*i) == half).map(|i| names.port(i)).collect();
                let mut text = String::new();
                for p in &ports {
                    let _ = writeln!(text, "link set {p} nomaster");
                }
                let _ =
                    write!(text, "link set {bond} down\nlink set {bond} type bond ad_user_port_key {key}\n");
                for p in &ports {
                    let _ = writeln!(text, "link set {p} master {bond}");
                }
                let _ = write!(text, "link set {bond} up");
                vec![ip(place, text)]
            };
            Commands::new(format!("key-change {}", names.port(member)), key(MLAG_KEY + 4), key(MLAG_KEY))
        }
        Fault::MlagSplit => {
            let system = |mac: String| {
                vec![ip(
                    Place::Far(1),
                    format!("link set {} type bond ad_actor_system {mac}", names.far_bond(1)),
                )]
            };
            Commands::new("mlag-split", system(names.other_system()), system(names.mlag_system()))
        }
        Fault::OwnSystem => {
            let system = |mac: String| {
                vec![ip(
                    Place::Far(1),
                    format!("link set {} type bond ad_actor_system {mac}", names.far_bond(1)),
                )]
            };
            Commands::new("own-system", system(names.member_mac(0)), system(names.mlag_system()))
        }
        Fault::SystemChange => {
            let system = |mac: String| {
                (0..t.halves())
                    .map(|half| {
                        let bond = names.far_bond(half);
                        ip(Place::Far(half), format!("link set {bond} type bond ad_actor_system {mac}"))
                    })
                    .collect()
            };
            Commands::new("system-change", system(names.other_system()), system(names.mlag_system()))
        }
        Fault::FarPassive => restarted("far-passive", t, "lacp_active off", "lacp_active on"),
        Fault::FarRate { rate } => restarted(
            &format!("far-rate {}", rate.word()),
            t,
            &format!("lacp_rate {}", rate.word()),
            &format!("lacp_rate {}", other(rate).word()),
        ),
        Fault::HostPassive => host_restarted("host-passive", t, "lacp_active off", "lacp_active on"),
        Fault::HostRate { rate } => host_restarted(
            &format!("host-rate {}", rate.word()),
            t,
            &format!("lacp_rate {}", rate.word()),
            &format!("lacp_rate {}", other(rate).word()),
        ),
        Fault::HostEgressDrop { member, hook } => host_drop(t, member, hook, "egress"),
        Fault::HostIngressDrop { member, hook } => host_drop(t, member, hook, "ingress"),
        Fault::AdminDown { member } => {
            let m = names.member(member);
            Commands::new(
                format!("admin-down {m}"),
                vec![ip(Place::Host, format!("link set {m} down"))],
                vec![ip(Place::Host, format!("link set {m} up"))],
            )
        }
        Fault::FarAdminDown { member } => {
            let (p, place) = (names.port(member), Place::Far(t.half_of(member)));
            // A real cable takes the light away from the other end as well.
            let set = |state: &str| {
                vec![
                    ip(place, format!("link set {p} {state}")),
                    ip(Place::Wire, format!("link set {} {state}", names.wire_host(member))),
                ]
            };
            Commands::new(format!("far-admin-down {p}"), set("down"), set("up"))
        }
        Fault::Release { member } => {
            let (m, bond) = (names.member(member), names.bond());
            Commands::new(
                format!("release {m}"),
                vec![ip(Place::Host, format!("link set {m} nomaster"))],
                vec![ip(Place::Host, format!("link set {m} down\nlink set {m} master {bond}"))],
            )
        }
        Fault::CpuStarvation => Commands::new("cpu-starvation", Vec::new(), Vec::new()),
    }
}

const fn other(rate: Rate) -> Rate {
    match rate {
        Rate::Fast => Rate::Slow,
        Rate::Slow => Rate::Fast,
    }
}

const fn word(way: Way) -> &'static str {
    match way {
        Way::HostToSwitch => "h2s",
        Way::SwitchToHost => "s2h",
        Way::Both => "both",
    }
}

/// The ends of the wire where frames of this direction come in.
fn ingress_of(t: &Topology, member: usize, way: Way) -> Vec<String> {
    let mut ends = Vec::new();
    if way.to_switch() {
        ends.push(t.names.wire_host(member));
    }
    if way.to_host() {
        ends.push(t.names.wire_far(member));
    }
    ends
}

/// The ends of the wire where frames of this direction go out.
fn egress_of(t: &Topology, member: usize, way: Way) -> Vec<String> {
    let mut ends = Vec::new();
    if way.to_switch() {
        ends.push(t.names.wire_far(member));
    }
    if way.to_host() {
        ends.push(t.names.wire_host(member));
    }
    ends
}

/// A random drop of `gact` has the probability 1/N, so the share is met by whichever of the two is the rarer. What is
/// not dropped must go on to the redirect.
fn drop_action(percent: u8) -> String {
    let one_in = |share: u8| (100 + u32::from(share) / 2) / u32::from(share);
    match percent {
        0 => "continue".to_owned(),
        1..=50 => format!("continue random netrand drop {}", one_in(percent)),
        51..=99 => format!("drop random netrand continue {}", one_in(100 - percent)),
        _ => "drop".to_owned(),
    }
}

fn netem(what: String, devices: &[String], how: &str, place: Place) -> Commands {
    let (mut begin, mut end) = (String::new(), String::new());
    for d in devices {
        let _ = writeln!(begin, "qdisc replace dev {d} root netem {how}");
        let _ = writeln!(end, "qdisc del dev {d} root");
    }
    Commands::new(what, vec![tc(place, begin)], vec![tc(place, end)])
}

/// Options that bonding takes only while the bond is down, at the far end.
fn restarted(what: &str, t: &Topology, begin: &str, end: &str) -> Commands {
    let set = |option: &str| {
        (0..t.halves()).map(|half| ip(Place::Far(half), restart(&t.names.far_bond(half), option))).collect()
    };
    Commands::new(what, set(begin), set(end))
}

fn host_restarted(what: &str, t: &Topology, begin: &str, end: &str) -> Commands {
    let set = |option: &str| vec![ip(Place::Host, restart(&t.names.bond(), option))];
    Commands::new(what, set(begin), set(end))
}

fn restart(bond: &str, option: &str) -> String {
    format!("link set {bond} down\nlink set {bond} type bond {option}\nlink set {bond} up")
}

fn host_drop(t: &Topology, member: usize, hook: Hook, way: &str) -> Commands {
    let m = t.names.member(member);
    let what = format!("host-{way}-drop {m} {hook:?}");
    match hook {
        Hook::Tc => Commands::new(
            what,
            vec![tc(
                Place::Host,
                format!(
                    "qdisc add dev {m} clsact\nfilter add dev {m} {way} protocol {SLOW} matchall action drop"
                ),
            )],
            vec![tc(Place::Host, format!("qdisc del dev {m} clsact"))],
        ),
        Hook::Nft => {
            let nft = |text: String| vec![Batch { place: Place::Host, tool: Tool::Nft, text }];
            Commands::new(
                what,
                nft(format!(
                    "table netdev guard {{\n chain {way} {{\n  type filter hook {way} device \"{m}\" priority 0; policy accept;\n  ether type {SLOW} drop\n }}\n}}\n"
                )),
                nft("delete table netdev guard\n".to_owned()),
            )
        }
    }
}
