//! Captures: pcap and pcapng, folded while they are read.
//!
//! A steady LACPDU becomes a statistic; only changes, gaps and anomalies are kept, so memory depends on the
//! number of speakers and changes, not on the number of frames ([`fold`]). The reader is our own because the
//! crates of this field reach a quarter to a half of the rate that is asked for (`performance.md` section 1).

pub mod fold;
pub mod reader;
pub mod writer;

pub use fold::{Capture, Change, Gap, Speaker};
pub use reader::{Damage, Datagram, Frame, LinkType};

/// True if the bytes begin like a capture file of a known kind.
#[must_use]
pub fn is_capture(bytes: &[u8]) -> bool {
    reader::kind(bytes).is_some()
}

/// The format id of a capture, for `recognised_as`.
#[must_use]
pub fn format_id(bytes: &[u8]) -> Option<&'static str> {
    reader::kind(bytes).map(|k| match k {
        reader::Kind::Pcap { .. } => "pcap",
        reader::Kind::Pcapng => "pcapng",
    })
}
