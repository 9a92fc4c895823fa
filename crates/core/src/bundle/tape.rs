//! Writes a tar archive (POSIX ustar) that depends on nothing but names, contents and one time.

use super::PackError;

/// A block of a tar archive.
const BLOCK: usize = 512;
/// Largest size that eleven octal digits hold.
const SIZE_MAX: u64 = (1 << 33) - 1;

/// Appends a regular file: mode 0600, owner and group 0, modified at `seconds` since 1970.
pub(super) fn file(tape: &mut Vec<u8>, path: &str, bytes: &[u8], seconds: u64) -> Result<(), PackError> {
    let (prefix, name) = split(path).ok_or_else(|| PackError::Path(path.to_owned()))?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > SIZE_MAX {
        return Err(PackError::Large(path.to_owned()));
    }
    let mut head = Vec::with_capacity(BLOCK);
    text(&mut head, name.as_bytes(), 100);
    octal(&mut head, 0o600, 8);
    octal(&mut head, 0, 8);
    octal(&mut head, 0, 8);
    octal(&mut head, size, 12);
    octal(&mut head, seconds.min(SIZE_MAX), 12);
    // The checksum counts its own field as blanks.
    text(&mut head, b"        ", 8);
    head.push(b'0');
    text(&mut head, b"", 100);
    head.extend(b"ustar\x0000");
    text(&mut head, b"", 64);
    octal(&mut head, 0, 8);
    octal(&mut head, 0, 8);
    text(&mut head, prefix.as_bytes(), 155);
    head.resize(BLOCK, 0);
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (to, from) in head.iter_mut().skip(148).zip(sum.bytes()) {
        *to = from;
    }
    tape.extend(head);
    tape.extend(bytes);
    tape.resize(tape.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

/// Appends the end mark.
pub(super) fn end(tape: &mut Vec<u8>) {
    tape.resize(tape.len().saturating_add(2 * BLOCK), 0);
}

/// Prefix and name: the shortest prefix that lets the name fit.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= 100 {
        return Some(("", path));
    }
    path.match_indices('/')
        .filter_map(|(i, _)| Some((path.get(..i)?, path.get(i + 1..)?)))
        .find(|(prefix, name)| prefix.len() <= 155 && name.len() <= 100 && !name.is_empty())
}

fn text(head: &mut Vec<u8>, value: &[u8], width: usize) {
    head.extend(value);
    head.extend(std::iter::repeat_n(0, width.saturating_sub(value.len())));
}

fn octal(head: &mut Vec<u8>, value: u64, width: usize) {
    let digits = width.saturating_sub(1);
    head.extend(format!("{value:0digits$o}\0").bytes());
}
