//! Attributes: type, length, value, padded to four octets (`struct nlattr`, `include/uapi/linux/netlink.h`).

use super::Order;
use crate::units::Mac;
use std::fmt::Write as _;

/// Set in the type of an attribute that holds attributes (`NLA_F_NESTED`); older kernels leave it out.
pub const NESTED: u16 = 0x8000;
/// Set in the type of an attribute whose value is big endian (`NLA_F_NET_BYTEORDER`).
pub const NET_ORDER: u16 = 0x4000;

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attr<'a> {
    /// Its type, without the flags.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// Byte order of its numbers.
    pub order: Order,
}

impl<'a> Attr<'a> {
    /// An octet.
    #[must_use]
    pub fn u8(&self) -> Option<u8> {
        self.value.first().copied()
    }
    /// Two octets in the order of the host.
    #[must_use]
    pub fn u16(&self) -> Option<u16> {
        self.order.u16_at(self.value, 0)
    }
    /// Four octets in the order of the host.
    #[must_use]
    pub fn u32(&self) -> Option<u32> {
        self.order.u32_at(self.value, 0)
    }
    /// Four octets as a signed number.
    #[must_use]
    pub fn i32(&self) -> Option<i32> {
        self.order.i32_at(self.value, 0)
    }
    /// Eight octets in the order of the host.
    #[must_use]
    pub fn u64(&self) -> Option<u64> {
        self.order.u64_at(self.value, 0)
    }
    /// Two octets, most significant first.
    #[must_use]
    pub fn be16(&self) -> Option<u16> {
        Order::Big.u16_at(self.value, 0)
    }
    /// Four octets, most significant first.
    #[must_use]
    pub fn be32(&self) -> Option<u32> {
        Order::Big.u32_at(self.value, 0)
    }
    /// A number of one, two, four or eight octets, whichever the attribute holds (kernels have widened some).
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.value.len() {
            1 => self.u8().map(u64::from),
            2 => self.u16().map(u64::from),
            4 => self.u32().map(u64::from),
            8 => self.u64(),
            _ => None,
        }
    }
    /// Text up to the first zero octet; what is not UTF-8 is replaced, control characters become blanks.
    #[must_use]
    pub fn text(&self) -> String {
        let end = self.value.iter().position(|b| *b == 0).unwrap_or(self.value.len());
        let raw = self.value.get(..end).unwrap_or_default();
        String::from_utf8_lossy(raw).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
    /// Six octets as a MAC address.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        <[u8; 6]>::try_from(self.value).ok().map(Mac)
    }
    /// A link layer address of any length, as `ip` prints it: octets in hexadecimal between colons.
    #[must_use]
    pub fn lladdr(&self) -> String {
        let octets: Vec<String> = self.value.iter().map(|b| format!("{b:02x}")).collect();
        octets.join(":")
    }
    /// All octets in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(self.value)
    }
    /// The attributes inside.
    #[must_use]
    pub const fn attrs(&self) -> Attrs<'a> {
        Attrs { rest: self.value, order: self.order }
    }
}

/// Octets in hexadecimal, the first 256 of them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for b in bytes.iter().take(256) {
        let _ = write!(out, "{b:02x}");
    }
    if bytes.len() > 256 {
        let _ = write!(out, "... ({} octets)", bytes.len());
    }
    out
}

/// Walks over attributes. A length that cannot be right ends the walk.
#[derive(Debug, Clone, Copy)]
pub struct Attrs<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Attrs<'a> {
    /// The attributes in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { rest: bytes, order }
    }
    /// The first attribute of a type, in what has not been walked over.
    #[must_use]
    pub fn find(mut self, kind: u16) -> Option<Attr<'a>> {
        Iterator::find(&mut self, |a| a.kind == kind)
    }
    /// The last attribute of a type: where one is repeated, the kernel takes the last (`nla_parse`).
    #[must_use]
    pub fn find_last(self, kind: u16) -> Option<Attr<'a>> {
        self.filter(|a| a.kind == kind).last()
    }
    /// What could not be walked over: empty if the level is whole.
    #[must_use]
    pub fn damaged(mut self) -> &'a [u8] {
        while self.next().is_some() {}
        self.rest
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let length = usize::from(self.order.u16_at(self.rest, 0)?);
        let kind = self.order.u16_at(self.rest, 2)?;
        let value = self.rest.get(4..length)?;
        // The last attribute of a message may come without its padding.
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        let order = if kind & NET_ORDER == 0 { self.order } else { Order::Big };
        Some(Attr { kind: kind & !(NESTED | NET_ORDER), value, order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_attribute_ends_its_level_only() {
        let mut bytes = vec![5, 0, 1, 0, 7, 0, 0, 0, 6, 0, 2, 0x80, 1, 2, 0, 0];
        bytes.extend([99, 0, 3, 0, 1]);
        let attrs = Attrs::new(&bytes, Order::Little);
        let got: Vec<_> = attrs.map(|a| (a.kind, a.value.to_vec())).collect();
        assert_eq!(got, [(1, vec![7]), (2, vec![1, 2])]);
        assert_eq!(attrs.damaged(), [99, 0, 3, 0, 1]);
        assert_eq!(attrs.find(2).and_then(|a| a.u16()), Some(0x0201));
        assert!(attrs.find(3).is_none());
    }

    #[test]
    fn numbers_of_any_width_and_either_order() {
        let big = [0, 8, 0, 1, 0, 0, 1, 2];
        let a = Attrs::new(&big, Order::Big).find(1).unwrap();
        assert_eq!((a.u32(), a.number()), (Some(258), Some(258)));
        let net = [8, 0, 1, 0x40, 0, 0, 1, 2];
        assert_eq!(Attrs::new(&net, Order::Little).find(1).and_then(|a| a.u32()), Some(258));
        assert_eq!(Attrs::new(&[4, 0, 1, 0], Order::Little).find(1).and_then(|a| a.number()), None);
    }
}
