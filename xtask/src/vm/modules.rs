//! Which kernel modules the guest loads, in which order, decompressed.
//!
//! `modules.dep` is made when a kernel is installed and is not in its package; what it says is read from the modules
//! themselves: each names the modules it needs in its `.modinfo` section.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What the lab uses; a name that is built into a kernel is no module there and is left out.
const WANTED: [&str; 22] = [
    "virtio_pci",
    "virtio_blk",
    "veth",
    "bonding",
    "bridge",
    "8021q",
    "dummy",
    "ipvlan",
    "macvlan",
    "sch_ingress",
    "sch_netem",
    "sch_tbf",
    "sch_fq_codel",
    "cls_matchall",
    "cls_u32",
    "cls_flower",
    "cls_bpf",
    "act_mirred",
    "act_bpf",
    "act_gact",
    "nf_tables",
    "af_packet",
];

/// A module as it goes into the guest.
pub(crate) struct Module {
    /// Its name, with underscores.
    pub(crate) name: String,
    /// The ELF file.
    pub(crate) bytes: Vec<u8>,
}

/// The modules below an unpacked kernel package, in an order in which each can be loaded.
pub(crate) fn load(kernel: &Path) -> Result<Vec<Module>> {
    load_with(kernel, &[])
}

/// The same, and before them `more` with what they need.
pub(crate) fn load_with(kernel: &Path, more: &[&str]) -> Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    // Debian 13 has everything below /usr.
    for folder in [kernel.join("lib/modules"), kernel.join("usr/lib/modules")] {
        find(&folder, &mut files)?;
    }
    if files.is_empty() {
        bail!("no kernel modules below {}", kernel.display());
    }
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for name in more.iter().chain(&WANTED) {
        add(name, &files, &mut seen, &mut order)?;
    }
    // These two are never built in; without them a run would fail far from the cause.
    for needed in ["bonding", "veth"] {
        if !order.iter().any(|m| m.name == needed) {
            bail!("the kernel below {} has no module {needed}", kernel.display());
        }
    }
    Ok(order)
}

/// Adds a module after everything it needs.
fn add(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    seen: &mut BTreeSet<String>,
    order: &mut Vec<Module>,
) -> Result<()> {
    let Some(path) = files.get(name) else { return Ok(()) };
    if !seen.insert(name.to_owned()) {
        return Ok(());
    }
    let bytes = read(path)?;
    for needed in depends(&bytes) {
        add(&needed, files, seen, order)?;
    }
    order.push(Module { name: name.to_owned(), bytes });
    Ok(())
}

/// Every module file below a folder, by the module's name.
fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            find(&path, files)?;
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".ko").or_else(|| name.strip_suffix(".ko.xz")) {
            files.insert(stem.replace('-', "_"), path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if path.extension().is_none_or(|e| e != "xz") {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    lzma_rust2::XzReader::new(bytes.as_slice(), true)
        .read_to_end(&mut plain)
        .with_context(|| format!("cannot decompress {}", path.display()))?;
    Ok(plain)
}

/// What `depends=` in `.modinfo` names.
fn depends(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|w| w == key) else { return Vec::new() };
    let value: Vec<u8> = module.iter().skip(at + key.len()).take_while(|b| **b != 0).copied().collect();
    String::from_utf8_lossy(&value)
        .split(',')
        .filter(|n| !n.is_empty())
        .map(|n| n.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_names_what_it_needs() {
        assert_eq!(depends(b"ELF\0license=GPL\0depends=tls,x-y\0name=bonding\0"), ["tls", "x_y"]);
        assert!(depends(b"ELF\0depends=\0").is_empty() && depends(b"ELF").is_empty());
    }

    #[test]
    fn modules_come_after_what_they_need() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("usr/lib/modules/1/kernel");
        fs::create_dir_all(&folder).unwrap();
        let module = |name: &str, needs: &str| {
            fs::write(folder.join(format!("{name}.ko")), format!("\0depends={needs}\0")).unwrap();
        };
        module("bonding", "tls");
        module("tls", "");
        module("veth", "");
        module("unrelated", "");
        let names: Vec<String> = load(dir.path()).unwrap().into_iter().map(|m| m.name).collect();
        assert_eq!(names, ["veth", "tls", "bonding"]);
        fs::remove_file(folder.join("veth.ko")).unwrap();
        assert!(load(dir.path()).is_err());
    }
}
