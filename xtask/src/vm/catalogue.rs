//! Which incidents a run has: scenarios from files, drawn with seeds, as far as the guest can run them.

use crate::accuracy::score::Truth;
use crate::accuracy::simulated;
use anyhow::{Context, Result, bail};
use bondwitness_guest::{plan, support};
use bondwitness_lab::incident::Incident;
use bondwitness_lab::scenario::Scenario;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// An incident with its name.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// Scenario and seed: the name of its folder.
    pub(crate) name: String,
    /// What happens, and the truth about it.
    pub(crate) incident: Incident,
    /// The program gives its verdict in the guest already: so in the first seed of a run. It costs the emulated processor
    /// three times what collecting costs.
    pub(crate) diagnose: bool,
}

/// What was chosen, and what was left out.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// In the order in which they run.
    pub(crate) trials: Vec<Trial>,
    /// Scenarios that the guest cannot run, with the reason.
    pub(crate) refused: Vec<String>,
}

/// Draws `seeds` incidents of each scenario below `paths` whose name begins with `only`.
pub(crate) fn choose(paths: &[PathBuf], only: Option<&str>, seeds: std::ops::Range<u64>) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    let mut files = Vec::new();
    for path in paths {
        files.extend(scenarios(path)?);
    }
    let mut drawn: Vec<(u64, Trial)> = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.is_some_and(|only| !name.starts_with(only)) {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let scenario = Scenario::parse(&name, &text)?;
        if let Some(why) = &scenario.not_in_kernel {
            chosen.refused.push(format!("{name}: {why}"));
            continue;
        }
        for seed in seeds.clone() {
            let diagnose = seed == seeds.start;
            let incident = scenario.draw(seed)?;
            match support::refusal(&incident) {
                None => drawn.push((seed, Trial { name: format!("{name}-{seed}"), incident, diagnose })),
                Some(why) => {
                    let line = format!("{name}: {why}");
                    if !chosen.refused.contains(&line) {
                        chosen.refused.push(line);
                    }
                }
            }
        }
    }
    // Seed by seed: a run that is broken off has tried every scenario. A boot lasts as long as its longest incident, so
    // within a seed those of like length go together.
    drawn.sort_by_key(|(seed, t)| (support::alone(&t.incident), *seed, t.incident.duration_ms));
    chosen.trials = drawn.into_iter().map(|(_, trial)| trial).collect();
    Ok(chosen)
}

/// The scenario files of a path.
fn scenarios(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?.path();
        if entry.extension().is_some_and(|e| e == "toml") {
            files.push(entry);
        }
    }
    if files.is_empty() {
        bail!("no scenarios in {}", path.display());
    }
    files.sort();
    Ok(files)
}

/// The scenarios that are there today, by name.
pub(crate) fn scenarios_by_name(paths: &[PathBuf]) -> Result<BTreeMap<String, Scenario>> {
    let mut all = BTreeMap::new();
    for path in paths {
        for file in scenarios(path)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            all.insert(name.clone(), Scenario::parse(&name, &text)?);
        }
    }
    Ok(all)
}

/// The incident with the truth as its scenario declares it today, if it is still the same incident; else with the truth as
/// it was when it ran. `None` if there is no such scenario any more.
pub(crate) fn declared_today(mut trial: Trial, today: &BTreeMap<String, Scenario>) -> Result<Option<Trial>> {
    let Some(scenario) = today.get(&trial.incident.scenario) else { return Ok(None) };
    let seed = trial.name.rsplit_once('-').and_then(|(_, seed)| seed.parse().ok());
    if let Some(mut again) = seed.map(|seed| scenario.draw(seed)).transpose()? {
        let truth = std::mem::replace(&mut again.truth, trial.incident.truth.clone());
        if again == trial.incident {
            trial.incident.truth = truth;
        }
    }
    Ok(Some(trial))
}

/// Incidents by boot: at most `per_boot` together, and those that must be alone alone.
pub(crate) fn boots(trials: &[Trial], per_boot: usize) -> Vec<Vec<Trial>> {
    let mut boots: Vec<Vec<Trial>> = Vec::new();
    let mut open = false;
    for trial in trials {
        let alone = support::alone(&trial.incident);
        match boots.last_mut() {
            Some(last) if open && !alone && last.len() < per_boot => last.push(trial.clone()),
            _ => boots.push(vec![trial.clone()]),
        }
        open = !alone;
    }
    boots
}

/// The truth in the words of the scores, with the names that the guest gives the members of incident `run`; `own`: for all
/// that the program itself can collect on the host.
pub(crate) fn truth(incident: &Incident, run: usize, own: bool) -> Result<Truth> {
    let mut declared = if own { incident.truth.of_all_collected() } else { incident.truth.clone() };
    declared.members.clear();
    for (i, member) in incident.topology.members.iter().enumerate() {
        if incident.truth.members.contains(&member.name) {
            declared.members.push(plan::member_name(run, i));
        }
    }
    simulated::truth(&declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<PathBuf> {
        vec![crate::generated::repository().join("crates/guest/scenarios")]
    }

    #[test]
    fn the_smoke_set_can_be_run_and_its_truth_told() {
        let chosen = choose(&own(), None, 0..2).unwrap();
        assert!(chosen.refused.is_empty(), "{:?}", chosen.refused);
        assert!(chosen.trials.len() > 20);
        for trial in &chosen.trials {
            truth(&trial.incident, 3, true).unwrap();
            truth(&trial.incident, 3, false).unwrap();
        }
    }

    #[test]
    fn the_truth_is_that_of_today_if_the_incident_is_the_same() {
        let today = scenarios_by_name(&own()).unwrap();
        let trial = choose(&own(), Some("vm-switch-key"), 7..8).unwrap().trials.remove(0);
        let truth = trial.incident.truth.clone();
        let mut old = trial.clone();
        old.incident.truth.fault_domain = "physical".to_owned();
        assert_eq!(declared_today(old.clone(), &today).unwrap().unwrap().incident.truth, truth);
        old.incident.duration_ms += 1;
        assert_ne!(declared_today(old, &today).unwrap().unwrap().incident.truth, truth);
        assert!(declared_today(trial, &BTreeMap::new()).unwrap().is_none());
    }

    #[test]
    fn what_takes_the_processor_has_a_boot_of_its_own() {
        let chosen = choose(&own(), None, 0..3).unwrap();
        let boots = boots(&chosen.trials, 10);
        assert_eq!(boots.iter().map(Vec::len).sum::<usize>(), chosen.trials.len());
        for boot in boots {
            assert!(boot.len() <= 10);
            assert!(boot.len() == 1 || !boot.iter().any(|t| support::alone(&t.incident)));
        }
    }
}
