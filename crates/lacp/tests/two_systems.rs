//! Two systems on one virtual clock: what the machines do to each other, for every pair of profiles.

mod world;

use bondwitness_lacp::PortState;
use bondwitness_lacp::machine::{Happened, MuxState, PeriodicState, Profile, ReceiveState, Time};
use world::{Deed, LATENCY, MILLI, SECOND, World, good, profiles, ticks};

const BOTH: [bool; 2] = [true, false];

/// Nanoseconds of ten ticks, which Linux counts as a second; a second for others.
fn second(profile: Profile) -> u64 {
    if ticks(profile) { 10 * profile.tick } else { SECOND }
}

/// Every pair of profiles and rates.
fn every_pair(mut test: impl FnMut((Profile, Profile), (bool, bool), &str)) {
    for pa in profiles() {
        for pb in profiles() {
            for short_a in BOTH {
                for short_b in BOTH {
                    let what = format!("{pa:?} fast {short_a} and {pb:?} fast {short_b}");
                    test((pa, pb), (short_a, short_b), &what);
                }
            }
        }
    }
}

/// What follows from the state of one moment, whatever happened.
fn invariants(w: &World, what: &str) {
    for s in [&w.a, &w.b] {
        for p in s.ports().iter().filter(|p| p.bound()) {
            let carries = matches!(
                p.mux(),
                MuxState::CollectingDistributing | MuxState::Collecting | MuxState::Distributing
            );
            assert_eq!(carries, p.actor().state.intersects(PortState::CARRIES), "{what}");
            if carries {
                assert!(p.actor().state.contains(PortState::SYNCHRONIZATION), "{what}: without own Sync");
            }
        }
    }
}

#[test]
fn every_pair_comes_up_and_keeps_the_cadence() {
    every_pair(|pair, short, what| {
        for active in [(true, true), (true, false), (false, true)] {
            let mut w = World::new(pair, short, active);
            w.run(Time::from_secs(200), &good);
            assert!(w.all_up(), "{what}");
            // Who sends looks at the partner's rate; the first half minute is for coming up.
            for (from_a, profile, fast) in [(true, pair.0, short.1), (false, pair.1, short.0)] {
                let period = second(profile) * if fast { 1 } else { 30 };
                let times: Vec<Time> =
                    w.times(from_a, 0).into_iter().filter(|&t| t > Time::from_secs(65)).collect();
                assert!(times.len() >= 2, "{what}");
                for pair in times.windows(2) {
                    let gap = pair[1].since(pair[0]);
                    // Linux: up to three ticks early or late, by the gate, and one tick in PERIODIC_TX.
                    let slack = if ticks(profile) { 3 * profile.tick } else { 0 };
                    assert!(gap.abs_diff(period) <= slack, "{what}: {gap}");
                }
            }
        }
    });
}

#[test]
fn a_short_gap_keeps_current_and_a_long_one_runs_to_defaulted() {
    every_pair(|pair, short, what| {
        let start = Time::from_secs(100);
        let mut calm = World::new(pair, short, (true, true));
        calm.run(start, &good);
        let a_is = second(pair.0) * if short.0 { 3 } else { 90 };
        // The far end falls silent, and speaks again just before the timeout: one PDU as the last one was.
        let last = calm.times(false, 0).last().copied().expect("it spoke") + LATENCY;
        let mut w = calm.clone();
        let silent = |s: &world::Sent| if s.from_a || s.at < start { Some(LATENCY) } else { None };
        let pdu = w.b.port(0).expect("a port").pdu();
        let tick = if ticks(pair.0) { pair.0.tick } else { 1 };
        w.run(last + a_is - tick - 1, &silent);
        assert_eq!(w.a.ports()[0].receive(), ReceiveState::Current, "{what}: a gap shorter than the timeout");
        let at = w.now;
        w.a.handle_pdu(at, 0, &pdu);
        w.run(at + a_is - tick - 1, &silent);
        assert_eq!(w.a.ports()[0].receive(), ReceiveState::Current, "{what}: and another");
        // Nothing comes any more: EXPIRED after the timeout, DEFAULTED three seconds later.
        w.run(at + a_is + 1, &silent);
        assert_eq!(w.a.ports()[0].receive(), ReceiveState::Expired, "{what}");
        assert!(w.a.ports()[0].actor().state.contains(PortState::EXPIRED));
        assert!(!w.a.ports()[0].forwarding(), "{what}: no traffic without the partner's Sync");
        w.run(at + a_is + 3 * second(pair.0) + 1, &silent);
        assert_eq!(w.a.ports()[0].receive(), ReceiveState::Defaulted, "{what}");
        assert!(w.a.ports()[0].actor().state.contains(PortState::DEFAULTED));
        invariants(&w, what);
        // Repaired. Both ends may be at the slow rate by now: 30 s, the wait of 2 s, and the ticks of the slower.
        let repaired = w.now;
        let slow = second(pair.0).max(second(pair.1));
        w.run(repaired + 31 * slow + 2 * slow + 10 * 105 * MILLI, &good);
        assert!(w.all_up(), "{what}: after the repair");
        invariants(&w, what);
    });
}

#[test]
fn not_more_than_three_pdus_in_a_second_or_only_on_the_gate() {
    every_pair(|pair, short, what| {
        let mut w = World::new(pair, short, (true, true));
        for step in 1..200_u64 {
            w.run(Time::from_millis(step * 130), &good);
            // Unrest: links, rates, and a partner that changes its name.
            match step % 5 {
                0 => w.link(0, step % 2 == 0),
                1 => w.a.set_short_timeout(w.now, step % 2 == 0),
                2 => w.b.set_system(w.now, bondwitness_lacp::Mac([2, 0, 0, 0, 1, 2])),
                3 => w.b.set_key(w.now, 1, 15 + 64 * u16::try_from(step % 3).unwrap_or(0), 10_000),
                _ => {}
            }
            invariants(&w, what);
        }
        assert!(w.sent.len() > 50, "{what}: {}", w.sent.len());
        for (from_a, profile) in [(true, pair.0), (false, pair.1)] {
            for port in 0..2 {
                let times = w.times(from_a, port);
                if ticks(profile) {
                    assert!(times.iter().all(|t| t.0 % (3 * profile.tick) == 0), "{what}: off the grid");
                } else {
                    assert!(times.windows(4).all(|w| w[3].since(w[0]) >= SECOND), "{what}: more than three");
                }
            }
        }
    });
}

#[test]
fn two_passive_ends_of_the_standard_stay_silent() {
    for pa in [Profile::standard(), Profile::switch()] {
        for pb in [Profile::standard(), Profile::switch()] {
            let mut w = World::new((pa, pb), (true, true), (false, false));
            w.run(Time::from_secs(300), &good);
            assert!(w.sent.is_empty(), "{:?}", w.sent);
            assert!(w.a.ports().iter().all(|p| p.periodic() == PeriodicState::NoPeriodic));
        }
    }
}

#[test]
fn two_passive_linux_ends_run_in_a_circle_as_recorded() {
    let mut w = World::new((Profile::linux(), Profile::linux()), (true, true), (true, true));
    w.run(Time::from_secs(20), &good);
    assert!(w.all_up());
    w.a.set_active(w.now, false);
    w.b.set_active(w.now, false);
    w.run(Time::from_secs(80), &good);
    // "every 3.13 s one E burst, recover in 0.3 s": 62 and 142 (`kernel-facts.md` 11.1).
    let expired: Vec<Time> = w
        .events
        .iter()
        .filter(|(a, e)| {
            *a && e.port == 0
                && e.at > Time::from_secs(40)
                && e.what == Happened::Receive(ReceiveState::Expired)
        })
        .map(|(_, e)| e.at)
        .collect();
    assert!(expired.len() >= 8, "{expired:?}");
    for pair in expired.windows(2) {
        assert!((3_000..=3_700).contains(&(pair[1].since(pair[0]) / MILLI)), "{expired:?}");
    }
    let states: Vec<u8> =
        w.sent.iter().filter(|s| s.at > Time::from_secs(40)).map(|s| s.pdu.actor.state.bits()).collect();
    assert!(states.contains(&142) && states.contains(&62), "{states:?}");
    assert!(states.iter().all(|s| s & 1 == 0), "nobody is active");
}

#[test]
fn loss_of_one_direction_runs_as_recorded_on_real_kernels() {
    let mut w = World::new((Profile::linux(), Profile::linux()), (true, true), (true, true));
    let from = Time::from_secs(10);
    w.run(Time::from_secs(90), &|s| (!(s.from_a && s.port == 0 && s.at >= from)).then_some(LATENCY));
    // The far end expires 3 s after the last PDU that it heard, and says so; then it is defaulted.
    let at = |what| {
        w.events
            .iter()
            .find(|(a, e)| !a && e.port == 0 && e.at > from && e.what == what)
            .map(|(_, e)| e.at.since(from))
            .expect("the far end goes there")
    };
    let expired = at(Happened::Receive(ReceiveState::Expired));
    let defaulted = at(Happened::Receive(ReceiveState::Defaulted));
    assert!((2_000_000_000..=3_300_000_000).contains(&expired), "{expired}");
    assert!((2_900_000_000..=3_300_000_000).contains(&(defaulted - expired)));
    let far = || w.sent.iter().filter(|s| !s.from_a && s.port == 0 && s.at > from + expired);
    let states: Vec<(u8, u8)> =
        far().map(|s| (s.pdu.actor.state.bits(), s.pdu.partner.state.bits())).collect();
    assert!(states.contains(&(0x8f, 0x37)), "Expired, echo with Sync cleared: {states:x?}");
    assert!(states.iter().any(|s| s.0 & 0x40 != 0 && s.1 == 0), "Defaulted, partner all zero: {states:x?}");
    // Once defaulted, one PDU in about 31 s.
    let times: Vec<Time> = far()
        .filter(|s| s.pdu.actor.state.contains(PortState::DEFAULTED) && s.at > from + defaulted + 2 * SECOND)
        .map(|s| s.at)
        .collect();
    assert!(times.windows(2).any(|w| (30_000..32_500).contains(&(w[1].since(w[0]) / MILLI))), "{times:?}");
    // The other member does not notice.
    assert_eq!(w.a.ports()[1].actor().state.bits(), 63);
}

#[test]
fn a_new_port_speaks_at_once() {
    // The standard: BEGIN enters DETACHED, which sets NTT. Linux: at the first opening of the gate, on the third tick,
    // when the Receive machine is in EXPIRED for one tick; later when no PDU is due for 9 ticks.
    for (profile, first) in
        [(Profile::standard(), Time::ZERO), (Profile::linux(), Time(3 * Profile::linux().tick))]
    {
        let mut w = World::new((profile, profile), (true, true), (true, true));
        w.run(Time::from_millis(500), &|_| None);
        let sent = w.sent.first().expect("it speaks");
        assert_eq!(sent.at, first, "{profile:?}");
        assert_eq!(sent.pdu.actor.state.bits(), 0xc7, "{profile:?}");
    }
}

#[test]
fn a_linux_port_without_carrier_has_no_speed_in_its_key() {
    // `kernel-facts.md` 11.1, "carrier down": port key 0, states 15 and 55; then the port starts anew.
    let mut w = World::new((Profile::linux(), Profile::linux()), (true, true), (true, true));
    w.run(Time::from_secs(10), &good);
    // As recorded: the far end's carrier stays, its PDUs get nowhere.
    w.deed(Deed::Link(true, 0, false), &good);
    assert_eq!(w.a.ports()[0].actor().key, 0);
    assert!(!w.a.ports()[0].forwarding());
    w.run(Time::from_secs(12), &good);
    let states = |w: &World| (w.a.ports()[0].actor().state.bits(), w.a.ports()[0].partner().state.bits());
    assert_eq!(states(&w), (15, 55));
    let before = w.a.ports()[0].transmitted();
    w.run(Time::from_secs(20), &good);
    assert_eq!(w.a.ports()[0].transmitted(), before, "nothing is sent without carrier");
    w.deed(Deed::Link(true, 0, true), &good);
    assert_eq!(w.a.ports()[0].actor().key, 15);
    let up = w.now;
    w.run(up + 2 * SECOND, &good);
    assert_eq!(states(&w), (7, 15), "WAITING");
    w.run(up + 3 * SECOND, &good);
    assert_eq!(states(&w), (63, 63));
}
