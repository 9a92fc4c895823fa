//! `cargo xtask bench live [PART...]`: what looking at a running bond costs, beside what people use instead, on a real
//! kernel in a guest whose clock counts instructions. Both sides run in the same boot.
//!
//! A nanosecond of the guest is an instruction: ratios hold for other machines, absolute times do not.

mod bundle;
mod storm;
mod tables;

use crate::vm::bench::{self, Answers};
use anyhow::{Context, Result, bail};
use bondwitness_guest::bench_plan::{Bench, Storm};

const USAGE: &str = "\
usage: bench live [PART...]
  snapshot   snapshots of 2, 32 and 256 members against the field guide's shell commands
  idle       an idle window on 2 and 64 members, beside tcpdump and dumpcap
  storm      10,000 LACPDUs a second on each of two members beside other traffic: every frame accounted for
  bundle     the bundle of a minute, and of a driver with thousands of counters
  sos        a bundle without a window against sos report, a bond of two
  sos-many   the same with 257 members (half an hour)
without PART: all but sos-many";

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let all = ["snapshot", "idle", "storm", "bundle", "sos"].map(str::to_owned);
    let parts = if args.is_empty() { &all } else { args };
    let mut missed = 0;
    for part in parts {
        let plan = plan(part)?;
        let answers = bench::run(part, &plan).with_context(|| format!("part {part}"))?;
        println!("\n# {part} (boot of {:.0} s)", answers.wall.as_secs_f64());
        missed += print(part, &answers)?;
    }
    println!("\n{missed} goals not met");
    Ok(())
}

fn print(part: &str, answers: &Answers) -> Result<u32> {
    match part {
        "snapshot" => Ok(tables::snapshot(&answers.rows)),
        "idle" => Ok(tables::idle(&answers.rows)),
        "storm" => storm::account(answers),
        "bundle" => bundle::sizes(answers),
        _ => tables::sos(answers),
    }
}

fn plan(part: &str) -> Result<Bench> {
    let storm = |name: &str, received, sent, saturated, stopped_ms| Storm {
        name: name.to_owned(),
        received,
        sent,
        saturated,
        stopped_ms,
        seconds: 5,
    };
    let mut plan = Bench::default();
    match part {
        "snapshot" => plan.snapshots = vec![2, 32, 256],
        "idle" => plan.idle = vec![2, 64],
        "storm" => {
            plan.storms = vec![
                storm("received", 10_000, 0, false, 0),
                storm("received-saturated", 10_000, 0, true, 0),
                storm("sent", 0, 10_000, false, 0),
                storm("both-saturated", 5_000, 5_000, true, 0),
                // The sockets overflow: what is lost must be counted.
                storm("stopped", 10_000, 0, false, 3000),
            ];
        }
        "bundle" => plan.bundles = vec![2],
        // Beside the members: the bond and the loopback device.
        "sos" => plan.sos = vec![2],
        "sos-many" => plan.sos = vec![257],
        "--help" => bail!("{USAGE}"),
        other => bail!("no part {other:?}\n{USAGE}"),
    }
    Ok(plan)
}

/// Prints a figure with its goal; 1 if it is not met.
fn goal(what: &str, value: f64, unit: &str, wanted: &str, met: bool) -> u32 {
    let digits = if value < 1.0 { 4 } else { 2 };
    println!(
        "{what:<58} {value:>10.digits$} {unit:<4} (goal: {wanted}{})",
        if met { "" } else { ": NOT MET" }
    );
    u32::from(!met)
}
