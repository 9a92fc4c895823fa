//! What a check says: findings that implicate, exonerate or give context, each with citations.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain, Side, Way};
use crate::evidence::Citation;

/// Which kind of evidence a finding rests on. `proven` needs two that are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Frames on the wire.
    Wire,
    /// The bond's own state.
    State,
    /// Counters.
    Counter,
    /// The kernel log.
    Log,
    /// Settings and configuration.
    Config,
    /// Filters and programs attached to interfaces, drop reports.
    Filter,
}

/// How much a finding moves the verdict, as log-odds. The numbers are starting points with a stated reason, to
/// be calibrated on the lab's incidents (issue 3), never on the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Cannot be excluded, and is less likely than what stands beside it: it only puts a suspect last.
    Faint,
    /// A hint: it orders suspects, it never decides alone.
    Weak,
    /// Fits one domain best; rivals are not excluded: decides at grade `indicative` if nothing speaks against it.
    Moderate,
    /// A direct observation of the fault: decides at grade `strong`.
    Strong,
    /// A direct observation that leaves no room for a rival.
    Decisive,
}

impl Strength {
    /// Log-odds (natural). With one finding alone the probability of its domain comes out as 0.55, 0.62, 0.86,
    /// 0.94, 0.98.
    #[must_use]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Faint => 0.2,
            Self::Weak => 0.5,
            Self::Moderate => 1.8,
            Self::Strong => 2.8,
            Self::Decisive => 3.9,
        }
    }
}

/// How bad it is for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Worth mending.
    Warning,
    /// A fault.
    Fault,
}

impl Severity {
    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What a finding means for the parties.
#[derive(Debug, Clone, PartialEq)]
pub enum Bearing {
    /// Speaks for these domains. Several domains: the finding shows that something is wrong and which direction, but
    /// not whose fault; it orders the suspects and never decides.
    Implicates(Vec<(FaultDomain, Strength)>),
    /// Clears a side.
    Exonerates(Side),
    /// Rules one domain out.
    RulesOut(FaultDomain),
    /// Neither.
    Context,
}

/// One finding. It cannot be built without a citation ([`Finding::new`] takes the first one).
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check that speaks.
    pub check: &'static str,
    /// How bad.
    pub severity: Severity,
    /// For or against whom.
    pub bearing: Bearing,
    /// The kind of evidence.
    pub kind: Kind,
    /// The member concerned, if one.
    pub member: Option<String>,
    /// The direction concerned, if any.
    pub way: Option<Way>,
    /// One or two plain sentences.
    pub text: String,
    /// Where it was read; never empty.
    pub evidence: Vec<Citation>,
    /// When, on the wall clock, if known.
    pub ns: Option<i64>,
    /// Every further instant at which the same was seen.
    pub times: Vec<i64>,
}

impl Finding {
    /// A finding of context; use the `with` functions for the rest.
    #[must_use]
    pub fn new(check: &'static str, kind: Kind, at: Citation, text: impl Into<String>) -> Self {
        Self {
            check,
            severity: Severity::Info,
            bearing: Bearing::Context,
            kind,
            member: None,
            way: None,
            text: text.into(),
            evidence: vec![at],
            ns: None,
            times: Vec::new(),
        }
    }
    /// It speaks for one domain.
    #[must_use]
    pub fn implicates(mut self, domain: FaultDomain, strength: Strength) -> Self {
        self.bearing = Bearing::Implicates(vec![(domain, strength)]);
        self.severity = Severity::Fault;
        self
    }
    /// It speaks for one of several domains.
    #[must_use]
    pub fn suspects(mut self, domains: &[(FaultDomain, Strength)]) -> Self {
        self.bearing = Bearing::Implicates(domains.to_vec());
        self.severity = Severity::Fault;
        self
    }
    /// It clears a side.
    #[must_use]
    pub fn exonerates(mut self, side: Side) -> Self {
        self.bearing = Bearing::Exonerates(side);
        self
    }
    /// It rules a domain out.
    #[must_use]
    pub fn rules_out(mut self, domain: FaultDomain) -> Self {
        self.bearing = Bearing::RulesOut(domain);
        self
    }
    /// About this member.
    #[must_use]
    pub fn member(mut self, name: &str) -> Self {
        self.member = Some(name.to_owned());
        self
    }
    /// About this direction.
    #[must_use]
    pub fn way(mut self, way: Way) -> Self {
        self.way = Some(way);
        self
    }
    /// With this severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
    /// With another citation.
    #[must_use]
    pub fn and(mut self, at: Citation) -> Self {
        if !self.evidence.contains(&at) {
            self.evidence.push(at);
        }
        self
    }
    /// With more citations.
    #[must_use]
    pub fn and_all(mut self, at: impl IntoIterator<Item = Citation>) -> Self {
        for c in at {
            self = self.and(c);
        }
        self
    }
    /// At this instant.
    #[must_use]
    pub const fn at(mut self, ns: i64) -> Self {
        self.ns = Some(ns);
        self
    }
    /// And at these.
    #[must_use]
    pub fn times(mut self, times: impl IntoIterator<Item = i64>) -> Self {
        self.times.extend(times);
        self
    }
    /// The single domain it implicates, if it is a single one.
    #[must_use]
    pub fn accuses(&self) -> Option<(FaultDomain, Strength)> {
        match &self.bearing {
            Bearing::Implicates(d) => match d.as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Something that was not there to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// What is missing.
    pub what: String,
    /// `no privilege`, `absent`, `timeout`, `lost`, `not recognised`.
    pub why: &'static str,
    /// The domains it matters for.
    pub matters_for: Vec<FaultDomain>,
    /// The command or step that would provide it.
    pub fix: String,
}

impl Need {
    /// Evidence that is absent.
    #[must_use]
    pub fn absent(what: impl Into<String>, matters_for: &[FaultDomain], fix: impl Into<String>) -> Self {
        Self { what: what.into(), why: "absent", matters_for: matters_for.to_vec(), fix: fix.into() }
    }
}

/// The answer of a check about one subject.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Something was found.
    Found(Vec<Finding>),
    /// Looked, and it is clean.
    Clear,
    /// Does not apply to this subject.
    NotApplicable,
    /// Could not look: what it would need.
    CouldNotSee(Vec<Need>),
}

impl Outcome {
    /// `Found` if there is anything, else `Clear`.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::Clear } else { Self::Found(findings) }
    }
}

/// A check: one observable fact, its doc page, and the function that looks for it.
pub struct Check {
    /// The observed fact in kebab-case; the file is the same with underscores.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The requirements it meets (`requirements.md`).
    pub requirements: &'static [&'static str],
    /// The page that `explain` prints: the module's own documentation.
    pub page: &'static str,
    /// Looks.
    pub run: fn(&Case, &Subject) -> Outcome,
}
