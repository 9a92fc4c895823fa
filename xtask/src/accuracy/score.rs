//! Truth against verdict: how one incident came out, and the figures of many.

use bondwitness_core::diagnose::{self, Input, Report};
use bondwitness_core::domain::{FaultDomain as D, Grade, Side, Way};
use bondwitness_core::verdict::Verdict;
use std::fmt::Write as _;

/// What can be decided from the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decidable {
    /// The side (or that there is no fault).
    Side,
    /// Only that some side is clear: `inconclusive` with that side exonerated is the right answer.
    Exoneration,
    /// Nothing: `inconclusive` is the right answer.
    Nothing,
}

impl Decidable {
    /// The contract's word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Side => "side",
            Self::Exoneration => "exoneration",
            Self::Nothing => "nothing",
        }
    }
}

/// The truth about one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    /// The fault.
    pub(crate) domain: D,
    /// The guilty side; `Unknown` if nobody knows.
    pub(crate) side: Side,
    /// More faults in the same evidence, or other names for the one: their sides are not innocent either.
    pub(crate) also: Vec<D>,
    /// What can be decided.
    pub(crate) decidable: Decidable,
    /// Members at fault, where one is.
    pub(crate) members: Vec<String>,
    /// The broken direction, where there is one.
    pub(crate) way: Option<Way>,
    /// Sides that the evidence clears, where only that can be decided.
    pub(crate) cleared: Vec<Side>,
}

impl Truth {
    /// A truth without members, direction and second faults.
    pub(crate) fn of(domain: D, side: Side, decidable: Decidable) -> Self {
        Self {
            domain,
            side,
            also: Vec::new(),
            decidable,
            members: Vec::new(),
            way: None,
            cleared: vec![Side::Host],
        }
    }

    /// Is this side guilty of anything in this evidence?
    pub(crate) fn guilty(&self, side: Side) -> bool {
        let accused = !matches!(side, Side::None | Side::Unknown);
        // "Both" means that host and switch each have a part in it: clearing either of them is wrong, but naming one
        // alone is no right answer.
        accused && (self.side == side || self.also.iter().any(|d| d.side() == side))
    }

    /// Would clearing this side be wrong?
    pub(crate) fn must_not_clear(&self, side: Side) -> bool {
        self.guilty(side) || (self.side == Side::Both && matches!(side, Side::Host | Side::Switch))
    }

    /// Is this a right name for the fault?
    pub(crate) fn names(&self, domain: D) -> bool {
        self.domain == domain || self.also.contains(&domain)
    }

    /// Does a verdict clear what can be cleared?
    pub(crate) fn cleared_by(&self, said: &Said) -> bool {
        self.cleared.iter().all(|s| said.exonerated.contains(s))
    }
}

/// One set of incidents.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) from: &'static str,
    /// The set names members and directions, and says what can be decided.
    pub(crate) injected: bool,
    pub(crate) rows: Vec<Row>,
}

/// One incident: what was known and what was said.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) truth: Truth,
    /// How many files the engine was given.
    pub(crate) files: usize,
    pub(crate) said: Said,
    /// The verdicts of its episodes and of its other subjects.
    pub(crate) others: Vec<Said>,
}

/// The part of a verdict that is compared.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) domain: D,
    pub(crate) side: Side,
    pub(crate) grade: Grade,
    pub(crate) exonerated: Vec<Side>,
    pub(crate) members: Vec<String>,
    pub(crate) way: Option<Way>,
    pub(crate) confidence: f64,
}

impl Said {
    pub(crate) fn of(v: &Verdict) -> Self {
        Self {
            domain: v.domain,
            side: v.side,
            grade: v.grade,
            exonerated: v.exonerated.iter().map(|(s, _)| *s).collect(),
            members: {
                let mut members = v.members.clone();
                members.sort();
                members
            },
            way: v.way,
            confidence: v.confidence,
        }
    }

    pub(crate) fn decided(&self) -> bool {
        !matches!(self.side, Side::None | Side::Unknown)
    }
}

/// How a row came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    OtherDomain,
    Abstained,
    OverClaimed,
    Wrong(Vec<&'static str>),
}

pub(crate) const ACCUSATION: &str = "wrong accusation";
pub(crate) const EXONERATION: &str = "wrong exoneration";
pub(crate) const HEALTHY_FAULTY: &str = "healthy called faulty";
pub(crate) const FAULT_HEALTHY: &str = "fault called healthy";
pub(crate) const MIXED_UP: &str = "healthy and not-lacp mixed up";

pub(crate) fn outcome(truth: &Truth, said: &Said) -> Outcome {
    let known = truth.side != Side::Unknown;
    let fault = known && truth.side != Side::None;
    let mut wrong = Vec::new();
    if known && said.decided() && !truth.guilty(said.side) {
        wrong.push(ACCUSATION);
        if truth.domain == D::Healthy {
            wrong.push(HEALTHY_FAULTY);
        }
    }
    if said.exonerated.iter().any(|s| truth.must_not_clear(*s)) {
        wrong.push(EXONERATION);
    }
    let quiet = matches!(said.domain, D::Healthy | D::NotLacp);
    if fault && quiet {
        wrong.push(FAULT_HEALTHY);
    }
    if known && !fault && quiet && !truth.names(said.domain) {
        wrong.push(MIXED_UP);
    }
    if !wrong.is_empty() {
        return Outcome::Wrong(wrong);
    }
    let abstains = said.domain == D::Inconclusive;
    match truth.decidable {
        Decidable::Nothing => {
            if abstains {
                Outcome::Ok
            } else {
                Outcome::OverClaimed
            }
        }
        Decidable::Exoneration => match (abstains, truth.cleared_by(said)) {
            (true, true) => Outcome::Ok,
            (true, false) => Outcome::Abstained,
            (false, _) => Outcome::OverClaimed,
        },
        Decidable::Side if abstains => Outcome::Abstained,
        Decidable::Side if truth.names(said.domain) || truth.domain == D::Inconclusive => Outcome::Ok,
        Decidable::Side => Outcome::OtherDomain,
    }
}

/// Does a verdict accuse or clear the wrong side?
pub(crate) fn injures(truth: &Truth, said: &Said) -> bool {
    matches!(outcome(truth, said), Outcome::Wrong(why) if why.contains(&ACCUSATION) || why.contains(&EXONERATION))
}

/// The figures of one set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) n: usize,
    pub(crate) decided: usize,
    pub(crate) decidable: usize,
    pub(crate) decidable_decided: usize,
    pub(crate) quiet: usize,
    pub(crate) accusation: usize,
    pub(crate) accusation_proven: usize,
    pub(crate) accusation_of: usize,
    pub(crate) exoneration: usize,
    pub(crate) parts: usize,
    pub(crate) parts_wrong: usize,
    pub(crate) healthy_faulty: usize,
    pub(crate) healthy: usize,
    pub(crate) fault_healthy: usize,
    pub(crate) faults: usize,
    pub(crate) over: usize,
    pub(crate) inconclusive: usize,
    pub(crate) abstained: usize,
    pub(crate) domain: (usize, usize),
    pub(crate) cleared: (usize, usize),
    pub(crate) member: (usize, usize),
    pub(crate) way: (usize, usize),
}

impl Figures {
    pub(crate) fn of(rows: &[Row]) -> Self {
        Self::of_rows(rows.iter())
    }

    pub(crate) fn of_rows<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut f = Self::default();
        for Row { truth, said, others, .. } in rows {
            f.n += 1;
            f.parts += others.len();
            f.parts_wrong += others.iter().filter(|o| injures(truth, o)).count();
            let outcome = outcome(truth, said);
            let is = |w: &str| matches!(&outcome, Outcome::Wrong(reasons) if reasons.contains(&w));
            let known = truth.side != Side::Unknown;
            let fault = known && truth.side != Side::None;
            let could = truth.decidable == Decidable::Side && fault;
            f.decided += usize::from(said.decided());
            f.decidable += usize::from(could);
            f.decidable_decided += usize::from(could && said.decided());
            f.quiet += usize::from(matches!(said.domain, D::Healthy | D::NotLacp));
            f.inconclusive += usize::from(said.domain == D::Inconclusive);
            f.accusation += usize::from(is(ACCUSATION));
            f.accusation_proven += usize::from(is(ACCUSATION) && said.grade == Grade::Proven);
            f.accusation_of += usize::from(known && said.decided());
            f.exoneration += usize::from(is(EXONERATION));
            f.healthy += usize::from(truth.domain == D::Healthy);
            f.healthy_faulty += usize::from(is(HEALTHY_FAULTY));
            f.faults += usize::from(fault);
            f.fault_healthy += usize::from(is(FAULT_HEALTHY));
            f.over += usize::from(outcome == Outcome::OverClaimed);
            f.abstained += usize::from(outcome == Outcome::Abstained);
            if said.decided() && truth.domain != D::Inconclusive {
                f.domain.1 += 1;
                f.domain.0 += usize::from(truth.names(said.domain));
            }
            if truth.decidable == Decidable::Exoneration {
                f.cleared.1 += 1;
                f.cleared.0 += usize::from(truth.cleared_by(said));
            }
            if !truth.members.is_empty() && truth.decidable != Decidable::Nothing {
                f.member.1 += 1;
                f.member.0 += usize::from(said.members == truth.members);
            }
            if truth.way.is_some() && truth.decidable != Decidable::Nothing {
                f.way.1 += 1;
                f.way.0 += usize::from(said.way == truth.way);
            }
        }
        f
    }

    pub(crate) fn broken_floors(&self) -> Vec<String> {
        [(self.accusation, ACCUSATION), (self.exoneration, EXONERATION)]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} x {what}, the floor is 0"))
            .collect()
    }

    /// `injected`: what can be decided, the member and the direction were declared beforehand.
    pub(crate) fn table(&self, injected: bool) -> String {
        let mut t = String::from("| figure | value | share | of |\n|---|---|---|---|\n");
        let mut line = |what: &str, n: usize, of: usize, whom: &str| {
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            let share =
                if of == 0 { "-".to_owned() } else { format!("{:.2} %", n as f64 / of as f64 * 100.0) };
            let _ = writeln!(t, "| {what} | {n} | {share} | {of} {whom} |");
        };
        line("decided", self.decided, self.n, "incidents");
        let whom =
            if injected { "whose side the host alone can decide" } else { "with a labelled guilty side" };
        line("decided, of the faults", self.decidable_decided, self.decidable, whom);
        line("`healthy` or `not-lacp`", self.quiet, self.n, "incidents");
        line("`inconclusive`", self.inconclusive, self.n, "incidents");
        line("of these abstained", self.abstained, self.inconclusive, "inconclusive ones");
        line("wrong accusation", self.accusation, self.accusation_of, "decided, with a known side");
        line(
            "wrong accusation at grade `proven`",
            self.accusation_proven,
            self.accusation_of,
            "decided, with a known side",
        );
        line("wrong exoneration", self.exoneration, self.n, "incidents");
        line(
            "wrong accusation or exoneration in a part",
            self.parts_wrong,
            self.parts,
            "verdicts of episodes and other subjects",
        );
        line("healthy called faulty", self.healthy_faulty, self.healthy, "healthy ones");
        line("fault called healthy or not-lacp", self.fault_healthy, self.faults, "faults with a known side");
        line("over-claimed", self.over, self.n, "incidents");
        line("domain right", self.domain.0, self.domain.1, "decided, with a known domain");
        if injected {
            line("cleared what is clear", self.cleared.0, self.cleared.1, "where only that can be decided");
            line("member right", self.member.0, self.member.1, "where a member is at fault");
            line("direction right", self.way.0, self.way.1, "where a direction is broken");
        }
        t
    }
}

pub(crate) fn rows(set: &Set) -> String {
    let mut t = String::new();
    if set.injected {
        t.push_str("| recording | what was done | label | decidable | verdict | grade | cleared | member, direction | result |\n|---|---|---|---|---|---|---|---|---|\n");
    } else {
        t.push_str(
            "| case | files | label | verdict | grade | cleared | result | what the files hold |\n|---|---|---|---|---|---|---|---|\n",
        );
    }
    for row in &set.rows {
        let mut result = match outcome(&row.truth, &row.said) {
            Outcome::Ok => "ok".to_owned(),
            Outcome::OtherDomain => "ok, other domain".to_owned(),
            Outcome::Abstained => "abstained".to_owned(),
            Outcome::OverClaimed => "over-claimed".to_owned(),
            Outcome::Wrong(why) => format!("**wrong: {}**", why.join(", ")),
        };
        if !row.truth.members.is_empty() && row.said.members != row.truth.members {
            result.push_str(", **member not right**");
        }
        if row.truth.way.is_some() && row.said.way != row.truth.way {
            result.push_str(", **direction not right**");
        }
        let mut label = pair(row.truth.domain, row.truth.side);
        for d in &row.truth.also {
            let _ = write!(label, ", also {d}");
        }
        let cleared = or_dash(row.said.exonerated.iter().map(|s| s.name().to_owned()).collect());
        let verdict = pair(row.said.domain, row.said.side);
        let grade = row.said.grade.name();
        if set.injected {
            let _ = writeln!(
                t,
                "| {} | {} | {label} | {} | {verdict} | {grade} | {cleared} | {} | {result} |",
                row.id,
                row.what,
                row.truth.decidable.name(),
                place(&row.said)
            );
        } else {
            let _ = writeln!(
                t,
                "| {} | {} | {label} | {verdict} | {grade} | {cleared} | {result} | {} |",
                row.id, row.files, row.what
            );
        }
    }
    t
}

/// `domain (side)`; the side is left out where the domain says it.
pub(crate) fn pair(domain: D, side: Side) -> String {
    if domain.side() == side && matches!(side, Side::None | Side::Unknown) {
        domain.name().to_owned()
    } else {
        format!("{domain} ({side})")
    }
}

pub(crate) fn or_dash(words: Vec<String>) -> String {
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// What was said of member and direction.
pub(crate) fn place(said: &Said) -> String {
    format!("{}, {}", or_dash(said.members.clone()), said.way.map_or("-", Way::name))
}

/// The case verdict on some inputs, and the verdicts of episodes and of other subjects.
pub(crate) fn judge(inputs: &[Input<'_>]) -> (Said, Vec<Said>) {
    said(&diagnose::diagnose(inputs))
}

/// As [`judge`], of a report.
pub(crate) fn said(report: &Report) -> (Said, Vec<Said>) {
    let worst = report.worst();
    let mut case = None;
    let mut others = Vec::new();
    for (i, subject) in report.subjects.iter().enumerate() {
        let said = Said::of(&subject.judged.verdict);
        if worst == Some(i) {
            case = Some(said);
        } else {
            others.push(said);
        }
        others.extend(subject.judged.episodes.iter().map(|e| Said::of(&e.verdict)));
    }
    // Without a subject the contract's case verdict is inconclusive.
    let case = case.unwrap_or_else(|| Said {
        domain: D::Inconclusive,
        side: Side::Unknown,
        grade: Grade::Insufficient,
        exonerated: Vec::new(),
        members: Vec::new(),
        way: None,
        confidence: 0.0,
    });
    (case, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(domain: D, exonerated: &[Side]) -> Said {
        Said {
            domain,
            side: domain.side(),
            grade: Grade::Strong,
            exonerated: exonerated.to_vec(),
            members: Vec::new(),
            way: None,
            confidence: 0.9,
        }
    }

    fn known(domain: D, decidable: Decidable) -> Truth {
        Truth::of(domain, domain.side(), decidable)
    }

    #[test]
    fn an_innocent_party_accused_is_wrong_whatever_can_be_decided() {
        for decidable in [Decidable::Side, Decidable::Exoneration, Decidable::Nothing] {
            let o = outcome(&known(D::Physical, decidable), &said(D::SwitchConfig, &[]));
            assert_eq!(o, Outcome::Wrong(vec![ACCUSATION]));
        }
        let o = outcome(&known(D::Healthy, Decidable::Side), &said(D::HostConfig, &[]));
        assert_eq!(o, Outcome::Wrong(vec![ACCUSATION, HEALTHY_FAULTY]));
        // One end alone is no answer where both have a part in it.
        let o = outcome(&known(D::ConfigBoth, Decidable::Side), &said(D::HostConfig, &[]));
        assert_eq!(o, Outcome::Wrong(vec![ACCUSATION]));
    }

    #[test]
    fn clearing_the_guilty_is_wrong_even_when_abstaining() {
        let t = known(D::Physical, Decidable::Exoneration);
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[Side::Link])), Outcome::Wrong(vec![EXONERATION]));
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[Side::Host])), Outcome::Ok);
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[])), Outcome::Abstained);
        // Right by luck: link or switch cannot be told.
        assert_eq!(outcome(&t, &said(D::Physical, &[Side::Host])), Outcome::OverClaimed);
        let both = known(D::ConfigBoth, Decidable::Side);
        assert_eq!(outcome(&both, &said(D::ConfigBoth, &[Side::Host])), Outcome::Wrong(vec![EXONERATION]));
    }

    #[test]
    fn faults_called_healthy_and_the_other_way_round() {
        let t = known(D::Mlag, Decidable::Side);
        assert_eq!(outcome(&t, &said(D::Healthy, &[])), Outcome::Wrong(vec![FAULT_HEALTHY]));
        assert_eq!(outcome(&t, &said(D::NotLacp, &[])), Outcome::Wrong(vec![FAULT_HEALTHY]));
        assert_eq!(outcome(&t, &said(D::SwitchConfig, &[])), Outcome::OtherDomain);
        assert_eq!(
            outcome(&known(D::NotLacp, Decidable::Side), &said(D::Healthy, &[])),
            Outcome::Wrong(vec![MIXED_UP])
        );
        assert_eq!(
            outcome(&known(D::Healthy, Decidable::Side), &said(D::Healthy, &[Side::Host])),
            Outcome::Ok
        );
    }

    #[test]
    fn figures_count_every_row_once_and_hold_the_floors() {
        let row = |truth: Truth, said: Said| Row {
            id: "x".to_owned(),
            what: String::new(),
            truth,
            files: 1,
            said,
            others: Vec::new(),
        };
        let rows = [
            row(known(D::Physical, Decidable::Exoneration), said(D::Inconclusive, &[Side::Host])),
            row(known(D::Mlag, Decidable::Side), said(D::HostConfig, &[Side::Switch])),
            row(known(D::Healthy, Decidable::Side), said(D::Healthy, &[])),
            row(known(D::HostConfig, Decidable::Side), said(D::HostStarvation, &[])),
        ];
        let f = Figures::of(&rows);
        assert_eq!((f.n, f.decided, f.quiet, f.inconclusive), (4, 2, 1, 1));
        assert_eq!((f.accusation, f.exoneration, f.accusation_of), (1, 1, 2));
        assert_eq!((f.domain, f.cleared, f.decidable_decided), ((0, 2), (1, 1), 2));
        assert_eq!(f.broken_floors().len(), 2);
        assert!(Figures::of(&rows[2..]).broken_floors().is_empty());
    }

    #[test]
    fn a_wrong_part_is_counted() {
        let truth = known(D::Physical, Decidable::Exoneration);
        let row = Row {
            id: "x".to_owned(),
            what: String::new(),
            truth,
            files: 1,
            said: said(D::Inconclusive, &[Side::Host]),
            others: vec![
                said(D::Mlag, &[]),
                said(D::Inconclusive, &[Side::Host]),
                said(D::Inconclusive, &[Side::Link]),
            ],
        };
        let f = Figures::of(&[row]);
        assert_eq!((f.parts, f.parts_wrong, f.accusation), (3, 2, 0));
    }

    #[test]
    fn neither_end_may_be_cleared_where_both_have_a_part() {
        let t = known(D::ConfigBoth, Decidable::Side);
        assert!(
            t.must_not_clear(Side::Host) && t.must_not_clear(Side::Switch) && !t.must_not_clear(Side::Link)
        );
        assert!(t.guilty(Side::Both) && !t.guilty(Side::Host));
        let t = known(D::Healthy, Decidable::Side);
        assert!(!t.must_not_clear(Side::Host) && !t.guilty(Side::None));
    }
}
