//! Two systems under random loss, delay, links, settings and stalls: nothing panics or stalls, the same input gives the
//! same output, no traffic without Synchronization, and skipping ticks changes nothing.

mod world;

use bondwitness_lacp::PortState;
use bondwitness_lacp::machine::{Deviations, Profile, SelectionPolicy, Time};
use proptest::prelude::*;
use world::{Deed, MILLI, Sent, World, profiles, ticks};

/// A story: what is done after how many milliseconds.
type Story = Vec<(u64, Deed)>;

#[derive(Debug, Clone)]
struct Case {
    profiles: (Profile, Profile),
    short: (bool, bool),
    active: (bool, bool),
    /// Of a thousand PDUs so many are lost, and the others take up to so many milliseconds.
    loss: u64,
    delay: u64,
    seed: u64,
    story: Story,
}

fn known() -> impl Strategy<Value = Profile> {
    let policies = prop_oneof![
        Just(SelectionPolicy::OnePerGroup),
        (1_u8..4).prop_map(|max_ports| SelectionPolicy::OnePerKey { max_ports })
    ];
    (0_usize..4, any::<bool>(), policies).prop_map(|(n, independent_control, selection)| Profile {
        independent_control,
        selection,
        ..profiles()[n]
    })
}

/// Any mixture of deviations and any tick, also ones that nobody has.
fn wild() -> impl Strategy<Value = Profile> {
    (known(), any::<u16>(), 1_u64..300).prop_map(|(profile, bits, tick)| Profile {
        deviations: Deviations::from_bits_truncate(bits),
        tick: tick * MILLI,
        ..profile
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let end = any::<bool>;
    let port = || 0_usize..4;
    prop_oneof![
        4 => (end(), port(), any::<bool>()).prop_map(|(e, p, up)| Deed::Link(e, p, up)),
        1 => (end(), any::<bool>()).prop_map(|(e, on)| Deed::Short(e, on)),
        1 => (end(), any::<bool>()).prop_map(|(e, on)| Deed::Active(e, on)),
        1 => (end(), port(), prop_oneof![Just((15, 10_000)), Just((9, 1_000)), Just((79, 10_000)), Just((14, 10_000))])
            .prop_map(|(e, p, (key, speed))| Deed::Key(e, p, key, speed)),
        1 => (end(), 1_u8..4).prop_map(|(e, last)| Deed::System(e, last)),
        1 => (end(), 1_u64..9_000).prop_map(|(e, ms)| Deed::Stall(e, ms * MILLI)),
        1 => (end(), port()).prop_map(|(e, p)| Deed::Remove(e, p)),
        1 => (end(), port()).prop_map(|(e, p)| Deed::Restart(e, p)),
        1 => (end(), port(), any::<bool>()).prop_map(|(e, p, on)| Deed::Lacp(e, p, on)),
        1 => end().prop_map(Deed::Open),
        1 => end().prop_map(Deed::Add),
    ]
}

fn case(a: impl Strategy<Value = Profile>, b: impl Strategy<Value = Profile>) -> impl Strategy<Value = Case> {
    let pair = any::<(bool, bool)>;
    // Pauses of all lengths: between two ticks, and long enough for 90 s timeouts and 60 s of churn.
    let pause = prop_oneof![3 => 0_u64..400, 3 => 0_u64..8_000, 1 => 0_u64..120_000];
    let story = prop::collection::vec((pause, deed()), 0..25);
    let loss = prop_oneof![Just(0), 0_u64..1000];
    (((a, b), pair(), pair()), loss, 0_u64..1500, any::<u64>(), story).prop_map(
        |((profiles, short, active), loss, delay, seed, story)| Case {
            profiles,
            short,
            active,
            loss,
            delay,
            seed,
            story,
        },
    )
}

/// A number that hangs on the PDU alone, so that the order of questions does not matter.
fn chance(seed: u64, sent: &Sent) -> u64 {
    let mut x = seed ^ sent.at.0 ^ (sent.port as u64) << 56 ^ u64::from(sent.from_a) << 63;
    // splitmix64
    for _ in 0..2 {
        x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^= x >> 27;
    }
    x
}

fn play(case: &Case, every_tick: bool) -> World {
    let mut w = World::new(case.profiles, case.short, case.active);
    if every_tick {
        w.a.run_every_tick(Time::ZERO);
        w.b.run_every_tick(Time::ZERO);
    }
    let wire = |sent: &Sent| {
        let x = chance(case.seed, sent);
        (x % 1000 >= case.loss).then_some((x >> 20) % (case.delay * MILLI + 1) + 1)
    };
    for &(pause, deed) in &case.story {
        w.run(w.now + pause * MILLI, &wire);
        w.deed(deed, &wire);
    }
    w.run(w.now + 10_000 * MILLI, &wire);
    w
}

/// What every PDU that leaves must say of itself.
fn truthful(w: &World, case: &Case) {
    for s in &w.sent {
        let (actor, partner) = (s.pdu.actor.state, s.pdu.partner.state);
        let profile = if s.from_a { case.profiles.0 } else { case.profiles.1 };
        if actor.intersects(PortState::CARRIES) {
            assert!(actor.contains(PortState::SYNCHRONIZATION), "traffic without own Sync: {s:?}");
            // Linux with independent control falls from DISTRIBUTING to COLLECTING first, and on at the next tick.
            if !(profile.independent_control && ticks(profile)) {
                assert!(
                    partner.contains(PortState::SYNCHRONIZATION),
                    "traffic without the partner's Sync: {s:?}"
                );
            }
        }
        assert!(!actor.contains(PortState::EXPIRED) || !actor.contains(PortState::CARRIES), "{s:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_stalls_and_the_same_input_gives_the_same_output(case in case(known(), known())) {
        let (one, two) = (play(&case, false), play(&case, false));
        prop_assert_eq!(&one.sent, &two.sent);
        prop_assert_eq!(&one.events, &two.events);
        truthful(&one, &case);
    }

    #[test]
    fn any_mixture_of_deviations_neither_panics_nor_stalls(case in case(wild(), wild())) {
        play(&case, false);
    }

    #[test]
    fn skipping_ticks_changes_nothing(
        mut case in case(known(), known()),
        linux in (2_usize..4, 2_usize..4),
    ) {
        // One end at least has ticks.
        for (profile, n) in [(&mut case.profiles.0, linux.0), (&mut case.profiles.1, linux.1)] {
            if case.seed % 4 != 0 || n == 2 {
                *profile = Profile { independent_control: profile.independent_control, ..profiles()[n] };
            }
        }
        let (skips, runs) = (play(&case, false), play(&case, true));
        prop_assert_eq!(&skips.sent, &runs.sent);
        prop_assert_eq!(&skips.events, &runs.events);
        for (s, r) in [(&skips.a, &runs.a), (&skips.b, &runs.b)] {
            for (s, r) in s.ports().iter().zip(r.ports()) {
                prop_assert_eq!(s.pdu(), r.pdu());
                prop_assert_eq!(s.actor_churn(), r.actor_churn());
                prop_assert_eq!(s.partner_churn(), r.partner_churn());
            }
        }
    }
}
