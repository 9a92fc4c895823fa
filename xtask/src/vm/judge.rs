//! Verdicts on what the guest recorded, compared with the truth.

use super::bundle;
use super::catalogue::{self, Trial};
use crate::accuracy::score::{self, Figures, Row};
use crate::accuracy::{recordings, simulated};
use anyhow::{Context, Result};
use bondwitness_core::verdict::RULESET;
use bondwitness_guest::support;
use std::path::Path;

/// An incident that was judged, or could not be.
pub(crate) enum Judged {
    /// The verdict and the truth.
    Row(Box<simulated::Incident>),
    /// Which, and why there is nothing to judge.
    Broken(String, String),
    /// Which, and what its bundle does not keep of its promises; the row of the incident stands beside it.
    Unfaithful(String, String),
}

/// Does this file go to the judge? What lies below `extra`, the list of faults and the guest's own complaint do not.
/// A file of the far end that is not there belongs to the evidence that the scenario declares.
fn is_evidence(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "extra" | "events.txt" | "broken.txt"))
}

/// Judges the folder of incident `run` of a boot; `own`: what the program itself collected there, and nothing else.
pub(crate) fn judge(
    kernel: &str,
    folder: &Path,
    trial: &Trial,
    run: usize,
    own: bool,
) -> Result<Vec<Judged>> {
    let id = format!("{kernel}/{}", trial.name);
    let broken = folder.join("broken.txt");
    if !folder.is_dir() {
        return Ok(vec![Judged::Broken(id, "the guest wrote nothing".to_owned())]);
    }
    if broken.is_file() {
        let text = std::fs::read_to_string(&broken).context("cannot read broken.txt")?;
        return Ok(vec![Judged::Broken(id, text.trim().replace('\n', "; "))]);
    }
    let mut judged = Vec::new();
    let (files, said, others) = if own {
        let looked = bundle::look(folder, trial.diagnose).with_context(|| format!("cannot judge {id}"))?;
        judged.extend(looked.complaints.into_iter().map(|why| Judged::Unfaithful(id.clone(), why)));
        let (said, others) = score::said(&looked.report);
        (looked.files, said, others)
    } else {
        recordings::say(folder, is_evidence).with_context(|| format!("cannot judge {id}"))?
    };
    let truth = catalogue::truth(&trial.incident, run, own)?;
    let far = if support::needs_speaker(&trial.incident) { "our speaker" } else { "Linux" };
    let what = format!("{} members, the far end is {far}", trial.incident.topology.members.len());
    judged.push(Judged::Row(Box::new(simulated::Incident {
        scenario: trial.incident.scenario.clone(),
        family: trial.incident.family.clone(),
        row: Row { id, what, truth, files, said, others },
    })));
    Ok(judged)
}

/// How a run came out.
pub(crate) struct Summary {
    /// Figures and rows.
    pub(crate) text: String,
    /// Floors that are broken, and incidents that were not judged.
    pub(crate) complaints: Vec<String>,
}

/// The section of the page: figures, rows by scenario, and every row that is not right.
pub(crate) fn page(judged: &[Judged], boots: &str) -> String {
    let mut incidents: Vec<&simulated::Incident> = Vec::new();
    let (mut broken, mut unfaithful) = (0, 0);
    for j in judged {
        match j {
            Judged::Row(incident) => incidents.push(incident),
            Judged::Broken(..) => broken += 1,
            Judged::Unfaithful(..) => unfaithful += 1,
        }
    }
    let of = |kernel: &str| incidents.iter().filter(|i| i.row.id.starts_with(kernel)).count();
    let figures = Figures::of_rows(incidents.iter().map(|i| &i.row));
    let mut text = format!(
        "{} incidents, {} on 6.12 and {} on 6.1; {broken} could not be recorded, {unfaithful} complaints about bundles. {boots};\n\
         rules {RULESET}. Measured by `cargo xtask vm --kernel both --seeds N --first-seed S --resume` and\n\
         `cargo xtask vm --judge --publish`.\n\n",
        incidents.len(),
        of("6.12/"),
        of("6.1/"),
    );
    text.push_str(&figures.table(true));
    text.push_str("\nTrue side against the side that was said:\n\n");
    text.push_str(&simulated::confusion(&incidents));
    text.push_str("\nBy scenario:\n\n");
    text.push_str(&simulated::by_scenario(&incidents));
    text.push_str("\nEvery incident that is not right:\n\n");
    for mistake in simulated::mistakes(&incidents, usize::MAX) {
        text.push_str("- ");
        text.push_str(&mistake.replace("`lab run ", "`"));
        text.push('\n');
    }
    text
}

/// The tables of a run.
pub(crate) fn summary(judged: Vec<Judged>) -> Summary {
    let mut incidents = Vec::new();
    let mut complaints = Vec::new();
    for j in judged {
        match j {
            Judged::Row(incident) => incidents.push(*incident),
            Judged::Broken(id, why) => complaints.push(format!("{id} was not judged: {why}")),
            Judged::Unfaithful(id, why) => {
                complaints.push(format!("{id}: its bundle is not faithful: {why}"))
            }
        }
    }
    incidents.sort_by(|a, b| a.row.id.cmp(&b.row.id));
    let figures = Figures::of_rows(incidents.iter().map(|i| &i.row));
    complaints.extend(figures.broken_floors());
    let rows: Vec<&simulated::Incident> = incidents.iter().collect();
    let mut text = simulated::by_scenario(&rows);
    for part in [figures.table(true), simulated::confusion(&rows)] {
        text.push('\n');
        text.push_str(&part);
    }
    text.push('\n');
    for mistake in simulated::mistakes(&rows, usize::MAX) {
        // The evidence lies in a folder; drawing the scenario again would simulate it.
        text.push_str(&mistake.replace("`lab run ", "`"));
        text.push('\n');
    }
    Summary { text, complaints }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_sees_the_evidence_only() {
        for hidden in ["events.txt", "extra/host-proc-timeline.txt", "broken.txt", "extra/sw-swp0s0.pcapng"] {
            assert!(!is_evidence(hidden), "{hidden}");
        }
        assert!(is_evidence("snap-before/host-ip-s-d-link.txt") && is_evidence("host-ens0f0.pcapng"));
    }
}
