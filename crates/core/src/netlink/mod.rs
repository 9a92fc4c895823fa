//! Netlink: messages and attributes in byte slices, names, and a builder for requests.
//!
//! Lenient and lossless: a message or attribute whose length cannot be right ends its level and what came before it stays;
//! nothing is thrown away because it is not known. Byte order is that of the host that wrote the datagram, and is told by
//! the first length field. Wire format: `include/uapi/linux/netlink.h`, `Documentation/userspace-api/netlink/intro.rst`
//! (Linux 6.12). What the messages say is read by [`crate::parse::netlink`].

pub mod attr;
pub mod build;
pub mod message;
pub mod names;

pub use attr::{Attr, Attrs};
pub use message::{Message, Messages};

/// Byte order of the host that wrote a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Least significant octet first.
    Little,
    /// Most significant octet first.
    Big,
}

impl Order {
    /// Two octets at `at`; `None` beyond the end.
    #[must_use]
    pub fn u16_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let b = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u16::from_le_bytes(b) } else { u16::from_be_bytes(b) })
    }
    /// Four octets at `at`; `None` beyond the end.
    #[must_use]
    pub fn u32_at(self, bytes: &[u8], at: usize) -> Option<u32> {
        let b = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) })
    }
    /// Eight octets at `at`; `None` beyond the end.
    #[must_use]
    pub fn u64_at(self, bytes: &[u8], at: usize) -> Option<u64> {
        let b = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u64::from_le_bytes(b) } else { u64::from_be_bytes(b) })
    }
    /// Four octets at `at` as a signed number; `None` beyond the end.
    #[must_use]
    pub fn i32_at(self, bytes: &[u8], at: usize) -> Option<i32> {
        let b = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { i32::from_le_bytes(b) } else { i32::from_be_bytes(b) })
    }
}
