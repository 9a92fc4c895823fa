//! What boots leave in a folder: which of them are finished, how long they took, and judging them again.

use super::catalogue::{self, Trial};
use super::judge::{self, Judged};
use anyhow::{Context, Result};
use bondwitness_core::units::Stamp;
use bondwitness_guest::plan::{Plan, Run};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Says which incidents a boot ran, with their truth as it was then.
pub(super) const PLAN: &str = "plan.json";
/// Is there as long as a boot is not finished.
pub(super) const INITRD: &str = "initrd";
/// What a finished boot took.
const OUTCOME: &str = "boot.json";

/// What a finished boot took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// Wall time of the boot that succeeded, in seconds.
    pub(super) wall_s: f64,
    /// When it ended: seconds since 1970.
    pub(super) ended_s: u64,
    /// How often it was tried.
    pub(super) tries: u64,
}

impl Outcome {
    /// Writes it into the folder of the boot.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let value = json!({"wall_s": self.wall_s, "ended_s": self.ended_s, "tries": self.tries});
        fs::write(folder.join(OUTCOME), format!("{value}\n")).context("cannot write what the boot took")
    }

    /// Of a finished boot; `None` if it was run before this was written down.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&fs::read(folder.join(OUTCOME)).ok()?).ok()?;
        let number = |key: &str| value.get(key)?.as_u64();
        let wall_s = value.get("wall_s")?.as_f64()?;
        Some(Self { wall_s, ended_s: number("ended_s")?, tries: number("tries")? })
    }
}

/// Did a boot of exactly this plan end in `folder`?
pub(super) fn is_finished(folder: &Path, plan: &[u8]) -> bool {
    ended(folder) && fs::read(folder.join(PLAN)).is_ok_and(|p| p == plan)
}

/// Did a boot end here, whatever its plan?
fn ended(folder: &Path) -> bool {
    folder.join(PLAN).is_file() && !folder.join(INITRD).exists()
}

/// The folders of finished boots, in order of their names.
pub(super) fn finished(keep: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(keep)
        .with_context(|| format!("cannot list {}", keep.display()))?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    folders.retain(|f| ended(f));
    folders.sort();
    Ok(folders)
}

/// In words: how many boots `keep` holds, how long they took and when.
pub(super) fn effort(keep: &Path) -> Result<String> {
    let folders = finished(keep)?;
    let took: Vec<Outcome> = folders.iter().filter_map(|f| Outcome::read(f)).collect();
    let minutes = took.iter().map(|o| o.wall_s).sum::<f64>() / 60.0;
    let last = took.iter().map(|o| o.ended_s).max().unwrap_or(0);
    let ns = i64::try_from(last).unwrap_or(0).saturating_mul(1_000_000_000);
    let day = Stamp::wall(ns).to_string();
    let day = day.split('T').next().unwrap_or_default().to_owned();
    let again = took.iter().map(|o| o.tries.saturating_sub(1)).sum::<u64>();
    Ok(format!(
        "{} boots, {minutes:.0} minutes of one job on a shared machine, {again} tried again; last boot on {day}",
        folders.len()
    ))
}

/// Judges what finished boots left in `keep`, by what the scenarios below `paths` declare today.
pub(super) fn judge_again(keep: &Path, paths: &[PathBuf]) -> Result<Vec<Judged>> {
    let today = catalogue::scenarios_by_name(paths)?;
    let mut rows = Vec::new();
    for folder in finished(keep)? {
        let plan = plan(&folder)?;
        for (n, trial) in trials_of(plan.runs).enumerate() {
            let name = trial.name.clone();
            match catalogue::declared_today(trial, &today)? {
                Some(trial) => rows.extend(one(&folder, &trial, n, plan.own)?),
                None => println!("vm: left out: {name} in {}: no such scenario any more", folder.display()),
            }
        }
    }
    Ok(rows)
}

/// Judges what one boot left.
pub(super) fn judge_boot(folder: &Path) -> Result<Vec<Judged>> {
    let plan = plan(folder)?;
    let mut rows = Vec::new();
    for (n, trial) in trials_of(plan.runs).enumerate() {
        rows.extend(one(folder, &trial, n, plan.own)?);
    }
    Ok(rows)
}

/// What a boot ran.
pub(super) fn trials(folder: &Path) -> Result<Vec<Trial>> {
    Ok(trials_of(plan(folder)?.runs).collect())
}

fn trials_of(runs: Vec<Run>) -> impl Iterator<Item = Trial> {
    runs.into_iter().map(|run| Trial { name: run.name, incident: run.incident, diagnose: run.diagnose })
}

fn plan(folder: &Path) -> Result<Plan> {
    let json = fs::read(folder.join(PLAN)).context("cannot read the plan")?;
    serde_json::from_slice(&json)
        .with_context(|| format!("cannot understand the plan in {}", folder.display()))
}

/// Judges incident `n` of a boot.
fn one(folder: &Path, trial: &Trial, n: usize, own: bool) -> Result<Vec<Judged>> {
    judge::judge(&kernel_of(folder), &folder.join(&trial.name), trial, n, own)
}

/// The kernel of a boot, from its folder's name.
pub(super) fn kernel_of(folder: &Path) -> String {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    name.split_once('-').map_or_else(|| name.clone(), |(kernel, _)| kernel.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_boots_that_ended_count() {
        let keep = tempfile::tempdir().unwrap();
        let plan = br#"{"stagger_ms": 400, "runs": []}"#;
        for (name, unfinished) in [("6.1-0", false), ("6.1-1", true)] {
            let folder = keep.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(PLAN), plan).unwrap();
            if unfinished {
                fs::write(folder.join(INITRD), b"").unwrap();
            }
        }
        let first = keep.path().join("6.1-0");
        assert_eq!(finished(keep.path()).unwrap(), std::slice::from_ref(&first));
        assert!(is_finished(&first, plan) && !is_finished(&first, b"{}"));
        assert!(!is_finished(&keep.path().join("6.1-1"), plan));
        assert!(judge_again(keep.path(), &[]).unwrap().is_empty());
    }

    #[test]
    fn what_a_boot_took_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Outcome::read(folder.path()), None);
        let outcome = Outcome { wall_s: 181.25, ended_s: 1_795_313_330, tries: 2 };
        outcome.write(folder.path()).unwrap();
        assert_eq!(Outcome::read(folder.path()), Some(outcome));
    }
}
