//! Verdicts on what the guest recorded, compared with the truth.

use crate::accuracy::{self, Outcome, Said};
use crate::truth::{Decidable, Truth};
use anyhow::{Context, Result};
use bondwitness_core::domain::{FaultDomain, Way};
use std::fmt::Write as _;
use std::path::Path;

/// What is true of an incident. Members count from 0: their names are given when the guest boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The fault.
    pub(crate) domain: FaultDomain,
    /// What the host's evidence can decide.
    pub(crate) decidable: Decidable,
    /// Members at fault.
    pub(crate) members: Vec<usize>,
    /// The broken direction.
    pub(crate) way: Option<Way>,
}

impl Expected {
    /// A fault without a member or direction.
    pub(crate) const fn of(domain: FaultDomain, decidable: Decidable) -> Self {
        Self { domain, decidable, members: Vec::new(), way: None }
    }
    /// On this member.
    pub(crate) fn on(mut self, member: usize) -> Self {
        self.members.push(member);
        self
    }
    /// In this direction.
    pub(crate) const fn towards(mut self, way: Way) -> Self {
        self.way = Some(way);
        self
    }
    fn truth(&self) -> Truth {
        Truth {
            domain: self.domain,
            side: self.domain.side(),
            also: &[],
            decidable: self.decidable,
            members: &[],
            way: None,
        }
    }
}

/// An incident that was judged, or could not be.
pub(crate) struct Judged {
    /// `<kernel>/<name>`.
    pub(crate) id: String,
    /// What is true.
    pub(crate) expected: Expected,
    /// What was said, or why there is nothing to judge.
    pub(crate) said: std::result::Result<Said, String>,
    /// How it came out.
    pub(crate) result: String,
    /// Nothing wrong with it.
    pub(crate) good: bool,
}

/// Judges the folder of an incident. `members` are the names that the guest gave.
pub(crate) fn judge(id: String, folder: &Path, expected: Expected, members: &[String]) -> Result<Judged> {
    let broken = folder.join("broken.txt");
    let reason = if broken.is_file() {
        Some(std::fs::read_to_string(&broken).context("cannot read broken.txt")?)
    } else if folder.is_dir() {
        None
    } else {
        Some("the guest wrote nothing".to_owned())
    };
    if let Some(reason) = reason {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        return Ok(Judged { id, expected, result: "broken".to_owned(), said: Err(reason), good: false });
    }
    let (_, said, _) =
        accuracy::say(folder, accuracy::of_the_host).with_context(|| format!("cannot judge {id}"))?;
    let mut good = true;
    let mut result = match accuracy::outcome(&expected.truth(), &said) {
        Outcome::Ok => "ok".to_owned(),
        Outcome::OtherDomain => "ok, other domain".to_owned(),
        Outcome::Abstained => {
            good = false;
            "abstained".to_owned()
        }
        Outcome::OverClaimed => {
            good = false;
            "over-claimed".to_owned()
        }
        Outcome::Wrong(why) => {
            good = false;
            format!("WRONG: {}", why.join(", "))
        }
    };
    let mut names: Vec<String> = expected.members.iter().filter_map(|i| members.get(*i).cloned()).collect();
    names.sort();
    if !names.is_empty() && said.members != names {
        result.push_str(", member not right");
    }
    if expected.way.is_some() && said.way != expected.way {
        result.push_str(", direction not right");
    }
    Ok(Judged { id, expected, said: Ok(said), result, good })
}

/// The table of a run.
pub(crate) fn table(rows: &[Judged]) -> String {
    let mut t = String::from(
        "| incident | truth | decidable | verdict | grade | cleared | member, direction | result |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let truth = accuracy::pair(row.expected.domain, row.expected.domain.side());
        let decidable = row.expected.decidable.name();
        match &row.said {
            Err(why) => {
                let _ = writeln!(t, "| {} | {truth} | {decidable} | - | - | - | - | broken: {why} |", row.id);
            }
            Ok(said) => {
                let cleared: Vec<&str> = said.exonerated.iter().map(|s| s.name()).collect();
                let _ = writeln!(
                    t,
                    "| {} | {truth} | {decidable} | {} | {} | {} | {} | {} |",
                    row.id,
                    accuracy::pair(said.domain, said.side),
                    said.grade.name(),
                    if cleared.is_empty() { "-".to_owned() } else { cleared.join(", ") },
                    accuracy::place(said),
                    row.result
                );
            }
        }
    }
    t
}
