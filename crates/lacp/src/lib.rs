//! IEEE 802.1AX Link Aggregation Control Protocol: the PDUs on the wire, their notations, and the machines.
//!
//! No clock, no sockets, no workspace dependencies. `no panic on any input` is a property that the tests and the
//! fuzz targets hold.
//!
//! ```text
//! Ethernet II: 01:80:c2:00:00:02 | source | 0x8809 | slow-protocol PDU
//!   subtype 1  LACPDU   wire::Lacpdu   version, Actor TLV, Partner TLV, Collector TLV, more TLVs, terminator
//!   subtype 2  Marker   wire::Marker   Marker Information / Marker Response
//!   other      kept as bytes           OAM (3), OSSP (10), ...
//! ```
//!
//! - [`wire`]: decoding (lenient, with a list of anomalies) and exact encoding
//! - [`state`]: the port state octet and every notation it is printed in
//! - [`key`]: what an operational key of Linux bonding says about the speed
//! - [`mac`]: MAC addresses in every spelling that hosts and switches print
//! - [`machine`]: the protocol's machines, sans-I/O, with Linux bonding's deviations as a profile
#![forbid(unsafe_code)]

pub mod key;
pub mod mac;
pub mod machine;
pub mod state;
pub mod wire;

pub use mac::Mac;
pub use state::PortState;
pub use wire::{Anomaly, Lacpdu, Marker, PortInfo, SlowPdu, Tlv, TlvKind};
