//! `cargo xtask vm`: incidents on real Debian kernels under QEMU, both ends in namespaces of one guest, their evidence
//! judged like anybody's, and the verdicts compared with what was injected.

pub(crate) mod bench;
mod bundle;
mod catalogue;
mod compare;
mod differ;
mod initramfs;
mod judge;
mod kept;
mod modules;
mod packages;
mod paths;
mod qemu;
mod trial;

use crate::generated;
use anyhow::{Context, Result, bail};
use bondwitness_guest::plan::{Plan, Run};
use catalogue::Trial;
use judge::Judged;
use packages::{KERNELS, Kernel, Packages};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const USAGE: &str = "\
usage: vm [options]
  --kernel 6.12|6.1|both   which kernel (6.12)
  --incidents PATH         a scenario or a folder of them; may be given again (crates/lab/scenarios and
                           crates/guest/scenarios)
  --bypass                 only the trial of `bondwitness bypass` with real VLANs
  --live                   only the trial of `diagnose`, `collect` and `verify` on running bonds
  --differ                 only the comparison of what is collected with `ip`, `tc`, `bridge`, `ethtool` and `tcpdump`;
                           with --judge of what such guests left
  --smoke                  crates/guest/scenarios only, one incident of each
  --only NAME              only scenarios whose name begins so
  --seeds N                incidents drawn from each scenario (1)
  --first-seed N           the first seed (0)
  --per-boot N             incidents in one boot, at most (48)
  --jobs N                 guests at a time (one per processor)
  --pasted                 record what people paste (iproute2, ethtool, /proc, captures) in place of letting the program
                           itself collect and judge in the guest
  --collect                no verdict in the guest in the first seed either, which is three times as quick
  --keep DIR               where the evidence goes (target/vm/runs)
  --resume                 leave out boots of the same plan that are finished in DIR
  --judge                  boot nothing: judge the finished boots in DIR
  --paths                  trials of the transmit path instead (crates/guest/paths), judged with `txpath`
  --publish                with --judge: put the figures into docs/accuracy.md
  --compare                boot nothing: compare the boots in DIR whose both ends are Linux with the simulator
  --excerpts TO            with --compare: write the recordings that are alike there, as the lab's tests read them
  --fetch                  only fetch what is needed, so that later runs need no network";

/// Scenarios of the simulator that a kernel can run too, and those that the guest is tried with.
const LAB: &str = "crates/lab/scenarios";
const SMOKE: &str = "crates/guest/scenarios";

/// The guests are built for this target so that they can be linked statically without touching this machine's build.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Time between the starts of two incidents of a boot.
const STAGGER_MS: u64 = 400;

struct Options {
    kernels: Vec<Kernel>,
    paths: Vec<PathBuf>,
    only: Option<String>,
    seeds: std::ops::Range<u64>,
    per_boot: usize,
    jobs: usize,
    keep: PathBuf,
    resume: bool,
    judge: bool,
    trials: bool,
    publish: bool,
    compare: bool,
    excerpts: Option<PathBuf>,
    bypass: bool,
    live: bool,
    own: bool,
    /// The program gives a verdict in the guest, in the first seed.
    diagnose: bool,
    differ: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let folder = generated::repository().join("target/vm");
    let mut options = Options {
        kernels: KERNELS[..1].to_vec(),
        paths: Vec::new(),
        only: None,
        seeds: 0..1,
        per_boot: 48,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        keep: folder.join("runs"),
        resume: false,
        judge: false,
        trials: false,
        publish: false,
        compare: false,
        excerpts: None,
        bypass: false,
        live: false,
        own: true,
        diagnose: true,
        differ: false,
    };
    let (mut count, mut first, mut fetch_only) = (1, 0, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--kernel" => {
                let name = value()?;
                options.kernels = KERNELS.into_iter().filter(|k| name == "both" || name == k.name).collect();
                if options.kernels.is_empty() {
                    bail!("no kernel {name:?}\n{USAGE}");
                }
            }
            "--incidents" => options.paths.push(PathBuf::from(value()?)),
            "--smoke" => options.paths.push(generated::repository().join(SMOKE)),
            "--seeds" => count = value()?.parse::<u64>().context("--seeds")?.max(1),
            "--first-seed" => first = value()?.parse::<u64>().context("--first-seed")?,
            "--only" => options.only = Some(value()?.clone()),
            "--per-boot" => options.per_boot = value()?.parse::<usize>().context("--per-boot")?.max(1),
            "--jobs" => options.jobs = value()?.parse::<usize>().context("--jobs")?.max(1),
            "--keep" => options.keep = PathBuf::from(value()?),
            "--fetch" => fetch_only = true,
            "--resume" => options.resume = true,
            "--bypass" => options.bypass = true,
            "--live" => options.live = true,
            "--pasted" => options.own = false,
            "--collect" => options.diagnose = false,
            "--differ" => options.differ = true,
            "--judge" => options.judge = true,
            "--paths" => options.trials = true,
            "--publish" => options.publish = true,
            "--compare" => options.compare = true,
            "--excerpts" => options.excerpts = Some(PathBuf::from(value()?)),
            "--help" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    if options.paths.is_empty() {
        options.paths.extend([LAB, SMOKE].map(|p| generated::repository().join(p)));
    }
    if options.compare {
        let table = compare::compare(&options.keep, options.only.as_deref(), options.excerpts.as_deref())?;
        println!("{table}");
        return Ok(());
    }
    if options.differ && options.judge {
        return differ::judge(&options.kernels, options.only.as_deref(), &folder);
    }
    if options.judge {
        let judged = kept::judge_again(&options.keep, &options.paths)?;
        if options.publish {
            let boots = kept::effort(&options.keep)?;
            crate::accuracy::publish_kernels(&judge::page(&judged, &boots))?;
        }
        return tell(judged);
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = fs::canonicalize(&folder).context("cannot find target/vm")?;
    qemu::need()?;
    let packages = Packages::new(&folder);
    let userland = packages.userland()?;
    if fetch_only {
        return options.kernels.iter().try_for_each(|k| packages.kernel(*k).map(drop));
    }
    if options.trials {
        return paths::run(&options, &packages, &folder);
    }
    if options.bypass {
        return trial::run("bypass", &options.kernels, &packages, &userland, &folder);
    }
    if options.live {
        return trial::run("live", &options.kernels, &packages, &userland, &folder);
    }
    if options.differ {
        return differ::run(&options.kernels, options.only.as_deref(), &packages, &userland, &folder);
    }
    options.seeds = first..first.saturating_add(count);
    let mut chosen = catalogue::choose(&options.paths, options.only.as_deref(), options.seeds)?;
    for trial in &mut chosen.trials {
        trial.diagnose &= options.own && options.diagnose;
    }
    for line in &chosen.refused {
        println!("vm: left out: {line}");
    }
    if chosen.trials.is_empty() {
        bail!("no scenario of that name can be run");
    }
    let guest = build(&folder, "bondwitness-guest")?;
    let program = if options.own {
        let path = build(&folder, trial::PROGRAM)?;
        Some(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?)
    } else {
        None
    };
    // Every job gets something to do.
    let share = chosen.trials.len().saturating_mul(options.kernels.len()).div_ceil(options.jobs).max(1);
    let per_boot = options.per_boot.min(share);
    let mut by_kernel = Vec::new();
    for kernel in &options.kernels {
        let root = packages.kernel(*kernel)?;
        let mut base = initramfs::base(&userland, &modules::load(&root)?, &guest)?;
        if let Some(program) = &program {
            base.extend(initramfs::program(trial::PROGRAM, program));
        }
        let base = Arc::new(base);
        by_kernel.push((kernel.name, image(&root)?, base));
    }
    let mut boots = VecDeque::new();
    let mut finished = Vec::new();
    // The kernels take turns, so that a run that is broken off has tried both.
    for (i, trials) in catalogue::boots(&chosen.trials, per_boot).into_iter().enumerate() {
        for (kernel, image, base) in &by_kernel {
            let (name, image, base) = (format!("{kernel}-{i}"), image.clone(), Arc::clone(base));
            let boot = Boot { name, image, base, trials: trials.clone(), own: options.own };
            if options.resume && kept::is_finished(&options.keep.join(&boot.name), &plan_of(&boot)?) {
                finished.extend(kept::judge_boot(&options.keep.join(&boot.name))?);
            } else {
                boots.push_back(boot);
            }
        }
    }
    if options.resume {
        println!("vm: {} incidents were run before", finished.len());
    }
    let begun = Instant::now();
    let (count, incidents) = (boots.len(), boots.iter().map(|b| b.trials.len()).sum::<usize>());
    println!("vm: {incidents} incidents in {count} boots, {} at a time", options.jobs.min(count));
    let mut judged = run_boots(boots, options.jobs, &options.keep)?;
    let wall = begun.elapsed().as_secs_f64();
    let each = wall / f64::from(u32::try_from(incidents.max(1)).unwrap_or(1));
    println!("vm: {incidents} incidents in {wall:.0} s, {each:.2} s each");
    judged.extend(finished);
    tell(judged)
}

/// Prints the tables of what was judged, and complains of broken floors.
fn tell(judged: Vec<Judged>) -> Result<()> {
    let summary = judge::summary(judged);
    println!("\n{}", summary.text);
    for complaint in &summary.complaints {
        println!("vm: {complaint}");
    }
    if summary.complaints.is_empty() { Ok(()) } else { bail!("{} complaints", summary.complaints.len()) }
}

/// One guest.
struct Boot {
    name: String,
    image: PathBuf,
    base: Arc<Vec<u8>>,
    trials: Vec<Trial>,
    /// The program itself collects.
    own: bool,
}

/// Runs all boots, some at a time, and judges what they leave.
fn run_boots(boots: VecDeque<Boot>, jobs: usize, keep: &Path) -> Result<Vec<Judged>> {
    let queue = Mutex::new(boots);
    let done: Mutex<Vec<Result<Vec<Judged>>>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut q| q.pop_front());
                    let Some(boot) = next else { return };
                    let result = run_boot(&boot, keep).with_context(|| format!("boot {}", boot.name));
                    if let Ok(mut done) = done.lock() {
                        done.push(result);
                    }
                }
            });
        }
    });
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for result in done.into_inner().unwrap_or_default() {
        match result {
            Ok(judged) => rows.extend(judged),
            Err(e) => failed.push(format!("{e:#}")),
        }
    }
    if failed.is_empty() { Ok(rows) } else { bail!("{}", failed.join("\n")) }
}

fn run_boot(boot: &Boot, keep: &Path) -> Result<Vec<Judged>> {
    let folder = keep.join(&boot.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let json = plan_of(boot)?;
    let mut initrd = Vec::clone(&boot.base);
    initrd.extend(initramfs::plan(&json));
    fs::write(folder.join(kept::PLAN), &json).context("cannot write the plan")?;
    let path = folder.join(kept::INITRD);
    fs::write(&path, &initrd).context("cannot write the initramfs")?;
    let booted = qemu::boot(&boot.image, &path, &folder)?;
    let tar = File::open(&booted.disk).context("cannot open the disk")?;
    tar::Archive::new(std::io::BufReader::new(tar)).unpack(&folder).context("cannot unpack the evidence")?;
    for used in [&path, &booted.disk] {
        fs::remove_file(used).with_context(|| format!("cannot remove {}", used.display()))?;
    }
    kept::Outcome { wall_s: booted.wall.as_secs_f64(), ended_s: now_s(), tries: booted.tries as u64 }
        .write(&folder)?;
    let judging = Instant::now();
    let rows = kept::judge_boot(&folder)?;
    println!(
        "vm: boot {}: {} incidents, {} s, judged in {:.1} s, try {}; {}",
        boot.name,
        boot.trials.len(),
        seconds(booted.wall),
        judging.elapsed().as_secs_f64(),
        booted.tries,
        booted.said
    );
    Ok(rows)
}

/// What the guest of this boot is told to do.
fn plan_of(boot: &Boot) -> Result<Vec<u8>> {
    let runs = boot.trials.iter().map(|t| Run {
        name: t.name.clone(),
        diagnose: t.diagnose,
        incident: t.incident.clone(),
    });
    let plan =
        Plan { stagger_ms: STAGGER_MS, own: boot.own, runs: runs.collect(), paths: Vec::new(), bench: None };
    serde_json::to_vec_pretty(&plan).context("cannot write the plan")
}

/// Seconds since 1970.
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn seconds(d: Duration) -> String {
    format!("{:.1}", d.as_secs_f64())
}

/// The kernel image of an unpacked package.
fn image(root: &Path) -> Result<PathBuf> {
    let boot = root.join("boot");
    for entry in fs::read_dir(&boot).with_context(|| format!("cannot list {}", boot.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("vmlinuz-")) {
            return Ok(path);
        }
    }
    bail!("no kernel image in {}", boot.display())
}

/// Builds one of our programs for the guest, linked statically: the guest has another C library than this machine.
fn build(folder: &Path, package: &str) -> Result<PathBuf> {
    let target = folder.join("build");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("vm: building {package}");
    let mut command = Command::new(cargo);
    command
        .current_dir(generated::repository())
        .args(["build", "--quiet", "--locked", "--profile", "guest", "-p", package, "--target", TARGET])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    packages::run(&mut command)?;
    Ok(target.join(TARGET).join("guest").join(package))
}
