//! `cargo xtask bench bypass [FAULTS]`: how long a fault of a bypass interface lasts with `bondwitness bypass run`, beside a
//! shell loop that looks every few seconds.
//!
//! Runs the built program in a user and network namespace of its own; macvlan stands in for the VLAN. The time begins
//! before `ip` is started to do the damage and ends when the interface is read as wanted again, so it holds the start of
//! `ip` and up to a millisecond of our own looking.

use anyhow::{Context, Result, bail};
use bondwitness_core::plan::world::World;
use bondwitness_host::apply;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const INSIDE: &str = "inside";
/// Interfaces at a time; each gets one fault, because two within five minutes would be a contest.
const BATCH: usize = 40;
/// The seed's loop looks every 30 s; the one that is measured is shorter.
const LOOP: Duration = Duration::from_secs(2);

/// Runs the mode.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if args.first().is_some_and(|a| a == INSIDE) {
        return measure(args.get(1).map_or(Ok(200), |n| n.parse()).context("FAULTS is a number")?);
    }
    let mut command = Command::new("unshare");
    command.args(["-rn"]).arg(std::env::current_exe()?).args(["bench", "bypass", INSIDE]).args(args);
    let status = command.status().context("cannot start unshare")?;
    if status.success() { Ok(()) } else { bail!("the measurement failed") }
}

fn program() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("bondwitness");
    if path.is_file() { Ok(path) } else { bail!("no {}: build it first", path.display()) }
}

fn ip(args: &[&str]) -> Result<()> {
    let status = Command::new("ip").args(args).status().context("cannot start ip")?;
    if status.success() { Ok(()) } else { bail!("ip {} failed", args.join(" ")) }
}

fn as_wanted(world: &World, name: &str) -> bool {
    world.named(name).is_some_and(|l| l.up && l.mtu == 1400 && l.txqueuelen == 500 && l.alias.is_some())
}

fn wait(what: &str, so: impl Fn(&World) -> bool) -> Result<()> {
    let begun = Instant::now();
    while !so(&apply::look()?) {
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("{what} does not come");
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    Ok(())
}

fn measure(faults: usize) -> Result<()> {
    ip(&["link", "add", "v0", "type", "veth", "peer", "name", "v1"])?;
    ip(&["link", "set", "v0", "up"])?;
    let folder = std::env::temp_dir().join(format!("bondwitness-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = rounds(faults, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    let (ours, shell) = (result?, shell_loop(8)?);
    println!("# time until a fault is repaired, milliseconds");
    for kind in KINDS {
        row(kind, ours.iter().filter(|(k, _)| *k == kind).map(|(_, t)| *t).collect());
    }
    row("all", ours.iter().map(|(_, t)| *t).collect());
    row("shell loop, deletion only", shell.clone());
    let mean = shell.iter().map(Duration::as_secs_f64).sum::<f64>() / shell.len().max(1) as f64;
    println!(
        "the shell loop looked every {} s; one that looks every 30 s: {:.1} s in the mean, and no other fault at all",
        LOOP.as_secs(),
        mean / LOOP.as_secs_f64() * 30.0
    );
    Ok(())
}

const KINDS: [&str; 5] = ["delete", "down", "mtu", "txqueuelen", "alias"];

fn rounds(faults: usize, folder: &Path) -> Result<Vec<(&'static str, Duration)>> {
    let mut times = Vec::new();
    while times.len() < faults {
        let count = BATCH.min(faults - times.len());
        let mut yaml = "bypass:\n".to_owned();
        for i in 0..count {
            let _ = writeln!(
                yaml,
                "  - {{name: b{i}, kind: macvlan, member: v0, mtu: 1400, txqueuelen: 500, allow: [no-bond]}}"
            );
        }
        std::fs::write(folder.join("wanted.yaml"), yaml)?;
        let mut child = start(folder)?;
        let done = batch(count, &mut times);
        let _ = child.kill();
        let _ = child.wait();
        done?;
        let status = Command::new(program()?)
            .args(["bypass", "remove", "--state"])
            .arg(folder.join("state"))
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            bail!("cannot remove the interfaces");
        }
    }
    Ok(times)
}

fn start(folder: &Path) -> Result<Child> {
    Command::new(program()?)
        .args(["bypass", "run"])
        .arg(folder.join("wanted.yaml"))
        .arg("--state")
        .arg(folder.join("state"))
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start the program")
}

fn batch(count: usize, times: &mut Vec<(&'static str, Duration)>) -> Result<()> {
    let last = format!("b{}", count.saturating_sub(1));
    wait("the first look", |w| as_wanted(w, &last))?;
    for i in 0..count {
        let name = format!("b{i}");
        let kind = KINDS.get(i % KINDS.len()).copied().unwrap_or("delete");
        let args: Vec<&str> = match kind {
            "delete" => vec!["link", "delete", &name],
            "down" => vec!["link", "set", &name, "down"],
            "mtu" => vec!["link", "set", &name, "mtu", "1300"],
            "txqueuelen" => vec!["link", "set", &name, "txqueuelen", "9"],
            _ => vec!["link", "set", &name, "alias", ""],
        };
        let before = apply::look()?.named(&name).map(|l| l.index);
        let begun = Instant::now();
        ip(&args)?;
        wait(kind, |w| as_wanted(w, &name))?;
        let took = begun.elapsed();
        // An interface that never went has not been repaired.
        let after = apply::look()?.named(&name).map(|l| l.index);
        if kind == "delete" && before == after {
            bail!("{name} was not deleted");
        }
        times.push((kind, took));
        std::thread::sleep(Duration::from_millis(30));
    }
    Ok(())
}

/// The seed's watcher: makes the interface again if it is not there.
fn shell_loop(faults: u32) -> Result<Vec<Duration>> {
    let script = format!(
        "while :; do ip link show s0 >/dev/null 2>&1 || {{ ip link add link v0 name s0 type macvlan; ip \
            link set s0 mtu 1400 txqueuelen 500 up; }}; sleep {}; done",
        LOOP.as_secs()
    );
    let mut child = Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).spawn()?;
    let there = |w: &World| w.named("s0").is_some_and(|l| l.up && l.txqueuelen == 500);
    let mut times = Vec::new();
    for i in 0..faults {
        wait("the shell's interface", there)?;
        // At all phases of its sleep.
        std::thread::sleep(LOOP.mul_f64(f64::from(i) / f64::from(faults)));
        let begun = Instant::now();
        ip(&["link", "delete", "s0"])?;
        wait("the shell's repair", there)?;
        times.push(begun.elapsed());
    }
    child.kill()?;
    child.wait()?;
    Ok(times)
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| {
        let index = ((times.len().saturating_sub(1)) as f64 * share).round() as usize;
        times.get(index).map_or(0.0, Duration::as_secs_f64) * 1000.0
    };
    println!(
        "{name:<26} n {:>3}  p50 {:>8.1}  p99 {:>8.1}  max {:>8.1}",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
