//! What a system does differently from the standard, each deviation by name and source.
//!
//! [`Profile::standard`] has none. [`Profile::linux`] is Linux bonding as read in `drivers/net/bonding/bond_3ad.c`
//! of 6.12.107 and measured on Debian kernels (`kernel-facts.md` sections 2 to 4).

use bitflags::bitflags;

bitflags! {
    /// Deviations from 802.1AX. The names are those of the observed behaviour, not of a vendor.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Deviations: u16 {
        /// Machines run from a periodic work item and count ticks, so every timer ends on a tick
        /// (`bond_3ad_state_machine_handler()`). The standard's machines act at once.
        const TICKS = 1 << 0;
        /// Transmission on every third tick only, whatever was sent before (`ad_tx_machine()`,
        /// `AD_MAX_TX_IN_SECOND`). The standard (802.1AX-2014 6.4.16) limits to three PDUs in any
        /// Fast_Periodic_Time. Means something only together with [`Self::TICKS`].
        const TRANSMIT_GATE = 1 << 1;
        /// A PDU is sent whenever need-to-transmit is set, also while the Periodic machine is in NO_PERIODIC
        /// (`ad_tx_machine()` does not look at it). The standard (6.4.16) forbids it and clears NTT.
        const TRANSMIT_IN_NO_PERIODIC = 1 << 2;
        /// The churn machines restart on three triggers only (port initialised, PDU received while not CURRENT,
        /// EXPIRED entered), judge once when 60 s are over, and keep their verdict until the next trigger
        /// (`ad_churn_machine()`, `AD_PORT_CHURNED`). The standard's (6.4.17) follow Synchronization at once.
        const CHURN_ON_TRIGGER = 1 << 3;
        /// The partner counts as matched without regard to whether LACP will actively maintain the link
        /// (`__choose_matched()` compares no Activity bit). Standard: recordPDU, 6.4.9.
        const MATCHED_WITHOUT_ACTIVITY = 1 << 4;
        /// A PDU whose Actor_System is the receiver's own is counted and dropped, and the current_while timer is
        /// left stopped: the port stays CURRENT for ever (`ad_rx_machine()`, "An illegal loopback occurred").
        const LOOPBACK_FREEZES = 1 << 5;
        /// One aggregator of the system is active at a time; ports of the others keep Synchronization clear
        /// (`ad_agg_selection_logic()`). In the standard every Aggregator works.
        const ONE_ACTIVE_AGGREGATOR = 1 << 6;
        /// No port leaves ATTACHED before the aggregator selection timer has run out
        /// (`AD_AGGREGATOR_SELECTION_TIMER`, 8 s after the first member; `bond_open()` sets it to one tick).
        const SELECTION_DELAY = 1 << 7;
        /// Losing carrier clears speed and duplex in the operational key, and carrier with another speed starts
        /// the port anew (`bond_3ad_handle_link_change()`, `ad_update_actor_keys()`).
        const KEY_FOLLOWS_LINK = 1 << 8;
        /// PDUs that arrive while the port is disabled are counted and ignored, and Partner Synchronization is
        /// kept when carrier is lost (6.1.176; 6.12.107 clears it as the standard does).
        const DISABLED_KEEPS_PARTNER_SYNC = 1 << 9;
        /// In COLLECTING_DISTRIBUTING a port also falls back to ATTACHED when its *own* Synchronization is clear
        /// (`__port_move_to_attached_state()`).
        const OWN_SYNC_NEEDED = 1 << 10;
        /// The partner that stands in for one that is not heard is out of sync (`__record_default()` copies
        /// `partner_admin`, whose state is 0), so a port without a partner never leaves ATTACHED. recordDefault of
        /// the standard (6.4.9) sets Partner Synchronization: such a port works as an individual link.
        const DEFAULT_PARTNER_OUT_OF_SYNC = 1 << 11;
        /// A partner port that is heard on another port does not clear what the disabled port remembers of it. The
        /// standard's port_moved (6.4.8) takes the disabled port back to INITIALIZE.
        const PORT_MOVED_UNNOTICED = 1 << 12;
    }
}

impl Deviations {
    /// Linux bonding 6.12.107.
    pub const LINUX: Self = Self::all().difference(Self::DISABLED_KEEPS_PARTNER_SYNC);
}

/// How a system behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// What it does differently from the standard.
    pub deviations: Deviations,
    /// Nanoseconds between two ticks, where [`Deviations::TICKS`] is set; else unused.
    pub tick: u64,
    /// COLLECTING and DISTRIBUTING are states of their own (802.1AX-2014 figure 6-21; `coupled_control off` of
    /// Linux bonding since 6.9).
    pub independent_control: bool,
    /// What becomes of a port whose Link Aggregation Group is not that of its aggregator.
    pub selection: SelectionPolicy,
}

/// How the Selection Logic of a standard system hands out aggregators. Linux has its own rule
/// ([`Deviations::ONE_ACTIVE_AGGREGATOR`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectionPolicy {
    /// Each Link Aggregation Group gets an aggregator of its own (802.1AX-2014 6.4.14.1).
    OnePerGroup,
    /// The ports of one key share one aggregator, as the port-channel of a switch: the first group to come
    /// keeps it, ports of another group, or without a partner, stay UNSELECTED ("suspended").
    OnePerKey {
        /// How many ports may be SELECTED; further ones are STANDBY.
        max_ports: u8,
    },
}

/// Nominal tick of Linux bonding: `AD_TIMER_INTERVAL`, 100 ms.
pub const TICK_NOMINAL: u64 = 100_000_000;
/// The tick measured on kernels with HZ=250 (Debian amd64): 25 jiffies and the re-arming, 104 ms
/// (`kernel-facts.md` section 2).
pub const TICK_HZ_250: u64 = 104_000_000;

impl Profile {
    /// 802.1AX-2014 without deviations, coupled control.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            deviations: Deviations::empty(),
            tick: 0,
            independent_control: false,
            selection: SelectionPolicy::OnePerGroup,
        }
    }
    /// A switch's port-channel: the standard's machines, one aggregator for each key.
    #[must_use]
    pub const fn switch() -> Self {
        Self { selection: SelectionPolicy::OnePerKey { max_ports: 16 }, ..Self::standard() }
    }
    /// Linux bonding 6.12.107 on a kernel with HZ=250.
    #[must_use]
    pub const fn linux() -> Self {
        Self { deviations: Deviations::LINUX, tick: TICK_HZ_250, ..Self::standard() }
    }
    /// Linux bonding 6.1.176 on a kernel with HZ=250.
    #[must_use]
    pub const fn linux_6_1() -> Self {
        Self { deviations: Deviations::all(), ..Self::linux() }
    }

    pub(super) const fn has(&self, deviation: Deviations) -> bool {
        self.deviations.contains(deviation)
    }
    /// Nanoseconds between two ticks, never 0.
    pub(super) const fn tick_length(&self) -> u64 {
        if self.tick == 0 { 1 } else { self.tick }
    }
    /// `seconds` in units of this profile's clock. Linux counts ten ticks as a second, however long a tick is
    /// (`ad_ticks_per_sec`).
    pub(super) const fn units(&self, seconds: u64) -> u64 {
        if self.has(Deviations::TICKS) { seconds * 10 } else { seconds * 1_000_000_000 }
    }
}
