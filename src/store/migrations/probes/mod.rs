//! What each migration leaves in a schema, written down, and how a schema compares with it.
//!
//! One file for each migration in `migrations/<database>/probes/`, one line for each thing:
//!
//! ```text
//! # a comment
//! column archon_mcp_sessions.total_duration: integer
//! [pg>=15, role authenticated] policy archon_mcp_sessions."Own rows": select to authenticated using (…)
//! - trigger archon_mcp_requests.trigger_update_session_status
//! ```
//!
//! A line with `-` wants the thing gone, one with `?` leaves it open: it may be there in any form or not. `or: …` below a
//! line is another definition that is as good. Conditions in brackets must all hold for a line to count. `check "…": SELECT …` is
//! for what no name stands for: a query whose one value has to be true. A test holds the files against what the migrations
//! really make on empty databases. Decides nothing about records.

mod chain;

pub(super) use chain::{Chain, INVALID};
pub use chain::{Finding, Presence, Problem};

use std::collections::BTreeSet;

use super::objects::{ObjectKind, ObjectName};

/// What a probe's lines may depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// The server's major version.
    pub(super) version: u32,
    /// The roles there are that probes may ask for.
    pub(super) roles: BTreeSet<String>,
    /// The functions of other schemas there are that probes may ask for, such as `auth.uid`.
    pub(super) functions: BTreeSet<String>,
}

/// What a line depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Since(u32),
    Before(u32),
    Role(String, bool),
    Function(String, bool),
}

impl Condition {
    fn read(text: &str) -> Option<Self> {
        let (text, wanted) = match text.strip_prefix("no ") {
            Some(rest) => (rest, false),
            None => (text, true),
        };
        if let Some(version) = text.strip_prefix("pg>=") {
            return version.parse().ok().map(Self::Since);
        }
        if let Some(version) = text.strip_prefix("pg<") {
            return version.parse().ok().map(Self::Before);
        }
        let (kind, name) = text.split_once(' ')?;
        match kind {
            "role" => Some(Self::Role(name.to_owned(), wanted)),
            "function" => Some(Self::Function(name.to_owned(), wanted)),
            _ => None,
        }
    }

    fn holds(&self, environment: &Environment) -> bool {
        match self {
            Self::Since(version) => environment.version >= *version,
            Self::Before(version) => environment.version < *version,
            Self::Role(name, wanted) => environment.roles.contains(name) == *wanted,
            Self::Function(name, wanted) => environment.functions.contains(name) == *wanted,
        }
    }
}

/// A line of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    conditions: Vec<Condition>,
    name: ObjectName,
    wanted: Wanted,
    /// What a check asks.
    query: Option<String>,
}

/// What is wanted of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To be there, with one of these definitions; the first is how the migration makes it.
    There(Vec<String>),
    /// To be gone.
    Gone,
    /// Nothing: whatever it is, it is fine.
    Anything,
}

impl Wanted {
    /// Whether this is fine: `actual` is the definition of what is there.
    pub(super) fn accepts(&self, actual: Option<&str>) -> bool {
        match self {
            Self::There(definitions) => {
                actual.is_some_and(|actual| definitions.iter().any(|d| d == actual))
            }
            Self::Gone => actual.is_none(),
            Self::Anything => true,
        }
    }

    /// How the migration makes it.
    pub(super) fn definition(&self) -> Option<&str> {
        match self {
            Self::There(definitions) => definitions.first().map(String::as_str),
            Self::Gone | Self::Anything => None,
        }
    }
}

/// The definition of a check whose answer is yes.
pub(super) const HOLDS: &str = "holds";

impl Line {
    fn counts(&self, environment: &Environment) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.all(|condition| condition.holds(environment))
    }
}

/// The probe of one migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Probe(Vec<Line>);

impl Probe {
    /// Reads a probe's file.
    ///
    /// # Errors
    /// Says what is wrong with which line.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut probe: Vec<Line> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = || format!("line {} is no line of a probe: {line}", at + 1);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(other) = line.trim_start().strip_prefix("or:") {
                match probe.last_mut().map(|line| &mut line.wanted) {
                    Some(Wanted::There(definitions)) => definitions.push(other.trim().to_owned()),
                    _ => return Err(wrong()),
                }
                continue;
            }
            probe.push(read_line(line).ok_or_else(wrong)?);
        }
        Ok(Self(probe))
    }

    /// What the probe wants in `environment`.
    pub(super) fn wants<'p>(
        &'p self,
        environment: &'p Environment,
    ) -> impl Iterator<Item = Want<'p>> {
        let counting = self.0.iter().filter(|line| line.counts(environment));
        counting.map(|line| Want {
            name: &line.name,
            wanted: &line.wanted,
        })
    }

    /// Everything the probe names, whatever its lines depend on.
    pub(super) fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.0.iter().map(|line| &line.name)
    }

    /// The checks that count in `environment`, each with its query.
    pub(super) fn checks<'p>(
        &'p self,
        environment: &'p Environment,
    ) -> impl Iterator<Item = (&'p ObjectName, &'p str)> {
        let counting = self.0.iter().filter(|line| line.counts(environment));
        counting.filter_map(|line| Some((&line.name, line.query.as_deref()?)))
    }
}

fn read_line(line: &str) -> Option<Line> {
    let (conditions, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (inside, rest) = rest.split_once("] ")?;
            let conditions = inside.split(", ").map(Condition::read);
            (conditions.collect::<Option<_>>()?, rest)
        }
        None => (Vec::new(), line),
    };
    for (mark, wanted) in [("- ", Wanted::Gone), ("? ", Wanted::Anything)] {
        if let Some(name) = rest.strip_prefix(mark) {
            return Some(Line {
                conditions,
                name: name.trim_end().parse().ok()?,
                wanted,
                query: None,
            });
        }
    }
    let mut quoted = false;
    let end = rest.char_indices().find(|(at, c)| {
        quoted ^= *c == '"';
        !quoted && *c == ':' && matches!(rest[at + 1..].chars().next(), None | Some(' '))
    });
    let end = end?.0;
    let name: ObjectName = rest[..end].parse().ok()?;
    let text = rest[end + 1..].trim().to_owned();
    let (wanted, query) = match name.kind {
        ObjectKind::Check => (HOLDS.to_owned(), Some(text)),
        _ => (text, None),
    };
    Some(Line {
        conditions,
        name,
        wanted: Wanted::There(vec![wanted]),
        query,
    })
}

/// What a migration wants of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Want<'p> {
    pub(super) name: &'p ObjectName,
    pub(super) wanted: &'p Wanted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in [
            "column a.x",
            "thing a: b",
            "[moon] table a: ",
            "[pg>=x] table a: ",
            "- nothing",
        ] {
            let error = Probe::read(&format!("table a:\n{wrong}\n")).expect_err(wrong);
            assert!(error.starts_with("line 2 "), "{error}");
        }
    }
}
