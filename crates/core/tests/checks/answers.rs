//! Asks one check about one set of evidence, and holds what it says against what the cited bytes say.

use crate::conversation::{Frame, HEALTHY, T0, healthy, host_mac, judge, pcap, proc, talk};
use bondwitness_core::capture::reader;
use bondwitness_core::checks;
use bondwitness_core::domain::{FaultDomain, Side, Way};
use bondwitness_core::evidence::{Citation, Place};
use bondwitness_core::finding::{Bearing, Finding, Outcome, Severity, Strength};
use lacp::wire::{self, SlowPdu};

/// The files of a case.
#[derive(Clone)]
pub(crate) struct Evidence(Vec<(String, Vec<u8>)>);

impl Evidence {
    /// Nothing yet.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// A bond of `eno1` and `eno2` with LACP in order, as `/proc/net/bonding/bond0` tells.
    pub(crate) fn bond() -> Self {
        Self::none().with("proc/net/bonding/bond0", proc([(HEALTHY, HEALTHY), (HEALTHY, HEALTHY)]))
    }

    /// The same with both members captured: `eno1` as given, `eno2` in order.
    pub(crate) fn captured(eno1: &[Frame]) -> Self {
        Self::bond().capture(1, eno1).capture(2, &talk(2, 90, |_| healthy(2)))
    }

    /// The files.
    pub(crate) fn files(self) -> Vec<(String, Vec<u8>)> {
        self.0
    }

    /// With this file; a file of the same name gives way.
    pub(crate) fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.retain(|f| f.0 != path);
        self.0.push((path.to_owned(), content.into()));
        self
    }

    /// With a capture of a member.
    pub(crate) fn capture(self, member: u16, frames: &[Frame]) -> Self {
        self.with(&format!("eno{member}.pcap"), pcap(member, frames))
    }

    /// What a check says of `bond0`, or of the only subject.
    #[track_caller]
    pub(crate) fn ask(&self, id: &'static str) -> Answer {
        let report = judge(&self.0);
        // A file that nobody can read would make every check quiet.
        for f in &report.case.files {
            assert!(!f.recognised.is_empty(), "{}: no known format", f.path);
            assert_eq!((f.lines.1, f.lines.2), (0, 0), "{}: lines that are not understood", f.path);
        }
        let subjects = &report.case.subjects;
        let at = subjects.iter().position(|s| s.name == "bond0").unwrap_or(0);
        let subject = subjects.get(at).expect("a subject");
        let check = checks::find(id).expect("a check of this id");
        let outcome = (check.run)(&report.case, subject);
        let findings = match &outcome {
            Outcome::Found(f) => f.clone(),
            _ => Vec::new(),
        };
        let said: Vec<Said> = findings
            .into_iter()
            .map(|finding| {
                assert_eq!(finding.check, id);
                assert!(
                    report.subjects[at]
                        .judged
                        .findings
                        .iter()
                        .any(|f| f.check == id && f.evidence == finding.evidence),
                    "the report leaves out: {}",
                    finding.text
                );
                let quotes =
                    finding.evidence.iter().map(|c| self.quote(report.case.path(c.file), c)).collect();
                Said { finding, quotes }
            })
            .collect();
        Answer { outcome, said }
    }

    /// The cited bytes: of text as they are, of a frame what the LACPDU says.
    #[track_caller]
    fn quote(&self, path: &str, citation: &Citation) -> String {
        let (_, bytes) = self.0.iter().find(|f| f.0 == path).expect("a citation of a file that was given");
        match citation.place {
            Place::Whole => format!("{path} as a whole"),
            Place::Lines { start, end, .. } => {
                let cited = bytes.get(start as usize..end as usize).expect("inside of the file");
                String::from_utf8(cited.to_vec()).expect("text")
            }
            Place::Frame(number) => {
                let mut found = None;
                reader::read(bytes, &mut |f| {
                    if f.number == number
                        && let SlowPdu::Lacpdu(pdu) = wire::decode(f.payload).0
                    {
                        let from = if (1..9).any(|n| f.mac().0 == host_mac(n)) { "host" } else { "switch" };
                        found = Some(format!(
                            "{path} {:.1} s {from} {:#04x} to {:#04x}",
                            (f.ns - T0 * 1_000_000_000) as f64 / 1e9,
                            pdu.actor.state.bits(),
                            pdu.partner.state.bits()
                        ));
                    }
                });
                found.expect("a citation of a LACPDU that is there")
            }
        }
    }
}

/// What a check answered.
pub(crate) struct Answer {
    outcome: Outcome,
    said: Vec<Said>,
}

impl Answer {
    /// It found one thing.
    #[track_caller]
    pub(crate) fn one(self) -> Said {
        let texts: Vec<_> = self.said.iter().map(|s| s.finding.text.clone()).collect();
        let [one] =
            <[Said; 1]>::try_from(self.said).unwrap_or_else(|_| panic!("{texts:#?}, {:?}", self.outcome));
        one
    }

    /// It found these many things.
    #[track_caller]
    pub(crate) fn all(self, n: usize) -> Vec<Said> {
        let texts: Vec<_> = self.said.iter().map(|s| s.finding.text.clone()).collect();
        assert_eq!(self.said.len(), n, "{texts:#?}");
        self.said
    }

    /// It found nothing.
    #[track_caller]
    pub(crate) fn quiet(self) {
        let texts: Vec<_> = self.said.iter().map(|s| s.finding.text.clone()).collect();
        assert!(self.said.is_empty(), "{texts:#?}");
        assert!(!matches!(self.outcome, Outcome::Found(_)));
    }

    /// It mentions the fact and speaks for or against nobody.
    #[track_caller]
    pub(crate) fn context(self) -> Said {
        let one = self.one();
        assert_eq!(one.finding.bearing, Bearing::Context, "{}", one.finding.text);
        assert!(one.finding.severity < Severity::Fault, "{}", one.finding.text);
        one
    }

    /// It leaves open whose fault it is: its suspects stand on several sides, or are hints only.
    #[track_caller]
    pub(crate) fn open(self) -> Said {
        let one = self.one();
        let Bearing::Implicates(domains) = &one.finding.bearing else {
            panic!("{:?}: {}", one.finding.bearing, one.finding.text)
        };
        let first = domains.first().expect("a suspect").0.side();
        assert!(
            domains.iter().any(|(d, _)| d.side() != first)
                || domains.iter().all(|(_, s)| *s == Strength::Weak),
            "{domains:?}: {}",
            one.finding.text
        );
        one
    }
}

/// One finding with what its citations quote.
pub(crate) struct Said {
    /// The finding.
    pub(crate) finding: Finding,
    /// The quotes, in the order of the citations.
    quotes: Vec<String>,
}

impl Said {
    /// It speaks about this member (empty: about none) and this direction.
    #[track_caller]
    pub(crate) fn about(self, member: &str, way: Option<Way>) -> Self {
        let got = (self.finding.member.as_deref().unwrap_or(""), self.finding.way);
        assert_eq!(got, (member, way), "{}", self.finding.text);
        self
    }

    /// It accuses this domain alone.
    #[track_caller]
    pub(crate) fn accuses(self, domain: FaultDomain, strength: Strength) -> Self {
        self.suspects(&[(domain, strength)])
    }

    /// It names these suspects, in this order.
    #[track_caller]
    pub(crate) fn suspects(self, domains: &[(FaultDomain, Strength)]) -> Self {
        assert_eq!(self.finding.bearing, Bearing::Implicates(domains.to_vec()), "{}", self.finding.text);
        self
    }

    /// It speaks for or against nobody.
    #[track_caller]
    pub(crate) fn neutral(self, severity: Severity) -> Self {
        assert_eq!(
            (&self.finding.bearing, self.finding.severity),
            (&Bearing::Context, severity),
            "{}",
            self.finding.text
        );
        self
    }

    /// It clears a side.
    #[track_caller]
    pub(crate) fn clears(self, side: Side) -> Self {
        assert_eq!(self.finding.bearing, Bearing::Exonerates(side), "{}", self.finding.text);
        self
    }

    /// Its text contains these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.finding.text.contains(words), "{:?} is not in {:?}", words, self.finding.text);
        self
    }

    /// Its citations quote these lines and frames, all of them and in this order; of several lines the first.
    #[track_caller]
    pub(crate) fn quotes(self, want: &[&str]) -> Self {
        let got: Vec<&str> = self.quotes.iter().map(|q| q.lines().next().unwrap_or("").trim()).collect();
        assert_eq!(got, want, "{}", self.finding.text);
        self
    }
}
