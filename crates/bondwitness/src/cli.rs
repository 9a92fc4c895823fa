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
    /// Explain a check: what it shows, why it matters, how it can be wrong, what would settle it.
    Explain(Explain),
    /// Faults with a known culprit: simulate one, read the evidence, compare your verdict with the truth.
    Lab(Lab),
    /// Print the JSON Schema of what `--json` prints.
    Schema,
    /// Follow the frames of a VLAN (or what stands on it) down to the wire: what each layer counted, and where they die.
    #[command(after_help = TXPATH_HELP)]
    Txpath(TxPath),
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

const TXPATH_HELP: &str = "\
Save two readings with traffic in between, and pass the folder:
  for t in before after; do mkdir $t; ip -s -s -d link > $t/link.txt; tc -s -d qdisc > $t/qdisc.txt
    for d in bond0.70 bond0 eno1; do tc -s filter show dev $d egress > $t/tc_-s_filter_show_dev_${d}_egress; done
    nft list ruleset > $t/nft.txt; bpftool net > $t/bpftool.txt; ip -s neigh > $t/neigh.txt
    [ $t = before ] && ping -c 20 -i 0.2 NEIGHBOUR > ping.txt; done

Examples:
  bondwitness txpath bond0.70 --from case/
  bondwitness txpath net1 --from case/ --json      a pod's interface, from its own `ip -d link`

Exit codes: 0 nothing is lost, 10 not decided or not on this host, 11 the place is on this host,
3 the evidence does not show the interface, 1 failed, 2 wrong usage.";

/// Arguments of `txpath`.
#[derive(Debug, Args)]
pub(crate) struct TxPath {
    /// The interface whose frames are followed: a VLAN over a bond, or what stands on one.
    #[arg(value_name = "IFACE")]
    pub(crate) iface: String,
    /// Files, folders or archives with evidence; `-` reads standard input.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,
    /// Print as JSON (schema `bondwitness/txpath/v1`).
    #[arg(long)]
    pub(crate) json: bool,
}
