//! A host with one bond in the guest's first network namespace, and its switch in a namespace without a name: whoever
//! lists namespaces finds nothing that a host would not have.

use anyhow::{Context, Result, bail};
use bondwitness_host::namespace::Namespace;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long two Linux bonds at the fast rate take until all members carry.
const SETTLED: Duration = Duration::from_secs(12);

/// Host and switch.
pub(super) struct World {
    /// Keeps the switch's namespace.
    keeper: Child,
    /// The switch.
    pub(super) far: Namespace,
    members: usize,
}

/// The name of a member on the host, counted from 1.
pub(super) fn member(i: usize) -> String {
    format!("eno{i}")
}

/// The name of the switch's port.
pub(super) fn port(i: usize) -> String {
    format!("s{i}")
}

impl World {
    /// Builds both and waits until the bond is up.
    pub(super) fn new(members: usize) -> Result<Self> {
        let keeper = Command::new("/bin/busybox")
            .args(["unshare", "-n", "/bin/busybox", "sleep", "100000000"])
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start the switch's process")?;
        // It has to have left our namespace.
        std::thread::sleep(Duration::from_millis(200));
        let pid = keeper.id();
        let far = Namespace::at(&PathBuf::from(format!("/proc/{pid}/ns/net"))).context("no namespace")?;
        let world = Self { keeper, far, members };
        let (mut near, mut there) = (String::new(), String::new());
        let bond = |name: &str| format!("link add {name} type bond mode 802.3ad miimon 100 lacp_rate fast\n");
        near.push_str(&bond("bond0"));
        there.push_str(&bond("po1"));
        for i in 1..=members {
            let (m, p) = (member(i), port(i));
            let _ = writeln!(near, "link add {m} type veth peer name {p} netns {pid}");
            let _ = writeln!(near, "link set {m} master bond0\nlink set {m} up");
            let _ = writeln!(there, "link set {p} master po1\nlink set {p} up");
        }
        near.push_str("link set lo up\nlink set bond0 up\naddr add 192.0.2.1/24 dev bond0\n");
        there.push_str("link set po1 up\n");
        ip(&near)?;
        world.far.with(|| ip(&there))??;
        std::thread::sleep(SETTLED);
        Ok(world)
    }

    /// The names of the host's members.
    pub(super) fn members(&self) -> Vec<String> {
        (1..=self.members).map(member).collect()
    }

    /// Removes both.
    pub(super) fn remove(mut self) -> Result<()> {
        let mut text = "link del bond0\n".to_owned();
        for m in self.members() {
            let _ = writeln!(text, "link del {m}");
        }
        ip(&text)?;
        self.keeper.kill().context("cannot end the switch's process")?;
        self.keeper.wait().context("cannot wait for the switch's process")?;
        Ok(())
    }
}

/// Runs commands of `ip` in the namespace of the calling thread.
fn ip(text: &str) -> Result<()> {
    let mut child = Command::new("/usr/bin/ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start ip")?;
    child.stdin.take().context("no pipe")?.write_all(text.as_bytes()).context("cannot write to ip")?;
    let out = child.wait_with_output().context("cannot wait for ip")?;
    if !out.status.success() {
        bail!("ip refused: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}
