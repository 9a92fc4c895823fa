//! Simulated incidents: every scenario of the lab, many seeds, on virtual time.
//!
//! Families whose hash says so are held out: no weight and no rule is fitted on them, and they have rows of their own.

use super::score::{Decidable, Figures, Outcome, Row, Said, Truth, judge, outcome};
use crate::truth::{domain, side};
use anyhow::{Context, Result, bail};
use bondwitness_core::diagnose::Input;
use bondwitness_core::domain::{FaultDomain as D, Side, Way};
use bondwitness_lab::incident;
use bondwitness_lab::scenario::{self, Scenario};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

/// Name of the set on the page.
pub(crate) const NAME: &str = "simulated";
/// Seeds of every scenario that are measured for the page: with 95 scenarios more than 20,000 incidents.
pub(crate) const SEEDS: u64 = 220;
/// First of these seeds. Rules and weights are worked on with seeds below it (`lab-check`).
const FIRST_REPORTED: u64 = 1_000_000;
/// First seed and number of seeds of `--check`.
const CHECKED: (u64, u64) = (5_000_000, 6);

pub(crate) const ABOUT: &str = "\
Virtual hosts, cables and switches (`crates/lab`): every scenario of `crates/lab/scenarios` with many seeds. Truth, and\n\
what the surviving evidence can decide, are declared in the scenario. A simulated world is kinder than the real one: read\n\
this table beside the two below, never alone. Rules were worked on with other seeds, and one family in four, chosen by\n\
the hash of its name, is held out of that work.\n";

/// What must not get worse. The first two are the floors of the contract of measurement (verdict.md section 3), the
/// others its floors, or where the program is not there yet, what it reaches today.
struct Floors {
    decided: f64,
    domain: f64,
    member: f64,
    way: f64,
    accusation: f64,
    calibration: f64,
}
const FLOORS: Floors =
    Floors { decided: 0.95, domain: 0.985, member: 0.99, way: 0.99, accusation: 0.005, calibration: 0.05 };

/// One family in four is held out.
const HELD_OUT: u64 = 4;

/// Is this family held out of all fitting? Chosen by the hash of its name, not by hand.
pub(crate) fn held_out(family: &str) -> bool {
    // The low bits of FNV-1a are the best mixed.
    (scenario::hash(family) ^ (scenario::hash(family) >> 32)).is_multiple_of(HELD_OUT)
}

/// One simulated incident and what was said of it.
pub(crate) struct Incident {
    pub(crate) scenario: String,
    pub(crate) family: String,
    pub(crate) row: Row,
}

/// The truth that a scenario declares, in the words of the core.
pub(crate) fn truth(declared: &incident::Truth) -> Result<Truth> {
    Ok(Truth {
        domain: domain(&declared.fault_domain)?,
        side: side(&declared.side)?,
        also: declared.also.iter().map(|d| domain(d)).collect::<Result<_>>()?,
        decidable: match declared.decidable {
            incident::Decidable::Side => Decidable::Side,
            incident::Decidable::Exoneration => Decidable::Exoneration,
            incident::Decidable::Nothing => Decidable::Nothing,
        },
        members: {
            let mut members = declared.members.clone();
            members.sort();
            members
        },
        way: declared.direction.map(|w| match w {
            bondwitness_lab::fault::Way::HostToSwitch => Way::HostToSwitch,
            bondwitness_lab::fault::Way::SwitchToHost => Way::SwitchToHost,
            bondwitness_lab::fault::Way::Both => Way::Both,
        }),
        cleared: declared.cleared.iter().map(|s| side(s)).collect::<Result<_>>()?,
    })
}

/// Runs one incident and judges its evidence.
pub(crate) fn one(scenario: &Scenario, seed: u64) -> Result<Incident> {
    let incident = scenario.draw(seed)?;
    let run = bondwitness_lab::run(&incident);
    let inputs: Vec<Input<'_>> =
        run.files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
    let (said, others) = judge(&inputs);
    Ok(Incident {
        scenario: scenario.name.clone(),
        family: scenario.family.clone(),
        row: Row {
            id: format!("{} --seed {seed}", scenario.name),
            what: scenario.title.clone(),
            truth: truth(&incident.truth)?,
            files: inputs.len(),
            said,
            others,
        },
    })
}

/// Runs `seeds` seeds, beginning with `first`, of every scenario that `keep` lets through, on all cores.
pub(crate) fn many(
    first: u64,
    seeds: u64,
    keep: &(dyn Fn(&Scenario) -> bool + Sync),
) -> Result<Vec<Incident>> {
    let scenarios: Vec<Scenario> = bondwitness_lab::catalog::all()?.into_iter().filter(|s| keep(s)).collect();
    if scenarios.is_empty() {
        bail!("no scenario fits");
    }
    let jobs: Vec<(usize, u64)> =
        (0..scenarios.len()).flat_map(|s| (first..first + seeds).map(move |seed| (s, seed))).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
    let parts: Vec<Result<Vec<(usize, Incident)>>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|t| {
                let (scenarios, jobs) = (&scenarios, &jobs);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for (i, (s, seed)) in jobs.iter().enumerate().skip(t).step_by(threads) {
                        let Some(scenario) = scenarios.get(*s) else { continue };
                        done.push((i, one(scenario, *seed)?));
                    }
                    Ok(done)
                })
            })
            .collect();
        handles.into_iter().map(|h| h.join().unwrap_or_else(|_| bail!("a worker panicked"))).collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    all.sort_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, incident)| incident).collect())
}

/// `cargo xtask lab-check [--seeds N] [--first N] [--only TEXT] [-v]`: what a founder runs while working on a rule.
pub(crate) fn check(args: &[String]) -> Result<()> {
    let (mut seeds, mut first, mut only, mut verbose) = (20, 0, String::new(), false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--seeds" => seeds = value()?.parse().context("--seeds")?,
            "--first" => first = value()?.parse().context("--first")?,
            "--only" => only.clone_from(value()?),
            "-v" => verbose = true,
            other => bail!(
                "unknown argument {other:?}; usage: lab-check [--seeds N] [--first N] [--only TEXT] [-v]"
            ),
        }
    }
    let start = Instant::now();
    let incidents = many(first, seeds, &|s| s.name.contains(&only) || s.family.contains(&only))?;
    print!("{}", by_scenario(&incidents));
    let figures = figures(&incidents, |_| true);
    println!("\n{}", figures.table(true));
    println!("{}", calibration(&incidents).1);
    for line in mistakes(&incidents, if verbose { 200 } else { 20 }) {
        println!("{line}");
    }
    println!(
        "{} incidents in {:.1} s, {:.1} ms each",
        incidents.len(),
        start.elapsed().as_secs_f64(),
        start.elapsed().as_secs_f64() * 1000.0 / incidents.len().max(1) as f64
    );
    Ok(())
}

/// The figures of the incidents that `keep` lets through.
pub(crate) fn figures(incidents: &[Incident], keep: impl Fn(&Incident) -> bool) -> Figures {
    Figures::of_rows(incidents.iter().filter(|i| keep(i)).map(|i| &i.row))
}

/// A row for each scenario.
pub(crate) fn by_scenario<I: Borrow<Incident>>(incidents: &[I]) -> String {
    let incidents: Vec<&Incident> = incidents.iter().map(Borrow::borrow).collect();
    let mut t = String::from(
        "| scenario | family | truth | decidable | n | ok | other domain | abstained | over-claimed | wrong | member right | direction right |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut groups: BTreeMap<&str, Vec<&Incident>> = BTreeMap::new();
    for i in incidents {
        groups.entry(&i.scenario).or_default().push(i);
    }
    for (name, list) in groups {
        let Some(first) = list.first() else { continue };
        let count = |f: &dyn Fn(&Outcome) -> bool| {
            list.iter().filter(|i| f(&outcome(&i.row.truth, &i.row.said))).count()
        };
        let f = Figures::of_rows(list.iter().map(|i| &i.row));
        let share = |(n, of): (usize, usize)| if of == 0 { "-".to_owned() } else { format!("{n}/{of}") };
        let _ = writeln!(
            t,
            "| {name} | {}{} | {} ({}) | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            first.family,
            if held_out(&first.family) { " (held out)" } else { "" },
            first.row.truth.domain,
            first.row.truth.side,
            first.row.truth.decidable.name(),
            list.len(),
            count(&|o| *o == Outcome::Ok),
            count(&|o| *o == Outcome::OtherDomain),
            count(&|o| *o == Outcome::Abstained),
            count(&|o| *o == Outcome::OverClaimed),
            count(&|o| matches!(o, Outcome::Wrong(_))),
            share(f.member),
            share(f.way),
        );
    }
    t
}

/// True side against the side that was said.
pub(crate) fn confusion<I: Borrow<Incident>>(incidents: &[I]) -> String {
    let incidents: Vec<&Incident> = incidents.iter().map(Borrow::borrow).collect();
    let sides = [Side::Host, Side::Switch, Side::Link, Side::Both, Side::None, Side::Unknown];
    let mut t = String::from("| true side | ");
    for s in sides {
        let _ = write!(t, "said {s} | ");
    }
    t.push_str("\n|---|---|---|---|---|---|---|\n");
    for truth in sides {
        let rows: Vec<&Said> =
            incidents.iter().filter(|i| i.row.truth.side == truth).map(|i| &i.row.said).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(t, "| {truth} | ");
        for said in sides {
            let _ = write!(t, "{} | ", rows.iter().filter(|s| s.side == said).count());
        }
        t.push('\n');
    }
    t
}

/// Expected calibration error of `confidence` over the decided incidents, and the table of its bins.
pub(crate) fn calibration(incidents: &[Incident]) -> (f64, String) {
    let mut bins = [(0usize, 0usize, 0.0f64); 10];
    for i in incidents.iter().filter(|i| i.row.said.decided()) {
        let c = i.row.said.confidence.clamp(0.0, 1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
        let at = ((c * 10.0) as usize).min(9);
        if let Some(b) = bins.get_mut(at) {
            b.0 += 1;
            b.2 += c;
            let right = i.row.truth.guilty(i.row.said.side) && i.row.truth.names(i.row.said.domain);
            b.1 += usize::from(right);
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    let n = bins.iter().map(|b| b.0).sum::<usize>() as f64;
    let mut t = String::from("| confidence | decided | right | mean confidence |\n|---|---|---|---|\n");
    let mut error = 0.0;
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    for (i, (count, right, sum)) in bins.iter().enumerate().filter(|(_, b)| b.0 > 0) {
        let (mean, share) = (sum / *count as f64, *right as f64 / *count as f64);
        error += (mean - share).abs() * *count as f64 / n;
        let _ = writeln!(
            t,
            "| {:.1} to {:.1} | {count} | {:.1} % | {mean:.2} |",
            i as f64 / 10.0,
            (i + 1) as f64 / 10.0,
            share * 100.0
        );
    }
    let _ = writeln!(t, "\nExpected calibration error: {error:.3}");
    (error, t)
}

/// The worst mistakes, each with the command that shows it.
pub(crate) fn mistakes<I: Borrow<Incident>>(incidents: &[I], limit: usize) -> Vec<String> {
    let incidents: Vec<&Incident> = incidents.iter().map(Borrow::borrow).collect();
    let mut list: Vec<(u8, String)> = incidents
        .iter()
        .filter_map(|i| {
            let (rank, word) = match outcome(&i.row.truth, &i.row.said) {
                Outcome::Wrong(why) => (0, why.join(", ")),
                Outcome::OverClaimed => (1, "over-claimed".to_owned()),
                Outcome::OtherDomain => (2, "other domain".to_owned()),
                Outcome::Abstained => (3, "abstained".to_owned()),
                Outcome::Ok => return None,
            };
            Some((
                rank,
                format!(
                    "{word}: `lab run {}` true {} ({}), said {} ({}), grade {}, {:.2}",
                    i.row.id,
                    i.row.truth.domain,
                    i.row.truth.side,
                    i.row.said.domain,
                    i.row.said.side,
                    i.row.said.grade.name(),
                    i.row.said.confidence
                ),
            ))
        })
        .collect();
    list.sort();
    list.into_iter().take(limit).map(|(_, l)| l).collect()
}

/// The simulated set, measured.
pub(crate) struct Measured {
    /// The section of the page; `None` for the small set of a check.
    pub(crate) text: Option<String>,
    /// Floors that are broken.
    pub(crate) broken: Vec<String>,
}

/// Measures the set for the page, or the small one of a check.
pub(crate) fn measure(check: bool, seeds: u64) -> Result<Measured> {
    let start = Instant::now();
    let (first, seeds) = if check { CHECKED } else { (FIRST_REPORTED, seeds) };
    let incidents = many(first, seeds, &|_| true)?;
    let all = figures(&incidents, |_| true);
    println!(
        "simulated: {} incidents in {:.0} s, {} wrong accusations, {} wrong exonerations, {} of {} decided",
        incidents.len(),
        start.elapsed().as_secs_f64(),
        all.accusation,
        all.exoneration,
        all.decidable_decided,
        all.decidable
    );
    for line in mistakes(&incidents, 12) {
        println!("  {line}");
    }
    let broken = broken(&incidents);
    if check {
        return Ok(Measured { text: None, broken });
    }
    let mut t = format!(
        "{} incidents: {} scenarios in {} families, {} seeds each from {first} on.\n\n",
        incidents.len(),
        distinct(&incidents, |i| &i.scenario),
        distinct(&incidents, |i| &i.family),
        seeds,
    );
    let _ = writeln!(t, "All families:\n\n{}", all.table(true));
    let held = figures(&incidents, |i| held_out(&i.family));
    let _ = writeln!(t, "Families held out of the work on rules:\n\n{}", held.table(true));
    let _ = writeln!(t, "By the true domain:\n\n{}", by_domain(&incidents));
    let _ = writeln!(t, "True side against the side that was said:\n\n{}", confusion(&incidents));
    let _ = writeln!(t, "Calibration of `confidence` (decided incidents):\n\n{}", calibration(&incidents).1);
    let _ = writeln!(t, "By scenario:\n\n{}", by_scenario(&incidents));
    t.push_str("The worst mistakes, with the command that shows each:\n\n");
    let worst = mistakes(&incidents, 20);
    if worst.is_empty() {
        t.push_str("none\n");
    }
    for line in worst {
        let _ = writeln!(t, "- {line}");
    }
    Ok(Measured { text: Some(t), broken })
}

fn distinct(incidents: &[Incident], of: impl Fn(&Incident) -> &String) -> usize {
    incidents.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
}

/// A row for each true domain.
fn by_domain(incidents: &[Incident]) -> String {
    let mut t = String::from(
        "| domain | n | decided, where decidable | wrong accusation | wrong exoneration | domain right | member right | direction right |\n|---|---|---|---|---|---|---|---|\n",
    );
    for domain in D::ALL {
        let f = figures(incidents, |i| i.row.truth.domain == domain);
        if f.n == 0 {
            continue;
        }
        let share = |n: usize, of: usize| {
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            if of == 0 { "-".to_owned() } else { format!("{:.1} % of {of}", n as f64 / of as f64 * 100.0) }
        };
        let _ = writeln!(
            t,
            "| {domain} | {} | {} | {} | {} | {} | {} | {} |",
            f.n,
            share(f.decidable_decided, f.decidable),
            f.accusation,
            f.exoneration,
            share(f.domain.0, f.domain.1),
            share(f.member.0, f.member.1),
            share(f.way.0, f.way.1),
        );
    }
    t
}

fn broken(incidents: &[Incident]) -> Vec<String> {
    let f = figures(incidents, |_| true);
    let mut broken = Vec::new();
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    let share = |n: usize, of: usize| if of == 0 { 1.0 } else { n as f64 / of as f64 };
    let mut zero = |n: usize, what: &str| {
        if n > 0 {
            broken.push(format!("simulated: {n} x {what}, the floor is 0"));
        }
    };
    zero(f.accusation_proven, "wrong accusation at grade `proven`");
    zero(f.exoneration, "wrong exoneration");
    zero(f.healthy_faulty, "healthy called faulty");
    let accused = share(f.accusation, f.n.max(1));
    if accused > FLOORS.accusation {
        broken.push(format!(
            "simulated: wrong accusation {:.2} %, at most {:.2} %",
            accused * 100.0,
            FLOORS.accusation * 100.0
        ));
    }
    for (what, (n, of), floor) in [
        ("decided", (f.decidable_decided, f.decidable), FLOORS.decided),
        ("domain right", f.domain, FLOORS.domain),
        ("member right", f.member, FLOORS.member),
        ("direction right", f.way, FLOORS.way),
    ] {
        if share(n, of) < floor {
            broken.push(format!(
                "simulated: {what} {:.2} %, at least {:.2} %",
                share(n, of) * 100.0,
                floor * 100.0
            ));
        }
    }
    let error = calibration(incidents).0;
    if error > FLOORS.calibration {
        broken.push(format!("simulated: calibration error {error:.3}, at most {:.2}", FLOORS.calibration));
    }
    broken
}
