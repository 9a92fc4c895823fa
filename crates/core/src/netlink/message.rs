//! Messages: the header `struct nlmsghdr`, and the three kinds that speak about the exchange itself.

use super::{Attrs, Order};

/// Length of the header.
pub const HEADER: usize = 16;

/// `NLMSG_NOOP`.
pub const NOOP: u16 = 1;
/// `NLMSG_ERROR`: the answer to a request, 0 for an acknowledgement.
pub const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
pub const DONE: u16 = 3;
/// `NLMSG_OVERRUN`.
pub const OVERRUN: u16 = 4;
/// The first type that belongs to a protocol.
pub const FIRST: u16 = 16;

/// `NLM_F_REQUEST`: from user space.
pub const REQUEST: u16 = 1;
/// `NLM_F_MULTI`: part of a dump.
pub const MULTI: u16 = 2;
/// `NLM_F_ACK`: an answer is wanted.
pub const ACK: u16 = 4;
/// `NLM_F_DUMP_INTR`: what is dumped changed meanwhile; the dump may be inconsistent.
pub const DUMP_INTR: u16 = 0x10;
/// `NLM_F_ROOT | NLM_F_MATCH`: a dump is wanted.
pub const DUMP: u16 = 0x300;
/// `NLM_F_CAPPED` in an error: the request is not repeated in it.
pub const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS` in an error: attributes follow.
pub const ACK_TLVS: u16 = 0x200;

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its type; for generic netlink the id of the family.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// Sequence number: that of the request that it answers, 0 for most events.
    pub seq: u32,
    /// Port of the process that asked, 0 for the kernel's own events.
    pub port: u32,
    /// What follows the header.
    pub payload: &'a [u8],
    /// Byte order of its numbers.
    pub order: Order,
    /// The capture cut it short.
    pub cut: bool,
}

impl<'a> Message<'a> {
    /// The attributes behind a fixed header of `skip` octets.
    #[must_use]
    pub fn attrs(&self, skip: usize) -> Attrs<'a> {
        Attrs::new(self.payload.get(skip..).unwrap_or_default(), self.order)
    }
    /// True if the dump that it is part of may be inconsistent.
    #[must_use]
    pub const fn interrupted(&self) -> bool {
        self.flags & DUMP_INTR != 0
    }
    /// Two octets of the payload.
    #[must_use]
    pub fn u16_at(&self, at: usize) -> Option<u16> {
        self.order.u16_at(self.payload, at)
    }
    /// Four octets of the payload.
    #[must_use]
    pub fn u32_at(&self, at: usize) -> Option<u32> {
        self.order.u32_at(self.payload, at)
    }
    /// What an error, an acknowledgement or the end of a dump says; `None` for other messages.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<'a>> {
        if !matches!(self.kind, ERROR | DONE) {
            return None;
        }
        // The end of a dump may come without a code.
        let code = self.order.i32_at(self.payload, 0).unwrap_or(0);
        if self.kind == DONE {
            // Some kernels set no flag here; the attributes are what follows the code.
            return Some(Outcome { code, request: None, text: text(self.attrs(4)) });
        }
        let request = self.payload.get(4..).and_then(|b| Messages::with_order(b, self.order).next());
        let mut tlvs = 4 + HEADER;
        if self.flags & CAPPED == 0
            && let Some(r) = &request
        {
            tlvs = 4 + (HEADER + r.payload.len()).next_multiple_of(4);
        }
        let text = if self.flags & ACK_TLVS == 0 { None } else { text(self.attrs(tlvs)) };
        Some(Outcome { code, request, text })
    }
}

/// `NLMSGERR_ATTR_MSG`, and that of `NLMSGERR_ATTR_POLICY` is left alone.
fn text(attrs: Attrs<'_>) -> Option<String> {
    attrs.find(1).map(|a| a.text()).filter(|t| !t.is_empty())
}

/// How a request ended.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// 0, or a negative error number.
    pub code: i32,
    /// The request that it answers; its payload is empty where the kernel left it out.
    pub request: Option<Message<'a>>,
    /// What the kernel says about it (extended acknowledgement).
    pub text: Option<String>,
}

/// Walks over the messages of a datagram.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Messages<'a> {
    /// The messages of a datagram. A length is small: of its two readings the smaller is right.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        let little = Order::Little.u32_at(datagram, 0).unwrap_or(0);
        let big = Order::Big.u32_at(datagram, 0).unwrap_or(0);
        Self { rest: datagram, order: if little <= big { Order::Little } else { Order::Big } }
    }
    /// The messages of a datagram whose byte order is known.
    #[must_use]
    pub const fn with_order(datagram: &'a [u8], order: Order) -> Self {
        Self { rest: datagram, order }
    }
    /// What has not been walked over.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let order = self.order;
        let length = usize::try_from(order.u32_at(self.rest, 0)?).ok()?;
        let kind = order.u16_at(self.rest, 4)?;
        let flags = order.u16_at(self.rest, 6)?;
        let seq = order.u32_at(self.rest, 8)?;
        let port = order.u32_at(self.rest, 12)?;
        if length < HEADER {
            return None;
        }
        let cut = length > self.rest.len();
        let payload = self.rest.get(HEADER..length.min(self.rest.len()))?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, flags, seq, port, payload, order, cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::build::Request;

    #[test]
    fn requests_are_read_in_either_order() {
        let bytes = Request::new(18, REQUEST | DUMP, 7).octets(&[0; 16]).bytes();
        let m = Messages::new(&bytes).next().unwrap();
        assert_eq!((m.kind, m.flags, m.seq, m.payload.len(), m.cut), (18, 0x301, 7, 16, false));
        // nlmsg_len, type, flags, seq, port, all big endian.
        let big = [0, 0, 0, 20, 0, 16, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4];
        let m = Messages::new(&big).next().unwrap();
        assert_eq!((m.kind, m.flags, m.seq, m.order), (16, 2, 9, Order::Big));
        assert_eq!(m.u32_at(0), Some(0x0102_0304));
    }

    #[test]
    fn an_error_names_its_request_and_says_why() {
        let request = Request::new(18, REQUEST, 3).octets(&[0; 16]).bytes();
        let mut payload = (-95_i32).to_le_bytes().to_vec();
        payload.extend(&request);
        payload.extend([8, 0, 1, 0, b'n', b'o', 0, 0]);
        let bytes = Request::new(ERROR, ACK_TLVS, 3).octets(&payload).bytes();
        let m = Messages::new(&bytes).next().unwrap();
        let o = m.outcome().unwrap();
        assert_eq!((o.code, o.text.as_deref()), (-95, Some("no")));
        assert_eq!(o.request.map(|r| (r.kind, r.payload.len())), Some((18, 16)));
        // Capped: only the header of the request is repeated.
        let mut payload = (-22_i32).to_le_bytes().to_vec();
        payload.extend(request.get(..16).unwrap());
        payload.extend([8, 0, 1, 0, b'b', b'a', b'd', 0]);
        let bytes = Request::new(ERROR, ACK_TLVS | CAPPED, 3).octets(&payload).bytes();
        let m = Messages::new(&bytes).next().unwrap();
        assert_eq!(m.outcome().and_then(|o| o.text).as_deref(), Some("bad"));
    }

    #[test]
    fn a_cut_message_is_given_and_said_to_be_cut() {
        let bytes = Request::new(16, 0, 0).octets(&[1, 2, 3, 4, 5, 6, 7, 8]).bytes();
        for n in HEADER..bytes.len() {
            let m = Messages::new(bytes.get(..n).unwrap()).next().unwrap();
            assert!(m.cut && m.payload.len() == n - HEADER);
        }
        assert!(Messages::new(bytes.get(..15).unwrap()).next().is_none());
    }
}
