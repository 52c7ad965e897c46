//! The server's process and the group it leads.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no such program.
    #[error("'{0}' was not found")]
    NotFound(String),
    /// There is, and it cannot be run.
    #[error("'{program}' cannot be run: {source}")]
    NotExecutable {
        /// As it was named.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

impl SpawnError {
    /// The exit code by which shells tell of this.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 127,
            Self::NotExecutable { .. } => 126,
        }
    }
}

/// A running server. It leads a process group of its own, so that what it starts can be ended with it.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    group: Pid,
}

impl Child {
    /// Starts `command`, the program and its arguments, in this process's environment and working directory.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be run.
    pub fn spawn(command: &[OsString]) -> Result<Self, SpawnError> {
        let (program, arguments) = match command {
            [program, arguments @ ..] if !program.is_empty() => (program, arguments),
            _ => return Err(SpawnError::NotFound(String::new())),
        };
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn();
        let process = started.map_err(|source| {
            let program = program.to_string_lossy().into_owned();
            // A script whose interpreter is missing is there, and gives the same error.
            if source.kind() == io::ErrorKind::NotFound && !is_there(&program) {
                SpawnError::NotFound(program)
            } else {
                SpawnError::NotExecutable { program, source }
            }
        })?;
        let group = Pid::from_child(&process);
        Ok(Self { process, group })
    }

    /// The process group, by its number.
    pub(super) fn group(&self) -> Pid {
        self.group
    }

    /// Our ends of its standard input and output. They are there once.
    pub(super) fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.process.stdin.take()?, self.process.stdout.take()?))
    }

    /// Sends `signal` to every process of the group. That there is none any more is no news.
    pub(super) fn signal(&self, signal: Signal) {
        signal_group(self.group, signal);
    }

    /// Takes the child's exit status; it must have ended. From then on the group may be empty, its number free.
    pub(super) fn reap(&mut self) -> Option<ExitStatus> {
        self.process.wait().ok()
    }
}

/// Whether `program` is a file: a path, or a name in one of the directories of `PATH`.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Waits until the process that leads `group` has ended. It keeps its number until it is reaped, so that no signal to the
/// group meets a stranger.
pub(super) fn wait_for_end(group: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(error) = rustix::process::waitid(WaitId::Pid(group), options) {
        if error != rustix::io::Errno::INTR {
            return;
        }
    }
}

pub(super) fn signal_group(group: Pid, signal: Signal) {
    // ESRCH: nobody is left. EPERM: one that changed its user; the others have got it.
    let _ = rustix::process::kill_process_group(group, signal);
}

/// Whether anybody is left in the group.
pub(super) fn group_lives(group: Pid) -> bool {
    rustix::process::test_kill_process_group(group) != Err(rustix::io::Errno::SRCH)
}

/// The exit code by which this process tells how the child ended, as shells do.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// How the child ended, in words.
pub(super) fn described(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "nobody knows how".to_owned(),
    }
}
