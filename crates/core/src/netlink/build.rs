//! Builds requests. Lengths are filled in as parts are added, so what is built is always whole.
//!
//! Numbers are in the byte order of this machine, as the kernel reads them.

use super::attr::NESTED;
use super::message::HEADER;

/// A message in the making.
///
/// ```
/// use bondwitness_core::netlink::build::Request;
/// // RTM_GETLINK (18) of one interface: `struct ifinfomsg`, and IFLA_EXT_MASK (29) without statistics of functions.
/// let bytes = Request::new(18, 1, 42).octets(&[0; 16]).u32(29, 8).bytes();
/// assert_eq!(bytes.len(), 40);
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    bytes: Vec<u8>,
    /// Where the nested attributes begin that are still open.
    open: Vec<usize>,
}

impl Request {
    /// A message of a type with `NLM_F_*` flags and a sequence number. The port is 0: the kernel knows the socket.
    #[must_use]
    pub fn new(kind: u16, flags: u16, seq: u32) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend([0; 4]);
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(seq.to_ne_bytes());
        bytes.extend([0; 4]);
        debug_assert_eq!(bytes.len(), HEADER);
        Self { bytes, open: Vec::new() }
    }
    /// A message of generic netlink: `family` as the controller told it, `command` and `version` of the family
    /// (`struct genlmsghdr`).
    #[must_use]
    pub fn generic(family: u16, flags: u16, seq: u32, command: u8, version: u8) -> Self {
        Self::new(family, flags, seq).octets(&[command, version, 0, 0])
    }
    /// Sets the port in the header (`nlmsg_pid`).
    #[must_use]
    pub fn port(mut self, port: u32) -> Self {
        if let Some(place) = self.bytes.get_mut(12..16) {
            place.copy_from_slice(&port.to_ne_bytes());
        }
        self
    }
    /// Appends octets, such as the fixed header of a family of messages, padded to four.
    #[must_use]
    pub fn octets(mut self, octets: &[u8]) -> Self {
        self.bytes.extend(octets);
        self.pad();
        self
    }
    /// Appends an attribute. Values above 65,531 octets are cut there: the length field has 16 bits.
    #[must_use]
    pub fn attr(mut self, kind: u16, value: &[u8]) -> Self {
        let value = value.get(..65_531).unwrap_or(value);
        let length = u16::try_from(value.len().saturating_add(4)).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.pad();
        self
    }
    /// Appends an attribute of one octet.
    #[must_use]
    pub fn u8(self, kind: u16, value: u8) -> Self {
        self.attr(kind, &[value])
    }
    /// Appends an attribute of two octets.
    #[must_use]
    pub fn u16(self, kind: u16, value: u16) -> Self {
        self.attr(kind, &value.to_ne_bytes())
    }
    /// Appends an attribute of four octets.
    #[must_use]
    pub fn u32(self, kind: u16, value: u32) -> Self {
        self.attr(kind, &value.to_ne_bytes())
    }
    /// Appends an attribute of eight octets.
    #[must_use]
    pub fn u64(self, kind: u16, value: u64) -> Self {
        self.attr(kind, &value.to_ne_bytes())
    }
    /// Appends a text with the zero octet that ends it.
    #[must_use]
    pub fn text(self, kind: u16, value: &str) -> Self {
        let bytes: Vec<u8> = value.bytes().chain(std::iter::once(0)).collect();
        self.attr(kind, &bytes)
    }
    /// Opens an attribute that holds attributes; [`Self::end`] closes it.
    #[must_use]
    pub fn nested(mut self, kind: u16) -> Self {
        self.open.push(self.bytes.len());
        self.bytes.extend([0; 2]);
        self.bytes.extend((kind | NESTED).to_ne_bytes());
        self
    }
    /// Closes the attribute that was opened last.
    #[must_use]
    pub fn end(mut self) -> Self {
        self.close();
        self
    }
    /// The message, with everything closed and its length filled in.
    #[must_use]
    pub fn bytes(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(..4) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
        self.bytes
    }

    fn close(&mut self) {
        let Some(begin) = self.open.pop() else { return };
        let length = u16::try_from(self.bytes.len().saturating_sub(begin)).unwrap_or(u16::MAX);
        if let Some(place) = self.bytes.get_mut(begin..begin.saturating_add(2)) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Messages;

    #[test]
    fn what_is_built_is_read_again() {
        let bytes = Request::generic(21, 5, 9, 4, 1)
            .nested(1)
            .text(2, "eno1")
            .u32(3, 4)
            .end()
            .u8(2, 1)
            .u16(4, 500)
            .u64(5, 1 << 40)
            .port(77)
            .bytes();
        let mut messages = Messages::new(&bytes);
        let m = messages.next().unwrap();
        assert_eq!((m.kind, m.flags, m.seq, m.port), (21, 5, 9, 77));
        assert!(messages.next().is_none() && messages.rest().is_empty());
        let header = m.attrs(4).find(1).unwrap();
        assert_eq!(header.attrs().find(2).map(|a| a.text()).as_deref(), Some("eno1"));
        assert_eq!(header.attrs().find(3).and_then(|a| a.u32()), Some(4));
        let rest: Vec<_> = m.attrs(4).skip(1).map(|a| (a.kind, a.number())).collect();
        assert_eq!(rest, [(2, Some(1)), (4, Some(500)), (5, Some(1 << 40))]);
        assert!(m.attrs(4).damaged().is_empty());
    }

    #[test]
    fn what_is_left_open_is_closed() {
        let bytes = Request::new(16, 1, 1).nested(1).nested(2).u8(3, 4).bytes();
        let m = Messages::new(&bytes).next().unwrap();
        let inner = m.attrs(0).find(1).and_then(|a| a.attrs().find(2)).and_then(|a| a.attrs().find(3));
        assert_eq!(inner.and_then(|a| a.u8()), Some(4));
    }
}
