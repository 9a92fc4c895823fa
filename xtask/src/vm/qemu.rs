//! Booting a guest: QEMU with an emulated processor whose clock counts instructions.
//!
//! With `-icount shift=0,sleep=off` an instruction takes a nanosecond of the guest's time and idle time is skipped, so
//! what the guest measures does not depend on how busy this machine is.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-x86_64";

/// Boots crash now and then (the emulator, not what runs in it); a boot that fails this often fails for a reason.
const TRIES: usize = 3;

/// Size of the disk that takes the evidence; the file is sparse.
const DISK: u64 = 1 << 30;

/// What the guest prints when it has written everything.
const FINISHED: &str = "guest exit 0";

/// What a boot took.
pub(crate) struct Booted {
    /// The image with the tar.
    pub(crate) disk: PathBuf,
    /// Wall time of the boot that succeeded.
    pub(crate) wall: Duration,
    /// How often it was tried.
    pub(crate) tries: usize,
    /// The guest's own last words.
    pub(crate) said: String,
}

/// What a guest has beside processor, memory, console and disk.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Memory, MiB.
    pub(crate) memory: u32,
    /// A boot that takes longer hangs.
    pub(crate) limit: Duration,
    /// Unpacked packages with the emulator to take in place of this machine's.
    pub(crate) emulator: Option<PathBuf>,
    /// More arguments for the emulator.
    pub(crate) devices: Vec<String>,
    /// The guest has IPv6. Otherwise its kernel is told not to, which keeps traffic of its own off the wires.
    pub(crate) ipv6: bool,
}

impl Machine {
    /// With nothing beside, and time for a machine that has other things to do.
    pub(crate) const PLAIN: Self = Self {
        memory: 1000,
        limit: Duration::from_secs(3600),
        emulator: None,
        devices: Vec::new(),
        ipv6: false,
    };

    fn command(&self) -> Command {
        let Some(root) = &self.emulator else { return Command::new(QEMU) };
        // With the loader and the libraries of its own release; modules of this machine's emulator would not fit.
        let libraries = root.join("usr/lib/x86_64-linux-gnu");
        let mut command = Command::new(root.join("usr/lib64/ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(&libraries).arg(root.join("usr/bin").join(QEMU));
        command.arg("-L").arg(root.join("usr/share/qemu")).arg("-L").arg(root.join("usr/share/seabios"));
        command.env("QEMU_MODULE_DIR", libraries.join("qemu"));
        command
    }
}

/// Makes sure that QEMU is there.
pub(crate) fn need() -> Result<()> {
    super::packages::need(QEMU, "qemu-system-x86")
}

/// Boots `kernel` with `initrd` until the guest turns itself off. Files are made in `folder`.
pub(crate) fn boot(kernel: &Path, initrd: &Path, folder: &Path) -> Result<Booted> {
    boot_on(&Machine::PLAIN, kernel, initrd, folder)
}

/// The same with another machine.
pub(crate) fn boot_on(machine: &Machine, kernel: &Path, initrd: &Path, folder: &Path) -> Result<Booted> {
    let disk = folder.join("disk.img");
    let mut last = String::new();
    for tries in 1..=TRIES {
        let file = File::create(&disk).with_context(|| format!("cannot create {}", disk.display()))?;
        file.set_len(DISK).context("cannot size the disk")?;
        let console = folder.join(format!("console-{tries}.txt"));
        let begun = Instant::now();
        let end = once(machine, kernel, initrd, &disk, &console)?;
        let wall = begun.elapsed();
        let text =
            String::from_utf8_lossy(&fs::read(&console).context("cannot read the console")?).into_owned();
        if text.contains(FINISHED) {
            let said = text
                .lines()
                .rev()
                .find_map(|l| l.split_once("guest: "))
                .map_or("", |(_, said)| said)
                .trim()
                .to_owned();
            return Ok(Booted { disk, wall, tries, said });
        }
        let tail: Vec<&str> = text.lines().rev().take(12).collect();
        last = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        println!("vm: boot {} failed ({end}), try {tries} of {TRIES}", folder.display());
        // What the driver itself says will not be different next time.
        if text.contains("guest exit ") {
            break;
        }
    }
    bail!("the guest of {} did not finish; its console ends:\n{last}", folder.display())
}

/// One try; returns how QEMU ended.
fn once(machine: &Machine, kernel: &Path, initrd: &Path, disk: &Path, console: &Path) -> Result<String> {
    let output = File::create(console).with_context(|| format!("cannot create {}", console.display()))?;
    let mut command = machine.command();
    if !machine.devices.is_empty() {
        // Sockets among them are named without a folder: their paths may have 108 octets only.
        command.current_dir(initrd.parent().context("the initramfs lies in no folder")?);
    }
    let ipv6 = if machine.ipv6 { "" } else { "ipv6.disable=1 " };
    let mut child = command
        .args(["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"])
        .args(["-cpu", "Nehalem,-cx16", "-smp", "1", "-nographic", "-no-reboot", "-nodefaults"])
        .args(["-m", &machine.memory.to_string()])
        // The guest's clock does not depend on the day either.
        .args(["-rtc", "base=2026-01-01T00:00:00,clock=vm"])
        .args(["-serial", "stdio", "-append"])
        .arg(format!(
            "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable {ipv6}log_buf_len=4M random.trust_bootloader=on"
        ))
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initrd)
        .arg("-drive")
        .arg(format!("file={},format=raw,if=virtio,cache=unsafe", disk.display()))
        .args(&machine.devices)
        .stdin(Stdio::null())
        .stdout(output.try_clone().context("cannot share the console")?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("cannot start {QEMU}"))?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for QEMU")? {
            return Ok(status.to_string());
        }
        if begun.elapsed() > machine.limit {
            child.kill().context("cannot stop QEMU")?;
            child.wait().context("cannot wait for QEMU")?;
            return Ok(format!("stopped after {} s", machine.limit.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
