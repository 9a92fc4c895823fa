//! `/proc/pressure/cpu` (`psi_show()` in `kernel/sched/psi.c`; the line `full` of the CPU since 5.13, always zero).

use super::kernel::Kernel;
use crate::view::HostView;

/// Renders the file; kernels before 4.20 have none.
#[must_use]
pub fn render(view: &HostView) -> Option<String> {
    let kernel = Kernel::of(&view.kernel);
    let (avg10, avg60, avg300, total) = view.load.cpu_some;
    let mut out = format!("some avg10={avg10:.2} avg60={avg60:.2} avg300={avg300:.2} total={total}\n");
    if kernel.since(5, 13) {
        out.push_str("full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }
    kernel.since(4, 20).then_some(out)
}
