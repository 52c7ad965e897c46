//! The two directions, each a thread that reads, tells, and writes.
//!
//! Blocking, because standard input and output are shared with whoever started this process and must not be turned to
//! another mode; and because nothing is faster.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};

use tokio::sync::mpsc::UnboundedSender;

use crate::tracking::Process;

use super::relay::Event;

/// Bytes that one read can take: what a pipe holds.
const BUFFER_BYTES: usize = 64 << 10;

/// A second handle on standard input, without a buffer in between.
pub(super) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// The same of standard output.
pub(super) fn standard_output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Lets go of standard output, so that its reader sees the end of it.
pub(super) fn close_standard_output() {
    let nowhere = OpenOptions::new().write(true).open("/dev/null");
    // Without a /dev/null its reader sees the end when this process ends.
    if let Ok(nowhere) = nowhere {
        let _ = rustix::stdio::dup2_stdout(nowhere);
    }
}

/// Reads what is there; `None` at the end, however it came.
fn read(from: &mut impl Read, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match from.read(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// From the client to the child, until the client ends its side.
pub(super) fn from_client(
    mut input: File,
    to_child: ChildStdin,
    process: Option<&Process>,
    events: &UnboundedSender<Event>,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut to_child = Some(to_child);
    while let Some(count) = read(&mut input, &mut buffer) {
        let bytes = &buffer[..count];
        if let Some(process) = process {
            process.from_client(bytes);
        }
        // A child that takes nothing more is no reason to stop reading: the client's end must be noticed.
        if to_child
            .as_mut()
            .is_some_and(|child| child.write_all(bytes).is_err())
        {
            to_child = None;
        }
    }
    if let Some(process) = process {
        process.client_left();
    }
    drop(to_child);
    let _ = events.send(Event::ClientLeft);
}

/// From the child to the client, until the child, and whoever shares its output, ends it.
pub(super) fn from_child(
    mut output: ChildStdout,
    mut to_client: File,
    process: Option<&Process>,
    events: &UnboundedSender<Event>,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Some(count) = read(&mut output, &mut buffer) {
        let bytes = &buffer[..count];
        if let Some(process) = process {
            process.from_child(bytes);
        }
        if to_client.write_all(bytes).is_err() {
            if let Some(process) = process {
                process.client_gone();
            }
            let _ = events.send(Event::ClientLeft);
            break;
        }
    }
    // In this order the child that goes on writing is told what it would be told without us: that nobody reads.
    drop(output);
    drop(to_client);
    close_standard_output();
    let _ = events.send(Event::OutputEnded);
}
