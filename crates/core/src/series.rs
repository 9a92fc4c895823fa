//! Counters over the snapshots of a case, in the order in which they were taken.

use crate::case::Case;
use crate::evidence::{Citation, Counters, Meaning, What};
use std::collections::BTreeMap;

/// A counter over the snapshots of a case.
#[derive(Debug, Clone)]
pub struct Series {
    /// Name in the source.
    pub name: String,
    /// What it counts.
    pub meaning: Meaning,
    /// Format.
    pub source: &'static str,
    /// Lowest and highest reading with their places. Counters only rise, so the difference is the growth over
    /// the case whatever order the files were given in.
    pub low: (u64, Citation),
    /// See `low`; of equal readings the last.
    pub high: (u64, Citation),
    /// How many readings.
    pub readings: usize,
    /// True if it fell between readings, or if it cannot be told whether it rose or was reset.
    pub reset: bool,
}

impl Series {
    /// Growth between the readings; `None` with a single reading or after a reset.
    #[must_use]
    pub fn growth(&self) -> Option<u64> {
        (self.readings > 1 && !self.reset).then(|| self.high.0 - self.low.0)
    }
}

/// The first folder of a path, if its name does not say that it is one moment of several.
fn origin(path: &str) -> String {
    const MOMENTS: [&str; 16] = [
        "snap", "before", "after", "during", "pre", "post", "start", "end", "first", "second", "run",
        "sample", "round", "sos", "proc", "sys",
    ];
    let Some((top, _)) = path.split_once('/') else { return String::new() };
    let name = top.to_ascii_lowercase();
    let moment = MOMENTS.iter().any(|m| name.contains(m))
        || name.bytes().filter(u8::is_ascii_digit).count() >= 2
        || name.len() <= 2;
    if moment { String::new() } else { name }
}

/// All counters by interface, in a fixed order.
pub(crate) fn of(case: &Case) -> BTreeMap<String, Vec<Series>> {
    // Readings of one source about one device, to be put into the order in which they were taken.
    // Folders that are named like hosts, not like moments, are kept apart: two hosts have a counter of the same name.
    let mut readings: BTreeMap<(String, &'static str, String), Vec<&Counters>> = BTreeMap::new();
    for r in &case.records {
        if let What::Counters(c) = &r.what {
            let origin = origin(case.files.get(r.at.file.0 as usize).map_or("", |f| f.path.as_str()));
            readings.entry((c.dev.clone().unwrap_or_default(), c.source, origin)).or_default().push(c);
        }
    }
    let mut all: BTreeMap<String, BTreeMap<(&'static str, String, String), Series>> = BTreeMap::new();
    for ((dev, source, origin), mut list) in readings {
        // Total traffic only rises: it gives the order, whatever the files are called.
        let traffic = |c: &Counters| -> Option<u64> {
            let of = |m: Meaning| c.entries.iter().filter(|e| e.meaning == m).map(|e| e.value).max();
            match (of(Meaning::RxPackets), of(Meaning::TxPackets)) {
                // Both directions: one of them may stand still.
                (None, None) => of(Meaning::LacpduTx).or_else(|| {
                    Some(of(Meaning::RxBytes)?.saturating_add(of(Meaning::TxBytes).unwrap_or(0)))
                }),
                (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
            }
        };
        let ordered = list.iter().all(|c| traffic(c).is_some());
        if ordered {
            list.sort_by_key(|c| traffic(c));
        }
        // Almost nothing against millions: the driver was loaded anew in between, and it is not known when.
        let (least, most) =
            (list.iter().filter_map(|c| traffic(c)).min(), list.iter().filter_map(|c| traffic(c)).max());
        let reloaded = ordered && most.is_some_and(|m| m > 1_000_000 && least.is_some_and(|l| l < m / 100));
        let of_dev = all.entry(dev).or_default();
        let mut before: Option<u64> = None;
        for c in list {
            // Of two readings with the same traffic nobody knows which is the older one.
            let later = before.replace(traffic(c).unwrap_or(0)).is_none_or(|b| traffic(c) > Some(b));
            for e in &c.entries {
                let s = of_dev.entry((source, origin.clone(), e.name.clone())).or_insert_with(|| Series {
                    name: e.name.clone(),
                    meaning: e.meaning,
                    source,
                    low: (e.value, e.at),
                    high: (e.value, e.at),
                    readings: 0,
                    reset: reloaded,
                });
                s.readings += 1;
                // A counter that falls while traffic rises was reset, or belongs to another host.
                if ordered && later && e.value < s.high.0 {
                    s.reset = true;
                }
                if e.value < s.low.0 {
                    s.low = (e.value, e.at);
                }
                // The later of equal readings: that a counter stood still takes two places to show.
                if e.value >= s.high.0 {
                    s.high = (e.value, e.at);
                }
            }
        }
        // Without an order, thousands against nothing is as likely a reset as a rise.
        if !ordered {
            for s in of_dev
                .values_mut()
                .filter(|s| s.source == source && s.readings > 1 && s.low.0 == 0 && s.high.0 >= 1000)
            {
                s.reset = true;
            }
        }
    }
    all.into_iter().map(|(dev, m)| (dev, m.into_values().collect())).collect()
}
