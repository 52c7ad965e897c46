//! Records on disk before they are in the store.
//!
//! Every running instance owns one directory of append-only segments, held by a lock on a file in it. An append has
//! reached the operating system when it returns: a killed process loses nothing. Whoever finds a directory whose lock
//! is free may take its records into the store. What a record means is none of this folder's business.

mod claim;
mod format;
mod group;
mod inspect;
mod reader;
mod writer;

pub use claim::{ClaimedJournal, claim_dead};
pub use format::{FORMAT_VERSION, Position};
pub use group::Group;
pub use inspect::{Inspection, inspect, journals};
pub use reader::{Batch, Damage, read_batch, segments};
pub use writer::{Journal, JournalOptions};

use std::path::PathBuf;

/// Why the journal did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The records waiting for the store have reached the bound.
    #[error("the journal holds {bytes} bytes that the store has not taken; its bound is {bound}")]
    Full {
        /// Bytes waiting.
        bytes: u64,
        /// The bound.
        bound: u64,
    },
    /// A record that the format cannot hold.
    #[error("a record cannot be written down: {0}")]
    Encoding(#[from] postcard::Error),
    /// A file that is no segment, or one of a version this program does not know.
    #[error("{} is no journal segment that this version reads: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Names the action and the file in an I/O error.
fn io_error<'a>(
    doing: &'static str,
    path: &'a std::path::Path,
) -> impl FnOnce(std::io::Error) -> JournalError + 'a {
    move |source| JournalError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
