//! `cargo xtask vm --differ`: what the collectors read on real kernels and drivers, compared leaf by leaf with what `ip`,
//! `tc`, `bridge`, `ethtool` and `tcpdump` say at the same moment (`crates/guest/differ`).
//!
//! Two guests of each kernel: the cloud image with virtual interfaces, and the image with all drivers, whose bonds are made of
//! adapters that the emulator has. The values on our side are the records of the product's own parsers.

mod frames;
mod leaves;
mod ours;
mod table;

use super::packages::{Image, Kernel, Packages};
use super::qemu::Machine;
use super::{image, initramfs, modules, qemu, trial};
use crate::generated;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What the guest runs, and beside it what of the other tools' output is compared with what.
const FOLDER: &str = "crates/guest/differ";

/// Modules that other guests do without, or that must come first: `libcrc32c`, which `nf_tables` needs, looks for the first one
/// when it is loaded, and no symbol tells of it.
const MODULES: [&str; 13] = [
    "crc32c_generic",
    "virtio_net",
    "e1000e",
    "igb",
    "sch_fq",
    "sch_mqprio",
    "sch_prio",
    "act_vlan",
    "ipv6",
    "bridge",
    "8021q",
    "macvlan",
    "ipvlan",
];

/// Kinds of emulated adapters: the device, the first letters of its interfaces, the number in their addresses.
const ADAPTERS: [(&str, &str, u8); 3] = [("e1000e", "ee", 1), ("igb", "gb", 2), ("virtio-net-pci", "vi", 3)];

/// A guest of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flavour {
    name: &'static str,
    image: Image,
}

const FLAVOURS: [Flavour; 2] =
    [Flavour { name: "cloud", image: Image::Cloud }, Flavour { name: "full", image: Image::Full }];

/// Which guests: of these kernels, those whose name begins so.
fn guests<'k>(
    kernels: &'k [Kernel],
    only: Option<&'k str>,
) -> impl Iterator<Item = (&'k Kernel, Flavour)> + 'k {
    kernels
        .iter()
        .flat_map(|k| FLAVOURS.map(|f| (k, f)))
        .filter(move |(_, f)| only.is_none_or(|o| f.name.starts_with(o)))
}

fn place(folder: &Path, kernel: &Kernel, flavour: Flavour) -> PathBuf {
    folder.join("runs").join(format!("differ-{}-{}", kernel.name, flavour.name))
}

/// Boots each guest once, then compares.
pub(super) fn run(
    kernels: &[Kernel],
    only: Option<&str>,
    packages: &Packages,
    userland: &Path,
    folder: &Path,
) -> Result<()> {
    let program = fs::read(super::build(folder, trial::PROGRAM)?).context("cannot read the program")?;
    let capture = packages.capture()?;
    let script = generated::repository().join(FOLDER).join("trial.sh");
    let mut failed = Vec::new();
    for (kernel, flavour) in guests(kernels, only) {
        let root = packages.image(*kernel, flavour.image)?;
        let mut initrd = initramfs::base(userland, &modules::load_with(&root, &MODULES)?, &script)?;
        initrd.extend(initramfs::programs(userland, &["usr/sbin/bridge"])?);
        initrd.extend(initramfs::programs(&capture, &["usr/bin/tcpdump"])?);
        initrd.extend(initramfs::program("bondwitness", &program));
        let place = place(folder, kernel, flavour);
        if place.exists() {
            fs::remove_dir_all(&place).with_context(|| format!("cannot empty {}", place.display()))?;
        }
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let path = place.join("initrd");
        fs::write(&path, &initrd).context("cannot write the initramfs")?;
        let machine = match flavour.image {
            Image::Cloud => machine(&ADAPTERS[2..], None),
            Image::Full => machine(&ADAPTERS, Some(packages.emulator()?)),
        };
        let booted = qemu::boot_on(&machine, &image(&root)?, &path, &place);
        let disk = place.join("disk.img");
        let unpacked = File::open(&disk)
            .map_err(anyhow::Error::from)
            .and_then(|tar| Ok(tar::Archive::new(std::io::BufReader::new(tar)).unpack(&place)?));
        for used in [&path, &disk] {
            let _ = fs::remove_file(used);
        }
        match booted {
            Ok(booted) => {
                unpacked.context("cannot unpack what the guest wrote")?;
                let wall = booted.wall.as_secs_f64();
                println!("vm: {} {}: {}, {wall:.1} s", kernel.name, flavour.name, booted.said);
            }
            Err(e) => failed.push(format!("{} {}: {e:#}", kernel.name, flavour.name)),
        }
    }
    if !failed.is_empty() {
        bail!("{}", failed.join("\n"));
    }
    judge(kernels, only, folder)
}

/// A machine with adapters: two cables for each kind, both ends of which are in the guest. What stands behind the second serial
/// line is the emulator's monitor, so that the guest can pull its own cables.
fn machine(adapters: &[(&str, &str, u8)], emulator: Option<PathBuf>) -> Machine {
    let mut devices: Vec<String> =
        ["-M", "q35", "-chardev", "socket,id=here,path=monitor.socket,server=on,wait=off"]
            .map(str::to_owned)
            .into();
    devices.extend(["-serial", "chardev:here"].map(str::to_owned));
    devices.extend(["-chardev", "socket,id=there,path=monitor.socket"].map(str::to_owned));
    devices.extend(["-mon", "chardev=there,mode=readline"].map(str::to_owned));
    let mut hub = 0;
    for (device, word, kind) in adapters {
        for n in 1..=2 {
            for (end, side) in [("n", 0), ("s", 8)] {
                let id = format!("{word}{n}{end}");
                let port = format!("{hub}{end}");
                devices.push("-netdev".to_owned());
                devices.push(format!("hubport,id=hub{port},hubid={hub}"));
                // A bus of its own for each: the virtual functions of igb take places beside it.
                devices.push("-device".to_owned());
                devices.push(format!("pcie-root-port,id=root{port},chassis={}", hub * 2 + 1 + side / 8));
                devices.push("-device".to_owned());
                devices.push(format!(
                    "{device},id={id},netdev=hub{port},bus=root{port},romfile=,mac=02:00:00:00:0{kind}:{side}{n}"
                ));
            }
            hub += 1;
        }
    }
    Machine { emulator, devices, ipv6: true, ..Machine::PLAIN }
}

/// How a tool came out.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    leaves: u64,
    equal: u64,
    excused: u64,
}

/// Compares what guests left; complains of each leaf that is neither equal nor excused, and of excuses that nothing needs.
pub(super) fn judge(kernels: &[Kernel], only: Option<&str>, folder: &Path) -> Result<()> {
    let file = generated::repository().join(FOLDER).join("fields.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let table = table::Table::read(&text)?;
    let mut used = table::Used::default();
    let mut complaints = Vec::new();
    let mut compared = 0;
    for (kernel, flavour) in guests(kernels, only) {
        let place = place(folder, kernel, flavour);
        let guest = format!("{} {}", kernel.name, flavour.name);
        let mut scores: BTreeMap<String, Score> = BTreeMap::new();
        // What we read must lie between what the other tools say before and after it.
        for (bundle, before, after) in
            [("moment.tar.zst", "before", "after"), ("while.tar.zst", "after", "last")]
        {
            let ours = ours::Ours::load(&place.join(bundle))?;
            // For whoever looks into a complaint.
            fs::write(place.join(format!("{bundle}.txt")), ours.to_string())
                .context("cannot write our facts")?;
            leaves::compare(
                &place.join(before),
                &place.join(after),
                &ours,
                &table,
                &mut used,
                &mut |tool, said| {
                    let score = scores.entry(tool.to_owned()).or_default();
                    score.leaves += 1;
                    match said {
                        leaves::Said::Equal => score.equal += 1,
                        leaves::Said::Excused => score.excused += 1,
                        leaves::Said::Wrong(why) => {
                            complaints.push(format!("{guest}: {bundle}: {tool}: {why}"))
                        }
                    }
                },
            )?;
        }
        let frames = frames::compare(&place.join("frames"), &place.join("while.tar.zst"))?;
        complaints.extend(frames.complaints.iter().map(|c| format!("{guest}: tcpdump: {c}")));
        println!("\n{guest}\n{:<20} {:>8} {:>8} {:>8}", "tool", "leaves", "equal", "excused");
        let mut total = Score::default();
        for (tool, s) in &scores {
            println!("{tool:<20} {:>8} {:>8} {:>8}", s.leaves, s.equal, s.excused);
            total.leaves += s.leaves;
            total.equal += s.equal;
            total.excused += s.excused;
        }
        println!("{:<20} {:>8} {:>8} {:>8}", "all", total.leaves, total.equal, total.excused);
        println!("{} LACPDUs as tcpdump saw them, on {} members", frames.equal, frames.members);
        compared += total.leaves;
    }
    if compared == 0 {
        bail!("nothing was compared");
    }
    // An excuse may be for one of the guests only.
    let all = only.is_none() && kernels.len() == super::KERNELS.len();
    if all {
        complaints.extend(table.unused(&used).into_iter().map(|row| format!("nothing needs {row}")));
    }
    for complaint in &complaints {
        println!("vm: {complaint}");
    }
    if complaints.is_empty() { Ok(()) } else { bail!("{} complaints", complaints.len()) }
}
