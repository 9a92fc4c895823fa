//! No input makes a parser panic, hang or lose a line: the fast part of what `fuzz/` does at length, so that plain
//! `cargo test` guards it. Deterministic: a failure comes back.
#![allow(clippy::disallowed_methods, reason = "a test may read the sources that hold the samples")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod literals;

use bondwitness_core::capture::fold;
use bondwitness_core::diagnose::{Input, diagnose};
use bondwitness_core::evidence::{FileId, Text};
use bondwitness_core::parse::{self, FORMATS, Format};
use bondwitness_core::report::{json_v1, text};
use std::collections::BTreeMap;
use std::path::Path;

/// Marsaglia's xorshift64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    /// Below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The samples of the unit tests: file name of the parser, sample.
fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parse");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        all.extend(literals::samples(&source).into_iter().map(|s| (name.clone(), s)));
    }
    all
}

/// What breaks parsers: numbers at the edge of their type, names where numbers belong, brackets, odd characters.
const PIECES: &[&str] = &[
    "18446744073709551616",
    "-1",
    "4294967296",
    "0",
    "0x",
    "1e999",
    "9223372036854775807.999999999999",
    ":",
    "=",
    "\t",
    " ",
    "\n",
    "\r",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    ",",
    "\u{1b}[31m",
    "\u{1b}]0;x",
    "\u{85}",
    "\u{202e}",
    "\u{feff}",
    "\u{e9}",
    "\u{1f600}",
    "slave",
    "bond0",
    "%",
    "\\",
    "/",
    "--",
    "00:00:00:00:00:00",
    "\0",
];

fn mutate(random: &mut Random, sample: &[u8], other: &[u8]) -> Vec<u8> {
    let mut b = sample.to_vec();
    for _ in 0..=random.below(3) {
        let n = b.len();
        let (from, to) = (random.below(n + 1), random.below(n + 1));
        let (from, to) = (from.min(to), from.max(to));
        match random.below(8) {
            0 => b.truncate(from),
            1 => drop(b.drain(..from)),
            2 => drop(b.drain(from..to.min(from + 12))),
            3 if n > 0 => {
                let at = random.below(n);
                b[at] = random.next() as u8;
            }
            4 => drop(b.splice(from..from, random.pick(PIECES).bytes())),
            5 => drop(b.splice(from..to.min(from + 6), random.pick(PIECES).bytes())),
            6 => {
                // A paste that goes wrong: another block begins in the middle of a line.
                let start = random.below(other.len() + 1);
                let end = (start + 200).min(other.len());
                drop(b.splice(from..from, other[start..end].iter().copied()));
            }
            _ => {
                let twice = b[from..to.min(from + 200)].to_vec();
                drop(b.splice(to..to, twice));
            }
        }
    }
    b
}

fn accounted_for(bytes: &[u8], formats: &[Format]) {
    let text = Text::new(FileId(0), bytes);
    let shown = || String::from_utf8_lossy(bytes);
    for line in &text.lines {
        assert!(!line.text.chars().any(|c| c.is_control() && c != '\t'), "{:?} of {}", line.text, shown());
    }
    let lines = text.lines.iter().filter(|l| !l.is_blank()).count();
    let parsed = parse::parse_text_with(FileId(0), "host/sample.txt", bytes, formats);
    let told = parsed.typed as usize + parsed.not_understood.len() + parsed.unrecognised.len();
    assert_eq!(told, lines, "lines of {:?} as {:?}", shown(), parsed.recognised);
}

#[test]
fn every_format_has_a_sample() {
    let mut seen: BTreeMap<&str, usize> = FORMATS.iter().map(|f| (f.id, 0)).collect();
    for (_, sample) in samples() {
        for id in parse::parse_text(FileId(0), "x", sample.as_bytes()).recognised {
            *seen.entry(id).or_default() += 1;
        }
    }
    let without: Vec<_> = seen.iter().filter(|(_, n)| **n == 0).collect();
    assert!(without.is_empty(), "no unit test has a sample of {without:?}");
}

#[test]
fn no_line_of_a_mutated_sample_is_lost() {
    let samples = samples();
    let mut random = Random(0x0b0d_0001);
    for (i, (_, sample)) in samples.iter().enumerate() {
        accounted_for(sample.as_bytes(), FORMATS);
        // The formats that know the sample also get it alone, where no other anchor cuts the block.
        let known = parse::parse_text(FileId(0), "x", sample.as_bytes()).recognised;
        for _ in 0..60 {
            let other = &samples[(i + random.below(samples.len())) % samples.len()].1;
            let bytes = mutate(&mut random, sample.as_bytes(), other.as_bytes());
            accounted_for(&bytes, FORMATS);
            for at in 0..FORMATS.len() {
                if known.contains(&FORMATS[at].id) {
                    accounted_for(&bytes, &FORMATS[at..=at]);
                }
            }
        }
    }
}

#[test]
fn reports_of_mutated_samples_stay_readable() {
    let samples = samples();
    let mut random = Random(0x0b0d_0002);
    for _ in 0..2000 {
        let files: Vec<(String, Vec<u8>)> = (0..=random.below(4))
            .map(|_| {
                let (name, sample) = random.pick(&samples);
                let other = random.pick(&samples).1.as_bytes();
                (format!("host\u{1b}/{name}"), mutate(&mut random, sample.as_bytes(), other))
            })
            .collect();
        let inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        let report = diagnose(&inputs);
        let out = text::report(&report, text::Options { color: false, width: 80, verbose: true });
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{out:?}");
        assert!(json_v1::report(&report, "0").is_object());
    }
}

/// A capture of two speakers, one of them with a PDU that says something new.
fn capture(head: &[u8], link: &[u8]) -> Vec<u8> {
    let mut b = head.to_vec();
    for i in 0..6u8 {
        let mut pdu = lacp::Lacpdu::new(lacp::PortInfo::default(), lacp::PortInfo::default());
        pdu.actor.key = u16::from(i / 4);
        let frame = [link, &pdu.encode()].concat();
        for word in [1_700_000_000 + u32::from(i) * 30, 0, frame.len() as u32, frame.len() as u32] {
            b.extend(word.to_le_bytes());
        }
        b.extend(frame);
    }
    b
}

#[test]
fn mutated_captures_are_survived() {
    let head = |link: u32| -> Vec<u8> {
        [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x40000, link].iter().flat_map(|w: &u32| w.to_le_bytes()).collect()
    };
    let ng = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 1, 0, 20, 3, 16, 0, 16];
    let captures = [
        capture(&head(1), &[1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0x11, 1, 0x88, 0x09]),
        capture(&head(113), &[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0x11, 1, 0, 0, 0x88, 0x09]),
        capture(&head(276), &[0x88, 0x09, 0, 0, 0, 0, 0, 13, 0, 1, 2, 6, 2, 0, 0, 0, 0x22, 1, 0, 0]),
        ng.iter().flat_map(|w| w.to_le_bytes()).collect(),
    ];
    for c in &captures[..3] {
        let folded = fold::fold(c);
        assert_eq!((folded.lacpdus, folded.speakers.len()), (6, 1));
        assert_eq!(folded.speakers[0].changes.len(), 2);
    }
    let mut random = Random(0x0b0d_0003);
    for _ in 0..20_000 {
        let sample = random.pick(&captures);
        let bytes = mutate(&mut random, sample, &captures[0]);
        let folded = fold::fold(&bytes);
        let sum: u64 = folded.speakers.iter().map(|s| s.pdus + s.repeats).sum();
        assert_eq!(sum, folded.lacpdus);
    }
}
