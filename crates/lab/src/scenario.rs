//! Scenarios: TOML files with topology, faults, surviving evidence and the expected verdict in one place.
//!
//! Any value may be drawn at random: `{ pick = [a, b, c] }` or `{ between = [low, high] }`. Drawing replaces these
//! tables, in the order of the document's keys, by values from a generator that is seeded with the scenario's name
//! and the seed; what is left is read into an [`Incident`].

use crate::fault::{Fault, Member, Way};
use crate::incident::{
    Capture, Collected, Decidable, Evidence, Host, Incident, LogShape, MemberSpec, Switch, TimedFault,
    Topology, Truth,
};
use serde::Deserialize;
use toml::{Table, Value};

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no TOML, or has a key or value that nobody knows.
    #[error("scenario {name}: {message}")]
    Read {
        /// Name of the scenario or file.
        name: String,
        /// What is wrong, with the place.
        message: String,
    },
}

/// A scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name, unique: the file's name without `.toml`.
    pub name: String,
    /// Family: scenarios of one mechanism and one kind of surviving evidence.
    pub family: String,
    /// One sentence.
    pub title: String,
    /// Requirements that it tells (`S4-82`).
    pub guide: Vec<String>,
    /// Why the kernel lab cannot run it; absent where it can.
    pub not_in_kernel: Option<String>,
    /// Declared fault domain (for listing).
    pub fault_domain: String,
    /// Declared decidability (for listing).
    pub decidable: Decidable,
    document: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Drawn {
    #[serde(rename = "family")]
    _family: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(rename = "guide", default)]
    _guide: Vec<String>,
    #[serde(rename = "not-in-kernel", default)]
    _not_in_kernel: Option<String>,
    /// Seconds from the bond's opening to the end.
    #[serde(default = "default_length")]
    length: f64,
    #[serde(default)]
    topology: DrawnTopology,
    #[serde(default)]
    fault: Vec<Table>,
    #[serde(default)]
    evidence: DrawnEvidence,
    truth: DrawnTruth,
    /// No noise is added if this is false.
    #[serde(default = "yes")]
    noise: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct DrawnTopology {
    members: u64,
    driver: Option<String>,
    speed: Option<u32>,
    fast: bool,
    active: bool,
    miimon: u64,
    min_links: u32,
    kernel: Option<String>,
    vlan: Option<u16>,
    rx_pps: Option<u64>,
    tx_pps: Option<u64>,
    switch_linux: Option<bool>,
    switch_fast: bool,
    switch_active: bool,
    switch_key: Option<u16>,
    mlag: bool,
}

impl Default for DrawnTopology {
    fn default() -> Self {
        Self {
            members: 2,
            driver: None,
            speed: None,
            fast: true,
            active: true,
            miimon: 100,
            min_links: 0,
            kernel: None,
            vlan: None,
            rx_pps: None,
            tx_pps: None,
            switch_linux: None,
            switch_fast: true,
            switch_active: true,
            switch_key: None,
            mlag: false,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct DrawnEvidence {
    /// What the declaration of decidability rests on: never lost.
    keep: Vec<String>,
    /// What did not survive.
    lost: Vec<String>,
    capture: Option<Capture>,
    log: Option<LogShape>,
    /// Seconds after the bond's opening at which the capture begins.
    capture_from: Option<f64>,
    /// Seconds before the end at which the capture ends.
    capture_until: Option<f64>,
    /// Seconds at which state and counters are read.
    snapshots: Vec<f64>,
    /// State and counters are also read 1 s and 2.5 s into the first fault, as something does that reads them all the time:
    /// three seconds after the last LACPDU the host gives up, and data may cease with that.
    watched: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DrawnTruth {
    fault_domain: String,
    side: String,
    #[serde(default)]
    members: Option<Member>,
    #[serde(default)]
    direction: Option<Way>,
    decidable: Decidable,
    #[serde(default)]
    cleared: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    collected: Option<Collected>,
}

const fn yes() -> bool {
    true
}
const fn default_length() -> f64 {
    75.0
}

const DOMAINS: [&str; 12] = [
    "healthy",
    "physical",
    "host-driver-firmware",
    "host-config",
    "host-starvation",
    "switch-config",
    "switch-control-plane",
    "mlag",
    "config-both",
    "vlan-tx-path",
    "not-lacp",
    "inconclusive",
];
const SIDES: [&str; 6] = ["host", "switch", "link", "both", "none", "unknown"];
/// Kinds of evidence that may be kept or lost, by the names used in scenarios.
const KINDS: [&str; 14] = [
    "proc",
    "privileged",
    "links",
    "xstats",
    "nic-counters",
    "nic-settings",
    "filters",
    "multicast",
    "load",
    "protocol-counters",
    "sysfs",
    "monitor",
    "log",
    "far-end",
];

impl Scenario {
    /// Reads a scenario. `name` is the file's name without `.toml`.
    ///
    /// # Errors
    /// If the text is no TOML, names a key, fault, domain or kind of evidence that nobody knows, or if what it draws
    /// cannot be read with the first seeds.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let fail = |message: String| Error::Read { name: name.to_owned(), message };
        let document: Table = text.parse().map_err(|e: toml::de::Error| fail(e.to_string()))?;
        let string = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut scenario = Self {
            name: name.to_owned(),
            family: string("family").ok_or_else(|| fail("no `family`".to_owned()))?,
            title: string("title").ok_or_else(|| fail("no `title`".to_owned()))?,
            guide: document
                .get("guide")
                .and_then(Value::as_array)
                .map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            not_in_kernel: string("not-in-kernel"),
            fault_domain: String::new(),
            decidable: Decidable::Nothing,
            document,
        };
        // Every alternative of a draw is a value of its own: a few seeds show most mistakes.
        for seed in 0..8 {
            let incident = scenario.draw(seed)?;
            let truth = &incident.truth;
            if !DOMAINS.contains(&truth.fault_domain.as_str()) {
                return Err(fail(format!("unknown fault domain {:?}", truth.fault_domain)));
            }
            for domain in &truth.also {
                if !DOMAINS.contains(&domain.as_str()) {
                    return Err(fail(format!("unknown fault domain {domain:?} in `also`")));
                }
            }
            let cleared = truth.collected.iter().flat_map(|c| &c.cleared);
            for side in truth.cleared.iter().chain([&truth.side]).chain(cleared) {
                if !SIDES.contains(&side.as_str()) {
                    return Err(fail(format!("unknown side {side:?}")));
                }
            }
            scenario.fault_domain.clone_from(&truth.fault_domain);
            scenario.decidable = truth.decidable;
        }
        Ok(scenario)
    }

    /// Draws the incident of a seed. The same seed gives the same incident.
    ///
    /// # Errors
    /// If the drawn document cannot be read.
    pub fn draw(&self, seed: u64) -> Result<Incident, Error> {
        let mut rng = fastrand::Rng::with_seed(hash(&self.name) ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut document = self.document.clone();
        for (_, value) in document.iter_mut() {
            resolve(value, &mut rng);
        }
        let fail = |message: String| Error::Read { name: self.name.clone(), message };
        let drawn: Drawn =
            Value::Table(document).try_into().map_err(|e: toml::de::Error| fail(e.to_string()))?;
        for kind in drawn.evidence.keep.iter().chain(&drawn.evidence.lost) {
            if !KINDS.contains(&kind.as_str()) {
                return Err(fail(format!("unknown kind of evidence {kind:?}")));
            }
        }
        let topology = topology(&drawn.topology, &mut rng);
        let mut faults = Vec::new();
        for table in drawn.fault {
            faults.extend(timed(table, &mut rng).map_err(fail)?);
        }
        let duration_ms = millis(drawn.length);
        let told = faults.clone();
        if drawn.noise {
            faults.extend(noise(&topology, duration_ms, &mut rng));
        }
        faults.sort_by_key(|f| f.at_ms);
        let evidence = evidence(&drawn.evidence, &told, duration_ms, drawn.noise, &mut rng);
        let names = |m: Member| -> Vec<String> {
            let all = || topology.members.iter().map(|m| m.name.clone());
            match m {
                Member::All => all().collect(),
                Member::Victim => all().skip(topology.victim).take(1).collect(),
                Member::Other => all().skip(topology.other).take(1).collect(),
            }
        };
        let truth = Truth {
            fault_domain: drawn.truth.fault_domain,
            side: drawn.truth.side,
            members: drawn.truth.members.map(names).unwrap_or_default(),
            direction: drawn.truth.direction,
            decidable: drawn.truth.decidable,
            cleared: drawn.truth.cleared,
            also: drawn.truth.also,
            collected: drawn.truth.collected,
        };
        Ok(Incident {
            scenario: self.name.clone(),
            family: self.family.clone(),
            seed,
            topology,
            duration_ms,
            faults,
            evidence,
            truth,
        })
    }
}

/// FNV-1a, so that a scenario's draws depend on its name and on nothing else. Also the hash that chooses held-out
/// families.
#[must_use]
pub fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Replaces every `{ pick = ... }` and `{ between = ... }` below a value.
fn resolve(value: &mut Value, rng: &mut fastrand::Rng) {
    if let Value::Table(table) = value {
        if let (1, Some(Value::Array(options))) = (table.len(), table.get("pick")) {
            let picked = options.get(rng.usize(0..options.len().max(1))).cloned();
            *value = picked.unwrap_or(Value::Boolean(false));
            resolve(value, rng);
            return;
        }
        if let (1, Some(Value::Array(ends))) = (table.len(), table.get("between")) {
            let drawn = match ends.as_slice() {
                [Value::Integer(a), Value::Integer(b)] if a <= b => Some(Value::Integer(rng.i64(*a..=*b))),
                [a, b] => {
                    let number = |v: &Value| match v {
                        Value::Float(f) => Some(*f),
                        #[allow(clippy::cast_precision_loss, reason = "small numbers of a scenario")]
                        Value::Integer(i) => Some(*i as f64),
                        _ => None,
                    };
                    number(a).zip(number(b)).map(|(a, b)| Value::Float(a + (b - a) * rng.f64()))
                }
                _ => None,
            };
            if let Some(drawn) = drawn {
                *value = drawn;
                return;
            }
        }
        for (_, inner) in table.iter_mut() {
            resolve(inner, rng);
        }
    } else if let Value::Array(list) = value {
        for inner in list {
            resolve(inner, rng);
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a scenario")]
fn millis(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}

/// `at`, `for`, `times` and `every` (seconds) of a fault, taken off its table.
fn timed(mut table: Table, rng: &mut fastrand::Rng) -> Result<Vec<TimedFault>, String> {
    let mut number = |key: &str| -> Result<Option<f64>, String> {
        match table.remove(key) {
            None => Ok(None),
            Some(Value::Float(f)) => Ok(Some(f)),
            #[allow(clippy::cast_precision_loss, reason = "small numbers of a scenario")]
            Some(Value::Integer(i)) => Ok(Some(i as f64)),
            Some(other) => Err(format!("`{key}` of a fault is no number: {other:?}")),
        }
    };
    let at = number("at")?.unwrap_or(0.0);
    let lasts = number("for")?;
    let times = number("times")?.unwrap_or(1.0);
    let every = number("every")?.unwrap_or(15.0);
    let fault: Fault = Value::Table(table).try_into().map_err(|e: toml::de::Error| e.to_string())?;
    let mut faults = Vec::new();
    let mut start = at;
    let mut n = 0.0;
    while n < times.clamp(1.0, 1000.0) {
        faults.push(TimedFault {
            at_ms: millis(start),
            for_ms: lasts.map(|s| millis(s * if n > 0.0 { 0.8 + 0.4 * rng.f64() } else { 1.0 })),
            fault: fault.clone(),
        });
        start += every * (0.9 + 0.2 * rng.f64());
        n += 1.0;
    }
    Ok(faults)
}

const DRIVERS: [&str; 6] = ["ixgbe", "i40e", "ice", "mlx5_core", "bnxt_en", "igb"];
const KERNELS: [&str; 5] =
    ["6.12.107+deb13-amd64", "6.12.107+deb13-amd64", "6.1.0-43-amd64", "6.12.57-talos", "5.10.0-36-amd64"];

fn topology(drawn: &DrawnTopology, rng: &mut fastrand::Rng) -> Topology {
    let mut pick = |list: &[&str]| (*rng.choice(list).unwrap_or(&"")).to_owned();
    let driver = drawn.driver.clone().unwrap_or_else(|| pick(&DRIVERS));
    let kernel = drawn.kernel.clone().unwrap_or_else(|| pick(&KERNELS));
    let rack = pick(&["node", "hv", "worker", "db", "store"]);
    let style = pick(&["eno", "enp", "ens", "eth"]);
    let speed = drawn.speed.unwrap_or_else(|| match driver.as_str() {
        "igb" | "e1000e" | "tg3" => 1_000,
        "igc" => 2_500,
        "ice" | "mlx5_core" | "bnxt_en" => *rng.choice(&[25_000, 100_000]).unwrap_or(&25_000),
        _ => 10_000,
    });
    let count = usize::try_from(drawn.members.clamp(1, 8)).unwrap_or(2);
    let (rx, tx) = (rng.u64(200..20_000), rng.u64(200..20_000));
    let members: Vec<MemberSpec> = (0..count)
        .map(|i| MemberSpec {
            name: match style.as_str() {
                "eno" => format!("eno{}", i + 1),
                "enp" => format!("enp{}s0f{}", 23 + 33 * (i / 2), i % 2),
                "ens" => format!("ens{}f{}", 1 + i / 2, i % 2),
                _ => format!("eth{i}"),
            },
            driver: driver.clone(),
            speed_mbps: speed,
            mtu: 1500,
            rx_pps: drawn.rx_pps.unwrap_or(rx),
            tx_pps: drawn.tx_pps.unwrap_or(tx),
        })
        .collect();
    let victim = rng.usize(0..count);
    let other = if count > 1 { (victim + 1 + rng.usize(0..count - 1)) % count } else { 0 };
    Topology {
        host: Host {
            name: format!("{rack}{:02}", rng.u32(1..40)),
            bond: "bond0".to_owned(),
            kernel,
            fast: drawn.fast,
            active: drawn.active,
            miimon_ms: drawn.miimon,
            min_links: drawn.min_links,
            uptime_s: rng.u64(600..4_000_000),
            wall_s: rng.u64(1_700_000_000..1_790_000_000),
            vlan: drawn.vlan,
        },
        switch: Switch {
            linux: drawn.switch_linux.unwrap_or_else(|| rng.u32(0..3) == 0),
            fast: drawn.switch_fast,
            active: drawn.switch_active,
            key: drawn.switch_key.unwrap_or_else(|| rng.u16(1..500)),
            mlag: drawn.mlag,
            clock_ahead_ms: rng.i64(-3_000..3_000),
        },
        members,
        victim,
        other,
    }
}

/// Harmless oddities that no verdict may fall for.
fn noise(topology: &Topology, duration_ms: u64, rng: &mut fastrand::Rng) -> Vec<TimedFault> {
    let mut list = Vec::new();
    let mut add = |at_ms: u64, for_ms: Option<u64>, fault: Fault| {
        list.push(TimedFault { at_ms, for_ms, fault });
    };
    for member in [Member::Victim, Member::Other] {
        if rng.u32(0..4) == 0 {
            add(0, None, Fault::OldErrors { member, count: rng.u64(1..50_000) });
        }
    }
    if rng.u32(0..4) == 0 {
        add(rng.u64(1_000..duration_ms.max(2_000)), None, Fault::OtherNicTrouble {});
    }
    // One LACPDU lost somewhere: what the timeout of three periods is there for.
    if rng.u32(0..5) == 0 && topology.members.len() > 1 && topology.host.fast && topology.switch.fast {
        let way = if rng.bool() { Way::HostToSwitch } else { Way::SwitchToHost };
        add(
            rng.u64(12_000..duration_ms.max(13_000)),
            Some(900),
            Fault::LacpduLoss { member: Member::Other, way, share: 1.0 },
        );
    }
    list
}

fn evidence(
    drawn: &DrawnEvidence,
    faults: &[TimedFault],
    duration_ms: u64,
    noise: bool,
    rng: &mut fastrand::Rng,
) -> Evidence {
    let mut has = |kind: &str, usually: u32| {
        let luck = !noise || rng.u32(0..100) < usually;
        !drawn.lost.iter().any(|k| k == kind) && (drawn.keep.iter().any(|k| k == kind) || luck)
    };
    let (proc, privileged, links, xstats) =
        (has("proc", 95), has("privileged", 85), has("links", 90), has("xstats", 80));
    let (nic_counters, nic_settings, filters, multicast) =
        (has("nic-counters", 85), has("nic-settings", 75), has("filters", 75), has("multicast", 70));
    let (load, protocol_counters, sysfs, monitor) =
        (has("load", 70), has("protocol-counters", 50), has("sysfs", 60), has("monitor", 50));
    let far_end = drawn.keep.iter().any(|k| k == "far-end");
    let log = has("log", 85);
    let log = if log {
        drawn.log.unwrap_or_else(|| {
            *rng.choice(&[LogShape::Dmesg, LogShape::DmesgTime, LogShape::JournalIso, LogShape::JournalJson])
                .unwrap_or(&LogShape::Dmesg)
        })
    } else {
        LogShape::None
    };
    let capture = drawn.capture.unwrap_or_else(|| {
        *rng.choice(&[Capture::Directed, Capture::Directed, Capture::Any]).unwrap_or(&Capture::Directed)
    });
    let capture_from_ms = drawn.capture_from.map_or_else(|| rng.u64(6_000..11_000), millis);
    let capture_until_ms = drawn.capture_until.map_or(0, millis);
    let mut snapshots_ms: Vec<u64> = drawn.snapshots.iter().map(|s| millis(*s)).collect();
    if snapshots_ms.is_empty() {
        snapshots_ms.push(capture_from_ms);
        // In the middle of what the scenario is about, if it goes on for a while. Nobody reads counters because of noise.
        if let Some(f) =
            faults.iter().find(|f| f.at_ms > capture_from_ms && f.for_ms.is_none_or(|l| l > 2_000))
        {
            let left = duration_ms.saturating_sub(f.at_ms);
            snapshots_ms.push(f.at_ms + f.for_ms.unwrap_or(left).min(left) / 2);
        }
        if let Some(f) = faults.iter().find(|f| drawn.watched && f.at_ms > capture_from_ms) {
            let last = duration_ms.saturating_sub(500);
            snapshots_ms.extend([1_000, 2_500].map(|ms| f.at_ms + ms).into_iter().filter(|at| *at < last));
            snapshots_ms.sort_unstable();
            snapshots_ms.dedup();
        }
        snapshots_ms.push(duration_ms.saturating_sub(500));
    }
    Evidence {
        capture,
        capture_from_ms,
        capture_until_ms,
        proc,
        privileged,
        links,
        xstats,
        nic_counters,
        nic_settings,
        filters,
        multicast,
        load,
        protocol_counters,
        sysfs,
        monitor,
        log,
        far_end,
        snapshots_ms,
    }
}
