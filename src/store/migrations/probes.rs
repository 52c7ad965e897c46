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

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::objects::{Catalog, ObjectKind, ObjectName};

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

/// How much of a migration is in a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// All of it.
    Present,
    /// Some of it, or all in another form.
    Partial,
    /// Nothing that only it makes.
    Absent,
    /// It makes nothing that could be looked for.
    Untraced,
}

/// What is wrong with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It is there in another form.
    Different,
    /// It is there and should not be.
    Unwanted,
    /// An index whose building did not come to its end: the database does not use it.
    Invalid,
}

/// A thing that is not as a migration leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing.
    pub object: ObjectName,
    /// What is wrong with it.
    pub problem: Problem,
    /// How it should be; `None` if it should not be there.
    pub expected: Option<String>,
    /// How it is; `None` if it is not there.
    pub found: Option<String>,
}

/// Ends the definition of an index that the database does not use.
pub(super) const INVALID: &str = " INVALID";

/// The migrations in order, each with what it wants here.
#[derive(Clone, Debug)]
pub(super) struct Chain<'p>(Vec<Vec<Want<'p>>>);

impl<'p> Chain<'p> {
    pub(super) fn new(
        probes: impl Iterator<Item = &'p Probe>,
        environment: &'p Environment,
    ) -> Self {
        Self(
            probes
                .map(|probe| probe.wants(environment).collect())
                .collect(),
        )
    }

    /// What migration `at` wants.
    pub(super) fn wants(&self, at: usize) -> &[Want<'p>] {
        self.0.get(at).map_or(&[], Vec::as_slice)
    }

    /// What is left of `name` once migrations up to and without `end` ran; `None` if none of them names it.
    fn state_before(&self, end: usize, name: &ObjectName) -> Option<Want<'p>> {
        let before = self.0.iter().take(end).rev();
        before.flatten().find(|want| want.name == name).copied()
    }

    /// What migrations after `at` make of `name`.
    fn later<'s>(&'s self, at: usize, name: &'s ObjectName) -> impl Iterator<Item = Want<'p>> + 's {
        let later = self.0.iter().skip(at + 1).flatten();
        later.filter(move |want| want.name == name).copied()
    }

    /// Whether `catalog` has what `want` of migration `at` asks for. What a later migration makes of it counts as well, and so
    /// does anything in its place that a later migration replaces or drops: that one is to blame.
    pub(super) fn is_satisfied(&self, at: usize, want: &Want<'_>, catalog: &Catalog) -> bool {
        let actual = catalog.get(want.name);
        let mut later = self.later(at, want.name).peekable();
        want.wanted.accepts(actual)
            || (actual.is_some() && later.peek().is_some())
            || later.any(|later| later.wanted.accepts(actual))
    }

    /// Whether what is there can only come from migration `at` or later ones.
    fn is_evidence(&self, at: usize, want: &Want<'_>, catalog: &Catalog) -> bool {
        let actual = catalog.get(want.name);
        let makes = matches!(want.wanted, Wanted::There(_)) && want.name.kind != ObjectKind::Check;
        if actual.is_none() || !makes {
            return false;
        }
        match self.state_before(at, want.name) {
            None => true,
            Some(before) if *before.wanted == Wanted::Gone => true,
            Some(before) => {
                let mut later = self.later(at, want.name);
                let ours = want.wanted.accepts(actual)
                    || later
                        .any(|l| matches!(l.wanted, Wanted::There(_)) && l.wanted.accepts(actual));
                ours && !before.wanted.accepts(actual)
            }
        }
    }

    /// How much of migration `at` is in `catalog`, and what is not as it should be.
    pub(super) fn judge(&self, at: usize, catalog: &Catalog) -> (Presence, Vec<Finding>) {
        let mut findings = Vec::new();
        let (mut evidence, mut makes_something) = (false, false);
        for want in self.wants(at) {
            makes_something |=
                matches!(want.wanted, Wanted::There(_)) && want.name.kind != ObjectKind::Check;
            evidence |= self.is_evidence(at, want, catalog);
            if !self.is_satisfied(at, want, catalog) {
                findings.push(finding(want, catalog.get(want.name)));
            }
        }
        let presence = match (findings.is_empty(), evidence) {
            (true, true) => Presence::Present,
            (false, true) => Presence::Partial,
            (false, false) if makes_something => Presence::Absent,
            (_, false) => Presence::Untraced,
        };
        (presence, findings)
    }

    /// The schema as it is once the first `count` migrations ran; without a definition what may be there in any form.
    pub(super) fn schema(&self, count: usize) -> BTreeMap<ObjectName, Option<String>> {
        let mut schema = BTreeMap::new();
        for want in self.0.iter().take(count).flatten() {
            match want.wanted {
                Wanted::Gone => schema.remove(want.name),
                _ => schema.insert(
                    want.name.clone(),
                    want.wanted.definition().map(str::to_owned),
                ),
            };
        }
        schema
    }
}

fn finding(want: &Want<'_>, actual: Option<&str>) -> Finding {
    let expected = want.wanted.definition();
    let problem = match (expected, actual) {
        (_, None) => Problem::Missing,
        (None, Some(_)) => Problem::Unwanted,
        (Some(_), Some(found)) if found.ends_with(INVALID) => Problem::Invalid,
        (Some(_), Some(_)) => Problem::Different,
    };
    Finding {
        object: want.name.clone(),
        problem,
        expected: expected.map(str::to_owned),
        found: actual.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "# makes\ntable a: \ncolumn a.x: integer not null\nindex i: on a (x)\nfunction f(): old\n";
    const SECOND: &str = "column a.y: text default ': '\nfunction f(): new\n[role r, pg>=15] policy a.\"p: q\": select\n- trigger a.legacy\n";
    const THIRD: &str = "- index i\n";

    fn probes() -> Vec<Probe> {
        [FIRST, SECOND, THIRD]
            .map(|text| Probe::read(text).expect("a probe"))
            .to_vec()
    }

    fn catalog(lines: &[(&str, &str)]) -> Catalog {
        let pairs = lines.iter();
        Catalog(
            pairs
                .map(|(name, text)| (name.parse().expect("a name"), (*text).to_owned()))
                .collect(),
        )
    }

    fn judged(environment: &Environment, lines: &[(&str, &str)]) -> Vec<(Presence, Vec<String>)> {
        let probes = probes();
        let chain = Chain::new(probes.iter(), environment);
        let catalog = catalog(lines);
        let judge = |at| {
            let (presence, findings) = chain.judge(at, &catalog);
            let told = findings
                .iter()
                .map(|f| format!("{:?} {}", f.problem, f.object));
            (presence, told.collect())
        };
        (0..3).map(judge).collect()
    }

    fn told(presence: Presence, findings: &[&str]) -> (Presence, Vec<String>) {
        (presence, findings.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn an_empty_schema_has_nothing_of_any_migration() {
        let found = judged(&Environment::default(), &[]);
        assert_eq!(found[0].0, Presence::Absent);
        assert_eq!(found[1].0, Presence::Absent);
        assert_eq!(found[2], told(Presence::Untraced, &[]));
    }

    #[test]
    fn a_migration_is_judged_by_what_later_ones_leave_of_it() {
        let plain = Environment::default();
        let all = [
            ("table a", ""),
            ("column a.x", "integer not null"),
            ("column a.y", "text default ': '"),
            ("function f()", "new"),
        ];
        let found = judged(&plain, &all);
        assert_eq!(found[0], told(Presence::Present, &[]));
        assert_eq!(found[1], told(Presence::Present, &[]));
        let first = [
            ("table a", ""),
            ("column a.x", "integer not null"),
            ("index i", "on a (x)"),
            ("function f()", "old"),
        ];
        let found = judged(&plain, &first);
        assert_eq!(found[0], told(Presence::Present, &[]));
        assert_eq!(found[1].0, Presence::Absent);
        assert_eq!(found[2], told(Presence::Untraced, &["Unwanted index i"]));
    }

    #[test]
    fn halves_are_told_thing_by_thing() {
        let roles = Environment {
            version: 15,
            roles: ["r".to_owned()].into(),
            ..Environment::default()
        };
        let half = [
            ("table a", ""),
            ("column a.x", "text"),
            ("column a.y", "text default ': '"),
            ("index i", "on a (x) INVALID"),
            ("function f()", "theirs"),
            ("trigger a.legacy", "x"),
        ];
        let found = judged(&roles, &half);
        assert_eq!(found[0], told(Presence::Partial, &["Different column a.x"]));
        assert_eq!(
            found[1],
            told(
                Presence::Partial,
                &[
                    "Different function f()",
                    "Missing policy a.\"p: q\"",
                    "Unwanted trigger a.legacy"
                ]
            )
        );
        assert_eq!(found[2], told(Presence::Untraced, &["Unwanted index i"]));
        let open = Probe::read("table a: x\nor: y\n? column a.x\n").expect("a probe");
        let chain = Chain::new(std::iter::once(&open), &roles);
        let found = chain.judge(0, &catalog(&[("table a", "y"), ("column a.x", "any")]));
        assert_eq!(found, (Presence::Present, Vec::new()));
        let older = Environment {
            version: 14,
            ..roles
        };
        let found = judged(&older, &half);
        assert!(
            !found[1].1.contains(&"Missing policy a.\"p: q\"".to_owned()),
            "{found:?}"
        );
    }

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
