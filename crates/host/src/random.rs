//! Random octets from the kernel, for keys.

use std::io::{self, Read as _};

/// `N` octets of `/dev/urandom`.
///
/// # Errors
///
/// If it cannot be read: a key must not be made of anything else.
pub fn octets<const N: usize>() -> io::Result<[u8; N]> {
    let mut out = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut out)?;
    Ok(out)
}
