//! The judge of ADR 0007: turns readings into files, files into a verdict, and has no privilege to do anything else.

use super::diagnose::print;
use super::txpath;
use anyhow::{Context as _, Result};
use bondwitness_core::bundle::{self, sign};
use bondwitness_core::collection::{Form, Reading, Spool, v1};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::evidence::Direction;
use bondwitness_core::redact;
use bondwitness_core::report::{members::words, printable, text};
use bondwitness_host::lockdown::{self, Lockdown};
use bondwitness_host::sensor::stream::{Said, Told};
use lacp::wire::{ETHERTYPE_SLOW, SlowPdu};
use lacp::{Lacpdu, PortState};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufReader, BufWriter, Read, Write};

/// The kinds of files that go back to the collecting process.
pub(super) const BUNDLE: &str = "bundle";
/// See [`BUNDLE`].
pub(super) const MAPPING: &str = "mapping";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is said where no bond is: a page about every interface would not answer the question.
const NO_BOND: &str = "\
NOTHING TO EXAMINE  this network namespace has no bond of the bonding driver (/proc/net/bonding is empty)
  Bonds of another namespace:           bondwitness diagnose --netns NAME|PID
  Evidence of another host:             bondwitness diagnose --from PATH
  teamd or Open vSwitch, or no bond:    save `teamdctl team0 state`, `ovs-appctl bond/show`, `ip -d -s link`,
                                        `ethtool -S IFACE` into a folder and use --from
";

/// What the sensor asked for; see `live::tell`.
#[derive(Debug, Default)]
struct Wish {
    diagnose: bool,
    /// The interface whose frames are followed, in place of a verdict on bonds.
    path: Option<String>,
    bonds: Vec<String>,
    json: bool,
    options: text::Options,
    progress: bool,
    window_s: u64,
    until_flap: bool,
    bundle: bool,
    quiet: bool,
    /// The public half of the key that the collecting process signs with, as OpenSSH writes it.
    key: Option<String>,
    /// Pseudonyms are made with this.
    redact: Option<[u8; 32]>,
}

impl Wish {
    fn read(json: &[u8]) -> Result<Self> {
        let v: Value = serde_json::from_slice(json)?;
        let flag = |name: &str| v.get(name).and_then(Value::as_bool).unwrap_or(false);
        let number = |name: &str| v.get(name).and_then(Value::as_u64).unwrap_or(0);
        Ok(Self {
            diagnose: flag("diagnose"),
            path: v.get("path").and_then(Value::as_str).map(str::to_owned),
            bonds: v
                .get("bonds")
                .and_then(Value::as_array)
                .map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            json: flag("json"),
            options: text::Options {
                color: flag("color"),
                width: usize::try_from(number("width")).unwrap_or(80),
                verbose: flag("verbose"),
            },
            progress: flag("progress"),
            window_s: number("window_ms").div_ceil(1000),
            until_flap: flag("until_flap"),
            bundle: flag("bundle"),
            quiet: flag("quiet"),
            key: v.get("key").and_then(Value::as_str).map(str::to_owned),
            redact: v.get("redact").and_then(|seed| serde_json::from_value(seed.clone()).ok()),
        })
    }
}

pub(super) fn run() -> Result<u8> {
    // Before anything is read: what comes is from the wire.
    let locked = lockdown::judge()?;
    let mut from = BufReader::with_capacity(64 * 1024, std::io::stdin().lock());
    let mut to = BufWriter::new(std::io::stdout().lock());
    let Some(Told::Begin(wish)) = Told::receive(&mut from).context("cannot read what is wanted")? else {
        return Err(super::Helped::new(
            "cannot judge by itself: this command is started by `diagnose` and `collect`",
            "bondwitness diagnose --help",
        )
        .code(2)
        .into());
    };
    let wish = Wish::read(&wish)?;
    let mut spool = Spool::new(concat!("bondwitness ", env!("CARGO_PKG_VERSION")), "Linux");
    let mut watch = Watch::default();
    let mut end = None;
    while let Some(told) = Told::receive(&mut from).context("cannot read from the collecting process")? {
        match told {
            Told::Reading(reading) => {
                if let Some(why) = watch.see(&reading) {
                    Said::Flap(why).send(&mut to)?;
                    to.flush()?;
                }
                spool.take(&reading);
            }
            Told::Opened(file, dev) => {
                spool.open_capture(&file, &dev);
                watch.members.entry(dev).or_default();
            }
            Told::Closed(capture) => spool.close_capture(&capture),
            Told::Tick => {
                watch.seconds += 1;
                if wish.progress {
                    Said::Progress(watch.draw(&wish)).send(&mut to)?;
                    to.flush()?;
                }
            }
            Told::End(collection) => {
                // The pipe stays open: there may be something to be signed.
                end = Some(collection);
                break;
            }
            Told::Begin(_) | Told::Signed(_) => {}
        }
    }
    if wish.progress {
        Said::Progress(watch.erase()).send(&mut to)?;
        to.flush()?;
    }
    let Some(collection) = end else {
        anyhow::bail!("the collecting process ended early");
    };
    let code = finish(&wish, &spool, &collection, &locked, &mut from, &mut to)?;
    Said::Exit(code).send(&mut to)?;
    to.flush()?;
    Ok(0)
}

fn finish(
    wish: &Wish,
    spool: &Spool,
    collection: &v1::Collection,
    locked: &Lockdown,
    from: &mut impl Read,
    to: &mut impl Write,
) -> Result<u8> {
    let mut collection = collection.clone();
    collection.lockdown = locked.done().into_iter().map(str::to_owned).collect();
    let mut files = spool.files(&collection);
    let mut code = u8::from(collection.bonds.is_empty()) * 3;
    if let Some(iface) = &wish.path {
        // As `--from` reads the bundle.
        let inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        let (path_code, out) = txpath::judge(&diagnose::case_of(&inputs), iface, wish.json)?;
        code = path_code;
        if !wish.quiet {
            Said::Out(out.into_bytes()).send(to)?;
            to.flush()?;
        }
    }
    if wish.diagnose && (wish.path.is_none() || wish.bundle) {
        let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &wish.bonds);
        if wish.path.is_none() {
            // Interfaces alone are nothing that was asked for.
            code = if collection.bonds.is_empty() { 3 } else { report.exit_code() };
        }
        if !wish.quiet && wish.path.is_none() {
            let out = if collection.bonds.is_empty() && !wish.json {
                NO_BOND.to_owned()
            } else {
                print(&report, wish.json, wish.options)?
            };
            Said::Out(out.into_bytes()).send(to)?;
            to.flush()?;
        }
        files.insert(bundle::v1::VERDICT_JSON.to_owned(), bundle::verdict_json(&report, VERSION));
        files.insert(bundle::v1::VERDICT_TXT.to_owned(), bundle::verdict_txt(&report));
    }
    if wish.bundle {
        let redacted =
            wish.redact.map(|seed| redact::case(&files, &wish.bonds, wish.diagnose.then_some(VERSION), seed));
        let files = redacted.as_ref().map_or(&files, |r| &r.files);
        let asked = match &wish.key {
            Some(key) => {
                Some(Asked { key: sign::PublicKey::read(key)?, pipes: RefCell::new((&mut *from, &mut *to)) })
            }
            None => None,
        };
        let meta = bundle::Meta {
            version: VERSION,
            hostname: redacted.as_ref().map_or(&collection.host.hostname, |r| &r.hostname),
            created_ns: collection.clocks.last().map_or(0, |c| c.real_ns),
            bonds: &wish.bonds,
            redaction: redacted.as_ref().map(|r| &r.note),
            key: asked.as_ref().map(|a| a as _),
        };
        let packed = bundle::pack(files, &meta).map_err(|e| super::Helped::new(e.to_string(), e.help()))?;
        Said::File(BUNDLE.to_owned(), packed.bytes).send(to)?;
        if let Some(redacted) = redacted {
            Said::File(MAPPING.to_owned(), redacted.mapping).send(to)?;
        }
    }
    Ok(code)
}

/// Signs by asking the process that has the key.
struct Asked<'a, R, W> {
    key: sign::PublicKey,
    pipes: RefCell<(&'a mut R, &'a mut W)>,
}

impl<R, W> std::fmt::Debug for Asked<'_, R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<R: Read, W: Write> sign::Signer for Asked<'_, R, W> {
    fn public(&self) -> sign::PublicKey {
        self.key
    }

    fn sign(&self, manifest: &[u8]) -> Result<String, String> {
        let (from, to) = &mut *self.pipes.borrow_mut();
        let answer = Said::Sign(manifest.to_vec())
            .send(to)
            .and_then(|()| to.flush())
            .and_then(|()| Told::receive(from))
            .map_err(|e| e.to_string())?;
        match answer {
            Some(Told::Signed(text)) if !text.is_empty() => {
                String::from_utf8(text).map_err(|_| "the signature is no text".to_owned())
            }
            _ => Err("the collecting process did not sign".to_owned()),
        }
    }
}

/// What is shown while the window is open, and what a flap is noticed by.
#[derive(Debug, Default)]
struct Watch {
    members: BTreeMap<String, Seen>,
    bonds: BTreeMap<String, Vec<String>>,
    seconds: u64,
    drawn: usize,
    note: Option<String>,
}

/// What was seen on one member.
#[derive(Debug, Default)]
struct Seen {
    sent: u64,
    received: u64,
    /// The states of the last PDU sent: ours, and what we know of the partner's.
    ours: Option<(PortState, PortState)>,
    /// The states of the last PDU received: the partner's, and what it knows of ours.
    theirs: Option<(PortState, PortState)>,
}

impl Watch {
    /// Takes note of a reading; says why, if it shows a flap.
    fn see(&mut self, reading: &Reading<'_>) -> Option<String> {
        let flap = match &reading.form {
            Form::Frame { dev, direction, bytes, .. } => self.frame(dev, *direction, bytes),
            Form::Text(bytes) => reading
                .source
                .strip_prefix("/proc/net/bonding/")
                .and_then(|bond| self.bond(bond, &String::from_utf8_lossy(bytes))),
            Form::Netlink { .. } | Form::Failed { .. } => None,
        }?;
        self.note = Some(flap.clone());
        Some(flap)
    }

    fn frame(&mut self, dev: &str, direction: Direction, bytes: &[u8]) -> Option<String> {
        let pdu = lacpdu(bytes)?;
        let seen = self.members.entry(dev.to_owned()).or_default();
        let states = (pdu.actor.state, pdu.partner.state);
        let (before, who) = match direction {
            Direction::Out => {
                seen.sent += 1;
                (seen.ours.replace(states), "the host")
            }
            Direction::In => {
                seen.received += 1;
                (seen.theirs.replace(states), "the partner")
            }
        };
        let (before, _) = before?;
        let now = pdu.actor.state;
        let lost = (before - now) & (PortState::SYNCHRONIZATION | PortState::CARRIES);
        let gained = (now - before) & (PortState::EXPIRED | PortState::DEFAULTED);
        (!lost.is_empty() || !gained.is_empty())
            .then(|| format!("flap: {dev}, {who}: {}, now {}", words(before), words(now)))
    }

    /// The lines of `/proc/net/bonding` that change in a flap.
    fn bond(&mut self, bond: &str, text: &str) -> Option<String> {
        const TELLING: [&str; 4] =
            ["MII Status:", "Currently Active Slave:", "Number of ports:", "Link Failure Count:"];
        let lines: Vec<String> = text
            .lines()
            .map(str::trim)
            .filter(|l| TELLING.iter().any(|t| l.starts_with(t)))
            .map(str::to_owned)
            .collect();
        let before = self.bonds.insert(bond.to_owned(), lines.clone())?;
        let change = lines.iter().zip(&before).find(|(now, before)| now != before);
        match change {
            Some((now, _)) => Some(format!("flap: {bond}, {now}")),
            None if lines.len() != before.len() => Some(format!("flap: {bond}, members changed")),
            None => None,
        }
    }

    fn erase(&mut self) -> String {
        let up = std::mem::take(&mut self.drawn);
        if up == 0 { String::new() } else { format!("\x1b[{up}A\r\x1b[J") }
    }

    fn draw(&mut self, wish: &Wish) -> String {
        let mut out = self.erase();
        let what = if wish.until_flap { "waiting for a flap" } else { "capturing" };
        let end = if wish.diagnose { "gives the verdict on what there is" } else { "writes what there is" };
        let _ = writeln!(
            out,
            "{what}: {} of {} s (Ctrl-C {end})",
            self.seconds.min(wish.window_s),
            wish.window_s
        );
        let mut lines = 1;
        let width = self.members.keys().map(|m| m.chars().count()).max().unwrap_or(0);
        for (dev, seen) in self.members.iter().take(16) {
            let state = |s: Option<PortState>| s.map_or_else(|| "nothing yet".to_owned(), words);
            let _ = writeln!(
                out,
                "  {:width$}  out {:>5}: {}\n  {:width$}  in  {:>5}: {}; knows us as {}",
                printable(dev),
                seen.sent,
                state(seen.ours.map(|s| s.0)),
                "",
                seen.received,
                state(seen.theirs.map(|s| s.0)),
                state(seen.theirs.map(|s| s.1)),
            );
            lines += 1;
            lines += 1;
        }
        if self.members.len() > 16 {
            let _ = writeln!(out, "  and {} more", self.members.len() - 16);
            lines += 1;
        }
        if let Some(note) = &self.note {
            let _ = writeln!(out, "  {}", printable(note));
            lines += 1;
        }
        self.drawn = lines;
        out
    }
}

/// The LACPDU in an Ethernet frame, behind VLAN tags too.
fn lacpdu(frame: &[u8]) -> Option<Lacpdu> {
    let mut rest = frame.get(12..)?;
    loop {
        let (ethertype, payload) = rest.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*ethertype) {
            ETHERTYPE_SLOW => {
                let (SlowPdu::Lacpdu(pdu), _) = lacp::wire::decode(payload) else { return None };
                return Some(pdu);
            }
            0x8100 | 0x88a8 => rest = payload.get(2..)?,
            _ => return None,
        }
    }
}
