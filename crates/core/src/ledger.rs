//! What the counters account for: did the frames that the bond sent leave the NIC, is the receive path clean.
//!
//! Clearing the host needs every segment on its side (verdict.md section 1): the tap alone is not enough
//! (erratum E-37). Where an interface is virtual (`veth`), there is no NIC behind the tap and its netdev counters are
//! the last segment.

use crate::case::Case;
use crate::evidence::{Citation, HookPoint, Meaning};
use crate::series::Series;

/// The growth of the first series with this meaning that has two readings, and its places.
#[must_use]
pub fn growth(case: &Case, dev: &str, meaning: Meaning) -> Option<(u64, Vec<Citation>)> {
    case.series(dev, meaning)
        .filter_map(|s| s.growth().map(|g| (g, s)))
        .max_by_key(|(g, _)| *g)
        .map(|(g, s)| (g, vec![s.low.1, s.high.1]))
}

/// The series that grew, of these meanings.
#[must_use]
pub fn grew<'a>(case: &'a Case, dev: &str, meanings: &'a [Meaning]) -> Vec<&'a Series> {
    case.counters
        .get(dev)
        .into_iter()
        .flatten()
        .filter(|s| meanings.contains(&s.meaning) && s.growth().is_some_and(|g| g > 0))
        .collect()
}

/// The readings between which nothing of these meanings grew: both places of each counter. `None` if one grew, or if
/// none was read twice.
#[must_use]
pub fn quiet(case: &Case, dev: &str, meanings: &[Meaning]) -> Option<Vec<Citation>> {
    let mut seen = Vec::new();
    for s in case.counters.get(dev).into_iter().flatten().filter(|s| meanings.contains(&s.meaning)) {
        match s.growth() {
            Some(0) => seen.extend([s.low.1, s.high.1]),
            Some(_) => return None,
            None => {}
        }
    }
    (!seen.is_empty()).then_some(seen)
}

/// True if the interface is known to have no hardware.
#[must_use]
pub fn is_virtual(case: &Case, dev: &str) -> bool {
    case.virtual_devs.contains(dev)
}

/// Citations showing that what the bond tried to send was counted as sent by the last segment on the host, with no
/// drop or error: the host is clear in the direction host to switch.
///
/// Needs the bond's own LACPDU counter and the transmit counter of the device in the same set of snapshots. A real
/// NIC must also show a MAC-level counter (`counter_meaning::is_mac_counter`), because netdev counters move before
/// the frame leaves.
#[must_use]
pub fn transmit_accounted(case: &Case, dev: &str) -> Option<Vec<Citation>> {
    let (attempts, mut cited) = growth(case, dev, Meaning::LacpduTx)?;
    if attempts == 0
        || !grew(
            case,
            dev,
            &[Meaning::TxErrors, Meaning::TxDropped, Meaning::TxCarrier, Meaning::TxTimeout, Meaning::Reset],
        )
        .is_empty()
    {
        return None;
    }
    let driver = case.driver(dev);
    let counted = case
        .counters
        .get(dev)
        .into_iter()
        .flatten()
        .filter(|s| matches!(s.meaning, Meaning::TxPackets | Meaning::TxMulticast))
        .filter(|s| {
            is_virtual(case, dev)
                || crate::parse::counter_meaning::is_mac_counter(driver, &s.name)
                    && s.source.starts_with("ethtool")
        })
        // A real NIC carries other frames too: only a multicast counter that fits the LACPDUs accounts for them, not a
        // total that would hide the loss of a few among millions.
        .find(|s| {
            let fits = |g: u64| {
                g >= attempts
                    && (is_virtual(case, dev)
                        || s.meaning == Meaning::TxMulticast && g <= attempts + attempts / 2 + 20)
            };
            s.growth().is_some_and(fits)
        })?;
    cited.extend([counted.low.1, counted.high.1]);
    cited.extend(quiet(case, dev, &[Meaning::TxErrors, Meaning::TxDropped])?);
    Some(cited)
}

/// What the bond handed to the NIC and what its MAC says that it sent, if the MAC sent too little: LACPDUs tried, multicast
/// frames sent, and the places.
///
/// Drivers without a counter of multicast frames at the MAC say nothing. That the counter counts LACPDUs at all must be
/// shown by `other`, a member with the same driver that lost none: there it accounts for everything that was tried. The
/// readings of both counters must be of the same moments; drivers refresh theirs every second or two.
#[must_use]
pub fn transmit_swallowed(case: &Case, dev: &str, others: &[&str]) -> Option<(u64, u64, Vec<Citation>)> {
    if is_virtual(case, dev)
        || !grew(
            case,
            dev,
            &[Meaning::TxErrors, Meaning::TxDropped, Meaning::TxCarrier, Meaning::TxTimeout, Meaning::Reset],
        )
        .is_empty()
    {
        return None;
    }
    let driver = case.driver(dev);
    let (tried, sent) = sent_by_mac(case, dev, driver)?;
    let (attempts, left) = (tried.growth()?, sent.growth()?);
    if left.saturating_add(6) >= attempts || left.saturating_mul(10) >= attempts.saturating_mul(9) {
        return None;
    }
    let control = others.iter().find_map(|o| {
        let (tried, counted) = sent_by_mac(case, o, driver)?;
        let attempts = tried.growth().filter(|n| *n >= 10)?;
        (case.driver(o) == driver && counted.name == sent.name && counted.growth()? >= attempts)
            .then_some([counted.low.1, counted.high.1])
    })?;
    let mut cited = vec![sent.low.1, sent.high.1, tried.low.1, tried.high.1];
    cited.extend(control);
    Some((attempts, left, cited))
}

/// The bond's count of LACPDUs sent and the MAC's of multicast frames, read at the same moments.
fn sent_by_mac<'a>(case: &'a Case, dev: &str, driver: Option<&str>) -> Option<(&'a Series, &'a Series)> {
    let folder = |at: Citation| case.path(at.file).rsplit_once('/').map_or("", |p| p.0);
    let tried = case.series(dev, Meaning::LacpduTx).next()?;
    let sent = case.series(dev, Meaning::TxMulticast).find(|s| {
        s.source.starts_with("ethtool")
            && s.growth().is_some()
            && crate::parse::counter_meaning::is_mac_counter(driver, &s.name)
            && s.readings == tried.readings
            && folder(s.low.1) == folder(tried.low.1)
            && folder(s.high.1) == folder(tried.high.1)
    })?;
    Some((tried, sent))
}

/// Citations showing that nothing on the host can have eaten incoming frames before the tap: a virtual interface
/// without receive drops, without XDP, with the multicast filter out of the way.
///
/// For real NICs this stays `None`: firmware agents and filters below the tap cannot be excluded from here.
#[must_use]
pub fn receive_clear(case: &Case, dev: &str) -> Option<Vec<Citation>> {
    if !is_virtual(case, dev)
        || case.hooks().any(|(_, h)| h.dev.as_deref() == Some(dev) && h.point == HookPoint::Xdp)
    {
        return None;
    }
    // No program before the tap: it must have been looked at.
    let links = || case.links().filter(|(_, l)| l.name == dev && l.fields.get("mtu").is_some());
    let (bare, _) = links().next()?;
    if links().any(|(_, l)| l.fields.get("xdp").is_some()) {
        return None;
    }
    // Promiscuous mode (a running tcpdump) or the address in the device's list: the filter cannot have eaten them.
    let promiscuous = case
        .links()
        .find(|(_, l)| l.name == dev && l.fields.int("promiscuity").is_some_and(|p| p > 0))
        .map(|(r, _)| r.at);
    let open = promiscuous.or_else(|| slow_protocols_joined(case, dev))?;
    let mut cited = quiet(case, dev, &[Meaning::RxErrors, Meaning::RxMissed, Meaning::RxCrc])?;
    if !grew(case, dev, &[Meaning::RxDropped]).is_empty() {
        return None;
    }
    cited.insert(0, open);
    if bare.at != open {
        cited.insert(1, bare.at);
    }
    Some(cited)
}

/// Where every reading of a member's multicast list has 01:80:c2:00:00:02: the first of them.
#[must_use]
pub fn slow_protocols_joined(case: &Case, dev: &str) -> Option<Citation> {
    let entry = |f: &crate::evidence::Fields| {
        f.entries.iter().find(|e| e.value.contains("01:80:c2:00:00:02")).map(|e| e.at)
    };
    let readings: Vec<Option<Citation>> =
        case.settings("ip-maddr", Some(dev)).map(|(_, f)| entry(f)).collect();
    if readings.iter().any(Option::is_none) {
        return None;
    }
    readings.first().copied().flatten()
}

/// Frames other than LACPDUs reached the host on this member between the snapshots: the link carries data.
#[must_use]
pub fn data_arrives(case: &Case, dev: &str, pdus: u64) -> Option<Vec<Citation>> {
    let (g, cited) = growth(case, dev, Meaning::RxPackets)?;
    (g > pdus.saturating_mul(2).saturating_add(50)).then_some(cited)
}
