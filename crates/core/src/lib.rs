//! Evidence in, verdict out. Pure: no files, no sockets, no processes, no environment, no threads, no clock.
#![forbid(unsafe_code)]

pub mod advice;
mod attach;
pub mod boots;
pub mod bundle;
pub mod capture;
pub mod case;
pub mod checks;
pub mod collection;
pub mod diagnose;
pub mod domain;
pub mod evidence;
pub mod far;
pub mod finding;
pub mod hosts;
pub mod ledger;
pub mod netlink;
pub mod parse;
pub mod path;
pub mod plan;
pub mod readings;
pub mod receive_path;
pub mod redact;
pub mod relevance;
pub mod report;
pub mod series;
pub mod timeline;
pub mod twin;
pub mod units;
pub mod verdict;
pub mod wire;
