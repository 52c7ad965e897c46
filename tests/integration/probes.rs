//! The probes of migrations against what their files really make on empty databases of every kind.
//!
//! `UPDATE_PROBES=1` writes the generated lines of the probes anew; what stands below `# by hand` stays, and so do
//! alternatives (`or: …`) of generated lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use archonctl::store::{
    Location, MigrationStanding, Migrator, ObjectKind, ObjectName, Presence, Silent, Store,
    UpOptions,
};
use tempfile::TempDir;

use crate::support::postgres::{Database, Server, VERSIONS, plain, supabase};

/// Things by name, with their definitions.
type Objects = BTreeMap<ObjectName, String>;

/// An empty database.
struct Place {
    /// `13 plain`, `15 supabase`, `sqlite`.
    name: String,
    location: Location,
    _database: Option<Database>,
    _dir: Option<TempDir>,
}

fn on(server: &'static Server, kind: &str) -> Place {
    let database = server.fresh_database();
    Place {
        name: format!("{} {kind}", server.version.major()),
        location: Location::new(Path::new("/"), Some(&database.url()), None).expect("a location"),
        _database: Some(database),
        _dir: None,
    }
}

fn postgres_places() -> Vec<Place> {
    let plain = VERSIONS.map(|version| on(plain(version), "plain"));
    let supabase = VERSIONS.map(|version| on(supabase(version), "supabase"));
    plain.into_iter().chain(supabase).collect()
}

fn sqlite_place() -> Place {
    let dir = tempfile::tempdir().expect("a directory");
    let location = Location::Embedded {
        data_dir: dir.path().to_owned(),
    };
    Place {
        name: "sqlite".to_owned(),
        location,
        _database: None,
        _dir: Some(dir),
    }
}

fn folder(database: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(database)
}

/// The names of the files, in order.
fn migrations(database: &str) -> Vec<(i32, String)> {
    let entries = std::fs::read_dir(folder(database)).expect("migrations");
    let names = entries.map(|entry| entry.expect("an entry").path());
    let sql = names.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    let mut found: Vec<_> = sql
        .map(|path| {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let number = name[1..].split("__").next().expect("a number").parse();
            (number.expect("a number"), name)
        })
        .collect();
    found.sort();
    found
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

async fn open(place: &Place) -> Migrator {
    Store::open(&place.location)
        .await
        .expect("a store")
        .migrator()
}

async fn up_to(migrator: &Migrator, version: i32) {
    let options = UpOptions {
        to: Some(version),
        ..UpOptions::default()
    };
    migrator.up(&options, &Silent).await.expect("a migration");
}

/// What is there but for grants, which depend on what a server grants by itself.
async fn objects(migrator: &Migrator) -> Objects {
    let objects = migrator.objects().await.expect("objects").into_iter();
    objects
        .filter(|(name, _)| !matches!(name.kind, ObjectKind::Grant | ObjectKind::Check))
        .collect()
}

/// Each file in turn leaves exactly what the probes up to it want.
async fn probes_are_complete(place: &Place, database: &str) {
    let migrator = open(place).await;
    let status = migrator.status().await.expect("a status");
    assert!(
        status
            .states
            .iter()
            .all(|s| s.state == MigrationStanding::Pending && s.probed != Presence::Partial)
    );
    for (version, name) in migrations(database) {
        up_to(&migrator, version).await;
        let status = migrator.status().await.expect("a status");
        for state in status.states {
            let wanted = if state.version <= version {
                MigrationStanding::Applied
            } else {
                MigrationStanding::Pending
            };
            assert_eq!(
                state.state, wanted,
                "{} after {name}: {state:?}",
                place.name
            );
        }
        let expected = migrator.expected(Some(version)).await.expect("expected");
        let expected: BTreeSet<_> = expected.into_iter().map(|(name, _)| name).collect();
        for object in objects(&migrator).await.into_keys() {
            assert!(
                expected.contains(&object),
                "{}: no probe up to {name} names {object}",
                place.name
            );
        }
    }
}

#[test]
fn probes_name_everything_that_the_files_make_on_postgres() {
    if std::env::var_os("UPDATE_PROBES").is_some() {
        block_on(update(postgres_places(), "postgres"));
        return;
    }
    for place in postgres_places() {
        block_on(probes_are_complete(&place, "postgres"));
    }
}

#[test]
fn probes_name_everything_that_the_files_make_on_sqlite() {
    if std::env::var_os("UPDATE_PROBES").is_some() {
        block_on(update(vec![sqlite_place()], "sqlite"));
        return;
    }
    block_on(probes_are_complete(&sqlite_place(), "sqlite"));
}

#[test]
fn every_migration_has_its_probe_and_its_way_back_on_both_databases() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        let files = entries.filter(|path| path.is_file());
        files
            .map(|path| {
                path.file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    let files = names(folder("postgres"));
    for other in [
        "sqlite",
        "probes/postgres",
        "probes/sqlite",
        "down/postgres",
        "down/sqlite",
    ] {
        assert_eq!(files, names(folder(other)), "{other}");
    }
}

/// Writes the probes of what the files make in `places`.
async fn update(places: Vec<Place>, database: &str) {
    let migrations = migrations(database);
    // For each migration: what it makes (or drops), by place.
    let mut made: Vec<BTreeMap<ObjectName, BTreeMap<String, Option<String>>>> =
        vec![BTreeMap::new(); migrations.len()];
    for place in &places {
        let migrator = open(place).await;
        let mut before = Objects::new();
        for (at, (version, _)) in migrations.iter().enumerate() {
            up_to(&migrator, *version).await;
            let after = objects(&migrator).await;
            for (name, definition) in &after {
                if before.get(name) != Some(definition) {
                    made[at]
                        .entry(name.clone())
                        .or_default()
                        .insert(place.name.clone(), Some(definition.clone()));
                }
            }
            for name in before.keys().filter(|name| !after.contains_key(*name)) {
                made[at]
                    .entry(name.clone())
                    .or_default()
                    .insert(place.name.clone(), None);
            }
            before = after;
        }
    }
    let all: BTreeSet<String> = places.iter().map(|place| place.name.clone()).collect();
    for ((_, name), things) in migrations.iter().zip(made) {
        let file = folder("probes").join(database).join(format!("{name}.txt"));
        let old = std::fs::read_to_string(&file).unwrap_or_default();
        let (generated, by_hand) = old
            .split_once("# by hand")
            .map_or((old.as_str(), ""), |(a, b)| (a, b));
        let others = alternatives(generated);
        let mut text = format!(
            "# What {name} leaves behind. Generated and checked by tests/integration/probes.rs.\n"
        );
        for (object, definitions) in things {
            let named = [
                format!("? {object}\n"),
                format!(" {object}: "),
                format!("\n{object}: "),
            ];
            if named.iter().any(|line| by_hand.contains(line.as_str())) {
                continue;
            }
            let mut definitions = definitions;
            let mut others = others.get(&object.to_string()).cloned().unwrap_or_default();
            // Whether a view respects row security depends on the database's past; a check goes after it.
            if object.kind == ObjectKind::View {
                others.clear();
                for definition in definitions.values_mut().flatten() {
                    let plain = definition.replace(INVOKER, "");
                    if plain != *definition {
                        others.insert(format!("or: {definition}"));
                        *definition = plain;
                    }
                }
            }
            let distinct: BTreeSet<_> = definitions.values().cloned().collect();
            for definition in distinct {
                let here: BTreeSet<_> = definitions
                    .iter()
                    .filter(|(_, d)| **d == definition)
                    .map(|(p, _)| p.clone())
                    .collect();
                let condition = condition(&here, &all);
                match definition {
                    Some(definition) => {
                        text.push_str(format!("{condition}{object}: {definition}").trim_end());
                    }
                    None => text.extend([condition.as_str(), "- ", &object.to_string()]),
                }
                text.push('\n');
                for other in &others {
                    text.extend(["    ", other, "\n"]);
                }
            }
        }
        if old.contains("# by hand") {
            text.push_str("\n# by hand");
            text.push_str(by_hand);
        }
        std::fs::write(file, text).expect("a probe");
    }
}

/// How the definition of a view that respects row security has it.
const INVOKER: &str = " with (security_invoker=true)";

/// The `or:` lines below each thing.
fn alternatives(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("or:") {
            found
                .entry(last.clone())
                .or_default()
                .insert(line.trim().to_owned());
        } else {
            let rest = line.split_once("] ").map_or(line, |(_, rest)| rest);
            let object = rest.split(": ").next().unwrap_or_default();
            object.trim_end_matches(':').clone_into(&mut last);
        }
    }
    found
}

/// The condition that tells `here` from the rest of `all`.
fn condition(here: &BTreeSet<String>, all: &BTreeSet<String>) -> String {
    let candidates = [
        "", "supabase", "plain", ">=15", "<15", ">=17", "<17", ">=18", "<18",
    ];
    let holds = |place: &str, condition: &str| {
        let (version, kind) = place.split_once(' ').unwrap_or(("0", place));
        let version: u32 = version.parse().unwrap_or_default();
        let bound = || {
            condition[2..]
                .trim_start_matches('=')
                .parse()
                .unwrap_or_default()
        };
        match condition {
            "" => true,
            "supabase" | "plain" => kind == condition,
            c if c.starts_with(">=") => version >= bound(),
            c => version < c[1..].parse().unwrap_or_default(),
        }
    };
    let word = |condition: &str| match condition {
        "supabase" => "role authenticated".to_owned(),
        "plain" => "no role authenticated".to_owned(),
        other => format!("pg{other}"),
    };
    for first in candidates {
        for second in candidates {
            let these: BTreeSet<_> = all
                .iter()
                .filter(|p| holds(p, first) && holds(p, second))
                .cloned()
                .collect();
            if these == *here {
                let both = [first, second].into_iter().filter(|c| !c.is_empty());
                let words: BTreeSet<_> = both.map(word).collect();
                let words: Vec<_> = words.into_iter().collect();
                return if words.is_empty() {
                    String::new()
                } else {
                    format!("[{}] ", words.join(", "))
                };
            }
        }
    }
    // No condition tells this one from the rest: the probes' file says so.
    format!("[{here:?}] ")
}
