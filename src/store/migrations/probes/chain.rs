//! How a schema compares with what all migrations want of it, one after the other: what later ones replace or drop is no fault of
//! the earlier ones.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Environment, Probe, Want, Wanted};
use crate::store::migrations::objects::{Catalog, ObjectKind, ObjectName};

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
pub(in super::super) const INVALID: &str = " INVALID";

/// The migrations in order, each with what it wants here.
#[derive(Clone, Debug)]
pub(in super::super) struct Chain<'p>(Vec<Vec<Want<'p>>>);

impl<'p> Chain<'p> {
    pub(in super::super) fn new(
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
    pub(in super::super) fn wants(&self, at: usize) -> &[Want<'p>] {
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
    pub(in super::super) fn is_satisfied(
        &self,
        at: usize,
        want: &Want<'_>,
        catalog: &Catalog,
    ) -> bool {
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
    pub(in super::super) fn judge(&self, at: usize, catalog: &Catalog) -> (Presence, Vec<Finding>) {
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
    pub(in super::super) fn schema(&self, count: usize) -> BTreeMap<ObjectName, Option<String>> {
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
}
