//! Running a program of the system for what no file and no call tells: never in a sample.

use super::{Sink, failed, text};
use bondwitness_core::collection::{Form, Reading, v1};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Where programs are looked for. `PATH` is whatever the caller's environment says; this may run as root.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The path of a program, if it is installed.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|f| Path::new(f).join(name)).find(|p| p.is_file())
}

/// What may be spent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub time: Duration,
    pub octets: usize,
}

/// Hands over what a program prints, with the command line as source. If it is not installed, there is no reading.
pub(super) fn hand_over(
    sink: &mut dyn Sink,
    collector: &'static str,
    file: &str,
    command: &[&str],
    bounds: Bounds,
) -> io::Result<()> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let Some(path) = find(program) else { return Ok(()) };
    let source = command.join(" ");
    let begun = crate::clock::begin();
    let output = run(&path, arguments, bounds);
    let window = begun.end();
    match output {
        Ok(Output { bytes, cut }) => {
            text(sink, collector, file, &source, window, Ok(bytes))?;
            if cut {
                let detail = format!("more than {} octets: the rest is missing", bounds.octets);
                let form =
                    Form::Failed { collector: collector.into(), why: v1::Cause::Lost, detail: detail.into() };
                sink.take(Reading { file: file.into(), source: source.into(), window, form })?;
            }
            Ok(())
        }
        Err(e) => sink.take(Reading {
            file: file.into(),
            source: source.into(),
            window,
            form: failed(collector, &e),
        }),
    }
}

struct Output {
    bytes: Vec<u8>,
    cut: bool,
}

fn run(path: &Path, arguments: &[&str], bounds: Bounds) -> io::Result<Output> {
    let deadline = Instant::now() + bounds.time;
    let mut child = Command::new(path)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", FOLDERS.join(":"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let result = output(&mut child, bounds, deadline);
    // Ended or not: nothing of it is left behind.
    let _ = child.kill();
    let _ = child.wait();
    result
}

fn output(child: &mut Child, bounds: Bounds, deadline: Instant) -> io::Result<Output> {
    let late =
        || io::Error::new(io::ErrorKind::TimedOut, format!("not done within {} ms", bounds.time.as_millis()));
    let Some(out) = child.stdout.take() else { return Err(io::Error::other("no output")) };
    let (sender, receiver) = channel();
    let most = bounds.octets as u64;
    // Ends when the child's end of the pipe is closed: it closes it or is killed.
    std::thread::Builder::new().name("output".to_owned()).spawn(move || {
        let mut bytes = Vec::new();
        let read = out.take(most.saturating_add(1)).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    let mut bytes = receiver.recv_timeout(left).map_err(|_| late())??;
    if bytes.len() > bounds.octets {
        bytes.truncate(bounds.octets);
        return Ok(Output { bytes, cut: true });
    }
    let status = ended(child, deadline)?.ok_or_else(late)?;
    if !status.success() {
        return Err(io::Error::other(format!("{status}")));
    }
    Ok(Output { bytes, cut: false })
}

fn ended(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { time: Duration::from_millis(300), octets: 100 };

    fn sh(script: &str) -> io::Result<(String, bool)> {
        let output = run(&find("sh").unwrap(), &["-c", script], BOUNDS)?;
        Ok((String::from_utf8(output.bytes).unwrap(), output.cut))
    }

    #[test]
    fn a_program_is_bounded_in_time_and_octets() {
        assert_eq!(sh("echo $LC_ALL; echo no >&2").unwrap(), ("C\n".to_owned(), false));
        let begin = Instant::now();
        for script in ["exec sleep 20", "exec >&-; exec sleep 20"] {
            assert_eq!(sh(script).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert!(begin.elapsed() < Duration::from_secs(5));
        let (text, cut) = sh("while :; do echo many; done").unwrap();
        assert_eq!((text.len(), cut), (100, true));
        assert!(sh("exit 3").unwrap_err().to_string().contains('3'));
        assert!(find("no-such-program-here").is_none());
    }
}
