//! The report for people: what happened, who, why, what speaks against it, what to do next. Readable at 80 columns and
//! without colour.

use super::{Ids, printable, source};
use crate::diagnose::Report;
use crate::domain::{Grade, Side};
use crate::finding::{Bearing, Severity};
use crate::units::rfc3339;
use crate::verdict::Verdict;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// With ANSI colours.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// With every finding, the timeline and every gap.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 80, verbose: false }
    }
}

struct Page {
    out: String,
    options: Options,
}

impl Page {
    fn style(&self, style: Style, text: &str) -> String {
        if self.options.color {
            format!("{}{text}{}", style.render(), style.render_reset())
        } else {
            text.to_owned()
        }
    }
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }
    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        let text = self.style(Style::new().bold(), text);
        self.line(&text);
    }
    /// Wraps `text` with `first` before the first line and blanks before the rest.
    fn wrap(&mut self, first: &str, indent: usize, text: &str) {
        let width = self.options.width.max(40);
        let mut line = String::from(first);
        let mut column = visible(first);
        let mut fresh = true;
        for word in text.split_whitespace() {
            let n = word.chars().count();
            if !fresh && column + 1 + n > width {
                self.line(&line);
                line = " ".repeat(indent);
                column = indent;
                fresh = true;
            }
            if !fresh {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
            column += n;
            fresh = false;
        }
        self.line(&line);
    }
}

/// Columns a text takes, without its escape sequences.
fn visible(text: &str) -> usize {
    let mut n = 0;
    let mut in_escape = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => n += 1,
        }
    }
    n
}

fn color(v: &Verdict) -> Style {
    let c = match v.side {
        Side::None => AnsiColor::Green,
        Side::Unknown => AnsiColor::Yellow,
        Side::Host | Side::Switch | Side::Link | Side::Both => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(c.into()))
}

/// The whole report.
#[must_use]
pub fn report(report: &Report, options: Options) -> String {
    let ids = Ids::new(report);
    let mut page = Page { out: String::new(), options };
    let case = &report.case;
    let known = case.files.iter().filter(|f| !f.recognised.is_empty()).count();
    let mut head = format!("{} file(s) read, {known} recognised", case.files.len());
    if let Some((a, b)) = super::window(report)
        && let (Some(a), Some(b)) = (rfc3339(a), rfc3339(b))
    {
        let _ = write!(head, "; window {a} to {b}");
    }
    page.wrap("", 0, &printable(&head));
    if report.subjects.is_empty() {
        page.out.push('\n');
        let title = page.style(Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())), "INCONCLUSIVE");
        page.wrap(
            &format!("{title}  "),
            2,
            if report.nothing {
                "nothing in the input was recognised as evidence"
            } else {
                "the evidence speaks of no bond and of no interface"
            },
        );
    }
    let many = report.subjects.len();
    let shown = if many > 6 && !options.verbose { 6 } else { many };
    let mut order: Vec<usize> = (0..many).collect();
    order.sort_by_key(|i| report.subjects.get(*i).map(|s| (s.judged.verdict.domain.rank(), *i)));
    for i in order.iter().copied().take(shown) {
        subject(&mut page, report, &ids, i);
    }
    if shown < many {
        page.out.push('\n');
        page.wrap("", 2, &format!("{} more interface(s) with nothing worse; -v shows them", many - shown));
    }
    missing(&mut page, report);
    evidence(&mut page, report);
    page.out
}

#[allow(clippy::too_many_lines, reason = "the sections of one page, in order")]
fn subject(page: &mut Page, report: &Report, ids: &Ids, i: usize) {
    let (Some(s), Some(subject)) = (report.subjects.get(i), report.case.subjects.get(i)) else { return };
    let v = &s.judged.verdict;
    page.out.push('\n');
    let word = match v.side {
        Side::None => v.domain.name().to_uppercase(),
        Side::Unknown => "INCONCLUSIVE".to_owned(),
        side => format!("{} ({})", side.name().to_uppercase(), v.domain.name()),
    };
    let title = page.style(color(v), &word);
    let mode = subject
        .mode_text
        .as_deref()
        .or_else(|| subject.mode.name())
        .map_or(String::new(), |m| format!(", {m}"));
    let kind = if subject.bond { "bond" } else { "interface" };
    let grade = if v.grade == Grade::Insufficient {
        String::new()
    } else {
        format!(", grade {}, confidence {:.0} %", v.grade.name(), v.confidence * 100.0)
    };
    page.wrap(
        &format!("{title}  "),
        2,
        &printable(&format!("{kind} {}{mode}, {}{grade}", subject.name, s.judged.state.name())),
    );
    page.wrap("  ", 2, &printable(&v.summary));
    if v.side == Side::Unknown && !v.suspects.is_empty() {
        let list: Vec<String> = v
            .suspects
            .iter()
            .filter(|x| x.confidence >= 0.02)
            .map(|x| format!("{} {:.0} %", x.domain.name(), x.confidence * 100.0))
            .collect();
        page.wrap("  suspects: ", 4, &list.join(", "));
    }
    for (side, by) in &v.exonerated {
        let list: Vec<String> = by.iter().map(|f| ids.finding(i, *f)).collect();
        page.wrap("  cleared:  ", 4, &format!("{} ({})", side.name(), list.join(", ")));
    }

    let cite = |f: &crate::finding::Finding| -> String {
        let mut list: Vec<String> = f.evidence.iter().take(4).map(|c| source(&report.case, *c)).collect();
        if f.evidence.len() > 4 {
            list.push(format!("and {} more", f.evidence.len() - 4));
        }
        list.join(", ")
    };
    let show = |page: &mut Page, indexes: &[usize], limit: usize| {
        for n in indexes.iter().take(limit) {
            let Some(f) = s.judged.findings.get(*n) else { continue };
            let id = format!("  {:<4}", ids.finding(i, *n));
            page.wrap(&id, 6, &printable(&f.text));
            let c = cite(f);
            let dim = page.style(Style::new().dimmed(), "      ");
            page.wrap(&dim, 8, &format!("[{}] {c}", f.check));
        }
        if indexes.len() > limit {
            page.line(&format!("      ... {} more (-v)", indexes.len() - limit));
        }
    };
    let limit = if page.options.verbose { usize::MAX } else { 6 };
    let because: Vec<usize> = {
        let mut b = v.because.clone();
        b.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        b.into_iter().map(|(n, _)| n).collect()
    };
    if !because.is_empty() {
        page.heading(if v.side == Side::Unknown { "What is seen" } else { "Why" });
        show(page, &because, limit);
    }
    let cleared: Vec<usize> = s
        .judged
        .findings
        .iter()
        .enumerate()
        .filter(|(n, f)| {
            matches!(f.bearing, Bearing::Exonerates(_) | Bearing::RulesOut(_)) && !because.contains(n)
        })
        .map(|(n, _)| n)
        .collect();
    if !cleared.is_empty() {
        page.heading("What clears a side");
        show(page, &cleared, limit);
    }
    if !v.against.is_empty() {
        page.heading("What speaks for something else");
        show(page, &v.against, limit);
    }
    let context: Vec<usize> = s
        .judged
        .findings
        .iter()
        .enumerate()
        .filter(|(n, f)| {
            !because.contains(n)
                && !v.against.contains(n)
                && !cleared.contains(n)
                && (page.options.verbose || f.severity >= Severity::Warning || f.check == "lacp-in-order")
        })
        .map(|(n, _)| n)
        .collect();
    if !context.is_empty() {
        page.heading("Also seen");
        show(page, &context, limit);
    }
    if !s.judged.episodes.is_empty() {
        page.heading("Episodes");
        let limit = if page.options.verbose { usize::MAX } else { 8 };
        for e in s.judged.episodes.iter().take(limit) {
            let start = rfc3339(e.span.0).unwrap_or_default();
            let side = if e.verdict.side == Side::Unknown { "not decided" } else { e.verdict.side.name() };
            page.wrap(
                "  ",
                4,
                &printable(&format!(
                    "{start}  {}  {}: {side}",
                    crate::wire::seconds(e.span.1 - e.span.0),
                    e.members.join(", ")
                )),
            );
        }
        if s.judged.episodes.len() > limit {
            page.line(&format!("      ... {} more (-v)", s.judged.episodes.len() - limit));
        }
        let sides: std::collections::BTreeSet<&str> =
            s.judged.episodes.iter().map(|e| e.verdict.side.name()).collect();
        if s.judged.episodes.len() > 1 {
            page.line(if sides.len() == 1 {
                "  The episodes agree."
            } else {
                "  The episodes do not agree with each other."
            });
        }
    }
    self::members(page, subject);
    if !s.timeline.is_empty() {
        page.heading("Timeline");
        let limit = if page.options.verbose { usize::MAX } else { 12 };
        for e in s.timeline.iter().take(limit) {
            let when = match (e.ns.and_then(rfc3339), e.stamp) {
                (Some(t), _) => t,
                (None, Some(s)) => s.to_string(),
                (None, None) => "?".to_owned(),
            };
            let who = e.member.as_deref().unwrap_or("-");
            page.wrap(
                &format!("  {when} "),
                6,
                &printable(&format!("{who}: {}  [{}]", e.text, source(&report.case, e.at))),
            );
        }
        if s.timeline.len() > limit {
            page.line(&format!("      ... {} more (-v)", s.timeline.len() - limit));
        }
        let verbose = page.options.verbose;
        for a in s.alignments.iter().filter(|_| verbose) {
            let text = format!(
                "{:?} clock tied to the wall clock by {} pair(s), error at most {}",
                a.clock,
                a.pairs,
                crate::wire::seconds(a.error)
            );
            page.wrap("  ", 4, &text);
        }
    }
    if !v.would_change.is_empty() && v.side != Side::Unknown {
        page.heading("What would overturn it");
        for w in &v.would_change {
            page.wrap("  - ", 4, &printable(w));
        }
    }
    if !v.next.is_empty() {
        page.heading("Next");
        for n in &v.next {
            page.wrap("  $ ", 4, &printable(&n.run));
            page.wrap("      ", 6, &printable(&n.expect));
        }
    }
}

/// Both ends' state per member, as last seen. The first eight unless all are wanted.
fn members(page: &mut Page, subject: &crate::case::Subject) {
    let rows = super::members::rows(subject);
    if rows.is_empty() {
        return;
    }
    page.heading("Members, as last seen");
    let limit = if page.options.verbose { usize::MAX } else { 8 };
    for row in rows.iter().take(limit) {
        for (i, line) in row.lines.iter().enumerate() {
            let name = if i == 0 { printable(&row.name) } else { String::new() };
            page.wrap(&format!("  {name:<8}  "), 14, &printable(line));
        }
    }
    if rows.len() > limit {
        page.line(&format!("      ... {} more (-v)", rows.len() - limit));
    }
}

/// The files that were recognised, with the begin of their hashes: enough to see that two people speak of the same bytes.
fn evidence(page: &mut Page, report: &Report) {
    let files: Vec<_> = report.case.files.iter().filter(|f| !f.recognised.is_empty()).collect();
    if files.is_empty() {
        return;
    }
    page.heading("Evidence");
    let limit = if page.options.verbose { usize::MAX } else { 8 };
    for f in files.iter().take(limit) {
        let hash = f.sha256.as_deref().and_then(|h| h.get(..12)).unwrap_or("-");
        page.wrap("  ", 4, &printable(&format!("{hash}  {} ({})", f.path, f.recognised.join(", "))));
    }
    if files.len() > limit {
        page.line(&format!("      ... {} more (-v)", files.len() - limit));
    }
}

fn missing(page: &mut Page, report: &Report) {
    let mut needs: Vec<_> =
        report.needs.iter().chain(report.subjects.iter().flat_map(|s| &s.judged.needs)).collect();
    needs.sort();
    needs.dedup();
    if needs.is_empty() {
        return;
    }
    let unknown: Vec<_> = needs.iter().filter(|n| n.why == "not recognised").collect();
    let rest: Vec<_> = needs.iter().filter(|n| n.why != "not recognised").collect();
    if !rest.is_empty() {
        page.heading("Missing");
        let limit = if page.options.verbose { usize::MAX } else { 5 };
        for n in rest.iter().take(limit) {
            page.wrap("  - ", 4, &printable(&format!("{} ({})", n.what, n.why)));
            page.wrap("      ", 6, &printable(&n.fix));
        }
        if rest.len() > limit {
            page.line(&format!("      ... {} more (-v)", rest.len() - limit));
        }
    }
    if !unknown.is_empty() {
        page.heading("Not recognised");
        let limit = if page.options.verbose { usize::MAX } else { 5 };
        for n in unknown.iter().take(limit) {
            page.wrap("  - ", 4, &printable(&format!("{}: {}", n.what, n.fix)));
        }
        if unknown.len() > limit {
            page.line(&format!("      ... {} more (-v)", unknown.len() - limit));
        }
    }
}
