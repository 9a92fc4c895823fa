//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Proves who is at fault when a Linux bond misbehaves: host, switch, physical link, or not LACP at all.
#[derive(Debug, Parser)]
#[command(name = "bondwitness", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours (`NO_COLOR` is honoured).
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

const EXIT_CODES: &str = "\
Exit codes: 0 healthy or done, 1 failed, 2 wrong usage, 3 nothing to examine, 10 not decided,
11 host, 12 switch, 13 physical link, 14 not a bond or LACP problem, 15 both ends together.";

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// If standard output is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a verdict with citations on whatever evidence exists.
    #[command(after_help = DIAGNOSE_HELP)]
    Diagnose(Diagnose),
    /// The VLAN interface that stands on a member instead of on the bond.
    Bypass(Bypass),
    /// Explain a check: what it shows, why it matters, how it can be wrong, what would settle it.
    Explain(Explain),
    /// Faults with a known culprit: simulate one, read the evidence, compare your verdict with the truth.
    Lab(Lab),
    /// Print the JSON Schema of what `--json` prints.
    Schema,
}

/// Arguments of `bypass`.
#[derive(Debug, Args)]
#[command(after_help = BYPASS_HELP)]
pub(crate) struct Bypass {
    #[command(subcommand)]
    pub(crate) command: BypassCommand,
}

const BYPASS_HELP: &str = "\
It is a way around whatever drops frames on the bond, no cure of it: first see what does, with
`bondwitness diagnose`. The VLAN on the bond will hear nothing while the bypass is there.

  bypass:
    - name: vpn0
      vlan: 70
      bond: bond0          # or member: enp2s0
      mtu: 1500            # these three: looked after only if given
      qdisc: fq_codel
      txqueuelen: 1000

Exit codes: 0 done, 1 failed, 2 the file is wrong, 3 waiting for a bond or member that is not there,
5 refused by a guard rail, 6 another instance holds the lock.";

/// What is done about the bypass.
#[derive(Debug, Subcommand)]
pub(crate) enum BypassCommand {
    /// Show what would be done, each step with its undoing; changes nothing.
    Plan(BypassPlan),
    /// Do it once; what fails half way is taken back.
    Apply(BypassApply),
    /// Keep it so: repair whatever changes, follow the active member.
    Run(BypassRun),
    /// Remove what bondwitness made; nothing else.
    Remove(BypassRemove),
}

const BYPASS_FILE: &str = "/etc/bondwitness/bypass.yaml";
const BYPASS_STATE: &str = "/run/bondwitness";

/// Arguments of `bypass plan`.
#[derive(Debug, Args)]
pub(crate) struct BypassPlan {
    /// What is wanted: a YAML file, or a folder of them.
    #[arg(default_value = BYPASS_FILE)]
    pub(crate) file: PathBuf,
    /// Where is remembered what was made.
    #[arg(long, value_name = "DIR", default_value = BYPASS_STATE)]
    pub(crate) state: PathBuf,
    /// Exit with 1 unless everything is as wanted (for readiness probes).
    #[arg(long)]
    pub(crate) ready: bool,
    /// Print as JSON (schema `bondwitness/bypass/v1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `bypass apply`.
#[derive(Debug, Args)]
pub(crate) struct BypassApply {
    /// What is wanted: a YAML file, or a folder of them.
    #[arg(default_value = BYPASS_FILE)]
    pub(crate) file: PathBuf,
    /// Where is remembered what was made.
    #[arg(long, value_name = "DIR", default_value = BYPASS_STATE)]
    pub(crate) state: PathBuf,
    /// Only show the plan.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print as JSON (schema `bondwitness/bypass/v1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `bypass run`.
#[derive(Debug, Args)]
pub(crate) struct BypassRun {
    /// What is wanted: a YAML file, or a folder of them; read again at every resync.
    #[arg(default_value = BYPASS_FILE)]
    pub(crate) file: PathBuf,
    /// Where is remembered what was made.
    #[arg(long, value_name = "DIR", default_value = BYPASS_STATE)]
    pub(crate) state: PathBuf,
    /// Seconds between two looks at everything, although nothing was heard.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) resync: u64,
    /// A file that is there as long as everything is as wanted.
    #[arg(long, value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `bypass remove`.
#[derive(Debug, Args)]
pub(crate) struct BypassRemove {
    /// Which interfaces (default: all that bondwitness made).
    pub(crate) name: Vec<String>,
    /// Also what is in use: what stands on it is destroyed.
    #[arg(long)]
    pub(crate) in_use: bool,
    /// Where is remembered what was made.
    #[arg(long, value_name = "DIR", default_value = BYPASS_STATE)]
    pub(crate) state: PathBuf,
    /// Only show the plan.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print as JSON (schema `bondwitness/bypass/v1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `lab`.
#[derive(Debug, Args)]
#[command(after_help = LAB_HELP)]
pub(crate) struct Lab {
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

const LAB_HELP: &str = "\
Examples:
  bondwitness lab list
  bondwitness lab run switch-stops-sending                  truth beside verdict
  bondwitness lab run loss-towards-switch --seed 7 -o case  and the evidence as a folder
  bondwitness diagnose --from case                          the verdict alone

The same scenario and seed give the same incident, byte for byte. What the evidence can decide was
declared by whoever wrote the scenario; the program that judges does not see it.";

/// What the lab does.
#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// List the scenarios.
    List {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Simulate an incident, give the verdict on its evidence, and tell the truth.
    Run(LabRun),
}

/// Arguments of `lab run`.
#[derive(Debug, Args)]
pub(crate) struct LabRun {
    /// Name of a scenario (`bondwitness lab list`).
    pub(crate) scenario: String,
    /// Which incident of the scenario to draw.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Write the evidence (without the truth) as a new folder.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print truth and verdict as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show every finding, the timeline and every gap.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const DIAGNOSE_HELP: &str = "\
Evidence is recognised by its content, whatever the files are called:
  /proc/net/bonding, sysfs listings, `ip`, `ethtool`, `tc`, `bridge`, kernel log and journal,
  network configuration, teamd, Open vSwitch, pcap and pcapng, pasted tcpdump or tshark text,
  a sosreport or support bundle as folder or archive, compressed files.
File names only hint at a member. What is not recognised is listed.

Examples:
  bondwitness diagnose --from case/                  a folder of pasted files and captures
  bondwitness diagnose --from eno1.pcap eno2.pcap    captures alone
  bondwitness diagnose --from sosreport.tar.xz --json
  ssh host cat /proc/net/bonding/bond0 | bondwitness diagnose --from -

Exit codes: 0 healthy, 10 not decided, 11 host, 12 switch, 13 link, 14 not LACP, 15 both ends,
3 nothing recognised, 1 failed, 2 wrong usage.";

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    /// Bonds to report on (default: all that the evidence shows).
    #[arg(value_name = "BOND")]
    pub(crate) bonds: Vec<String>,
    /// Files, folders or archives with evidence; `-` reads standard input.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,
    /// Print the verdict as JSON (schema `bondwitness/verdict/v1`).
    #[arg(long)]
    pub(crate) json: bool,
    /// Hash inputs above 16 MiB too.
    #[arg(long)]
    pub(crate) hash: bool,
    /// Show every finding, the timeline and every gap.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The check's id, as findings print it in brackets; without it, all checks are listed.
    pub(crate) check: Option<String>,
    /// Print as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
