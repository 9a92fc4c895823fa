//! Snapshots, idle windows and `sos report`: rows to tables.

use super::goal;
use crate::vm::bench::Answers;
use anyhow::Result;
use bondwitness_guest::bench_plan::Row;
use std::collections::BTreeMap;

/// Thousands of instructions.
fn kilo(ns: i64) -> f64 {
    ns as f64 / 1e3
}

fn number(row: &Row, name: &str) -> i64 {
    row.numbers.get(name).copied().unwrap_or(0)
}

/// Snapshots against the shell; how many goals were missed.
pub(super) fn snapshot(rows: &[Row]) -> u32 {
    let mut by: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by.entry(row.of.parse().unwrap_or(0)).or_default().push(row);
    }
    let mut missed = 0;
    let mut costs = Vec::new();
    for (members, rows) in by {
        println!("## {members} members: thousands of instructions (user and system)");
        for row in &rows {
            let times = number(row, "times").max(1);
            let each = if times > 1 { format!(" x {times}") } else { String::new() };
            println!("{:>12.0}{each:<6} {}", kilo(row.cpu_ns), row.label);
        }
        let shell: f64 = rows
            .iter()
            .filter(|r| r.label.starts_with("shell"))
            .map(|r| kilo(r.cpu_ns) * number(r, "times").max(1) as f64)
            .sum();
        let find = |label: &str| rows.iter().find(|r| r.label == label);
        println!("{shell:>12.0}       the shell's commands together");
        if let Some(ours) = find("ours: the guide's values") {
            let least = if members >= 256 { 250.0 } else { 100.0 };
            let ratio = shell / kilo(ours.cpu_ns);
            missed += goal(
                "shell / ours, the same values",
                ratio,
                "x",
                &format!("at least {least}"),
                ratio >= least,
            );
            costs.push((members, kilo(ours.cpu_ns)));
        }
        for (label, what) in [
            ("ours: everything", "shell / ours, everything that a bundle holds"),
            (
                "ours: collect --for 0, two processes and a bundle",
                "shell / the whole program with its bundle",
            ),
        ] {
            if let Some(ours) = find(label) {
                println!("{what:<58} {:>10.2} x", shell / kilo(ours.cpu_ns));
            }
        }
        if let Some(counters) = find("ours: counters") {
            let ms = number(counters, "spread_ns") as f64 / 1e6;
            let what = "first to last counter of a snapshot";
            if members == 32 {
                missed += goal(what, ms, "ms", "at most 5", ms <= 5.0);
            } else {
                println!("{what:<58} {ms:>10.2} ms");
            }
        }
        println!();
    }
    if let [(a, ca), (b, cb), (c, cc)] = costs.as_slice() {
        let slope = |n: usize, m: usize, x: f64, y: f64| (y - x) / (m - n) as f64;
        let (first, second) = (slope(*a, *b, *ca, *cb), slope(*b, *c, *cb, *cc));
        println!(
            "each member more: {first:.1} from {a} to {b}, {second:.1} from {b} to {c} thousand instructions"
        );
        let growth = second / first;
        missed += goal("growth of that", growth, "x", "linear: at most 1.25", growth <= 1.25);
    }
    missed
}

/// What looking costs while nothing happens.
pub(super) fn idle(rows: &[Row]) -> u32 {
    let mut missed = 0;
    let mut sensor = BTreeMap::new();
    println!(
        "{:<8} {:<32} {:>12} {:>10} {:>10} {:>10}",
        "members", "what", "% of a core", "RSS KiB", "peak KiB", "own KiB"
    );
    for row in rows {
        let percent = row.cpu_ns as f64 / row.wall_ns.max(1) as f64 * 100.0;
        println!(
            "{:<8} {:<32} {percent:>12.4} {:>10} {:>10} {:>10}",
            row.of,
            row.label,
            number(row, "rss_kib"),
            number(row, "peak_kib"),
            number(row, "private_kib")
        );
        if row.label == "sensor" {
            sensor.insert(row.of.parse::<usize>().unwrap_or(0), (percent, number(row, "peak_kib")));
        }
    }
    println!("one instruction is taken as one nanosecond; RSS counts the program's own pages of code, too");
    if let Some((percent, kib)) = sensor.get(&2) {
        missed += goal("sensor, 2 members", *percent, "%", "at most 0.05 of a core", *percent <= 0.05);
        let mib = *kib as f64 / 1024.0;
        missed += goal("sensor, 2 members, peak resident", mib, "MiB", "at most 8", mib <= 8.0);
    }
    if let (Some((a, am)), Some((b, bm))) = (sensor.get(&2), sensor.get(&64)) {
        let ratio = b / a;
        missed += goal("sensor, 64 against 2 members: CPU", ratio, "x", "linear: at most 32", ratio <= 32.0);
        let ratio = *bm as f64 / *am as f64;
        missed +=
            goal("sensor, 64 against 2 members: memory", ratio, "x", "linear: at most 32", ratio <= 32.0);
    }
    missed
}

/// A bundle against `sos report`.
pub(super) fn sos(answers: &Answers) -> Result<u32> {
    let mut missed = 0;
    let mut by: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
    for row in &answers.rows {
        by.entry(row.of.parse().unwrap_or(0)).or_default().push(row);
    }
    for (links, rows) in by {
        println!("## {links} links");
        for row in &rows {
            println!(
                "{:<36} cpu {:>10.4} s  wall {:>10.4} s  peak {:>7.1} MiB  {:>9} octets",
                row.label,
                row.cpu_ns as f64 / 1e9,
                row.wall_ns as f64 / 1e9,
                number(row, "max_rss") as f64 / 1048576.0,
                number(row, "octets")
            );
        }
        let mut ours: Vec<&&Row> = rows.iter().filter(|r| r.label.starts_with("collect")).collect();
        ours.sort_by_key(|r| r.cpu_ns);
        let (Some(ours), Some(sos)) =
            (ours.get(ours.len() / 2), rows.iter().find(|r| r.label.starts_with("sos")))
        else {
            continue;
        };
        let least = if links > 100 { 100.0 } else { 20.0 };
        let wanted = format!("at least {least}");
        let ratio = sos.cpu_ns as f64 / ours.cpu_ns.max(1) as f64;
        missed += goal("CPU of sos report / of the bundle", ratio, "x", &wanted, ratio >= least);
        let ratio = sos.wall_ns as f64 / ours.wall_ns.max(1) as f64;
        missed += goal("wall time of sos report / of the bundle", ratio, "x", &wanted, ratio >= least);
        println!("bond evidence in it, by file:");
        super::bundle::evidence(answers)?;
    }
    Ok(missed)
}
