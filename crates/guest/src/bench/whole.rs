//! The whole program: a bundle of a minute, and one without a window beside `sos report`.

use super::world::World;
use super::{OUT, PROGRAM, keep, ns};
use anyhow::{Context, Result};
use bondwitness_guest::bench_plan::Row;
use bondwitness_host::usage::run_measured;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A bundle of a minute.
pub(super) fn bundle(members: usize) -> Result<()> {
    let world = World::new(members)?;
    let path = Path::new(OUT).join(format!("minute-{members}.tar.zst"));
    let path = path.to_string_lossy();
    measured(
        "bundle",
        members,
        "collect --for 60",
        &path,
        &[PROGRAM, "collect", "--for", "60", "-o", &path],
    )?;
    world.remove()
}

/// A bundle without a window, and `sos report` of the same host.
pub(super) fn sos(members: usize) -> Result<()> {
    let world = World::new(members)?;
    let listed = fs::read_dir("/sys/class/net").context("cannot list the links")?;
    let links = listed.flatten().filter(|e| e.path().join("ifindex").exists()).count();
    for n in 1..=3 {
        let path = format!("{OUT}/now-{members}-{n}.tar.zst");
        let args = [PROGRAM, "collect", "--for", "0", "-o", path.as_str()];
        measured("sos", links, "collect --for 0", &path, &args)?;
    }
    let folder = format!("{OUT}/sos-{members}");
    fs::create_dir_all(&folder).context("cannot make a folder")?;
    let args =
        ["/usr/bin/python3", "/usr/bin/sos", "report", "--batch", "-o", "networking", "--tmp-dir", &folder];
    measured("sos", links, "sos report --batch -o networking", &folder, &args)?;
    world.remove()
}

fn measured(part: &str, of: usize, label: &str, out: &str, args: &[&str]) -> Result<()> {
    let (program, args) = args.split_first().context("no program")?;
    let usage =
        run_measured(Command::new(program).args(args)).with_context(|| format!("cannot run {label}"))?;
    let octets = if Path::new(out).is_dir() {
        fs::read_dir(out)?.flatten().filter_map(|e| e.metadata().ok()).map(|m| m.len()).max().unwrap_or(0)
    } else {
        fs::metadata(out).with_context(|| format!("{label} wrote nothing"))?.len()
    };
    let numbers = [("octets", octets), ("max_rss", usage.max_rss_bytes)]
        .map(|(k, v)| (k.to_owned(), i64::try_from(v).unwrap_or(0)))
        .into();
    keep(&Row {
        part: part.to_owned(),
        of: of.to_string(),
        label: label.to_owned(),
        cpu_ns: ns(usage.cpu_seconds),
        wall_ns: ns(usage.wall_seconds),
        numbers,
    })
}
