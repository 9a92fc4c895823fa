//! `diagnose` and `collect` on the machine that runs the tests, which need not have a bond. Real bonds: `cargo xtask vm --live`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests fail by panicking, and run the program"
)]

use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bondwitness")).args(args).output().expect("the program runs")
}

fn has_bonds() -> bool {
    Path::new("/proc/net/bonding").read_dir().is_ok_and(|mut d| d.next().is_some())
}

#[test]
fn without_a_bond_it_says_so_at_once_and_the_json_is_there() {
    if has_bonds() {
        eprintln!("skipped: this machine has a bond");
        return;
    }
    let begun = std::time::Instant::now();
    let output = run(&["diagnose"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("--netns"));
    assert!(begun.elapsed().as_secs() < 50, "there is nothing to wait a minute for");
    let output = run(&["diagnose", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let v: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(v["schema"], "bondwitness/verdict/v1");
    assert!(v["host"]["boot_id"].as_str().is_some_and(|b| b.len() == 36), "{}", v["host"]);
}

#[test]
fn a_bundle_is_written_once_and_holds() {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("case.tar.zst");
    let key = place.path().join("key");
    let (bundle, key) = (bundle.to_str().unwrap(), key.to_str().unwrap());
    assert_eq!(run(&["verify", "--new-key", key]).status.code(), Some(0));
    let output = run(&["diagnose", "--for", "0", "--sign", key, "-o", bundle]);
    assert!(matches!(output.status.code(), Some(0..=15)), "{output:?}");
    let output = run(&["verify", bundle, "--key", &format!("{key}.pub")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("byte for byte"), "{output:?}");
    let output = run(&["collect", "--for", "0", "-o", bundle]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists"), "{output:?}");
    // Nothing else is left beside it.
    let names: Vec<_> = place.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // Under pseudonyms, signed all the same; what stands for what lies beside it.
    let redacted = place.path().join("redacted.tar.zst");
    let output = run(&["collect", "--for", "0", "--redact", "--sign", key, "-o", redacted.to_str().unwrap()]);
    assert!(matches!(output.status.code(), Some(0..=15)), "{output:?}");
    let output = run(&["verify", redacted.to_str().unwrap(), "--key", &format!("{key}.pub")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("REDACTED"), "{output:?}");
    let map = std::fs::read(place.path().join("redacted.tar.zst.map.json")).unwrap();
    let map: serde_json::Value = serde_json::from_slice(&map).unwrap();
    assert_eq!(map["schema"], "bondwitness/redaction-map/v1");
    let output = run(&["collect", "--for", "0", "--redact", "-o", "-"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_judge_without_its_sensor_is_an_error_in_words() {
    let output = Command::new(env!("CARGO_BIN_EXE_bondwitness"))
        .arg("judge")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("\nhelp: "), "{output:?}");
}
