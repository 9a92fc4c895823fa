//! The recordings of real kernels: evidence of the host only, truth by hand in [`crate::truth`].

use super::score::{Row, Said, Set, judge};
use crate::truth;
use anyhow::{Context, Result, bail};
use bondwitness_core::diagnose::Input;
use bondwitness_host::load::{self, Limits};
use std::path::Path;

/// The folders of recordings below `root`, as `<kernel>/<name>`, sorted; empty if there is no such folder.
pub(crate) fn recordings(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for kernel in folders(root)?.into_iter().filter(|k| k != "scripts") {
        for name in folders(&root.join(&kernel))? {
            found.push(format!("{kernel}/{name}"));
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn folders(path: &Path) -> Result<Vec<String>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Does this file of a recording belong to the host? The other end of the wire (`sw-`, and `swB-` where there are two),
/// the list of injected faults, the console of the harness (it names them too) and its marker do not.
pub(crate) fn of_the_host(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.starts_with("sw-")
            && !part.starts_with("swB-")
            && !matches!(part, "events.txt" | "_console.txt" | "_done" | "scripts")
    })
}

/// How many files of a folder `keep` lets through, the case verdict on them, and the verdicts of episodes and of other
/// subjects.
pub(crate) fn say(folder: &Path, keep: fn(&str) -> bool) -> Result<(usize, Said, Vec<Said>)> {
    let loaded = load::load(&[folder.to_owned()], &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .filter(|i| keep(&i.path))
        .map(|i| Input {
            path: &i.path,
            bytes: &i.bytes,
            sha256: None,
            problem: i.problem.as_ref().map(ToString::to_string),
        })
        .collect();
    let (case, others) = judge(&inputs);
    Ok((inputs.len(), case, others))
}

/// Measures the recordings below `root`; no rows if there are none.
pub(crate) fn measure(root: &Path) -> Result<Set> {
    let root = root.join("kernel-recordings");
    let mut rows = Vec::new();
    let truths = truth::recordings()?;
    for path in recordings(&root)? {
        let Some(known) = truths.iter().find(|r| r.path == path) else {
            bail!("the recording {path} has no truth; add it to xtask/recordings.toml");
        };
        let (files, said, others) =
            say(&root.join(&path), of_the_host).with_context(|| format!("cannot read {path}"))?;
        rows.push(Row {
            id: path,
            what: known.what.clone(),
            truth: known.truth.clone(),
            files,
            said,
            others,
        });
    }
    if let (false, Some(gone)) =
        (rows.is_empty(), truths.iter().find(|r| !rows.iter().any(|row| row.id == r.path)))
    {
        bail!("the recording {} is in xtask/recordings.toml and not on disk", gone.path);
    }
    Ok(Set {
        name: "recordings",
        title: "Real kernels, injected faults",
        about: "Debian kernels in a virtual machine, the other end played by a second bond. The engine gets the host's files only:\n\
                no file of the other end, no list of the injected faults. What can be decided from them was written down by hand\n\
                before (`xtask/recordings.toml`). These recordings were also studied while the checks were written, so they show that\n\
                nothing broke, not how the checks fare on something new.\n",
        from: "kernel-recordings",
        injected: true,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_never_sees_the_truth() {
        for hidden in
            ["events.txt", "_done", "sw-s1.pcap", "snap-a/sw-proc-bonding.txt", "snap-a/swB-proc-bonding.txt"]
        {
            assert!(!of_the_host(hidden), "{hidden}");
        }
        assert!(of_the_host("snap-a/host-sysfs.txt") && of_the_host("dmesg.txt"));
    }
}
