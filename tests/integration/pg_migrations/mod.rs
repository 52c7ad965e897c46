//! `archonctl migrate` on real PostgreSQL servers: from every starting point to the same schema, alone on the database,
//! whatever happens on the way.

mod access;
mod commands;
mod kills;
mod locks;
mod starting_points;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::support::archonctl;
use crate::support::postgres::{Database, Server, Version, plain, supabase};

/// The oldest, the one in the middle, the newest.
const VERSIONS: [Version; 3] = [Version::V13, Version::V15, Version::V18];

const BOOKKEEPING: &str = include_str!("../fixtures/legacy/bookkeeping.sql");
const OTHERS: &str = include_str!("../fixtures/legacy/others.sql");
const V001: &str = include_str!("../fixtures/legacy/001.sql");
const V013: &str = include_str!("../fixtures/legacy/013.sql");
const V014: &str = include_str!("../fixtures/legacy/014.sql");
const DATA: &str = include_str!("../fixtures/legacy/data.sql");

/// A kind of server.
type Kind = fn(Version) -> &'static Server;

/// Runs `case` on a new database of every version, on servers of `kind`.
fn everywhere(kind: Kind, case: impl Fn(&Database)) {
    for version in VERSIONS {
        case(&kind(version).fresh_database());
    }
}

/// Runs the statements of a fixture as psql does: one by one, and on after a failure. What failed.
fn psql(database: &Database, script: &str) -> Vec<String> {
    let statements = script
        .split(";\n\n")
        .filter(|statement| !statement.trim().is_empty());
    let failures = statements.filter_map(|statement| database.try_as("postgres", statement).err());
    failures.map(|error| error.to_string()).collect()
}

/// The command on `database`.
fn command(url: &str, words: &[&str]) -> Command {
    let mut command = archonctl(&[&["migrate"], words].concat());
    command.env("ARCHONCTL_DATABASE_URL", url);
    command
}

fn migrate_at(url: &str, words: &[&str]) -> Output {
    command(url, words).output().expect("the binary runs")
}

fn migrate(database: &Database, words: &[&str]) -> Output {
    migrate_at(&database.url(), words)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

/// The document of a command that succeeded.
fn json(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}{}", out(output), err(output));
    document(output)
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("JSON: {}{}", out(output), err(output)))
}

/// Verdicts by number.
fn states_at(url: &str) -> BTreeMap<i64, String> {
    let told = json(&migrate_at(url, &["status", "-o", "json"]));
    let states = told["data"].as_array().expect("an array").iter();
    let pair = |state: &Value| {
        let verdict = state["state"].as_str().expect("a verdict").to_owned();
        (state["version"].as_i64().expect("a number"), verdict)
    };
    states.map(pair).collect()
}

fn states(database: &Database) -> BTreeMap<i64, String> {
    states_at(&database.url())
}

/// The first of `states` as text, for comparing: `1 partial, 13 pending`.
fn verdicts(database: &Database) -> String {
    let told: Vec<_> = states(database)
        .into_iter()
        .map(|(version, state)| format!("{version} {state}"))
        .collect();
    told.join(", ")
}

/// How many migrations there are.
const COUNT: usize = 13;

const ALL_APPLIED: &str = "1 applied, 13 applied, 14 applied, 100 applied, 101 applied, 102 applied, 103 applied, 104 applied, 105 applied, 106 applied, 107 applied, 108 applied, 109 applied";

/// `migrate up && migrate verify`, and a schema like that of an empty database migrated. What `up` did.
fn green(database: &Database) -> Value {
    green_at(&database.url(), database)
}

fn green_at(url: &str, database: &Database) -> Value {
    let did = json(&migrate_at(url, &["up", "-o", "json"]));
    verified(url, database);
    did
}

/// Verifies, and compares the schema.
fn verified(url: &str, database: &Database) {
    let verified = migrate_at(url, &["verify", "--exit-code"]);
    assert_eq!(code(&verified), 0, "{}\n{}", out(&verified), err(&verified));
    let (is, should) = (dump_at(url), reference(database.server));
    let of = |schema: &BTreeMap<String, String>| -> BTreeSet<String> {
        schema
            .iter()
            .map(|(name, sql)| format!("{name}\n{sql}"))
            .collect()
    };
    let (is, should) = (of(&is), of(&should));
    let more: Vec<_> = is.difference(&should).cloned().collect();
    let less: Vec<_> = should.difference(&is).cloned().collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "more: {}\n\nless: {}",
        more.join("\n"),
        less.join("\n")
    );
}

/// The schema: each thing with its SQL. The order of columns is left out, and whether prices may be unknown: these are as
/// they were found, and harm nobody.
fn dump_at(url: &str) -> BTreeMap<String, String> {
    let dumped = json(&migrate_at(url, &["dump", "-o", "json"]));
    let objects = dumped["data"].as_array().expect("an array").iter();
    let named = |object: &Value| {
        let [kind, on, name, sql] =
            ["kind", "on", "name", "sql"].map(|field| object[field].as_str().unwrap_or_default());
        let mut lines: Vec<_> = sql
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect();
        if kind == "table" {
            lines.sort();
            if name == "archon_llm_pricing" {
                lines = lines
                    .iter()
                    .map(|line| line.replace(" NOT NULL", ""))
                    .collect();
            }
        }
        (format!("{kind} {on}.{name}"), lines.join("\n"))
    };
    objects.map(named).collect()
}

/// The schema that an empty database on `server` gets.
fn reference(server: &'static Server) -> BTreeMap<String, String> {
    static KNOWN: OnceLock<Mutex<BTreeMap<u16, BTreeMap<String, String>>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let made = known.entry(server.port).or_insert_with(|| {
        let database = server.fresh_database();
        let url = database.url();
        json(&migrate_at(&url, &["up", "-o", "json"]));
        let dumped = dump_at(&url);
        assert!(dumped.len() > 80, "{}", dumped.len());
        dumped
    });
    made.clone()
}

/// Numbers of a list in a document, such as of `data.applied`.
fn numbers(list: &Value) -> Vec<i64> {
    let items = list.as_array().expect("an array").iter();
    items
        .map(|item| item["version"].as_i64().expect("a number"))
        .collect()
}

/// Sums over the rows that people care about.
fn sums(database: &Database) -> Vec<Vec<Option<String>>> {
    database.run(
        "SELECT count(*), sum(extract(epoch FROM connected_at)), count(DISTINCT client_version) FROM archon_mcp_sessions;
         SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(estimated_cost), sum(duration_ms), count(tool_name)
         FROM archon_mcp_requests;
         SELECT count(*), sum(input_price_per_1k), sum(output_price_per_1k) FROM archon_llm_pricing WHERE effective_date < '2025-01-01';
         SELECT count(*), max(checksum), NULL FROM archon_migrations
         WHERE migration_name !~ '^(001_add_mcp|013_add_session|014_add_user|10[0-9]_)'",
    )
}
