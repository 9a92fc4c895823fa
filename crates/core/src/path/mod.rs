//! Where did the frame die? The way of a frame from an interface (a pod's, a VLAN's) down to the wire, what each layer
//! counted, and the place at which what went in did not come out.
//!
//! The kernel's own rules decide, not a story (kernel-facts.md section 8, rows a to t):
//!
//! * A VLAN adds a frame to its `tx_dropped` whenever the transmission below it returned anything but success or
//!   congestion (`vlan_dev_hard_start_xmit`, `net/8021q/vlan_dev.c`), wherever below that was.
//! * A bond's counters are the sum of its members' and its own (`bond_get_stats`): filters and queues are in neither.
//! * So the lowest interface whose `tx_dropped` rises sits directly above the loss, and what eats the frames there is one
//!   of a short list: its lower neighbour's filters and queues.
//!
//! A place is *shown* if something at it counted the frames that are missing, or if the kernel named it; *left* if
//! everything else on the list was read and did not count; else it is *possible*, and the report says which reading would
//! part it from the others. What nobody looked at accuses nobody.

mod beyond;
mod candidates;
mod decide;
mod filters;
mod ledger;
mod owner;
mod queues;
mod render;
mod signs;
mod stack;
mod state;
mod swallowed;
mod tally;

pub use decide::{Conclusion, PlaceFound, Ruled, Settle, Standing};
pub use filters::Filter;
pub use ledger::Ledger;
pub use owner::Owner;
pub use queues::Queue;
pub use render::{json, text};
pub use signs::Signs;
pub use stack::{Layer, Read, Role, known_interfaces, over};
pub use tally::{Amount, Tally};

use crate::case::{Case, Subject};

/// What kind of thing stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A filter or program on an egress hook: tc, tcx, nft.
    Filter,
    /// A queueing discipline that refuses or discards.
    Queue,
    /// The interface was switched off.
    AdminDown,
    /// The interface has no carrier, or none of its members may be used.
    NoCarrier,
    /// The bond has no member.
    NoMember,
    /// The bond itself discards: it found no usable member, or could not make the frame fit.
    Bond,
    /// The driver of the member discards.
    Driver,
    /// The driver of the member does not take frames: they wait in its queue.
    Busy,
    /// Nothing is lost on the way out; answers are discarded on this host.
    Receive,
    /// Everything left through the members and no answer came: beyond this host.
    Beyond,
}

impl Place {
    /// The word of the JSON output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Queue => "queue",
            Self::AdminDown => "admin-down",
            Self::NoCarrier => "no-carrier",
            Self::NoMember => "no-member",
            Self::Bond => "bond",
            Self::Driver => "driver",
            Self::Busy => "busy",
            Self::Receive => "receive",
            Self::Beyond => "beyond",
        }
    }

    /// True if the place is a decision of this host, not of what is plugged into it.
    #[must_use]
    pub const fn on_host(self) -> bool {
        !matches!(self, Self::NoCarrier | Self::Beyond)
    }
}

/// The answer about one interface.
#[derive(Debug, Clone)]
pub struct PathReport {
    /// The interface that was asked about.
    pub iface: String,
    /// From the interface down to the wire; the members of a bond come last, side by side.
    pub layers: Vec<Layer>,
    /// What was read beside the counters.
    pub signs: Signs,
    /// How many frames went in at the top and were lost above the wire, where it is told.
    pub lost: Option<u64>,
    /// What comes out of it.
    pub conclusion: Conclusion,
    /// Places at which frames die, the surest first.
    pub places: Vec<PlaceFound>,
    /// What was looked at and is not the place.
    pub ruled_out: Vec<Ruled>,
    /// Readings that would part what is left.
    pub settle: Vec<Settle>,
    /// Things worth knowing that decide nothing.
    pub notes: Vec<(String, Vec<crate::evidence::Citation>)>,
}

impl PathReport {
    /// The layer of that name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|l| l.name == name)
    }

    /// The exit code (contract.md): 0 nothing is lost, 10 open, 11 this host.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.conclusion {
            Conclusion::Found if self.places.iter().any(|p| p.place.on_host()) => 11,
            Conclusion::NothingLost => 0,
            Conclusion::Found | Conclusion::Open | Conclusion::NotSeen => 10,
        }
    }
}

/// Follows the frames of an interface. `None` if the evidence does not know the interface.
#[must_use]
pub fn analyse(case: &Case, iface: &str) -> Option<PathReport> {
    let mut layers = stack::build(case, iface)?;
    for layer in &mut layers {
        layer.ledger = ledger::of(case, &layer.name);
    }
    let signs = signs::of(case, &layers);
    Some(decide::decide(case, iface, layers, signs))
}

/// The ways of the VLANs over a bond: what checks look at.
#[must_use]
pub(crate) fn of_bond(case: &Case, subject: &Subject) -> Vec<PathReport> {
    if !subject.bond {
        return Vec::new();
    }
    stack::over(case, &subject.name).iter().filter_map(|vlan| analyse(case, vlan)).collect()
}
