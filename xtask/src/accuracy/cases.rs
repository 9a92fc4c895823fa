//! Real cases from public reports, with the cause that was found in the end. They are no part of this repository.

use super::recordings::say;
use super::score::{Decidable, Row, Set, Truth};
use anyhow::{Context, Result, bail};
use bondwitness_core::domain::{FaultDomain as D, Side};
use std::path::Path;

/// Does this file of a case belong to the evidence? The truth and the reporter's prose do not.
fn of_the_evidence(path: &str) -> bool {
    path.split('/').all(|part| part != "truth.md" && !part.starts_with("context-"))
}

/// What the posted files of a case hold, where they do not decide: in the words of a reader who was no author of the
/// rules, knew the label, and was asked whether an honest expert could decide the side from these files alone. They
/// explain an abstention; no figure is computed from them.
const HELD: &[(&str, &str)] = &[
    ("case-002", "one PDU of a sender that withdrew by itself; which end is the host is not told"),
    ("case-015", "a setting of the bus (L1.2 is off), which is no fault"),
    ("case-017", "both members deaf: a direction, no cause"),
    (
        "case-018",
        "two hosts with the same interface name and other firmware; carrier comes and goes without a reason",
    ),
    (
        "case-031",
        "a link that trains through a mode the driver does not advertise; the symptom (no reception) is in the prose only",
    ),
    ("case-036", "three lines of `ethtool -i`; the line that decides is in the prose"),
    ("case-041", "nothing: every file is prose"),
    ("case-046", "three carrier losses without errors, one member only"),
    ("case-050", "one frame of an end that hears nothing; which end it is, is not told"),
    ("case-083", "nothing: every file is prose"),
    ("case-092", "two download speeds, \"with the patch\" and \"without the patch\", and no bond"),
];

/// Measures the cases below `root`; no rows if there are none.
pub(crate) fn measure(root: &Path) -> Result<Set> {
    let root = root.join("corpus/cases");
    let mut rows = Vec::new();
    if root.is_dir() {
        let labels = std::fs::read_to_string(root.join("LABELS.tsv")).context("cannot read LABELS.tsv")?;
        for line in labels.lines().skip(1).filter(|l| !l.is_empty()) {
            let (id, truth) = label(line).with_context(|| format!("LABELS.tsv: {line}"))?;
            let folder = root.join(&id);
            let notes = std::fs::read_to_string(folder.join("truth.md"))
                .with_context(|| format!("cannot read truth.md of {id}"))?;
            let class = notes
                .lines()
                .find_map(|l| l.strip_prefix("| evidence class |"))
                .map(|c| c.trim_matches([' ', '|']))
                .with_context(|| format!("truth.md of {id} gives no evidence class"))?;
            // Class C has no raw evidence, only facts noted while reading: not an input for a verdict.
            if !matches!(class, "A" | "B") {
                continue;
            }
            let (files, said, others) =
                say(&folder, of_the_evidence).with_context(|| format!("cannot read {id}"))?;
            let what = HELD.iter().find(|(case, _)| *case == id).map_or("", |(_, what)| what).to_owned();
            rows.push(Row { id, what, truth, files, said, others });
        }
        rows.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(Set {
        name: "cases",
        title: "Real cases from public reports",
        about: "Raw evidence that people posted, with the cause that was found in the end. The cases are not part of this repository.\n\
                The engine gets every file of a case except the truth and the reporter's prose (`context-*`); cases without raw\n\
                evidence (class C) are left out. The labels say who was guilty, not what the posted files can show, so abstaining\n\
                is often all that can be done. Where the label says `unknown`, `inconclusive` is right. A case with the label\n\
                `not-lacp` counts as side `none`, as the contract has it, whatever the label says of the side. The last column says\n\
                what the files of an undecided case hold, as a reader found who was no author of the rules.\n",
        from: "corpus/cases",
        injected: false,
        rows,
    })
}

/// One line of LABELS.tsv. The labels use other words: `physical` is the side `link`, `neither` is `none`, the domain
/// `unknown` is `inconclusive`.
fn label(line: &str) -> Result<(String, Truth)> {
    let mut columns = line.split('\t');
    let id = columns.next().filter(|c| !c.is_empty()).context("no case")?;
    let domain = columns.next().context("no domain")?;
    let side = columns.next().context("no side")?;
    let domain = match domain {
        "unknown" => D::Inconclusive,
        word => D::ALL.into_iter().find(|d| d.name() == word).with_context(|| format!("domain {word:?}"))?,
    };
    let side = match (domain, side) {
        (D::NotLacp | D::Healthy, _) | (_, "neither") => Side::None,
        (_, "physical") => Side::Link,
        (_, "host") => Side::Host,
        (_, "switch") => Side::Switch,
        (_, "both") => Side::Both,
        (_, "unknown") => Side::Unknown,
        (_, word) => bail!("side {word:?}"),
    };
    let decidable = if side == Side::Unknown { Decidable::Nothing } else { Decidable::Side };
    Ok((id.to_owned(), Truth::of(domain, side, decidable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_never_sees_the_truth() {
        assert!(!of_the_evidence("truth.md") && !of_the_evidence("context-report.txt"));
        assert!(of_the_evidence("switch-cisco-ios.txt"));
    }

    #[test]
    fn labels_are_translated() {
        let (id, t) = label("case-1\tphysical\tphysical\tlow\tA\ts\tf").unwrap();
        assert_eq!((id.as_str(), t.domain, t.side), ("case-1", D::Physical, Side::Link));
        let (_, t) = label("case-2\tunknown\tunknown\tlow\tA\ts\tf").unwrap();
        assert_eq!((t.domain, t.side, t.decidable), (D::Inconclusive, Side::Unknown, Decidable::Nothing));
        let (_, t) = label("case-3\tnot-lacp\thost\thigh\tA\ts\tf").unwrap();
        assert_eq!(t.side, Side::None);
        let (_, t) = label("case-4\tswitch-control-plane\tneither\thigh\tA\ts\tf").unwrap();
        assert_eq!(t.side, Side::None);
        assert!(label("case-5\tgremlins\thost").is_err());
    }
}
