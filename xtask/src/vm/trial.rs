//! `cargo xtask vm --bypass` and `--live`: the built program on real bonds, in a guest, as a script asks of it
//! (`crates/guest/bypass/trial.sh`, `crates/guest/live/trial.sh`).

use super::packages::{Kernel, Packages};
use super::{build, image, initramfs, modules, qemu};
use crate::generated;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The program under trial, as package and as it is called in the guest's first folder.
pub(super) const PROGRAM: &str = "bondwitness";

/// What the guest runs in place of its driver: `bypass` or `live`.
fn script(trial: &str) -> PathBuf {
    generated::repository().join("crates/guest").join(trial).join("trial.sh")
}

/// Boots each kernel once; complains of each statement that does not hold.
pub(crate) fn run(
    trial: &str,
    kernels: &[Kernel],
    packages: &Packages,
    userland: &Path,
    folder: &Path,
) -> Result<()> {
    let program = build(folder, PROGRAM)?;
    let mut failed = Vec::new();
    for kernel in kernels {
        let root = packages.kernel(*kernel)?;
        let mut initrd = initramfs::base(userland, &modules::load(&root)?, &script(trial))?;
        initrd.extend(initramfs::program(PROGRAM, &fs::read(&program).context("cannot read the program")?));
        let place = folder.join("runs").join(format!("{trial}-{}", kernel.name));
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        let path = place.join("initrd");
        fs::write(&path, &initrd).context("cannot write the initramfs")?;
        let booted = qemu::boot(&image(&root)?, &path, &place);
        for used in ["initrd", "disk.img"] {
            let _ = fs::remove_file(place.join(used));
        }
        match booted {
            Ok(booted) => {
                println!("vm: {}: {}, {:.1} s", kernel.name, booted.said, booted.wall.as_secs_f64())
            }
            Err(e) => failed.push(format!("{}: {e:#}", kernel.name)),
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}
