//! Two systems on one virtual clock: what the machines do to each other, against what was measured on real kernels
//! (`kernel-facts.md` section 11.1).

use bondwitness_lacp::machine::{
    AdSelect, Happened, MuxState, PortConfig, Profile, ReceiveState, System, SystemConfig, Time,
};
use bondwitness_lacp::{Mac, PortState};

/// A wire that loses what `lost` says: (from a, time) -> lost.
type Lost<'a> = &'a dyn Fn(bool, usize, Time) -> bool;

const LATENCY: u64 = 20_000;

fn system(last: u8, profile: Profile) -> System {
    System::new(
        SystemConfig {
            priority: 65535,
            system: Mac([2, 0, 0, 0, 0, last]),
            profile,
            ad_select: AdSelect::Stable,
        },
        Time::ZERO,
    )
}

struct Log {
    /// (time, from a, port, actor state, partner state)
    pdus: Vec<(Time, bool, usize, u8, u8)>,
    events: Vec<(Time, bool, usize, Happened)>,
}

fn run(a: &mut System, b: &mut System, until: Time, lost: Lost<'_>) -> Log {
    let mut log = Log { pdus: Vec::new(), events: Vec::new() };
    let mut flying: Vec<(Time, bool, usize, bondwitness_lacp::machine::Pdu)> = Vec::new();
    loop {
        let next = [a.next_deadline(), b.next_deadline(), flying.iter().map(|f| f.0).min()]
            .into_iter()
            .flatten()
            .min();
        let Some(now) = next.filter(|&t| t <= until) else { break };
        a.handle_timeout(now);
        b.handle_timeout(now);
        let (due, later): (Vec<_>, Vec<_>) = flying.into_iter().partition(|f| f.0 <= now);
        flying = later;
        for (_, from_a, port, pdu) in due {
            if from_a { b.handle_pdu(now, port, &pdu) } else { a.handle_pdu(now, port, &pdu) }
        }
        for (from_a, s) in [(true, &mut *a), (false, &mut *b)] {
            while let Some((port, pdu)) = s.poll_transmit() {
                log.pdus.push((now, from_a, port, pdu.actor.state.bits(), pdu.partner.state.bits()));
                if !lost(from_a, port, now) {
                    flying.push((now + LATENCY, from_a, port, pdu));
                }
            }
            while let Some(e) = s.poll_event() {
                log.events.push((e.at, from_a, e.port, e.what));
            }
        }
    }
    log
}

fn pair(pa: Profile, pb: Profile, short_a: bool, short_b: bool) -> (System, System) {
    let (mut a, mut b) = (system(1, pa), system(2, pb));
    for (s, short) in [(&mut a, short_a), (&mut b, short_b)] {
        for n in 1..=2 {
            s.add_port(Time::ZERO, PortConfig { number: n, short_timeout: short, ..PortConfig::default() });
        }
        s.open(Time::ZERO);
    }
    (a, b)
}

#[test]
fn every_pair_of_profiles_comes_up_and_keeps_the_cadence() {
    for pa in [Profile::standard(), Profile::switch(), Profile::linux()] {
        for pb in [Profile::standard(), Profile::switch(), Profile::linux()] {
            let (mut a, mut b) = pair(pa, pb, true, true);
            let log = run(&mut a, &mut b, Time::from_secs(60), &|_, _, _| false);
            for s in [&a, &b] {
                for p in s.ports() {
                    assert_eq!(p.actor().state.bits(), 63, "{pa:?} {pb:?}");
                    assert_eq!(p.partner().state.bits(), 63);
                    assert_eq!(p.mux(), MuxState::CollectingDistributing);
                    assert!(p.forwarding());
                }
            }
            let late: Vec<_> =
                log.pdus.iter().filter(|p| p.1 && p.2 == 0 && p.0 > Time::from_secs(10)).collect();
            for w in late.windows(2) {
                let gap = w[1].0.since(w[0].0);
                assert!((900_000_000..=1_310_000_000).contains(&gap), "{gap} {pa:?} {pb:?}");
            }
        }
    }
}

#[test]
fn loss_of_one_direction_runs_as_recorded_on_real_kernels() {
    let (mut a, mut b) = pair(Profile::linux(), Profile::linux(), true, true);
    let from = Time::from_secs(10);
    let log = run(&mut a, &mut b, Time::from_secs(90), &|from_a, port, t| from_a && port == 0 && t >= from);
    // The far end expires 3 s after the last PDU that it heard, and says so; then it is defaulted.
    let at = |what| {
        log.events
            .iter()
            .find(|e| !e.1 && e.2 == 0 && e.0 > from && e.3 == what)
            .map(|e| e.0.since(from))
            .expect("the far end goes there")
    };
    let expired = at(Happened::Receive(ReceiveState::Expired));
    let defaulted = at(Happened::Receive(ReceiveState::Defaulted));
    assert!((2_000_000_000..=3_300_000_000).contains(&expired), "{expired}");
    assert!((2_900_000_000..=3_300_000_000).contains(&(defaulted - expired)));
    let states: Vec<(u8, u8)> =
        log.pdus.iter().filter(|p| !p.1 && p.2 == 0 && p.0 > from + expired).map(|p| (p.3, p.4)).collect();
    assert!(states.contains(&(0x8f, 0x37)), "Expired, echo with Sync cleared: {states:x?}");
    assert!(states.iter().any(|s| s.0 & 0x40 != 0 && s.1 == 0), "Defaulted, partner all zero: {states:x?}");
    // Once defaulted, one PDU in about 31 s.
    let times: Vec<Time> = log
        .pdus
        .iter()
        .filter(|p| !p.1 && p.2 == 0 && p.3 & 0x40 != 0 && p.0 > from + defaulted + 2_000_000_000)
        .map(|p| p.0)
        .collect();
    assert!(
        times.windows(2).any(|w| (30_000_000_000..32_500_000_000).contains(&w[1].since(w[0]))),
        "{times:?}"
    );
    // The other member does not notice.
    assert_eq!(a.ports()[1].actor().state, PortState::from_bits_retain(63));
}
