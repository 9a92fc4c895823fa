//! Commands that print nothing where there is nothing: an empty rule set and an empty list of filters are evidence of
//! absence, if it is known that the command was run.
//!
//! Known it is from the line that announces the output (a prompt, `==> nft list ruleset <==`), or, where only a time is
//! announced, from the name of the file. A command whose output went through a pipe or into a file says nothing.

use super::{Hints, Out};
use crate::evidence::{Fields, Line, What};

/// The format whose blocks the command would have printed.
pub(super) fn of(hints: &Hints) -> Option<&'static str> {
    let typed = match &hints.command {
        Some(command) => command.clone(),
        None => {
            let name = hints.path.rsplit('/').next().unwrap_or_default();
            let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            name.replace(['-', '_'], " ")
        }
    };
    if typed.contains(['|', '>', '<', ';', '&', '`']) {
        return None;
    }
    let words: Vec<&str> = typed.split_whitespace().collect();
    let after = |program: &str| {
        let at = words.iter().position(|w| w.rsplit('/').next() == Some(program))?;
        words.get(at + 1..)
    };
    let shows = |rest: &[&str], what: &str| {
        let verb = rest.iter().any(|w| matches!(*w, "show" | "list" | "ls" | "lst"));
        // `-s` stands before the object; in a file's name it is a word of its own.
        let object = rest.iter().find(|w| !w.starts_with('-') && w.len() > 1);
        verb && object == Some(&what)
    };
    if let Some(rest) = after("nft") {
        return (rest.contains(&"list") && rest.contains(&"ruleset")).then_some("nft-ruleset");
    }
    let rest = after("tc")?;
    // The name of a file has no room for the verb.
    let named = hints.command.is_none() && rest.contains(&"filter");
    if shows(rest, "filter") || named {
        Some("tc-filter")
    } else if shows(rest, "class") {
        Some("tc-class")
    } else {
        None
    }
}

/// Says that a command was run and printed nothing. `line` announced it.
pub(super) fn record(id: &'static str, line: &Line<'_>, out: &mut Out) {
    out.begin(id);
    let mut fields = Fields::new(id, out.hints.dev.clone());
    fields.push("output", "empty", line.cite());
    out.record(line.cite(), None, What::Fields(fields));
    out.finish();
}

#[cfg(test)]
mod tests {
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text;
    use crate::units::Stamp;

    /// The device and the time of a record.
    type Seen = (Option<String>, Option<Stamp>);

    /// Formats, and the devices and times of what is recorded.
    fn read(path: &str, text: &str) -> (Vec<&'static str>, Vec<Seen>, usize) {
        let p = parse_text(FileId(0), path, text.as_bytes());
        let seen = p.records.iter().map(|r| match &r.what {
            What::Fields(f) => (f.dev.clone(), r.time),
            other => panic!("{other:?}"),
        });
        (p.recognised.clone(), seen.collect(), p.unrecognised.len())
    }

    const T: &str = "@@ 1795313330.000000000\n";

    #[test]
    fn a_divider_with_nothing_behind_it() {
        let time = Some(Stamp::wall(1_795_313_330_000_000_000));
        assert_eq!(
            read("state/nft.txt", &format!("{T}==> nft list ruleset <==\n")),
            (vec!["nft-ruleset"], vec![(None, time)], 0)
        );
        let twice = format!(
            "{T}==> tc -s filter show dev eno1 ingress <==\n{T}==> tc -s filter show dev eno2 egress <==\n\n"
        );
        assert_eq!(
            read("state/filters.txt", &twice),
            (vec!["tc-filter"], vec![(Some("eno1".to_owned()), time), (Some("eno2".to_owned()), time)], 0)
        );
        assert_eq!(
            read("x", "$ sudo nft list ruleset\n$ tc class show dev eno1\n").0,
            ["nft-ruleset", "tc-class"]
        );
    }

    #[test]
    fn a_time_alone_in_a_file_that_names_the_command() {
        assert_eq!(read("snap/host-nft-list-ruleset.txt", T).0, ["nft-ruleset"]);
        let (formats, seen, _) = read("snap/host-tc-s-filter-egress-eno1.txt", T);
        assert_eq!(
            (formats, seen.first().and_then(|s| s.0.clone())),
            (vec!["tc-filter"], Some("eno1".to_owned()))
        );
    }

    #[test]
    fn what_says_nothing_of_absence() {
        for (path, text) in [
            ("a.txt", T.to_owned()),
            ("a.txt", format!("{T}==> ip -s -d link <==\n")),
            ("a.txt", "$ nft list ruleset | grep drop\n".to_owned()),
            ("a.txt", "$ tc filter add dev eno1 ingress matchall action drop\n".to_owned()),
            ("host-nft-list-ruleset.txt", format!("{T}==> ip -s -d link <==\n")),
        ] {
            assert!(read(path, &text).0.is_empty(), "{path}: {text}");
        }
        // What was printed speaks for itself.
        let denied = "$ nft list ruleset\nOperation not permitted (you must be root)\n";
        assert_eq!(read("a.txt", denied), (vec![], vec![], 1));
    }
}
