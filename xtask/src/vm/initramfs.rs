//! The guest's first and only file system: a `newc` cpio archive made in memory.
//!
//! Not compressed: the guest's processor is emulated, and unpacking would cost it more than QEMU pays for copying.
//! Archives can be joined end to end, so what changes from boot to boot (the plan) is a small one after the large one.
//!
//! Format: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use super::modules::Module;
use super::packages;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs of the userland that the guest's driver starts.
const PROGRAMS: [&str; 5] =
    ["usr/bin/ip", "usr/sbin/tc", "usr/sbin/nft", "usr/sbin/ethtool", "usr/bin/nstat"];

/// Where the plan lies in the guest.
pub(crate) const PLAN: &str = "plan.json";

/// The first process: makes the machine usable, starts the driver, and turns the machine off.
const INIT: &str = "\
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tracefs trace /sys/kernel/tracing
export PATH=/usr/bin:/usr/sbin:/bin LC_ALL=C HOME=/
for m in $(/bin/busybox cat /modules/order); do
    a=
    # Without it the module makes a bond of its own in every namespace.
    [ $m = bonding ] && a=max_bonds=0
    /bin/busybox insmod /modules/$m.ko $a || echo \"insmod $m failed\"
done
/guest
echo \"guest exit $?\"
/bin/busybox poweroff -f
";

/// A cpio archive under construction.
#[derive(Default)]
pub(crate) struct Cpio {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    inode: u32,
}

impl Cpio {
    /// Adds a file, and the folders above it.
    pub(crate) fn file(&mut self, path: &str, executable: bool, content: &[u8]) {
        self.above(path);
        self.entry(path, if executable { 0o100_755 } else { 0o100_644 }, content);
    }

    /// Adds the folders above a file.
    fn above(&mut self, path: &str) {
        let mut above = String::new();
        for part in path.rsplit_once('/').map_or("", |(folder, _)| folder).split('/') {
            if part.is_empty() {
                continue;
            }
            if !above.is_empty() {
                above.push('/');
            }
            above.push_str(part);
            self.folder(&above);
        }
    }

    /// Adds a folder, once.
    pub(crate) fn folder(&mut self, path: &str) {
        if self.folders.insert(path.to_owned()) {
            self.entry(path, 0o040_755, &[]);
        }
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.inode += 1;
        let size = content.len();
        // Magic, inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum.
        let header = format!(
            "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{size:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
            self.inode,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            path.len() + 1,
            0
        );
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad(4);
        self.bytes.extend_from_slice(content);
        self.pad(4);
    }

    /// Adds a symbolic link, and the folders above it.
    fn link(&mut self, path: &str, target: &str) {
        self.above(path);
        self.entry(path, 0o120_777, target.as_bytes());
    }

    fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    /// The finished archive, padded so that another can follow.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.pad(512);
        self.bytes
    }
}

/// The archive that is the same for all boots of one kernel.
pub(crate) fn base(userland: &Path, modules: &[Module], guest: &Path) -> Result<Vec<u8>> {
    let mut cpio = Cpio::default();
    for folder in ["proc", "sys", "dev", "run", "tmp", "out", "ns", "etc/iproute2"] {
        for (i, _) in folder.match_indices('/') {
            cpio.folder(&folder[..i]);
        }
        cpio.folder(folder);
    }
    cpio.file("init", true, INIT.as_bytes());
    cpio.file("bin/busybox", true, &read(&find(userland, "usr/bin/busybox")?)?);
    cpio.file("guest", true, &read(guest)?);
    for program in PROGRAMS {
        cpio.file(program, true, &read(&find(userland, program)?)?);
    }
    for (place, library) in libraries(userland, &PROGRAMS)? {
        cpio.file(&place, true, &read(&library)?);
    }
    let mut order = String::new();
    for module in modules {
        cpio.file(&format!("modules/{}.ko", module.name), false, &module.bytes);
        order.push_str(&module.name);
        order.push('\n');
    }
    cpio.file("modules/order", false, order.as_bytes());
    Ok(cpio.finish())
}

/// The small archive with the plan of one boot.
pub(crate) fn plan(json: &[u8]) -> Vec<u8> {
    let mut cpio = Cpio::default();
    cpio.file(PLAN, false, json);
    cpio.finish()
}

/// A small archive with one more program.
pub(crate) fn program(name: &str, content: &[u8]) -> Vec<u8> {
    let mut cpio = Cpio::default();
    cpio.file(name, true, content);
    cpio.finish()
}

/// An archive of everything below `root` but the places in `without` (how their paths begin), for programs that are more
/// than a file: interpreters, and what brings its own libraries.
pub(crate) fn tree(root: &Path, without: &[&str]) -> Result<Vec<u8>> {
    let mut cpio = Cpio::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(root).context("not below its root")?.to_string_lossy().into_owned();
            if without.iter().any(|w| name.starts_with(w)) {
                continue;
            }
            let kind = fs::symlink_metadata(&path).with_context(|| format!("cannot look at {name}"))?;
            if kind.is_symlink() {
                let target = fs::read_link(&path).with_context(|| format!("cannot read {name}"))?;
                cpio.link(&name, &target.to_string_lossy());
            } else if kind.is_dir() {
                folders.push(path);
            } else {
                cpio.file(&name, kind.permissions().mode() & 0o111 != 0, &read(&path)?);
            }
        }
    }
    Ok(cpio.finish())
}

/// A small archive with more programs of unpacked packages and the libraries they need.
pub(crate) fn programs(packages: &Path, programs: &[&str]) -> Result<Vec<u8>> {
    let mut cpio = Cpio::default();
    for program in programs {
        cpio.file(program, true, &read(&find(packages, program)?)?);
    }
    for (place, library) in libraries(packages, programs)? {
        cpio.file(&place, true, &read(&library)?);
    }
    Ok(cpio.finish())
}

/// The libraries that the programs need, as the release's own loader finds them: the place in the guest, the file here.
fn libraries(userland: &Path, programs: &[&str]) -> Result<BTreeSet<(String, PathBuf)>> {
    const LOADER: &str = "ld-linux-x86-64.so.2";
    let folder = userland.join("usr/lib/x86_64-linux-gnu");
    let loader = find(userland, &format!("usr/lib64/{LOADER}"))?;
    let mut found = BTreeSet::from([(format!("lib64/{LOADER}"), loader.clone())]);
    for program in programs {
        let mut list = Command::new(&loader);
        list.arg("--library-path").arg(&folder).arg("--list").arg(find(userland, program)?);
        let text = packages::output(&mut list)?;
        for line in text.lines() {
            // `libc.so.6 => /path/libc.so.6 (0x...)`; the loader itself and the vDSO have no arrow or are known.
            let Some((name, rest)) = line.trim().split_once(" => ") else { continue };
            let path = Path::new(rest.split(" (").next().unwrap_or_default());
            if name.contains(LOADER) {
                continue;
            }
            if !path.starts_with(userland) {
                bail!("{program} needs {name}, which is not in the fetched packages ({rest})");
            }
            found.insert((format!("usr/lib/x86_64-linux-gnu/{name}"), path.to_owned()));
        }
    }
    Ok(found)
}

/// A file of the userland; Debian 12 still has some of them outside /usr.
fn find(userland: &Path, path: &str) -> Result<PathBuf> {
    for candidate in [path, path.trim_start_matches("usr/")] {
        let file = userland.join(candidate);
        if file.is_file() {
            return Ok(file);
        }
    }
    bail!("the fetched packages have no {path}")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_lists_folders_before_their_files() {
        let mut cpio = Cpio::default();
        cpio.file("a/b/c", true, b"12345");
        cpio.file("a/d", false, b"");
        let bytes = cpio.finish();
        assert_eq!(bytes.len() % 512, 0);
        // Read back by the format's own rules.
        let field = |at: usize, n: usize| {
            let hex = std::str::from_utf8(&bytes[at + 6 + n * 8..at + 14 + n * 8]).unwrap();
            usize::from_str_radix(hex, 16).unwrap()
        };
        let mut at = 0;
        let mut names = Vec::new();
        loop {
            assert_eq!(&bytes[at..at + 6], b"070701");
            let (mode, size, name_size) = (field(at, 1), field(at, 6), field(at, 11));
            let name = String::from_utf8(bytes[at + 110..at + 110 + name_size - 1].to_vec()).unwrap();
            if name == "TRAILER!!!" {
                break;
            }
            let content = (at + 110 + name_size).next_multiple_of(4);
            names.push((name, mode, bytes[content..content + size].to_vec()));
            at = (content + size).next_multiple_of(4);
        }
        let expected = [
            ("a", 0o040_755, &b""[..]),
            ("a/b", 0o040_755, b""),
            ("a/b/c", 0o100_755, b"12345"),
            ("a/d", 0o100_644, b""),
        ];
        let expected: Vec<_> = expected.iter().map(|(n, m, c)| ((*n).to_owned(), *m, c.to_vec())).collect();
        assert_eq!(names, expected);
    }
}
