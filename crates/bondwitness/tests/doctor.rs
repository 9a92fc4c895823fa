//! `doctor` on the machine that runs the tests: as its user, and without any rights.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests fail by panicking, and read files"
)]

use serde_json::Value;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

fn doctor(args: &[&str], unprivileged: bool) -> Output {
    let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
    c.arg("doctor").args(args).env_remove("NO_COLOR").env("COLUMNS", "80").stdin(Stdio::null());
    if unprivileged {
        c.uid(65534).gid(65534);
    }
    c.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn access(page: &Value, id: &str) -> String {
    let functions = page["functions"].as_array().unwrap();
    functions.iter().find(|f| f["id"] == id).unwrap()["access"].as_str().unwrap().to_owned()
}

/// Whether the tests run as root, and the program can be started by others too.
fn may_drop_rights() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let root = status.lines().any(|l| l.starts_with("Uid:\t0\t"));
    let can = root && {
        let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
        c.arg("--version").uid(65534).gid(65534).output().is_ok_and(|o| o.status.success())
    };
    if !can {
        eprintln!("skipped: dropping rights needs root and a program that others may start");
    }
    can
}

fn expected_code(page: &Value) -> i32 {
    if page["found"] == true { 0 } else { 3 }
}

#[test]
fn the_page_is_told_and_the_judge_is_locked_down_on_this_kernel() {
    let output = doctor(&["--json"], false);
    let page = json(&output);
    assert_eq!(output.status.code(), Some(expected_code(&page)));
    assert_eq!(page["schema"], "bondwitness/doctor/v1");
    assert_eq!(access(&page, "states-and-counters"), "yes");
    assert_eq!(page["judge"]["locked"], true, "{page:#}");
    let steps = page["judge"]["steps"].as_array().unwrap();
    let done = |id: &str| steps.iter().find(|s| s["id"] == id).unwrap()["done"] == true;
    assert!(done("capabilities") && done("no-new-privileges") && done("close-files"), "{page:#}");
    let plain = doctor(&[], false);
    assert_eq!(plain.status.code(), output.status.code());
    let plain = text(&plain.stdout);
    for heading in
        ["DOCTOR    ", "BONDS     ", "BLIND     ", "CAN       ", "CLOCK     ", "LOG       ", "JUDGE     "]
    {
        assert!(plain.lines().any(|l| l.starts_with(heading)), "{heading}\n{plain}");
    }
}

#[test]
fn without_rights_everything_that_needs_some_is_refused_and_granted() {
    if !may_drop_rights() {
        return;
    }
    let output = doctor(&["--json"], true);
    let page = json(&output);
    assert_eq!(page["user"]["uid"], 65534);
    assert_eq!(page["user"]["capabilities"], Value::Array(Vec::new()));
    for id in
        ["capture", "partner-details", "module-eeprom", "packet-filters", "other-namespaces", "change-links"]
    {
        assert_eq!(access(&page, id), "no", "{id}: {page:#}");
    }
    assert_eq!(access(&page, "states-and-counters"), "yes");
    assert_eq!(page["judge"]["locked"], true, "{page:#}");
    let setcap = page["grant"]["setcap"].as_str().unwrap();
    assert!(setcap.starts_with("setcap cap_net_raw,cap_net_admin"), "{setcap}");
    let plain = text(&doctor(&[], true).stdout);
    assert!(
        plain.contains(
            "BLIND     this user cannot:\n          - capture LACPDUs on the members (needs CAP_NET_RAW)"
        ),
        "{plain}"
    );
}

#[test]
fn a_bond_that_is_not_here_is_said_with_code_3() {
    let output = doctor(&["no-such-bond"], false);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(!output.stdout.is_empty());
    let page = json(&doctor(&["no-such-bond", "--json"], false));
    assert_eq!(page["found"], false);
    assert_eq!(page["asked"], "no-such-bond");
}

#[test]
fn a_namespace_that_cannot_be_entered_is_an_error_with_a_next_step() {
    let output = doctor(&["--netns", "no-such-namespace"], false);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("error: cannot enter network namespace no-such-namespace: no such file"), "{said}");
    assert!(said.contains("help: `ip netns list`"), "{said}");
    let output = doctor(&["--netns", "../../etc"], false);
    assert_eq!(output.status.code(), Some(2));
    if may_drop_rights() {
        let output = doctor(&["--netns", "1"], true);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("CAP_SYS_ADMIN"), "{output:?}");
    }
}

#[test]
fn the_namespace_of_a_process_is_entered() {
    if !may_drop_rights() {
        return;
    }
    let me = std::process::id().to_string();
    let output = doctor(&["--netns", &me, "--json"], false);
    let page = json(&output);
    let mine = std::fs::read_link("/proc/self/ns/net").unwrap();
    assert_eq!(page["host"]["netns"], mine.to_string_lossy().as_ref());
    assert_eq!(access(&page, "states-and-counters"), "yes");
}
