//! What the program left of an incident that it collected and judged itself: its bundle, held against what it promises.
//!
//! The bundle must hold (the functions of `bondwitness verify`), its verdict must come out of it again byte for byte, and
//! once more from the same members in another order, in another archive, under another name.

use anyhow::{Context, Result};
use bondwitness_core::bundle::check::{self, Check, Entry, Found, Rederived};
use bondwitness_core::bundle::{self, v1};
use bondwitness_core::diagnose::{self, Input, Report};
use bondwitness_host::load::{self, Limits, Raw};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// The bundle in the folder of an incident.
pub(super) const BUNDLE: &str = "bundle.tar.zst";
/// What the program printed in the guest, and how it ended.
const SAID: &str = "diagnose.json";
const CODE: &str = "diagnose.code";
/// The same members, packed again by somebody else.
const AGAIN: &str = "packed-again.tar";

/// A bundle that was looked at.
pub(super) struct Looked {
    /// The verdict on it, by the rules of today.
    pub(super) report: Report,
    /// How many files of evidence it has.
    pub(super) files: usize,
    /// What it does not keep of its promises.
    pub(super) complaints: Vec<String>,
}

/// Looks at the bundle in `folder`; `with_verdict`: the program gave its verdict in the guest.
pub(super) fn look(folder: &Path, with_verdict: bool) -> Result<Looked> {
    let path = folder.join(BUNDLE);
    let raw = load::bundle(&path, &Limits::default())?;
    let check = checked(&raw);
    let mut complaints = faults(&check, with_verdict);
    let (report, files) = diagnosed(&path)?;
    let again = folder.join(AGAIN);
    pack_again(&raw, &again)?;
    let (other, _) = diagnosed(&again)?;
    fs::remove_file(&again).context("cannot remove the bundle that was packed again")?;
    let json = bundle::verdict_json(&report, env!("CARGO_PKG_VERSION"));
    if json != bundle::verdict_json(&other, env!("CARGO_PKG_VERSION"))
        || bundle::verdict_txt(&report) != bundle::verdict_txt(&other)
    {
        complaints.push("the same members packed in another order give another verdict".to_owned());
    }
    if check.verdict == Rederived::Same {
        // By the rules of today, so what the program printed in the guest must come out again as well.
        let stored = raw.files.iter().find(|f| f.path.ends_with(&format!("/{}", v1::VERDICT_JSON)));
        if stored.is_none_or(|f| *f.bytes != *json) {
            complaints.push("`diagnose --from` gives another verdict than the one in the bundle".to_owned());
        }
        let said = fs::read(folder.join(SAID)).context("cannot read what the program printed")?;
        if said != json {
            complaints.push("what was printed in the guest is not what the bundle gives".to_owned());
        }
        let code = fs::read_to_string(folder.join(CODE)).context("cannot read how the program ended")?;
        if code.trim() != report.exit_code().to_string() {
            complaints.push(format!(
                "the program ended with {:?} where the bundle gives {}",
                code.trim(),
                report.exit_code()
            ));
        }
    }
    Ok(Looked { report, files, complaints })
}

/// As `bondwitness verify` checks it.
fn checked(raw: &Raw) -> Check {
    let problems: Vec<Option<String>> =
        raw.files.iter().map(|f| f.problem.as_ref().map(ToString::to_string)).collect();
    let entries: Vec<Entry<'_>> = raw
        .files
        .iter()
        .zip(&problems)
        .map(|(f, problem)| Entry { path: &f.path, bytes: &f.bytes, problem: problem.as_deref() })
        .collect();
    let refused: Vec<(String, String)> =
        raw.refused.iter().map(|s| (s.path.clone(), s.why.clone())).collect();
    check::check(&Found { entries: &entries, refused: &refused, seal: raw.seal }, None)
}

/// What a check found, in words; empty if the bundle holds, with a verdict where there must be one. One by other rules is no
/// fault.
fn faults(check: &Check, with_verdict: bool) -> Vec<String> {
    let mut faults: Vec<String> =
        check.faults.iter().map(|f| format!("{}: {}: {}", f.kind, f.path, f.detail)).collect();
    match &check.verdict {
        Rederived::Same | Rederived::OtherRuleset { .. } => {}
        Rederived::NotStored if !with_verdict => {}
        Rederived::NotStored => faults.push("no verdict is stored".to_owned()),
        Rederived::NotTried => faults.push("the verdict was not made anew".to_owned()),
        Rederived::Differs { stored, now, file } => {
            faults.push(format!("{file} is not what this evidence gives: stored {stored}; now {now}"));
        }
    }
    if faults.is_empty() && !check.holds() {
        faults.push(format!("the bundle does not hold: {}", check.level()));
    }
    faults
}

/// `bondwitness diagnose --from PATH`.
fn diagnosed(path: &Path) -> Result<(Report, usize)> {
    let loaded = load::load(&[path.to_owned()], &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .map(|i| Input {
            path: &i.path,
            bytes: &i.bytes,
            sha256: Some(diagnose::sha256_hex(&i.bytes)),
            problem: i.problem.as_ref().map(ToString::to_string),
        })
        .collect();
    let mut report = diagnose::diagnose(&inputs);
    report.needs.sort();
    Ok((report, inputs.len()))
}

/// Packs the members the other way round, into a folder of another name, not compressed.
fn pack_again(raw: &Raw, to: &Path) -> Result<()> {
    let file = fs::File::create(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut tar = tar::Builder::new(std::io::BufWriter::new(file));
    let root = raw.files.iter().find_map(|f| f.path.strip_suffix(v1::FILE)).context("no manifest")?;
    for member in raw.files.iter().rev() {
        let name = format!("somewhere-else/{}", member.path.strip_prefix(root).unwrap_or(&member.path));
        let mut header = tar::Header::new_ustar();
        header.set_size(member.bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, &name, &*member.bytes)
            .with_context(|| format!("cannot pack {} again", member.path))?;
    }
    let mut file = tar.into_inner().context("cannot pack again")?;
    file.flush().context("cannot pack again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bondwitness_core::bundle::Meta;
    use std::collections::BTreeMap;

    const STATE: &[u8] = b"@@ 1795469032.000000000\n==> /proc/net/bonding/bond0 <==\n\
        Ethernet Channel Bonding Driver: v6.12\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\n\
        MII Status: up\nMII Polling Interval (ms): 100\n\nSlave Interface: eno1\nMII Status: up\n";

    /// A bundle as the guest leaves it.
    fn left(folder: &Path) {
        let mut files = BTreeMap::from([("state/proc-bonding.txt".to_owned(), STATE.to_vec())]);
        let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]);
        let json = bundle::verdict_json(&report, env!("CARGO_PKG_VERSION"));
        fs::write(folder.join(SAID), &json).unwrap();
        fs::write(folder.join(CODE), format!("{}\n", report.exit_code())).unwrap();
        files.insert(v1::VERDICT_JSON.to_owned(), json);
        files.insert(v1::VERDICT_TXT.to_owned(), bundle::verdict_txt(&report));
        let version = env!("CARGO_PKG_VERSION");
        let meta = Meta { version, hostname: "h", created_ns: 1_795_469_032_000_000_000, ..Meta::default() };
        fs::write(folder.join(BUNDLE), bundle::pack(&files, &meta).unwrap().bytes).unwrap();
    }

    #[test]
    fn a_bundle_that_keeps_its_promises_has_no_complaint() {
        let folder = tempfile::tempdir().unwrap();
        left(folder.path());
        let looked = look(folder.path(), true).unwrap();
        assert_eq!(looked.complaints, Vec::<String>::new());
        assert_eq!(looked.files, 1);
        assert!(!folder.path().join(AGAIN).exists());
    }

    #[test]
    fn a_verdict_that_should_be_there_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("state/proc-bonding.txt".to_owned(), STATE.to_vec())]);
        fs::write(folder.path().join(BUNDLE), bundle::pack(&files, &Meta::default()).unwrap().bytes).unwrap();
        assert_eq!(look(folder.path(), false).unwrap().complaints, Vec::<String>::new());
        assert_eq!(look(folder.path(), true).unwrap().complaints, ["no verdict is stored"]);
    }

    #[test]
    fn what_was_printed_or_told_otherwise_is_complained_of() {
        let folder = tempfile::tempdir().unwrap();
        left(folder.path());
        fs::write(folder.path().join(SAID), b"{}\n").unwrap();
        fs::write(folder.path().join(CODE), b"15\n").unwrap();
        let complaints = look(folder.path(), true).unwrap().complaints;
        assert_eq!(complaints.len(), 2, "{complaints:?}");
    }

    #[test]
    fn a_bundle_that_was_changed_is_complained_of() {
        let folder = tempfile::tempdir().unwrap();
        left(folder.path());
        let path = folder.path().join(BUNDLE);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let looked = look(folder.path(), true);
        assert!(looked.is_err() || looked.is_ok_and(|l| !l.complaints.is_empty()));
    }
}
