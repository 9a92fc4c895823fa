//! `/proc/interrupts` and `/proc/softirqs`: how often each interrupt fired, per CPU.
//!
//! Format: `kernel/irq/proc.c` (`show_interrupts()`), `arch/*/kernel/irq.c` for the rows with letters, `fs/proc/softirqs.c`.
//! One record per row with the sum over the CPUs. The counter's name is the row's label with what stands behind the numbers
//! (`24: IR-PCI-MSI 524288-edge eth0-TxRx-0`); the interface comes from the last word.

use super::prompt::looks_like_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Counter, Counters, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-interrupts";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| cpus(l.trimmed()) > 1 || cpus(l.trimmed()) == 1 && l.indent() > 0)
        || (0..=1).all(|n| lines.get(i + n).is_some_and(|l| irq(l.trimmed())))
}

/// The number of columns of a header line, 0 if it is none.
fn cpus(t: &str) -> usize {
    let is_cpu = |w: &str| {
        w.strip_prefix("CPU").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    if t.split_whitespace().all(is_cpu) { t.split_whitespace().count() } else { 0 }
}

/// A row that can only be of an interrupt controller (the header may have been cut by grep).
fn irq(t: &str) -> bool {
    const CHIPS: &[&str] = &[
        "PCI-MSI",
        "PCI-MSIX",
        "IR-PCI-MSI",
        "IR-PCI-MSIX",
        "IO-APIC",
        "IR-IO-APIC",
        "xen-pirq-msi",
        "GICv3",
        "ITS-MSI",
        "XICS",
        "XIVE-IRQ",
    ];
    row(t).is_some_and(|(label, _, rest)| {
        label.bytes().all(|b| b.is_ascii_digit())
            && rest.split_whitespace().next().is_some_and(|w| {
                CHIPS.iter().any(|c| w == *c || w.strip_prefix(c).is_some_and(|r| r.starts_with(['-', ':'])))
            })
    })
}

/// Label, sum of the counts and what stands behind them.
fn row(t: &str) -> Option<(&str, u64, &str)> {
    let (label, mut rest) = t.split_once(':')?;
    if label.is_empty()
        || label.len() > 16
        || !label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    {
        return None;
    }
    let mut sum: Option<u64> = None;
    loop {
        rest = rest.trim_start();
        let word = rest.split_whitespace().next().unwrap_or("");
        if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        sum = Some(sum.unwrap_or(0).saturating_add(word.parse().ok()?));
        rest = rest.get(word.len()..).unwrap_or("");
    }
    Some((label, sum?, rest))
}

/// The interface in the name of an action: `eth0-TxRx-0`, `i40e-ens1f0-TxRx-3`, `ens3f0`.
fn dev(rest: &str) -> Option<&str> {
    let last = rest.split_whitespace().next_back()?;
    last.split(['-', ',', '@', ':']).find(|w| {
        looks_like_ifname(w) && !w.starts_with("virtio") && !super::kernel_messages::is_nic(w) && !is_other(w)
    })
}

fn is_other(w: &str) -> bool {
    [
        "usb", "nvme", "ahci", "ata", "rtc", "i80", "timer", "mlx", "xhci", "ehci", "uhci", "i91", "megasas",
        "mpt",
    ]
    .iter()
    .any(|p| w.starts_with(p))
        || w.starts_with("acpi")
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if cpus(t) > 0 {
            let mut c = Counters { source: ID, dev: None, entries: Vec::new() };
            let value = cpus(t) as u64;
            c.entries.push(Counter {
                name: "cpus".to_owned(),
                value,
                meaning: Meaning::Other,
                at: line.cite(),
            });
            out.record(line.cite(), None, What::Counters(c));
        } else if let Some((label, value, rest)) = row(t) {
            let name = if rest.is_empty() {
                label.to_owned()
            } else {
                format!("{label}: {}", rest.split_whitespace().collect::<Vec<_>>().join(" "))
            };
            let dev =
                if label.bytes().all(|b| b.is_ascii_digit()) { dev(rest).map(str::to_owned) } else { None };
            let entries = vec![Counter { name, value, meaning: Meaning::Other, at: line.cite() }];
            out.record(line.cite(), None, What::Counters(Counters { source: ID, dev, entries }));
        } else {
            return;
        }
        cursor.next();
        out.typed(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn rows() {
        let text = "           CPU0       CPU1\n  0:         44          0   IO-APIC   2-edge      timer\n 24:     123       7  IR-PCI-MSI 524288-edge      eth0-TxRx-0\n 25:  1 1  IR-PCI-MSIX-0000:02:00.0 1-edge  i40e-ens1f0-TxRx-1\n 26: 5 5 PCI-MSI 1-edge virtio0-input.0\nNMI:          3          4   Non-maskable interrupts\nERR:          0\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (7, 0, 0));
        let got: Vec<_> = p
            .records
            .iter()
            .filter_map(|r| if let What::Counters(c) = &r.what { Some(c) } else { None })
            .map(|c| (c.dev.as_deref(), c.entries[0].value))
            .collect();
        assert_eq!(
            got,
            [
                (None, 2),
                (None, 44),
                (Some("eth0"), 130),
                (Some("ens1f0"), 2),
                (None, 10),
                (None, 7),
                (None, 0)
            ]
        );
    }
}
