//! Tar archives, read front to back: nothing is written to disk and no member is trusted.
//!
//! The crate `tar` parses the header fields; walking the archive is done here, so that every byte read is
//! under the limits and a cut archive still gives up its members.

use tar::{EntryType, Header, PaxExtensions};

use super::compressed::Inflated;
use super::error::{Problem, sentence};

const BLOCK: usize = 512;
/// Longest path that is taken.
const PATH_MAX: usize = 4096;
/// Largest extension header (long names, attributes) that is taken.
const EXTENSION_MAX: u64 = 1024 * 1024;
const CHUNK: usize = 32 * 1024;

/// Whether `head` starts with a tar header: by its magic, or by its checksum for the format before that.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
        || head.first_chunk().is_some_and(|block: &[u8; BLOCK]| checksum_holds(block))
}

fn checksum_holds(block: &[u8; BLOCK]) -> bool {
    let header = Header::from_byte_slice(block);
    let Ok(stored) = header.cksum() else { return false };
    let bytes = || block.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { b' ' } else { b });
    let unsigned: u32 = bytes().map(u32::from).sum();
    // Some old writers summed signed bytes.
    let signed: i32 = bytes().map(|b| i32::from(b.cast_signed())).sum();
    stored == unsigned || i32::try_from(stored) == Ok(signed)
}

/// Where an archive is read from.
pub(super) enum Tape<'a> {
    /// A plain archive: what is left of it, and how long it was.
    Plain(&'a [u8], u64),
    /// A compressed one, with the number of bytes read so far.
    Packed(Box<Inflated<'a>>, u64),
}

impl<'a> Tape<'a> {
    pub(super) const fn plain(archive: &'a [u8]) -> Self {
        Self::Plain(archive, archive.len() as u64)
    }

    pub(super) fn packed(inflated: Inflated<'a>) -> Self {
        Self::Packed(Box::new(inflated), 0)
    }

    /// Fills the beginning of `buf`; 0 is the end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        match self {
            Self::Plain(rest, _) => {
                let n = rest.len().min(buf.len());
                let (now, later) = rest.split_at(n);
                for (to, from) in buf.iter_mut().zip(now) {
                    *to = *from;
                }
                *rest = later;
                Ok(n)
            }
            Self::Packed(inflated, at) => {
                let n = inflated.read(buf)?;
                *at = at.saturating_add(n as u64);
                Ok(n)
            }
        }
    }

    /// Bytes read or skipped so far.
    const fn at(&self) -> u64 {
        match self {
            Self::Plain(rest, size) => size.saturating_sub(rest.len() as u64),
            Self::Packed(_, at) => *at,
        }
    }

    /// Passes over up to `amount` bytes and says how many there were.
    fn skip(&mut self, amount: u64) -> Result<u64, Problem> {
        if let Self::Plain(rest, _) = self {
            let n = usize::try_from(amount).unwrap_or(usize::MAX).min(rest.len());
            *rest = rest.split_at(n).1;
            return Ok(n as u64);
        }
        let mut scratch = vec![0; CHUNK];
        let mut skipped = 0;
        while skipped < amount {
            let want = usize::try_from(amount - skipped).unwrap_or(CHUNK).min(CHUNK);
            let n = self.read(scratch.get_mut(..want).unwrap_or_default())?;
            if n == 0 {
                break;
            }
            skipped += n as u64;
        }
        Ok(skipped)
    }

    /// Reads until `buf` is full or the end, and says how far it came.
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        let mut filled = 0;
        while let Some(free) = buf.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.read(free)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}

/// What an archive says about one member.
pub(super) struct Member {
    /// Its name, as stored.
    pub(super) name: Vec<u8>,
    /// What it is.
    pub(super) kind: Kind,
    /// Bytes of content that follow in the archive.
    pub(super) size: u64,
}

/// What a member is.
pub(super) enum Kind {
    File,
    Folder,
    /// Not taken, and why.
    Other(String),
}

/// The walk through an archive.
pub(super) struct Walk<'a> {
    tape: Tape<'a>,
    /// Content and padding of the current member that nobody has read yet.
    left: u64,
    padding: u64,
}

/// What extension headers say about the member after them.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(tape: Tape<'a>) -> Self {
        Self { tape, left: 0, padding: 0 }
    }

    /// The next member; `None` at the end mark.
    pub(super) fn next(&mut self) -> Result<Option<Member>, Problem> {
        let mut extension = Extension::default();
        loop {
            self.pass(self.left.saturating_add(self.padding))?;
            let Some(block) = self.block()? else { return Ok(None) };
            let header = Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let size = match extension.size {
                // A hard link shares the content of another member and has none of its own.
                _ if kind.is_hard_link() => 0,
                Some(size) if !is_extension(kind) => size,
                _ => header.entry_size().map_err(|_| self.damaged("a member size is not a number"))?,
            };
            self.expect(size);
            if kind.is_gnu_longname() {
                extension.name = Some(trim_nul(self.extension(size)?));
            } else if kind.is_pax_local_extensions() {
                let records = self.extension(size)?;
                extension.read_pax(&records);
            } else if !is_extension(kind) {
                let sparse = extension.sparse || kind.is_gnu_sparse();
                self.pass_sparse_map(header)?;
                let name = extension.name.unwrap_or_else(|| header.path_bytes().into_owned());
                let kind = kind_of(kind, sparse, &name);
                return Ok(Some(Member { name, kind, size }));
            }
        }
    }

    /// Reads content of the current member; 0 is its end, or the end of the archive.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let n = self.tape.read(buf.get_mut(..want).unwrap_or_default())?;
        self.left -= (n as u64).min(self.left);
        Ok(n)
    }

    fn expect(&mut self, size: u64) {
        let block = BLOCK as u64;
        self.left = size;
        self.padding = (block - size % block) % block;
    }

    fn pass(&mut self, amount: u64) -> Result<(), Problem> {
        (self.left, self.padding) = (0, 0);
        let skipped = self.tape.skip(amount)?;
        if skipped < amount {
            return Err(self.ends_early(&format!("the last member lacks {} bytes", amount - skipped)));
        }
        Ok(())
    }

    /// The next header; `None` at the end mark.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Problem> {
        let mut block = [0; BLOCK];
        match self.tape.fill(&mut block)? {
            BLOCK => {}
            0 => return Err(self.ends_early("the end mark of the archive is missing")),
            _ => return Err(self.ends_early("the archive stops inside a header")),
        }
        if block.iter().all(|&b| b == 0) {
            return Ok(None);
        }
        if !checksum_holds(&block) {
            return Err(self.damaged("the checksum of a member header does not match"));
        }
        Ok(Some(block))
    }

    /// The content of an extension header, of which there is little in any honest archive.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Problem> {
        if size > EXTENSION_MAX {
            return Err(self.damaged(&format!("an extension header of {size} bytes")));
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        let filled = self.tape.fill(&mut content)?;
        self.left = 0;
        if filled < content.len() {
            return Err(self.ends_early("the archive stops inside an extension header"));
        }
        Ok(content)
    }

    /// The map of an old GNU sparse member continues in blocks that its size does not count.
    fn pass_sparse_map(&mut self, header: &Header) -> Result<(), Problem> {
        let gnu = header.as_gnu().filter(|_| header.entry_type().is_gnu_sparse());
        let mut more = gnu.is_some_and(tar::GnuHeader::is_extended);
        while more {
            let mut map = tar::GnuExtSparseHeader::new();
            if self.tape.fill(map.as_mut_bytes())? < BLOCK {
                return Err(self.ends_early("the archive stops inside a sparse map"));
            }
            more = map.is_extended();
        }
        Ok(())
    }

    fn ends_early(&self, why: &str) -> Problem {
        Problem::EndsEarly { why: format!("{why}, after {} bytes", self.tape.at()) }
    }

    fn damaged(&self, why: &str) -> Problem {
        Problem::Damaged { after: self.tape.at().saturating_sub(BLOCK as u64), why: sentence(why) }
    }
}

impl Extension {
    fn read_pax(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).flatten() {
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok()),
                b"GNU.sparse.name" => {
                    self.name = Some(value.to_vec());
                    self.sparse = true;
                }
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
    }
}

/// Headers that describe the next member, or all of them, instead of being one.
fn is_extension(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

fn kind_of(kind: EntryType, sparse: bool, name: &[u8]) -> Kind {
    let other = match kind {
        _ if sparse => "sparse member, not unpacked: unpack the archive and give the folder",
        EntryType::Directory => return Kind::Folder,
        // The format before `ustar` has no type for folders.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => return Kind::Folder,
        EntryType::Regular | EntryType::Continuous => return Kind::File,
        EntryType::Link => "hard link, not followed",
        EntryType::Symlink => "symbolic link, not followed",
        EntryType::Char => "character device, not read",
        EntryType::Block => "block device, not read",
        EntryType::Fifo => "named pipe, not read",
        // GNU tar: a folder with the list of its files.
        other if other.as_byte() == b'D' => return Kind::Folder,
        other => return Kind::Other(format!("member of unknown type 0x{:02x}", other.as_byte())),
    };
    Kind::Other(other.to_owned())
}

fn trim_nul(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

/// The path of a member as it is shown, or why a member with such a path is not taken.
pub(super) fn member_path(name: &[u8], depth: usize) -> Result<String, String> {
    if name.len() > PATH_MAX {
        return Err(format!("path of {} bytes", name.len()));
    }
    if name.starts_with(b"/") {
        return Err("absolute path".to_owned());
    }
    let parts: Vec<_> = name.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    if parts.contains(&b"..".as_slice()) {
        return Err("path with `..`".to_owned());
    }
    if parts.is_empty() {
        return Err("no name".to_owned());
    }
    if parts.len() > depth.saturating_add(1) {
        return Err(format!("more than {depth} folders deep"));
    }
    Ok(String::from_utf8_lossy(&parts.join(&b'/')).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_paths_stay_inside_the_case() {
        assert_eq!(member_path(b"./proc//net/bonding/bond0", 32).as_deref(), Ok("proc/net/bonding/bond0"));
        assert_eq!(member_path(b"a\xff", 32).as_deref(), Ok("a\u{fffd}"));
        assert_eq!(member_path(b"..data", 32).as_deref(), Ok("..data"));
        assert_eq!(member_path(b"/etc/passwd", 32), Err("absolute path".to_owned()));
        assert_eq!(member_path(b"a/../../b", 32), Err("path with `..`".to_owned()));
        assert_eq!(member_path(b"./", 32), Err("no name".to_owned()));
        assert_eq!(member_path(b"a/b/c", 1), Err("more than 1 folders deep".to_owned()));
        assert_eq!(member_path(&[b'x'; 5000], 32), Err("path of 5000 bytes".to_owned()));
    }
}
