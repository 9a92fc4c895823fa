//! Zip archives: read through the directory at their end or, where that is missing, from header to header.
//!
//! Written here instead of taken from a crate, because the readers at hand refuse an archive without its
//! directory as a whole, and writers that stream (Go's `archive/zip`, hence a Talos support bundle) leave the
//! sizes to a descriptor after the data: a bundle cut in transfer would yield nothing. Deflate ends by itself, so
//! its members can be had even then. Nothing in a header is trusted: every offset and size is looked up in the
//! bytes that are there.

use super::archive::Kind;
use super::compressed::{Compression, Inflated};
use super::error::Problem;
use super::limits::Budget;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
const LOCATOR64_LEN: usize = 20;
/// A comment of up to 65535 bytes may follow the end record.
const COMMENT_MAX: usize = 0xffff;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// A field whose value stands in the zip64 extension.
const IN_ZIP64: u64 = 0xffff_ffff;
const ZIP64: u16 = 1;

/// Whether `head` starts with the header of a member, or with the end record of an archive without any.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(LOCAL) || head.starts_with(END)
}

/// One member.
pub(super) struct Entry<'a> {
    /// Its name, as stored.
    pub(super) name: Vec<u8>,
    /// What it is.
    pub(super) kind: Kind,
    /// Its size when unpacked, where a header says it.
    pub(super) size: Option<u64>,
    crc: Option<u32>,
    deflated: bool,
    packed: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Its content, to be read.
    pub(super) fn content(&self, budget: &'a Budget<'a>) -> Content<'a> {
        if self.deflated {
            return Content::Deflated(Box::new(Inflated::new(Compression::Deflate, self.packed, budget)));
        }
        Content::Stored { rest: self.packed, budget, out: 0 }
    }

    /// What is wrong with the content that was read to its end.
    pub(super) fn check(&self, bytes: &[u8]) -> Option<Problem> {
        let after = bytes.len() as u64;
        if let Some(size) = self.size.filter(|&size| after < size) {
            return Some(Problem::EndsEarly { why: format!("{after} of {size} bytes") });
        }
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let differs = self.crc.is_some_and(|stored| stored != crc.sum());
        differs.then(|| Problem::Damaged { after, why: "the checksum does not match".to_owned() })
    }
}

/// The content of a member on its way out.
pub(super) enum Content<'a> {
    Stored { rest: &'a [u8], budget: &'a Budget<'a>, out: u64 },
    Deflated(Box<Inflated<'a>>),
}

impl Content<'_> {
    /// Fills the beginning of `buf`; 0 is the end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        match self {
            Self::Deflated(inflated) => inflated.read(buf),
            Self::Stored { rest, budget, out } => {
                let n = rest.len().min(buf.len());
                let (now, later) = rest.split_at(n);
                for (to, from) in buf.iter_mut().zip(now) {
                    *to = *from;
                }
                *rest = later;
                *out = out.saturating_add(n as u64);
                // Many entries of a hostile directory can name the same bytes: these count as made, not as read.
                budget.inflate(n as u64, *out, *out)?;
                Ok(n)
            }
        }
    }
}

/// The walk through an archive.
pub(super) struct Walk<'a> {
    archive: &'a [u8],
    budget: &'a Budget<'a>,
    at: usize,
    by: By,
    problem: Option<Problem>,
}

/// What leads from member to member.
enum By {
    /// The directory, which ends at `end`; its offsets count from `base`.
    Directory { base: u64, end: usize },
    /// The headers of the members themselves.
    Headers,
}

/// Where the directory is: `from..end`, and from where its offsets count.
struct Directory {
    from: usize,
    end: usize,
    base: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(archive: &'a [u8], budget: &'a Budget<'a>) -> Self {
        let (at, by, problem) = match directory(archive) {
            Ok(d) => (d.from, By::Directory { base: d.base, end: d.end }, None),
            Err(problem) => (0, By::Headers, Some(problem)),
        };
        Self { archive, budget, at, by, problem }
    }

    /// What keeps the archive from being whole, known when the walk is over.
    pub(super) fn problem(self) -> Option<Problem> {
        self.problem
    }

    /// The next member; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Entry<'a>> {
        match self.by {
            By::Directory { base, end } => self.listed(base, end),
            By::Headers => self.following(),
        }
    }

    fn damaged(&mut self, why: &str) {
        let problem = Problem::Damaged { after: self.at as u64, why: why.to_owned() };
        self.problem.get_or_insert(problem);
    }

    /// The next member that the directory lists.
    fn listed(&mut self, base: u64, end: usize) -> Option<Entry<'a>> {
        if self.at >= end {
            return None;
        }
        let Some(listed) = self.archive.get(self.at..end).and_then(Listed::read) else {
            self.damaged("an entry of the directory is not one");
            return None;
        };
        self.at = self.at.saturating_add(listed.len);
        let packed = usize::try_from(base.saturating_add(listed.offset))
            .ok()
            .and_then(|at| self.archive.get(at..))
            .and_then(|rest| Some((rest, Header::read(rest)?)))
            .and_then(|(rest, local)| rest.get(local.len..));
        let mut kind = listed.kind;
        let packed = packed.map_or_else(
            || {
                if matches!(kind, Kind::File) {
                    kind = Kind::Other("no data where the directory says, not unpacked".to_owned());
                }
                &[][..]
            },
            |rest| upto(rest, listed.header.packed),
        );
        let crc = Some(listed.header.crc);
        let size = Some(listed.header.size);
        let deflated = listed.header.method == DEFLATED;
        Some(Entry { name: listed.header.name, kind, size, crc, deflated, packed })
    }

    /// The next member by its own header.
    fn following(&mut self) -> Option<Entry<'a>> {
        let rest = self.archive.get(self.at..).unwrap_or_default();
        if !rest.starts_with(LOCAL) {
            // The directory begins, or the cut is exactly between two members.
            if !rest.is_empty() && !rest.starts_with(CENTRAL) && !rest.starts_with(END) {
                self.damaged("no member begins here");
            }
            return None;
        }
        // Cut inside a header: the missing directory is the problem already.
        let header = Header::read(rest)?;
        let data = rest.get(header.len..).unwrap_or_default();
        let kind = header.kind();
        let deflated = header.method == DEFLATED;
        if !header.streamed() {
            let packed = upto(data, header.packed);
            let end = header.len.saturating_add(usize::try_from(header.packed).unwrap_or(usize::MAX));
            self.at = self.at.saturating_add(end);
            let (size, crc) = (Some(header.size), Some(header.crc));
            return Some(Entry { name: header.name, kind, size, crc, deflated, packed });
        }
        if !deflated || header.encrypted() {
            // The end of such data cannot be told from the data.
            let shown = String::from_utf8_lossy(&header.name).into_owned();
            self.damaged(&format!("no size for {shown}, which nothing else tells either"));
            self.at = self.archive.len();
            return None;
        }
        let Some(len) = self.deflated_len(data) else {
            // Cut or damaged inside: what can be unpacked is the last that there is.
            self.at = self.archive.len();
            return Some(Entry { name: header.name, kind, size: None, crc: None, deflated, packed: data });
        };
        let after = data.get(len..).unwrap_or_default();
        let descriptor = Descriptor::read(after);
        let taken = header.len.saturating_add(len).saturating_add(descriptor.as_ref().map_or(0, |d| d.len));
        self.at = self.at.saturating_add(taken);
        let crc = descriptor.map(|d| d.crc);
        Some(Entry { name: header.name, kind, size: None, crc, deflated, packed: upto(data, len as u64) })
    }

    /// How many bytes the deflate stream at the beginning of `data` takes, if it is whole.
    fn deflated_len(&self, data: &'a [u8]) -> Option<usize> {
        let mut inflated = Inflated::new(Compression::Deflate, data, self.budget);
        let mut scratch = vec![0; 32 * 1024];
        while inflated.read(&mut scratch).ok()? > 0 {}
        usize::try_from(inflated.taken()).ok()
    }
}

/// Finds the directory through the end record.
fn directory(archive: &[u8]) -> Result<Directory, Problem> {
    let missing =
        || Problem::EndsEarly { why: format!("the directory is missing, after {} bytes", archive.len()) };
    let damaged = |after: usize, why: &str| Problem::Damaged { after: after as u64, why: why.to_owned() };
    let from = archive.len().saturating_sub(END_LEN + COMMENT_MAX);
    let tail = archive.get(from..).unwrap_or_default();
    // The last one: an archive stored in this one has an end record too.
    let end = tail.windows(END.len()).rposition(|w| w == END).ok_or_else(missing)?.saturating_add(from);
    let record = archive.get(end..).unwrap_or_default();
    if record.len() < END_LEN {
        return Err(missing());
    }
    let (mut size, mut offset) = (u32_at(record, 12), u32_at(record, 16));
    let mut dir_end = end;
    let locator = end.checked_sub(LOCATOR64_LEN).and_then(|at| archive.get(at..end));
    if let Some(locator) = locator.filter(|l| l.starts_with(LOCATOR64)) {
        let at = usize::try_from(u64_at(locator, 8)).unwrap_or(usize::MAX);
        let record = archive.get(at..).filter(|r| r.starts_with(END64));
        let record = record.ok_or_else(|| damaged(end, "no zip64 end record where the locator says"))?;
        (size, offset) = (u64_at(record, 40), u64_at(record, 48));
        dir_end = at;
    }
    let from = usize::try_from(size).ok().and_then(|size| dir_end.checked_sub(size));
    let from = from.ok_or_else(|| damaged(end, "the directory is larger than the archive"))?;
    // Bytes put in front of an archive move everything but the offsets in it.
    let base = (from as u64).checked_sub(offset);
    let base = base.ok_or_else(|| damaged(end, "the directory is not where the end record says"))?;
    let begins = archive.get(from..).is_some_and(|d| d.starts_with(CENTRAL));
    if from < dir_end && !begins {
        return Err(damaged(from, "the directory is not where the end record says"));
    }
    Ok(Directory { from, end: dir_end, base })
}

/// What both kinds of header say.
struct Header {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    name: Vec<u8>,
    /// Bytes of the header, name and extensions.
    len: usize,
}

impl Header {
    /// The header in front of the data.
    fn read(bytes: &[u8]) -> Option<Self> {
        let fixed = bytes.get(..LOCAL_LEN).filter(|h| h.starts_with(LOCAL))?;
        let (name_len, extra_len) = (usize::from(u16_at(fixed, 26)), usize::from(u16_at(fixed, 28)));
        let name = bytes.get(LOCAL_LEN..LOCAL_LEN + name_len)?.to_vec();
        let len = LOCAL_LEN + name_len + extra_len;
        let extra = bytes.get(LOCAL_LEN + name_len..len)?;
        let (mut size, mut packed) = (u32_at(fixed, 22), u32_at(fixed, 18));
        zip64(extra, &mut [&mut size, &mut packed]);
        let crc = u32_at(fixed, 14) as u32;
        Some(Self { flags: u16_at(fixed, 6), method: u16_at(fixed, 8), crc, packed, size, name, len })
    }

    const fn encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether sizes and checksum stand behind the data instead.
    const fn streamed(&self) -> bool {
        self.flags & 8 != 0 && (self.packed == 0 || self.packed == IN_ZIP64)
    }

    /// What it is, as far as the common part tells.
    fn kind(&self) -> Kind {
        if self.name.ends_with(b"/") {
            Kind::Folder
        } else if self.encrypted() {
            Kind::Other("encrypted, not unpacked".to_owned())
        } else if self.method == STORED || self.method == DEFLATED {
            Kind::File
        } else {
            let method = match self.method {
                9 => "deflate64",
                12 => "bzip2",
                14 => "LZMA",
                93 => "zstd",
                95 => "xz",
                98 => "PPMd",
                _ => "a rare method",
            };
            let number = self.method;
            Kind::Other(format!(
                "compressed by {method} (number {number}), not supported: unpack the archive and give the folder"
            ))
        }
    }
}

/// An entry of the directory.
struct Listed {
    header: Header,
    kind: Kind,
    offset: u64,
    len: usize,
}

impl Listed {
    fn read(bytes: &[u8]) -> Option<Self> {
        let fixed = bytes.get(..CENTRAL_LEN).filter(|h| h.starts_with(CENTRAL))?;
        let (name_len, extra_len) = (usize::from(u16_at(fixed, 28)), usize::from(u16_at(fixed, 30)));
        let len = CENTRAL_LEN + name_len + extra_len + usize::from(u16_at(fixed, 32));
        let name = bytes.get(CENTRAL_LEN..CENTRAL_LEN + name_len)?.to_vec();
        let extra = bytes.get(CENTRAL_LEN + name_len..CENTRAL_LEN + name_len + extra_len)?;
        let (mut size, mut packed, mut offset) = (u32_at(fixed, 24), u32_at(fixed, 20), u32_at(fixed, 42));
        zip64(extra, &mut [&mut size, &mut packed, &mut offset]);
        let crc = u32_at(fixed, 16) as u32;
        let header =
            Header { flags: u16_at(fixed, 8), method: u16_at(fixed, 10), crc, packed, size, name, len };
        let kind = unix_kind(u16_at(fixed, 4), u16_at(fixed, 40)).unwrap_or_else(|| header.kind());
        Some(Self { header, kind, offset, len })
    }
}

/// What the mode says that Unix writers leave in the upper half of the attributes. Nothing for a plain file.
fn unix_kind(made_by: u16, mode: u16) -> Option<Kind> {
    const UNIX: u16 = 3;
    const DARWIN: u16 = 19;
    if !matches!(made_by >> 8, UNIX | DARWIN) {
        return None;
    }
    let other = match mode & 0o170_000 {
        0o040_000 => return Some(Kind::Folder),
        0o120_000 => "symbolic link, not followed",
        0o020_000 => "character device, not read",
        0o060_000 => "block device, not read",
        0o010_000 => "named pipe, not read",
        0o140_000 => "socket, not read",
        _ => return None,
    };
    Some(Kind::Other(other.to_owned()))
}

/// Sizes and checksum behind the data.
struct Descriptor {
    crc: u32,
    len: usize,
}

impl Descriptor {
    /// Its signature is optional and its sizes have 4 or 8 bytes each: what follows it tells.
    fn read(bytes: &[u8]) -> Option<Self> {
        let sign = if bytes.starts_with(DESCRIPTOR) { DESCRIPTOR.len() } else { 0 };
        let lens = [sign + 12, sign + 20];
        let crc = u32_at(bytes.get(sign..sign.saturating_add(4))?, 0) as u32;
        let follows = |len: usize| {
            let next = bytes.get(len..).unwrap_or_default();
            next.starts_with(LOCAL) || next.starts_with(CENTRAL)
        };
        let len = lens.into_iter().find(|&len| follows(len)).unwrap_or(bytes.len());
        Some(Self { crc, len })
    }
}

/// Replaces the values that stand in the zip64 extension; they are there in this order, and only these.
fn zip64(mut extra: &[u8], values: &mut [&mut u64]) {
    while let (Some(head), Some(rest)) = (extra.get(..4), extra.get(4..)) {
        let len = usize::from(u16_at(head, 2)).min(rest.len());
        let (mut field, after) = rest.split_at(len);
        if u16_at(head, 0) == ZIP64 {
            for value in values.iter_mut().filter(|value| ***value == IN_ZIP64) {
                let Some((number, more)) = field.split_at_checked(8) else { return };
                **value = u64_at(number, 0);
                field = more;
            }
            return;
        }
        extra = after;
    }
}

/// The first `len` bytes, or what there is of them.
fn upto(bytes: &[u8], len: u64) -> &[u8] {
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(..len).unwrap_or_default()
}

/// The little-endian number at `at`; bytes that are missing count as 0, callers have looked at the length.
fn number_at(bytes: &[u8], at: usize, len: usize) -> u64 {
    let bytes = bytes.get(at..).unwrap_or_default().iter().take(len);
    bytes.rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    number_at(bytes, at, 2) as u16
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    number_at(bytes, at, 4)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    number_at(bytes, at, 8)
}
