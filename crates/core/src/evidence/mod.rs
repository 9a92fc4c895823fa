//! What came in: files as lines with byte spans ([`lines`]), citations that lead back to bytes
//! ([`citation`]), and what a parser understood ([`record`]).

pub mod citation;
pub mod lines;
pub mod record;

pub use citation::{Citation, FileId, Place};
pub use lines::{Line, Text};
pub use record::*;
