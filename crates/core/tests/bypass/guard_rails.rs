//! Each guard rail, and beside it the near twin in which it must not speak.

use crate::kernel::{BOND, Kernel, MEMBERS};
use bondwitness_core::plan::bypass::{Planned, Stand, plan, plan_removal};
use bondwitness_core::plan::contest;
use bondwitness_core::plan::desired;
use bondwitness_core::plan::execute::{Hand as _, OnFailure, Outcome, execute};
use bondwitness_core::plan::state::State;
use bondwitness_core::plan::world::{BondMode, LinkKind, Mark};
use bondwitness_core::plan::{Action, as_json, as_text};

struct Host {
    kernel: Kernel,
    state: State,
    marks: u128,
}

impl Host {
    fn new() -> Self {
        Self { kernel: Kernel::new(), state: State::new("here"), marks: 0 }
    }

    fn plan(&mut self, yaml: &str) -> Planned {
        let wanted = desired::read(yaml).unwrap();
        let world = self.kernel.look().unwrap();
        let marks = &mut self.marks;
        plan(&wanted, &world, &self.state, &mut || {
            *marks += 1;
            Mark::new(marks.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
        })
    }

    fn apply(&mut self, yaml: &str) -> (Planned, Outcome) {
        let planned = self.plan(yaml);
        let outcome = self.carry_out(&planned);
        (planned, outcome)
    }

    fn carry_out(&mut self, planned: &Planned) -> Outcome {
        execute(&planned.plan, &planned.bookkeeping, &mut self.state, OnFailure::UndoAll, &mut self.kernel)
    }

    fn refusal(&mut self, yaml: &str) -> String {
        let planned = self.plan(yaml);
        let [refusal] = planned.refused.as_slice() else { panic!("{planned:#?}") };
        assert!(planned.plan.steps.is_empty() && !refusal.instead.is_empty() && !planned.ready());
        refusal.why.clone()
    }

    fn set_mode(&mut self, mode: BondMode) {
        self.kernel.link(BOND).unwrap().kind = LinkKind::Bond { mode, active: None };
    }
}

const VPN: &str = "bypass: [{name: vpn0, vlan: 70, bond: bond0}]";

fn allowing(what: &str) -> String {
    format!("bypass: [{{name: vpn0, vlan: 70, bond: bond0, allow: [{what}]}}]")
}

#[test]
fn it_is_made_on_the_active_member_and_the_second_time_there_is_nothing_to_do() {
    let mut host = Host::new();
    let Some(link) = host.kernel.link(BOND) else { panic!() };
    link.kind = LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active: Some(MEMBERS[1]) };
    let (planned, outcome) = host.apply(VPN);
    assert_eq!((outcome.failed.len(), outcome.done.len()), (0, planned.plan.steps.len()));
    let made = host.kernel.world.named("vpn0").unwrap();
    assert_eq!((made.parent, &made.kind, made.up), (Some(MEMBERS[1]), &LinkKind::Vlan(70), true));
    assert!(planned.entries[0].what.contains("eno2, the active member of bond0 (active-backup)"));
    let (planned, outcome) = host.apply(VPN);
    assert!(planned.ready() && outcome.writes == 0 && planned.bookkeeping.is_empty());
}

#[test]
fn several_forwarding_members_are_refused_with_the_share_of_peers_that_is_lost() {
    for mode in [0, 2, 3, 4, 5, 6] {
        let mut host = Host::new();
        host.set_mode(BondMode(mode));
        let why = host.refusal(VPN);
        assert!(why.contains("2 forwarding members") && why.contains("1 of 2 peers"), "{why}");
        assert!(
            host.refusal("bypass: [{name: vpn0, vlan: 70, member: eno1}]").contains("2 forwarding members")
        );
        // Lifted: it is told all the same.
        let planned = host.plan(&allowing("several-members"));
        assert!(planned.refused.is_empty() && planned.notes.iter().any(|(_, n)| n.contains("1 of 2 peers")));
        // One member forwards alone.
        host.kernel.delete(MEMBERS[0]);
        let planned = host.plan(VPN);
        assert!(planned.refused.is_empty() && !planned.plan.steps.is_empty(), "{planned:#?}");
    }
}

#[test]
fn a_vlan_on_the_bond_that_is_in_use_is_not_made_deaf() {
    let mut host = Host::new();
    let deaf = host.kernel.add("bond0.70", LinkKind::Vlan(70), Some(BOND));
    // Not in use: it is only said.
    let planned = host.plan(VPN);
    assert!(
        planned.refused.is_empty()
            && planned.notes.iter().any(|(_, n)| n.contains("bond0.70 will hear nothing"))
    );
    // An address; something that stands on it; something in another namespace; a bridge.
    host.kernel.world.addresses.insert(deaf, vec!["192.168.70.40/24".to_owned()]);
    assert!(host.refusal(VPN).contains("address 192.168.70.40/24"));
    assert!(host.plan(&allowing("deaf-vlan")).refused.is_empty());
    host.kernel.world.addresses.clear();
    let above = host.kernel.add("mac0", LinkKind::Macvlan, Some(deaf));
    assert!(host.refusal(VPN).contains("mac0"));
    host.kernel.delete(above);
    host.kernel.world.elsewhere.insert(deaf, vec!["net1 in another namespace".to_owned()]);
    assert!(host.refusal(VPN).contains("net1 in another namespace"));
    host.kernel.world.elsewhere.clear();
    host.kernel.link(deaf).unwrap().master = Some(MEMBERS[0]);
    assert!(host.refusal(VPN).contains("its place in eno1"));
    // Another VLAN of the bond is nobody's business.
    host.kernel.link(deaf).unwrap().kind = LinkKind::Vlan(30);
    assert!(host.plan(VPN).refused.is_empty());
    // Used only after the bypass was made: it is said, and nothing is taken away.
    host.kernel.delete(deaf);
    host.apply(VPN);
    let deaf = host.kernel.add("bond0.70", LinkKind::Vlan(70), Some(BOND));
    host.kernel.world.addresses.insert(deaf, vec!["192.168.70.40/24".to_owned()]);
    let planned = host.plan(VPN);
    assert!(
        planned.ready() && planned.notes.iter().any(|(_, n)| n.contains("hears nothing")),
        "{planned:#?}"
    );
}

#[test]
fn what_others_made_is_never_touched() {
    let mut host = Host::new();
    host.kernel.add("vpn0", LinkKind::Vlan(70), Some(MEMBERS[0]));
    assert!(host.refusal(VPN).contains("did not make"));
    // Not even with every guard rail lifted.
    let all = allowing("several-members, recreate, deaf-vlan, backup-member, no-bond");
    assert!(host.refusal(&all).contains("did not make"));
    assert!(plan_removal(&["vpn0".to_owned()], true, &host.kernel.world, &host.state).plan.steps.is_empty());
    let mut host = Host::new();
    host.kernel.add("other", LinkKind::Vlan(70), Some(MEMBERS[0]));
    assert!(host.refusal(VPN).contains("other is VLAN 70 on eno1"));
    // On the other member it is in nobody's way.
    let mut host = Host::new();
    host.kernel.add("other", LinkKind::Vlan(70), Some(MEMBERS[1]));
    assert!(host.plan(VPN).refused.is_empty());
}

#[test]
fn an_mtu_that_the_member_cannot_carry_is_refused() {
    let mut host = Host::new();
    let with = |mtu: u32| format!("bypass: [{{name: vpn0, vlan: 70, bond: bond0, mtu: {mtu}}}]");
    assert!(host.refusal(&with(1501)).contains("MTU 1501 is more than the 1500 of eno1"));
    host.apply(&with(1500));
    assert!(host.refusal(&with(9000)).contains("MTU 9000"));
    assert!(host.plan(&with(1500)).ready());
}

#[test]
fn a_member_is_named_with_care() {
    let mut host = Host::new();
    let on = |member: &str, allow: &str| {
        format!("bypass: [{{name: vpn0, vlan: 70, member: {member}, allow: [{allow}]}}]")
    };
    assert!(host.plan(&on("eno1", "")).refused.is_empty());
    assert!(host.refusal(&on("eno2", "")).contains("not the active member"));
    assert!(host.plan(&on("eno2", "backup-member")).refused.is_empty());
    host.kernel.add("eno9", LinkKind::Other(String::new()), None);
    assert!(host.refusal(&on("eno9", "")).contains("belongs to no bond"));
    assert!(host.plan(&on("eno9", "no-bond")).refused.is_empty());
    let waiting = host.plan(&on("eno7", ""));
    assert!(matches!(waiting.entries[0].stand, Stand::Waiting(_)) && waiting.plan.steps.is_empty());
}

#[test]
fn the_active_member_is_followed_unless_somebody_would_be_hurt() {
    let mut host = Host::new();
    host.apply(VPN);
    let first = host.kernel.world.named("vpn0").unwrap().index;
    let failover = |host: &mut Host, to: u32| {
        host.kernel.link(BOND).unwrap().kind =
            LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active: Some(to) };
    };
    failover(&mut host, MEMBERS[1]);
    // Without consent never: what stands on it in other namespaces is not always seen.
    assert!(host.refusal(VPN).contains("other network namespaces"));
    let (planned, outcome) = host.apply(&allowing("recreate"));
    assert!(outcome.failed.is_empty());
    // The new one is whole before the old one goes.
    let order: Vec<bool> = planned
        .plan
        .steps
        .iter()
        .filter_map(|s| match s.action {
            Action::Create { .. } => Some(true),
            Action::Delete(_) => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(order, [true, false]);
    let moved = host.kernel.world.named("vpn0").unwrap().clone();
    assert_eq!(moved.parent, Some(MEMBERS[1]));
    assert_ne!(moved.index, first);
    // With a pod on it, only with consent; a namespace that cannot be looked into may hold one.
    failover(&mut host, MEMBERS[0]);
    host.kernel.world.elsewhere.insert(moved.index, vec!["net1 in another namespace".to_owned()]);
    assert!(host.refusal(VPN).contains("net1 in another namespace"));
    host.kernel.world.elsewhere.clear();
    host.kernel.consent = true;
    let (_, outcome) = host.apply(&allowing("recreate"));
    assert!(outcome.failed.is_empty() && host.kernel.wrong.is_empty(), "{:?}", host.kernel.wrong);
    assert_eq!(host.kernel.world.named("vpn0").unwrap().parent, Some(MEMBERS[0]));
}

#[test]
fn a_failed_step_is_taken_back_and_nothing_is_left() {
    let mut host = Host::new();
    let planned = host.plan(VPN);
    // Between plan and deed somebody takes the name.
    host.kernel.add("vpn0", LinkKind::Other("dummy".to_owned()), None);
    let before = host.kernel.world.clone();
    let outcome = host.carry_out(&planned);
    assert!(outcome.failed[0].what.contains("rename"), "{outcome:?}");
    assert!(outcome.done.is_empty() && outcome.failed[0].left.is_empty());
    assert_eq!(host.kernel.world, before);
    assert!(host.kernel.wrong.is_empty());
    // Repairs of a one-off are taken back too.
    let mut host = Host::new();
    let wanted = "bypass: [{name: vpn0, vlan: 70, bond: bond0, mtu: 1400, txqueuelen: 10}]";
    host.apply(wanted);
    let index = host.kernel.world.named("vpn0").unwrap().index;
    let link = host.kernel.link(index).unwrap();
    (link.mtu, link.up) = (1300, false);
    let planned = host.plan(wanted);
    host.kernel.set_member_up(MEMBERS[0], false);
    let outcome = host.carry_out(&planned);
    assert!(outcome.failed[0].what.contains("up: Network is down"), "{outcome:?}");
    assert_eq!(host.kernel.link(index).unwrap().mtu, 1300);
}

#[test]
fn what_is_no_longer_wanted_goes_unless_it_is_in_use() {
    let mut host = Host::new();
    host.apply(VPN);
    let index = host.kernel.world.named("vpn0").unwrap().index;
    host.kernel.world.addresses.insert(index, vec!["10.0.0.1/24".to_owned()]);
    let planned = host.plan("bypass: []");
    assert!(planned.refused[0].why.contains("address 10.0.0.1/24") && planned.plan.steps.is_empty());
    host.kernel.world.addresses.clear();
    host.apply("bypass: []");
    assert!(host.kernel.world.named("vpn0").is_none() && host.state.records.is_empty());
}

#[test]
fn a_lost_record_is_found_again_by_the_mark() {
    let mut host = Host::new();
    host.apply(VPN);
    host.state = State::new("here");
    let (planned, outcome) = host.apply(VPN);
    assert!(planned.ready() && outcome.writes == 0 && host.state.records.len() == 1);
    host.state = State::new("here");
    let planned = plan_removal(&[], false, &host.kernel.world, &host.state);
    host.carry_out(&planned);
    assert!(host.kernel.world.named("vpn0").is_none() && host.kernel.wrong.is_empty());
}

#[test]
fn a_failover_is_nobody_s_fault_and_a_deletion_is() {
    let mut host = Host::new();
    let (mut planned, outcome) = host.apply(&allowing("recreate"));
    contest::remember(&planned, &outcome, &mut host.state, 1000);
    host.kernel.link(BOND).unwrap().kind =
        LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active: Some(MEMBERS[1]) };
    planned = host.plan(&allowing("recreate"));
    assert!(matches!(planned.entries[0].stand, Stand::Change { undone: false, .. }), "{planned:#?}");
    host.carry_out(&planned);
    // With its member it goes too: nobody deleted it.
    host.kernel.delete(MEMBERS[1]);
    host.kernel.link(BOND).unwrap().kind =
        LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active: Some(MEMBERS[0]) };
    planned = host.plan(&allowing("recreate"));
    assert!(matches!(planned.entries[0].stand, Stand::Change { undone: false, .. }), "{planned:#?}");
    host.carry_out(&planned);
    let index = host.kernel.world.named("vpn0").unwrap().index;
    host.kernel.delete(index);
    planned = host.plan(&allowing("recreate"));
    assert!(matches!(planned.entries[0].stand, Stand::Change { undone: true, .. }), "{planned:#?}");
}

#[test]
fn text_and_json_tell_every_step_with_its_undoing() {
    let mut host = Host::new();
    let planned = host.plan("bypass: [{name: vpn0, vlan: 70, bond: bond0, qdisc: fq_codel}]");
    let text = as_text(&planned, None, &[]);
    for part in [
        "vpn0: VLAN 70 on eno1",
        "put the qdisc fq_codel",
        "undo:   delete",
        "only VLAN 70 bypasses bond0",
        "5 steps",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = as_json(&planned, None, &[]);
    assert_eq!(json["schema"], "bondwitness/bypass/v1");
    assert_eq!(json["steps"].as_array().unwrap().len(), planned.plan.steps.len());
    assert_eq!((&json["ready"], &json["entries"][0]["stand"]), (&false.into(), &"change".into()));
}

#[test]
fn what_a_crash_left_half_made_is_removed_and_made_again_in_one_go() {
    let mut host = Host::new();
    let planned = host.plan(VPN);
    // Killed right after the first step: the interface has its temporary name and the VLAN id.
    let first = bondwitness_core::plan::Plan { steps: planned.plan.steps[..1].to_vec() };
    execute(&first, &[], &mut host.state, OnFailure::UndoAll, &mut host.kernel);
    let half = host.kernel.world.vlan_on(MEMBERS[0], 70).unwrap().name.clone();
    assert!(half.starts_with("bw"), "{half}");
    let (planned, outcome) = host.apply(VPN);
    assert!(planned.refused.is_empty() && outcome.failed.is_empty(), "{planned:#?}");
    assert!(host.kernel.world.named(&half).is_none());
    assert!(host.kernel.world.named("vpn0").unwrap().up && host.kernel.wrong.is_empty());
    assert!(host.plan(VPN).ready());
}
