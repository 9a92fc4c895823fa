//! `bondwitness bypass` on the running kernel: in a user and network namespace of its own, with macvlan standing in for
//! the VLAN where the kernel has no 8021q module.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests fail by panicking, and run programs"
)]

use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const INSIDE: &str = "BONDWITNESS_TEST_INSIDE";

/// Runs a test of this file again inside of new namespaces; true if this is that run.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let works = |program: &str, args: &[&str]| {
        Command::new(program).args(args).output().is_ok_and(|o| o.status.success())
    };
    let probe = "ip link add v0 type veth peer name v1 && ip link add link v0 name m0 type macvlan";
    if !works("unshare", &["-rn", "sh", "-c", probe]) {
        eprintln!("skipped: no namespaces, no iproute2 or no macvlan here");
        return false;
    }
    let me = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .arg("-rn")
        .arg(me)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("1 passed"), "{}", text(&output.stdout));
    false
}

fn ip(args: &str) {
    let output = Command::new("ip").args(args.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Names of all interfaces with what `ip` tells of them.
fn links() -> Vec<Value> {
    let output = Command::new("ip").args(["-j", "-d", "link"]).output().unwrap();
    serde_json::from_slice::<Vec<Value>>(&output.stdout).unwrap()
}

fn link(name: &str) -> Option<Value> {
    links().into_iter().find(|l| l["ifname"] == name)
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(yaml: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        ip("link add v0 type veth peer name v1");
        ip("link set v0 up");
        ip("link set v1 up");
        world.want(yaml);
        world
    }

    fn want(&self, yaml: &str) {
        std::fs::write(self.path("wanted.yaml"), yaml).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_bondwitness"));
        c.args(["bypass", verb]);
        if verb != "remove" {
            c.arg(self.path("wanted.yaml"));
        }
        c.args(["--state", &self.path("state"), "--json"]).args(more).stdin(Stdio::null());
        c
    }

    fn run(&self, verb: &str, more: &[&str]) -> (i32, Value, String) {
        let Output { status, stdout, stderr } = self.command(verb, more).output().unwrap();
        let json = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
        (status.code().unwrap_or(-1), json, String::from_utf8_lossy(&stderr).into_owned())
    }

    fn start(&self) -> Child {
        let out = std::fs::File::create(self.path("log")).unwrap();
        let ready = self.path("ready");
        let child = self.command("run", &["--ready-file", &ready]).stdout(out).spawn().unwrap();
        until("ready", || Path::new(&ready).exists());
        child
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }
}

/// Waits until something is so; how long that took. The reconciler has two seconds for each repair.
fn until(what: &str, so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(2));
    }
    begun.elapsed()
}

fn entry(name: &str) -> String {
    format!(
        "  - {{name: {name}, kind: macvlan, member: v0, mtu: 1400, qdisc: pfifo, txqueuelen: 500, allow: [no-bond]}}\n"
    )
}

fn as_wanted(name: &str) -> bool {
    link(name).is_some_and(|l| {
        l["mtu"] == 1400
            && l["txqlen"] == 500
            && l["qdisc"] == "pfifo"
            && l["linkinfo"]["info_kind"] == "macvlan"
            && l["ifalias"].as_str().is_some_and(|a| a.starts_with("bondwitness:"))
            && l["flags"].as_array().unwrap().contains(&"UP".into())
    })
}

#[test]
fn one_shot_commands_and_their_exit_codes() {
    if !inside("one_shot_commands_and_their_exit_codes") {
        return;
    }
    let world = World::new(&format!("bypass:\n{}", entry("vpn0")));
    let (code, json, _) = world.run("plan", &[]);
    assert_eq!(
        (code, json["steps"].as_array().unwrap().len(), &json["schema"]),
        (0, 5, &"bondwitness/bypass/v1".into())
    );
    assert_eq!(world.run("plan", &["--ready"]).0, 1);
    let (code, json, _) = world.run("apply", &["--dry-run"]);
    assert!(code == 0 && json["writes"].is_null() && link("vpn0").is_none());
    let (code, json, _) = world.run("apply", &[]);
    assert!(code == 0 && json["writes"] == 5 && as_wanted("vpn0"), "{json:#}");
    let (code, json, _) = world.run("apply", &[]);
    assert!(code == 0 && json["writes"] == 0 && json["ready"] == true, "{json:#}");
    assert_eq!(world.run("plan", &["--ready"]).0, 0);
    // The records are lost, the mark is not.
    std::fs::remove_file(world.path("state/bypass.json")).unwrap();
    assert_eq!(world.run("apply", &[]).1["writes"], 0);
    // The kernel's own words, and nothing left behind.
    world.want(&format!("bypass:\n{}{}", entry("vpn0"), entry("vpn1").replace("pfifo", "nosuchkind")));
    let before = links().len();
    let (code, json, _) = world.run("apply", &[]);
    let what = json["failed"][0]["what"].as_str().unwrap();
    assert!(code == 1 && what.contains("qdisc") && what.contains("unknown"), "{json:#}");
    assert_eq!(links().len(), before);
    // What others made stays.
    ip("link add link v0 name other type macvlan");
    world.want(&format!("bypass:\n{}", entry("other")));
    let (code, json, _) = world.run("plan", &[]);
    assert!(code == 5 && json["refused"][0]["why"].as_str().unwrap().contains("did not make"), "{json:#}");
    assert_eq!(world.run("remove", &["other"]).0, 5);
    // A member that is not there, and a file that is wrong.
    world.want(&format!("bypass:\n{}", entry("vpn0").replace("v0,", "v9,")));
    assert_eq!(world.run("plan", &[]).0, 3);
    world.want("bypass:\n  - {name: vpn0, vlan: 4095, bond: bond0}\n");
    let (code, _, error) = world.run("plan", &[]);
    assert!(code == 2 && error.contains("line 2") && error.contains("help: "), "{error}");
    // An address is somebody's.
    ip("address add 192.0.2.1/24 dev vpn0");
    assert_eq!(world.run("remove", &[]).0, 5);
    assert!(as_wanted("vpn0"));
    assert_eq!(world.run("remove", &["vpn0", "--in-use"]).0, 0);
    assert!(link("vpn0").is_none() && link("other").is_some());
}

#[test]
fn the_reconciler_repairs_what_changes_and_yields_to_a_rival() {
    if !inside("the_reconciler_repairs_what_changes_and_yields_to_a_rival") {
        return;
    }
    let names = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"];
    let world = World::new(&format!("bypass:\n{}", names.map(entry).concat()));
    let mut child = world.start();
    assert!(names.into_iter().all(as_wanted));
    let (code, _, error) = world.run("apply", &[]);
    assert!(code == 6 && error.contains(&format!("process {}", child.id())), "{error}");
    let faults = [
        ("a0", "link delete a0"),
        ("a1", "link set a1 down"),
        ("a2", "link set a2 mtu 1300"),
        ("a3", "link set a3 txqueuelen 9"),
        ("a4", "link set a4 alias "),
        ("a5", "link set a5 down name b5"),
    ];
    for (name, fault) in faults {
        // An empty last argument clears an alias.
        let mut args: Vec<&str> = fault.split(' ').collect();
        if fault.ends_with(' ') {
            args.pop();
            args.push("");
        }
        assert!(Command::new("ip").args(args).status().unwrap().success(), "{fault}");
        assert!(until(fault, || as_wanted(name)) < Duration::from_secs(2));
    }
    // A change of the queue comes by another way.
    let tc = Command::new("tc").args(["qdisc", "delete", "dev", "a6", "root"]).status();
    assert!(tc.unwrap().success());
    assert!(until("the qdisc", || as_wanted("a6")) < Duration::from_secs(2));
    assert!(link("b5").is_none() && names.into_iter().all(as_wanted));
    // Undone once more: a rival.
    ip("link set a2 mtu 1300");
    until("the contest", || world.log().contains("\"contested\""));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(link("a2").unwrap()["mtu"], 1300);
    until("not ready", || !Path::new(&world.path("ready")).exists());
    // The others are looked after all the same.
    ip("link set a7 txqueuelen 9");
    until("the other repair", || as_wanted("a7"));
    let log = world.log();
    assert_eq!(log.lines().filter(|l| l.contains("contested")).count(), 1, "{log}");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(link("a1").is_some(), "the interfaces stay");
}

#[test]
fn killed_at_any_moment_nothing_is_left_behind() {
    if !inside("killed_at_any_moment_nothing_is_left_behind") {
        return;
    }
    let world = World::new(&format!("bypass:\n{}{}", entry("vpn0"), entry("vpn1")));
    let whole = {
        let begun = Instant::now();
        assert_eq!(world.run("apply", &[]).0, 0);
        begun.elapsed()
    };
    let mut killed = 0;
    for i in 0..40u32 {
        assert_eq!(world.run("remove", &[]).0, 0);
        let mut child = world.command("apply", &[]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(i) / 40.0));
        let _ = child.kill();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let (code, json, error) = world.run("apply", &[]);
        assert_eq!(code, 0, "{json:#} {error}");
        assert!(as_wanted("vpn0") && as_wanted("vpn1"));
        // lo, the pair, and ours: nothing half made.
        assert_eq!(links().len(), 5, "{:?}", links());
        assert_eq!(world.run("apply", &[]).1["writes"], 0);
    }
    assert!(killed > 10, "killed only {killed} times before it was done");
}
