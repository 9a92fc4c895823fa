//! `cargo xtask vm --bypass` and `--live`: the built program on real bonds, in a guest, as a script asks of it
//! (`crates/guest/bypass/trial.sh`, `crates/guest/live/trial.sh`).

use super::packages::{self, Kernel, Packages};
use super::{TARGET, image, initramfs, modules, qemu};
use crate::generated;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    let program = build(folder)?;
    let mut failed = Vec::new();
    for kernel in kernels {
        let root = packages.kernel(*kernel)?;
        let mut initrd = initramfs::base(userland, &modules::load(&root)?, &script(trial))?;
        initrd.extend(initramfs::program(
            "bondwitness",
            &fs::read(&program).context("cannot read the program")?,
        ));
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

/// Builds the program, linked statically: the guest has another C library than this machine.
pub(super) fn build(folder: &Path) -> Result<PathBuf> {
    let target = folder.join("build");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("vm: building the program");
    let mut command = Command::new(cargo);
    command
        .current_dir(generated::repository())
        .args(["build", "--quiet", "--locked", "--profile", "guest", "-p", "bondwitness", "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    packages::run(&mut command)?;
    Ok(target.join(TARGET).join("guest/bondwitness"))
}
