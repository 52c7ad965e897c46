//! The project's own migration files, run in a database as they stand, without the engine: for tests of the SQL itself.

use std::path::{Path, PathBuf};

use super::{Database, Server};

/// What a line that starts a part of a file begins with.
const PART: &str = "-- archonctl: ";

/// A database of its own in which every migration has been run, as `postgres`.
pub(crate) fn migrated(server: &'static Server) -> Database {
    server.database_like("with_schema", |database| run_all(database, "public", 0))
}

/// Runs every migration from number `from` on in `schema`, which must exist.
pub(crate) fn run_all(database: &Database, schema: &str, from: u32) {
    for file in files("migrations/postgres") {
        let number = file_number(&file);
        if number >= from {
            run_file(database, schema, &file);
        }
    }
}

/// Runs one migration by its number.
pub(crate) fn run_one(database: &Database, schema: &str, number: u32) {
    let all = files("migrations/postgres");
    let file = all.iter().find(|file| file_number(file) == number);
    run_file(database, schema, file.expect("a migration of that number"));
}

/// Runs the down scripts of every migration, last one first, down to number `to`.
pub(crate) fn take_back(database: &Database, to: u32) {
    for file in files("migrations/down/postgres").iter().rev() {
        if file_number(file) >= to {
            run_file(database, "public", file);
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let listed = std::fs::read_dir(&folder).expect("migrations");
    let paths = listed.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    files.sort();
    files
}

fn file_number(file: &Path) -> u32 {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    let number = name
        .strip_prefix('V')
        .and_then(|rest| rest.split_once("__"));
    let (number, _) = number.expect("V<number>__<name>.sql");
    number.parse().expect("a number")
}

fn run_file(database: &Database, schema: &str, file: &Path) {
    let text = std::fs::read_to_string(file).expect("a migration");
    let path = format!("SET search_path TO \"{schema}\", pg_temp;");
    for (kind, part) in parts(&text) {
        match kind {
            "no-transaction" => {
                for statement in part.split(";\n").filter(|one| !is_comment(one)) {
                    // A statement that must stand alone can't share its text with SET.
                    let statement = statement.replace(" CONCURRENTLY", "");
                    database.run(&format!("{path} {statement}"));
                }
            }
            "batched" => while first_number(database, &format!("{path} {part}")) > 0 {},
            _ => {
                database.run(&format!("{path} BEGIN; {part} COMMIT"));
            }
        }
    }
}

fn first_number(database: &Database, sql: &str) -> i64 {
    let rows = database.run(sql);
    let value = rows.first().and_then(|row| row.first()?.clone());
    value.and_then(|text| text.parse().ok()).expect("a number")
}

fn is_comment(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.starts_with("--"))
}

/// The parts of a file and what each is.
fn parts(text: &str) -> Vec<(&str, String)> {
    let mut parts = vec![("transaction", String::new())];
    for line in text.lines() {
        match line.strip_prefix(PART) {
            Some(kind @ ("transaction" | "no-transaction" | "batched")) => {
                parts.push((kind, String::new()));
            }
            _ => {
                if let Some((_, part)) = parts.last_mut() {
                    part.push_str(line);
                    part.push('\n');
                }
            }
        }
    }
    parts.retain(|(_, part)| !is_comment(part));
    parts
}
