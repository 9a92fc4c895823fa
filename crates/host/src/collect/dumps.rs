//! Readings from netlink: dumps and batches of single requests, datagram by datagram.

use super::{Sink, failed};
use crate::bounded;
use crate::netlink::{Dump, Request, Socket};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// How long the kernel may take: a dump of ten thousand interfaces takes some 20 ms; what takes longer waits for a lock.
const LIMIT: Duration = Duration::from_secs(5);

/// Where readings of one collector go.
#[derive(Debug, Clone, Copy)]
pub(super) struct To {
    /// The collector's name.
    pub collector: &'static str,
    /// The file of the case.
    pub file: &'static str,
    /// The netlink protocol.
    pub protocol: u16,
}

/// A request with its name in words: `RTM_GETLINK dump`.
pub(super) type Named = (String, Request);

thread_local! {
    /// One socket for each protocol, of a thread of [`bounded`], which never changes its network namespace.
    static SOCKETS: RefCell<BTreeMap<u16, Socket>> = const { RefCell::new(BTreeMap::new()) };
}

/// Calls `f` with the calling thread's socket of this protocol. One that failed is not used again: an answer to what it
/// was asked may still come.
pub(super) fn with_socket<T>(protocol: u16, f: impl FnOnce(&mut Socket) -> io::Result<T>) -> io::Result<T> {
    let kept = SOCKETS.with_borrow_mut(|s| s.remove(&protocol));
    let mut socket = match kept {
        Some(socket) => socket,
        None => Socket::open(protocol)?,
    };
    let result = f(&mut socket);
    if result.is_ok() {
        SOCKETS.with_borrow_mut(|s| s.insert(protocol, socket));
    }
    result
}

/// Hands over the answer to each dump. All datagrams of one dump have the same window.
pub(super) fn dumps(sink: &mut dyn Sink, to: To, requests: Vec<Named>) -> io::Result<()> {
    let sources: Vec<String> = requests.iter().map(|(source, _)| source.clone()).collect();
    let requests: BTreeMap<String, Request> = requests.into_iter().collect();
    let answers = bounded::each(to.collector, LIMIT, &sources, move |source| {
        let request = requests.get(source).ok_or(io::ErrorKind::NotFound)?;
        let begun = crate::clock::begin();
        let dump = with_socket(to.protocol, |socket| socket.dump(request, LIMIT))?;
        Ok((dump, begun.end()))
    });
    for (source, answer) in answers {
        match answer {
            Ok((dump, window)) => hand_over(sink, to, &source, window, dump)?,
            Err(e) => refuse(sink, to, &source, &e)?,
        }
    }
    Ok(())
}

fn hand_over(sink: &mut dyn Sink, to: To, source: &str, window: Window, dump: Dump) -> io::Result<()> {
    for datagram in dump.datagrams {
        sink.take(Reading {
            file: to.file.into(),
            source: source.into(),
            window,
            form: Form::Netlink { protocol: to.protocol, datagram: Cow::Owned(datagram) },
        })?;
    }
    if dump.interrupted {
        sink.take(Reading {
            file: to.file.into(),
            source: source.into(),
            window,
            form: Form::Failed {
                collector: to.collector.into(),
                why: v1::Cause::Lost,
                detail: "the listing was interrupted by changes three times: entries may be missing or twice"
                    .into(),
            },
        })?;
    }
    Ok(())
}

/// Hands over the answers to single requests, which are sent together. All have the same window.
pub(super) fn asks(sink: &mut dyn Sink, to: To, requests: Vec<Named>) -> io::Result<()> {
    let (sources, requests): (Vec<String>, Vec<Request>) = requests.into_iter().unzip();
    if requests.is_empty() {
        return Ok(());
    }
    let answers = bounded::call(to.collector, LIMIT, move || {
        let begun = crate::clock::begin();
        let answers = with_socket(to.protocol, |socket| socket.ask(&requests, LIMIT))?;
        Ok((answers, begun.end()))
    });
    match answers {
        Ok((answers, window)) => {
            for (source, answer) in sources.iter().zip(answers) {
                match answer {
                    Ok(datagrams) => {
                        hand_over(sink, to, source, window, Dump { datagrams, interrupted: false })?;
                    }
                    Err(e) => refuse(sink, to, source, &e)?,
                }
            }
        }
        Err(e) => {
            for source in &sources {
                refuse(sink, to, source, &e)?;
            }
        }
    }
    Ok(())
}

/// Hands over why there is no answer.
pub(super) fn refuse(sink: &mut dyn Sink, to: To, source: &str, error: &io::Error) -> io::Result<()> {
    sink.take(Reading {
        file: to.file.into(),
        source: source.into(),
        window: crate::clock::begin().end(),
        form: failed(to.collector, error),
    })
}
