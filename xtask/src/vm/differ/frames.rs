//! LACPDUs as we saved them and as `tcpdump` heard them on the same member in the same direction: the same frames at the same
//! time with the same octets.

use anyhow::{Context, Result};
use bondwitness_core::capture::{self, reader};
use bondwitness_core::evidence::Direction;
use bondwitness_host::load::{self, Limits};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How the comparison came out.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Frames that both have.
    pub(super) equal: usize,
    /// Members on which there was any.
    pub(super) members: usize,
    /// What differs.
    pub(super) complaints: Vec<String>,
}

/// Time in nanoseconds, source address, and what stands behind the EtherType.
type Heard = (i64, u64, Vec<u8>);

/// Compares the captures in `folder`, one for each member and direction, with those of the bundle.
pub(super) fn compare(folder: &Path, bundle: &Path) -> Result<Frames> {
    let loaded = load::load(&[bundle.to_owned()], &Limits::default())
        .with_context(|| format!("cannot load {}", bundle.display()))?;
    let mut ours: BTreeMap<(String, String), Vec<Heard>> = BTreeMap::new();
    for input in &loaded.inputs {
        let bytes: &[u8] = &input.bytes;
        if capture::format_id(bytes).is_none() {
            continue;
        }
        let mut heard = Vec::new();
        let totals = reader::read(bytes, &mut |f| {
            let way = match f.direction {
                Some(Direction::In) => "in",
                Some(Direction::Out) => "out",
                None => "unknown",
            };
            heard.push((f.iface, way, (f.ns, f.source, f.payload.to_vec())));
        });
        for (iface, way, frame) in heard {
            let name = totals.interfaces.iter().find(|i| i.id == iface).and_then(|i| i.name.clone());
            ours.entry((name.unwrap_or_default(), way.to_owned())).or_default().push(frame);
        }
    }
    let mut out = Frames::default();
    let mut members = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some((member, way)) = stem.rsplit_once('.') else { continue };
        let theirs = pcap(&fs::read(&path)?).with_context(|| format!("cannot read {}", path.display()))?;
        let key = (member.to_owned(), way.to_owned());
        seen.insert(key.clone());
        let mine = ours.get(&key).map_or(&[][..], Vec::as_slice);
        // We listen for a shorter time: what lies between our first and last frame must be all there.
        let (Some(first), Some(last)) = (mine.first().map(|f| f.0), mine.last().map(|f| f.0)) else {
            if theirs.len() > 1 {
                out.complaints.push(format!("{member} {way}: {} frames, we have none", theirs.len()));
            }
            continue;
        };
        let within: Vec<&Heard> = theirs.iter().filter(|f| (first..=last).contains(&f.0)).collect();
        let outside = theirs.len() - within.len();
        if within.len() != mine.len() || within.iter().zip(mine).any(|(a, b)| **a != *b) {
            out.complaints.push(format!(
                "{member} {way}: {} frames between our first and last, we have {}, or their octets differ",
                within.len(),
                mine.len()
            ));
        } else if outside > 3 {
            out.complaints
                .push(format!("{member} {way}: {outside} frames before our first or after our last"));
        } else {
            out.equal += mine.len();
            members.insert(member.to_owned());
        }
    }
    let unheard = ours.iter().filter(|(k, f)| !seen.contains(*k) && !f.is_empty());
    out.complaints
        .extend(unheard.map(|((m, way), f)| format!("{m} {way}: {} frames that nobody heard", f.len())));
    out.members = members.len();
    Ok(out)
}

/// The frames of a capture in the classic form with nanoseconds, as this machine's byte order has it. Read here and not by the
/// product: this is the other side.
fn pcap(bytes: &[u8]) -> Result<Vec<Heard>> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
    };
    anyhow::ensure!(word(0) == Some(0xa1b2_3c4d), "not a capture with nanoseconds");
    let mut out = Vec::new();
    let mut at = 24;
    while let (Some(s), Some(ns), Some(len)) = (word(at), word(at + 4), word(at + 8)) {
        let begin = at + 16;
        let frame = bytes.get(begin..begin + len as usize).context("the capture ends inside of a frame")?;
        let mut source = [0; 8];
        source[2..].copy_from_slice(frame.get(6..12).context("a frame without addresses")?);
        let payload = frame.get(14..).unwrap_or_default().to_vec();
        out.push((i64::from(s) * 1_000_000_000 + i64::from(ns), u64::from_be_bytes(source), payload));
        at = begin + len as usize;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_read_frame_by_frame() {
        let mut bytes = vec![0x4d, 0x3c, 0xb2, 0xa1];
        bytes.resize(24, 0);
        for n in [1u32, 2, 16, 16] {
            bytes.extend(n.to_le_bytes());
        }
        bytes.extend([1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x88, 0x09, 1, 1]);
        assert_eq!(pcap(&bytes).unwrap(), [(1_000_000_002, 0x0200_0000_0009, vec![1, 1])]);
        bytes.pop();
        assert!(pcap(&bytes).is_err() && pcap(b"").is_err());
    }
}
