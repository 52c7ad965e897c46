//! Where settings are looked for outside the program: environment and working directory.
//!
//! Injected, so that tests resolve settings without touching the process's own environment.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment and the working directory.
pub struct Sources {
    environment: Box<dyn Fn(&str) -> Option<OsString>>,
    working_dir: PathBuf,
}

impl Sources {
    /// Those of this process.
    #[must_use]
    pub fn process() -> Self {
        Self {
            environment: Box::new(|name| std::env::var_os(name)),
            // A working directory that was deleted holds no project file; relative names still say what was meant.
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        }
    }

    /// A made-up environment and working directory.
    #[must_use]
    pub fn made_up(variables: &[(&str, &str)], working_dir: &Path) -> Self {
        let variables: std::collections::HashMap<String, OsString> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        Self {
            environment: Box::new(move |name| variables.get(name).cloned()),
            working_dir: working_dir.to_owned(),
        }
    }

    /// The variable, if it is set and not empty. Compose files set variables to nothing when they mean "not set".
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// A directory of the XDG base directory specification 0.8: the variable if it holds an absolute path (others are to
    /// be ignored), else `fallback` under `$HOME`.
    pub(super) fn xdg(&self, variable: &str, fallback: &str) -> Option<PathBuf> {
        let named = self.variable(variable).map(PathBuf::from);
        named.filter(|path| path.is_absolute()).or_else(|| {
            self.variable("HOME")
                .map(|home| PathBuf::from(home).join(fallback))
        })
    }

    pub(super) fn working_dir(&self) -> &Path {
        &self.working_dir
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment holds secrets.
        f.debug_struct("Sources")
            .field("working_dir", &self.working_dir)
            .finish_non_exhaustive()
    }
}
