//! The migrations of this binary: their files, the parts of a file, their probes and down scripts.
//!
//! Files are embedded. What they do is theirs; how they are run is told by markers, lines that begin a part:
//!
//! ```text
//! -- archonctl: transaction       the part is one transaction; so is a file without markers
//! -- archonctl: no-transaction    each statement by itself, such as CREATE INDEX CONCURRENTLY
//! -- archonctl: batched           one statement that does a piece of the work and returns how much; repeated until 0
//! -- archonctl: total SELECT …    below `batched`: how much there is to do
//! -- archonctl: drops-data        in down scripts: rows or columns are lost
//! ```

use std::sync::{Mutex, OnceLock, PoisonError};

use refinery_core::Migration;

use super::catalog::Names;
use super::error::MigrationError;
use super::probes::Probe;
use super::targets::effect;
use super::tokens::{Statement, statements};

mod embedded {
    pub(super) mod sqlite {
        refinery::embed_migrations!("migrations/sqlite");
    }
    pub(super) mod postgres {
        refinery::embed_migrations!("migrations/postgres");
    }
}

/// Texts by the names of their migrations.
type Texts = &'static [(&'static str, &'static str)];

// POSTGRES_PROBES, SQLITE_PROBES, POSTGRES_DOWN, SQLITE_DOWN.
include!(concat!(env!("OUT_DIR"), "/beside_migrations.rs"));

/// One migration.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// As refinery knows it, line ends normalised, so that a checkout with other ones has the same checksum.
    pub(super) migration: Migration,
    pub(super) probe: Probe,
    /// The script that undoes it, if one is written down.
    pub(super) down: Option<String>,
}

/// How a part is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// In one transaction.
    Transaction,
    /// Each statement by itself.
    NoTransaction,
    /// One statement, repeated until it has nothing left to do.
    Batched,
}

/// A part of a file.
#[derive(Clone, Debug)]
pub(super) struct Part<'t> {
    pub(super) road: Road,
    pub(super) statements: Vec<Statement<'t>>,
    /// Asks how many things a batched part has to do.
    pub(super) total: Option<&'t str>,
}

impl File {
    fn new(
        name: &str,
        sql: &str,
        probe: Option<&str>,
        down: Option<&str>,
    ) -> Result<Self, MigrationError> {
        let unreadable = |why: String| MigrationError::Unreadable {
            migration: name.to_owned(),
            why,
        };
        let unix = |text: &str| text.replace("\r\n", "\n");
        Ok(Self {
            migration: Migration::unapplied(name, &unix(sql))
                .map_err(|e| unreadable(e.to_string()))?,
            probe: probe
                .map_or(Ok(Probe::default()), Probe::read)
                .map_err(unreadable)?,
            down: down.map(unix),
        })
    }

    pub(super) fn version(&self) -> i32 {
        self.migration.version()
    }

    /// The whole text.
    pub(super) fn sql(&self) -> &str {
        self.migration.sql().unwrap_or_default()
    }

    /// Number and name as the file has them, such as `V013__add_session_disconnect_fields`.
    pub(super) fn name(&self) -> String {
        file_name(self.version(), self.migration.name())
    }

    /// The name that dashboards look for in `archon_migrations`, such as `013_add_session_disconnect_fields`.
    pub(super) fn record(&self) -> String {
        format!("{:03}_{}", self.version(), self.migration.name())
    }

    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        parts(self.sql())
    }

    /// Whether the whole file is one transaction.
    pub(super) fn is_one_transaction(&self) -> bool {
        matches!(
            &self.parts()[..],
            [Part {
                road: Road::Transaction,
                ..
            }]
        )
    }
}

pub(super) fn file_name(version: i32, name: &str) -> String {
    format!("V{version:03}__{name}")
}

const MARKER: &str = "-- archonctl: ";

/// Whether undoing with this script loses rows or columns.
pub(super) fn drops_data(script: &str) -> bool {
    script
        .lines()
        .any(|line| marker(line) == Some("drops-data"))
}

fn marker(line: &str) -> Option<&str> {
    line.strip_prefix(MARKER).map(str::trim_end)
}

/// The parts of a file's text. Parts without statements are left out.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut bounds = vec![(0, Road::Transaction, None)];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let road = match marker(line) {
            Some("transaction") => Some(Road::Transaction),
            Some("no-transaction") => Some(Road::NoTransaction),
            Some("batched") => Some(Road::Batched),
            _ => None,
        };
        if let Some(road) = road {
            bounds.push((at, road, None));
        }
        if let (Some(query), Some(last)) = (
            marker(line).and_then(|m| m.strip_prefix("total ")),
            bounds.last_mut(),
        ) {
            last.2 = Some(query);
        }
        at += line.len();
    }
    let ends = bounds
        .iter()
        .skip(1)
        .map(|bound| bound.0)
        .chain([text.len()]);
    let pieces = bounds.iter().zip(ends);
    pieces
        .map(|((start, road, total), end)| {
            let before = text[..*start].matches('\n').count();
            let mut statements = statements(&text[*start..end]);
            for statement in &mut statements {
                statement.line += before;
            }
            Part {
                road: *road,
                statements,
                total: *total,
            }
        })
        .filter(|part| !part.statements.is_empty())
        .collect()
}

/// The tables, views and functions that the files make or their probes name.
fn names(files: &[File]) -> Names {
    let made = files.iter().flat_map(|file| {
        let statements = file.parts().into_iter().flat_map(|part| part.statements);
        statements
            .flat_map(|statement| effect(&statement.tokens).makes)
            .collect::<Vec<_>>()
    });
    let made: Vec<_> = made.collect();
    let named = files.iter().flat_map(|file| file.probe.names());
    Names::of(named.chain(&made))
}

/// The migrations for one kind of database, in order.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) files: Vec<File>,
    /// The tables, views and functions that the files or their probes name.
    pub(super) names: Names,
}

impl Set {
    fn new(files: &[Migration], probes: Texts, downs: Texts) -> Result<Self, MigrationError> {
        let text = |texts: Texts, name: &str| {
            texts
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| *text)
        };
        let mut list = files
            .iter()
            .map(|m| {
                let name = file_name(m.version(), m.name());
                File::new(
                    &name,
                    m.sql().unwrap_or_default(),
                    text(probes, &name),
                    text(downs, &name),
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        list.sort_by_key(File::version);
        Ok(Self {
            names: names(&list),
            files: list,
        })
    }

    /// Those for SQLite.
    pub(super) fn sqlite() -> Result<&'static Self, MigrationError> {
        static SET: OnceLock<Set> = OnceLock::new();
        Self::made_once(&SET, || {
            let runner = embedded::sqlite::migrations::runner();
            Self::new(runner.get_migrations(), SQLITE_PROBES, SQLITE_DOWN)
        })
    }

    /// Those for PostgreSQL.
    pub(super) fn postgres() -> Result<&'static Self, MigrationError> {
        static SET: OnceLock<Set> = OnceLock::new();
        Self::made_once(&SET, || {
            let runner = embedded::postgres::migrations::runner();
            Self::new(runner.get_migrations(), POSTGRES_PROBES, POSTGRES_DOWN)
        })
    }

    /// Whoever comes while another thread makes it waits for that.
    fn made_once(
        once: &'static OnceLock<Self>,
        make: impl FnOnce() -> Result<Self, MigrationError>,
    ) -> Result<&'static Self, MigrationError> {
        static MAKING: Mutex<()> = Mutex::new(());
        let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = once.get() {
            return Ok(set);
        }
        let fresh = make()?;
        Ok(once.get_or_init(|| fresh))
    }

    /// The migrations as refinery takes them.
    pub(super) fn migrations(&self) -> Vec<Migration> {
        self.files
            .iter()
            .map(|file| file.migration.clone())
            .collect()
    }

    pub(super) fn place(&self, version: i32) -> Option<usize> {
        self.files.iter().position(|file| file.version() == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        let file = |sql| File::new("V001__a", sql, None, None).expect("a migration");
        let unix = file("CREATE TABLE a (b);\nSELECT 1;\n");
        let dos = file("CREATE TABLE a (b);\r\nSELECT 1;\r\n");
        assert_eq!(unix.migration.checksum(), dos.migration.checksum());
        assert_eq!(unix.record(), "001_a");
    }

    #[test]
    fn markers_begin_parts() {
        let text = "-- first\nSELECT 1;\n-- archonctl: no-transaction\nSELECT 2;\nSELECT 3;\n-- archonctl: batched\n\
                    -- archonctl: total SELECT 9\nSELECT 4;\n-- archonctl: transaction\n-- nothing\n";
        let found = parts(text);
        let told: Vec<_> = found
            .iter()
            .map(|part| {
                (
                    part.road,
                    part.statements
                        .iter()
                        .map(|s| (s.sql, s.line))
                        .collect::<Vec<_>>(),
                    part.total,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (Road::Transaction, vec![("SELECT 1", 2)], None),
                (
                    Road::NoTransaction,
                    vec![("SELECT 2", 4), ("SELECT 3", 5)],
                    None
                ),
                (Road::Batched, vec![("SELECT 4", 8)], Some("SELECT 9")),
            ]
        );
        assert!(!drops_data(text) && drops_data("-- archonctl: drops-data\nDROP TABLE a;"));
    }

    #[test]
    fn every_file_of_this_binary_can_be_read() {
        for set in [Set::sqlite(), Set::postgres()] {
            let set = set.expect("migrations");
            for file in &set.files {
                let parts = file.parts();
                assert!(!parts.is_empty(), "{}", file.name());
                let records = parts.iter().flat_map(|part| &part.statements);
                let records = records.filter(|s| effect(&s.tokens).records());
                assert_eq!(records.count(), 1, "{} records itself once", file.name());
                assert!(
                    file.sql().contains(&format!("'{}'", file.record())),
                    "{}",
                    file.name()
                );
                for part in parts.iter().filter(|part| part.road == Road::Batched) {
                    assert_eq!(part.statements.len(), 1, "{}", file.name());
                }
            }
        }
    }
}
