//! Requests that failed and dumps that may be inconsistent, in the words in which the tools print them.

use super::{GENERIC, Interfaces, ROUTE, ethtool};
use crate::evidence::{Citation, Fields};
use crate::netlink::message::{Message, Outcome};
use crate::netlink::names;
use std::collections::BTreeMap;

/// The text format that would have shown the answer to a request of rtnetlink.
fn route_source(kind: u16) -> &'static str {
    // Requests and answers of one family differ in the last two bits.
    match kind & !3 {
        16 => "ip-link",
        20 => "ip-addr",
        28 => "ip-neigh",
        36 => "tc-qdisc",
        40 => "tc-class",
        44 => "tc-filter",
        56 => "ip-maddr",
        92 => "xstats",
        _ => super::ID,
    }
}

/// A dump of which the kernel says that it changed meanwhile (`NLM_F_DUMP_INTR`).
pub(super) fn interrupted(protocol: u16, m: &Message<'_>, comment: &str, at: Citation) -> Fields {
    let kind = names_in(comment).unwrap_or(m.kind);
    let source = if protocol == ROUTE { route_source(kind) } else { super::ID };
    let mut fields = Fields::new(source, None);
    fields.push("error", "Dump was interrupted and may be inconsistent.", at);
    if !comment.is_empty() {
        fields.push("request", comment, at);
    }
    fields
}

/// The message type that the first word of a comment names.
fn names_in(comment: &str) -> Option<u16> {
    let word = comment.split_whitespace().next()?;
    (16..=128).find(|k| names::route(*k) == Some(word))
}

/// The interface that a comment names after its first word.
fn dev_in(comment: &str, interfaces: &Interfaces) -> Option<String> {
    comment.split_whitespace().skip(1).find(|w| interfaces.0.values().any(|(n, _)| n == w)).map(str::to_owned)
}

/// A request that failed; `None` for one that did not.
pub(super) fn failed(
    protocol: u16,
    outcome: &Outcome<'_>,
    comment: &str,
    interfaces: &Interfaces,
    families: &BTreeMap<u16, String>,
    at: Citation,
) -> Option<Fields> {
    if outcome.code == 0 {
        return None;
    }
    let number = outcome.code.saturating_neg();
    let why = names::error(number).map_or_else(|| format!("error {number}"), str::to_owned);
    let mut dev = dev_in(comment, interfaces);
    let (mut source, mut words) = (super::ID, format!("netlink error: {why}"));
    let request = outcome.request.as_ref();
    if protocol == ROUTE {
        let kind = request.map(|r| r.kind).or_else(|| names_in(comment)).unwrap_or(0);
        source = route_source(kind);
        words = format!("RTNETLINK answers: {why}");
        dev = dev.or_else(|| {
            let index = request?.u32_at(4).filter(|i| *i != 0)?;
            Some(interfaces.name(index))
        });
    } else if protocol == GENERIC {
        // The command stands behind the header of the request, unless the kernel left it out.
        let family = request.and_then(|r| families.get(&r.kind));
        let command = request
            .filter(|_| family.is_some_and(|f| f == "ethtool"))
            .and_then(|r| r.payload.first().copied())
            .or_else(|| ethtool::request_number(comment.split_whitespace().next().unwrap_or("")));
        if let Some(command) = command {
            source = ethtool::source_of_request(command);
        }
        let header = request.and_then(|r| r.attrs(4).find(1));
        let name = header.and_then(|h| h.attrs().find(2)).map(|a| a.text());
        let index = header.and_then(|h| h.attrs().find(1)).and_then(|a| a.u32());
        dev = dev.or(name).or_else(|| index.map(|i| interfaces.name(i)));
    }
    let mut fields = Fields::new(source, dev);
    fields.push("error", words, at);
    if let Some(text) = &outcome.text {
        fields.push("kernel says", text.clone(), at);
    }
    if !comment.is_empty() {
        fields.push("request", comment, at);
    }
    Some(fields)
}
