//! Taking the processor away from everything else, again and again.
//!
//! The guest has one processor, and the far end lives on it too: such an incident has the guest for itself, and the far
//! end is as late as the host. That is not what a starved host looks like to a real switch; what is real is the host's
//! own kernel: its workqueue, its softirqs, its taps.

use bondwitness_host::priority;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A thread that spins at real-time priority until it is dropped.
pub(crate) struct Hog {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hog {
    /// Spins for `stall_ms`, lets go for `run_ms`, and so on.
    pub(crate) fn start(stall_ms: u64, run_ms: u64) -> io::Result<Self> {
        // Else the kernel gives others a twentieth of each second.
        std::fs::write("/proc/sys/kernel/sched_rt_runtime_us", "-1")?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().spawn(move || {
            if priority::real_time(90).is_err() {
                return;
            }
            while !stopped.load(Ordering::Relaxed) {
                let until = Instant::now() + Duration::from_millis(stall_ms);
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
                std::thread::sleep(Duration::from_millis(run_ms));
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say; a panic of it would have ended it as well.
            let _ = thread.join();
        }
    }
}
