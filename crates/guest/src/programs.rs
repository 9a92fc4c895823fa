//! Starting the few programs that the guest cannot do without.
//!
//! The calling thread enters the namespace and the child inherits it: `ip -n` would also mount a `/sys` each time.

use anyhow::{Context, Result, bail};
use bondwitness_host::namespace::Namespace;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Nobody's user and group: what a reader without privileges sees.
const NOBODY: u32 = 65534;

/// A program that takes many commands at once, one per line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `ip -batch`.
    Ip,
    /// `tc -batch`.
    Tc,
    /// `nft -f`.
    Nft,
}

/// Commands for one tool in one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Where.
    pub(crate) place: Place,
    /// With what.
    pub(crate) tool: Tool,
    /// One command per line.
    pub(crate) text: String,
}

/// A namespace of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where all namespaces are made.
    Root,
    /// The host.
    Host,
    /// The wires.
    Wire,
    /// The far end: the first half, or the second of an MLAG pair.
    Far(usize),
}

impl Batch {
    /// Runs the commands and waits for them.
    pub(crate) fn run(&self, namespace: &Namespace) -> Result<()> {
        let mut command = match self.tool {
            Tool::Ip => Command::new("/usr/bin/ip"),
            Tool::Tc => Command::new("/usr/sbin/tc"),
            Tool::Nft => Command::new("/usr/sbin/nft"),
        };
        command.args(match self.tool {
            Tool::Ip | Tool::Tc => ["-batch", "-"],
            Tool::Nft => ["-f", "-"],
        });
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = namespace.with(|| command.spawn())?.context("cannot start a tool")?;
        // Far below the size of a pipe, so writing cannot block.
        child.stdin.take().context("no pipe")?.write_all(self.text.as_bytes())?;
        let out = child.wait_with_output()?;
        if !out.status.success() {
            let said =
                String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
            bail!("{:?} in {:?} refused {:?}: {}", self.tool, self.place, self.text, said.trim());
        }
        Ok(())
    }
}

/// Starts a program whose output goes to a file, and does not wait for it.
pub(crate) fn start(namespace: &Namespace, program: &str, args: &[&str], to: File) -> Result<Child> {
    spawn(namespace, Command::new(program).args(args), to)
}

/// As [`start`], without privileges.
pub(crate) fn start_as_nobody(
    namespace: &Namespace,
    program: &str,
    args: &[&str],
    to: File,
) -> Result<Child> {
    spawn(namespace, Command::new(program).args(args).uid(NOBODY).gid(NOBODY), to)
}

fn spawn(namespace: &Namespace, command: &mut Command, to: File) -> Result<Child> {
    let errors = to.try_clone().context("cannot share a file")?;
    command.stdin(Stdio::null()).stdout(to).stderr(errors);
    namespace.with(|| command.spawn())?.with_context(|| format!("cannot start {:?}", command.get_program()))
}
