//! Two systems and the wires between them on one virtual clock.
#![allow(dead_code, reason = "each test uses a part of it")]

use bondwitness_lacp::Mac;
use bondwitness_lacp::machine::{
    AdSelect, Deviations, Event, Pdu, PortConfig, Profile, System, SystemConfig, Time,
};

/// Nanoseconds on the wire.
pub(crate) const LATENCY: u64 = 20_000;
/// One second, one millisecond.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// One millisecond.
pub(crate) const MILLI: u64 = 1_000_000;

/// A PDU that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// When.
    pub(crate) at: Time,
    /// By the first system.
    pub(crate) from_a: bool,
    /// Index of the port, of sender and receiver alike.
    pub(crate) port: usize,
    /// What.
    pub(crate) pdu: Pdu,
}

/// What becomes of a PDU: lost, or delivered after so many nanoseconds.
pub(crate) type Wire<'a> = &'a dyn Fn(&Sent) -> Option<u64>;

/// Everything arrives.
pub(crate) fn good(_: &Sent) -> Option<u64> {
    Some(LATENCY)
}

/// What an administrator, a cable or a busy CPU does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// The link of a port, at one end.
    Link(bool, usize, bool),
    /// LACP_Timeout of a system.
    Short(bool, bool),
    /// LACP_Activity of a system.
    Active(bool, bool),
    /// Key and speed of a port.
    Key(bool, usize, u16, u32),
    /// System identifier.
    System(bool, u8),
    /// The machines of a system do not run for so many nanoseconds.
    Stall(bool, u64),
    /// A port leaves.
    Remove(bool, usize),
    /// BEGIN.
    Restart(bool, usize),
    /// LACP_Enabled.
    Lacp(bool, usize, bool),
    /// Aggregator selection timer.
    Open(bool),
    /// A port is added.
    Add(bool),
}

/// The two systems, and what they did.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// One end.
    pub(crate) a: System,
    /// The other.
    pub(crate) b: System,
    /// The time.
    pub(crate) now: Time,
    /// PDUs on the way: when they arrive, and what.
    flying: Vec<(Time, Sent)>,
    /// Every PDU sent.
    pub(crate) sent: Vec<Sent>,
    /// Every event, with the end.
    pub(crate) events: Vec<(bool, Event)>,
}

/// The profiles that come with the library.
pub(crate) fn profiles() -> [Profile; 4] {
    [Profile::standard(), Profile::switch(), Profile::linux(), Profile::linux_6_1()]
}

/// A system without ports.
pub(crate) fn system(last: u8, profile: Profile) -> System {
    let config = SystemConfig {
        priority: 65535,
        system: Mac([2, 0, 0, 0, 0, last]),
        profile,
        ad_select: AdSelect::Stable,
    };
    System::new(config, Time::ZERO)
}

impl World {
    /// Two systems with two ports each; fast rate and activity of either end.
    pub(crate) fn new(profiles: (Profile, Profile), short: (bool, bool), active: (bool, bool)) -> Self {
        let mut a = system(1, profiles.0);
        let mut b = system(2, profiles.1);
        for (s, short_timeout, active) in [(&mut a, short.0, active.0), (&mut b, short.1, active.1)] {
            for number in 1..=2 {
                s.add_port(Time::ZERO, PortConfig { number, short_timeout, active, ..PortConfig::default() });
            }
            s.open(Time::ZERO);
        }
        Self { a, b, now: Time::ZERO, flying: Vec::new(), sent: Vec::new(), events: Vec::new() }
    }

    /// One of the ends.
    pub(crate) fn end(&mut self, a: bool) -> &mut System {
        if a { &mut self.a } else { &mut self.b }
    }

    /// Runs until `until`; asserts that time always moves on.
    pub(crate) fn run(&mut self, until: Time, wire: Wire<'_>) {
        self.collect(wire);
        let (mut at_this_moment, mut in_this_second, mut second) = (0, 0_u32, self.now);
        loop {
            let next =
                [self.a.next_deadline(), self.b.next_deadline(), self.flying.iter().map(|f| f.0).min()]
                    .into_iter()
                    .flatten()
                    .min();
            let Some(next) = next.filter(|&t| t <= until) else { break };
            assert!(next >= self.now, "time went back");
            at_this_moment = if next == self.now { at_this_moment + 1 } else { 0 };
            assert!(at_this_moment < 100, "time stands still at {}", next.as_secs_f64());
            // A timer that is due for ever would creep on by a nanosecond at a time.
            if next.since(second) >= SECOND {
                (in_this_second, second) = (0, next);
            }
            in_this_second += 1;
            assert!(in_this_second < 10_000, "time creeps at {}", next.as_secs_f64());
            self.now = next;
            self.a.handle_timeout(next);
            self.b.handle_timeout(next);
            for s in [&self.a, &self.b] {
                assert!(s.next_deadline().is_none_or(|t| t > next), "due again at {}", next.as_secs_f64());
            }
            let (due, later) = std::mem::take(&mut self.flying).into_iter().partition(|f| f.0 <= next);
            self.flying = later;
            let due: Vec<(Time, Sent)> = due;
            for (_, sent) in due {
                self.end(!sent.from_a).handle_pdu(next, sent.port, &sent.pdu);
            }
            self.collect(wire);
        }
        self.now = until;
    }

    /// Does something now.
    pub(crate) fn deed(&mut self, deed: Deed, wire: Wire<'_>) {
        let now = self.now;
        match deed {
            Deed::Link(end, port, up) => self.end(end).set_link(now, port, up),
            Deed::Short(end, short) => self.end(end).set_short_timeout(now, short),
            Deed::Active(end, active) => self.end(end).set_active(now, active),
            Deed::Key(end, port, key, speed) => self.end(end).set_key(now, port, key, speed),
            Deed::System(end, last) => self.end(end).set_system(now, Mac([2, 0, 0, 0, 0, last])),
            Deed::Stall(end, time) => self.end(end).stall(now, now + time),
            Deed::Remove(end, port) => self.end(end).remove_port(now, port),
            Deed::Restart(end, port) => self.end(end).restart_port(now, port),
            Deed::Lacp(end, port, on) => self.end(end).set_lacp_enabled(now, port, on),
            Deed::Open(end) => self.end(end).open(now),
            Deed::Add(end) => {
                let number = u16::try_from(self.end(end).ports().len() + 1).unwrap_or(u16::MAX);
                self.end(end).add_port(now, PortConfig { number, ..PortConfig::default() });
            }
        }
        self.collect(wire);
    }

    /// A link goes up or down at both ends.
    pub(crate) fn link(&mut self, port: usize, up: bool) {
        self.deed(Deed::Link(true, port, up), &good);
        self.deed(Deed::Link(false, port, up), &good);
    }

    fn collect(&mut self, wire: Wire<'_>) {
        for from_a in [true, false] {
            let at = self.now;
            while let Some((port, pdu)) = self.end(from_a).poll_transmit() {
                let sent = Sent { at, from_a, port, pdu };
                self.sent.push(sent);
                if let Some(delay) = wire(&sent) {
                    self.flying.push((at + delay, sent));
                }
            }
            while let Some(event) = self.end(from_a).poll_event() {
                self.events.push((from_a, event));
            }
        }
    }

    /// When PDUs of one port of one end were sent.
    pub(crate) fn times(&self, from_a: bool, port: usize) -> Vec<Time> {
        self.sent.iter().filter(|s| s.from_a == from_a && s.port == port).map(|s| s.at).collect()
    }

    /// Every port of both ends collects, distributes and carries traffic.
    pub(crate) fn all_up(&self) -> bool {
        [&self.a, &self.b]
            .iter()
            .flat_map(|s| s.ports())
            .all(|p| p.actor().state.carries_traffic() && p.forwarding())
    }
}

/// True if a system has ticks.
pub(crate) fn ticks(profile: Profile) -> bool {
    profile.deviations.contains(Deviations::TICKS)
}
