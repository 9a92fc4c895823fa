//! Properties of the whole pipeline, over the recordings and the readable cases in `../shared` and over the fixtures:
//! the order of files does not matter, and removing a file may weaken a verdict but never turns it to another side.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests fail by panicking, and read files"
)]

use bondwitness_core::diagnose::{Input, Report, diagnose};
use bondwitness_core::domain::Side;
use bondwitness_core::report::json_v1;
use std::path::{Path, PathBuf};

struct CaseFiles {
    name: String,
    files: Vec<(String, Vec<u8>)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What states the answer, or comes from the far end, is never given to the verdict.
fn withheld(path: &str) -> bool {
    path.split('/').any(|p| {
        p.starts_with("sw-") || p.starts_with("context-") || matches!(p, "events.txt" | "truth.md" | "_done")
    })
}

fn walk(dir: &Path, base: &Path, out: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("readdir").map(|e| e.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, base, out);
        } else {
            let name = path.strip_prefix(base).expect("inside").to_string_lossy().into_owned();
            if !withheld(&name) {
                out.push((name, std::fs::read(&path).expect("read")));
            }
        }
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(of) else { return Vec::new() };
    let mut dirs: Vec<PathBuf> = entries.map(|e| e.expect("entry").path()).filter(|p| p.is_dir()).collect();
    dirs.sort();
    dirs
}

fn cases() -> Vec<CaseFiles> {
    let mut dirs = folders(&root().join("fixtures"));
    let shared = root().join("../shared");
    if shared.is_dir() {
        for kernel in folders(&shared.join("kernel-recordings")) {
            dirs.extend(folders(&kernel).into_iter().filter(|d| !d.ends_with("scripts")));
        }
        dirs.extend(folders(&shared.join("corpus/cases")));
    } else {
        println!("skipped: ../shared is absent, only the fixtures are used");
    }
    dirs.into_iter()
        .map(|dir| {
            let mut files = Vec::new();
            walk(&dir, &dir, &mut files);
            CaseFiles { name: dir.file_name().expect("a name").to_string_lossy().into_owned(), files }
        })
        .filter(|c| !c.files.is_empty())
        .collect()
}

fn judge<'a>(files: impl Iterator<Item = &'a (String, Vec<u8>)>) -> Report {
    let inputs: Vec<Input<'_>> =
        files.map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
    diagnose(&inputs)
}

fn side(report: &Report) -> Side {
    report.worst().and_then(|i| report.subjects.get(i)).map_or(Side::Unknown, |s| s.judged.verdict.side)
}

#[test]
fn the_order_of_files_does_not_matter() {
    for case in cases() {
        let forward = json_v1::report(&judge(case.files.iter()), "t").to_string();
        let backward = json_v1::report(&judge(case.files.iter().rev()), "t").to_string();
        assert!(forward == backward, "{}: another order gives other bytes", case.name);
    }
}

#[test]
fn removing_a_file_never_turns_the_verdict_to_another_side() {
    for case in cases() {
        let whole = judge(case.files.iter());
        let before = side(&whole);
        if before == Side::Unknown {
            // An abstention may become a decision only if what is left shows a single party; that is judged below for
            // the exonerated sides.
            let cleared: Vec<Side> = whole
                .worst()
                .and_then(|i| whole.subjects.get(i))
                .map(|s| s.judged.verdict.exonerated.iter().map(|(s, _)| *s).collect())
                .unwrap_or_default();
            for (i, (name, _)) in case.files.iter().enumerate() {
                let left = judge(case.files.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| f));
                assert!(
                    !cleared.contains(&side(&left)),
                    "{} without {name}: a cleared side is accused",
                    case.name
                );
            }
            continue;
        }
        for (i, (name, _)) in case.files.iter().enumerate() {
            let left = judge(case.files.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| f));
            let after = side(&left);
            assert!(
                after == before || after == Side::Unknown,
                "{} without {name}: {before} turned to {after}",
                case.name
            );
        }
    }
}
