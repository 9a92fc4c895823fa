//! `cargo xtask accuracy [--check] [--seeds N] [--root DIR]`: how often the verdict is right, measured and written to
//! `docs/accuracy.md`.
//!
//! Sets that are never mixed: simulated incidents (the lab, virtual time), recordings of real kernels with injected
//! faults (the truth is in [`crate::truth`]), and real cases from public reports (the label is in the corpus, which is
//! not part of this repository). `DIR` is the folder that holds `kernel-recordings` and `corpus`; where one of them is
//! absent, its committed figures stay and the program says so. With `--check` nothing is written, the simulated set is
//! a small one of seeds of its own, and a broken floor is an error.

use crate::generated::{self, Generated};
use anyhow::{Context, Result, bail};
use score::{Figures, rows};
use std::fmt::Write as _;
use std::path::PathBuf;

mod cases;
pub(crate) mod recordings;
pub(crate) mod score;
pub(crate) mod simulated;

const PAGE: &str = "docs/accuracy.md";

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut check = false;
    let mut seeds = simulated::SEEDS;
    let mut root = generated::repository().join("../shared");
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--seeds" => {
                seeds = args.next().and_then(|n| n.parse().ok()).context("--seeds needs a number")?
            }
            "--root" => root = PathBuf::from(args.next().context("--root needs a folder")?),
            other => bail!("unknown argument {other:?}; usage: accuracy [--check] [--seeds N] [--root DIR]"),
        }
    }
    let mut out = Generated::new(generated::repository(), check);
    let committed = out.committed(PAGE).unwrap_or_default();
    let mut page = format!("{}{INTRO}", generated::banner("accuracy"));
    let mut broken = Vec::new();
    let simulated = simulated::measure(check, seeds)?;
    broken.extend(simulated.broken);
    let _ = write!(page, "\n## Simulated incidents\n\n{}\n", simulated::ABOUT);
    let text = match simulated.text {
        Some(text) => text,
        // The small set of a check is no set to publish.
        None => {
            generated::kept(&committed, simulated::NAME).unwrap_or_else(|| "Not measured yet.".to_owned())
        }
    };
    page.push_str(&generated::section(simulated::NAME, &text));
    page.push_str(&kernels(generated::kept(&committed, KERNELS).as_deref()));
    for set in [recordings::measure(&root)?, cases::measure(&root)?] {
        let _ = write!(page, "\n## {}\n\n{}\n", set.title, set.about);
        if set.rows.is_empty() {
            println!("{}: skipped, {} is absent here; the committed figures stay", set.name, set.from);
            let kept =
                generated::kept(&committed, set.name).unwrap_or_else(|| "Not measured yet.".to_owned());
            page.push_str(&generated::section(set.name, &kept));
            continue;
        }
        let figures = Figures::of(&set.rows);
        broken.extend(figures.broken_floors().into_iter().map(|b| format!("{}: {b}", set.name)));
        let text = format!("{}\n{}", figures.table(set.injected), rows(&set));
        page.push_str(&generated::section(set.name, &text));
    }
    out.file(PAGE, &page)?;
    for b in &broken {
        println!("floor broken: {b}");
    }
    out.finish("accuracy")?;
    if check && !broken.is_empty() {
        bail!("{} floors are broken", broken.len());
    }
    Ok(())
}

/// Name of the set that `cargo xtask vm` measures.
const KERNELS: &str = "kernels";

/// The section of that set. Its evidence is not part of the repository, so this page only keeps what was measured.
fn kernels(text: Option<&str>) -> String {
    let text = generated::section(KERNELS, text.unwrap_or("Not measured yet."));
    format!("\n{KERNELS_TITLE}\n\n{KERNELS_ABOUT}\n{text}")
}

/// Puts what `cargo xtask vm --judge --publish` measured into the page.
pub(crate) fn publish_kernels(text: &str) -> Result<()> {
    let mut out = Generated::new(generated::repository(), false);
    let page = out.committed(PAGE).with_context(|| format!("{PAGE} is missing"))?;
    let section = kernels(Some(text));
    let old = kernels(generated::kept(&page, KERNELS).as_deref());
    let new = if page.contains(&old) {
        page.replace(&old, &section)
    } else {
        // The first time: behind the simulated set.
        let end = format!("<!-- end: {} -->\n", simulated::NAME);
        let (before, after) =
            page.split_once(&end).with_context(|| format!("{PAGE} has no simulated set"))?;
        format!("{before}{end}{section}{after}")
    };
    out.file(PAGE, &new)?;
    out.finish("vm")
}

const KERNELS_TITLE: &str = "## Real kernels, the lab's incidents";
const KERNELS_ABOUT: &str = "\
The scenarios of the lab as far as a kernel can run them, and some that only try the guest (`crates/guest/scenarios`): Debian\n\
kernels 6.12 and 6.1 under QEMU, both ends in namespaces of one guest, the far end a second Linux bond or our own speaker.\n\
On the host `bondwitness diagnose` (in the first seed; `collect` in the others) itself looks while the fault happens, from before it until after\n\
it; the judge here reads the bundle that came out of the guest and nothing else, least of all the far end. Each bundle is checked\n\
as `verify` does, judged again, and judged once more with its members packed in another order: one octet of difference fails the\n\
run. Truth and what can be decided are declared in the scenario, where something else can be decided from a whole collection under\n\
`[truth.collected]`. A virtual cable has no MAC, ring, transceiver or speed, so faults of those are in the simulated set only\n\
([ADR 0006](adr/0006-a-guest-that-runs-the-lab.md), [ADR 0010](adr/0010-the-kernel-set-is-collected-by-the-program.md)).\n";

const INTRO: &str = "\
# How often the verdict is right

Every figure on this page is measured by running the engine on evidence whose truth is known. The sets are never mixed,
and no row is left out. Neither set is large enough for a rate: read the rows. The verdict of a row is the case verdict
(the subject that is worst off); the verdicts of episodes and of other subjects are counted as parts.

| word | meaning |
|---|---|
| decided | the verdict names a side: host, switch, link or both |
| wrong accusation | a decided side that is not guilty of anything in this evidence |
| wrong exoneration | a guilty side listed under `exonerated` |
| healthy called faulty | a side was named although nothing was wrong |
| fault called healthy | `healthy` or `not-lacp` although there was a fault |
| over-claimed | a side (or `healthy`, `not-lacp`) where the truth says that the evidence cannot decide, or nobody knows the truth; an innocent party that is accused counts as wrong instead |
| abstained | `inconclusive` where something could have been decided |
| files | how many files the engine was given; with 0 it can only abstain |
| ok | the right side, the right exoneration, or `inconclusive` where nothing can be decided; `ok, other domain` has the right side and another domain |

Floors that `--check` holds: no wrong accusation, no wrong exoneration, in either set.
";
