//! Random sequences of what happens on a host: never a leaked interface, never a foreign one changed, always an end, and
//! nothing to do after it.

use crate::kernel::{BOND, Kernel, Killed, MEMBERS};
use bondwitness_core::plan::bypass::{self, Planned, Stand};
use bondwitness_core::plan::contest::{self, LONGEST_MS, Paused};
use bondwitness_core::plan::desired::{self, Entry};
use bondwitness_core::plan::execute::{Hand as _, OnFailure, execute};
use bondwitness_core::plan::state::State;
use bondwitness_core::plan::world::{BondMode, LinkKind, Mark};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

const PLACE: &str = "a boot";

const WANTED: &str = "\
bypass:
  - {name: vpn0, vlan: 70, bond: bond0, mtu: 1400, qdisc: fq_codel, txqueuelen: 500}
  - {name: iot0, vlan: 30, bond: bond0}
  - {name: fix0, vlan: 40, member: eno1, qdisc: pfifo, allow: [backup-member]}
";

#[derive(Debug, Clone)]
enum Event {
    Delete(usize),
    Down(usize),
    Mtu(usize, u32),
    Qdisc(usize),
    TxQueueLen(usize),
    ClearAlias(usize),
    TakeOver(usize),
    Rename(usize),
    CopyAlias(usize),
    Failover,
    NoActive,
    LeaveBond(usize),
    JoinBond(usize),
    RemoveMember(usize),
    Mode(u8),
    Squat(usize),
    ForeignVlan(usize),
    DeleteForeign,
    UseBondVlan(bool),
    Attach(usize),
    AttachElsewhere(usize),
    Detach(usize),
    MemberUp(usize, bool),
    MemberMtu(usize, u32),
    Want(u8),
    Later(u64),
    Kill(u32, bool),
    Rival(u32),
    Pass,
}

fn event() -> impl Strategy<Value = Event> {
    use Event as E;
    let entry = 0..3usize;
    let member = 0..2usize;
    prop_oneof![
        2 => entry.clone().prop_map(E::Delete),
        1 => entry.clone().prop_map(E::Down),
        1 => (entry.clone(), prop_oneof![Just(1300u32), Just(1500)]).prop_map(|(e, m)| E::Mtu(e, m)),
        1 => entry.clone().prop_map(E::Qdisc),
        1 => entry.clone().prop_map(E::TxQueueLen),
        2 => entry.clone().prop_map(E::ClearAlias),
        1 => entry.clone().prop_map(E::TakeOver),
        1 => entry.clone().prop_map(E::Rename),
        1 => entry.clone().prop_map(E::CopyAlias),
        3 => Just(E::Failover),
        1 => Just(E::NoActive),
        1 => member.clone().prop_map(E::LeaveBond),
        2 => member.clone().prop_map(E::JoinBond),
        1 => member.clone().prop_map(E::RemoveMember),
        1 => prop_oneof![Just(1u8), Just(4)].prop_map(E::Mode),
        1 => entry.clone().prop_map(E::Squat),
        1 => entry.clone().prop_map(E::ForeignVlan),
        2 => Just(E::DeleteForeign),
        1 => any::<bool>().prop_map(E::UseBondVlan),
        1 => entry.clone().prop_map(E::Attach),
        1 => entry.clone().prop_map(E::AttachElsewhere),
        2 => entry.clone().prop_map(E::Detach),
        1 => (member.clone(), any::<bool>()).prop_map(|(m, u)| E::MemberUp(m, u)),
        1 => (member, prop_oneof![Just(1200u32), Just(1500), Just(9000)]).prop_map(|(m, u)| E::MemberMtu(m, u)),
        1 => (0..8u8).prop_map(E::Want),
        1 => (0..1_200_000u64).prop_map(E::Later),
        6 => (0..40u32, any::<bool>()).prop_map(|(n, e)| E::Kill(n, e)),
        1 => (1..6u32).prop_map(E::Rival),
        8 => Just(E::Pass),
    ]
}

struct Host {
    kernel: Kernel,
    now: u64,
    random: u128,
    wanted: Vec<Entry>,
    all: Vec<Entry>,
    /// Changes of each pass, with its time: for the limit on contested interfaces.
    rounds: Vec<(u64, String)>,
}

impl Host {
    fn new() -> Self {
        let all = desired::read(WANTED).unwrap();
        Self { kernel: Kernel::new(), now: 1, random: 1, wanted: all.clone(), all, rounds: Vec::new() }
    }

    /// A pass of the reconciler; `None` if it was killed. State comes from the disk: each pass is a new process.
    fn pass(&mut self) -> Option<(Planned, Vec<Paused>, usize)> {
        let (now, wanted) = (self.now, self.wanted.clone());
        let (kernel, random) = (&mut self.kernel, &mut self.random);
        let before = kernel.writes;
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut state = State::read(&kernel.disk, PLACE).unwrap_or_else(|| State::new(PLACE));
            let world = kernel.look().unwrap();
            let mut fresh = || {
                *random += 1;
                // Spread over all bits, as random numbers are.
                Mark::new(random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            };
            let mut planned = bypass::plan(&wanted, &world, &state, &mut fresh);
            let old = state.clone();
            let paused = contest::restrain(&mut planned, &mut state, now);
            let outcome =
                execute(&planned.plan, &planned.bookkeeping, &mut state, OnFailure::UndoMaking, kernel);
            contest::remember(&planned, &outcome, &mut state, now);
            if state != old {
                kernel.keep(&state).unwrap();
            }
            (planned, paused)
        }));
        let writes = self.kernel.writes - before;
        match result {
            Ok((planned, paused)) => {
                let mut entries: Vec<String> = planned.plan.steps.iter().map(|s| s.entry.clone()).collect();
                entries.dedup();
                self.rounds.extend(entries.into_iter().map(|e| (now, e)));
                Some((planned, paused, writes))
            }
            Err(e) => {
                assert!(e.is::<Killed>(), "the planner panicked");
                None
            }
        }
    }

    fn name(&self, entry: usize) -> String {
        self.all[entry].name.clone()
    }

    /// The interface that an entry has, whatever it is called.
    fn own(&self, entry: usize) -> Option<u32> {
        let state = State::read(&self.kernel.disk, PLACE)?;
        let record = state.records.get(&self.all[entry].name)?;
        self.kernel
            .world
            .links
            .values()
            .find(|l| self.kernel.ours.contains(&l.index) && l.alias == Some(record.mark.alias()))
            .map(|l| l.index)
    }

    fn happen(&mut self, event: &Event) {
        let vlan = |e: usize| [70, 30, 40][e];
        match event {
            Event::Delete(e) => {
                if let Some(i) = self.own(*e) {
                    self.kernel.delete(i);
                }
            }
            Event::Down(e) => self.with(*e, |l| l.up = false),
            Event::Mtu(e, mtu) => {
                let mtu = *mtu;
                self.with(*e, |l| l.mtu = mtu.min(l.mtu));
            }
            Event::Qdisc(e) => self.with(*e, |l| l.qdisc = "sfq".to_owned()),
            Event::TxQueueLen(e) => self.with(*e, |l| l.txqueuelen = 1),
            Event::ClearAlias(e) => self.with(*e, |l| l.alias = None),
            Event::TakeOver(e) => {
                if let Some(i) = self.own(*e) {
                    self.kernel.taken.insert(i);
                    self.kernel.link(i).unwrap().alias = Some("mine now".to_owned());
                }
            }
            Event::Rename(e) => {
                if let Some(i) = self.own(*e)
                    && self.kernel.world.named("moved").is_none()
                {
                    self.kernel.link(i).unwrap().name = "moved".to_owned();
                }
            }
            Event::CopyAlias(e) => {
                if let Some(i) = self.own(*e)
                    && self.kernel.world.named("copy").is_none()
                {
                    let alias = self.kernel.world.links[&i].alias.clone();
                    let copy = self.kernel.add("copy", LinkKind::Vlan(99), Some(MEMBERS[1]));
                    self.kernel.link(copy).unwrap().alias = alias;
                }
            }
            Event::Failover => {
                let members: Vec<u32> = self.kernel.world.members(BOND).map(|l| l.index).collect();
                self.bond(|_, active| {
                    *active =
                        members.iter().copied().find(|m| Some(*m) != *active).or(members.first().copied());
                });
            }
            Event::NoActive => self.bond(|_, active| *active = None),
            Event::LeaveBond(m) => {
                if let Some(l) = self.kernel.link(MEMBERS[*m]) {
                    l.master = None;
                }
                self.bond(|_, active| {
                    if *active == Some(MEMBERS[*m]) {
                        *active = None;
                    }
                });
            }
            Event::JoinBond(m) => {
                if let Some(l) = self.kernel.link(MEMBERS[*m]) {
                    l.master = Some(BOND);
                    self.bond(|_, active| *active = active.or(Some(MEMBERS[*m])));
                }
            }
            Event::RemoveMember(m) => {
                self.kernel.delete(MEMBERS[*m]);
                self.bond(|_, active| {
                    if *active == Some(MEMBERS[*m]) {
                        *active = None;
                    }
                });
            }
            Event::Mode(new) => {
                let new = BondMode(*new);
                self.bond(|mode, _| *mode = new);
            }
            Event::Squat(e) => {
                let name = self.name(*e);
                if self.kernel.world.named(&name).is_none() {
                    self.kernel.add(&name, LinkKind::Other("dummy".to_owned()), None);
                }
            }
            Event::ForeignVlan(e) => {
                let name = format!("eno2.{}", vlan(*e));
                if self.kernel.world.links.contains_key(&MEMBERS[1])
                    && self.kernel.world.vlan_on(MEMBERS[1], vlan(*e)).is_none()
                {
                    self.kernel.add(&name, LinkKind::Vlan(vlan(*e)), Some(MEMBERS[1]));
                }
            }
            Event::DeleteForeign => {
                let foreign: Vec<u32> = self
                    .kernel
                    .world
                    .links
                    .keys()
                    .copied()
                    .filter(|i| *i >= 10 && !self.kernel.ours.contains(i))
                    .collect();
                for i in foreign {
                    self.kernel.delete(i);
                }
            }
            Event::UseBondVlan(used) => {
                let index = match self.kernel.world.vlan_on(BOND, 70).map(|l| l.index) {
                    Some(i) => i,
                    None => self.kernel.add("bond0.70", LinkKind::Vlan(70), Some(BOND)),
                };
                if *used {
                    self.kernel.world.addresses.insert(index, vec!["192.168.70.40/24".to_owned()]);
                } else {
                    self.kernel.world.addresses.remove(&index);
                }
            }
            Event::Attach(e) => {
                if let Some(i) = self.own(*e) {
                    let name = format!("pod{e}");
                    if self.kernel.world.named(&name).is_none() {
                        self.kernel.add(&name, LinkKind::Macvlan, Some(i));
                    }
                }
            }
            Event::AttachElsewhere(e) => {
                if let Some(i) = self.own(*e) {
                    self.kernel.world.elsewhere.insert(i, vec!["net1 in another namespace".to_owned()]);
                }
            }
            Event::Detach(e) => {
                if let Some(i) = self.own(*e) {
                    self.kernel.world.elsewhere.remove(&i);
                    let above: Vec<u32> = self
                        .kernel
                        .world
                        .links
                        .values()
                        .filter(|l| l.parent == Some(i))
                        .map(|l| l.index)
                        .collect();
                    for child in above {
                        self.kernel.delete(child);
                    }
                }
            }
            Event::MemberUp(m, up) => self.kernel.set_member_up(MEMBERS[*m], *up),
            Event::MemberMtu(m, mtu) => self.kernel.set_member_mtu(MEMBERS[*m], *mtu),
            Event::Want(bits) => {
                self.wanted = self
                    .all
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| bits >> i & 1 == 1)
                    .map(|(_, e)| e.clone())
                    .collect();
            }
            Event::Later(ms) => self.now += ms,
            Event::Kill(calls, effect) => {
                self.kernel.kill = Some((*calls, *effect));
                let _ = self.pass();
                self.kernel.kill = None;
            }
            Event::Rival(times) => {
                // It undoes what it finds, each time right after our pass.
                for _ in 0..*times {
                    let _ = self.pass();
                    for e in 0..3 {
                        self.with(e, |l| l.up = false);
                    }
                    self.now += 10;
                }
            }
            Event::Pass => {
                let _ = self.pass();
                self.now += 1000;
            }
        }
    }

    fn with(&mut self, entry: usize, change: impl FnOnce(&mut bondwitness_core::plan::world::Link)) {
        if let Some(i) = self.own(entry)
            && let Some(link) = self.kernel.link(i)
        {
            change(link);
        }
    }

    fn bond(&mut self, change: impl FnOnce(&mut BondMode, &mut Option<u32>)) {
        if let Some(link) = self.kernel.link(BOND)
            && let LinkKind::Bond { mode, active } = &mut link.kind
        {
            change(mode, active);
        }
    }

    /// Nothing more happens: it must come to an end, and stay there.
    fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..40 {
            self.now += LONGEST_MS;
            let (planned, paused, writes) = self.pass().expect("nobody kills any more");
            assert!(paused.is_empty(), "still paused after the longest pause: {paused:?}");
            quiet = if writes == 0 { quiet + 1 } else { 0 };
            if quiet < 2 {
                continue;
            }
            for entry in &planned.entries {
                assert!(
                    !matches!(entry.stand, Stand::Change { .. }),
                    "no end: {entry:?}\n{:#?}",
                    self.kernel.world
                );
                if let (Stand::Ready, Some(wanted)) =
                    (&entry.stand, self.wanted.iter().find(|w| w.name == entry.name))
                {
                    self.is_as_wanted(wanted);
                }
            }
            return;
        }
        panic!("it never comes to rest: {:#?}\n{}", self.kernel.world, self.kernel.disk);
    }

    /// Seen with other eyes than the planner's.
    fn is_as_wanted(&self, entry: &Entry) {
        let link = self.kernel.world.named(&entry.name).expect("an interface that is ready is there");
        assert!(self.kernel.ours.contains(&link.index), "{link:?} is not ours");
        assert!(link.up && entry.kind.is(link) && link.alias.is_some(), "{link:?}");
        assert!(entry.mtu.is_none_or(|m| m == link.mtu), "{link:?}");
        assert!(entry.qdisc.as_ref().is_none_or(|q| *q == link.qdisc), "{link:?}");
        assert!(entry.txqueuelen.is_none_or(|t| t == link.txqueuelen), "{link:?}");
        if let (desired::On::Bond(_), LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active }) =
            (&entry.on, &self.kernel.world.links[&BOND].kind)
            && self.kernel.world.members(BOND).count() > 1
        {
            assert_eq!(link.parent, *active, "on the active member");
        }
    }

    /// What our side made is what a record knows, or was taken over.
    fn leaked(&self) -> Vec<String> {
        let state = State::read(&self.kernel.disk, PLACE).unwrap_or_else(|| State::new(PLACE));
        self.kernel
            .world
            .links
            .values()
            .filter(|l| self.kernel.ours.contains(&l.index) && !self.kernel.taken.contains(&l.index))
            .filter(|l| !state.records.values().any(|r| r.index == Some(l.index)))
            .map(|l| format!("{l:?}"))
            .collect()
    }
}

/// Sequences tried in one test run; `PROPTEST_CASES` sets another number.
#[allow(clippy::disallowed_methods, reason = "a test reads how long it is to run")]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    // One kind of sequence is open: see docs/bypass.md, "What is not settled".
    #[ignore = "two kinds of sequences around a kill are not settled, see docs/bypass.md"]
    #[test]
    fn whatever_happens_it_comes_to_rest_and_touches_nothing_foreign(events in prop::collection::vec(event(), 1..40)) {
        // A process that is killed is a panic here; it is no news.
        std::panic::set_hook(Box::new(|info| {
            if !info.payload().is::<Killed>() {
                #[allow(clippy::print_stderr, reason = "as the hook that this one stands for")]
                {
                    eprintln!("{info}");
                }
            }
        }));
        let mut host = Host::new();
        for event in &events {
            host.happen(event);
            prop_assert!(host.kernel.wrong.is_empty(), "{:?} after {event:?}", host.kernel.wrong);
        }
        host.settle();
        prop_assert!(host.kernel.wrong.is_empty(), "{:?}", host.kernel.wrong);
        let copied = host.kernel.world.named("copy").is_some();
        let leaked = host.leaked();
        // Two interfaces with one mark and no record of which: neither is touched.
        prop_assert!(leaked.is_empty() || copied, "{leaked:#?}\n{}", host.kernel.disk);
        let before = host.kernel.writes;
        let _ = host.pass();
        prop_assert_eq!(host.kernel.writes, before, "a second pass writes nothing");
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rival_gets_three_rounds_in_ten_minutes_at_most(gap in 2_000..60_000u64, attribute in 0..5u8) {
        let mut host = Host::new();
        host.wanted.truncate(1);
        let _ = host.pass();
        let mut contested = false;
        while host.now < 60 * 60 * 1000 {
            host.now += gap;
            host.happen(&[Event::Down(0), Event::Delete(0), Event::Qdisc(0), Event::Mtu(0, 1300), Event::ClearAlias(0)][usize::from(attribute)]);
            let (_, paused, _) = host.pass().unwrap();
            contested |= paused.iter().any(|p| !p.failing);
        }
        prop_assert!(contested);
        let times: Vec<u64> = host.rounds.iter().map(|(t, _)| *t).collect();
        for start in &times {
            let within = times.iter().filter(|t| (*start..start + 600_000).contains(*t)).count();
            prop_assert!(within <= 3, "{within} rounds within ten minutes: {times:?}");
        }
        // Left alone, it is repaired in the end.
        host.settle();
    }
}
