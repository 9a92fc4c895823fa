//! Calls that may hang, with a time limit.
//!
//! A driver whose firmware does not answer holds the kernel's RTNL lock for seconds (`bnx2x` reading its EEPROM: 12 s),
//! and whoever asks for the lock meanwhile waits in the kernel, where no signal reaches it. Such a call is made on a
//! thread of its own. If it does not return in time it is left behind, and until it returns nobody asks the same thing
//! again: a stuck call costs one thread, not one per sample.
//!
//! The thread is kept for the next call: to start one costs more than most calls do, and a kept one can keep its sockets.

use crate::sys::namespace;
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::mpsc::{SendError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What has not returned, by name of the call and of the item.
static STUCK: Mutex<BTreeSet<(&'static str, String)>> = Mutex::new(BTreeSet::new());

/// How many items may be late before the rest is given up: one stuck driver that holds the RTNL lock makes every other
/// one late too.
const LATE_AT_MOST: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// A thread that waits for work; it ends when this is dropped.
struct Worker {
    jobs: Sender<Job>,
    /// [`namespace::entered`] when it was started: it stays in the network namespace of that moment.
    entered: u64,
}

thread_local! {
    /// The calling thread's worker while it has nothing to do.
    static IDLE: Cell<Option<Worker>> = const { Cell::new(None) };
}

impl Worker {
    /// The idle one, or a new one if there is none where the calling thread is now.
    fn take() -> io::Result<Self> {
        match IDLE.take().filter(|w| w.entered == namespace::entered()) {
            Some(worker) => Ok(worker),
            None => Self::start(),
        }
    }

    fn start() -> io::Result<Self> {
        let (jobs, receiver) = channel::<Job>();
        std::thread::Builder::new().name("collect".to_owned()).stack_size(256 * 1024).spawn(move || {
            for job in receiver {
                job();
            }
        })?;
        Ok(Self { jobs, entered: namespace::entered() })
    }

    /// Gives it work.
    fn run(self, job: Job) -> io::Result<Self> {
        match self.jobs.send(job) {
            Ok(()) => Ok(self),
            // Its thread ended: what it did last went wrong.
            Err(SendError(job)) => {
                let other = Self::start()?;
                other.jobs.send(job).map_err(|_| io::Error::other("its thread ended at once"))?;
                Ok(other)
            }
        }
    }
}

fn stuck<T>(look: impl FnOnce(&mut BTreeSet<(&'static str, String)>) -> T) -> T {
    look(&mut STUCK.lock().unwrap_or_else(PoisonError::into_inner))
}

fn late(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

/// Calls `f` on a thread of its own and waits for it at most `limit`.
///
/// The thread is in the network namespace of the calling thread.
///
/// # Errors
///
/// `TimedOut` if it did not return in time, or if an earlier call under the same `name` has not returned yet. Otherwise
/// what `f` returned.
pub(crate) fn call<T: Send + 'static>(
    name: &'static str,
    limit: Duration,
    f: impl Fn() -> io::Result<T> + Send + Sync + 'static,
) -> io::Result<T> {
    let mut results = each(name, limit, &[String::new()], move |_| f());
    results.pop().map_or_else(|| Err(late("not asked")), |(_, result)| result)
}

/// Calls `f` with each item in turn, all on one thread of its own, and waits for each at most `limit`; in the order of
/// the items. An item that is late does not keep the following ones from being asked, two do.
///
/// # Errors
///
/// Per item, as for [`call`].
pub(crate) fn each<T: Send + 'static>(
    name: &'static str,
    limit: Duration,
    items: &[String],
    f: impl Fn(&str) -> io::Result<T> + Send + Sync + 'static,
) -> Vec<(String, io::Result<T>)> {
    let f = Arc::new(f);
    let mut results = Vec::with_capacity(items.len());
    let mut rest: VecDeque<String> = items.iter().cloned().collect();
    let mut lates = 0;
    while let Some(item) = rest.pop_front() {
        if lates >= LATE_AT_MOST {
            results.push((item, Err(late("not asked, because others did not answer in time"))));
            continue;
        }
        if stuck(|s| s.contains(&(name, item.clone()))) {
            results.push((item, Err(late("an earlier call has not returned yet"))));
            continue;
        }
        // One thread takes all items up to the next that is stuck.
        let mut run = vec![item];
        while rest.front().is_some_and(|i| !stuck(|s| s.contains(&(name, i.clone())))) {
            run.extend(rest.pop_front());
        }
        let (worker, answers) = match begin(name, run.clone(), Arc::clone(&f)) {
            Ok(begun) => begun,
            Err(e) => {
                let why = format!("cannot start a thread: {e}");
                results.extend(run.into_iter().map(|i| (i, Err(io::Error::new(e.kind(), why.clone())))));
                continue;
            }
        };
        let mut run = run.into_iter();
        let mut idle = true;
        while let Some(item) = run.next() {
            match answers.next(name, &item, limit) {
                Waited::Answer(result) => {
                    results.push((item, result));
                    continue;
                }
                Waited::Gone => {
                    idle = false;
                    results.push((item, Err(io::Error::other("the call ended without an answer"))));
                    continue;
                }
                Waited::Late => idle = false,
            }
            lates += 1;
            results.push((item, Err(late(&format!("no answer within {} ms", limit.as_millis())))));
            // Another thread asks for what stands behind the stuck one.
            for item in run.rev() {
                rest.push_front(item);
            }
            break;
        }
        // One that is late is left to end by itself.
        if idle {
            IDLE.set(Some(worker));
        }
    }
    results
}

fn begin<T: Send + 'static>(
    name: &'static str,
    items: Vec<String>,
    f: Arc<impl Fn(&str) -> io::Result<T> + Send + Sync + 'static>,
) -> io::Result<(Worker, Arc<Answers<T>>)> {
    let state = State { answers: VecDeque::with_capacity(items.len()), since: Instant::now(), ended: false };
    let answers = Arc::new(Answers { state: Mutex::new(state), ended: Condvar::new() });
    let theirs = Ending(Arc::clone(&answers));
    let worker = Worker::take()?.run(Box::new(move || {
        for item in items {
            let answer = f(&item);
            {
                let mut state = theirs.0.state();
                state.answers.push_back(answer);
                state.since = Instant::now();
            }
            // After answering: whoever finds no answer while it holds the lock can rely on the mark being cleared.
            stuck(|s| s.remove(&(name, item)));
            if Arc::strong_count(&theirs.0) == 1 {
                break;
            }
        }
    }))?;
    Ok((worker, answers))
}

/// The answers of one run. Whoever waits is woken once, when all are there: to wake somebody for each answer would cost
/// more than most of them.
struct Answers<T> {
    state: Mutex<State<T>>,
    ended: Condvar,
}

struct State<T> {
    answers: VecDeque<io::Result<T>>,
    /// When the last one came.
    since: Instant,
    ended: bool,
}

/// Says that there will be no more answers, also if the call panics.
struct Ending<T>(Arc<Answers<T>>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.ended.notify_all();
    }
}

/// What came of waiting for an answer.
enum Waited<T> {
    Answer(io::Result<T>),
    /// The call ended without one.
    Gone,
    /// It is late, and marked as stuck.
    Late,
}

impl<T> Answers<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to the next item, for which there is `limit` from the answer before it.
    fn next(&self, name: &'static str, item: &str, limit: Duration) -> Waited<T> {
        let mut state = self.state();
        loop {
            if let Some(answer) = state.answers.pop_front() {
                return Waited::Answer(answer);
            }
            if state.ended {
                return Waited::Gone;
            }
            let left = limit.saturating_sub(state.since.elapsed());
            if left.is_zero() {
                break;
            }
            state = match self.ended.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        drop(state);
        stuck(|s| match self.state().answers.pop_front() {
            Some(answer) => Waited::Answer(answer),
            None => {
                s.insert((name, item.to_owned()));
                Waited::Late
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_stuck_call_is_left_and_not_made_twice() {
        const LIMIT: Duration = Duration::from_millis(60);
        // Capacity 0: the call returns when this test lets it.
        let (go, gate) = sync_channel::<()>(0);
        let gate = Mutex::new(gate);
        let items: Vec<String> = ["a", "hangs", "c"].map(str::to_owned).to_vec();
        let results = each("test-stuck", LIMIT, &items, move |item| {
            if item == "hangs" {
                let _ = gate.lock().unwrap().recv();
            }
            Ok(item.len())
        });
        let said: Vec<_> = results.iter().map(|(i, r)| (i.as_str(), r.as_ref().ok().copied())).collect();
        assert_eq!(said, [("a", Some(1)), ("hangs", None), ("c", Some(1))]);
        // Again, with a function that would answer: the first one has not returned.
        let again = each("test-stuck", LIMIT, &items, |item| Ok(item.len()));
        let error = again.get(1).unwrap().1.as_ref().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("earlier call"), "{error}");
        assert!(again.first().unwrap().1.is_ok() && again.get(2).unwrap().1.is_ok());
        go.send(()).unwrap();
        for _ in 0..200 {
            if each("test-stuck", LIMIT, &items, |item| Ok(item.len())).iter().all(|(_, r)| r.is_ok()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("what returned is still thought to be stuck");
    }

    #[test]
    fn after_two_late_ones_nobody_waits_on() {
        let items: Vec<String> = (0..6).map(|n| n.to_string()).collect();
        let begin = std::time::Instant::now();
        let results = each("test-late", Duration::from_millis(40), &items, |_| {
            std::thread::sleep(Duration::from_millis(1500));
            Ok(())
        });
        assert!(begin.elapsed() < Duration::from_millis(1000), "{:?}", begin.elapsed());
        assert_eq!(results.len(), 6);
        assert!(
            results.iter().all(|(_, r)| r.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::TimedOut)),
            "{results:?}"
        );
    }

    #[test]
    fn a_thread_is_kept_as_long_as_it_answers() {
        const LIMIT: Duration = Duration::from_millis(200);
        let id = || call("test-kept", LIMIT, || Ok(std::thread::current().id()));
        let first = id().unwrap();
        assert_ne!(first, std::thread::current().id());
        assert_eq!(id().unwrap(), first);
        let late = call::<()>("test-kept-late", Duration::from_millis(20), || {
            std::thread::sleep(LIMIT);
            Ok(())
        });
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let second = id().unwrap();
        assert_ne!(second, first, "the one that hangs must not be asked");
        // A call that panics takes its thread along; the next one is answered.
        let panics = call::<()>("test-kept-panics", Duration::from_secs(30), || panic!("as a test"));
        assert!(panics.unwrap_err().to_string().contains("without an answer"));
        assert_ne!(id().unwrap(), second);
    }

    #[test]
    fn errors_of_the_call_come_through() {
        let e =
            call::<()>("test-error", Duration::from_secs(5), || Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(e.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
