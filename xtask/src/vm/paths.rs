//! `cargo xtask vm --paths`: trials of the transmit path on real kernels, judged with `bondwitness_core::path`, and
//! compared with what was put in the way.

use super::packages::Packages;
use super::{Options, STAGGER_MS, image, initramfs, modules, qemu};
use crate::generated;
use anyhow::{Context, Result, bail};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::path::{self, Conclusion};
use bondwitness_guest::path_trial::PathTrial;
use bondwitness_guest::plan::Plan;
use bondwitness_host::load::{self, Limits};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

const CATALOGUE: &str = "crates/guest/paths/rows.toml";

/// A trial with the truth about it.
struct Trial {
    trial: PathTrial,
    /// Rows of the table, for the reader.
    rows: String,
    place: String,
    /// The interface, or `member` for any of the members.
    device: Option<String>,
    enobufs: bool,
    /// The kernels that can do it; empty: all.
    kernels: Vec<String>,
}

impl Trial {
    fn runs_on(&self, kernel: &str) -> bool {
        self.kernels.is_empty() || self.kernels.iter().any(|k| k == kernel)
    }
}

/// Runs (or, with `--judge`, only judges) the trials.
pub(super) fn run(options: &Options, packages: &Packages, folder: &Path) -> Result<()> {
    let trials = catalogue(options.only.as_deref())?;
    let keep = options.keep.join("paths");
    if !options.judge {
        let guest = super::build(folder, "bondwitness-guest")?;
        let userland = packages.userland()?;
        for kernel in &options.kernels {
            let root = packages.kernel(*kernel)?;
            let base = initramfs::base(&userland, &modules::load(&root)?, &guest)?;
            boot(&image(&root)?, base, &trials, kernel.name, &keep.join(kernel.name))?;
        }
    }
    let mut complaints = 0;
    for kernel in &options.kernels {
        complaints += judge(&trials, kernel.name, &keep.join(kernel.name))?;
    }
    if complaints == 0 { Ok(()) } else { bail!("{complaints} complaints") }
}

fn catalogue(only: Option<&str>) -> Result<Vec<Trial>> {
    let path = generated::repository().join(CATALOGUE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("cannot understand {CATALOGUE}"))?;
    let entries = table.get("trial").and_then(toml::Value::as_array).context("no trials")?;
    let mut trials = Vec::new();
    for entry in entries {
        let mut entry = entry.as_table().cloned().context("a trial is a table")?;
        let mut take = |key: &str| entry.remove(key);
        let text = |v: Option<toml::Value>| v.and_then(|v| v.as_str().map(str::to_owned));
        let (rows, place, device) = (text(take("rows")), text(take("place")), text(take("device")));
        let enobufs = take("enobufs").and_then(|v| v.as_bool()).unwrap_or(false);
        let kernels: Vec<String> = match take("kernels") {
            Some(v) => v.try_into().context("kernels")?,
            None => Vec::new(),
        };
        let modes: Vec<String> = match take("modes") {
            Some(v) => v.try_into().context("modes")?,
            None => vec!["active-backup".to_owned(), "802.3ad".to_owned()],
        };
        let base: PathTrial = toml::Value::Table(entry).try_into().context("a trial")?;
        for mode in modes {
            let mut trial = base.clone();
            trial.name = format!("{}-{}", base.name, if mode == "802.3ad" { "lacp" } else { "backup" });
            trial.mode = mode;
            if only.is_none_or(|o| trial.name.starts_with(o)) {
                trials.push(Trial {
                    trial,
                    rows: rows.clone().unwrap_or_default(),
                    place: place.clone().with_context(|| format!("{} has no place", base.name))?,
                    device: device.clone(),
                    enobufs,
                    kernels: kernels.clone(),
                });
            }
        }
    }
    if trials.is_empty() {
        bail!("no trial of that name");
    }
    Ok(trials)
}

fn boot(kernel: &Path, base: Vec<u8>, trials: &[Trial], name: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let paths = trials.iter().filter(|t| t.runs_on(name)).map(|t| t.trial.clone()).collect();
    let plan = Plan { stagger_ms: STAGGER_MS, own: false, runs: Vec::new(), paths, bench: None };
    let json = serde_json::to_vec_pretty(&plan).context("cannot write the plan")?;
    let mut initrd = base;
    initrd.extend(initramfs::plan(&json));
    let path = folder.join("initrd");
    fs::write(&path, &initrd).context("cannot write the initramfs")?;
    let booted = qemu::boot(kernel, &path, folder)?;
    println!("vm: {} trials in {:.0} s; {}", trials.len(), booted.wall.as_secs_f64(), booted.said);
    let tar = File::open(&booted.disk).context("cannot open the disk")?;
    tar::Archive::new(std::io::BufReader::new(tar)).unpack(folder).context("cannot unpack the evidence")?;
    for used in [&path, &booted.disk] {
        fs::remove_file(used).with_context(|| format!("cannot remove {}", used.display()))?;
    }
    Ok(())
}

/// What a report said of a trial.
#[derive(PartialEq, Eq)]
enum Said {
    Right,
    /// It left the place open, and the true one is among those it names.
    Open,
    Wrong,
}

/// The files of a trial's folder, with or without the trace of freed frames.
fn report(folder: &Path, trial: &Trial, trace: bool) -> Result<Option<path::PathReport>> {
    let loaded = load::load(&[folder.to_owned()], &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .filter(|i| trace || !i.path.starts_with("trace/"))
        .filter(|i| i.path != "broken.txt")
        .map(|i| Input { path: &i.path, bytes: &i.bytes, sha256: None, problem: None })
        .collect();
    Ok(path::analyse(&diagnose::case_of(&inputs), &trial.trial.on))
}

fn say(report: &path::PathReport, trial: &Trial) -> Said {
    let at = |device: &str| match trial.device.as_deref() {
        None => true,
        Some("member") => trial.trial.members().contains(&device),
        Some(d) => d == device,
    };
    let right = |p: &path::PlaceFound| p.place.name() == trial.place && at(&p.device);
    match report.conclusion {
        Conclusion::NothingLost if trial.place == "none" => Said::Right,
        Conclusion::Found => {
            let sure = report.places.iter().filter(|p| p.standing != path::Standing::Possible);
            let all = sure.clone().all(right) && sure.count() > 0;
            let possible = report.places.iter().all(|p| p.standing == path::Standing::Possible);
            if all || possible && report.places.iter().any(right) { Said::Right } else { Said::Wrong }
        }
        Conclusion::Open if report.places.iter().any(right) => Said::Open,
        _ => Said::Wrong,
    }
}

/// Judges what a boot left; returns the number of complaints.
fn judge(trials: &[Trial], kernel: &str, folder: &Path) -> Result<usize> {
    let mut out = format!("{kernel}\n");
    let (mut right, mut open, mut wrong, mut signatures) = (0, 0, 0, 0);
    for t in trials.iter().filter(|t| t.runs_on(kernel)) {
        let at = folder.join(&t.trial.name);
        if at.join("broken.txt").is_file() || !at.is_dir() {
            wrong += 1;
            let why = fs::read_to_string(at.join("broken.txt")).unwrap_or_default();
            let _ = writeln!(out, "  BROKEN {}: {}", t.trial.name, why.trim());
            continue;
        }
        for trace in if t.trial.trace { &[false, true][..] } else { &[false][..] } {
            let name = format!("{}{}", t.trial.name, if *trace { " with the kernel's reasons" } else { "" });
            let Some(report) = report(&at, t, *trace)? else {
                wrong += 1;
                let _ = writeln!(out, "  WRONG  {name}: the interface is not in the evidence");
                continue;
            };
            let said = say(&report, t);
            let word = match said {
                Said::Right => {
                    right += 1;
                    "right "
                }
                Said::Open => {
                    open += 1;
                    "open  "
                }
                Said::Wrong => {
                    wrong += 1;
                    "WRONG "
                }
            };
            let shown: Vec<String> = report
                .places
                .iter()
                .map(|p| {
                    format!("{} at {} ({}, row {})", p.place.name(), p.device, p.standing.name(), p.rows)
                })
                .collect();
            let grew = |dev: &str| report.layer(dev).and_then(|l| l.ledger.dropped.as_ref()?.growth());
            let signature = grew("bond0.70").is_some_and(|n| n >= 100)
                && grew("bond0") == Some(0)
                && report.signs.errors.contains_key("ENOBUFS");
            if signature && !trace {
                signatures += 1;
            }
            let _ = writeln!(
                out,
                "  {word} {name} [row {}]: {}: {}{}",
                t.rows,
                report.conclusion.name(),
                shown.join("; "),
                if signature { " [ENOBUFS, VLAN drops, bond does not]" } else { "" }
            );
            if t.enobufs && !report.signs.errors.contains_key("ENOBUFS") {
                let _ = writeln!(
                    out,
                    "         no ENOBUFS although it was expected: {:?}",
                    report.signs.errors.keys()
                );
            }
        }
    }
    let _ = writeln!(
        out,
        "  {right} right, {open} open, {wrong} wrong or broken; {signatures} show the signature ENOBUFS, VLAN drops, bond does not"
    );
    println!("{out}");
    Ok(wrong)
}
