//! Debian packages for the real-kernel lab: kernels of two releases and a small userland, fetched and unpacked below
//! `target/vm`. The machine's own apt state is not touched, and a second run needs no network.
//!
//! The archive's address is the one that this machine's apt already uses: no host name stands here. Packages are
//! verified by apt with the archive's keyring, as for an installation.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// As it is asked for: the series.
    pub(crate) name: &'static str,
    /// The Debian release that ships it.
    suite: &'static str,
}

/// The kernels of the lab, the newest first: it is the one a run takes if none is named.
pub(crate) const KERNELS: [Kernel; 2] =
    [Kernel { name: "6.12", suite: "trixie" }, Kernel { name: "6.1", suite: "bookworm" }];

/// Which of a release's kernel images: each is named by a meta package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// `linux-image-cloud-amd64`: small, without drivers of adapters that are hardware.
    Cloud,
    /// `linux-image-amd64`: with all drivers.
    Full,
}

impl Image {
    const fn meta(self) -> &'static str {
        match self {
            Self::Cloud => "linux-image-cloud-amd64",
            Self::Full => "linux-image-amd64",
        }
    }
}

/// Where the userland comes from: the newest tools, for both kernels, so that only the kernel differs.
const USERLAND_SUITE: &str = "trixie";

/// What the userland is made of; apt adds what these need.
const USERLAND: [&str; 4] = ["busybox-static", "iproute2", "nftables", "ethtool"];

/// What people use instead, for the benchmark: apt adds what these need.
const RIVALS: [&str; 8] =
    ["sosreport", "tcpdump", "wireshark-common", "base-files", "coreutils", "grep", "sed", "dash"];

/// The folder of the lab and what apt was told about it.
pub(crate) struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// The lab's packages below `folder` (`target/vm`).
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The unpacked kernel image package that the lab's guests boot.
    pub(crate) fn kernel(&self, kernel: Kernel) -> Result<PathBuf> {
        self.image(kernel, Image::Cloud)
    }

    /// The unpacked package of one of a release's kernel images.
    pub(crate) fn image(&self, kernel: Kernel, image: Image) -> Result<PathBuf> {
        let name = match image {
            Image::Cloud => format!("kernel-{}", kernel.name),
            Image::Full => format!("kernel-{}-full", kernel.name),
        };
        let wanted = image.meta();
        self.unpacked(&name, |debs| {
            self.apt_get(debs, &["download", &format!("{wanted}/{}", kernel.suite)])?;
            let meta = only(debs, wanted)?;
            let depends = output(Command::new("dpkg-deb").arg("-f").arg(&meta).arg("Depends"))?;
            let image = depends.split([' ', ',', '\n']).next().unwrap_or_default().to_owned();
            fs::remove_file(&meta).with_context(|| format!("cannot remove {}", meta.display()))?;
            if !image.starts_with("linux-image-") {
                bail!("{wanted} of {} depends on {depends:?}, not on a kernel image", kernel.suite);
            }
            self.apt_get(debs, &["download", &format!("{image}/{}", kernel.suite)])
        })
    }

    /// The unpacked userland.
    pub(crate) fn userland(&self) -> Result<PathBuf> {
        self.installed("userland", &USERLAND)
    }

    /// The unpacked programs that the benchmark compares with.
    pub(crate) fn rivals(&self) -> Result<PathBuf> {
        self.installed("rivals", &RIVALS)
    }

    /// `tcpdump`, which only the differential trial has in its guest (ADR 0006 says why no other has).
    pub(crate) fn capture(&self) -> Result<PathBuf> {
        self.installed("capture", &["tcpdump"])
    }

    /// The emulator of the newest release, to be run with its own libraries: that of this machine may lack `igb`.
    pub(crate) fn emulator(&self) -> Result<PathBuf> {
        self.installed("emulator", &["qemu-system-x86"])
    }

    /// The folder `name` with packages of the userland's release and all they need.
    fn installed(&self, name: &str, packages: &[&str]) -> Result<PathBuf> {
        self.unpacked(name, |debs| {
            // apt works the dependencies out against an empty system, so everything that is needed comes along.
            let archives = format!("Dir::Cache::archives={}", debs.display());
            fs::create_dir_all(debs.join("partial")).context("cannot make apt's download folder")?;
            let mut args = vec![
                "-o",
                &archives,
                "-t",
                USERLAND_SUITE,
                "-y",
                "--no-install-recommends",
                "--download-only",
                "install",
            ];
            args.extend(packages);
            self.apt_get(debs, &args)
        })
    }

    /// The folder `name` with the content of what `fetch` downloads into the folder it is given; from the last run
    /// if that was complete.
    fn unpacked(&self, name: &str, fetch: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let root = self.folder.join("root").join(name);
        let done = self.folder.join("root").join(format!("{name}.done"));
        if done.is_file() {
            return Ok(root);
        }
        self.lists()?;
        let debs = self.folder.join("debs").join(name);
        for dir in [&root, &debs] {
            if dir.exists() {
                fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
            }
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        println!("vm: fetching {name}");
        fetch(&debs)?;
        let mut list = String::new();
        for deb in packages_in(&debs)? {
            run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&root))?;
            list.push_str(&format!("{}\n", deb.file_name().unwrap_or_default().to_string_lossy()));
        }
        if list.is_empty() {
            bail!("apt-get downloaded nothing for {name}");
        }
        fs::write(&done, list).with_context(|| format!("cannot write {}", done.display()))?;
        Ok(root)
    }

    /// Fetches the package lists of both releases, once.
    fn lists(&self) -> Result<()> {
        let apt = self.folder.join("apt");
        let done = apt.join("lists.done");
        if done.is_file() {
            return Ok(());
        }
        need("apt-get", "apt")?;
        need("dpkg-deb", "dpkg")?;
        for dir in ["state/lists/partial", "cache/archives/partial", "etc"] {
            let dir = apt.join(dir);
            fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        fs::write(apt.join("status"), "").context("cannot write apt's status file")?;
        let archive = archive_of_this_machine()?;
        let mut sources = String::new();
        for suite in KERNELS.iter().map(|k| k.suite) {
            let signed = archive.signed_by.as_ref().map(|k| format!("[signed-by={k}] ")).unwrap_or_default();
            sources.push_str(&format!("deb {signed}{} {suite} main\n", archive.address));
        }
        fs::write(apt.join("sources.list"), sources).context("cannot write apt's sources.list")?;
        println!("vm: fetching package lists");
        self.apt_get(&apt, &["update"])?;
        fs::write(&done, "").context("cannot write apt's marker")
    }

    /// Runs apt-get in `dir` with a state of its own.
    fn apt_get(&self, dir: &Path, args: &[&str]) -> Result<()> {
        let apt = fs::canonicalize(self.folder.join("apt")).context("no apt folder")?;
        let mut command = Command::new("apt-get");
        command.current_dir(dir).env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        for option in [
            format!("Dir::State={}", apt.join("state").display()),
            format!("Dir::State::status={}", apt.join("status").display()),
            format!("Dir::Cache={}", apt.join("cache").display()),
            format!("Dir::Etc::sourcelist={}", apt.join("sources.list").display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "Dir::Etc::preferencesparts=/dev/null".to_owned(),
            // The folder is ours and need not be readable for apt's own user.
            "APT::Sandbox::User=".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            "APT::Architectures::=amd64".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        run(command.args(args))
    }
}

/// An archive as apt's configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Archive {
    address: String,
    signed_by: Option<String>,
}

/// The Debian archive that this machine installs from.
fn archive_of_this_machine() -> Result<Archive> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut more: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        more.sort();
        files.extend(more);
    }
    let mut archive = None;
    for file in files {
        let kind = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let found = match kind {
            "list" => one_line_sources(&text),
            "sources" => deb822_sources(&text),
            _ => None,
        };
        archive = archive.or(found);
    }
    let mut archive = archive.context(
        "no Debian archive in /etc/apt/sources.list or /etc/apt/sources.list.d: the lab takes its kernels from there",
    )?;
    // The keyring that Debian ships knows every release; one that the sources name may know only this machine's.
    let keyring = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
    if keyring.is_file() {
        archive.signed_by = Some(keyring.display().to_string());
    }
    Ok(archive)
}

/// The main archive has `main` and a plain release name; `bookworm-security` lives at another address.
fn is_main_suite(suite: &str) -> bool {
    let name = suite.trim_end_matches('/');
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())
}

/// The first main archive of a file in the one-line form.
fn one_line_sources(text: &str) -> Option<Archive> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        let (address, suite) = (words.next()?, words.next()?);
        (is_debian(address) && is_main_suite(suite) && words.any(|c| c == "main"))
            .then(|| Archive { address: address.to_owned(), signed_by: None })
    })
}

/// The first main archive of a file in the deb822 form.
fn deb822_sources(text: &str) -> Option<Archive> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|l| {
                let (key, value) = l.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if field("Enabled").is_some_and(|v| v.eq_ignore_ascii_case("no")) {
            return None;
        }
        let address = field("URIs")?.split_whitespace().next()?;
        let main = field("Components")?.split_whitespace().any(|c| c == "main");
        let suite = field("Suites")?.split_whitespace().any(is_main_suite);
        (main && suite && is_debian(address)).then(|| Archive {
            address: address.to_owned(),
            signed_by: field("Signed-By").filter(|k| k.starts_with('/')).map(str::to_owned),
        })
    })
}

/// The path of Debian's archive ends in its name on every mirror; other vendors' archives do not.
fn is_debian(address: &str) -> bool {
    address.trim_end_matches('/').rsplit('/').next() == Some("debian")
}

/// Makes sure that a command exists; installs its package if we may.
pub(crate) fn need(command: &str, package: &str) -> Result<()> {
    let found = || {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(command).is_file()))
    };
    if found() {
        return Ok(());
    }
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root {
        bail!(
            "{command} is not installed; run as root, or: apt-get install --no-install-recommends {package}"
        );
    }
    println!("vm: {command} is not installed; installing {package}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().args(["update", "-qq"]))?;
    run(apt().args(["install", "-y", "-qq", "--no-install-recommends", package]))?;
    if !found() {
        bail!("{package} was installed, and there is still no {command}");
    }
    Ok(())
}

/// The packages in a folder, in the order of their names.
fn packages_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "deb") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The only package in a folder whose name begins like this.
fn only(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let all = packages_in(folder)?;
    let mut found = all
        .into_iter()
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&format!("{prefix}_"))));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => bail!("apt-get download left no {prefix} in {}", folder.display()),
    }
}

/// Runs a command; what it said is shown only if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.output().with_context(|| format!("cannot run {name}"))?;
    if !out.status.success() {
        let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        bail!("{name} {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_sources_name_the_main_archive() {
        let one = "# deb http://old.example/debian x main\ndeb [arch=amd64] http://mirror.example/security bookworm-security main\ndeb [a=b] http://mirror.example/debian/ bookworm contrib main\n";
        assert_eq!(one_line_sources(one).unwrap().address, "http://mirror.example/debian/");
        let two = "Types: deb\nURIs: http://m.example/debian-security\nSuites: bookworm-security\nComponents: main\n\nTypes: deb\n# a comment\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n";
        let found = deb822_sources(two).unwrap();
        assert_eq!(
            (found.address.as_str(), found.signed_by.as_deref()),
            ("http://m.example/debian", Some("/k.gpg"))
        );
    }

    #[test]
    fn other_vendors_and_disabled_archives_are_left_out() {
        assert_eq!(one_line_sources("deb https://vendor.example/apt stable main\n"), None);
        let off = "Enabled: no\nURIs: http://m.example/debian\nSuites: bookworm\nComponents: main\n";
        assert_eq!(deb822_sources(off), None);
    }
}
