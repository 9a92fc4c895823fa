//! Readings from netlink: dumps and batches of single requests, datagram by datagram.

use super::{Sink, failed};
use crate::bounded;
use crate::netlink::{Dump, Request, Socket};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
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

/// Hands over the answer to each dump. All datagrams of one dump have the same window.
pub(super) fn dumps(sink: &mut dyn Sink, to: To, requests: Vec<Named>) -> io::Result<()> {
    for (source, request) in requests {
        let dump = bounded::call(to.collector, LIMIT, move || {
            let begun = crate::clock::begin();
            let dump = Socket::open(to.protocol)?.dump(&request, LIMIT)?;
            Ok((dump, begun.end()))
        });
        match dump {
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
        let answers = Socket::open(to.protocol)?.ask(&requests, LIMIT)?;
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
