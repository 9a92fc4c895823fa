//! The program as a user meets it: verdicts on recorded incidents, exit codes, errors, citations that open.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and read files"
)]

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> PathBuf {
    root().join("fixtures").join(name)
}

fn command(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
    c.args(args).env_remove("NO_COLOR").env("COLUMNS", "80").stdin(Stdio::null());
    c
}

fn run(args: &[&str]) -> Output {
    command(args).output().expect("the program starts")
}

fn from(path: &Path, more: &[&str]) -> Output {
    let path = path.to_string_lossy().into_owned();
    let mut args = vec!["diagnose"];
    args.extend(more);
    args.extend(["--from", &path]);
    run(&args)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("standard output is JSON")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What each recorded incident must come out as: domain, side, exit code, members, cleared sides.
const INCIDENTS: &[(&str, &str, &str, i32, &[&str], &[&str])] = &[
    ("healthy-fast", "healthy", "none", 0, &[], &[]),
    ("mlag-split", "mlag", "switch", 12, &["h2"], &[]),
    ("loss-h2s", "inconclusive", "unknown", 10, &["h1"], &["host"]),
    ("carrier", "physical", "link", 13, &["h1"], &[]),
    ("passive", "config-both", "both", 15, &["h1", "h2"], &[]),
    ("dup-system", "switch-config", "switch", 12, &["h2"], &[]),
    ("cpu", "host-starvation", "host", 11, &[], &[]),
];

#[test]
fn recorded_incidents_get_their_verdicts() {
    for (name, domain, side, code, members, cleared) in INCIDENTS {
        let output = from(&fixture(name), &["--json"]);
        let v = &json(&output)["verdict"];
        assert_eq!(v["fault_domain"], *domain, "{name}: {}", v["summary"]);
        assert_eq!(v["side"], *side, "{name}");
        assert_eq!(output.status.code(), Some(*code), "{name}");
        let got: Vec<&str> =
            v["members"].as_array().expect("members").iter().filter_map(Value::as_str).collect();
        assert_eq!(got, *members, "{name}");
        let got: Vec<&str> = v["exonerated"]
            .as_array()
            .expect("exonerated")
            .iter()
            .filter_map(|e| e["side"].as_str())
            .collect();
        assert_eq!(got, *cleared, "{name}");
    }
}

#[test]
fn the_lost_direction_is_named() {
    let v = json(&from(&fixture("loss-h2s"), &["--json"]));
    assert_eq!(v["verdict"]["direction"], "host-to-switch");
    assert_eq!(v["subjects"][0]["state"], "flapping");
    assert_eq!(v["subjects"][0]["mode"], "802.3ad");
    assert!(v["subjects"][0]["episodes"].as_array().is_some_and(|e| !e.is_empty()));
}

#[test]
fn every_citation_can_be_opened() {
    for (name, ..) in INCIDENTS {
        let dir = fixture(name);
        let report = json(&from(&dir, &["--json"]));
        let evidence = report["evidence"].as_array().expect("evidence");
        assert!(!evidence.is_empty(), "{name}");
        for e in evidence {
            let source = e["source"].as_str().expect("source");
            let (path, place) = source.split_once('#').unwrap_or((source, ""));
            let bytes = std::fs::read(dir.join(path)).unwrap_or_else(|e| panic!("{name}: {source}: {e}"));
            if let Some(range) = place.strip_prefix("line=") {
                let last: usize = range.rsplit('-').next().expect("a number").parse().expect("a number");
                let lines = bytes.split(|b| *b == b'\n').count();
                assert!(last >= 1 && last <= lines, "{name}: {source} of {lines} lines");
                let (a, b) = (e["bytes"][0].as_u64().expect("start"), e["bytes"][1].as_u64().expect("end"));
                assert!(a <= b && b as usize <= bytes.len(), "{name}: {source}");
            } else if let Some(frame) = place.strip_prefix("frame=") {
                let frame: u64 = frame.parse().expect("a number");
                let mut packets = 0;
                let totals = bondwitness_core::capture::reader::read(&bytes, &mut |f| {
                    if f.number == frame {
                        packets += 1;
                    }
                });
                assert!(frame <= totals.packets && packets == 1, "{name}: {source} is no LACPDU");
            }
            // The hash is that of the file.
            assert_eq!(e["sha256"].as_str(), Some(bondwitness_core::diagnose::sha256_hex(&bytes).as_str()));
        }
        // Findings name only evidence and checks that exist.
        for s in report["subjects"].as_array().expect("subjects") {
            for f in s["findings"].as_array().expect("findings") {
                assert!(bondwitness_core::checks::find(f["check"].as_str().expect("check")).is_some());
                assert!(f["evidence"].as_array().is_some_and(|e| !e.is_empty()));
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("mkdir");
    for entry in std::fs::read_dir(from).expect("readdir") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copy");
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).expect("readdir") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path);
        }
    }
    out.sort();
    out
}

#[test]
fn same_bytes_from_any_folder_and_in_any_order() {
    let temp = tempfile::tempdir().expect("tempdir");
    let dir = temp.path().join("elsewhere").join("case");
    copy(&fixture("passive"), &dir);
    let here = from(&fixture("passive"), &["--json"]).stdout;
    assert_eq!(text(&here), text(&from(&dir, &["--json"]).stdout), "another folder");
    let mut list: Vec<String> =
        files(&fixture("passive")).iter().map(|p| p.to_string_lossy().into_owned()).collect();
    let run_list = |list: &[String]| {
        let mut args = vec!["diagnose", "--json", "--from"];
        args.extend(list.iter().map(String::as_str));
        run(&args).stdout
    };
    let forward = run_list(&list);
    list.reverse();
    assert_eq!(text(&forward), text(&run_list(&list)), "another order");
}

#[test]
fn removing_a_file_never_turns_the_verdict_to_another_side() {
    for (name, _, side, ..) in INCIDENTS {
        let temp = tempfile::tempdir().expect("tempdir");
        let dir = temp.path().join("case");
        copy(&fixture(name), &dir);
        for file in files(&dir) {
            let saved = std::fs::read(&file).expect("read");
            std::fs::remove_file(&file).expect("remove");
            let v = json(&from(&dir, &["--json"]));
            let got = v["verdict"]["side"].as_str().expect("side").to_owned();
            let whose = file.strip_prefix(&dir).expect("inside").display().to_string();
            assert!(
                got == *side || got == "unknown",
                "{name} without {whose}: {side} turned to {got}: {}",
                v["verdict"]["summary"]
            );
            std::fs::write(&file, saved).expect("write");
        }
    }
}

#[test]
fn the_report_fits_80_columns_and_has_no_escapes_without_colour() {
    for (name, ..) in INCIDENTS {
        let out = text(&from(&fixture(name), &["--color", "never", "-v"]).stdout);
        for line in out.lines() {
            // A single word (a path, a command) may be longer than a line.
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= 80 || words <= 2, "{name}: {line:?}");
            assert!(!line.contains('\u{1b}'), "{name}: {line:?}");
        }
    }
    let out = text(&from(&fixture("mlag-split"), &["--color", "always"]).stdout);
    assert!(out.contains("\u{1b}["));
    assert!(out.contains("SWITCH (mlag)"));
}

#[test]
fn standard_input_is_read() {
    let mut child = command(&["diagnose", "--json", "--from", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let dump = std::fs::read(fixture("carrier").join("snap-before/host-proc-bonding.txt")).expect("fixture");
    child.stdin.take().expect("stdin").write_all(&dump).expect("write");
    let output = child.wait_with_output().expect("ends");
    let v = json(&output);
    assert_eq!(v["subjects"][0]["kind"], "bond");
    assert_eq!(v["inputs"][0]["recognised_as"], "proc-net-bonding");
}

#[test]
fn errors_name_the_operation_and_the_next_step() {
    let output = run(&["diagnose", "--from", "no/such/folder"]);
    assert_eq!(output.status.code(), Some(1));
    let err = text(&output.stderr);
    assert_eq!(err.matches("directory").count(), 1, "said once: {err}");
    assert!(
        err.starts_with("error: ") && err.contains("no/such/folder") && err.contains("\nhelp: "),
        "{err}"
    );

    let output = run(&["diagnose", "no-such-bond"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no-such-bond") && text(&output.stderr).contains("\nhelp: "));
    let output = run(&["diagnose", "--for", "0", "no-such-bond", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(run(&["diagnose", "--from", "x", "--for", "5"]).status.code(), Some(2));
    assert_eq!(run(&["collect", "--for", "5 weeks", "-o", "x"]).status.code(), Some(2));

    assert_eq!(run(&["diagnose", "--nonsense"]).status.code(), Some(2));
    assert_eq!(run(&["explain", "no-such-check"]).status.code(), Some(2));

    let path = fixture("carrier").to_string_lossy().into_owned();
    let output = run(&["diagnose", "bond9", "--from", &path]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("bond0"), "the help names what is there");
}

#[test]
fn an_empty_or_foreign_input_is_inconclusive_with_code_3() {
    let temp = tempfile::tempdir().expect("tempdir");
    let output = from(temp.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(json(&output)["verdict"]["fault_domain"], "inconclusive");

    std::fs::write(temp.path().join("cat.bin"), [0u8, 1, 2, 3, 0, 0, 9, 200].repeat(64)).expect("write");
    std::fs::write(temp.path().join("poem.txt"), "The rain in Spain\nfalls mainly on the plain.\n")
        .expect("write");
    let output = from(temp.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(3));
    let v = json(&output);
    assert_eq!(v["verdict"]["grade"], "insufficient");
    let gaps = v["gaps"].as_array().expect("gaps");
    for name in ["cat.bin", "poem.txt"] {
        assert!(gaps.iter().any(|g| g["what"] == name && g["why"] == "not recognised"), "{name} is listed");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let path = fixture("carrier").to_string_lossy().into_owned();
    let mut child = command(&["diagnose", "-v", "--from", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(13), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn hostile_names_and_contents_cannot_drive_the_terminal() {
    let temp = tempfile::tempdir().expect("tempdir");
    std::fs::write(temp.path().join("evil\u{1b}]0;owned\u{7}.txt"), "nothing known\n").expect("write");
    std::fs::write(
        temp.path().join("dmesg.txt"),
        "[    1.000000] igc 0000:01:00.0 eth0: PCIe link lost, device now detached \u{1b}[2J\u{9b}31m\u{7}\n",
    )
    .expect("write");
    let output = from(temp.path(), &["-v", "--color", "never"]);
    assert!(!output.stdout.iter().any(|b| *b < 0x20 && *b != b'\n'), "{:?}", text(&output.stdout));
    assert!(!text(&output.stdout).contains('\u{9b}'));
    assert_eq!(output.status.code(), Some(11));
}

#[test]
fn explain_prints_every_page() {
    let list = text(&run(&["explain"]).stdout);
    assert!(list.lines().count() > 30);
    for line in list.lines() {
        let id = line.split_whitespace().next().expect("an id");
        let page = text(&run(&["explain", id]).stdout);
        assert!(page.contains("## How it can be wrong"), "{id}");
    }
}

#[test]
fn output_satisfies_its_schema_names() {
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).expect("JSON");
    let report = json(&from(&fixture("mlag-split"), &["--json"]));
    for key in schema["required"].as_array().expect("required") {
        assert!(report.get(key.as_str().expect("text")).is_some(), "{key}");
    }
    let verdict = &schema["$defs"]["verdict"];
    for v in [
        &report["verdict"],
        &report["subjects"][0]["verdict"],
        &report["subjects"][0]["episodes"][0]["verdict"],
    ] {
        for key in verdict["required"].as_array().expect("required") {
            assert!(v.get(key.as_str().expect("text")).is_some(), "{key}");
        }
        for key in ["fault_domain", "side", "grade"] {
            assert!(
                verdict["properties"][key]["enum"].as_array().expect("enum").contains(&v[key]),
                "{key}: {}",
                v[key]
            );
        }
    }
    assert_eq!(report["schema"], "bondwitness/verdict/v1");
}

#[test]
fn the_transcript_of_the_readme_is_what_is_printed() {
    let output = command(&["diagnose", "--from", "fixtures/mlag-split", "--color", "never"])
        .current_dir(root())
        .output()
        .expect("starts");
    let printed = text(&output.stdout);
    let head = printed.split("\nAlso seen").next().expect("a head").trim_end();
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.contains(head), "README.md no longer shows:\n{head}");
}
