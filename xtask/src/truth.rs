//! The truth about the kernel recordings: `xtask/recordings.toml`, in the words of the contract.

use crate::accuracy::score::{Decidable, Truth};
use anyhow::{Context, Result, bail};
use bondwitness_core::domain::{FaultDomain as D, Side, Way};
use toml::{Table, Value};

/// A recording with its truth.
pub(crate) struct Recording {
    /// `<kernel>/<folder>` below `kernel-recordings`.
    pub(crate) path: String,
    /// What was done to it.
    pub(crate) what: String,
    /// The truth.
    pub(crate) truth: Truth,
}

/// A fault domain of the contract.
pub(crate) fn domain(word: &str) -> Result<D> {
    D::ALL.into_iter().find(|d| d.name() == word).with_context(|| format!("unknown fault domain {word:?}"))
}

/// A side of the contract.
pub(crate) fn side(word: &str) -> Result<Side> {
    [Side::Host, Side::Switch, Side::Link, Side::Both, Side::None, Side::Unknown]
        .into_iter()
        .find(|s| s.name() == word)
        .with_context(|| format!("unknown side {word:?}"))
}

/// Every recording, in the order of their paths.
pub(crate) fn recordings() -> Result<Vec<Recording>> {
    let file: Table =
        include_str!("../recordings.toml").parse().context("cannot read xtask/recordings.toml")?;
    let list = file.get("recording").and_then(Value::as_array).context("no [[recording]]")?;
    list.iter()
        .map(|entry| {
            let entry = entry.as_table().context("a recording is no table")?;
            let path = word(entry, "path")?;
            read(entry).with_context(|| format!("xtask/recordings.toml: {path}"))
        })
        .collect()
}

fn word(entry: &Table, key: &str) -> Result<String> {
    entry.get(key).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no `{key}`"))
}

fn words(entry: &Table, key: &str) -> Vec<String> {
    let list = entry.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn read(entry: &Table) -> Result<Recording> {
    const KEYS: [&str; 8] =
        ["path", "what", "fault-domain", "side", "members", "direction", "decidable", "also"];
    if let Some(unknown) = entry.keys().find(|k| !KEYS.contains(&k.as_str())) {
        bail!("unknown key {unknown:?}");
    }
    let decidable = match word(entry, "decidable")?.as_str() {
        "side" => Decidable::Side,
        "exoneration" => Decidable::Exoneration,
        "nothing" => Decidable::Nothing,
        other => bail!("unknown `decidable` {other:?}"),
    };
    let way = match entry.get("direction").and_then(Value::as_str) {
        None => None,
        Some("host-to-switch") => Some(Way::HostToSwitch),
        Some("switch-to-host") => Some(Way::SwitchToHost),
        Some("both") => Some(Way::Both),
        Some(other) => bail!("unknown direction {other:?}"),
    };
    Ok(Recording {
        path: word(entry, "path")?,
        what: word(entry, "what")?,
        truth: Truth {
            also: words(entry, "also").iter().map(|d| domain(d)).collect::<Result<_>>()?,
            members: words(entry, "members"),
            way,
            ..Truth::of(domain(&word(entry, "fault-domain")?)?, side(&word(entry, "side")?)?, decidable)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_on_disk_has_a_truth() {
        let root = crate::generated::repository().join("../shared/kernel-recordings");
        let found = crate::accuracy::recordings::recordings(&root).unwrap();
        if found.is_empty() {
            eprintln!("skipped: no kernel recordings at ../shared/kernel-recordings");
            return;
        }
        let known = recordings().unwrap();
        let table: Vec<&str> = known.iter().map(|r| r.path.as_str()).collect();
        assert_eq!(found, table);
    }

    #[test]
    fn labels_agree_with_themselves() {
        let known = recordings().unwrap();
        assert_eq!(known.len(), 18);
        assert!(known.is_sorted_by(|a, b| a.path < b.path));
        for r in known {
            assert_eq!(r.truth.side, r.truth.domain.side(), "{}", r.path);
            // A direction without a member would be a claim that cannot be checked.
            assert!(r.truth.way.is_none() || !r.truth.members.is_empty(), "{}", r.path);
        }
    }

    #[test]
    fn a_wrong_word_is_refused() {
        let good =
            "path = \"a\"\nwhat = \"b\"\nfault-domain = \"mlag\"\nside = \"switch\"\ndecidable = \"side\"\n";
        let parse = |text: &str| read(&text.parse().unwrap());
        assert!(parse(good).is_ok());
        for (from, to) in
            [("mlag", "gremlins"), ("switch", "swich"), ("\"side\"\n", "\"perhaps\"\n"), ("what", "wat")]
        {
            assert!(parse(&good.replace(from, to)).is_err(), "{from} -> {to}");
        }
    }
}
