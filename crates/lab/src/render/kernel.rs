//! Kernel releases, as far as output depends on them.
//!
//! The tools of a distribution are about as old as its kernel, so the release decides the form of `iproute2` too.

/// Major and minor number of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kernel(u32, u32);

impl Kernel {
    /// Reads `uname -r`: `6.12.107+deb13-amd64`. What cannot be read counts as the newest.
    pub(super) fn of(release: &str) -> Self {
        let mut parts = release.split(|c: char| !c.is_ascii_digit());
        match (parts.next().and_then(|p| p.parse().ok()), parts.next().and_then(|p| p.parse().ok())) {
            (Some(major), Some(minor)) => Self(major, minor),
            _ => Self(6, 12),
        }
    }
    /// This kernel is `major.minor` or later.
    pub(super) fn since(self, major: u32, minor: u32) -> bool {
        self >= Self(major, minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(Kernel::of("6.12.107+deb13-amd64"), Kernel(6, 12));
        assert_eq!(Kernel::of("3.10.0-1160.el7.x86_64"), Kernel(3, 10));
        assert!(Kernel::of("5.10.0-30-amd64").since(5, 3) && !Kernel::of("5.10.0-30-amd64").since(5, 15));
        assert!(Kernel::of("custom").since(6, 1));
    }
}
