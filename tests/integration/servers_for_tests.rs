//! The servers that other tests rely on are what they say they are.

use crate::support::postgres::{Pooler, VERSIONS, Version, plain, supabase};

#[test]
fn every_version_starts_and_databases_share_nothing() {
    for version in VERSIONS {
        let server = plain(version);
        let (one, other) = (server.fresh_database(), server.fresh_database());
        let major = one.value("SELECT current_setting('server_version_num')::int / 10000");
        assert_eq!(major, Some(version.major().to_string()));
        one.run("CREATE TABLE mine (n int); INSERT INTO mine VALUES (1)");
        assert!(other.try_as("postgres", "SELECT * FROM mine").is_err());
        let like = server.database_like("with_mine", |made| {
            made.run("CREATE TABLE mine (n int); INSERT INTO mine VALUES (2)");
        });
        assert_eq!(like.value("SELECT n FROM mine"), Some("2".into()));
        let again = server.database_like("with_mine", |_| panic!("made twice"));
        assert_eq!(again.value("SELECT n FROM mine"), Some("2".into()));
        let roles = one.value("SELECT count(*) FROM pg_roles WHERE rolname = 'authenticated'");
        assert_eq!(
            roles,
            Some("0".into()),
            "a plain server has no roles of Supabase's"
        );
    }
}

#[test]
fn a_server_like_supabase_knows_who_is_signed_in() {
    let database = supabase(Version::V15).fresh_database();
    assert_eq!(
        database.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
        Some("f".into())
    );
    let user = "00000000-0000-0000-0000-00000000000a";
    let who = "SELECT current_user, auth.uid(), auth.role(), auth.jwt() ->> 'sub'";
    let rows = database
        .signed_in("authenticated", Some(user), who)
        .expect("rows");
    assert_eq!(
        rows,
        [["authenticated", user, "authenticated", user].map(|text| Some(text.to_owned()))]
    );
    let rows = database
        .signed_in("anon", None, "SELECT auth.uid()")
        .expect("rows");
    assert_eq!(rows, [[None]]);
    database.run("CREATE TABLE made (n int)");
    assert!(
        database.signed_in("anon", None, "TRUNCATE made").is_ok(),
        "by the platform's default grants"
    );
}

#[test]
fn a_pooler_in_transaction_mode_mixes_sessions() {
    let database = plain(Version::V13).fresh_database();
    let pooler = Pooler::start(database.server);
    let options = database
        .options_as("postgres")
        .port(pooler.port)
        .extra_float_digits(None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        use sqlx::ConnectOptions;
        let (mut one, mut other) = (
            options.connect().await.expect("a way"),
            options.connect().await.expect("a way"),
        );
        let set = sqlx::raw_sql("SET lock_timeout = '7s'")
            .execute(&mut one)
            .await;
        set.expect("set");
        let seen: (String,) = sqlx::query_as("SELECT current_setting('lock_timeout')")
            .persistent(false)
            .fetch_one(&mut other)
            .await
            .expect("a row");
        assert_eq!(seen.0, "7s", "what one session left, another one found");
    });
}
