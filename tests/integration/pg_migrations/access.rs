//! Who migrates, and which way: roles with few rights, other schemas, poolers, servers that only answer.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::support::postgres::Pooler;

/// A role of the test's own; it goes with this value.
struct Role {
    name: String,
    database: Database,
}

impl Role {
    /// A role that may make tables in `database`.
    fn new(database: Database) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("migrator_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        database.admin(&format!(
            "CREATE ROLE {name} LOGIN; GRANT ALL ON SCHEMA public TO {name}"
        ));
        Self { name, database }
    }

    fn url(&self) -> String {
        self.database.url_as(&self.name)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.database.try_as(
            "postgres",
            &format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"),
        );
    }
}

/// The remarks of a document.
fn remarks(document: &Value) -> String {
    document["meta"]["remarks"].to_string() + &document["data"]["remarks"].to_string()
}

#[test]
fn a_role_that_may_not_read_archon_migrations_is_told_and_the_catalog_is_believed() {
    for (version, grants) in [
        (Version::V13, "SELECT, INSERT"),
        (Version::V15, "SELECT"),
        (Version::V18, "TRIGGER"),
    ] {
        let role = Role::new(plain(version).fresh_database());
        let database = &role.database;
        psql(database, BOOKKEEPING);
        psql(database, OTHERS);
        database.run("INSERT INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '013_add_session_disconnect_fields')");
        database.run(&format!(
            "GRANT {grants} ON archon_migrations TO {}",
            role.name
        ));
        for script in [V001, DATA] {
            for statement in script.split(";\n\n") {
                // Policies and the record fail, as they did for this role in its time.
                let _ = database.try_as(&role.name, statement);
            }
        }
        let before = sums(database);
        let status = json(&migrate_at(&role.url(), &["status", "-o", "json"]));
        assert_eq!(
            status["data"][1]["recorded_in_archon"],
            Value::Null,
            "{status}"
        );
        assert_eq!(status["data"][1]["state"], "pending");
        assert!(
            remarks(&status).contains("archon_migrations hides its rows from this role"),
            "{status}"
        );

        let up = json(&migrate_at(&role.url(), &["up", "-o", "json"]));
        assert!(remarks(&up).contains("archon_migrations"), "{up}");
        let verify = migrate_at(&role.url(), &["verify", "--exit-code"]);
        assert_eq!(code(&verify), 0, "{}{}", out(&verify), err(&verify));
        assert!(err(&verify).contains("hides its rows"), "{}", err(&verify));
        let again = migrate_at(&role.url(), &["up", "-o", "json"]);
        assert_eq!(numbers(&json(&again)["data"]["applied"]), [0; 0]);
        assert_eq!(sums(database), before);

        let mut is = dump_at(&role.url());
        let mut should = reference(database.server);
        for schema in [&mut is, &mut should] {
            // That table is somebody else's.
            schema.retain(|name, _| !name.contains("archon_migrations"));
        }
        assert_eq!(is, should);
    }
}

#[test]
fn a_role_that_owns_nothing_is_told_so() {
    let role = Role::new(plain(Version::V15).fresh_database());
    green_without_comparison(&role.database);
    role.database.run("DROP VIEW archon_mcp_user_stats");
    let up = migrate_at(&role.url(), &["up", "-o", "json"]);
    assert_eq!(code(&up), 1);
    let error: Value = serde_json::from_slice(&up.stderr).expect("one JSON");
    assert!(
        error["error"]["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("owner")),
        "{error}"
    );
    assert!(up.stdout.is_empty());
}

#[test]
fn another_schema_is_honoured_everywhere_and_public_is_left_alone() {
    for (version, schema) in [
        (Version::V13, "archon"),
        (Version::V15, "My \"own\" Schema"),
        (Version::V18, "user"),
    ] {
        let database = supabase(version).fresh_database();
        for script in [BOOKKEEPING, OTHERS, V001, DATA] {
            psql(&database, script);
        }
        let url = database.url();
        let (public, rows) = (dump_at(&url), sums(&database));
        let here =
            |words: &[&str]| migrate_at(&url, &[words, &["--database-schema", schema]].concat());
        let status = json(&here(&["status", "-o", "json"]));
        assert!(remarks(&status).contains("there is no schema"), "{status}");
        assert_eq!(status["meta"]["schema"], schema);
        assert_eq!(status["data"][0]["state"], "pending");
        let up = json(&here(&["up", "-o", "json"]));
        assert!(remarks(&up).contains("made the schema"), "{up}");
        let verify = here(&["verify", "--exit-code"]);
        assert_eq!(code(&verify), 0, "{}{}", out(&verify), err(&verify));
        assert_eq!(
            numbers(&json(&here(&["up", "-o", "json"]))["data"]["applied"]),
            [0; 0]
        );
        assert_eq!(
            (dump_at(&url), sums(&database)),
            (public.clone(), rows),
            "public is as it was"
        );

        // As libpq has it: a quoted name, in which a backslash keeps blanks together.
        let quoted = format!("\"{}\"", schema.replace('"', "\"\"")).replace(' ', "\\ ");
        let named = format!("{url}?options=-c%20search_path%3D{}", encoded(&quoted));
        let found = states_at(&named);
        assert!(found.values().all(|state| state == "applied"), "{found:?}");
        let elsewhere = dump_at(&format!("{url}?schema={}", encoded(schema)));
        let literal = |name: &str| format!("'{}'", name.replace('\'', "''"));
        for (name, sql) in reference(database.server) {
            if name.starts_with("grant") || name.starts_with("function") {
                // Default privileges are the business of public.
                continue;
            }
            let is = elsewhere
                .get(&name)
                .map(|sql| sql.replace(&literal(schema), "'public'"));
            assert_eq!(is.as_deref(), Some(sql.as_str()), "{name}");
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| {
        encoded + &format!("%{byte:02X}")
    })
}

#[test]
fn a_pooler_in_transaction_mode_is_named_and_questions_pass_through_it() {
    let database = plain(Version::V15).fresh_database();
    let pooler = Pooler::start(database.server);
    let url = pooler.url(&database);
    for words in [
        &["up", "-o", "json"][..],
        &["up", "--rehearse", "-o", "json"],
        &["repair", "-o", "json"],
    ] {
        let refused = migrate_at(&url, words);
        if words[0] == "repair" {
            assert_eq!(code(&refused), 0, "nothing to repair: nothing to lock");
            continue;
        }
        assert_eq!(code(&refused), 4, "{}", err(&refused));
        let error: Value = serde_json::from_slice(&refused.stderr).expect("one JSON");
        assert_eq!(error["error"]["code"], "transaction_pooler");
        assert!(
            error["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains("pgbouncer")),
            "{error}"
        );
        assert!(
            error["error"]["hint"]
                .as_str()
                .is_some_and(|text| text.contains("5432")),
            "{error}"
        );
    }
    assert_eq!(
        verdicts(&database).matches("pending").count(),
        COUNT,
        "nothing was changed"
    );
    green(&database);
    for words in [
        &["status", "--exit-code"][..],
        &["verify"],
        &["plan"],
        &["dump"],
        &["up"],
    ] {
        let output = migrate_at(&url, words);
        assert_eq!(code(&output), 0, "{words:?}: {}", err(&output));
    }
    assert_eq!(
        out(&migrate_at(&url, &["dump"])),
        out(&migrate(&database, &["dump"]))
    );
}

#[test]
fn a_database_that_only_answers_is_left_alone() {
    let database = plain(Version::V18).fresh_database();
    database.admin(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only TO on",
        database.name
    ));
    let refused = migrate(&database, &["up", "-o", "json"]);
    assert_eq!(code(&refused), 1);
    let error: Value = serde_json::from_slice(&refused.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "read_only");
    assert_eq!(code(&migrate(&database, &["status"])), 0);
}

#[test]
fn a_search_path_without_a_schema_is_told() {
    let database = plain(Version::V15).fresh_database();
    database.admin(&format!(
        "ALTER DATABASE {} SET search_path TO nowhere",
        database.name
    ));
    let refused = migrate(&database, &["up"]);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("--database-schema"),
        "{}",
        err(&refused)
    );
}

/// Up and verified; the schema is not compared.
fn green_without_comparison(database: &Database) {
    json(&migrate(database, &["up", "-o", "json"]));
    assert_eq!(code(&migrate(database, &["verify"])), 0);
}
