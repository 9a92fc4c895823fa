//! What a child process used: for the benchmark.

use std::io;
use std::process::{Command, Stdio};

/// CPU and memory of one process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time.
    pub cpu_seconds: f64,
    /// From start to end.
    pub wall_seconds: f64,
    /// Peak resident set.
    pub max_rss_bytes: u64,
}

/// Runs a command with its output thrown away and measures it.
///
/// # Errors
/// If it cannot be started or waited for, or ends by a signal.
pub fn run_measured(command: &mut Command) -> io::Result<Usage> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = std::time::Instant::now();
    let child = command.spawn()?;
    let (cpu_seconds, max_rss_bytes) = crate::sys::wait_usage(child.id())?;
    Ok(Usage { cpu_seconds, wall_seconds: start.elapsed().as_secs_f64(), max_rss_bytes })
}
