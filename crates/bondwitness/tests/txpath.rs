//! `txpath` as a user meets it: recordings of real kernels, exit codes, errors.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
    c.current_dir(root).arg("txpath").args(args).stdin(Stdio::null());
    c.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn recordings_get_their_place() {
    for (name, code, place, device, standing) in [
        ("vlan-tc-on-bond", 11, "filter", "bond0", "shown"),
        ("vlan-member-queue-full", 11, "queue", "eno", "shown"),
        ("vlan-not-allowed", 10, "beyond", "eno", "left"),
    ] {
        let folder = format!("fixtures/{name}");
        let output = run(&["bond0.70", "--from", &folder, "--json"]);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output.stderr));
        let v: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (&v["schema"], &v["conclusion"]),
            (&"bondwitness/txpath/v1".into(), &"found".into()),
            "{name}"
        );
        let places = v["places"].as_array().expect("places");
        assert!(!places.is_empty(), "{name}");
        for p in places {
            assert_eq!((&p["place"], &p["standing"]), (&place.into(), &standing.into()), "{name}: {p}");
            assert!(p["device"].as_str().expect("a device").starts_with(device), "{name}: {p}");
            // Every citation names a file of the folder and lines that are there.
            let evidence = p["evidence"].as_array().expect("evidence");
            assert!(!evidence.is_empty(), "{name}");
            for at in evidence {
                let (file, lines) = at.as_str().expect("a citation").split_once("#line=").expect("lines");
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&folder).join(file);
                let n = std::fs::read_to_string(&path).expect("the file").lines().count();
                let last: usize = lines.rsplit('-').next().expect("a line").parse().expect("a number");
                assert!(last >= 1 && last <= n, "{name}: {at} of {n}");
            }
        }
    }
}

#[test]
fn the_text_draws_the_layers_and_names_the_place_first() {
    let out = text(&run(&["bond0.70", "--from", "fixtures/vlan-tc-on-bond"]).stdout);
    assert!(out.starts_with("bond0.70: frames die at bond0: flower, owner: tc\n"), "{out}");
    let at = |words: &str| out.find(words).unwrap_or_else(|| panic!("no {words:?} in {out}"));
    assert!(at("\n  bond0.70  vlan 70") < at("\n  bond0     bond"));
    assert!(at("\n  bond0     bond") < at("filter flower  123 dropped   <-- here"));
    assert!(at("<-- here") < at("\n  eno1      member"));
}

#[test]
fn errors_say_what_helps() {
    let unknown = run(&["bond0.71", "--from", "fixtures/vlan-tc-on-bond"]);
    assert_eq!((unknown.status.code(), text(&unknown.stdout).as_str()), (Some(3), ""));
    let said = text(&unknown.stderr);
    assert!(
        said.starts_with("error: cannot follow the frames of bond0.71: the evidence does not show it\n"),
        "{said}"
    );
    assert!(said.contains("help: the evidence shows: bond0.70, bond0, eno1\n"), "{said}");
    // On this host, without waiting for an interface that is not there.
    let live = run(&["no-such0"]);
    assert_eq!((live.status.code(), text(&live.stdout).as_str()), (Some(3), ""));
    let said = text(&live.stderr);
    assert!(
        said.starts_with("error: cannot find the interface no-such0") && said.contains("help: there are: lo"),
        "{said}"
    );
    let both = run(&["bond0.70", "--from", "fixtures/vlan-tc-on-bond", "--netns", "1"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn the_running_host_is_followed_and_its_bundle_says_the_same() {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("case.tar.zst");
    let live = run(&["lo", "--for", "1s", "-o", bundle.to_str().unwrap()]);
    assert!(matches!(live.status.code(), Some(0 | 10)), "{}", text(&live.stderr));
    assert!(text(&live.stdout).starts_with("lo: "), "{}", text(&live.stdout));
    let again = run(&["lo", "--from", bundle.to_str().unwrap()]);
    assert_eq!((again.status.code(), again.stdout), (live.status.code(), live.stdout));
    assert_eq!(run(&[]).status.code(), Some(2));
}
