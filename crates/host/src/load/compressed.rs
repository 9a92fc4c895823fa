//! Recognition by magic bytes, and decompression that stops at the limits.
//!
//! A truncated or damaged stream yields every byte before the damage and then says what is wrong: half a
//! kernel log is evidence too.

use std::error::Error;
use std::io::{self, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress};
use lzma_rust2::{Action, Status, XzStream};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::archive;
use super::error::{Problem, sentence};
use super::limits::Budget;
use super::zip;

const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The magic of a zstd frame to be skipped, but for its first byte, which is 0x50 to 0x5f.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];

/// Memory for the dictionary of an xz block, in KiB. `xz -9` takes 64 MiB.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// What the first bytes of a file say about its packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not packed, as far as this module can tell.
    Plain,
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// One compressed stream, which may hold an archive.
    Compressed(Compression),
    /// Packed in a way that is recognised and not read: what it is, and what undoes it.
    Unsupported(&'static str, &'static str),
}

/// A compression that can be undone here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Xz,
    Zstd,
    /// Without any frame, as in zip archives: has no magic.
    Deflate,
}

impl Packing {
    /// Judges by content alone. `head` is the whole file or at least its first 512 bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(GZIP) {
            Self::Compressed(Compression::Gzip)
        } else if head.starts_with(XZ) {
            Self::Compressed(Compression::Xz)
        } else if head.starts_with(ZSTD) || is_skippable_frame(head) {
            Self::Compressed(Compression::Zstd)
        } else if head.starts_with(b"BZh") && head.get(4..10) == Some(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) {
            Self::Unsupported("bzip2 compression", "bunzip2")
        } else if head.starts_with(&[0x04, 0x22, 0x4d, 0x18]) {
            Self::Unsupported("lz4 compression", "unlz4")
        } else if zip::is_zip(head) {
            Self::Zip
        } else if head.starts_with(&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c]) {
            Self::Unsupported("a 7z archive", "7z x")
        } else if archive::is_tar(head) {
            Self::Tar
        } else {
            Self::Plain
        }
    }
}

fn is_skippable_frame(head: &[u8]) -> bool {
    head.first().is_some_and(|b| b & 0xf0 == 0x50) && head.get(1..4) == Some(ZSTD_SKIPPABLE)
}

/// A compressed file, read as what it holds, under the limits.
pub(super) struct Inflated<'a> {
    decoder: Decoder<'a>,
    budget: &'a Budget<'a>,
    out: u64,
    head: Vec<u8>,
    head_at: usize,
    failed: Option<Problem>,
}

impl<'a> Inflated<'a> {
    pub(super) fn new(compression: Compression, packed: &'a [u8], budget: &'a Budget<'a>) -> Self {
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(Gzip::new(packed)),
            Compression::Xz => Decoder::Xz(Box::new(Xz::new(packed))),
            Compression::Zstd => Decoder::Zstd(Box::new(Zstd::new(packed))),
            Compression::Deflate => Decoder::Deflate(Deflate::new(packed)),
        };
        Self { decoder, budget, out: 0, head: Vec::new(), head_at: 0, failed: None }
    }

    /// Up to `size` first bytes, which are read again afterwards. Fewer only where the data ends or fails.
    pub(super) fn peek(&mut self, size: usize) -> &[u8] {
        let mut head = vec![0; size];
        let mut filled = 0;
        while let Some(free) = head.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.inflate(free) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(problem) => {
                    self.failed = Some(problem);
                    break;
                }
            }
        }
        head.truncate(filled);
        self.head = head;
        &self.head
    }

    /// Fills the beginning of `buf`; 0 is the end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        // A decoder that yields nothing is taken to be at its end.
        if buf.is_empty() {
            return Ok(0);
        }
        let peeked = self.head.get(self.head_at..).unwrap_or(&[]);
        if !peeked.is_empty() {
            let n = peeked.len().min(buf.len());
            for (to, from) in buf.iter_mut().zip(peeked) {
                *to = *from;
            }
            self.head_at += n;
            return Ok(n);
        }
        match self.failed.clone() {
            Some(problem) => Err(problem),
            None => self.inflate(buf),
        }
    }

    /// How many compressed bytes it has consumed.
    pub(super) fn taken(&self) -> u64 {
        self.decoder.taken()
    }

    fn inflate(&mut self, buf: &mut [u8]) -> Result<usize, Problem> {
        let n = self.decoder.read(buf).map_err(|fault| match fault {
            Fault::Truncated => {
                Problem::EndsEarly { why: format!("the compressed data stops after {} bytes", self.out) }
            }
            Fault::Corrupt(why) => Problem::Damaged { after: self.out, why },
            Fault::Memory => Problem::Memory,
        })?;
        self.out = self.out.saturating_add(n as u64);
        self.budget.inflate(n as u64, self.out, self.decoder.taken())?;
        Ok(n)
    }
}

/// How a decoder fails.
enum Fault {
    Truncated,
    Corrupt(String),
    /// It asks for more memory than a file of its kind needs.
    Memory,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::of(&error)
    }
}

impl Fault {
    /// Decoders wrap the error of the read that came up short; it is what tells truncation from damage.
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(ErrorKind::UnexpectedEof) => return Self::Truncated,
                Some(ErrorKind::OutOfMemory) => return Self::Memory,
                _ => {}
            }
            cause = error.source();
        }
        Self::Corrupt(sentence(&error.to_string()))
    }
}

enum Decoder<'a> {
    Gzip(Gzip<'a>),
    Xz(Box<Xz<'a>>),
    Zstd(Box<Zstd<'a>>),
    Deflate(Deflate<'a>),
}

impl Decoder<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        match self {
            Self::Gzip(gzip) => gzip.read(buf),
            Self::Xz(xz) => xz.read(buf),
            Self::Zstd(zstd) => zstd.read(buf),
            Self::Deflate(deflate) => deflate.read(buf),
        }
    }

    /// How many compressed bytes it has consumed.
    fn taken(&self) -> u64 {
        let (size, rest) = match self {
            Self::Gzip(gzip) => (gzip.size, gzip.member.get_ref().len()),
            Self::Xz(xz) => (xz.size, xz.rest.len()),
            Self::Zstd(zstd) => (zstd.size, zstd.rest.len()),
            Self::Deflate(deflate) => (deflate.size, deflate.rest.len()),
        };
        size.saturating_sub(rest) as u64
    }
}

/// Gzip: any number of members, with the zero padding that tapes and block devices leave behind them.
struct Gzip<'a> {
    size: usize,
    member: GzDecoder<&'a [u8]>,
    done: bool,
}

impl<'a> Gzip<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self { size: packed.len(), member: GzDecoder::new(packed), done: false }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        while !self.done {
            let n = self.member.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            let rest: &'a [u8] = self.member.get_ref();
            let padding = rest.iter().take_while(|&&b| b == 0).count();
            let rest = rest.get(padding..).unwrap_or(&[]);
            if rest.starts_with(GZIP) {
                self.member = GzDecoder::new(rest);
            } else {
                self.done = true;
                if !rest.is_empty() {
                    return Err(Fault::Corrupt(format!("{} foreign bytes after the end", rest.len())));
                }
            }
        }
        Ok(0)
    }
}

/// One deflate stream; what follows its end is left alone.
struct Deflate<'a> {
    size: usize,
    rest: &'a [u8],
    stream: Decompress,
    done: bool,
    failed: Option<Fault>,
}

impl<'a> Deflate<'a> {
    fn new(packed: &'a [u8]) -> Self {
        let stream = Decompress::new(false);
        Self { size: packed.len(), rest: packed, stream, done: false, failed: None }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        while !self.done {
            let before = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.decompress(self.rest, buf, FlushDecompress::None);
            // The totals also count what a failing call still got done.
            let taken = usize::try_from(self.stream.total_in() - before.0).unwrap_or(usize::MAX);
            let made = usize::try_from(self.stream.total_out() - before.1).unwrap_or(0).min(buf.len());
            self.rest = self.rest.get(taken..).unwrap_or(&[]);
            let fault = match result {
                Ok(flate2::Status::StreamEnd) => {
                    self.done = true;
                    return Ok(made);
                }
                Ok(_) if made > 0 => return Ok(made),
                Ok(_) if self.rest.is_empty() => Fault::Truncated,
                Ok(_) if taken > 0 => continue,
                Ok(_) => Fault::Corrupt("the decoder makes no progress".to_owned()),
                Err(_) => Fault::Corrupt("corrupt deflate stream".to_owned()),
            };
            if made == 0 {
                return Err(fault);
            }
            self.failed = Some(fault);
            return Ok(made);
        }
        Ok(0)
    }
}

/// Xz: any number of streams, with a bound on the dictionary that a header may ask for.
struct Xz<'a> {
    size: usize,
    rest: &'a [u8],
    stream: XzStream,
    failed: Option<Fault>,
}

impl<'a> Xz<'a> {
    fn new(packed: &'a [u8]) -> Self {
        let stream = XzStream::new_mem_limit(true, XZ_MEMORY_KIB);
        Self { size: packed.len(), rest: packed, stream, failed: None }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        loop {
            let before = (self.stream.total_in(), self.stream.total_out());
            let action = if self.rest.is_empty() { Action::Finish } else { Action::Run };
            let result = self.stream.process(self.rest, buf, action);
            // The totals also count what a failing call still got done.
            let taken = usize::try_from(self.stream.total_in() - before.0).unwrap_or(usize::MAX);
            let made = usize::try_from(self.stream.total_out() - before.1).unwrap_or(0).min(buf.len());
            self.rest = self.rest.get(taken..).unwrap_or(&[]);
            match result {
                Ok(_) if made > 0 => return Ok(made),
                Ok(done) if done.status == Status::StreamEnd => return Ok(0),
                Ok(_) if taken > 0 => {}
                Ok(_) if action == Action::Finish => return Err(Fault::Truncated),
                Ok(_) => return Err(Fault::Corrupt("the decoder makes no progress".to_owned())),
                Err(error) if made > 0 => {
                    self.failed = Some(error.into());
                    return Ok(made);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Zstd: any number of frames, checksums verified.
struct Zstd<'a> {
    size: usize,
    rest: &'a [u8],
    frame: FrameDecoder,
    open: bool,
    cut: bool,
}

/// An empty last block, and room for a checksum.
const ZSTD_LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

impl<'a> Zstd<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self { size: packed.len(), rest: packed, frame: FrameDecoder::new(), open: false, cut: false }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        loop {
            if !self.open {
                if self.rest.is_empty() {
                    return Ok(0);
                }
                self.start_frame()?;
            } else if self.frame.can_collect() > 0 {
                return Ok(self.frame.read(buf)?);
            } else if self.frame.is_finished() {
                self.end_frame()?;
            } else {
                self.decode_block()?;
            }
        }
    }

    fn start_frame(&mut self) -> Result<(), Fault> {
        match self.frame.reset(&mut self.rest) {
            Ok(()) => self.open = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.rest = self.rest.get(length..).ok_or(Fault::Truncated)?;
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => return Err(Fault::Memory),
            Err(error) => return Err(Fault::of(&error)),
        }
        Ok(())
    }

    fn decode_block(&mut self) -> Result<(), Fault> {
        let one = BlockDecodingStrategy::UptoBlocks(1);
        let Err(error) = self.frame.decode_blocks(&mut self.rest, one) else { return Ok(()) };
        let fault = Fault::of(&error);
        // The decoder keeps a window back until the frame ends, which in a truncated file may be all there
        // is. Ending the frame on its behalf makes it hand that over.
        let end = BlockDecodingStrategy::UptoBlocks(1);
        if !matches!(fault, Fault::Truncated)
            || self.cut
            || self.frame.decode_blocks(ZSTD_LAST_BLOCK, end).is_err()
        {
            return Err(fault);
        }
        self.cut = true;
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), Fault> {
        if self.cut {
            return Err(Fault::Truncated);
        }
        self.open = false;
        match (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum()) {
            (Some(stored), Some(computed)) if stored != computed => {
                Err(Fault::Corrupt("the checksum does not match".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_by_content_alone() {
        assert_eq!(Packing::of(&[0x1f, 0x8b, 8, 0]), Packing::Compressed(Compression::Gzip));
        assert_eq!(Packing::of(b"\xfd7zXZ\0\0"), Packing::Compressed(Compression::Xz));
        assert_eq!(Packing::of(&[0x28, 0xb5, 0x2f, 0xfd]), Packing::Compressed(Compression::Zstd));
        assert_eq!(Packing::of(&[0x53, 0x2a, 0x4d, 0x18]), Packing::Compressed(Compression::Zstd));
        assert_eq!(Packing::of(b"PK\x03\x04"), Packing::Zip);
        assert_eq!(Packing::of(b"PK\x05\x06"), Packing::Zip);
        assert_eq!(Packing::of(b"PK is a word in a log"), Packing::Plain);
        assert!(matches!(Packing::of(b"BZh91AY&SY"), Packing::Unsupported(..)));
        assert_eq!(Packing::of(b"BZh9 is a word in a log"), Packing::Plain);
        assert_eq!(Packing::of(b""), Packing::Plain);
        assert_eq!(Packing::of(&[0; 1024]), Packing::Plain);
    }
}
