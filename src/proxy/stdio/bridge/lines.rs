//! Standard input and output as lines: two threads at blocking handles, told to `tracking` as they pass.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::tracking::Process;

use super::super::pipes::{close_standard_output, standard_input, standard_output};
use super::LONGEST_MESSAGE;

/// Lines that may wait in each direction.
const MOST_WAITING: usize = 16;
const BUFFER_BYTES: usize = 64 << 10;

/// What comes from the client.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A line, without its end.
    Line(Vec<u8>),
    /// One that is longer than any message may be.
    TooLong,
}

/// Starts reading standard input.
pub(super) fn start_reading(process: Option<Arc<Process>>) -> io::Result<mpsc::Receiver<Incoming>> {
    let input = standard_input()?;
    let (lines, incoming) = mpsc::channel(MOST_WAITING);
    thread::Builder::new()
        .name("from-client".to_owned())
        .spawn(move || read(input, process.as_deref(), &lines))?;
    Ok(incoming)
}

fn read(mut input: File, process: Option<&Process>, lines: &mpsc::Sender<Incoming>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut splitter = Splitter::default();
    loop {
        let bytes = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        if let Some(process) = process {
            process.from_client(bytes);
        }
        for line in splitter.split(bytes) {
            // Nobody takes them any more when this process is ending.
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    }
    if let Some(process) = process {
        process.client_left();
    }
}

/// Puts lines together.
#[derive(Debug, Default)]
struct Splitter {
    line: Vec<u8>,
    too_long: bool,
}

impl Splitter {
    /// The lines that end in `bytes`.
    fn split(&mut self, bytes: &[u8]) -> Vec<Incoming> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..end]);
            let line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.too_long) {
                lines.push(Incoming::TooLong);
            } else if !line.trim_ascii().is_empty() {
                lines.push(Incoming::Line(line));
            }
            rest = &rest[end + 1..];
        }
        self.keep(rest);
        lines
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > LONGEST_MESSAGE {
            self.too_long = true;
            self.line = Vec::new();
        }
        if !self.too_long {
            self.line.extend_from_slice(bytes);
        }
    }
}

/// Standard output.
#[derive(Debug)]
pub(super) struct Output {
    lines: std::sync::Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    broken: CancellationToken,
}

impl Output {
    /// Starts writing; the other value comes when all has been written.
    pub(super) fn start(
        process: Option<Arc<Process>>,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let output = standard_output()?;
        let (lines, outgoing) = mpsc::channel(MOST_WAITING);
        let (done, written) = oneshot::channel();
        let broken = CancellationToken::new();
        let tell_broken = broken.clone();
        thread::Builder::new()
            .name("to-client".to_owned())
            .spawn(move || {
                write(output, process.as_deref(), outgoing, &tell_broken);
                let _ = done.send(());
            })?;
        let output = Self {
            lines: std::sync::Mutex::new(Some(lines)),
            broken,
        };
        Ok((output, written))
    }

    /// Says `line`, its end included, when there is room for it.
    pub(super) async fn say(&self, line: Vec<u8>) {
        let lines = super::lock(&self.lines).clone();
        if let Some(lines) = lines {
            // A client that has gone does not hear it.
            let _ = lines.send(line).await;
        }
    }

    /// Waits until nobody reads any more.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Nothing more will be said.
    pub(super) fn end(&self) {
        super::lock(&self.lines).take();
    }
}

fn write(
    mut output: File,
    process: Option<&Process>,
    mut lines: mpsc::Receiver<Vec<u8>>,
    broken: &CancellationToken,
) {
    while let Some(line) = lines.blocking_recv() {
        if let Some(process) = process {
            process.from_child(&line);
        }
        if output.write_all(&line).is_err() {
            if let Some(process) = process {
                process.client_gone();
            }
            broken.cancel();
            break;
        }
    }
    drop(output);
    close_standard_output();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        let text = b"{\"a\":1}\n\r\n  \n{\"b\":2}\r\nrest";
        for size in 1..text.len() {
            let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
            for piece in text.chunks(size) {
                lines.extend(splitter.split(piece));
            }
            assert!(
                matches!(&lines[..], [Incoming::Line(a), Incoming::Line(b)]
                    if a == b"{\"a\":1}" && b == b"{\"b\":2}\r"),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_of_and_not_kept() {
        let mut splitter = Splitter::default();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..70 {
            assert!(splitter.split(&piece).is_empty());
        }
        assert!(splitter.line.is_empty());
        let lines = splitter.split(b"\n{}\n");
        assert!(matches!(&lines[..], [Incoming::TooLong, Incoming::Line(_)]));
    }
}
