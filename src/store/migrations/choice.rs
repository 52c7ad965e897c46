//! Which statements of a migration are to be run on a database that has a part of it.
//!
//! A statement is left out when everything it makes is there as it should be, or is in a form that a later migration
//! replaces. What a text does not tell is run: files can be run again at any time.

use std::collections::BTreeSet;

use super::objects::{Catalog, ObjectKind, ObjectName, matches};
use super::probes::{Chain, Wanted};
use super::targets::{Effect, Rows};

/// Chooses among the statements of one migration, in their order.
pub(super) struct Choice<'c> {
    pub(super) chain: &'c Chain<'c>,
    /// Place of the migration in the chain.
    pub(super) at: usize,
    pub(super) catalog: &'c Catalog,
    /// Whether nobody recorded it: its rows may never have been filled in.
    pub(super) unrecorded: bool,
    /// Whether a thing that is there in another form can be made right by making it again: PostgreSQL's
    /// `CREATE OR REPLACE` and `ALTER COLUMN`. SQLite only refuses.
    pub(super) alters: bool,
    dropped: BTreeSet<ObjectName>,
}

impl<'c> Choice<'c> {
    pub(super) const fn new(
        chain: &'c Chain<'c>,
        at: usize,
        catalog: &'c Catalog,
        unrecorded: bool,
        alters: bool,
    ) -> Self {
        Self {
            chain,
            at,
            catalog,
            unrecorded,
            alters,
            dropped: BTreeSet::new(),
        }
    }

    /// Whether the statement with this effect is to be run. To be asked for each statement in turn.
    pub(super) fn takes(&mut self, effect: &Effect) -> bool {
        if effect.records() {
            return true;
        }
        let untold = effect.makes.is_empty() && effect.drops.is_empty() && effect.rows.is_none();
        let unknown = untold || effect.opaque;
        let makes = effect.makes.iter().any(|made| self.is_to_make(made));
        let drops = effect.drops.iter().any(|dropped| self.is_to_drop(dropped));
        let rows = match &effect.rows {
            None => false,
            Some(Rows::Insert(table)) => !self
                .catalog
                .has(&ObjectName::alone(ObjectKind::Table, table.clone())),
            Some(Rows::Change) => self.unrecorded || self.lacks_columns(),
        };
        let takes = unknown || makes || drops || rows;
        if takes {
            self.dropped.extend(effect.drops.iter().cloned());
        }
        takes
    }

    fn is_to_make(&self, made: &ObjectName) -> bool {
        if self.dropped.iter().any(|dropped| matches(dropped, made)) {
            return true;
        }
        let mut wants = self
            .chain
            .wants(self.at)
            .iter()
            .filter(|want| matches(made, want.name))
            .peekable();
        // What the probe does not name comes and goes within the migration, or depends on what only the server knows.
        wants.peek().is_none()
            || wants.any(|want| {
                let there = self.catalog.has(want.name);
                !self.chain.is_satisfied(self.at, want, self.catalog) && (self.alters || !there)
            })
    }

    fn is_to_drop(&self, dropped: &ObjectName) -> bool {
        self.catalog.matching(dropped).any(|(name, _)| {
            let mut wants = self
                .chain
                .wants(self.at)
                .iter()
                .filter(|want| want.name == name)
                .peekable();
            wants.peek().is_none()
                || wants.any(|want| !self.chain.is_satisfied(self.at, want, self.catalog))
        })
    }

    /// Whether a table or column of this migration is missing: what fills it has to run.
    fn lacks_columns(&self) -> bool {
        self.chain.wants(self.at).iter().any(|want| {
            let kept = matches!(want.name.kind, ObjectKind::Table | ObjectKind::Column);
            kept && matches!(want.wanted, Wanted::There(_))
                && !self.catalog.has(want.name)
                && !self.chain.is_satisfied(self.at, want, self.catalog)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::probes::{Environment, Probe};
    use super::super::targets::effect;
    use super::super::tokens::statements;
    use super::*;

    const FILE: &str = "CREATE TABLE IF NOT EXISTS a (x int);
        ALTER TABLE a ADD COLUMN y int, ADD COLUMN z int;
        UPDATE a SET y = 1;
        INSERT INTO a VALUES (1);
        DROP VIEW IF EXISTS v;
        CREATE VIEW v AS SELECT 1;
        CREATE OR REPLACE FUNCTION f(b int) RETURNS int AS $$ $$;
        DROP TRIGGER IF EXISTS legacy ON a;
        SELECT 'something else';
        INSERT INTO archon_migrations VALUES (1);";

    const PROBE: &str = "table a:\ncolumn a.x: int\ncolumn a.y: int\ncolumn a.z: int\nview v: new\nfunction f(integer): old\n- trigger a.legacy\n";

    /// The lines of the statements that are taken.
    fn taken(there: &[(&str, &str)], unrecorded: bool, alters: bool) -> Vec<usize> {
        let probes =
            [PROBE, "function f(integer): new\n"].map(|text| Probe::read(text).expect("a probe"));
        let environment = Environment::default();
        let chain = Chain::new(probes.iter(), &environment);
        let pairs = there.iter();
        let catalog = Catalog(
            pairs
                .map(|(name, text)| (name.parse().expect("a name"), (*text).to_owned()))
                .collect(),
        );
        let mut choice = Choice::new(&chain, 0, &catalog, unrecorded, alters);
        let found = statements(FILE);
        found
            .iter()
            .filter(|s| choice.takes(&effect(&s.tokens)))
            .map(|s| s.line)
            .collect()
    }

    #[test]
    fn only_what_is_missing_is_made() {
        let all = [
            ("table a", ""),
            ("column a.x", "int"),
            ("column a.y", "int"),
            ("column a.z", "int"),
            ("view v", "new"),
            ("function f(integer)", "theirs"),
        ];
        assert_eq!(taken(&all, false, true), [9, 10]);
        assert_eq!(taken(&all, true, true), [3, 9, 10]);
        assert_eq!(taken(&all[..3], false, true), [2, 3, 6, 7, 9, 10]);
        let other = [
            &all[..4],
            &[
                ("view v", "old"),
                ("function f(integer)", "new"),
                ("trigger a.legacy", ""),
            ],
        ]
        .concat();
        for alters in [true, false] {
            assert_eq!(
                taken(&other, false, alters),
                [5, 6, 8, 9, 10],
                "dropped and made again"
            );
        }
    }

    #[test]
    fn what_is_there_in_another_form_is_altered_where_that_is_possible() {
        let odd = [
            ("table a", ""),
            ("column a.x", "int"),
            ("column a.y", "text"),
            ("column a.z", "int"),
            ("view v", "new"),
            ("function f(integer)", "new"),
        ];
        assert_eq!(taken(&odd, false, true), [2, 9, 10]);
        assert_eq!(taken(&odd, false, false), [9, 10]);
    }
}
