//! How long the machines may take: found by running them, the standard's and those of Linux, and taking the slower.

use lacp::machine::{AdSelect, Pdu, PortConfig, Profile, System, SystemConfig, Time};
use lacp::{Mac, PortInfo, PortState};

const SECOND: u64 = 1_000_000_000;
/// What a busy control plane, the transmit grid and the way to the tap may add to the machines' own time.
const GRACE: i64 = 2_000_000_000;

/// The longest times that conforming machines take, in nanoseconds, with [`GRACE`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// From the last PDU received until Expired is said: short timeout, long timeout.
    pub(super) expired: (i64, i64),
    /// From the partner's Synchronization until Collecting is said, on a port that has just come up.
    pub(super) collecting: i64,
}

impl Bounds {
    pub(super) fn measured() -> Self {
        let slowest = |f: &dyn Fn(Profile) -> Option<u64>| {
            let profiles = [Profile::standard(), Profile::switch(), Profile::linux(), Profile::linux_6_1()];
            let longest = profiles.into_iter().filter_map(f).max().unwrap_or(0);
            i64::try_from(longest).unwrap_or(i64::MAX).saturating_add(GRACE)
        };
        Self {
            expired: (slowest(&|p| expired(p, true)), slowest(&|p| expired(p, false))),
            collecting: slowest(&collecting),
        }
    }

    /// The timeout of an end in this state.
    pub(super) const fn timeout(&self, state: PortState) -> i64 {
        if state.contains(PortState::TIMEOUT) { self.expired.0 } else { self.expired.1 }
    }
}

/// One port of a system, and a partner that is in order.
struct Bench {
    system: System,
    now: Time,
    partner: PortInfo,
}

impl Bench {
    fn new(profile: Profile, short: bool) -> Self {
        let config = SystemConfig {
            priority: 65535,
            system: Mac([2, 0, 0, 0, 0, 1]),
            profile,
            ad_select: AdSelect::Stable,
        };
        let now = Time::from_secs(1);
        let mut system = System::new(config, now);
        system.record_events(false);
        system.add_port(now, PortConfig { short_timeout: short, ..PortConfig::default() });
        let partner = PortInfo {
            system_priority: 32768,
            system: Mac([2, 0, 0, 0, 0, 2]),
            key: 1,
            port_priority: 128,
            port: 1,
            state: PortState::from_bits_retain(0x3f),
        };
        Self { system, now, partner }
    }

    /// The partner speaks every second and echoes what it is told, until a PDU of ours fits or the time is over.
    fn run(&mut self, speaks: bool, longest: u64, fits: impl Fn(PortState) -> bool) -> Option<Time> {
        let end = self.now + longest;
        let mut speak_at = self.now;
        while self.now <= end {
            if speaks && speak_at <= self.now {
                let echo = self.system.port(0).map(|p| *p.actor()).unwrap_or_default();
                self.system.handle_pdu(self.now, 0, &Pdu { actor: self.partner, partner: echo });
                speak_at = self.now + SECOND;
            }
            self.system.handle_timeout(self.now);
            while let Some((_, pdu)) = self.system.poll_transmit() {
                if fits(pdu.actor.state) {
                    return Some(self.now);
                }
            }
            let own = self.system.next_deadline().unwrap_or(end + 1);
            let next = if speaks { own.min(speak_at) } else { own };
            self.now = next.max(self.now + 1_000_000);
        }
        None
    }
}

fn collecting(profile: Profile) -> Option<u64> {
    let mut bench = Bench::new(profile, true);
    let start = bench.now;
    let at = bench.run(true, 30 * SECOND, |s| s.contains(PortState::COLLECTING))?;
    Some(at.since(start))
}

fn expired(profile: Profile, short: bool) -> Option<u64> {
    let mut bench = Bench::new(profile, short);
    bench.run(true, 30 * SECOND, |s| s.contains(PortState::COLLECTING))?;
    let start = bench.now;
    let at = bench.run(false, 120 * SECOND, |s| s.contains(PortState::EXPIRED))?;
    Some(at.since(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_take_what_the_standard_gives_them() {
        let b = Bounds::measured();
        let s = |ns: i64| ns / 100_000_000;
        // Three seconds, 90 seconds; Linux on 104 ms ticks a little longer; two seconds of grace.
        assert!((50..=56).contains(&s(b.expired.0)), "{b:?}");
        assert!((920..=975).contains(&s(b.expired.1)), "{b:?}");
        // Aggregate_Wait_Time of 2 s in the standard, the 8 s of Linux' selection timer.
        assert!((80..=130).contains(&s(b.collecting)), "{b:?}");
    }
}
