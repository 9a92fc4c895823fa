//! The program under trial, started as a user starts it: `bondwitness diagnose --netns NAME --for S -o BUNDLE`, or `collect`.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Where the program lies in the guest.
const PROGRAM: &str = "/bondwitness";
/// How long after its window the program may go on: it reads once more, judges and packs, and the guest's one processor
/// may be busy with dozens of others.
const PATIENCE: Duration = Duration::from_secs(120);

/// What it leaves in the folder of an incident: the bundle, what it printed, and how it ended.
const BUNDLE: &str = "bundle.tar.zst";
const SAID: &str = "diagnose.json";
const COMPLAINTS: &str = "diagnose.stderr";
const CODE: &str = "diagnose.code";

/// A run of the program on one host.
pub(crate) struct Collector {
    child: Option<Child>,
    until: Instant,
    out: PathBuf,
    /// Seconds of the processor that it and its own child took; known at its end.
    pub(crate) took_s: f64,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    Runs,
    /// It has left a bundle.
    Done,
    /// It has not, and why.
    Failed(String),
}

impl Collector {
    /// Starts it for `window` in the namespace of that name, with a verdict at its end or without; what it leaves goes to
    /// `out`.
    pub(crate) fn start(namespace: &str, diagnose: bool, window: Duration, out: &Path) -> Result<Self> {
        let file = |name: &str| File::create(out.join(name)).with_context(|| format!("cannot create {name}"));
        let child = Command::new(PROGRAM)
            .args(if diagnose { ["diagnose", "--json"].as_slice() } else { &["collect"] })
            .args(["--netns", namespace, "--for"])
            .arg(format!("{}ms", window.as_millis()))
            .arg("-o")
            .arg(out.join(BUNDLE))
            .stdin(Stdio::null())
            .stdout(file(SAID)?)
            .stderr(file(COMPLAINTS)?)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        let until = Instant::now() + window + PATIENCE;
        Ok(Self { child: Some(child), until, out: out.to_owned(), took_s: 0.0 })
    }

    /// Looks whether it has ended; ends it if it takes too long.
    pub(crate) fn poll(&mut self) -> Result<Progress> {
        let Some(child) = &mut self.child else { return Ok(Progress::Done) };
        let before = of_children();
        let Some(status) = child.try_wait().context("cannot wait for the program")? else {
            if Instant::now() < self.until {
                return Ok(Progress::Runs);
            }
            self.stop();
            return Ok(Progress::Failed(self.why("did not end")));
        };
        self.took_s = of_children() - before;
        self.child = None;
        fs::write(self.out.join(CODE), code(status)).context("cannot write how the program ended")?;
        Ok(if self.out.join(BUNDLE).is_file() {
            Progress::Done
        } else {
            Progress::Failed(self.why(&format!("left no bundle ({status})")))
        })
    }

    /// Ends it, whatever it does.
    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself meanwhile; its own child ends when its input does.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn why(&self, what: &str) -> String {
        let said = fs::read_to_string(self.out.join(COMPLAINTS)).unwrap_or_default();
        format!("the program {what}: {}", said.trim().replace('\n', "; "))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The exit code in figures, and nothing for a program that was killed.
fn code(status: ExitStatus) -> String {
    status.code().map_or_else(String::new, |code| format!("{code}\n"))
}

/// Seconds of the processor that ended children took, theirs included: fields 16 and 17 of proc_pid_stat(5). Zero if the
/// kernel does not tell.
pub(crate) fn of_children() -> f64 {
    fs::read_to_string("/proc/self/stat").map_or(0.0, |text| seconds(&text, &[15, 16]))
}

/// The sum of some fields of a line of hundredths of a second, by place from zero.
pub(crate) fn seconds(line: &str, fields: &[usize]) -> f64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    fields.iter().filter_map(|i| words.get(*i)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// How long the program looks: from `from` to `until` before the end of the incident, whole milliseconds.
pub(crate) fn window(duration_ms: u64, from_ms: u64, until_ms: u64) -> Result<Duration> {
    let window = duration_ms.saturating_sub(from_ms).saturating_sub(until_ms);
    if window == 0 {
        bail!("no time is left for the program between {from_ms} ms and {until_ms} ms before the end");
    }
    Ok(Duration::from_millis(window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_what_the_scenario_leaves() {
        assert_eq!(window(75_000, 8_250, 5_000).unwrap(), Duration::from_millis(61_750));
        assert!(window(10_000, 8_000, 2_000).is_err());
        assert!(window(1, 5, 0).is_err());
    }

    #[test]
    fn times_are_read_from_the_line_of_a_process() {
        // A line of proc_pid_stat(5): utime 150, stime 50, cutime 1200, cstime 300.
        let line = "41 (guest) R 1 1 1 0 -1 4194560 1 2 0 0 150 50 1200 300 20 0 1 0 5";
        assert!((seconds(line, &[13, 14]) - 2.0).abs() < 1e-9);
        assert!((seconds(line, &[15, 16]) - 15.0).abs() < 1e-9);
        assert!(seconds("", &[15, 16]).abs() < 1e-9);
    }
}
