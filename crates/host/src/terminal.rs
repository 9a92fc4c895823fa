//! Standard output: whether a person looks at it, how wide it is, and a write that outlives its reader.

use std::io::{self, ErrorKind, IsTerminal, Write};

/// Whether standard output is a terminal.
#[must_use]
pub fn is_terminal_stdout() -> bool {
    io::stdout().is_terminal()
}

/// The width that the shell announces in `COLUMNS`, where it makes sense.
///
/// Shells set it but seldom export it, so most callers fall back on their own width.
#[must_use]
pub fn columns() -> Option<u16> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|&width| width > 0)
}

/// Writes `bytes` to standard output and flushes it.
///
/// A reader that went away (`bondwitness diagnose | head`) has what it wanted: a closed pipe is a success.
///
/// # Errors
///
/// Whatever else the system reports, for example a full disk.
pub fn write_all_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    success_if_closed(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn success_if_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_a_success_and_nothing_else_is() {
        assert!(success_if_closed(Ok(())).is_ok());
        assert!(success_if_closed(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(success_if_closed(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
