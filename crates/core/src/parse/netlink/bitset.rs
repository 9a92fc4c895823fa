//! Bit sets of ethtool netlink: compact (words of 32 bits) or one by one with names.
//!
//! `ETHTOOL_A_BITSET_*`, `include/uapi/linux/ethtool_netlink.h`; written by `ethnl_put_bitset32()` in `net/ethtool/bitset.c`
//! (Linux 6.12). Without a mask a bit that is listed is set; with one, what is listed is in the mask, and set if it says so.

use crate::netlink::Attr;
use std::collections::BTreeMap;

/// A bit set with its mask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// The bits of the mask (without a mask, those that are set): set or not, and the name if the reply gives it.
    pub(super) bits: BTreeMap<u32, (bool, Option<String>)>,
    /// How many bits there are.
    pub(super) size: u32,
}

/// More bits than any set of the kernel has (link modes: some 120).
const MAX_BITS: u32 = 4096;

impl Bits {
    /// Reads a bit set.
    pub(super) fn read(attr: &Attr<'_>) -> Self {
        let inside = attr.attrs();
        let mut out = Self::default();
        out.size = inside.find(2).and_then(|a| a.u32()).unwrap_or(MAX_BITS).min(MAX_BITS);
        let no_mask = inside.find(1).is_some();
        if let Some(list) = inside.find(3) {
            for bit in list.attrs().filter(|a| a.kind == 1) {
                let Some(index) = bit.attrs().find(1).and_then(|a| a.u32()) else { continue };
                let name = bit.attrs().find(2).map(|a| a.text());
                let set = no_mask || bit.attrs().find(3).is_some();
                out.bits.insert(index, (set, name));
            }
            return out;
        }
        let (value, mask) = (inside.find(4), inside.find(5));
        let bit = |words: Option<Attr<'_>>, n: u32| {
            let at = usize::try_from(n / 32).unwrap_or(usize::MAX).saturating_mul(4);
            words.and_then(|w| w.order.u32_at(w.value, at)).is_some_and(|w| w >> (n % 32) & 1 != 0)
        };
        for n in 0..out.size {
            let set = bit(value, n);
            if set || !no_mask && bit(mask, n) {
                out.bits.insert(n, (set, None));
            }
        }
        out
    }
    /// True if the bit is set.
    pub(super) fn set(&self, bit: u32) -> bool {
        self.bits.get(&bit).is_some_and(|(set, _)| *set)
    }
    /// True if the bit is in the mask.
    pub(super) fn masked(&self, bit: u32) -> bool {
        self.bits.contains_key(&bit)
    }
    /// The numbers and own names of the bits that are set, or of all of the mask.
    pub(super) fn chosen(&self, all: bool) -> impl Iterator<Item = (u32, Option<&str>)> {
        self.bits.iter().filter(move |(_, (set, _))| all || *set).map(|(n, (_, name))| (*n, name.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::build::Request;
    use crate::netlink::{Message, Messages};

    fn only(bytes: &[u8]) -> Bits {
        let m: Message<'_> = Messages::new(bytes).next().unwrap();
        Bits::read(&m.attrs(0).find(1).unwrap())
    }

    #[test]
    fn compact_and_listed_sets_say_the_same() {
        let value = [0b101_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat();
        let mask = [0b111_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat();
        let compact =
            only(&Request::new(16, 0, 0).nested(1).u32(2, 40).attr(4, &value).attr(5, &mask).bytes());
        let mut listed = Request::new(16, 0, 0).nested(1).u32(2, 40).nested(3);
        for (n, set) in [(0, true), (1, false), (2, true), (32, true)] {
            listed = listed.nested(1).u32(1, n);
            listed = if set { listed.attr(3, &[]) } else { listed }.end();
        }
        assert_eq!(compact, only(&listed.bytes()));
        assert!(compact.set(32) && compact.masked(1) && !compact.set(1) && !compact.masked(3));
    }

    #[test]
    fn without_a_mask_what_is_listed_is_set() {
        let bits = only(
            &Request::new(16, 0, 0).nested(1).attr(1, &[]).nested(3).nested(1).u32(1, 4).text(2, "x").bytes(),
        );
        assert_eq!(bits.chosen(false).collect::<Vec<_>>(), [(4, Some("x"))]);
        // A size that cannot be is no loop of four thousand million turns.
        assert!(only(&Request::new(16, 0, 0).nested(1).u32(2, u32::MAX).attr(4, &[0xff; 4]).bytes()).set(31));
    }
}
