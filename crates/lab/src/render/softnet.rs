//! `/proc/net/softnet_stat`: one row of hexadecimal words for each CPU (`softnet_seq_show()`).
//!
//! The kernel adds words over time: the flow limit (3.11), backlog and CPU (5.10), the two queues (6.6).

use super::kernel::Kernel;
use crate::view::HostView;
use std::fmt::Write as _;

/// Renders the rows.
#[must_use]
pub fn render(view: &HostView) -> String {
    let kernel = Kernel::of(&view.kernel);
    let words = if kernel.since(6, 6) {
        15
    } else if kernel.since(5, 10) {
        13
    } else {
        11
    };
    let mut out = String::new();
    for (cpu, (processed, dropped, squeezed)) in view.load.softnet.iter().enumerate() {
        for n in 0..words {
            let value = match n {
                0 => *processed,
                1 => *dropped,
                2 => *squeezed,
                12 => cpu as u64,
                _ => 0,
            };
            // Counters of 32 bits, which wrap.
            let _ = write!(out, "{}{:08x}", if n == 0 { "" } else { " " }, value & 0xffff_ffff);
        }
        out.push('\n');
    }
    out
}
