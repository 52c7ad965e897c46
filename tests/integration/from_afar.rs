//! Query commands that ask the API of a daemon in place of a store: the same output to the byte, and errors that say what to do.

use std::collections::HashSet;
use std::process::Output;

use archonctl::store::Location;
use serde_json::Value;

use crate::api_access::{open_daemon, token};
use crate::postgres_serve::{fill, migrate, questions};
use crate::support::postgres::{Version, plain};
use crate::support::{Scripted, archonctl, new_data_dir};

/// What is asked: sessions in every way, and prices.
fn commands() -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    let mut all = questions();
    all.extend(
        [
            "sessions list --with-calls --limit 2",
            "sessions list --offset 100",
            "sessions list --client nobody",
            "sessions list --status all",
            "sessions list --until 2026-07-02T10:00:00+02:00",
            "sessions list --columns session_id,client,bytes_out --no-headers",
            "sessions list --columns nothing",
            "sessions disconnected --since 2000-01-01 --until 2026-11-01",
            "sessions disconnected --until 2026-07-02",
            "sessions disconnected --limit 10000 --since 2026-01-01 --until 2026-11-01",
            "sessions stats --since 2020-01-01 --until 2026-07-02T11:12:13.123456Z",
            "sessions show 00000000-0000-0000-0000-000000000004 --limit 10000",
            "sessions show 00000000-0000-0000-0000-000000000004 --offset 2",
            "sessions show 00000000-0000-0000-0000-0000000000ff",
            "pricing list",
            "pricing list --all",
            "pricing list --provider anthropic --model sonnet",
            "pricing list --model nothing",
        ]
        .map(words),
    );
    all
}

/// The first of each kind is asked for in all of them, the others in the first two.
const FORMATS: [&[&str]; 9] = [
    &["-o", "json"],
    &[],
    &["--time", "iso"],
    &["-o", "wide"],
    &["-o", "jsonl"],
    &["-o", "yaml"],
    &["-o", "csv"],
    &["-q"],
    &["--color", "always"],
];

fn run(words: &[String], more: &[&str], variables: &[(&str, &str)]) -> Output {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = archonctl(&words);
    command.args(more).envs(variables.iter().copied());
    command.output().expect("it runs")
}

/// Compares to the byte, and shows the first line that differs.
fn same(found: &[u8], expected: &[u8], what: &str) {
    if found != expected {
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (found, expected) = (lines(found), lines(expected));
        let pair = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
        panic!(
            "{what}: {pair:?}, {} and {} bytes",
            found.len(),
            expected.len()
        );
    }
}

/// Asks everything of the store that `place` names and of the API at `url`.
fn compare(place: &[&str], url: &str, token: &str) {
    let (mut told, mut kinds) = (0, HashSet::new());
    for command in commands() {
        let formats = if kinds.insert(command[..2].to_vec()) {
            &FORMATS[..]
        } else {
            &FORMATS[..2]
        };
        for format in formats.iter().copied() {
            // CSV and tables alone have columns.
            if command.contains(&"--columns".to_owned())
                && ["json", "jsonl", "yaml"]
                    .iter()
                    .any(|name| format.contains(name))
            {
                continue;
            }
            let store = run(&command, &[place, format].concat(), &[]);
            let api = run(
                &command,
                &[&["--api-url", url], format].concat(),
                &[("ARCHONCTL_API_TOKEN", token)],
            );
            let what = format!("{command:?} {format:?}");
            same(&api.stdout, &store.stdout, &what);
            same(&api.stderr, &store.stderr, &what);
            assert_eq!(api.status.code(), store.status.code(), "{what}");
            told += store.stdout.len();
        }
    }
    assert!(told > 50_000, "{told} bytes were compared");
}

#[test]
fn the_api_answers_the_same_to_the_byte_as_the_embedded_store() {
    let (root, data_dir) = new_data_dir();
    let reads = token(&data_dir, &["reads", "--scope", "read"]);
    fill(&Location::new(&data_dir, None, None).expect("a place"));
    let (daemon, url) = open_daemon(&data_dir, &[]);
    let place = data_dir.to_str().expect("UTF-8");
    compare(&["--data-dir", place], &url, &reads);

    // The address and the token from files and the environment.
    let list: Vec<String> = ["sessions", "list", "-q"].map(str::to_owned).into();
    let file = root.path().join("token");
    std::fs::write(&file, format!("{reads}\n")).expect("written");
    let expected = run(&list, &["--data-dir", place], &[]).stdout;
    let file = file.to_str().expect("UTF-8");
    for (more, variables) in [
        (
            &["--api-token-file", file][..],
            &[("ARCHONCTL_API_URL", url.as_str())][..],
        ),
        (
            &[],
            &[
                ("ARCHONCTL_API_URL", url.as_str()),
                ("ARCHONCTL_API_TOKEN_FILE", file),
            ],
        ),
        (
            &["--api-url", &format!("{url}/")],
            // The flag says where; the token of the flag beats the other one.
            &[
                ("ARCHONCTL_DATA_DIR", "/nowhere"),
                ("ARCHONCTL_API_TOKEN", &reads),
            ],
        ),
        (
            &["--api-url", &url, "--api-token-file", file],
            &[("ARCHONCTL_API_TOKEN", "archonctl_wrong")],
        ),
        // A store that a flag names beats an API that the environment does.
        (
            &["--data-dir", place],
            &[("ARCHONCTL_API_URL", "http://127.0.0.1:1")],
        ),
    ] {
        let output = run(&list, more, variables);
        assert_eq!(
            output.stdout,
            expected,
            "{more:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    daemon.stop();
}

#[test]
fn the_api_answers_the_same_to_the_byte_as_postgresql() {
    let database = plain(Version::V18).fresh_database();
    let (_root, data_dir) = new_data_dir();
    let at = database.url();
    migrate(&at, None);
    let made = token(
        &data_dir,
        &["reads", "--scope", "read", "--database-url", &at],
    );
    fill(&Location::new(&data_dir, Some(&at), None).expect("a place"));
    let (daemon, url) = open_daemon(&data_dir, &["--database-url", &at]);
    let elsewhere = data_dir.join("of-the-query");
    let place = elsewhere.to_str().expect("UTF-8");
    compare(&["--database-url", &at, "--data-dir", place], &url, &made);
    let kept = database.value("SELECT encode(secret_sha256, 'hex') FROM archon_api_tokens");
    let secret = made.rsplit('_').next().expect("a secret");
    assert_ne!(kept.as_deref(), Some(secret), "only the digest is kept");
    let words = [
        "token",
        "revoke",
        "reads",
        "--database-url",
        &at,
        "--data-dir",
        place,
    ];
    assert!(archonctl(&words).status().expect("it runs").success());
    let list: Vec<String> = ["sessions", "list"].map(str::to_owned).into();
    let refused = run(
        &list,
        &["--api-url", &url],
        &[("ARCHONCTL_API_TOKEN", &made)],
    );
    assert_eq!(refused.status.code(), Some(4), "from the next request on");
    daemon.stop();
}

/// The one error of a query with `-o json`.
fn error(more: &[&str], variables: &[(&str, &str)]) -> Value {
    let list: Vec<String> = ["sessions", "list", "-o", "json"].map(str::to_owned).into();
    let output = run(&list, more, variables);
    assert!(output.stdout.is_empty(), "{more:?}");
    let error: Value = serde_json::from_slice(&output.stderr).expect("one JSON");
    assert_eq!(
        error["error"]["exit_code"],
        output.status.code().expect("a code")
    );
    assert!(error["error"]["hint"].is_string(), "{error}");
    error["error"].clone()
}

#[test]
fn what_keeps_a_query_from_its_answer_is_told_with_the_way_out() {
    let (_root, data_dir) = new_data_dir();
    token(&data_dir, &["reads", "--scope", "read"]);
    let writes = token(&data_dir, &["writes", "--scope", "write"]);
    let (daemon, url) = open_daemon(&data_dir, &[]);
    let mcp = daemon.url.trim_end_matches("/mcp").to_owned();
    let wrong = [("ARCHONCTL_API_TOKEN", "archonctl_wrong")];
    for (url, variables, code, message, hint) in [
        (
            &*url,
            &[][..],
            "unauthorized",
            "no token was sent",
            "ARCHONCTL_API_TOKEN",
        ),
        (
            &url,
            &wrong,
            "unauthorized",
            "the token is not known",
            "archonctl token list",
        ),
        (
            &url,
            &[("ARCHONCTL_API_TOKEN", &*writes)],
            "forbidden",
            "the scope 'read' is needed",
            "--scope read",
        ),
        (
            "http://127.0.0.1:1",
            &[],
            "no_connection",
            "no answer from the API",
            "--api-listen",
        ),
        (
            "http://nowhere.invalid",
            &[],
            "no_connection",
            "no answer from the API",
            "--api-listen",
        ),
        (
            &mcp,
            &[],
            "no_api",
            "no archonctl, or one of another version",
            "not of --listen",
        ),
    ] {
        let told = error(&["--api-url", url], variables);
        assert_eq!(told["code"], code, "{told}");
        assert_eq!(told["exit_code"], 4, "{told}");
        assert!(
            told["message"]
                .as_str()
                .is_some_and(|text| text.contains(message)),
            "{told}"
        );
        assert!(
            told["hint"]
                .as_str()
                .is_some_and(|text| text.contains(hint)),
            "{told}"
        );
    }
    for _ in 0..10 {
        error(&["--api-url", &url], &wrong);
    }
    let told = error(&["--api-url", &url], &wrong);
    assert_eq!(
        (&told["code"], &told["exit_code"]),
        (&"too_many_tries".into(), &4.into())
    );
    daemon.stop();
}

#[test]
fn an_api_and_a_store_exclude_each_other_and_secrets_stay_out_of_flags() {
    let api = ["--api-url", "http://127.0.0.1:1"];
    for (more, variables, message) in [
        (
            &["--data-dir", "/x"][..],
            &[][..],
            "--data-dir names a store in the same place",
        ),
        (
            &["--database-url", "sqlite:"],
            &[],
            "--database-url names a store in the same place",
        ),
        (
            &["--database-url-file", "x"],
            &[],
            "--database-url-file names a store",
        ),
        (
            &["--database-schema", "x"],
            &[],
            "--database-schema names a store",
        ),
    ] {
        let told = error(&[&api, more].concat(), variables);
        assert_eq!(told["exit_code"], 2, "{told}");
        assert!(
            told["message"]
                .as_str()
                .is_some_and(|text| text.contains(message)),
            "{told}"
        );
    }
    let both = [
        ("ARCHONCTL_API_URL", "http://127.0.0.1:1"),
        ("ARCHONCTL_DATABASE_URL", "postgres://127.0.0.1:1/x"),
    ];
    let told = error(&[], &both).to_string();
    assert!(
        told.contains("ARCHONCTL_DATABASE_URL names a store"),
        "{told}"
    );
    let told = error(&["--api-url", "http://me:hunter2@127.0.0.1:1"], &[]).to_string();
    assert!(
        told.contains("refused") && !told.contains("hunter2"),
        "{told}"
    );
    let told = error(&["--api-token-file", "/x"], &[]).to_string();
    assert!(
        told.contains("there is no API to show the token to"),
        "{told}"
    );
    let told = error(&[&api[..], &["--api-token-file", "/nowhere"]].concat(), &[]);
    assert_eq!(told["code"], "config_unreadable");
    // Commands that change a store, or are about this machine, ask no API.
    for words in [
        &["migrate", "status"][..],
        &["doctor"],
        &["token", "list"],
        &["pricing", "import", "x"],
    ] {
        let output = archonctl(words).args(api).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn a_token_goes_to_the_named_place_alone() {
    let server = Scripted::start();
    let url = server.url.trim_end_matches("/mcp").to_owned();
    let asking = std::thread::spawn(move || {
        error(
            &["--api-url", &url],
            &[("ARCHONCTL_API_TOKEN", "archonctl_1")],
        )
    });
    let request = server.request();
    assert_eq!(request.header("authorization"), Some("Bearer archonctl_1"));
    assert!(
        request.start.starts_with("GET /api/mcp/query/sessions?"),
        "{}",
        request.start
    );
    request.answer(
        "302 Found",
        "location: http://127.0.0.1:1/elsewhere\r\n",
        b"",
    );
    let told = asking.join().expect("told");
    assert_eq!(
        (&told["code"], &told["exit_code"]),
        (&"api_status".into(), &4.into())
    );
    assert!(
        told["hint"]
            .as_str()
            .is_some_and(|text| text.contains("redirects are not followed"))
    );
}
