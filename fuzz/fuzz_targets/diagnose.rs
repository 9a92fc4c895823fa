//! The whole road from files to reports. The input is cut into files at lines of three `=`; the first line of each
//! is its path.
#![no_main]

use bondwitness_core::diagnose::{Input, diagnose};
use bondwitness_core::report::{json_v1, text};

const CUT: &[u8] = b"\n===\n";

fn files(mut rest: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    while !rest.is_empty() && files.len() < 8 {
        let end = rest.windows(CUT.len()).position(|w| w == CUT);
        let file = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[], |e| &rest[e + CUT.len()..]);
        let name = file.iter().position(|b| *b == b'\n').unwrap_or(0);
        let path = String::from_utf8_lossy(&file[..name]).into_owned();
        files.push((path, file.get(name + 1..).unwrap_or_default()));
    }
    files
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = files(bytes);
    let render = |reverse: bool| {
        let mut inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        if reverse {
            inputs.reverse();
        }
        let report = diagnose(&inputs);
        let _ = report.exit_code();
        let mut out = String::new();
        for (width, verbose) in [(80, false), (40, true)] {
            out += &text::report(&report, text::Options { color: false, width, verbose });
        }
        let _ = text::report(&report, text::Options { color: true, width: 80, verbose: true });
        let json = json_v1::report(&report, "0").to_string();
        (out, json)
    };
    let (text, json) = render(false);
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n') {
        panic!("the report passes on the control character {c:?}");
    }
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok_and(|v| v.is_object()));
    // Files with one path have an order only by their content, which is what decides.
    assert_eq!(render(true), (text, json), "the order of the files matters");
});
