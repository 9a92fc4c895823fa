//! The machines of 802.1AX-2014 clause 6.4, without I/O and without a clock, and Linux bonding's deviations from
//! them as a profile of its own.
//!
//! ```text
//!            PDU                       time
//!             │                         │
//!             ▼                         ▼
//!   receive (6.4.12) ──partner──► periodic (6.4.13) ──NTT──┐
//!             │ Selected := UNSELECTED                     │
//!             ▼                                            ▼
//!   selection (6.4.14) ──SELECTED──► mux (6.4.15) ──NTT──► transmit (6.4.16) ──► PDU
//!                                     │ Synchronization
//!                                     ▼
//!                                   churn (6.4.17)
//! ```
//!
//! - [`System`]: the entry: `handle_pdu`, `handle_timeout`, `poll_transmit`, `next_deadline`
//! - [`Profile`], [`Deviations`]: what a system does differently, by name and source
//! - one file for each machine; each holds its transitions and the actions on entry, as the figures have them

mod churn;
mod event;
mod mux;
mod periodic;
mod port;
mod profile;
mod receive;
mod selection;
mod selection_linux;
mod state;
mod system;
#[cfg(test)]
mod tables;
mod time;
mod transmit;

pub use event::{Event, Happened};
pub use port::{Pdu, Port, PortConfig};
pub use profile::{Deviations, Profile, SelectionPolicy, TICK_HZ_250, TICK_NOMINAL};
pub use selection::Aggregator;
pub use selection_linux::AdSelect;
pub use state::{ChurnState, MuxState, PeriodicState, ReceiveState, Selected};
pub use system::{System, SystemConfig};
pub use time::Time;
