//! A log of the changes of a text file that is read again and again.
//!
//! ```text
//! @@ 1795313408.82
//! -[ens3f0] port state: 63
//! +[ens3f0] port state: 143
//! ```
//!
//! The first entry is the whole text. The word in brackets is the member whose part of `/proc/net/bonding` the line
//! stands in, `bond` before the first.

use std::fmt::Write as _;

/// The log so far.
#[derive(Default)]
pub(crate) struct DiffLog {
    last: Option<String>,
    /// What is to be written.
    pub(crate) text: String,
}

impl DiffLog {
    /// Takes a reading made at `seconds` since 1970.
    pub(crate) fn reading(&mut self, seconds: f64, now: &str) {
        let Some(last) = &self.last else {
            let _ = write!(self.text, "@@ {seconds:.2}\n{now}");
            if !now.ends_with('\n') {
                self.text.push('\n');
            }
            self.last = Some(now.to_owned());
            return;
        };
        if last == now {
            return;
        }
        let _ = writeln!(self.text, "@@ {seconds:.2}");
        let (old, new): (Vec<&str>, Vec<&str>) = (last.lines().collect(), now.lines().collect());
        changes(&old, &new, &mut self.text);
        self.last = Some(now.to_owned());
    }
}

/// Writes removed and added lines, in the order of the text.
fn changes(old: &[&str], new: &[&str], to: &mut String) {
    // Longest common subsequence, from the end: a hundred lines a side, and only when something changed.
    let width = new.len() + 1;
    let mut length = vec![0u16; (old.len() + 1) * width];
    let at = |length: &[u16], i: usize, j: usize| length.get(i * width + j).copied().unwrap_or(0);
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let best = if old.get(i) == new.get(j) {
                at(&length, i + 1, j + 1) + 1
            } else {
                at(&length, i + 1, j).max(at(&length, i, j + 1))
            };
            if let Some(slot) = length.get_mut(i * width + j) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    // Within a run of changes the removed lines come first.
    let (mut removed, mut added) = (String::new(), String::new());
    while i < old.len() || j < new.len() {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                to.push_str(&std::mem::take(&mut removed));
                to.push_str(&std::mem::take(&mut added));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || at(&length, i + 1, j) >= at(&length, i, j + 1) => {
                let _ = writeln!(removed, "-[{}] {}", part(old, i), a.trim());
                i += 1;
            }
            (_, Some(b)) => {
                let _ = writeln!(added, "+[{}] {}", part(new, j), b.trim());
                j += 1;
            }
            _ => break,
        }
    }
    to.push_str(&removed);
    to.push_str(&added);
}

/// The part of the text that a line stands in.
fn part<'a>(lines: &[&'a str], at: usize) -> &'a str {
    lines.iter().take(at + 1).rev().find_map(|l| l.strip_prefix("Slave Interface: ")).unwrap_or("bond")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_written_with_their_part() {
        let text = |ports: u8, state: u8| {
            format!(
                "Mode: x\n\tNumber of ports: {ports}\n\nSlave Interface: a\n    port state: 63\n\nSlave Interface: b\n    port state: {state}\n"
            )
        };
        let mut log = DiffLog::default();
        log.reading(1.0, &text(2, 63));
        log.reading(1.25, &text(2, 63));
        log.reading(1.5, &text(1, 71));
        let expected = format!(
            "@@ 1.00\n{}@@ 1.50\n-[bond] Number of ports: 2\n+[bond] Number of ports: 1\n-[b] port state: 63\n+[b] port state: 71\n",
            text(2, 63)
        );
        assert_eq!(log.text, expected);
    }

    #[test]
    fn a_part_that_goes_away_is_removed_line_by_line() {
        let mut log = DiffLog::default();
        log.reading(1.0, "Slave Interface: a\nx: 1\nSlave Interface: b\nx: 1\n");
        log.reading(2.0, "Slave Interface: b\nx: 1\n");
        assert!(log.text.ends_with("@@ 2.00\n-[a] Slave Interface: a\n-[a] x: 1\n"), "{}", log.text);
    }
}
