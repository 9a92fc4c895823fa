//! Verdicts on what the guest recorded, compared with the truth.

use super::catalogue::{self, Trial};
use crate::accuracy::recordings;
use crate::accuracy::score::{self, Figures, Outcome, Row, Set};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// An incident that was judged, or could not be.
pub(crate) enum Judged {
    /// The verdict and the truth.
    Row(Box<Row>),
    /// Which, and why there is nothing to judge.
    Broken(String, String),
}

/// Does this file go to the judge? What lies below `extra`, the list of faults and the guest's own complaint do not.
fn of_the_host(path: &str) -> bool {
    recordings::of_the_host(path) && path.split('/').all(|part| !matches!(part, "extra" | "broken.txt"))
}

/// Judges the folder of incident `run` of a boot.
pub(crate) fn judge(kernel: &str, folder: &Path, trial: &Trial, run: usize) -> Result<Judged> {
    let id = format!("{kernel}/{}", trial.name);
    let broken = folder.join("broken.txt");
    if !folder.is_dir() {
        return Ok(Judged::Broken(id, "the guest wrote nothing".to_owned()));
    }
    if broken.is_file() {
        let text = std::fs::read_to_string(&broken).context("cannot read broken.txt")?;
        return Ok(Judged::Broken(id, text.trim().replace('\n', "; ")));
    }
    let (files, said, others) =
        recordings::say(folder, of_the_host).with_context(|| format!("cannot judge {id}"))?;
    let truth = catalogue::truth(&trial.incident, run)?;
    Ok(Judged::Row(Box::new(Row { id, what: what(trial), truth, files, said, others })))
}

/// What was done, shortly.
fn what(trial: &Trial) -> String {
    let switch = if bondwitness_guest::support::needs_speaker(&trial.incident) { "speaker" } else { "Linux" };
    format!("{} members, far end {switch}", trial.incident.topology.members.len())
}

/// How a run came out.
pub(crate) struct Summary {
    /// Figures and rows.
    pub(crate) text: String,
    /// Floors that are broken, and incidents that were not judged.
    pub(crate) complaints: Vec<String>,
}

/// The tables of a run.
pub(crate) fn summary(judged: Vec<Judged>) -> Summary {
    let mut rows = Vec::new();
    let mut complaints = Vec::new();
    for j in judged {
        match j {
            Judged::Row(row) => rows.push(*row),
            Judged::Broken(id, why) => complaints.push(format!("{id} was not judged: {why}")),
        }
    }
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let set = Set {
        name: "kernel-lab",
        title: "Real kernels, incidents of the lab",
        about: "",
        from: "crates/lab/scenarios",
        injected: true,
        rows,
    };
    let figures = Figures::of(&set.rows);
    complaints.extend(figures.broken_floors());
    let text = format!("{}\n{}\n{}", score::rows(&set), by_scenario(&set.rows), figures.table(&set));
    Summary { text, complaints }
}

/// How each scenario came out, over its seeds and kernels.
fn by_scenario(rows: &[Row]) -> String {
    let mut scenarios: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for row in rows {
        let name = row.id.rsplit('/').next().unwrap_or(&row.id);
        let name = name.rsplit_once('-').map_or(name, |(scenario, _)| scenario);
        let word = match score::outcome(&row.truth, &row.said) {
            Outcome::Ok => "ok".to_owned(),
            Outcome::OtherDomain => "other domain".to_owned(),
            Outcome::Abstained => "abstained".to_owned(),
            Outcome::OverClaimed => "over-claimed".to_owned(),
            Outcome::Wrong(why) => format!("**{}**", why.join(", ")),
        };
        *scenarios.entry(name).or_default().entry(word).or_default() += 1;
    }
    let mut t = String::from("| scenario | results |\n|---|---|\n");
    for (name, results) in scenarios {
        let results: Vec<String> = results.into_iter().map(|(word, n)| format!("{n} {word}")).collect();
        let _ = writeln!(t, "| {name} | {} |", results.join(", "));
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_sees_the_host_only() {
        for hidden in ["events.txt", "extra/host-proc-timeline.txt", "broken.txt", "extra/sw-swp0s0.pcapng"] {
            assert!(!of_the_host(hidden), "{hidden}");
        }
        assert!(of_the_host("snap-before/host-ip-s-d-link.txt") && of_the_host("host-ens0f0.pcapng"));
    }
}
