//! The lab as a user meets it: scenarios listed, incidents reproduced, the evidence on disk judged like the one in memory.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and read files"
)]

use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bondwitness"))
        .args(args)
        .env_remove("NO_COLOR")
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("standard output is JSON")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_list_has_what_the_contract_promises_and_sixty_families() {
    let out = run(&["lab", "list", "--json"]);
    assert_eq!(out.status.code(), Some(0));
    let list = json(&out);
    let list = list.as_array().expect("an array");
    let mut families = std::collections::BTreeSet::new();
    for row in list {
        let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["name", "family", "fault_domain", "decidable"]);
        assert!(["side", "exoneration", "nothing"].contains(&row["decidable"].as_str().unwrap()));
        families.insert(row["family"].as_str().unwrap().to_owned());
    }
    assert!(families.len() >= 60, "{} families", families.len());
    // Every domain of the contract is told by some scenario, but the one that is no fault of anybody.
    let domains: std::collections::BTreeSet<&str> =
        list.iter().map(|r| r["fault_domain"].as_str().unwrap()).collect();
    assert_eq!(domains.len(), 11, "{domains:?}");
    // As text: a line for each.
    let lines = text(&run(&["lab", "list"]).stdout).lines().count();
    assert_eq!(lines, list.len());
}

#[test]
fn a_run_tells_truth_beside_verdict_and_comes_out_the_same_again() {
    let args = ["lab", "run", "key-changes", "--seed", "5", "--json"];
    let out = run(&args);
    assert_eq!(out.status.code(), Some(0));
    let j = json(&out);
    assert_eq!(j["scenario"], "key-changes");
    assert_eq!(j["seed"], 5);
    assert_eq!(j["truth"]["fault_domain"], "switch-config");
    assert_eq!(j["truth"]["side"], "switch");
    assert_eq!(j["truth"]["decidable"], "side");
    assert_eq!(j["truth"]["members"].as_array().unwrap().len(), 1);
    assert!(j["truth"]["direction"].is_null());
    assert_eq!(j["verdict"]["schema"], "bondwitness/verdict/v1");
    assert_eq!(out.stdout, run(&args).stdout);
    assert_ne!(out.stdout, run(&["lab", "run", "key-changes", "--seed", "6", "--json"]).stdout);
}

#[test]
fn the_folder_holds_the_evidence_that_the_verdict_was_given_on_and_not_the_truth() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("case");
    let folder = folder.to_str().unwrap();
    let out = run(&["lab", "run", "mlag-split", "--seed", "2", "--json", "-o", folder]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let from_disk = json(&run(&["diagnose", "--json", "--from", folder]));
    assert_eq!(json(&out)["verdict"], from_disk);
    let mut names = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(f) = folders.pop() {
        for entry in std::fs::read_dir(f).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { names.push(path) }
        }
    }
    assert!(names.len() > 5);
    for path in names {
        let bytes = std::fs::read(&path).unwrap();
        for told in [&b"mlag"[..], b"switch-system", b"decidable", b"victim", b"fault_domain"] {
            assert!(
                !bytes.windows(told.len()).any(|w| w == told),
                "{} tells the truth: {}",
                path.display(),
                String::from_utf8_lossy(told)
            );
        }
    }
    // A second run does not write over it.
    let again = run(&["lab", "run", "mlag-split", "-o", folder]);
    assert_eq!(again.status.code(), Some(1));
    let message = text(&again.stderr);
    assert!(message.contains("exists already") && message.contains("help:"), "{message}");
}

#[test]
fn an_unknown_scenario_is_wrong_usage_with_a_way_out() {
    let out = run(&["lab", "run", "mlag-splitt"]);
    assert_eq!(out.status.code(), Some(2));
    let message = text(&out.stderr);
    assert!(message.contains("no such scenario") && message.contains("mlag-split"), "{message}");
    assert_eq!(run(&["lab"]).status.code(), Some(2));
}

#[test]
fn a_place_that_cannot_be_written_is_a_clear_error() {
    let out = run(&["lab", "run", "mlag-split", "-o", "/proc/nowhere/case"]);
    assert_eq!(out.status.code(), Some(1));
    let message = text(&out.stderr);
    assert!(message.contains("cannot create") && message.contains("help:"), "{message}");
}
