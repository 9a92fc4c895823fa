//! The names of the machines' states, as the standard writes them.

use std::fmt;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every state, in the order of the standard.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

names! {
    /// Receive machine, 802.1AX-2014 figure 6-18.
    ReceiveState {
        /// Start: defaults are recorded.
        Initialize = "INITIALIZE",
        /// The port is not operable.
        PortDisabled = "PORT_DISABLED",
        /// No PDU for the timeout; three more seconds at the short timeout.
        Expired = "EXPIRED",
        /// The port is operable, LACP is not enabled on it (half duplex).
        LacpDisabled = "LACP_DISABLED",
        /// Administrative values stand in for a partner that is not heard.
        Defaulted = "DEFAULTED",
        /// The partner is heard.
        Current = "CURRENT",
    }
}

names! {
    /// Periodic Transmission machine, figure 6-19.
    PeriodicState {
        /// Nothing is sent periodically.
        NoPeriodic = "NO_PERIODIC",
        /// Every second.
        FastPeriodic = "FAST_PERIODIC",
        /// Every 30 seconds.
        SlowPeriodic = "SLOW_PERIODIC",
        /// A PDU is due now.
        PeriodicTx = "PERIODIC_TX",
    }
}

names! {
    /// Mux machine, figures 6-21 (independent) and 6-22 (coupled control).
    MuxState {
        /// Not attached to an aggregator.
        Detached = "DETACHED",
        /// Waiting for other ports (wait_while).
        Waiting = "WAITING",
        /// Attached, waiting for the partner's Synchronization.
        Attached = "ATTACHED",
        /// Independent control: collecting only.
        Collecting = "COLLECTING",
        /// Independent control: collecting and distributing.
        Distributing = "DISTRIBUTING",
        /// Coupled control: collecting and distributing.
        CollectingDistributing = "COLLECTING_DISTRIBUTING",
    }
}

names! {
    /// Churn Detection machines, figures 6-23 and 6-24.
    ChurnState {
        /// Waiting up to 60 s for Synchronization.
        Monitor = "CHURN_MONITOR",
        /// It did not come.
        Churn = "CHURN",
        /// It came.
        NoChurn = "NO_CHURN",
    }
}

names! {
    /// The variable Selected (6.4.8).
    Selected {
        /// No aggregator is selected.
        Unselected = "UNSELECTED",
        /// An aggregator is selected.
        Selected = "SELECTED",
        /// Selected, but held in reserve.
        Standby = "STANDBY",
    }
}
