//! What a run of migrations tells while it is under way. Prints nothing.

use std::path::Path;
use std::time::Duration;

use super::error::Holder;

/// Something that happens in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// Somebody else migrates; their end is waited for.
    Waiting {
        /// Who.
        holders: &'e [Holder],
    },
    /// The embedded database is being copied to this file.
    Copying {
        /// The copy.
        path: &'e Path,
    },
    /// A migration begins.
    Started {
        /// Its name, such as `V013__add_session_disconnect_fields`.
        migration: &'e str,
        /// What is done with it.
        action: Action,
    },
    /// A part of a migration takes longer and says how far it is.
    Advanced {
        /// The migration's name.
        migration: &'e str,
        /// Things done in this run.
        done: u64,
        /// Things there were to do when it began, where that is known.
        total: Option<u64>,
    },
    /// A lock was not to be had; the migration is tried again.
    Retrying {
        /// The migration's name.
        migration: &'e str,
        /// In this time.
        after: Duration,
        /// Who may be in the way.
        holders: &'e [Holder],
    },
    /// A migration is done.
    Finished {
        /// Its name.
        migration: &'e str,
        /// What was done with it.
        action: Action,
        /// How long it took.
        duration: Duration,
    },
    /// Something people should know.
    Remark(&'e str),
}

/// What is done with a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Its file is run: nothing of it was there.
    Apply,
    /// Recorded without running it: it was there.
    Adopt,
    /// What was missing of it is made.
    Repair,
    /// Its down script is run.
    Undo,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Adopt => "adopt",
            Self::Repair => "repair",
            Self::Undo => "undo",
        }
    }
}

/// Whoever wants to know how far a run is.
pub trait Progress: Send + Sync {
    /// Is told what happens, as it happens.
    fn tell(&self, event: &Event<'_>);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: &Event<'_>) {}
}
