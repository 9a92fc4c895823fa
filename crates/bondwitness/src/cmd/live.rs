//! Looking at the running host: `diagnose` without `--from`, and `collect`.
//!
//! This process is the sensor of ADR 0007: it holds the privileges, starts the judge as its child, feeds it with
//! readings, and prints and stores what comes back.

use super::judge::MAPPING;
use super::{Helped, redact};
use crate::cli::{Collect, Diagnose, Live, TxPath};
use anyhow::{Context as _, Result};
use bondwitness_core::bundle::sign::Key;
use bondwitness_host::sensor::stream::{Said, Told};
use bondwitness_host::sensor::{self, Control, Plan, bonds};
use bondwitness_host::signal::StopSignals;
use bondwitness_host::{lockdown, namespace, random, save, terminal};
use serde_json::json;
use std::io::{BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the judge is told to do, as it is understood by `judge::Wish`.
struct Order {
    diagnose: bool,
    /// The interface whose frames are followed, in place of a verdict on bonds.
    path: Option<String>,
    bonds: Vec<String>,
    json: bool,
    verbose: bool,
    color: bool,
    until_flap: bool,
    output: Option<PathBuf>,
    /// The private key to sign with. It stays in this process.
    key: Option<Key>,
    /// The random octets that pseudonyms are made with, if any are.
    redact: Option<[u8; 32]>,
}

pub(super) fn diagnose(args: &Diagnose, color: bool) -> Result<u8> {
    let order = Order {
        diagnose: true,
        path: None,
        bonds: args.bonds.clone(),
        json: args.json,
        verbose: args.verbose,
        color,
        until_flap: args.until_flap,
        output: args.output.clone(),
        key: args.live.sign.as_deref().map(super::verify::private_key).transpose()?,
        redact: seed(&args.live)?,
    };
    run(&order, &args.live)
}

pub(super) fn collect(args: &Collect) -> Result<u8> {
    let order = Order {
        diagnose: false,
        path: None,
        bonds: args.bonds.clone(),
        json: false,
        verbose: false,
        color: false,
        until_flap: false,
        output: Some(args.output.clone()),
        key: args.live.sign.as_deref().map(super::verify::private_key).transpose()?,
        redact: seed(&args.live)?,
    };
    run(&order, &args.live)
}

pub(super) fn txpath(args: &TxPath) -> Result<u8> {
    let order = Order {
        diagnose: true,
        path: Some(args.iface.clone()),
        bonds: Vec::new(),
        json: args.json,
        verbose: false,
        color: false,
        until_flap: false,
        output: args.output.clone(),
        key: None,
        redact: None,
    };
    // What is counted says where frames die; the frames themselves are not looked at.
    let live = Live {
        window: Some(args.window),
        no_tx_tap: true,
        netns: args.netns.clone(),
        sign: None,
        redact: false,
    };
    run(&order, &live)
}

/// The random octets for pseudonyms.
fn seed(live: &Live) -> Result<Option<[u8; 32]>> {
    let octets = || random::octets::<32>().context("cannot read random octets from /dev/urandom");
    live.redact.then(octets).transpose()
}

fn run(order: &Order, live: &Live) -> Result<u8> {
    let to_stdout = order.output.as_deref() == Some(Path::new("-"));
    if to_stdout && terminal::is_terminal_stdout() {
        return Err(Helped::new(
            "cannot write a bundle to a terminal",
            "redirect it: ssh host bondwitness collect -o - > case.tar.zst",
        )
        .code(2)
        .into());
    }
    if to_stdout && order.redact.is_some() {
        return Err(Helped::new(
            "cannot redact into a pipe: what stands for what would have no place to be kept",
            "write to a file: -o case.tar.zst; or redact later: bondwitness redact case.tar.zst -o FILE",
        )
        .code(2)
        .into());
    }
    if let Some(path) = order.output.as_deref().filter(|_| !to_stdout) {
        save::may_be_written(path)?;
        if order.redact.is_some() {
            save::may_be_written(&redact::mapping(path))?;
        }
    }
    if let Some(name) = &live.netns {
        enter(name)?;
    }
    let target =
        bonds::target(&order.bonds).context("cannot list the bonds of this host (/proc/net/bonding)")?;
    for bond in &order.bonds {
        if !target.bonds.contains(bond) {
            let known = bonds::all().unwrap_or_default();
            let help = if known.is_empty() {
                "this network namespace has no bond; another one: --netns NAME|PID".to_owned()
            } else {
                format!("this network namespace has: {}", known.join(", "))
            };
            return Err(Helped::new(format!("cannot find a bond called {bond}"), help).code(3).into());
        }
    }
    if let Some(iface) = &order.path {
        exists(iface)?;
    }
    // Without a bond there is nothing to wait for.
    let window = if target.bonds.is_empty() && order.path.is_none() {
        Duration::ZERO
    } else {
        live.window.unwrap_or_else(|| bonds::window(&target))
    };
    // Before the child is started, so that Ctrl-C ends the window and not the child.
    let signals = StopSignals::take().context("cannot take signals")?;
    let mut child = start()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (Some(input), Some(output)) = (input, output) else {
        return Err(
            Helped::new("cannot talk to the judging process", "this is a defect; please report it").into()
        );
    };
    let control = Arc::new(Control { signals, flap: AtomicBool::new(false), gone: AtomicBool::new(false) });
    // Before the first thread, and after the child, which needs rights to give its own away.
    lockdown::sensor().map_err(|e| Helped::new(e.to_string(), e.help()))?;
    // Closed only when the judge has ended: it may ask for a signature after the last reading.
    let input = Arc::new(Mutex::new(Some(BufWriter::with_capacity(64 * 1024, input))));
    let back = {
        let (control, path, key) = (Arc::clone(&control), order.output.clone(), order.key.clone());
        let input = Arc::clone(&input);
        std::thread::spawn(move || listen(output, &control, path.as_deref(), key.as_ref(), &input))
    };
    let plan = Plan {
        bonds: order.bonds.clone(),
        window,
        until_flap: order.until_flap,
        outgoing: !live.no_tx_tap,
        path: order.path.clone(),
        command: std::env::args().skip(1).collect(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let told = tell(order, &plan, &control, &input);
    let back = wait(&mut child, back, &control)?;
    let status = child.wait().context("cannot wait for the judging process")?;
    let back = back?;
    match (back.code, told) {
        (Some(code), _) => Ok(code),
        (None, told) => {
            let why = told.err().map_or_else(|| status.to_string(), |e| format!("{status}; {e}"));
            Err(Helped::new(
                format!("cannot judge: the judging process ended early ({why})"),
                "collect with a snapshot only (--for 0) and report this as a defect, with the command and the kernel",
            )
            .into())
        }
    }
}

/// Refuses an interface that is not there before anybody waits for it.
fn exists(iface: &str) -> Result<()> {
    let list = std::fs::read_to_string("/proc/thread-self/net/dev")
        .context("cannot list the interfaces of this host (/proc/net/dev)")?;
    let names: Vec<&str> = list.lines().filter_map(|l| Some(l.split_once(':')?.0.trim())).collect();
    if names.contains(&iface) {
        return Ok(());
    }
    let some: Vec<&str> = names.iter().copied().take(20).collect();
    let more = if names.len() > some.len() { ", ..." } else { "" };
    Err(Helped::new(
        format!("cannot find the interface {iface} in this network namespace"),
        format!("there are: {}{more}; another namespace: --netns NAME|PID", some.join(", ")),
    )
    .code(3)
    .into())
}

/// Moves this process into another network namespace, with a `/sys` that shows it.
fn enter(name: &str) -> Result<()> {
    let path = if name.bytes().all(|b| b.is_ascii_digit()) {
        PathBuf::from(format!("/proc/{name}/ns/net"))
    } else if name.contains('/') {
        PathBuf::from(name)
    } else {
        Path::new("/run/netns").join(name)
    };
    let help = |e: &std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => "`ip netns list` and `lsns -t net` show what there is",
        _ => "entering a namespace needs CAP_SYS_ADMIN: run as root",
    };
    namespace::Namespace::at(&path).and_then(|n| n.enter_for_good()).map_err(|e| {
        Helped::new(format!("cannot enter the network namespace {name} ({}): {e}", path.display()), help(&e))
            .into()
    })
}

fn start() -> Result<Child> {
    Command::new("/proc/self/exe")
        .arg("judge")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| {
            Helped::new(
                format!("cannot start the judging process: {e}"),
                "/proc must be mounted, and a process allowed",
            )
            .into()
        })
}

/// The judge's input: gone when there is nothing more to say.
type Input = Mutex<Option<BufWriter<ChildStdin>>>;

/// Collects into the judge's input. It is closed behind the last reading, unless a signature may be asked for.
fn tell(order: &Order, plan: &Plan, control: &Control, input: &Input) -> std::io::Result<()> {
    let mut place = input.lock().unwrap_or_else(PoisonError::into_inner);
    let told = place.as_mut().map_or(Ok(()), |input| tell_all(order, plan, control, input));
    if told.is_err() || order.key.is_none() {
        *place = None;
    }
    told
}

fn tell_all(order: &Order, plan: &Plan, control: &Control, input: &mut impl Write) -> std::io::Result<()> {
    let wish = json!({
        "diagnose": order.diagnose,
        "path": order.path,
        "bonds": order.bonds,
        "json": order.json,
        "verbose": order.verbose,
        "color": order.color,
        "width": terminal::columns().map_or(80, usize::from).clamp(60, 120),
        "progress": std::io::stderr().is_terminal(),
        "window_ms": u64::try_from(plan.window.as_millis()).unwrap_or(u64::MAX),
        "until_flap": plan.until_flap,
        "bundle": order.output.is_some(),
        "key": order.key.as_ref().map(|k| k.public().to_openssh()),
        "redact": order.redact,
        "quiet": order.output.as_deref() == Some(Path::new("-")),
    });
    Told::Begin(wish.to_string().into_bytes()).send(input)?;
    sensor::run(plan, control, &mut *input)?;
    input.flush()
}

/// Signs what the judge asks for, once: what it wants signed can be a manifest of a bundle only, by the namespace of the
/// signature.
fn sign(key: Option<&Key>, manifest: &[u8], input: &Input) {
    let Some(mut input) = input.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let signature = key.map_or_else(String::new, |key| key.sign(manifest));
    // A judge that is gone is noticed where its last word is missing.
    let _ = Told::Signed(signature.into_bytes()).send(&mut input).and_then(|()| input.flush());
}

/// What came back from the judge.
struct Back {
    code: Option<u8>,
}

/// Prints and stores what the judge says, until it ends.
fn listen(
    output: ChildStdout,
    control: &Control,
    path: Option<&Path>,
    key: Option<&Key>,
    input: &Input,
) -> Result<Back> {
    let mut output = BufReader::new(output);
    let mut back = Back { code: None };
    let mut failure = None;
    while let Ok(Some(said)) = Said::receive(&mut output) {
        match said {
            Said::Progress(text) => {
                // Progress that nobody can see is no error.
                let _ = std::io::stderr().write_all(text.as_bytes());
            }
            Said::Flap(_) => control.flap.store(true, Ordering::Relaxed),
            Said::Out(bytes) => {
                let written = terminal::write_all_stdout(&bytes).context("cannot write to standard output");
                failure = failure.or(written.err());
            }
            Said::Err(bytes) => {
                let _ = std::io::stderr().write_all(&bytes);
            }
            Said::File(kind, bytes) => {
                // The verdict is printed even where the bundle cannot be written.
                let written = store(&kind, &bytes, path);
                failure = failure.or(written.err());
            }
            Said::Sign(manifest) => sign(key, &manifest, input),
            Said::Exit(code) => back.code = Some(code),
        }
    }
    control.gone.store(true, Ordering::Relaxed);
    failure.map_or(Ok(back), Err)
}

/// Stores a file of the judge where the user wants it.
fn store(kind: &str, bytes: &[u8], path: Option<&Path>) -> Result<()> {
    match path {
        Some(p) if kind == MAPPING => save::file(&redact::mapping(p), bytes).map_err(Into::into),
        Some(p) if p == Path::new("-") => {
            terminal::write_all_stdout(bytes).context("cannot write to standard output")
        }
        Some(p) => save::file(p, bytes).map_err(Into::into),
        None => Ok(()),
    }
}

/// Waits for the judge's last word. A second Ctrl-C ends it.
fn wait(
    child: &mut Child,
    back: std::thread::JoinHandle<Result<Back>>,
    control: &Control,
) -> Result<Result<Back>> {
    while !back.is_finished() {
        if control.signals.came() {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            return Err(Helped::new(
                "stopped before the verdict",
                "run it again; one Ctrl-C gives a verdict on what there is",
            )
            .into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    back.join()
        .map_err(|_| Helped::new("cannot print the verdict", "this is a defect; please report it").into())
}
