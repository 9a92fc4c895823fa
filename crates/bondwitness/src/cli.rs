//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

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
    /// Give a verdict with citations, on this host or on whatever evidence exists.
    #[command(after_help = DIAGNOSE_HELP)]
    Diagnose(Diagnose),
    /// Tell what this user can see on this host, what stays blind, and how to grant it.
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Doctor),
    /// Collect evidence on this host into a bundle, without a verdict.
    #[command(after_help = COLLECT_HELP)]
    Collect(Collect),
    /// The process that parses, started by `diagnose` and `collect` without any privilege.
    #[command(hide = true)]
    Judge,
    /// The VLAN interface that stands on a member instead of on the bond.
    Bypass(Bypass),
    /// Explain a check: what it shows, why it matters, how it can be wrong, what would settle it.
    Explain(Explain),
    /// Faults with a known culprit: simulate one, read the evidence, compare your verdict with the truth.
    Lab(Lab),
    /// Check a bundle: every hash, the signature, and the verdict made anew from the raw evidence.
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
    /// Make a bundle that can be given away: names, addresses and secrets become pseudonyms.
    #[command(after_help = REDACT_HELP)]
    Redact(Redact),
    /// Print the JSON Schema of what is printed with `--json` or stored.
    #[command(after_help = SCHEMA_HELP)]
    Schema(Schema),
    /// Follow the frames of a VLAN (or what stands on it) down to the wire: what each layer counted, and where they die.
    #[command(after_help = TXPATH_HELP)]
    Txpath(TxPath),
}

const SCHEMA_HELP: &str = "\
Names: verdict, bypass, bypass-state, collection, doctor, manifest, redaction-map, txpath, verify; the
value of `schema` in an output does as well (bondwitness/doctor/v1).";

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which one.
    #[arg(default_value = "verdict")]
    pub(crate) name: String,
    /// All of them, as one object by name.
    #[arg(long, conflicts_with = "name")]
    pub(crate) all: bool,
}

const REDACT_HELP: &str = "\
Names of hosts and users, IP addresses and secrets become pseudonyms, the same one for the same value
in every file and capture; MAC addresses keep the vendor's half. Interfaces, ports, times and counters
stay, and so does the verdict. What stands for what is written beside the new bundle, readable by its
owner only: keep that file.

Examples:
  bondwitness redact case.tar.zst -o for-the-vendor.tar.zst
  bondwitness redact case.tar.zst -o public.tar.zst --sign team

Exit codes: 0 done, 4 the bundle is damaged, 1 failed, 2 wrong usage.";

/// Arguments of `redact`.
#[derive(Debug, Args)]
pub(crate) struct Redact {
    /// The bundle.
    pub(crate) bundle: PathBuf,
    /// The new bundle; the mapping goes beside it, as FILE.map.json.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Sign the new bundle with this private key of OpenSSH (Ed25519).
    #[arg(long, value_name = "KEY")]
    pub(crate) sign: Option<PathBuf>,
}

const VERIFY_HELP: &str = "\
Examples:
  bondwitness verify case.tar.zst                       hashes, signature, verdict
  bondwitness verify case.tar.zst --key team.pub        and it must be signed by this key
  bondwitness verify --new-key team                     make a key: team and team.pub
The folder that a bundle was unpacked into is checked as well, and `-` reads standard input.
Without this program: tar, sha256sum and ssh-keygen do the same, see docs/bundle.md.

Exit codes: 0 intact, 4 damaged, not signed as expected, or with a verdict that is not that of its
evidence, 1 failed, 2 wrong usage.";

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The bundle.
    #[arg(required_unless_present = "new_key")]
    pub(crate) bundle: Option<PathBuf>,
    /// The key that must have signed it: a `.pub` file of OpenSSH, or its line.
    #[arg(long, value_name = "PUB")]
    pub(crate) key: Option<String>,
    /// Make a key for signing bundles, as FILE and FILE.pub.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundle", "key", "json"])]
    pub(crate) new_key: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

/// What is wanted, and where is remembered what was made of it.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(crate) struct BypassPlace {
    /// What is wanted: a YAML file, or a folder of them; `run` reads it again at every resync.
    #[arg(default_value = BYPASS_FILE)]
    pub(crate) file: PathBuf,
    /// Where is remembered what was made.
    #[arg(long, value_name = "DIR", default_value = BYPASS_STATE)]
    pub(crate) state: PathBuf,
}

/// Arguments of `bypass plan`.
#[derive(Debug, Args)]
pub(crate) struct BypassPlan {
    #[command(flatten)]
    pub(crate) place: BypassPlace,
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
    #[command(flatten)]
    pub(crate) place: BypassPlace,
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
    #[command(flatten)]
    pub(crate) place: BypassPlace,
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
Without --from it looks at this host: it takes a snapshot, captures LACPDUs on every member in both
directions while it samples state and counters, takes a snapshot again, and gives the verdict.
Ctrl-C ends the window early: the verdict is given on what was gathered. Reading changes nothing on
the host. What it needs: `bondwitness doctor`.

With --from, evidence is recognised by its content, whatever the files are called:
  /proc/net/bonding, sysfs listings, `ip`, `ethtool`, `tc`, `bridge`, kernel log and journal,
  network configuration, teamd, Open vSwitch, pcap and pcapng, pasted tcpdump or tshark text,
  a sosreport or support bundle as folder or archive, compressed files.
File names only hint at a member. What is not recognised is listed.

Examples:
  bondwitness diagnose                               every bond of this host, for a minute
  bondwitness diagnose bond0 --for 5m -o case.tar.zst    and a bundle to send
  bondwitness diagnose --until-flap --for 8h         until it happens again
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
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["window", "no_tx_tap", "netns", "sign"])]
    pub(crate) from: Vec<PathBuf>,
    /// Print the verdict as JSON (schema `bondwitness/verdict/v1`).
    #[arg(long)]
    pub(crate) json: bool,
    /// Hash inputs above 16 MiB too.
    #[arg(long)]
    pub(crate) hash: bool,
    #[command(flatten)]
    pub(crate) live: Live,
    /// End ten seconds after the next flap, and after `--for` at the latest.
    #[arg(long, conflicts_with = "from")]
    pub(crate) until_flap: bool,
    /// Write the evidence and the verdict as a bundle (`.tar.zst`); `-` is standard output.
    #[arg(short, long, value_name = "BUNDLE", conflicts_with = "from")]
    pub(crate) output: Option<PathBuf>,
    /// Show every finding, the timeline and every gap.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// How to look at a running host.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Live {
    /// How long to capture (`90s`, `5m`, `1h`; `0` takes a snapshot only). Default: 60 s, or four times the longest time
    /// between two LACPDUs that is to be expected, whichever is longer.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) window: Option<Duration>,
    /// Do not capture sent frames. Capturing them costs about a fifth of the instructions of every packet that the
    /// members send while the window is open; without it, the bond's own counter and the partner's echo speak for them.
    #[arg(long)]
    pub(crate) no_tx_tap: bool,
    /// Look at another network namespace: a name of `ip netns`, or a process id.
    #[arg(long, value_name = "NAME|PID")]
    pub(crate) netns: Option<String>,
    /// Sign the bundle with this private key (OpenSSH, Ed25519; `bondwitness verify --new-key FILE` makes one).
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(crate) sign: Option<PathBuf>,
    /// Write the bundle under pseudonyms, as `bondwitness redact` does; what stands for what goes beside it, as
    /// FILE.map.json. What is printed is not redacted.
    #[arg(long, requires = "output")]
    pub(crate) redact: bool,
}

/// A duration as people type it: a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "expected a number, such as 90s, 5m or 1h".to_owned())?;
    let seconds = |n: u64| number.checked_mul(n).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => return Err(format!("unknown unit `{unit}`: use ms, s, m, h or d")),
    }
    .filter(|d| *d <= Duration::from_secs(366 * 86_400))
    .ok_or_else(|| "more than a year".to_owned())
}

const COLLECT_HELP: &str = "\
Examples:
  bondwitness collect -o case.tar.zst                       every bond of this host
  bondwitness collect bond0 --for 5m -o case.tar.zst
  ssh host bondwitness collect -o - > case.tar.zst
  bondwitness diagnose --from case.tar.zst                  the verdict, anywhere

Reading changes nothing on the host: no promiscuous mode, no counter reset, no module loaded.";

/// Arguments of `collect`.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Bonds to collect (default: all of this network namespace).
    #[arg(value_name = "BOND")]
    pub(crate) bonds: Vec<String>,
    #[command(flatten)]
    pub(crate) live: Live,
    /// Where to write the bundle (`.tar.zst`); `-` is standard output.
    #[arg(short, long, value_name = "BUNDLE")]
    pub(crate) output: PathBuf,
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

const DOCTOR_HELP: &str = "\
Nothing is changed. Each right is tried the way a live diagnosis needs it.

Examples:
  bondwitness doctor                     this network namespace
  bondwitness doctor bond0 --json        one bond, for a program
  sudo bondwitness doctor --netns blue   the namespace that `ip netns` calls blue

Exit codes: 0 told, 3 no bond here (everything else is told all the same), 1 failed, 2 wrong usage.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The bond to look at (default: every bond of the network namespace).
    #[arg(value_name = "BOND")]
    pub(crate) bond: Option<String>,
    /// Look into this network namespace: a name of `ip netns`, or the id of a process in it.
    #[arg(long, value_name = "NAME|PID")]
    pub(crate) netns: Option<String>,
    /// Print as JSON (schema `bondwitness/doctor/v1`).
    #[arg(long)]
    pub(crate) json: bool,
    /// Lock this process down as the judge and report: what `doctor` starts to try it.
    #[arg(long, hide = true)]
    pub(crate) try_lockdown: bool,
}

const TXPATH_HELP: &str = "\
On the host itself, while the VLAN's traffic runs (or fails to):
  bondwitness txpath bond0.70
  bondwitness txpath bond0.70 --for 1m -o case.tar.zst
  bondwitness txpath net1 --netns PID              a pod's interface: what its namespace shows

Elsewhere: save two readings with traffic in between, and pass the folder:
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
    /// Saved evidence instead of this host: files, folders or archives; `-` reads standard input.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["window", "netns", "output"])]
    pub(crate) from: Vec<PathBuf>,
    /// How long to count (`10s`, `1m`): frames of the interface must be sent meanwhile.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub(crate) window: Duration,
    /// Look at another network namespace: a name of `ip netns`, or a process id.
    #[arg(long, value_name = "NAME|PID")]
    pub(crate) netns: Option<String>,
    /// Write what was read into a bundle as well.
    #[arg(short, long, value_name = "BUNDLE")]
    pub(crate) output: Option<PathBuf>,
    /// Print as JSON (schema `bondwitness/txpath/v1`).
    #[arg(long)]
    pub(crate) json: bool,
}
