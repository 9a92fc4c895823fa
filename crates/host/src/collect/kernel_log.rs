//! `kernel-log`: the records of `/dev/kmsg`: all at the begin, then those that were added since.
//!
//! An empty reading says that nothing was logged until then. Records that were overwritten before they could be read
//! are a failure of its own with their exact number.

use super::{Collector, Pace, Sink, Target, failed};
use crate::kmsg::{KernelLog, Taken};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Sample, run };

const ID: &str = "kernel-log";
const FILE: &str = "log/kmsg.txt";
const SOURCE: &str = "/dev/kmsg";
/// The largest ring that the kernel can be told to make is 2 GiB; common are 128 KiB to 16 MiB.
const AT_MOST: usize = 32 * 1024 * 1024;

enum State {
    /// Nothing was tried yet.
    New,
    Open(KernelLog),
    /// It could not be opened; that was said.
    Refused,
}

thread_local! {
    /// The reader of the collection that this thread makes.
    static STATE: RefCell<State> = const { RefCell::new(State::New) };
    static INCOMPLETE: Cell<bool> = const { Cell::new(false) };
}

/// Begins anew: the next reading has the whole log.
pub(super) fn begin_anew() {
    STATE.replace(State::New);
    INCOMPLETE.set(false);
}

/// True if the collection of this thread could not read the log of this boot from its begin.
pub(super) fn is_incomplete() -> bool {
    INCOMPLETE.get()
}

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    STATE.with_borrow_mut(|state| {
        let begun = crate::clock::begin();
        if matches!(state, State::New) {
            match KernelLog::open() {
                Ok(log) => *state = State::Open(log),
                Err(e) => {
                    *state = State::Refused;
                    INCOMPLETE.set(true);
                    return hand_over(sink, begun.end(), failed(ID, &e));
                }
            }
        }
        let State::Open(log) = state else { return Ok(()) };
        let fresh = log.is_fresh();
        let taken = log.take(AT_MOST);
        let window = begun.end();
        match taken {
            Ok(taken) => {
                if taken.missing > 0 {
                    INCOMPLETE.set(true);
                    hand_over(sink, window, missing(&taken, fresh))?;
                }
                if taken.more {
                    let detail =
                        format!("more than {AT_MOST} octets: the rest follows with the next reading");
                    let form =
                        Form::Failed { collector: ID.into(), why: v1::Cause::Lost, detail: detail.into() };
                    hand_over(sink, window, form)?;
                }
                hand_over(sink, window, Form::Text(Cow::Owned(taken.bytes)))
            }
            Err(e) => hand_over(sink, window, failed(ID, &e)),
        }
    })
}

fn hand_over(sink: &mut dyn Sink, window: Window, form: Form<'_>) -> io::Result<()> {
    sink.take(Reading { file: FILE.into(), source: SOURCE.into(), window, form })
}

fn missing(taken: &Taken, fresh: bool) -> Form<'static> {
    // What was overwritten before the collection began is another gap than what got lost in it.
    let (collector, detail) = if fresh {
        ("kernel-log-history", format!("the oldest {} records of this boot were overwritten", taken.missing))
    } else {
        (ID, format!("{} records were overwritten before they could be read", taken.missing))
    };
    Form::Failed { collector: collector.into(), why: v1::Cause::Lost, detail: detail.into() }
}
