//! From readings to the files of a case.
//!
//! The spool only appends: what was collected until now is a whole case at every moment, so that a collection that ends
//! early is judged like any other.

use super::v1;
use super::{Form, Reading};
use crate::capture::writer::{self, Packet, Writer};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The index of all readings in the case: one line each.
pub const READINGS: &str = "readings.txt";
/// Its first line.
pub const READINGS_HEAD: &str =
    "# file | source | begin, monotonic ns | end - begin, ns | octets, or why there are none\n";

/// The filter of the sensor's captures, in words of libpcap: slow protocols and LLDP.
const FILTER: &str = "ether proto 0x8809 or 0x88cc";

/// The ids of a capture file's interfaces, by name and link type.
type Interfaces = BTreeMap<(String, u16), u32>;

/// The files of a collection in the making.
#[derive(Debug, Clone)]
pub struct Spool {
    application: String,
    os: String,
    texts: BTreeMap<String, Vec<u8>>,
    captures: BTreeMap<String, (Writer, Interfaces)>,
    readings: String,
    failures: BTreeMap<(String, String, v1::Cause, String), u64>,
}

impl Spool {
    /// An empty case. `application` and `os` are written into captures.
    #[must_use]
    pub fn new(application: &str, os: &str) -> Self {
        Self {
            application: application.to_owned(),
            os: os.to_owned(),
            texts: BTreeMap::new(),
            captures: BTreeMap::new(),
            readings: READINGS_HEAD.to_owned(),
            failures: BTreeMap::new(),
        }
    }

    /// Takes a reading. Names of files and sources may hold anything: they are made safe here.
    pub fn take(&mut self, reading: &Reading<'_>) {
        let file = safe_path(&reading.file);
        let source = one_line(&reading.source);
        // Frames carry their own time stamps; a line for each would say nothing new.
        if !matches!(reading.form, Form::Frame { .. }) {
            let window = reading.window;
            let _ = write!(
                self.readings,
                "{file} | {source} | {} | {} | ",
                window.begin_ns,
                window.end_ns.saturating_sub(window.begin_ns)
            );
        }
        match &reading.form {
            Form::Failed { collector, why, detail } => {
                let detail = one_line(detail);
                let _ = writeln!(self.readings, "{}: {detail}", why.words());
                *self.failures.entry((source, collector.to_string(), *why, detail)).or_default() += 1;
            }
            Form::Text(bytes) => {
                let _ = writeln!(self.readings, "{}", bytes.len());
                let ns = reading.window.real_ns;
                let out = self.texts.entry(file).or_default();
                let head = format!(
                    "@@ {}.{:09}\n==> {source} <==\n",
                    ns.div_euclid(1_000_000_000),
                    ns.rem_euclid(1_000_000_000)
                );
                out.extend(head.bytes());
                out.extend(bytes.iter());
                if !bytes.ends_with(b"\n") {
                    out.push(b'\n');
                }
            }
            Form::Netlink { protocol, datagram } => {
                let _ = writeln!(self.readings, "{}", datagram.len());
                let cooked = writer::cooked_netlink(*protocol, datagram);
                self.packet(&file, "netlink", writer::NETLINK, None, |interface| Packet {
                    interface,
                    ns: reading.window.real_ns,
                    data: &cooked,
                    length: u32::try_from(cooked.len()).unwrap_or(u32::MAX),
                    direction: None,
                    comment: Some(&source),
                });
            }
            Form::Frame { dev, direction, length, bytes } => {
                self.packet(&file, dev, writer::ETHERNET, Some(FILTER), |interface| Packet {
                    interface,
                    ns: reading.window.real_ns,
                    data: bytes,
                    length: *length,
                    direction: Some(*direction),
                    comment: None,
                });
            }
        }
    }

    /// A capture file that exists although nothing was captured: that nothing came is evidence.
    pub fn open_capture(&mut self, file: &str, dev: &str) {
        let file = safe_path(file);
        self.interface(&file, dev, writer::ETHERNET, Some(FILTER));
    }

    /// Writes what a capture counted into its file.
    pub fn close_capture(&mut self, capture: &v1::Capture) {
        let file = safe_path(&capture.file);
        let id = self.interface(&file, &capture.dev, writer::ETHERNET, None);
        if let Some((writer, _)) = self.captures.get_mut(&file) {
            writer.statistics(id, capture.to_ns, capture.seen, capture.lost);
        }
    }

    /// What could not be read so far.
    #[must_use]
    pub fn failures(&self) -> Vec<v1::Failure> {
        self.failures
            .iter()
            .map(|((source, collector, why, detail), times)| v1::Failure {
                source: source.clone(),
                collector: collector.clone(),
                why: *why,
                detail: detail.clone(),
                times: *times,
            })
            .collect()
    }

    /// The files of the case, with `case.json`, whose failures are those of the spool.
    #[must_use]
    pub fn files(&self, collection: &v1::Collection) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.texts.clone();
        for (name, (writer, _)) in &self.captures {
            files.insert(name.clone(), writer.bytes().to_vec());
        }
        files.insert(READINGS.to_owned(), self.readings.clone().into_bytes());
        let mut collection = collection.clone();
        collection.schema = v1::SCHEMA.to_owned();
        collection.failures = self.failures();
        // Plain strings and numbers: this cannot fail; an empty file would be noticed by whoever reads it.
        let mut json = serde_json::to_vec_pretty(&collection).unwrap_or_default();
        json.push(b'\n');
        files.insert(v1::FILE.to_owned(), json);
        files
    }

    /// Octets held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.values().map(Vec::len).sum::<usize>()
            + self.captures.values().map(|(w, _)| w.bytes().len()).sum::<usize>()
            + self.readings.len()
    }

    /// True if nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.captures.is_empty()
    }

    fn interface(&mut self, file: &str, dev: &str, link: u16, filter: Option<&str>) -> u32 {
        let (writer, known) = self
            .captures
            .entry(file.to_owned())
            .or_insert_with(|| (Writer::new(&self.application, &self.os), BTreeMap::new()));
        // Frames are cut by the sensor at 512 octets, netlink datagrams nowhere.
        let snaplen = if link == writer::ETHERNET { 512 } else { 0 };
        *known.entry((dev.to_owned(), link)).or_insert_with(|| writer.interface(dev, link, snaplen, filter))
    }

    fn packet<'a>(
        &mut self,
        file: &str,
        dev: &str,
        link: u16,
        filter: Option<&str>,
        packet: impl FnOnce(u32) -> Packet<'a>,
    ) {
        let id = self.interface(file, dev, link, filter);
        if let Some((writer, _)) = self.captures.get_mut(file) {
            writer.packet(&packet(id));
        }
    }
}

/// A path that is safe in an archive and on a disk: plain names of `[A-Za-z0-9._@+-]`, anything else as `%XX`. Interface
/// names may hold escape sequences and quotes (`reliability.md` finding 9).
#[must_use]
pub fn safe_path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').filter(|p| !p.is_empty()).map(safe_name).collect();
    if parts.is_empty() { "unnamed".to_owned() } else { parts.join("/") }
}

/// One name of a path, as for [`safe_path`].
#[must_use]
pub fn safe_name(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'+' | b'-') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.chars().all(|c| c == '.') { out.replace('.', "%2E") } else { out }
}

/// Without line breaks and without what would end the `==> ... <==` line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '|' { '?' } else { c })
        .collect::<String>()
        .replace("<==", "<=?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Window;
    use crate::evidence::Direction;
    use std::borrow::Cow;

    const AT: Window = Window { begin_ns: 5, end_ns: 9, real_ns: 1_700_000_000_000_000_007 };

    #[test]
    fn each_form_becomes_what_ordinary_tools_read() {
        let mut spool = Spool::new("bondwitness 0.1.0", "Linux 6.12");
        let text = |bytes: &'static [u8]| Reading {
            file: "state/bonding.txt".into(),
            source: "/proc/net/bonding/bond0".into(),
            window: AT,
            form: Form::Text(Cow::Borrowed(bytes)),
        };
        spool.take(&text(b"Ethernet Channel Bonding Driver: v6.12\n"));
        spool.take(&text(b"again"));
        spool.take(&Reading {
            file: "capture/eno1.pcapng".into(),
            source: "eno1".into(),
            window: AT,
            form: Form::Frame {
                dev: "eno1".into(),
                direction: Direction::Out,
                length: 124,
                bytes: Cow::Owned(vec![0; 60]),
            },
        });
        spool.take(&Reading {
            file: "log/kmsg.txt".into(),
            source: "/dev/kmsg".into(),
            window: AT,
            form: Form::Failed {
                collector: "kernel-log".into(),
                why: v1::Cause::NoPrivilege,
                detail: "operation not permitted".into(),
            },
        });
        let files = spool.files(&v1::Collection::default());
        assert_eq!(
            String::from_utf8_lossy(files.get("state/bonding.txt").unwrap()),
            "@@ 1700000000.000000007\n==> /proc/net/bonding/bond0 <==\nEthernet Channel Bonding Driver: v6.12\n\
             @@ 1700000000.000000007\n==> /proc/net/bonding/bond0 <==\nagain\n"
        );
        assert!(crate::capture::is_capture(files.get("capture/eno1.pcapng").unwrap()));
        let case: v1::Collection = serde_json::from_slice(files.get(v1::FILE).unwrap()).unwrap();
        assert_eq!(case.failures.len(), 1);
        assert_eq!(case.failures.first().unwrap().why, v1::Cause::NoPrivilege);
        let readings = String::from_utf8_lossy(files.get(READINGS).unwrap()).into_owned();
        assert_eq!(readings.lines().count(), 4, "{readings}");
        assert!(
            readings.contains("log/kmsg.txt | /dev/kmsg | 5 | 4 | no privilege: operation not permitted")
        );
    }

    #[test]
    fn names_of_interfaces_cannot_leave_the_case() {
        assert_eq!(safe_path("../etc/passwd"), "%2E%2E/etc/passwd");
        assert_eq!(safe_path("/a//b\x1b[31m"), "a/b%1B%5B31m");
        assert_eq!(one_line("x <==\n@@ 1"), "x <=??@@ 1");
    }
}
