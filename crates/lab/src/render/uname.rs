//! `uname -a`.

use super::kernel::Kernel;

/// Renders the line.
#[must_use]
pub fn render(hostname: &str, release: &str) -> String {
    let preempt = if Kernel::of(release).since(5, 12) { "SMP PREEMPT_DYNAMIC" } else { "SMP" };
    format!("Linux {hostname} {release} #1 {preempt} x86_64 GNU/Linux\n")
}
