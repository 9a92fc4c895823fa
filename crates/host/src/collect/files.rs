//! Readings from files of `/proc` and `/sys`, and from configuration.

use super::{Sink, text};
use crate::sys::procfs::open_net;
use bondwitness_core::collection::Window;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Files of the kernel are smaller: `/proc/interrupts` of 512 CPUs with 2000 lines has 12 MB.
const AT_MOST: u64 = 16 * 1024 * 1024;

/// The path of a file of `/proc/net` for the network namespace of the calling thread.
///
/// `/proc/net` is `/proc/self/net`: the namespace of the process' first thread, and it is not there at all where
/// `ProcSubset=pid` is in force.
pub(super) fn proc_net(name: &str) -> PathBuf {
    Path::new("/proc/thread-self/net").join(name)
}

/// Reads a whole file, at most 16 MiB of it.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    whole(File::open(path)?)
}

fn whole(file: File) -> io::Result<Vec<u8>> {
    // Files of the kernel tell no size; most fit.
    let mut bytes = Vec::with_capacity(4096);
    file.take(AT_MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a whole file and says when.
pub(super) fn timed(path: &Path) -> (Window, io::Result<Vec<u8>>) {
    let begun = crate::clock::begin();
    let bytes = read(path);
    (begun.end(), bytes)
}

/// Hands over a file; its path is the source.
pub(super) fn hand_over(
    sink: &mut dyn Sink,
    collector: &'static str,
    file: &str,
    path: &str,
) -> io::Result<()> {
    let (window, bytes) = timed(Path::new(path));
    text(sink, collector, file, path, window, bytes)
}

/// Hands over a file of `/proc/net`.
pub(super) fn hand_over_proc_net(
    sink: &mut dyn Sink,
    collector: &'static str,
    file: &str,
    name: &str,
) -> io::Result<()> {
    let begun = crate::clock::begin();
    let bytes = open_net(name).and_then(whole);
    let window = begun.end();
    text(sink, collector, file, &format!("/proc/net/{name}"), window, bytes)
}

/// Reads small files and writes each of their lines behind its path, as `grep -H . PATH...` does. Files that are not
/// there, that are empty or that cannot be read (a carrier of an interface that is down: `EINVAL`) give no line.
pub(super) fn grep(paths: &[String]) -> (Window, Vec<u8>) {
    let begun = crate::clock::begin();
    let mut out = Vec::new();
    // A file of sysfs is a page, of which one read gets all.
    let mut page = vec![0; 64 * 1024];
    for path in paths {
        let Ok(length) = File::open(path).and_then(|mut f| f.read(&mut page)) else { continue };
        let bytes = page.get(..length).unwrap_or_default();
        for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            out.extend_from_slice(path.as_bytes());
            out.push(b':');
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    (begun.end(), out)
}

/// The error for what `/sys` cannot tell about this network namespace.
pub(super) fn foreign_sysfs() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the sysfs that is mounted here shows another network namespace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grep_shows_paths_and_leaves_out_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("mode"), "802.3ad 4\n").unwrap();
        std::fs::write(path("empty"), "\n").unwrap();
        std::fs::write(path("two"), "a\nb").unwrap();
        let (_, bytes) = grep(&[path("mode"), path("no-such"), path("empty"), path("two")]);
        let expected = format!("{}:802.3ad 4\n{}:a\n{}:b\n", path("mode"), path("two"), path("two"));
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
