//! Who gets into the API of a daemon that other machines can reach: tokens and JWTs, good ones and wrong ones, and pages of sites.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Daemon, archonctl, clients_dir, eventually, new_data_dir, python, send};

/// A command on the store in `data_dir`.
fn on(data_dir: &Path, words: &[&str]) -> Output {
    let mut command = archonctl(words);
    command.arg("--data-dir").arg(data_dir);
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A new token.
pub(crate) fn token(data_dir: &Path, words: &[&str]) -> String {
    let output = on(data_dir, &[&["token", "create", "-q"], words].concat());
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.trim().to_owned()
}

fn serve(data_dir: &Path, words: &[&str]) -> Command {
    let mut command = archonctl(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .args(["--api-listen", "0.0.0.0:0", "--data-dir"])
        .arg(data_dir)
        .args(words);
    command
}

/// A daemon whose API listens on every address of this machine, and where to reach it.
pub(crate) fn open_daemon(data_dir: &Path, words: &[&str]) -> (Daemon, String) {
    let daemon = Daemon::spawn(serve(data_dir, words));
    let url = daemon.api.replace("0.0.0.0", "127.0.0.1");
    (daemon, url)
}

/// An answer: its status, some of its headers, its body.
struct Answer {
    status: u16,
    challenge: Option<String>,
    wait: Option<String>,
    allowed: Option<String>,
    allowed_headers: Option<String>,
    body: String,
}

impl Answer {
    fn detail(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        body["detail"].as_str().expect("a text").to_owned()
    }
}

fn ask(method: &str, url: &str, headers: &str) -> Answer {
    let sent: &[u8] = if method == "POST" { b"{}" } else { b"" };
    let headers = format!("content-type: application/json\r\n{headers}");
    let mut answer = send(url, method, &headers, sent).expect("answered");
    // The answer to HEAD says how long the body would be.
    let body = if method == "HEAD" {
        Vec::new()
    } else {
        answer.body().expect("a body")
    };
    let header = |name: &str| answer.header(name).map(str::to_owned);
    Answer {
        challenge: header("www-authenticate"),
        wait: header("retry-after"),
        allowed: header("access-control-allow-origin"),
        allowed_headers: header("access-control-allow-headers"),
        status: answer.status(),
        body: String::from_utf8(body).expect("UTF-8"),
    }
}

fn with(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn get(url: &str, token: &str) -> Answer {
    ask("GET", url, &with(token))
}

/// How often somebody was turned away with `status`, as `/metrics` has it.
fn turned_away(url: &str, token: &str, status: u16) -> u64 {
    let metrics = get(&format!("{url}/metrics"), token).body;
    let name = format!("archonctl_api_refusals_total{{status=\"{status}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.expect("a sample").parse().expect("a number")
}

#[test]
fn each_token_lets_in_for_what_it_may_do_and_nobody_else_gets_in() {
    let (_root, data_dir) = new_data_dir();
    let reads = token(&data_dir, &["reads", "--scope", "read"]);
    let writes = token(
        &data_dir,
        &["writes", "--scope", "write", "--expires", "90d"],
    );
    let both = token(&data_dir, &["both", "--scope", "read,write"]);
    let admin = token(&data_dir, &["admin", "--scope", "admin"]);
    let (daemon, url) = open_daemon(&data_dir, &[]);
    let clients = format!("{url}/api/mcp/clients");
    let sessions = format!("{url}/api/mcp/sessions");

    for path in [
        "/api/mcp/clients",
        "/api/mcp/health",
        "/api/mcp/nothing",
        "/api/mcp/query/sessions",
        "/api/openapi.json",
        "/docs",
        "/docs/page.js",
        "/health",
        "/metrics",
    ] {
        let answer = ask("GET", &format!("{url}{path}"), "");
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            answer.challenge.as_deref(),
            Some("Bearer realm=\"archonctl\"")
        );
        assert!(
            answer.detail().contains("no token was sent"),
            "{}",
            answer.detail()
        );
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(
            ask("GET", &format!("{url}{path}"), "").status,
            200,
            "{path}"
        );
    }
    for (token, may_read, may_write) in [
        (&reads, true, false),
        (&writes, false, true),
        (&both, true, true),
        (&admin, true, true),
    ] {
        let read = ask("GET", &clients, &with(token));
        let written = ask("POST", &sessions, &with(token));
        let status = |may, good| if may { good } else { 403 };
        assert_eq!(read.status, status(may_read, 200), "{}", read.body);
        assert_eq!(written.status, status(may_write, 201), "{}", written.body);
        for (may, scope, answer) in [(may_read, "read", read), (may_write, "write", written)] {
            let challenge = answer.challenge.unwrap_or_default();
            let expected = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(challenge.contains(&expected), !may, "{challenge}");
        }
    }
    assert_eq!(ask("HEAD", &clients, &with(&writes)).status, 403);

    assert_eq!(turned_away(&url, &admin, 401), 9);
    assert_eq!(turned_away(&url, &admin, 403), 3);
    daemon.stop();
}

#[test]
fn a_token_that_is_wrong_in_any_way_lets_nobody_in_and_a_revoked_one_at_once() {
    let (_root, data_dir) = new_data_dir();
    let reads = token(&data_dir, &["reads", "--scope", "read"]);
    let both = token(&data_dir, &["both", "--scope", "read,write"]);
    let expired = token(
        &data_dir,
        &["expired", "--scope", "admin", "--expires", "1ms"],
    );
    let (daemon, url) = open_daemon(&data_dir, &[]);
    let clients = format!("{url}/api/mcp/clients");
    let mut other = reads.clone();
    let last = other.pop().expect("a character");
    other.push(if last == '0' { '1' } else { '0' });
    for (headers, why) in [
        (with(&expired), "the token has expired"),
        (with(&other), "the token is not known"),
        (with("something"), "the token is none of archonctl"),
        (with("two words"), "what stands behind Bearer is no token"),
        (
            with(&reads).repeat(2),
            "there is more than one Authorization header",
        ),
    ] {
        let answer = ask("GET", &clients, &headers);
        assert_eq!(answer.status, 401, "{headers}");
        let challenge = answer.challenge.clone().expect("a challenge");
        let expected = format!("error=\"invalid_token\", error_description=\"{why}\"");
        assert!(challenge.contains(&expected), "{challenge}");
        assert!(answer.detail().starts_with(why), "{}", answer.detail());
    }
    for headers in [
        "authorization: Basic dXNlcjpwYXNz\r\n",
        "authorization: Bearer\r\n",
    ] {
        assert_eq!(ask("GET", &clients, headers).status, 401, "{headers}");
    }
    // A token in the address would end up in logs.
    let in_address = format!("{clients}?access_token={reads}");
    assert_eq!(ask("GET", &in_address, "").status, 401);
    assert_eq!(turned_away(&url, &both, 401), 5 + 2 + 1);
    assert_eq!(turned_away(&url, &both, 429), 0);

    assert!(
        on(&data_dir, &["token", "revoke", "reads"])
            .status
            .success()
    );
    let answer = get(&clients, &reads);
    assert_eq!(answer.status, 401, "at once");
    assert!(answer.detail().starts_with("the token was revoked"));
    assert_eq!(get(&clients, &both).status, 200);

    let listed = eventually("when tokens were used", || {
        let output = on(&data_dir, &["token", "list", "-o", "json"]);
        let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let used = |name| {
            listed["data"].as_array().is_some_and(|rows| {
                rows.iter()
                    .any(|row| row["name"] == name && row["last_used_at"].is_string())
            })
        };
        used("both").then_some(listed)
    });
    let rows = listed["data"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a row");
    assert_eq!(row("reads")["status"], "revoked");
    assert_eq!(row("expired")["status"], "expired");
    assert_eq!(row("both")["scopes"], serde_json::json!(["read", "write"]));
    assert!(
        !listed.to_string().contains(&both[30..]),
        "no secret is shown again"
    );
    daemon.stop();
}

#[test]
fn wrong_tokens_are_answered_more_and_more_rarely_and_good_ones_of_before_go_on() {
    let (_root, data_dir) = new_data_dir();
    let used = token(&data_dir, &["used", "--scope", "read"]);
    let unused = token(&data_dir, &["unused", "--scope", "read"]);
    let (daemon, url) = open_daemon(&data_dir, &[]);
    let clients = format!("{url}/api/mcp/clients");
    assert_eq!(get(&clients, &used).status, 200);
    let wrong: Vec<_> = (0..12).map(|_| get(&clients, "archonctl_wrong")).collect();
    let statuses: Vec<_> = wrong.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses[..10], [401; 10]);
    // A try comes back after six seconds.
    let last = &wrong[11];
    assert_eq!(last.status, 429, "{statuses:?}");
    let seconds: u64 = last
        .wait
        .as_deref()
        .expect("Retry-After")
        .parse()
        .expect("seconds");
    assert!((1..=6).contains(&seconds), "{seconds}");
    assert!(
        last.detail().contains("too many wrong tokens"),
        "{}",
        last.detail()
    );
    assert_eq!(
        get(&clients, &unused).status,
        429,
        "a good one that was not in before"
    );
    assert_eq!(get(&clients, &used).status, 200);
    assert_eq!(
        ask("GET", &clients, "").status,
        401,
        "who shows nothing tries nothing"
    );
    assert!(turned_away(&url, &used, 429) >= 2);
    daemon.stop();
}

#[test]
fn serve_does_not_start_where_everybody_or_nobody_would_get_in() {
    let (_root, data_dir) = new_data_dir();
    let refused = |words: &[&str]| {
        let output = serve(&data_dir, words).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let message = refused(&[]);
    for part in [
        "can be reached from other machines",
        "hint: ",
        "archonctl token create",
        "--jwt-key-file",
        "--no-auth",
        "--api-listen 127.0.0.1:8181",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    // None that lets anybody in.
    token(&data_dir, &["old", "--scope", "read", "--expires", "1ms"]);
    token(&data_dir, &["gone", "--scope", "read"]);
    assert!(on(&data_dir, &["token", "revoke", "gone"]).status.success());
    assert!(refused(&[]).contains("there is no token that lets anybody in"));

    let (daemon, url) = open_daemon(&data_dir, &["--no-auth"]);
    assert!(
        daemon
            .early
            .iter()
            .any(|line| line.contains("asks nobody who they are")),
        "{:?}",
        daemon.early
    );
    assert_eq!(
        ask("GET", &format!("{url}/api/mcp/clients"), "").status,
        200
    );
    assert_eq!(
        ask("POST", &format!("{url}/api/mcp/sessions"), "").status,
        201
    );
    // Pages of sites that nobody has named are kept out all the same.
    let foreign = ask(
        "GET",
        &format!("{url}/api/mcp/clients"),
        "origin: https://evil.example\r\n",
    );
    assert_eq!(foreign.status, 403);
    daemon.stop();

    token(&data_dir, &["good", "--scope", "read"]);
    let (daemon, _) = open_daemon(&data_dir, &[]);
    daemon.stop();
}

#[test]
fn on_loopback_nobody_is_asked_for_a_token() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let url = format!("{}/api/mcp/clients", daemon.api);
    assert_eq!(ask("GET", &url, "").status, 200);
    assert_eq!(get(&url, "archonctl_wrong").status, 200);
    daemon.stop();
}

/// Keys in `folder`, and tokens of an issuer that is not ours.
fn issued(folder: &Path) -> Value {
    let output = Command::new(python("modern"))
        .arg(clients_dir().join("jwts.py"))
        .arg(folder)
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

const ISSUER: [&str; 4] = [
    "--jwt-issuer",
    "https://issuer.example",
    "--jwt-audience",
    "archonctl",
];

#[test]
fn jwts_let_in_when_everything_about_them_is_right() {
    let (root, data_dir) = new_data_dir();
    let tokens = issued(root.path());
    let file = |name: &str| root.path().join(name).to_str().expect("UTF-8").to_owned();
    for (keys, with_secret) in [("keys.json", true), ("keys.pem", false)] {
        let (keys, secret) = (file(keys), file("secret"));
        let mut words = vec!["--jwt-key-file", &keys];
        if with_secret {
            words.extend(["--jwt-secret-file", &secret]);
        }
        words.extend(ISSUER);
        let (daemon, url) = open_daemon(&data_dir, &words);
        let clients = format!("{url}/api/mcp/clients");
        let answer = |name: &str| get(&clients, tokens[name].as_str().expect(name));
        let good = [
            "RS256",
            "ES256",
            "EdDSA",
            "named",
            "a list of scopes",
            "one audience",
        ];
        for name in good.into_iter().chain(with_secret.then_some("HS256")) {
            assert_eq!(answer(name).status, 200, "{name}: {}", answer(name).body);
        }
        for name in ["may write", "may nothing"] {
            assert_eq!(answer(name).status, 403, "{name}");
        }
        let write = with(tokens["may write"].as_str().expect("a token"));
        assert_eq!(
            ask("POST", &format!("{url}/api/mcp/sessions"), &write).status,
            201
        );
        // Each has an address' tries for itself.
        let refused = [
            ("expired", "the token has expired"),
            ("not yet", "the token is not good yet"),
            ("another audience", "the token is for another audience"),
            ("another issuer", "the token is of another issuer"),
            ("without end", "the token lacks one of the claims"),
            ("without audience", "the token lacks one of the claims"),
            ("without issuer", "the token lacks one of the claims"),
            ("another key", "the token's signature is wrong"),
            ("other claims", "the token's signature is wrong"),
        ];
        for (name, why) in refused {
            let answer = answer(name);
            assert_eq!(answer.status, 401, "{name}");
            assert!(
                answer.detail().starts_with(why),
                "{name}: {}",
                answer.detail()
            );
        }
        daemon.stop();
    }
}

#[test]
fn the_key_decides_the_algorithm_whatever_a_jwt_says() {
    let (root, data_dir) = new_data_dir();
    let tokens = issued(root.path());
    let file = |name: &str| root.path().join(name).to_str().expect("UTF-8").to_owned();
    for keys in ["keys.pem", "keys.json"] {
        let keys_file = file(keys);
        let words = [&["--jwt-key-file", &keys_file], &ISSUER[..]].concat();
        let (daemon, url) = open_daemon(&data_dir, &words);
        let clients = format!("{url}/api/mcp/clients");
        let names = [
            "unsigned",
            "public key as secret",
            "another algorithm",
            "longer digest",
            "critical",
            "HS256",
        ];
        // The name of another key, where keys have names.
        let odd = (keys == "keys.json").then_some("another key's name");
        for name in names.into_iter().chain(odd) {
            let answer = get(&clients, tokens[name].as_str().expect(name));
            assert_eq!(answer.status, 401, "{name}: {}", answer.body);
        }
        let good = get(&clients, tokens["ES256"].as_str().expect("a token"));
        assert_eq!(good.status, 200, "{}", good.body);
        daemon.stop();
    }
}

#[test]
fn keys_that_are_none_keep_the_daemon_from_starting() {
    let (root, data_dir) = new_data_dir();
    issued(root.path());
    let file = |name: &str| root.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(file("short"), "password\n").expect("written");
    std::fs::write(file("empty.json"), r#"{"keys": []}"#).expect("written");
    for (flag, name, why) in [
        (
            "--jwt-key-file",
            "private.pem",
            "there is a private key in it",
        ),
        ("--jwt-key-file", "small.pem", "a key in it has 1024 bits"),
        ("--jwt-key-file", "secret", "there is none in it"),
        (
            "--jwt-key-file",
            "empty.json",
            "none of its keys can be used",
        ),
        ("--jwt-key-file", "missing", "No such file"),
        ("--jwt-secret-file", "short", "the secret has 8 bytes"),
        ("--jwt-secret-file", "keys.pem", "this is no secret"),
        ("--jwt-secret-file", "keys.json", "this is no secret"),
    ] {
        let named = file(name);
        let words = [&[flag, &named], &ISSUER[..]].concat();
        let output = serve(&data_dir, &words).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = said(&output);
        assert!(
            said.contains(why) && said.contains("hint: "),
            "{name}: {said}"
        );
    }
    let keys = file("keys.pem");
    for (words, missing) in [
        (
            &["--jwt-key-file", &keys, "--jwt-issuer", "x"][..],
            "without an audience",
        ),
        (
            &["--jwt-key-file", &keys, "--jwt-audience", "x"],
            "without an issuer",
        ),
        (&ISSUER, "without a key"),
    ] {
        let output = serve(&data_dir, words).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(said(&output).contains(missing), "{}", said(&output));
    }
}

#[test]
fn pages_of_named_sites_get_in_and_of_no_others() {
    let (_root, data_dir) = new_data_dir();
    let reads = token(&data_dir, &["reads", "--scope", "read"]);
    let preflight = "access-control-request-method: GET\r\n\
                     access-control-request-headers: authorization\r\n";
    let (daemon, url) = open_daemon(
        &data_dir,
        &[
            "--api-cors-origin",
            "https://Dash.example/",
            "--api-cors-origin",
            "http://localhost:3000",
        ],
    );
    let clients = format!("{url}/api/mcp/clients");
    for origin in ["https://dash.example", "http://localhost:3000"] {
        let headers = format!("origin: {origin}\r\n");
        let asked = ask("OPTIONS", &clients, &format!("{headers}{preflight}"));
        assert_eq!(asked.status, 200, "{origin}");
        assert_eq!(asked.allowed.as_deref(), Some(origin));
        assert!(
            asked
                .allowed_headers
                .is_some_and(|names| names.contains("authorization"))
        );
        let answer = ask("GET", &clients, &format!("{headers}{}", with(&reads)));
        assert_eq!(
            (answer.status, answer.allowed.as_deref()),
            (200, Some(origin))
        );
        // The page has to see that it has to log in.
        let answer = ask("GET", &clients, &headers);
        assert_eq!(
            (answer.status, answer.allowed.as_deref()),
            (401, Some(origin))
        );
    }
    let headers = "origin: https://evil.example\r\n";
    let asked = ask("OPTIONS", &clients, &format!("{headers}{preflight}"));
    assert_eq!(asked.allowed, None);
    let answer = ask("GET", &clients, &format!("{headers}{}", with(&reads)));
    assert_eq!((answer.status, answer.allowed), (403, None));
    daemon.stop();

    let (daemon, url) = open_daemon(&data_dir, &[]);
    let clients = format!("{url}/api/mcp/clients");
    for origin in ["https://dash.example", "http://localhost:3000"] {
        let headers = format!("origin: {origin}\r\n");
        let asked = ask("OPTIONS", &clients, &format!("{headers}{preflight}"));
        assert_eq!(
            (asked.status, asked.allowed),
            (403, None),
            "by default none is named"
        );
    }
    daemon.stop();
    let output = serve(&data_dir, &["--api-cors-origin", "*"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("names no site"), "{}", said(&output));
}
