//! Bundles: the same verdict from the files, the archive and the folder; what was changed is found and named; what any
//! bundle may hold is bounded.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and read files"
)]

use bondwitness_core::bundle::check::{self, Check, Entry, Found, Rederived, Signature};
use bondwitness_core::bundle::compress::{self, Seal};
use bondwitness_core::bundle::sign::{Key, PublicKey, Signer};
use bondwitness_core::bundle::v1::Manifest;
use bondwitness_core::bundle::{self, Meta, Packed};
use bondwitness_core::capture::is_capture;
use bondwitness_core::collection::v1::Collection;
use bondwitness_core::collection::{Form, Reading, Spool, Window, v1};
use bondwitness_host::load::{self, Limits};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

type Files = BTreeMap<String, Vec<u8>>;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const AT: i64 = 1_795_469_032_000_000_000;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bondwitness"))
        .args(args)
        .env_remove("NO_COLOR")
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn have(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok() || Command::new(tool).arg("-?").output().is_ok()
}

/// The evidence of a simulated incident as a collection would have it.
fn evidence(scenario: &str) -> Files {
    let scenario = bondwitness_lab::catalog::find(scenario).unwrap().expect("the scenario exists");
    let simulated = bondwitness_lab::run(&scenario.draw(1).unwrap()).files;
    let hostname = bundle::judge(simulated.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]).case.host.0;
    let mut spool = Spool::new("bondwitness test", "Linux");
    spool.take(&Reading {
        file: "host/uptime.txt".into(),
        source: "/proc/uptime".into(),
        window: Window { begin_ns: 1, end_ns: 2, real_ns: AT },
        form: Form::Failed {
            collector: "module-eeprom".into(),
            why: v1::Cause::NoPrivilege,
            detail: "operation not permitted".into(),
        },
    });
    let mut files = spool.files(&Collection {
        host: v1::Host {
            hostname: hostname.unwrap_or_else(|| "db01".into()),
            boot_id: "5e2ef5a1-6d2f-4c39-93f5-d4a7a2b1c0de".into(),
            ..v1::Host::default()
        },
        ..Collection::default()
    });
    // The lab's paths are those of a folder that somebody made; all are plain.
    files.extend(simulated);
    files
}

fn small() -> Files {
    let mut files = Files::new();
    files.insert("log/a.txt".into(), b"one\ntwo\n".to_vec());
    files.insert("state/b.txt".into(), (0..200_u32).flat_map(|i| (i * i).to_string().into_bytes()).collect());
    files.extend(Spool::new("t", "Linux").files(&Collection::default()));
    files
}

fn judged(mut files: Files) -> Files {
    let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]);
    files.insert(bundle::v1::VERDICT_JSON.into(), bundle::verdict_json(&report, VERSION));
    files.insert(bundle::v1::VERDICT_TXT.into(), bundle::verdict_txt(&report));
    files
}

fn pack(files: &Files, key: Option<&Key>) -> Packed {
    let key = key.map(|k| k as &dyn Signer);
    let meta = Meta { version: VERSION, created_ns: AT, hostname: "db01", key, ..Meta::default() };
    bundle::pack(files, &meta).expect("it packs")
}

fn checked(path: &Path, key: Option<&PublicKey>) -> Check {
    let raw = load::bundle(path, &Limits::default()).expect("it loads");
    let problems: Vec<Option<String>> =
        raw.files.iter().map(|f| f.problem.as_ref().map(ToString::to_string)).collect();
    let entries: Vec<Entry<'_>> = raw
        .files
        .iter()
        .zip(&problems)
        .map(|(f, p)| Entry { path: &f.path, bytes: &f.bytes, problem: p.as_deref() })
        .collect();
    let refused: Vec<(String, String)> = raw.refused.into_iter().map(|s| (s.path, s.why)).collect();
    check::check(&Found { entries: &entries, refused: &refused, seal: raw.seal }, key)
}

/// A check of files in memory, as a folder that a bundle was unpacked into.
fn in_memory(files: &[(String, Vec<u8>)]) -> Check {
    let entries: Vec<Entry<'_>> =
        files.iter().map(|(path, bytes)| Entry { path, bytes, problem: None }).collect();
    check::check(&Found { entries: &entries, refused: &[], seal: Seal::None }, None)
}

/// The files of a bundle with its manifest and signature, as they lie in its folder.
fn unpacked(files: &Files, key: Option<&Key>) -> Vec<(String, Vec<u8>)> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.tar.zst");
    let packed = pack(files, key);
    std::fs::write(&path, &packed.bytes).unwrap();
    let raw = load::bundle(&path, &Limits::default()).unwrap();
    assert!(raw.refused.is_empty());
    assert_eq!(raw.seal, Seal::Holds);
    let root = format!("{}/", packed.folder);
    raw.files
        .iter()
        .map(|f| (f.path.strip_prefix(&root).expect("one folder").to_owned(), f.bytes.to_vec()))
        .collect()
}

#[test]
fn files_bundle_and_folder_give_the_same_verdict_byte_for_byte() {
    let place = tempfile::tempdir().unwrap();
    for scenario in ["switch-stops-sending", "loss-towards-switch"] {
        let files = judged(evidence(scenario));
        let live = &files[bundle::v1::VERDICT_JSON];
        assert!(text(live).contains("\"boot_id\": \"5e2ef5a1-"), "the collection tells the boot");
        assert!(text(live).contains("bondwitness-collection") && text(live).contains("bondwitness-readings"));
        assert!(text(live).contains("run it as root, or with CAP_NET_ADMIN"), "the failure is a gap");
        let packed = pack(&files, None);
        let path = place.path().join(format!("{scenario}.tar.zst"));
        std::fs::write(&path, &packed.bytes).unwrap();
        let mut given = vec![path];
        if have("tar") && have("zstd") {
            let folder = place.path().join(scenario);
            std::fs::create_dir(&folder).unwrap();
            let mut tar = Command::new("tar");
            tar.arg("--zstd").arg("-xf").arg(&given[0]).arg("-C").arg(&folder);
            assert!(tar.status().unwrap().success());
            given.push(folder.join(&packed.folder));
            given.push(folder);
        }
        for path in given {
            let out = run(&["diagnose", "--json", "--from", path.to_str().unwrap()]);
            assert_eq!(text(&out.stdout), text(live), "{}", path.display());
            let out = run(&["verify", path.to_str().unwrap()]);
            // The folder that holds the bundle's folder is no bundle itself, but there is one in it.
            assert_eq!(
                out.status.code(),
                Some(0),
                "{}: {}{}",
                path.display(),
                text(&out.stdout),
                text(&out.stderr)
            );
            assert!(text(&out.stdout).contains("the same, byte for byte"), "{}", text(&out.stdout));
            assert!(text(&out.stdout).contains("intact, not signed"), "{}", text(&out.stdout));
        }
    }
}

#[test]
fn ordinary_tools_read_it() {
    if !have("tar") || !have("zstd") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("case.tar.zst");
    let key = Key::from_seed(&[5; 32]);
    let packed = pack(&judged(small()), Some(&key));
    std::fs::write(&path, &packed.bytes).unwrap();
    let list = Command::new("tar").args(["--zstd", "--numeric-owner", "-tvf"]).arg(&path).output().unwrap();
    assert!(list.status.success(), "{}", text(&list.stderr));
    for line in text(&list.stdout).lines() {
        assert!(line.starts_with("-rw------- 0/0 "), "{line}");
        assert!(line.contains(" bondwitness-db01-20261123T212352Z/"), "{line}");
    }
    assert_eq!(text(&list.stdout).lines().count(), judged(small()).len() + 2);
    assert!(Command::new("zstd").arg("-tq").arg(&path).status().unwrap().success());
    // The manifest's hashes are those of sha256sum.
    let tar = Command::new("tar").arg("--zstd").arg("-xf").arg(&path).arg("-C").arg(place.path()).status();
    assert!(tar.unwrap().success());
    let folder = place.path().join(&packed.folder);
    let manifest = Manifest::read(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    for member in &manifest.members {
        let sum = Command::new("sha256sum").arg(folder.join(&member.path)).output().unwrap();
        assert!(text(&sum.stdout).starts_with(&member.sha256), "{}", member.path);
    }
    if !have("ssh-keygen") {
        return;
    }
    let signers = place.path().join("signers");
    std::fs::write(&signers, format!("team {}\n", key.public().to_openssh())).unwrap();
    let verify = |manifest: &Path| {
        Command::new("ssh-keygen")
            .args(["-Y", "verify", "-I", "team", "-n", "bondwitness", "-f"])
            .arg(&signers)
            .arg("-s")
            .arg(folder.join("manifest.json.sig"))
            .stdin(std::fs::File::open(manifest).unwrap())
            .output()
            .unwrap()
    };
    let good = verify(&folder.join("manifest.json"));
    assert!(good.status.success(), "{}{}", text(&good.stdout), text(&good.stderr));
    assert!(text(&good.stdout).contains(&key.public().fingerprint()), "{}", text(&good.stdout));
    assert!(!verify(&folder.join("log/a.txt")).status.success());
}

#[test]
fn keys_of_openssh_sign_and_others_are_refused_with_a_step() {
    let place = tempfile::tempdir().unwrap();
    let new = place.path().join("team");
    let out = run(&["verify", "--new-key", new.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let ours = Key::read(&std::fs::read_to_string(&new).unwrap()).expect("our own key");
    let out = run(&["verify", "--new-key", new.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1), "an existing key is not overwritten");
    assert!(text(&out.stderr).contains("help: "), "{}", text(&out.stderr));

    let signed = place.path().join("signed.tar.zst");
    std::fs::write(&signed, pack(&judged(small()), Some(&ours)).bytes).unwrap();
    let public = place.path().join("team.pub");
    let verify = |key: &str| run(&["verify", signed.to_str().unwrap(), "--key", key]);
    let out = verify(public.to_str().unwrap());
    assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stdout).contains("signed by the key that was expected"), "{}", text(&out.stdout));
    let other = Key::from_seed(&[1; 32]).public().to_openssh();
    let out = verify(&other);
    assert_eq!(out.status.code(), Some(4));
    assert!(text(&out.stdout).contains("ANOTHER KEY"), "{}", text(&out.stdout));
    let unsigned = place.path().join("unsigned.tar.zst");
    std::fs::write(&unsigned, pack(&small(), None).bytes).unwrap();
    let out = run(&["verify", unsigned.to_str().unwrap(), "--key", &other]);
    assert_eq!(out.status.code(), Some(4), "a signature that was stripped: {}", text(&out.stdout));
    let out = verify(new.to_str().unwrap());
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("checking needs the public one"), "{}", text(&out.stderr));

    if !have("ssh-keygen") {
        return;
    }
    let list = Command::new("ssh-keygen").arg("-lf").arg(&public).output().unwrap();
    assert!(text(&list.stdout).contains(&ours.public().fingerprint()), "{}", text(&list.stdout));
    let derived = Command::new("ssh-keygen").arg("-yf").arg(&new).output().unwrap();
    assert!(text(&derived.stdout).starts_with(&ours.public().to_openssh()), "{}", text(&derived.stderr));
    let generate = |name: &str, kind: &str, pass: &str| {
        let path = place.path().join(name);
        let made = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", pass, "-f"]).arg(&path).status();
        assert!(made.unwrap().success());
        std::fs::read_to_string(path).unwrap()
    };
    let theirs = Key::read(&generate("theirs", "ed25519", "")).expect("a key of ssh-keygen");
    let check = checked_bytes(&pack(&small(), Some(&theirs)).bytes, Some(&theirs.public()));
    assert!(matches!(check.signature, Signature::Holds { expected: Some(true), .. }), "{check:?}");
    use bondwitness_core::bundle::sign::KeyError;
    assert_eq!(Key::read(&generate("locked", "ed25519", "secret")).unwrap_err(), KeyError::Encrypted);
    assert_eq!(Key::read(&generate("curve", "ecdsa", "")).unwrap_err(), KeyError::Kind);
}

fn checked_bytes(bytes: &[u8], key: Option<&PublicKey>) -> Check {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.tar.zst");
    std::fs::write(&path, bytes).unwrap();
    checked(&path, key)
}

#[test]
fn every_bit_of_a_bundle_counts() {
    let files = small();
    let packed = pack(&files, None);
    assert!(checked_bytes(&packed.bytes, None).holds());
    let known: Vec<String> = files.keys().cloned().chain(["manifest.json".to_owned()]).collect();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.tar.zst");
    let mut bytes = packed.bytes.clone();
    let mut named = 0;
    for i in 0..bytes.len() {
        for bit in 0..8 {
            bytes[i] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            let check = checked(&path, None);
            assert!(!check.holds(), "octet {i} bit {bit} was not noticed");
            assert!(!check.faults.is_empty(), "octet {i} bit {bit}: nothing is named");
            named += usize::from(check.faults.iter().any(|f| known.contains(&f.path)));
            bytes[i] ^= 1 << bit;
        }
    }
    // Most damage is in the data; the rest is in the frame around it.
    assert!(named * 10 > bytes.len() * 8 * 5, "{named} of {}", bytes.len() * 8);
}

#[test]
fn every_bit_of_a_member_is_named() {
    let key = Key::from_seed(&[3; 32]);
    let mut files = unpacked(&small(), Some(&key));
    assert!(in_memory(&files).holds());
    for m in 0..files.len() {
        let name = files[m].0.clone();
        for i in 0..files[m].1.len() {
            for bit in 0..8 {
                files[m].1[i] ^= 1 << bit;
                let check = in_memory(&files);
                files[m].1[i] ^= 1 << bit;
                match name.as_str() {
                    "manifest.json" => assert!(!check.holds(), "octet {i} bit {bit} of the manifest"),
                    // Blanks between the letters of a signature mean nothing.
                    "manifest.json.sig" => {}
                    _ => {
                        let paths: Vec<&str> = check.faults.iter().map(|f| f.path.as_str()).collect();
                        assert_eq!(paths, [name.as_str()], "octet {i} bit {bit}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_missing_extra_or_twice_is_named() {
    let files = unpacked(&judged(small()), None);
    let fault = |files: &[(String, Vec<u8>)]| -> Vec<(String, &'static str)> {
        let check = in_memory(files);
        assert!(!check.holds());
        check.faults.into_iter().map(|f| (f.path, f.kind)).collect()
    };
    for i in 0..files.len() {
        let mut less = files.clone();
        let (gone, _) = less.remove(i);
        assert_eq!(fault(&less), [(gone, "missing")]);
        let mut more = files.clone();
        more.push(files[i].clone());
        assert_eq!(fault(&more), [(files[i].0.clone(), "twice")]);
    }
    let mut more = files.clone();
    more.push(("log/c.txt".into(), b"x".to_vec()));
    assert_eq!(fault(&more), [("log/c.txt".into(), "extra")]);
    let mut swapped = files.clone();
    let (a, b) = (1, 2);
    (swapped[a].1, swapped[b].1) = (files[b].1.clone(), files[a].1.clone());
    assert_eq!(fault(&swapped).len(), 2);
    // Another order is no damage: the archive is a set of files.
    let mut reversed = files.clone();
    reversed.reverse();
    assert!(in_memory(&reversed).holds());
}

#[test]
fn a_verdict_that_is_not_that_of_its_evidence_is_found() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.tar.zst");
    let files = judged(evidence("switch-stops-sending"));
    let stored = text(&files[bundle::v1::VERDICT_JSON]);
    assert!(stored.contains("\"switch\""));
    let mut forged = files.clone();
    forged.insert(bundle::v1::VERDICT_JSON.into(), stored.replace("\"switch\"", "\"host\"").into_bytes());
    std::fs::write(&path, pack(&forged, None).bytes).unwrap();
    let out = run(&["verify", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("DOES NOT RE-DERIVE: verdict.json"), "{}", text(&out.stdout));
    let out = run(&["verify", "--json", path.to_str().unwrap()]);
    let value: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(value["verdict"]["state"], "differs");
    assert_eq!(value["holds"], false);

    let mut forged = files.clone();
    forged.insert(bundle::v1::VERDICT_TXT.into(), b"the host did it\n".to_vec());
    let check = checked_bytes(&pack(&forged, None).bytes, None);
    assert!(matches!(check.verdict, Rederived::Differs { file: "verdict.txt", .. }), "{:?}", check.verdict);

    // Another ruleset: the integrity is confirmed and the difference shown.
    let ruleset = bondwitness_core::verdict::RULESET;
    let mut older = files;
    older.insert(bundle::v1::VERDICT_JSON.into(), stored.replace(ruleset, "1999-01").into_bytes());
    std::fs::write(&path, pack(&older, None).bytes).unwrap();
    let out = run(&["verify", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("made by another ruleset (1999-01)"), "{}", text(&out.stdout));
}

/// A tar archive from raw members: name, type, link, content.
fn archive(members: &[(&str, u8, &str, &[u8])]) -> Vec<u8> {
    let mut tape = Vec::new();
    for (name, kind, link, bytes) in members {
        let mut head = vec![0_u8; 512];
        let mut put = |at: usize, value: &[u8]| head[at..at + value.len()].copy_from_slice(value);
        put(0, name.as_bytes());
        put(100, b"0000600\x000000000\x000000000\x00");
        put(124, format!("{:011o}\0{:011o}\0", bytes.len(), 0).as_bytes());
        put(148, b"        ");
        put(156, &[*kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tape.extend(head);
        tape.extend(*bytes);
        tape.resize(tape.len().next_multiple_of(512), 0);
    }
    tape.resize(tape.len() + 1024, 0);
    tape
}

#[test]
fn hostile_bundles_are_refused_with_a_reason_and_write_nothing() {
    let files = small();
    let manifest =
        bundle::manifest(&files, &Meta { hostname: "db01", created_ns: AT, ..Meta::default() }).unwrap();
    let folder = manifest.folder.clone();
    let bytes = manifest.to_bytes();
    let named: Vec<(String, Vec<u8>)> =
        files.iter().map(|(p, b)| (format!("{folder}/{p}"), b.clone())).collect();
    let main = format!("{folder}/manifest.json");
    let good: Vec<(&str, u8, &str, &[u8])> = std::iter::once((main.as_str(), b'0', "", bytes.as_slice()))
        .chain(named.iter().map(|(p, b)| (p.as_str(), b'0', "", b.as_slice())))
        .collect();
    let place = tempfile::tempdir().unwrap();
    let inner = place.path().join("in");
    std::fs::create_dir(&inner).unwrap();
    let verify = |members: &[(&str, u8, &str, &[u8])]| {
        let path = inner.join("x.tar.zst");
        std::fs::write(&path, compress::compress(&archive(members)).unwrap()).unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_bondwitness"))
            .args(["verify", "x.tar.zst"])
            .current_dir(&inner)
            .output()
            .unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "nothing is written");
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1, "nothing is written");
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    assert_eq!(verify(&good).0, Some(0), "{}", verify(&good).1);
    let link = format!("{folder}/log/link.txt");
    let escape = format!("{folder}/log/\u{1b}[31mred\u{202e}.txt");
    let deep = format!("{folder}/{}x", "d/".repeat(30));
    for (name, kind, target) in [
        ("../outside.txt", b'0', ""),
        ("/etc/cron.d/x", b'0', ""),
        (link.as_str(), b'2', "/etc/passwd"),
        (link.as_str(), b'1', "/etc/passwd"),
        (link.as_str(), b'3', ""),
        (link.as_str(), b'4', ""),
        (link.as_str(), b'6', ""),
        (escape.as_str(), b'0', ""),
        (deep.as_str(), b'0', ""),
        ("elsewhere/x.txt", b'0', ""),
    ] {
        let mut members = good.clone();
        members.push((name, kind, target, if kind == b'0' { b"x" } else { b"" }));
        let (code, said) = verify(&members);
        assert_eq!(code, Some(4), "{name:?} {}: {said}", char::from(kind));
        assert!(said.contains("REFUSED") || said.contains("EXTRA"), "{name:?}: {said}");
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    }
    // A manifest that names what lies outside, or calls evidence a verdict so that nobody judges it.
    for (from, to) in [("log/a.txt", "../../etc/passwd"), ("\"evidence\"", "\"verdict\"")] {
        let forged = text(&bytes).replacen(from, to, 1);
        let mut members = good.clone();
        members[0].3 = forged.as_bytes();
        let (code, said) = verify(&members);
        assert_eq!(code, Some(4), "{said}");
    }
    // A bomb: refused quickly, and the reason named.
    let zeros = vec![0_u8; 80 * 1024 * 1024];
    let bomb = format!("{folder}/log/zeros.txt");
    let mut members = good.clone();
    members.push((&bomb, b'0', "", &zeros));
    let (code, said) = verify(&members);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("bomb"), "{said}");
    // What is no bundle at all.
    let (code, said) = verify(&[("a.txt", b'0', "", b"x")]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no manifest"), "{said}");
}

#[test]
fn a_manifest_hides_no_evidence() {
    let mut files = evidence("switch-stops-sending");
    let honest = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]);
    // Whoever calls all evidence a verdict still does not keep it from the diagnosis.
    let meta = Meta { hostname: "db01", created_ns: AT, ..Meta::default() };
    let manifest =
        text(&bundle::manifest(&files, &meta).unwrap().to_bytes()).replace("\"evidence\"", "\"verdict\"");
    files.insert("manifest.json".into(), manifest.into_bytes());
    let place = tempfile::tempdir().unwrap();
    for (path, bytes) in &files {
        let path = place.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let out = run(&["diagnose", "--json", "--from", place.path().to_str().unwrap()]);
    assert_eq!(text(&out.stdout), text(&bundle::verdict_json(&honest, VERSION)));
}

#[test]
fn a_tap_that_lost_frames_or_looked_one_way_accuses_nobody() {
    let capture = |dev: &str, lost, outgoing| v1::Capture {
        dev: dev.into(),
        file: format!("{dev}.pcap"),
        seen: 100,
        lost,
        outgoing,
        ..v1::Capture::default()
    };
    let scenario = bondwitness_lab::catalog::find("switch-stops-sending").unwrap().unwrap();
    let files = bondwitness_lab::run(&scenario.draw(1).unwrap()).files;
    let captures: Vec<String> = files.iter().filter(|(_, b)| is_capture(b)).map(|(p, _)| p.clone()).collect();
    assert!(!captures.is_empty(), "{:?}", files.keys());
    // Captures alone: what they show is all there is.
    let only: Files = files.into_iter().filter(|(p, _)| captures.contains(p)).collect();
    let side = |lost: u64| {
        let mut files = only.clone();
        let collection = Collection {
            captures: captures
                .iter()
                .map(|p| v1::Capture { file: p.clone(), ..capture("eno1", lost, true) })
                .collect(),
            ..Collection::default()
        };
        files.extend(Spool::new("t", "Linux").files(&collection));
        let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]);
        let value: serde_json::Value =
            serde_json::from_slice(&bundle::verdict_json(&report, VERSION)).unwrap();
        (value["verdict"]["side"].as_str().unwrap().to_owned(), value["gaps"].to_string())
    };
    let (whole, _) = side(0);
    assert_ne!(whole, "host");
    let (lossy, gaps) = side(3);
    assert_eq!(lossy, "unknown", "without the loss: {whole}");
    assert!(gaps.contains("the capture lost them"), "{gaps}");
}

/// Domain, side, grade, direction, members and what is cleared, of every subject.
fn claims(files: &Files) -> String {
    let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[]);
    let rows: Vec<String> = report
        .subjects
        .iter()
        .zip(&report.case.subjects)
        .map(|(s, subject)| {
            let v = &s.judged.verdict;
            let cleared: Vec<_> = v.exonerated.iter().map(|e| e.0).collect();
            format!(
                "{} {:?} {:?} {:?} {:?} {:?} {cleared:?}",
                subject.name, v.domain, v.side, v.grade, v.way, v.members
            )
        })
        .collect();
    rows.join("\n")
}

#[test]
fn redacted_scenarios_keep_their_verdict() {
    let mut other = Vec::new();
    let all = bondwitness_lab::catalog::all().unwrap();
    for scenario in &all {
        let files = bondwitness_lab::run(&scenario.draw(1).unwrap()).files;
        let redacted = bondwitness_core::redact::redact(&files, [0x77; 32]);
        assert!(redacted.left_out.is_empty(), "{}: {:?}", scenario.name, redacted.left_out);
        let (before, after) = (claims(&files), claims(&redacted.files));
        if before != after {
            other.push(format!("{}:\n{before}\n{after}", scenario.name));
        }
    }
    assert!(other.is_empty(), "{} of {}:\n{}", other.len(), all.len(), other.join("\n"));
}

#[test]
fn a_redacted_bundle_holds_and_tells_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let mut files = evidence("switch-stops-sending");
    files.insert("host/name.txt".into(), b"==> /proc/sys/kernel/hostname <==\nsecrethost7\n".to_vec());
    std::fs::write(path("case.tar.zst"), pack(&judged(files), None).bytes).unwrap();
    let out = run(&["redact", &path("case.tar.zst"), "-o", &path("out.tar.zst")]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let out = run(&["verify", &path("out.tar.zst")]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("the same, byte for byte"), "{}", text(&out.stdout));
    assert!(text(&out.stdout).contains("REDACTED"), "{}", text(&out.stdout));
    let raw = load::bundle(Path::new(&path("out.tar.zst")), &Limits::default()).unwrap();
    for file in &raw.files {
        assert!(
            !text(&file.bytes).contains("secrethost7") && !file.path.contains("secrethost7"),
            "{}",
            file.path
        );
    }
    use std::os::unix::fs::PermissionsExt as _;
    let map = place.path().join("out.tar.zst.map.json");
    assert_eq!(map.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(map).unwrap().contains("secrethost7"));
    // What is damaged is not given away under a new manifest.
    let mut bytes = std::fs::read(path("case.tar.zst")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path("damaged.tar.zst"), bytes).unwrap();
    let out = run(&["redact", &path("damaged.tar.zst"), "-o", &path("none.tar.zst")]);
    assert_eq!(out.status.code(), Some(4), "{}", text(&out.stderr));
    assert!(!Path::new(&path("none.tar.zst")).exists());
}

#[test]
fn a_writer_that_is_killed_leaves_a_whole_bundle_or_none() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("case.tar.zst"), pack(&judged(small()), None).bytes).unwrap();
    let (mut whole, mut none) = (0, 0);
    for i in 0..40 {
        let to = path(&format!("{i}.tar.zst"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_bondwitness"))
            .args(["redact", &path("case.tar.zst"), "-o", &to])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(i * 2));
        let _ = child.kill();
        let _ = child.wait();
        if Path::new(&to).exists() {
            assert!(checked(Path::new(&to), None).holds(), "{to}");
            whole += 1;
        } else {
            none += 1;
        }
    }
    assert!(none > 0, "{whole} were whole: the kill came too late to show anything");
}

#[test]
fn a_place_that_cannot_be_written_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("case.tar.zst"), pack(&small(), None).bytes).unwrap();
    let redact = |to: &str| {
        let out = run(&["redact", &path("case.tar.zst"), "-o", to]);
        (out.status.code(), text(&out.stderr))
    };
    let (code, said) = redact(&path("case.tar.zst"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("exists already") && said.contains("help: "), "{said}");
    let (code, said) = redact(&path("none/case.tar.zst"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("help: make the folder first"), "{said}");
    // A full file system, where a namespace with one can be made.
    let script = "mount -t tmpfs -o size=64k none \"$1\" && dd if=/dev/zero of=\"$1/fill\" bs=1k 2>/dev/null; \
                  \"$2\" redact \"$3\" -o \"$1/out.tar.zst\"; code=$?; ls -A \"$1\"; exit $code";
    let full = place.path().join("full");
    std::fs::create_dir(&full).unwrap();
    let out = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(&full)
        .arg(env!("CARGO_BIN_EXE_bondwitness"))
        .arg(path("case.tar.zst"))
        .output();
    if let Ok(out) = out.filter_ok() {
        assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
        assert!(
            text(&out.stderr).contains("no space left") && text(&out.stderr).contains("help: free some"),
            "{}",
            text(&out.stderr)
        );
        assert_eq!(text(&out.stdout), "fill\n", "nothing else is left");
    }
}

/// Where no namespace with a file system can be made, there is nothing to try.
trait FilterOk {
    fn filter_ok(self) -> Result<Output, ()>;
}

impl FilterOk for std::io::Result<Output> {
    fn filter_ok(self) -> Result<Output, ()> {
        let out = self.map_err(|_| ())?;
        let said = text(&out.stderr);
        if said.contains("unshare failed")
            || said.contains("permission denied")
            || said.contains("Operation not permitted")
        {
            return Err(());
        }
        Ok(out)
    }
}
