//! One boot of a guest that measures (`cargo xtask bench live`): the program on real bonds, beside what people use instead.

use super::packages::{KERNELS, Packages};
use super::qemu::{self, Machine};
use super::{build, image, initramfs, modules, trial};
use crate::generated;
use anyhow::{Context, Result};
use bondwitness_guest::bench_plan::{Bench, ROWS, Row};
use bondwitness_guest::plan::Plan;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Hundreds of members, and an interpreter with its libraries.
const MACHINE: Machine = Machine {
    memory: 3000,
    limit: Duration::from_secs(5400),
    emulator: None,
    devices: Vec::new(),
    ipv6: false,
};

/// Of the rivals' packages: what no program of theirs reads, and the folders that the guest has already.
const WITHOUT: [&str; 16] = [
    "bin",
    "sbin",
    "lib",
    "var/lib/dpkg",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/zoneinfo",
    "usr/share/wireshark",
    "usr/share/icons",
    "usr/share/perl5",
    "usr/share/lintian",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/wireshark",
    "usr/lib/x86_64-linux-gnu/libwireshark",
    "usr/lib/x86_64-linux-gnu/libopus",
];

/// What a boot answered.
pub(crate) struct Answers {
    /// In the order of the plan.
    pub(crate) rows: Vec<Row>,
    /// The folder with the bundles.
    pub(crate) folder: PathBuf,
    /// Wall time of the boot.
    pub(crate) wall: Duration,
}

/// Boots the newest kernel of the lab once with this plan; `name` is its folder in `target/vm/runs`.
pub(crate) fn run(name: &str, bench: &Bench) -> Result<Answers> {
    let folder = generated::repository().join("target/vm");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = fs::canonicalize(&folder).context("cannot find target/vm")?;
    qemu::need()?;
    let packages = Packages::new(&folder);
    let (userland, rivals) = (packages.userland()?, packages.rivals()?);
    let [kernel, ..] = KERNELS;
    let root = packages.kernel(kernel)?;
    let (guest, program) = (build(&folder, "bondwitness-guest")?, build(&folder, trial::PROGRAM)?);
    // The rivals first: what both have is then the guest's.
    let mut initrd = initramfs::tree(&rivals, &WITHOUT)?;
    initrd.extend(initramfs::base(&userland, &modules::load(&root)?, &guest)?);
    initrd.extend(initramfs::program("bondwitness", &fs::read(&program).context("cannot read the program")?));
    initrd.extend(initramfs::program("etc/passwd", b"root:x:0:0:root:/:/usr/bin/dash\n"));
    initrd.extend(initramfs::program("etc/group", b"root:x:0:\n"));
    let plan =
        Plan { stagger_ms: 0, own: false, runs: Vec::new(), paths: Vec::new(), bench: Some(bench.clone()) };
    initrd.extend(initramfs::plan(&serde_json::to_vec(&plan).context("cannot write the plan")?));
    let place = folder.join("runs").join(format!("bench-{name}"));
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
    }
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let path = place.join("initrd");
    fs::write(&path, &initrd).context("cannot write the initramfs")?;
    let booted = qemu::boot_on(&MACHINE, &image(&root)?, &path, &place)?;
    let tar = File::open(&booted.disk).context("cannot open the disk")?;
    tar::Archive::new(std::io::BufReader::new(tar)).unpack(&place).context("cannot unpack the answers")?;
    for used in [&path, &booted.disk] {
        fs::remove_file(used).with_context(|| format!("cannot remove {}", used.display()))?;
    }
    let folder = place.join("bench");
    Ok(Answers { rows: rows(&folder)?, folder, wall: booted.wall })
}

/// The answers in a folder.
fn rows(folder: &Path) -> Result<Vec<Row>> {
    let path = folder.join(ROWS);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines().map(|l| serde_json::from_str(l).with_context(|| format!("cannot read {l:?}"))).collect()
}
