//! `cargo xtask bench [FRAMES]`: our analysis against the tools a user would pick, on the same file in one run.
//!
//! CPU seconds (user and system) of whole processes, medians; the ratios are what counts, the machine is whatever it is.
//! Anchors: `tshark -T fields`, `tcpdump -vvv`, reading the file into a 1 MiB buffer, reading it plus SHA-256, and
//! `tcpdump -w` with the same filter on a capture with 1 % LACPDUs. Tools that are not installed are said to be missing.

use anyhow::{Context, Result, bail};
use bondwitness_host::usage::{Usage, run_measured};
use lacp::{Lacpdu, Mac, PortInfo, PortState};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the verb, or one of its child modes.
pub(crate) fn run(args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        Some("drain") => return drain(Path::new(args.get(1).context("drain FILE")?), false),
        Some("drain-hash") => return drain(Path::new(args.get(1).context("drain-hash FILE")?), true),
        _ => {}
    }
    let frames: u64 = args.first().map_or(Ok(1_000_000), |s| s.parse()).context("FRAMES is a number")?;
    let dir = PathBuf::from("target/bench");
    std::fs::create_dir_all(&dir)?;
    build()?;
    let ours = Path::new("target/release/bondwitness");
    // Reading and hashing are optimised like the program they are compared with.
    let me = Path::new("target/release/xtask");

    let pure = dir.join(format!("lacp-{frames}.pcap"));
    generate(&pure, frames, 0)?;
    println!("# LACPDUs only: {frames} frames, {} MB, 8 members, both directions, 1/s", mb(&pure));
    let analysis =
        measure("bondwitness diagnose (analysis)", 9, || command(ours, &["diagnose", "--from"], &pure));
    let hashed =
        measure("bondwitness diagnose --hash", 5, || command(ours, &["diagnose", "--hash", "--from"], &pure));
    let read = measure("read into a 1 MiB buffer", 9, || command(me, &["bench", "drain"], &pure));
    let read_hash = measure("read plus SHA-256", 5, || command(me, &["bench", "drain-hash"], &pure));
    // The anchors are slow: a tenth of the frames is enough, per frame they are linear.
    let part = frames.min(100_000);
    let small = dir.join(format!("lacp-{part}.pcap"));
    generate(&small, part, 0)?;
    let tshark = measure("tshark -Y lacp -T fields (10 fields)", 1, || {
        let mut c = Command::new("tshark");
        c.args(["-n", "-Y", "lacp", "-T", "fields"]);
        for f in [
            "frame.time_epoch",
            "eth.src",
            "lacp.actor.sysid",
            "lacp.actor.key",
            "lacp.actor.port",
            "lacp.actor.state",
            "lacp.partner.sysid",
            "lacp.partner.key",
            "lacp.partner.port",
            "lacp.partner.state",
        ] {
            c.args(["-e", f]);
        }
        c.arg("-r").arg(&small);
        c
    });
    let tcpdump = measure("tcpdump -nn -e -vvv ether proto 0x8809", 3, || {
        let mut c = Command::new("tcpdump");
        c.args(["-nn", "-e", "-vvv", "-r"]).arg(&small).args(["ether", "proto", "0x8809"]);
        c
    });
    let per = |u: &Option<Usage>, n: u64| u.as_ref().map(|u| n as f64 / u.cpu_seconds);
    println!();
    ratio(
        "frames per CPU-second, against tshark",
        per(&analysis, frames),
        per(&tshark, part),
        "at least 500",
        |r| r >= 500.0,
    );
    ratio(
        "frames per CPU-second, against tcpdump -vvv",
        per(&analysis, frames),
        per(&tcpdump, part),
        "at least 100",
        |r| r >= 100.0,
    );
    ratio("CPU of the analysis / CPU of reading", cpu(&analysis), cpu(&read), "at most 1.5", |r| r <= 1.5);
    ratio("CPU with hash / CPU of reading plus SHA-256", cpu(&hashed), cpu(&read_hash), "at most 1.2", |r| {
        r <= 1.2
    });

    let many = frames.saturating_mul(10);
    let large = dir.join(format!("lacp-{many}.pcap"));
    generate(&large, many, 0)?;
    println!("\n# memory above the mapping ({} MB mapped)", mb(&large));
    let big = measure("bondwitness diagnose, ten times the frames", 3, || {
        command(ours, &["diagnose", "--from"], &large)
    });
    if let (Some(a), Some(b)) = (&analysis, &big) {
        let above = |u: &Usage, p: &Path| u.max_rss_bytes.saturating_sub(size(p)) as f64 / 1048576.0;
        println!(
            "{frames} frames: {:.1} MiB, {many} frames: {:.1} MiB (goal: at most 16, independent of the frames)",
            above(a, &pure),
            above(b, &large)
        );
    }
    let _ = std::fs::remove_file(&large);

    let packets = frames.saturating_mul(2);
    let mixed = dir.join(format!("mixed-{packets}.pcap"));
    generate(&mixed, packets / 100, 99)?;
    println!("\n# mixed: {packets} packets, {} MB, 1 % LACPDUs", mb(&mixed));
    let ours_mixed = measure("bondwitness diagnose", 5, || command(ours, &["diagnose", "--from"], &mixed));
    let filter = measure("tcpdump -w /dev/null ether proto 0x8809", 5, || {
        let mut c = Command::new("tcpdump");
        c.arg("-r").arg(&mixed).args(["-w", "/dev/null", "ether", "proto", "0x8809"]);
        c
    });
    ratio(
        "packets per CPU-second, against tcpdump -w",
        per(&ours_mixed, packets),
        per(&filter, packets),
        "at least 2",
        |r| r >= 2.0,
    );
    let _ = std::fs::remove_file(&mixed);

    println!("\n# a typical folder");
    let folder = Path::new("fixtures/mlag-split");
    let typical = measure("bondwitness diagnose --from fixtures/mlag-split", 9, || {
        command(ours, &["diagnose", "--from"], folder)
    });
    if let Some(u) = &typical {
        println!("wall {:.1} ms (goal: at most 50 ms)", u.wall_seconds * 1000.0);
    }
    Ok(())
}

fn build() -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", "bondwitness", "--package", "xtask"])
        .status()?;
    if !status.success() {
        bail!("the release build failed");
    }
    Ok(())
}

fn command(program: &Path, args: &[&str], file: &Path) -> Command {
    let mut c = Command::new(program);
    c.args(args).arg(file);
    c
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

fn mb(path: &Path) -> u64 {
    size(path) / 1_000_000
}

fn cpu(u: &Option<Usage>) -> Option<f64> {
    u.as_ref().map(|u| u.cpu_seconds)
}

/// The median by CPU of `runs` runs after one that is not counted.
fn measure(label: &str, runs: usize, make: impl Fn() -> Command) -> Option<Usage> {
    let mut all: Vec<Usage> = Vec::new();
    for i in 0..=runs {
        match run_measured(&mut make()) {
            Ok(u) if i > 0 || runs == 1 => all.push(u),
            Ok(_) => {}
            Err(e) => {
                println!("{label:48} not measured: {e}");
                return None;
            }
        }
    }
    all.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    let u = all.swap_remove(all.len() / 2);
    println!(
        "{label:48} cpu {:9.4} s  wall {:9.4} s  rss {:7.1} MiB",
        u.cpu_seconds,
        u.wall_seconds,
        u.max_rss_bytes as f64 / 1048576.0
    );
    Some(u)
}

fn ratio(label: &str, a: Option<f64>, b: Option<f64>, goal: &str, met: impl Fn(f64) -> bool) {
    match (a, b) {
        (Some(a), Some(b)) => {
            let r = a / b;
            println!("{label:48} {r:9.2}  (goal: {goal}{})", if met(r) { "" } else { ": NOT MET" });
        }
        _ => println!("{label:48} not measured"),
    }
}

fn drain(path: &Path, hash: bool) -> Result<()> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0u8; 1 << 20];
    let mut hasher = bondwitness_core::diagnose::Hasher::default();
    let mut total = 0usize;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        total += n;
        if hash {
            hasher.update(buffer.get(..n).unwrap_or_default());
        }
    }
    println!("{total} {}", if hash { hasher.hex() } else { String::new() });
    Ok(())
}

/// xorshift: the same file on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A capture of eight members of four bonds at the fast rate, with silences of 2 to 10 s and key changes now and then;
/// `others` packets of other traffic before every LACPDU.
fn generate(path: &Path, lacpdus: u64, others: u64) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let partial = path.with_extension("partial");
    let mut w = BufWriter::with_capacity(1 << 20, std::fs::File::create(&partial)?);
    w.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
    w.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
    let mut r = Random(0x9e37_79b9_7f4a_7c15);
    let mut silent = [0u64; 8];
    let mut other_key = [0u64; 8];
    let mut filler = vec![0u8; 1514];
    for b in &mut filler {
        *b = r.below(256) as u8;
    }
    let (mut second, mut left) = (1_731_000_000u64, lacpdus);
    let packet = |w: &mut BufWriter<std::fs::File>, us: u64, data: &[u8]| -> Result<()> {
        w.write_all(&u32::try_from(us / 1_000_000)?.to_le_bytes())?;
        w.write_all(&u32::try_from(us % 1_000_000)?.to_le_bytes())?;
        let n = u32::try_from(data.len())?;
        w.write_all(&n.to_le_bytes())?;
        w.write_all(&n.to_le_bytes())?;
        w.write_all(data)?;
        Ok(())
    };
    while left > 0 {
        for member in 0..8usize {
            if r.below(3600) == 0 {
                silent[member] = second + 2 + r.below(9);
            }
            if r.below(20_000) == 0 {
                other_key[member] = second + 30 + r.below(90);
            }
            let bond = (member / 2) as u16;
            // Like Linux: Expired three seconds into the silence.
            let deaf = silent[member] > second + 1 && silent[member] < second + 8;
            let host = PortInfo {
                system_priority: 65535,
                system: Mac([0x3c, 0xfd, 0xfe, 0xaa, 0xbb, 0xf0 + bond as u8]),
                key: 21,
                port_priority: 255,
                port: (member % 2 + 1) as u16,
                state: PortState::from_bits_retain(if deaf { 0x87 } else { 0x3f }),
            };
            let switch = PortInfo {
                system_priority: 32768,
                system: Mac([0, 0x11, 0x22, 0x33, 0x44, 0x55]),
                key: if other_key[member] > second { 52 } else { 51 + 100 * bond },
                port_priority: 128,
                port: 49 + member as u16,
                state: PortState::from_bits_retain(0x3d),
            };
            for from_host in [true, false] {
                if left == 0 || (!from_host && silent[member] > second) {
                    continue;
                }
                left -= 1;
                let us = second * 1_000_000
                    + 100_000 * member as u64
                    + if from_host { 0 } else { 30_000 }
                    + r.below(400);
                for k in 0..others {
                    let size = match r.below(12) {
                        0..=6 => 66,
                        7..=10 => 590,
                        _ => 1514,
                    };
                    filler[12] = 8;
                    filler[13] = 0;
                    packet(&mut w, us - others + k, filler.get(..size).unwrap_or_default())?;
                }
                let (source, pdu) = if from_host {
                    ([0x3c, 0xfd, 0xfe, 0xaa, 0xbb, member as u8], Lacpdu::new(host, switch))
                } else {
                    ([0, 0x11, 0x22, 0x33, 0x44, 0x60 + member as u8], Lacpdu::new(switch, host))
                };
                let mut frame = Mac::SLOW_PROTOCOLS.0.to_vec();
                frame.extend(source);
                frame.extend([0x88, 0x09]);
                frame.extend(pdu.encode());
                packet(&mut w, us, &frame)?;
            }
        }
        second += 1;
    }
    w.flush()?;
    drop(w);
    std::fs::rename(&partial, path)?;
    Ok(())
}
