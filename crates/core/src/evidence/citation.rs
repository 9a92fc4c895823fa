//! Citations: every fact leads back to a file and a line, byte range or frame that a reader can open.

/// The index of an input file in the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// Lines `first` to `last` (1-based, inclusive), covering the raw bytes `start..end`.
    Lines {
        /// First line, 1-based.
        first: u32,
        /// Last line, 1-based.
        last: u32,
        /// First raw byte.
        start: u64,
        /// One past the last raw byte.
        end: u64,
    },
    /// Frame number of a capture, 1-based as Wireshark counts.
    Frame(u64),
}

/// A place in a file of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Citation {
    /// Which file.
    pub file: FileId,
    /// Where in it.
    pub place: Place,
}

impl Citation {
    /// The file as a whole.
    #[must_use]
    pub const fn whole(file: FileId) -> Self {
        Self { file, place: Place::Whole }
    }
    /// A frame of a capture (1-based).
    #[must_use]
    pub const fn frame(file: FileId, number: u64) -> Self {
        Self { file, place: Place::Frame(number) }
    }
    /// From the first place to the second, where both are lines of one file; otherwise the first.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        match (self.place, other.place) {
            (Place::Lines { first, start, last, end }, Place::Lines { last: l2, end: e2, .. })
                if self.file == other.file && l2 >= last =>
            {
                Self { file: self.file, place: Place::Lines { first, last: l2, start, end: e2.max(end) } }
            }
            _ => self,
        }
    }
    /// `path#line=12`, `path#line=12-19`, `path#frame=118` or `path`.
    #[must_use]
    pub fn source(&self, path: &str) -> String {
        match self.place {
            Place::Whole => path.to_owned(),
            Place::Lines { first, last, .. } if first == last => format!("{path}#line={first}"),
            Place::Lines { first, last, .. } => format!("{path}#line={first}-{last}"),
            Place::Frame(n) => format!("{path}#frame={n}"),
        }
    }
}
