//! The loader against real folders, pipes and links, and against archives made to hurt it.
#![allow(clippy::expect_used, reason = "the helpers of a test may panic as the test may")]

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bondwitness_host::load::{Bytes, Limits, LoadError, Loaded, Problem, load, load_with_stdin};
use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(&path, bytes).expect("a file");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("xz");
    writer.write_all(bytes).expect("xz");
    writer.finish().expect("xz")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A tar archive with these files, whatever their names.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        append(&mut builder, tar::EntryType::Regular, name, "", bytes);
    }
    builder.into_inner().expect("tar")
}

/// Writes the name into the header as it is: the builder itself refuses dangerous ones.
fn append(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, link: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    builder.append(&header, bytes).expect("tar member");
}

/// One member of a zip archive, as its headers describe it.
struct ZipMember<'a> {
    name: &'a str,
    bytes: &'a [u8],
    method: u16,
    /// Version made by, and the attributes that go with it.
    made_by: u16,
    mode: u32,
    flags: u16,
    zip64: bool,
}

impl<'a> ZipMember<'a> {
    const fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, method: 8, made_by: 3 << 8, mode: 0o100_644, flags: 0, zip64: false }
    }
}

const STREAMED: u16 = 8;

/// A zip archive, written from the specification: with sizes behind the data where `STREAMED` is set.
fn zip(members: &[ZipMember<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for m in members {
        let packed = if m.method == 8 {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(m.bytes).expect("deflate");
            encoder.finish().expect("deflate")
        } else {
            m.bytes.to_vec()
        };
        let mut crc = flate2::Crc::new();
        crc.update(m.bytes);
        let short = |n: usize| (n as u16).to_le_bytes();
        let long = |n: usize| (n as u32).to_le_bytes();
        let huge = |n: usize| (n as u64).to_le_bytes();
        let sums = |sizes: bool| {
            let sizes = match (sizes, m.zip64) {
                (false, _) => [long(0), long(0)],
                (true, true) => [long(0xffff_ffff), long(0xffff_ffff)],
                (true, false) => [long(packed.len()), long(m.bytes.len())],
            };
            [crc.sum().to_le_bytes(), sizes[0], sizes[1]].concat()
        };
        let streamed = m.flags & STREAMED != 0;
        let at = out.len();
        let sizes = [huge(m.bytes.len()), huge(packed.len())].concat();
        let extra = if m.zip64 { [&[1, 0, 16, 0][..], &sizes].concat() } else { Vec::new() };
        let versions = [m.flags.to_le_bytes(), m.method.to_le_bytes(), [0; 2], [0; 2]].concat();
        out.extend_from_slice(b"PK\x03\x04\x14\0");
        out.extend_from_slice(&versions);
        out.extend_from_slice(&if streamed { vec![0; 12] } else { sums(true) });
        out.extend_from_slice(&[short(m.name.len()), short(extra.len())].concat());
        out.extend_from_slice(&[m.name.as_bytes(), &extra, &packed].concat());
        if streamed {
            out.extend_from_slice(b"PK\x07\x08");
            out.extend_from_slice(&sums(true));
        }
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&[m.made_by.to_le_bytes(), [20, 0]].concat());
        directory.extend_from_slice(&versions);
        directory.extend_from_slice(&sums(true));
        directory
            .extend_from_slice(&[short(m.name.len()), short(extra.len()), [0; 2], [0; 2], [0; 2]].concat());
        directory.extend_from_slice(&[(m.mode << 16).to_le_bytes(), long(at)].concat());
        directory.extend_from_slice(&[m.name.as_bytes(), &extra].concat());
    }
    let (count, from, len) = (members.len() as u16, out.len() as u64, directory.len() as u64);
    out.extend_from_slice(&directory);
    let zip64 = members.iter().any(|m| m.zip64);
    if zip64 {
        let at = out.len() as u64;
        out.extend_from_slice(b"PK\x06\x06");
        out.extend_from_slice(&[44_u64.to_le_bytes(), [45, 3, 45, 0, 0, 0, 0, 0], [0; 8]].concat()[..20]);
        out.extend_from_slice(
            &[u64::from(count), u64::from(count), len, from].map(u64::to_le_bytes).concat(),
        );
        out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        out.extend_from_slice(&[&at.to_le_bytes()[..], &1_u32.to_le_bytes()].concat());
    }
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    let (len, from) = if zip64 { (u32::MAX, u32::MAX) } else { (len as u32, from as u32) };
    out.extend_from_slice(&[len.to_le_bytes(), from.to_le_bytes()].concat());
    out.extend_from_slice(&[0; 2]);
    out
}

fn load_one(path: &Path) -> Loaded {
    load(&[path.to_owned()], &Limits::default()).expect("loads")
}

fn from_stdin(bytes: &[u8], limits: &Limits) -> Loaded {
    load_with_stdin(&["-".into()], limits, &mut Cursor::new(bytes)).expect("loads")
}

fn paths(loaded: &Loaded) -> Vec<&str> {
    loaded.inputs.iter().map(|input| input.path.as_str()).collect()
}

fn skipped(loaded: &Loaded) -> Vec<(&str, &str)> {
    loaded.skipped.iter().map(|s| (s.path.as_str(), s.why.as_str())).collect()
}

fn bytes_of<'l>(loaded: &'l Loaded, path: &str) -> &'l [u8] {
    &loaded.inputs.iter().find(|input| input.path == path).expect(path).bytes
}

fn problem_of<'l>(loaded: &'l Loaded, path: &str) -> &'l Problem {
    let input = loaded.inputs.iter().find(|input| input.path == path).expect(path);
    input.problem.as_ref().expect("a problem")
}

/// Bytes that do not compress: the generator of `xorshift`.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn a_file_goes_by_its_own_name_and_may_be_empty_or_large() {
    let dir = folder();
    let small = write(dir.path(), "deep/er/eno1.txt", b"carrier 1\n");
    assert_eq!(paths(&load_one(&small)), ["eno1.txt"]);
    assert_eq!(bytes_of(&load_one(&small), "eno1.txt"), b"carrier 1\n");

    let empty = load_one(&write(dir.path(), "empty", b""));
    assert!(matches!(empty.inputs[0].bytes, Bytes::Empty));
    assert_eq!(empty.inputs[0].problem, None);

    let content = noise(MIB + 1);
    let large = load_one(&write(dir.path(), "large", &content));
    assert!(matches!(large.inputs[0].bytes, Bytes::Mapped(_)));
    assert_eq!(&*large.inputs[0].bytes, content);
}

#[test]
fn files_of_proc_have_no_size_and_content_all_the_same() {
    let loaded = load_one(Path::new("/proc/self/status"));
    assert!(bytes_of(&loaded, "status").starts_with(b"Name:"));
    let limits = Limits { unsized_bytes: 4, ..Limits::default() };
    let cut = load(&["/proc/self/status".into()], &limits).expect("loads");
    assert_eq!(bytes_of(&cut, "status"), b"Name");
    assert_eq!(problem_of(&cut, "status"), &Problem::Cut { limit: 4 });
}

#[test]
fn a_folder_is_read_without_following_links_or_opening_pipes() {
    let dir = folder();
    let case = dir.path().join("case");
    write(&case, "proc/net/bonding/bond0", b"Ethernet Channel Bonding Driver\n");
    write(&case, "b.txt", b"b");
    write(dir.path(), "outside", b"secret");
    symlink("..", case.join("proc/loop")).expect("a link");
    symlink("../outside", case.join("outside")).expect("a link");
    symlink("nowhere", case.join("dangling")).expect("a link");
    let made = Command::new("mkfifo").arg(case.join("pipe")).status().expect("mkfifo");
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(case.join("socket")).expect("a socket");

    let loaded = load_one(&case);
    assert_eq!(paths(&loaded), ["b.txt", "proc/net/bonding/bond0"]);
    let link = "symbolic link, not followed";
    assert_eq!(
        skipped(&loaded),
        [
            ("dangling", link),
            ("outside", link),
            ("pipe", "named pipe, not opened"),
            ("proc/loop", link),
            ("socket", "socket, not opened"),
        ]
    );
}

#[test]
fn a_given_path_may_be_a_link_but_not_a_pipe() {
    let dir = folder();
    write(dir.path(), "case/a", b"a");
    symlink("case", dir.path().join("link")).expect("a link");
    assert_eq!(paths(&load_one(&dir.path().join("link"))), ["a"]);

    let error = load(&["/dev/null".into()], &Limits::default()).expect_err("a device");
    assert_eq!(error.to_string(), "cannot read /dev/null: it is a character device");
    let also = load(&["/dev/null".into(), dir.path().join("case")], &Limits::default()).expect("loads");
    assert_eq!(paths(&also), ["a"]);
    assert_eq!(skipped(&also), [("null", "character device, not opened")]);
}

#[test]
fn a_path_that_does_not_exist_is_an_error() {
    let dir = folder();
    let missing = dir.path().join("case.tar");
    let error = load(std::slice::from_ref(&missing), &Limits::default()).expect_err("missing");
    let text = format!("cannot read {}: no such file or directory", missing.display());
    assert_eq!(error.to_string(), text);
    assert!(error.help().starts_with("check the path"));
    symlink("loop", dir.path().join("loop")).expect("a link");
    assert!(load(&[dir.path().join("loop")], &Limits::default()).is_err());
}

#[test]
fn an_unreadable_file_is_fatal_only_when_nothing_else_could_be_read() {
    let dir = folder();
    let closed = write(dir.path(), "case/closed", b"x");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("chmod");
    if fs::read(&closed).is_ok() {
        return; // The superuser may read everything.
    }
    let error = load(&[dir.path().join("case")], &Limits::default()).expect_err("nothing readable");
    assert!(matches!(error, LoadError::Read { .. }));
    write(dir.path(), "case/open", b"y");
    let loaded = load_one(&dir.path().join("case"));
    assert_eq!(paths(&loaded), ["open"]);
    assert_eq!(skipped(&loaded), [("closed", "cannot be read: permission denied")]);
}

#[test]
fn a_file_that_changes_into_an_error_on_reading_is_skipped() {
    // Reading the memory of a process at address 0 fails; the file itself opens.
    let error = load(&["/proc/self/mem".into()], &Limits::default()).expect_err("address 0");
    assert_eq!(error.to_string(), "cannot read /proc/self/mem: input/output error");
}

#[test]
fn an_empty_folder_is_no_error() {
    let dir = folder();
    let loaded = load_one(dir.path());
    assert!(loaded.inputs.is_empty() && loaded.skipped.is_empty());
}

#[test]
fn a_sparse_file_is_listed_and_not_read() {
    let dir = folder();
    let path = write(dir.path(), "case/eno1.pcap", b"");
    let size = 10 * 1024 * 1024 * 1024;
    fs::File::options().write(true).open(path).and_then(|file| file.set_len(size)).expect("a sparse file");
    let loaded = load_one(&dir.path().join("case"));
    assert!(matches!(loaded.inputs[0].bytes, Bytes::Empty));
    let Problem::Sparse { size: told, there } = *problem_of(&loaded, "eno1.pcap") else { panic!("sparse") };
    assert_eq!(told, size);
    let why = format!("sparse file: 10737418240 bytes, of which {there} are there");
    assert_eq!(skipped(&loaded), [("eno1.pcap", why.as_str())]);
}

#[test]
fn archives_are_recognised_by_content_in_every_packing() {
    let dir = folder();
    let big = noise(3 * MIB);
    let plain = tar(&[("./sos/proc/net/bonding/bond0", b"bond\n"), ("sos/big", &big), ("sos/nil", b"")]);
    for (packing, packed) in
        [("tar", plain.clone()), ("gz", gzip(&plain)), ("xz", xz(&plain)), ("zst", zstd(&plain))]
    {
        // A name that says nothing.
        let loaded = load_one(&write(dir.path(), packing, &packed));
        assert_eq!(paths(&loaded), ["sos/big", "sos/nil", "sos/proc/net/bonding/bond0"], "{packing}");
        assert_eq!(bytes_of(&loaded, "sos/big"), big, "{packing}");
        assert_eq!(bytes_of(&loaded, "sos/proc/net/bonding/bond0"), b"bond\n", "{packing}");
        assert!(loaded.inputs.iter().all(|input| input.problem.is_none()), "{packing}");
        assert!(loaded.skipped.is_empty(), "{packing}");
    }
}

#[test]
fn a_compressed_file_keeps_its_name_and_shows_its_content() {
    let dir = folder();
    for (name, packed) in [("dmesg.1.gz", gzip(b"log")), ("m.xz", xz(b"log")), ("m.zst", zstd(b"log"))] {
        let loaded = load_one(&write(dir.path(), name, &packed));
        assert_eq!(paths(&loaded), [name]);
        assert_eq!(bytes_of(&loaded, name), b"log");
    }
    let nothing = load_one(&write(dir.path(), "nothing.gz", &gzip(b"")));
    assert!(matches!(nothing.inputs[0].bytes, Bytes::Empty) && nothing.inputs[0].problem.is_none());
}

#[test]
fn compressed_files_may_consist_of_several_streams_and_padding() {
    let limits = Limits::default();
    let gz = [gzip(b"one "), gzip(b"two"), vec![0; 700]].concat();
    assert_eq!(bytes_of(&from_stdin(&gz, &limits), "stdin"), b"one two");
    let xz = [xz(b"one "), vec![0; 8], xz(b"two")].concat();
    assert_eq!(bytes_of(&from_stdin(&xz, &limits), "stdin"), b"one two");
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let zst = [&skippable[..], &zstd(b"one "), &skippable, &zstd(b"two")].concat();
    let loaded = from_stdin(&zst, &limits);
    assert_eq!(bytes_of(&loaded, "stdin"), b"one two");
    assert_eq!(loaded.inputs[0].problem, None);
    let foreign = [gzip(b"one"), b"rest".to_vec()].concat();
    let loaded = from_stdin(&foreign, &limits);
    assert_eq!(bytes_of(&loaded, "stdin"), b"one");
    let text = problem_of(&loaded, "stdin").to_string();
    assert_eq!(text, "damaged after 3 bytes: 4 foreign bytes after the end");
}

#[test]
fn unsupported_packings_say_so() {
    let loaded = from_stdin(b"BZh91AY&SY\0\0\0\0", &Limits::default());
    assert!(loaded.inputs.is_empty());
    let why = "bzip2 compression is not supported: unpack it first, with bunzip2";
    assert_eq!(skipped(&loaded), [("stdin", why)]);
}

#[test]
fn members_that_lead_out_of_the_archive_are_not_taken() {
    let mut builder = tar::Builder::new(Vec::new());
    let file = tar::EntryType::Regular;
    append(&mut builder, tar::EntryType::Directory, "case/", "", b"");
    append(&mut builder, file, "../etc/cron.d/x", "", b"x");
    append(&mut builder, file, "/etc/passwd", "", b"x");
    append(&mut builder, file, "case/a/../../b", "", b"x");
    append(&mut builder, tar::EntryType::Symlink, "case/link", "/etc/shadow", b"");
    append(&mut builder, tar::EntryType::Link, "case/hard", "case/ok", b"");
    append(&mut builder, tar::EntryType::Fifo, "case/pipe", "", b"");
    append(&mut builder, tar::EntryType::Char, "case/null", "", b"");
    append(&mut builder, tar::EntryType::new(b'Q'), "case/odd", "", b"odd");
    append(&mut builder, file, "case/ok", "", b"ok");
    let archive = builder.into_inner().expect("tar");

    let loaded = from_stdin(&archive, &Limits::default());
    assert_eq!(paths(&loaded), ["case/ok"]);
    assert_eq!(
        skipped(&loaded),
        [
            ("../etc/cron.d/x", "path with `..`, not unpacked"),
            ("/etc/passwd", "absolute path, not unpacked"),
            ("case/a/../../b", "path with `..`, not unpacked"),
            ("case/hard", "hard link, not followed"),
            ("case/link", "symbolic link, not followed"),
            ("case/null", "character device, not read"),
            ("case/odd", "member of unknown type 0x51"),
            ("case/pipe", "named pipe, not read"),
        ]
    );
}

#[test]
fn long_names_of_both_kinds_are_whole() {
    let long = format!("case/{}/file", "x".repeat(150));
    let mut gnu = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    gnu.append_data(&mut header, &long, &b"ok"[..]).expect("tar");
    let loaded = from_stdin(&gnu.into_inner().expect("tar"), &Limits::default());
    assert_eq!(paths(&loaded), [long.as_str()]);

    let mut pax = tar::Builder::new(Vec::new());
    pax.append_pax_extensions([("path", long.as_bytes()), ("size", b"2".as_slice())]).expect("pax");
    append(&mut pax, tar::EntryType::Regular, "short", "", b"ok");
    let loaded = from_stdin(&pax.into_inner().expect("tar"), &Limits::default());
    assert_eq!(paths(&loaded), [long.as_str()]);
    assert_eq!(bytes_of(&loaded, &long), b"ok");
}

#[test]
fn a_sparse_member_is_passed_over_with_its_whole_map() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(512);
    let gnu = header.as_gnu_mut().expect("gnu");
    gnu.name[..4].copy_from_slice(b"lazy");
    gnu.isextended = [1];
    header.set_cksum();
    let content = [[0_u8; 512], [b'd'; 512]].concat(); // An empty map block, then the data.
    builder.get_mut().extend_from_slice(header.as_bytes());
    builder.get_mut().extend_from_slice(&content);
    append(&mut builder, tar::EntryType::Regular, "after", "", b"ok");
    let loaded = from_stdin(&builder.into_inner().expect("tar"), &Limits::default());
    assert_eq!(paths(&loaded), ["after"]);
    let why = "sparse member, not unpacked: unpack the archive and give the folder";
    assert_eq!(skipped(&loaded), [("lazy", why)]);
}

#[test]
fn one_archive_may_lie_in_another_and_no_more() {
    let dir = folder();
    let inner = gzip(&tar(&[("sos/dmesg.gz", &gzip(b"log")), ("sos/old.tar", &tar(&[("x", b"x")]))]));
    let outer = gzip(&tar(&[("sosreport.tar.gz", &inner), ("note", b"n")]));
    let expected = ["note", "sosreport.tar.gz/sos/dmesg.gz"];
    let deep = "archive in an archive in an archive, not opened";

    let loaded = load_one(&write(dir.path(), "case/outer.tgz", &outer));
    assert_eq!(paths(&loaded), expected);
    assert_eq!(bytes_of(&loaded, "sosreport.tar.gz/sos/dmesg.gz"), b"log");
    assert_eq!(skipped(&loaded), [("sosreport.tar.gz/sos/old.tar", deep)]);

    // In a folder, the archive is a name among others.
    let loaded = load_one(&dir.path().join("case"));
    assert_eq!(paths(&loaded), expected.map(|path| format!("outer.tgz/{path}")));

    let wrapped = gzip(&gzip(&gzip(b"log")));
    let loaded = from_stdin(&wrapped, &Limits::default());
    assert_eq!(skipped(&loaded), [("stdin", "compressed more than twice, not unpacked")]);
}

#[test]
fn a_decompression_bomb_is_stopped_in_every_packing() {
    let limits = Limits::default();
    let zeros = vec![0; 48 * MIB];
    for packed in [gzip(&zeros), xz(&zeros), zstd(&zeros)] {
        let loaded = from_stdin(&packed, &limits);
        let problem = problem_of(&loaded, "stdin");
        let Problem::Bomb { out, .. } = *problem else { panic!("{problem}") };
        assert!(out < 17 * MIB as u64, "stopped after {out}");
        assert!(matches!(loaded.inputs[0].bytes, Bytes::Empty));
        assert_eq!(skipped(&loaded), [("stdin", problem.to_string().as_str())]);
        assert!(problem.to_string().starts_with("looks like a decompression bomb: "));
    }
    // In an archive, what came before it is kept.
    let archive = gzip(&tar(&[("before", b"ok"), ("zeros", &zeros), ("after", b"lost")]));
    let loaded = from_stdin(&archive, &limits);
    assert_eq!(paths(&loaded), ["before", "stdin", "zeros"]);
    assert!(matches!(problem_of(&loaded, "stdin"), Problem::Bomb { .. }));
    assert!(matches!(problem_of(&loaded, "zeros"), Problem::Bomb { .. }));
}

#[test]
fn a_header_that_asks_for_gigabytes_of_memory_is_refused() {
    // The header of a frame with a window of 2 GiB.
    let zst = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0];
    assert_eq!(problem_of(&from_stdin(&zst, &Limits::default()), "stdin"), &Problem::Memory);
    // The dictionary size is in the second byte of the filter: 40 stands for 4 GiB.
    let mut stream = xz(b"log");
    let block = 12;
    let header_len = (usize::from(stream[block]) + 1) * 4;
    let filter = stream[block..block + header_len].windows(2).position(|w| w == [0x21, 1]).expect("lzma2");
    stream[block + filter + 2] = 40;
    let crc_at = block + header_len - 4;
    let mut crc = flate2::Crc::new();
    crc.update(&stream[block..crc_at]);
    stream[crc_at..crc_at + 4].copy_from_slice(&crc.sum().to_le_bytes());
    assert_eq!(problem_of(&from_stdin(&stream, &Limits::default()), "stdin"), &Problem::Memory);
}

#[test]
fn sizes_are_limited_one_by_one_and_in_all() {
    let noise = noise(40_000);
    let limits = Limits { member_bytes: 30_000, ..Limits::default() };
    let archive = tar(&[("big", &noise), ("small", &noise[..30_000])]);
    for packed in [archive.clone(), gzip(&archive)] {
        let loaded = from_stdin(&packed, &limits);
        assert_eq!(problem_of(&loaded, "big"), &Problem::TooLarge { limit: 30_000 });
        assert_eq!(bytes_of(&loaded, "small").len(), 30_000);
    }
    let loaded = from_stdin(&gzip(&noise), &limits);
    assert_eq!(problem_of(&loaded, "stdin"), &Problem::TooLarge { limit: 30_000 });

    let limits = Limits { total_bytes: 100_000, ..Limits::default() };
    let archive = gzip(&tar(&[("a", &noise), ("b", &noise), ("c", &noise)]));
    let dir = folder();
    let loaded = load(&[write(dir.path(), "case.tgz", &archive)], &limits).expect("loads");
    assert_eq!(paths(&loaded), ["a", "b", "c", "case.tgz"]);
    assert_eq!(bytes_of(&loaded, "b").len(), 40_000);
    assert_eq!(problem_of(&loaded, "c"), &Problem::TooMuch { limit: 100_000 });
    assert_eq!(problem_of(&loaded, "case.tgz"), &Problem::TooMuch { limit: 100_000 });

    let limits = Limits { total_bytes: 10, ..Limits::default() };
    let error = load_with_stdin(&["-".into()], &limits, &mut std::io::repeat(b'x')).expect_err("endless");
    assert_eq!(error.to_string(), "cannot read standard input: it is larger than 10 bytes");
}

#[test]
fn small_files_beyond_the_memory_limit_are_mapped_instead() {
    let dir = folder();
    write(dir.path(), "a", &noise(6000));
    write(dir.path(), "b", &noise(6000));
    let limits = Limits { total_bytes: 10_000, ..Limits::default() };
    let loaded = load(&[dir.path().to_owned()], &limits).expect("loads");
    assert!(matches!(loaded.inputs[0].bytes, Bytes::Owned(_)));
    assert!(matches!(loaded.inputs[1].bytes, Bytes::Mapped(_)));
    assert_eq!(*loaded.inputs[0].bytes, *loaded.inputs[1].bytes);
}

#[test]
fn the_number_of_files_names_and_folders_is_limited() {
    let dir = folder();
    for name in ["d", "a", "c", "b"] {
        write(dir.path(), &format!("case/{name}"), b"");
    }
    let case = [dir.path().join("case")];
    let limits = Limits { files: 2, ..Limits::default() };
    let loaded = load(&case, &limits).expect("loads");
    assert_eq!(paths(&loaded), ["a", "b"]);
    let why = "more than 2 files: neither this nor anything after it was read";
    assert_eq!(skipped(&loaded), [("c", why)]);
    let limits = Limits { names: 3, ..Limits::default() };
    let loaded = load(&case, &limits).expect("loads");
    assert_eq!(paths(&loaded), ["a", "b", "c"]);
    let why = "more than 3 names: neither this nor anything after it was read";
    assert_eq!(skipped(&loaded), [("d", why)]);
    let archive = tar(&[("a", b""), ("b", b""), ("c", b"")]);
    let loaded = from_stdin(&archive, &Limits { files: 2, ..Limits::default() });
    assert_eq!((paths(&loaded).len(), skipped(&loaded).len()), (2, 1));

    write(dir.path(), "deep/1/2/3/file", b"");
    write(dir.path(), "deep/1/2/file", b"");
    let limits = Limits { depth: 2, ..Limits::default() };
    let loaded = load(&[dir.path().join("deep")], &limits).expect("loads");
    assert_eq!(paths(&loaded), ["1/2/file"]);
    assert_eq!(skipped(&loaded), [("1/2/3", "more than 2 folders deep, not entered")]);
}

#[test]
fn a_truncated_stream_yields_its_beginning_in_every_compression() {
    let log: String = (0..30_000).map(|n| format!("[{n:>6}.000000] bond0: link status\n")).collect();
    for (name, packed) in
        [("gz", gzip(log.as_bytes())), ("xz", xz(log.as_bytes())), ("zst", zstd(log.as_bytes()))]
    {
        let loaded = from_stdin(&packed[..packed.len() * 9 / 10], &Limits::default());
        let got = bytes_of(&loaded, "stdin");
        assert!(log.as_bytes().starts_with(got), "{name}");
        assert!(got.len() > log.len() / 2, "{name}: {} of {}", got.len(), log.len());
        let text = problem_of(&loaded, "stdin").to_string();
        let expected = format!("ends early: the compressed data stops after {} bytes", got.len());
        assert_eq!(text, expected, "{name}");
        // Cut inside the checksum: all the content is there, and its proof is not.
        let loaded = from_stdin(&packed[..packed.len() - 1], &Limits::default());
        assert_eq!(bytes_of(&loaded, "stdin").len(), log.len(), "{name}");
        assert!(matches!(problem_of(&loaded, "stdin"), Problem::EndsEarly { .. }), "{name}");
    }
}

#[test]
fn a_truncated_archive_yields_its_members() {
    let noise = noise(100_000);
    let archive = tar(&[("a", b"whole"), ("b", &noise), ("c", b"lost")]);
    let cut = &archive[..60_000];
    let loaded = from_stdin(cut, &Limits::default());
    assert_eq!(paths(&loaded), ["a", "b", "stdin"]);
    assert_eq!(bytes_of(&loaded, "b"), &noise[..60_000 - 1536]);
    assert_eq!(problem_of(&loaded, "b").to_string(), "ends early: 58464 of 100000 bytes");
    assert_eq!(problem_of(&loaded, "stdin").to_string(), "ends early: inside b: 58464 of 100000 bytes");

    // Several blocks: zstd cannot read part of one.
    let larger = [noise.clone(), noise.clone(), noise.clone(), noise.clone()].concat();
    let archive_of_blocks = tar(&[("a", b"whole"), ("b", &larger), ("c", b"lost")]);
    for (name, packed) in [("gz", gzip(&archive)), ("xz", xz(&archive)), ("zst", zstd(&archive_of_blocks))] {
        let loaded = from_stdin(&packed[..packed.len() - 20_000], &Limits::default());
        assert_eq!(paths(&loaded), ["a", "b", "stdin"], "{name}");
        assert!(larger.starts_with(bytes_of(&loaded, "b")));
        assert!(matches!(problem_of(&loaded, "b"), Problem::EndsEarly { .. }));
        assert!(matches!(problem_of(&loaded, "stdin"), Problem::EndsEarly { .. }));
    }

    let no_mark = &archive[..archive.len() - 1024];
    let text = problem_of(&from_stdin(no_mark, &Limits::default()), "stdin").to_string();
    assert!(text.starts_with("ends early: the end mark of the archive is missing, after "), "{text}");
}

#[test]
fn zip_archives_are_read_in_every_form() {
    let log = b"kern: info: link is down\n".repeat(40);
    let members = || [ZipMember::new("node/", b""), ZipMember::new("node/dmesg.log", &log)];
    let stored = members().map(|m| ZipMember { method: 0, ..m });
    let streamed = members().map(|m| ZipMember { flags: STREAMED, ..m });
    let zip64 = members().map(|m| ZipMember { zip64: true, ..m });
    let forms = [("deflated", members()), ("stored", stored), ("streamed", streamed), ("zip64", zip64)];
    for (form, members) in &forms {
        for archive in [zip(members), gzip(&zip(members)), [zip(members), b"after".to_vec()].concat()] {
            let loaded = from_stdin(&archive, &Limits::default());
            assert_eq!(paths(&loaded), ["node/dmesg.log"], "{form}");
            assert_eq!(bytes_of(&loaded, "node/dmesg.log"), log, "{form}");
            assert_eq!(loaded.inputs[0].problem, None, "{form}");
        }
    }
    let loaded = from_stdin(&zip(&[]), &Limits::default());
    assert!(loaded.inputs.is_empty() && loaded.skipped.is_empty());
    // Below the name of the archive when it was found, not given; what it holds is unpacked in turn.
    let dir = folder();
    write(dir.path(), "support.zip", &zip(&[ZipMember::new("a.tar", &tar(&[("b", b"x")]))]));
    assert_eq!(paths(&load_one(dir.path())), ["support.zip/a.tar/b"]);
}

#[test]
fn zip_members_that_cannot_or_must_not_be_taken_are_listed() {
    let link = ZipMember { mode: 0o120_777, ..ZipMember::new("case/link", b"/etc/shadow") };
    let archive = zip(&[
        ZipMember::new("../etc/cron.d/x", b"x"),
        ZipMember::new("/etc/passwd", b"x"),
        ZipMember::new("case/a/../../b", b"x"),
        link,
        ZipMember { mode: 0o010_644, ..ZipMember::new("case/pipe", b"") },
        ZipMember { flags: 1, ..ZipMember::new("case/secret", b"x") },
        ZipMember { method: 93, ..ZipMember::new("case/zstd", b"x") },
        // Written where there are no modes: what looks like one is none.
        ZipMember { made_by: 0, mode: 0o120_777, ..ZipMember::new("case/dos", b"dos") },
        ZipMember::new("case/ok", b"ok"),
    ]);
    let loaded = from_stdin(&archive, &Limits::default());
    assert_eq!(paths(&loaded), ["case/dos", "case/ok"]);
    let zstd = "compressed by zstd (number 93), not supported: unpack the archive and give the folder";
    assert_eq!(
        skipped(&loaded),
        [
            ("../etc/cron.d/x", "path with `..`, not unpacked"),
            ("/etc/passwd", "absolute path, not unpacked"),
            ("case/a/../../b", "path with `..`, not unpacked"),
            ("case/link", "symbolic link, not followed"),
            ("case/pipe", "named pipe, not read"),
            ("case/secret", "encrypted, not unpacked"),
            ("case/zstd", zstd),
        ]
    );
}

#[test]
fn zip_bombs_are_stopped_one_by_one_and_in_all() {
    let zeros = vec![0; 48 * MIB];
    let archive =
        zip(&[ZipMember::new("a", b"ok"), ZipMember::new("zeros", &zeros), ZipMember::new("z", b"ok")]);
    let loaded = from_stdin(&archive, &Limits::default());
    assert_eq!(paths(&loaded), ["a", "z", "zeros"]);
    assert!(matches!(problem_of(&loaded, "zeros"), Problem::Bomb { .. }));
    let limits = Limits { member_bytes: 30_000, ..Limits::default() };
    assert_eq!(problem_of(&from_stdin(&archive, &limits), "zeros"), &Problem::TooLarge { limit: 30_000 });
    // Every entry names the same stored bytes.
    let noise = noise(40_000);
    let one = zip(&[ZipMember { method: 0, ..ZipMember::new("same", &noise) }]);
    let from = 30 + 4 + noise.len();
    let entry = one[from..one.len() - 22].to_vec();
    let mut many = one[..from].to_vec();
    many.extend(entry.repeat(100));
    let mut end = one[one.len() - 22..].to_vec();
    end[12..16].copy_from_slice(&(entry.len() as u32 * 100).to_le_bytes());
    many.extend(end);
    let limits = Limits { total_bytes: 130_000, ..Limits::default() };
    let dir = folder();
    let loaded = load(&[write(dir.path(), "case.zip", &many)], &limits).expect("loads");
    assert_eq!(problem_of(&loaded, "case.zip"), &Problem::TooMuch { limit: 130_000 });
    assert!(loaded.inputs.len() < 6, "{:?}", paths(&loaded));
}

#[test]
fn a_truncated_zip_yields_its_members() {
    let noise = noise(100_000);
    for flags in [0, STREAMED] {
        let member = |name, bytes| ZipMember { flags, ..ZipMember::new(name, bytes) };
        let archive = zip(&[member("a", b"whole"), member("b", &noise), member("c", b"lost")]);
        let loaded = from_stdin(&archive[..60_000], &Limits::default());
        assert_eq!(paths(&loaded), ["a", "b", "stdin"], "{flags}");
        assert_eq!(bytes_of(&loaded, "a"), b"whole");
        assert!(noise.starts_with(bytes_of(&loaded, "b")) && bytes_of(&loaded, "b").len() > 50_000);
        assert!(matches!(problem_of(&loaded, "b"), Problem::EndsEarly { .. }), "{flags}");
        let text = problem_of(&loaded, "stdin").to_string();
        assert_eq!(text, "ends early: the directory is missing, after 60000 bytes");
        // All members and no directory.
        let loaded = from_stdin(&archive[..archive.len() - 22], &Limits::default());
        assert_eq!(paths(&loaded), ["a", "b", "c", "stdin"], "{flags}");
        assert_eq!(bytes_of(&loaded, "c"), b"lost");
    }
}

#[test]
fn a_damaged_zip_member_does_not_take_the_others_with_it() {
    let noise = noise(10_000);
    let stored = ZipMember { method: 0, ..ZipMember::new("b", &noise) };
    let mut archive = zip(&[ZipMember::new("a", b"whole"), stored, ZipMember::new("c", b"whole")]);
    archive[5_000] ^= 0xff;
    let loaded = from_stdin(&archive, &Limits::default());
    assert_eq!(paths(&loaded), ["a", "b", "c"]);
    let text = problem_of(&loaded, "b").to_string();
    assert_eq!(text, "damaged after 10000 bytes: the checksum does not match");
    assert_eq!(bytes_of(&loaded, "c"), b"whole");
}

#[test]
fn damage_is_told_from_truncation() {
    let noise = noise(200_000);
    for mut packed in [gzip(&noise), xz(&noise)] {
        let end = packed.len();
        packed[end / 2] ^= 0xff;
        let loaded = from_stdin(&packed, &Limits::default());
        let problem = problem_of(&loaded, "stdin");
        assert!(matches!(problem, Problem::Damaged { .. }), "{problem}");
    }
    let mut archive = tar(&[("a", b"whole"), ("b", b"lost")]);
    archive[1024 + 3] ^= 0xff;
    let loaded = from_stdin(&archive, &Limits::default());
    assert_eq!(paths(&loaded), ["a", "stdin"]);
    let text = problem_of(&loaded, "stdin").to_string();
    assert_eq!(text, "damaged after 1024 bytes: the checksum of a member header does not match");
}

#[test]
fn no_byte_flipped_or_cut_makes_it_panic_or_invent_members() {
    let archive = tar(&[("a", b"first"), ("b/c", &noise(700)), ("d", b"")]);
    let limits = Limits { total_bytes: 4 * MIB as u64, ..Limits::default() };
    let noise = noise(700);
    let members = [("a", &b"first"[..]), ("b/c", &noise), ("d", b"")].map(|(n, b)| ZipMember::new(n, b));
    let zipped = zip(&members);
    let streamed = zip(&members.map(|m| ZipMember { flags: STREAMED, ..m }));
    for packed in [archive.clone(), gzip(&archive), xz(&archive), zstd(&archive), zipped, streamed] {
        for at in 0..packed.len() {
            let mut bad = packed.clone();
            bad[at] = bad[at].wrapping_add(0x55);
            let _ = load_with_stdin(&["-".into()], &limits, &mut Cursor::new(&bad));
            let cut = from_stdin(&packed[..at], &limits);
            assert!(cut.inputs.iter().all(|i| ["a", "b/c", "d", "stdin"].contains(&i.path.as_str())));
        }
    }
}

#[test]
fn the_order_of_paths_and_of_folders_does_not_matter() {
    let dir = folder();
    for name in ["z", "a/2", "a/10", "A", "m/x.gz"] {
        write(dir.path(), &format!("one/{name}"), &gzip(name.as_bytes()));
    }
    for name in ["m/x.gz", "A", "a/10", "a/2", "z"] {
        write(dir.path(), &format!("elsewhere/one/{name}"), &gzip(name.as_bytes()));
    }
    let file = write(dir.path(), "other.txt", b"o");
    let [one, same] = ["one", "elsewhere/one"].map(|name| dir.path().join(name));
    let limits = Limits::default();
    let first = load(&[one.clone(), file.clone()], &limits).expect("loads");
    let second = load(&[file, same], &limits).expect("loads");
    assert_eq!(paths(&first), ["A", "a/10", "a/2", "m/x.gz", "other.txt", "z"]);
    assert_eq!(paths(&first), paths(&second));
    for (a, b) in first.inputs.iter().zip(&second.inputs) {
        assert_eq!(*a.bytes, *b.bytes);
    }
}

#[test]
fn names_that_collide_are_told_apart_by_as_little_as_it_takes() {
    let dir = folder();
    let bond0 = "proc/net/bonding/bond0";
    for host in ["alpha", "beta"] {
        write(dir.path(), &format!("{host}/{bond0}"), host.as_bytes());
    }
    symlink("nowhere", dir.path().join("alpha/link")).expect("a link");
    let [alpha, beta] = ["alpha", "beta"].map(|name| dir.path().join(name));
    let limits = Limits::default();
    let loaded = load(&[beta.clone(), alpha.clone()], &limits).expect("loads");
    assert_eq!(paths(&loaded), [format!("alpha/{bond0}"), format!("beta/{bond0}")]);
    assert_eq!(loaded.skipped[0].path, "alpha/link");

    let files = [beta.join(bond0), alpha.join(bond0)];
    let loaded = load(&files, &limits).expect("loads");
    assert_eq!(paths(&loaded), [format!("alpha/{bond0}"), format!("beta/{bond0}")]);
    assert_eq!(bytes_of(&loaded, &format!("beta/{bond0}")), b"beta");

    let twice = tar(&[("same", b"1"), ("same", b"2"), ("same~2", b"3")]);
    let loaded = from_stdin(&twice, &limits);
    assert_eq!(paths(&loaded), ["same", "same~2", "same~3"]);
    assert_eq!(bytes_of(&loaded, "same~3"), b"2");
}

#[test]
fn a_file_given_twice_counts_once() {
    let dir = folder();
    let file = write(dir.path(), "case/eno1.pcap", b"frames");
    let case = dir.path().join("case");
    let loaded = load(&[file.clone(), case.clone(), case, file], &Limits::default()).expect("loads");
    assert_eq!(paths(&loaded), ["eno1.pcap"]);
    let why = "already part of case, which is given as well";
    assert_eq!(skipped(&loaded), [("case", why), ("eno1.pcap", why), ("eno1.pcap", why)]);
    let stdin = ["-".into(), "-".into()];
    let loaded = load_with_stdin(&stdin, &Limits::default(), &mut Cursor::new(b"x")).expect("loads");
    assert_eq!(paths(&loaded), ["stdin"]);
}

#[test]
fn names_that_are_not_utf8_are_shown_and_read() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    if fs::write(dir.path().join(name), b"x").is_err() {
        return; // Some file systems take UTF-8 only.
    }
    fs::write(dir.path().join("caf\u{fffd}.txt"), b"y").expect("a file");
    let loaded = load_one(dir.path());
    assert_eq!(paths(&loaded), ["caf\u{fffd}.txt", "caf\u{fffd}.txt~2"]);
}
