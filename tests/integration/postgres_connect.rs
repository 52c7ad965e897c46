//! The way to PostgreSQL as the command line takes it: where the URL comes from, what is said when nobody answers or lets
//! us in, and that no password is ever shown.

use std::process::Output;

use serde_json::Value;

use crate::support::archonctl;
use crate::support::postgres::{Database, Pooler, Version, plain};

/// `sessions list` with these variables; the outcome, in which no password may be seen.
fn list(words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = archonctl(
        &[
            &["sessions", "list", "--json", "--data-dir", "/nonexistent"],
            words,
        ]
        .concat(),
    );
    let output = command
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs");
    let shown = [&output.stdout[..], &output.stderr].concat();
    assert!(
        !String::from_utf8_lossy(&shown).contains("hunter2"),
        "{output:?}"
    );
    output
}

/// The error of `list`, and how it ends.
fn refused(words: &[&str], variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let output = list(words, variables);
    let error: Value = serde_json::from_slice(&output.stderr).expect("one JSON document");
    (error["error"].clone(), output.status.code())
}

/// What is expected of an error: its word, its exit code, and words of its message and its hint.
fn assert_refused(words: &[&str], variables: &[(&str, &str)], expected: (&str, i32, &str, &str)) {
    let (error, status) = refused(words, variables);
    let (code, exit, said, hint) = expected;
    assert_eq!(
        (error["code"].as_str(), status),
        (Some(code), Some(exit)),
        "{error}"
    );
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    assert!(text("message").contains(said), "{error}");
    assert!(text("hint").contains(hint), "{error}");
}

/// A role that comes in with the password `hunter2` only.
fn with_password(database: &Database, role: &str) {
    database.admin(&format!(
        "DO $$ BEGIN CREATE ROLE needs_password NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$; \
         DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'hunter2' IN ROLE needs_password"
    ));
}

/// The error of whoever is let in: the database has no tables yet.
const LET_IN: (&str, i32, &str, &str) = ("migrations_pending", 1, "V001", "archonctl migrate up");

#[test]
fn nobody_there_and_no_such_database_say_so() {
    let database = plain(Version::V18).fresh_database();
    let port = database.server.port;
    let url = |user: &str, port: u16, name: &str| {
        format!("postgres://{user}:hunter2@127.0.0.1:{port}/{name}")
    };
    for (url, expected) in [
        (
            url("postgres", 1, "x"),
            (
                "no_connection",
                4,
                "nothing listens there",
                "is the server running",
            ),
        ),
        (
            url("postgres", port, "nonesuch"),
            (
                "no_connection",
                4,
                "\"nonesuch\" does not exist",
                "createdb",
            ),
        ),
        (
            url("nobody", port, &database.name),
            (
                "no_connection",
                4,
                "role \"nobody\" does not exist",
                "spelled right",
            ),
        ),
        (
            format!("postgres://postgres@nowhere.invalid/{}", database.name),
            ("no_connection", 4, "no such host", "spelled right"),
        ),
        (
            format!(
                "postgres://postgres@127.0.0.1:{port}/{}?sslmode=verify-full",
                database.name
            ),
            ("no_connection", 4, "no encrypted connection", "sslrootcert"),
        ),
        (database.url(), LET_IN),
        (database.socket_url(), LET_IN),
    ] {
        assert_refused(&[], &[("ARCHONCTL_DATABASE_URL", &url)], expected);
    }
}

#[test]
fn a_password_comes_from_anywhere_but_a_flag() {
    let database = plain(Version::V18).fresh_database();
    with_password(&database, "guarded");
    let without = database.url_as("guarded");
    let with = |password: &str| without.replace("guarded@", &format!("guarded:{password}@"));
    let missing = (
        "no_connection",
        4,
        "the password is missing or wrong",
        "PGPASSWORD",
    );
    assert_refused(&[], &[("DATABASE_URL", &with("hunter22"))], missing);
    assert_refused(&[], &[("DATABASE_URL", &without)], missing);

    assert_refused(&[], &[("DATABASE_URL", &with("hunter2"))], LET_IN);
    assert_refused(
        &["--database-url", &without],
        &[("PGPASSWORD", "hunter2")],
        LET_IN,
    );
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("url");
    std::fs::write(&file, with("hunter2") + "\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    assert_refused(
        &["--database-url-file", file],
        &[("DATABASE_URL", "postgres://elsewhere")],
        LET_IN,
    );
    assert_refused(&[], &[("ARCHONCTL_DATABASE_URL_FILE", file)], LET_IN);

    let in_a_flag = (
        "config_invalid",
        2,
        "a password in a flag is refused",
        "PGPASSWORD",
    );
    assert_refused(&["--database-url", &with("hunter2")], &[], in_a_flag);
    let both = ("config_invalid", 2, "which of them counts", "leave one");
    assert_refused(
        &["--database-url", &without, "--database-url-file", file],
        &[],
        both,
    );
    let gone = ("config_unreadable", 2, "/nonexistent/url", "readable");
    assert_refused(&["--database-url-file", "/nonexistent/url"], &[], gone);
}

#[test]
fn the_nearest_setting_counts_and_shows_no_password() {
    let show = |variables: &[(&str, &str)], words: &[&str]| {
        let mut command = archonctl(&[&["config", "show", "--json"], words].concat());
        let output = command
            .envs(variables.iter().copied())
            .output()
            .expect("the binary runs");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let settings = document["data"].as_array().expect("settings").clone();
        let found = settings
            .into_iter()
            .find(|setting| setting["key"] == "database_url");
        let found = found.expect("database_url");
        (
            found["value"].as_str().map(str::to_owned),
            found["origin"].as_str().map(str::to_owned),
        )
    };
    let foreign = ("DATABASE_URL", "postgres://a:hunter2@h/d");
    let own = ("ARCHONCTL_DATABASE_URL", "sqlite:///x.db");
    let told = |value: &str, origin: &str| (Some(value.to_owned()), Some(origin.to_owned()));
    assert_eq!(
        show(&[foreign], &[]),
        told("postgres://a:***@h/d", "DATABASE_URL")
    );
    assert_eq!(
        show(&[foreign, own], &[]),
        told("sqlite:///x.db", "ARCHONCTL_DATABASE_URL")
    );
    let flag = ["--database-url", "sqlite:"];
    assert_eq!(
        show(&[foreign, own], &flag),
        told("sqlite:", "--database-url")
    );
}

#[test]
fn what_is_no_database_is_refused_with_the_way_out() {
    for (url, expected) in [
        (
            "mysql://me:hunter2@h/d",
            (
                "database_url",
                2,
                "neither a postgres:// nor a sqlite: URL",
                "postgres://USER@HOST",
            ),
        ),
        (
            "postgres://h/d?sslmode=sometimes",
            ("database_url", 2, "sslmode", "verify-full"),
        ),
        (
            "postgres://h/d?hunter=1",
            ("database_url", 2, "hunter", "understood are"),
        ),
        (
            "sqlite::memory:",
            ("database_url", 2, "keeps nothing", "path of a file"),
        ),
    ] {
        assert_refused(&[], &[("DATABASE_URL", url)], expected);
    }
    let no_schema = ("database_url", 2, "SQLite knows none", "--database-schema");
    assert_refused(&["--database-schema", "app"], &[], no_schema);
}

#[test]
fn tls_is_used_as_the_url_says() {
    let database = plain(Version::V18).fresh_database();
    let authority = database.server.dir.join("data/root.crt");
    let (port, name) = (database.server.port, &database.name);
    let url = |host: &str, mode: &str| {
        format!(
            "postgres://postgres@{host}:{port}/{name}?sslmode={mode}&sslrootcert={}",
            authority.display()
        )
    };
    let tls = (
        "no_connection",
        4,
        "no encrypted connection",
        "sslmode=require",
    );
    for (url, expected) in [
        (url("127.0.0.1", "disable"), LET_IN),
        (url("127.0.0.1", "prefer"), LET_IN),
        (
            format!("postgres://postgres@127.0.0.1:{port}/{name}?sslmode=require"),
            LET_IN,
        ),
        (url("localhost", "verify-full"), LET_IN),
        (
            format!("postgres://postgres@localhost:{port}/{name}?sslmode=verify-full"),
            tls,
        ),
    ] {
        assert_refused(&[], &[("DATABASE_URL", &url)], expected);
    }
    // A server without TLS, of which it is asked.
    let pooler = Pooler::start(database.server);
    let url = format!("{}?sslmode=require", pooler.url(&database));
    assert_refused(&[], &[("DATABASE_URL", &url)], tls);
}
