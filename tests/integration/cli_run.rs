//! Running the binary from outside: help, usage errors, exit codes, what goes to which stream. Nothing here needs a store.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::archonctl;

pub(crate) fn run(args: &[&str]) -> Output {
    archonctl(args).output().expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Compares with a file of `snapshots/`; `UPDATE_SNAPSHOTS=1` writes it instead.
fn same_as_snapshot(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/integration/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text).expect("a snapshot");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text, expected,
        "{name} changed; if that is meant: UPDATE_SNAPSHOTS=1 cargo test --test integration help"
    );
}

#[test]
fn help_of_every_command_is_as_it_was() {
    for command in [
        "",
        "serve",
        "run",
        "bridge",
        "sessions",
        "sessions list",
        "sessions show",
        "sessions disconnected",
        "sessions stats",
        "test-connection",
        "token",
        "token create",
        "token list",
        "token revoke",
        "migrate",
        "migrate up",
        "migrate status",
        "doctor",
        "config",
        "config show",
        "schema",
        "completions",
        "man",
    ] {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = run(&words);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = out(&output);
        let place = |text: &str| {
            help.find(text)
                .unwrap_or_else(|| panic!("{command}: {text}"))
        };
        assert!(place("Examples:") < place("Usage:"), "{help}");
        let name = format!("help-archonctl {command}")
            .trim_end()
            .replace(' ', "-");
        same_as_snapshot(&format!("{name}.txt"), &help);
    }
}

#[test]
fn version_is_an_answer_and_nothing_at_all_is_not() {
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(
        out(&version),
        format!("archonctl {}\n", env!("CARGO_PKG_VERSION"))
    );
    for words in [&[][..], &["sessions"], &["config"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(out(&output).is_empty());
        assert!(err(&output).contains("Usage:"), "{words:?}");
    }
}

#[test]
fn a_mistake_says_what_and_what_next() {
    for (words, message, hint) in [
        (
            &["session", "list"][..],
            "unrecognized subcommand 'session'",
            "'sessions'",
        ),
        (
            &["sessions", "list", "--limt", "3"],
            "unexpected argument '--limt'",
            "'--limit'",
        ),
        (
            &["sessions", "list", "--limit", "0"],
            "0 is not in 1..=10000",
            "--help",
        ),
        (
            &["sessions", "disconnected", "--days", "0"],
            "0 is not in 1..=3650",
            "--help",
        ),
        (
            &["sessions", "disconnected", "--days", "7", "--since", "1h"],
            "cannot be used with",
            "--help",
        ),
        (
            &["sessions", "list", "--status", "gone"],
            "[possible values: active, idle, disconnected, all]",
            "--help",
        ),
        (
            &["sessions", "list", "--since", "yesterday"],
            "'yesterday' is no time for --since",
            "such as 7d",
        ),
        (
            &["sessions", "list", "--since", "1h", "--until", "2h"],
            "after its end",
            "--since must lie before",
        ),
        (
            &["sessions", "show", "12"],
            "invalid value '12' for '<ID>'",
            "--help",
        ),
        (
            &["sessions", "list", "-o", "yaml", "--columns", "era"],
            "--columns chooses columns",
            "-o csv",
        ),
        (
            &["sessions", "list", "-o", "csv", "--time", "relative"],
            "RFC 3339",
            "leave out --time",
        ),
        (
            &["config", "show", "--columns", "keys"],
            "unknown column 'keys'",
            "key, value, origin, environment",
        ),
        (
            &["serve", "--upstream", "host"],
            "upstream (from --upstream): an http://",
            "config show --origin",
        ),
        (
            &["serve", "--workers", "no"],
            "workers (from --workers): 'no'",
            "config show",
        ),
        (&["completions", "tcsh"], "invalid value 'tcsh'", "'zsh'"),
        (
            &["test-connection", "--timeout", "soon"],
            "'soon' is no duration",
            "--help",
        ),
    ] {
        let output = run(words);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(out(&output).is_empty(), "{words:?}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(
            lines[0].starts_with("error: ") && lines[0].contains(message),
            "{said}"
        );
        assert!(
            lines[1].starts_with("hint: ") && lines[1].contains(hint),
            "{said}"
        );
    }
}

#[test]
fn with_json_a_mistake_is_one_json_object() {
    for words in [
        &["sessions", "list", "--nonsense", "-o", "json"][..],
        &["sessions", "list", "--limit", "0", "--json"],
        &["sessions", "list", "-ojson", "--since", "yesterday"],
        &["nonsense", "--output=json"],
        &["sessions", "list", "--json", "-o", "csv"],
        &["serve", "--workers", "0", "--json"],
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(out(&output).is_empty());
        let document: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one JSON");
        let error = document["error"].as_object().expect("an error");
        let names: Vec<&str> = error.keys().map(String::as_str).collect();
        for name in ["code", "message", "hint", "details", "exit_code"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert_eq!(error["exit_code"], 2);
        assert_eq!(error["code"], "usage");
    }
}

#[test]
fn a_password_in_a_flag_is_not_repeated() {
    let output = run(&["serve", "--upstream", "http://me:hunter2@host/mcp"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("take the name and password out"),
        "{}",
        err(&output)
    );
    assert!(!err(&output).contains("hunter2"));
}

#[test]
fn without_a_home_the_error_says_what_to_set() {
    let output = archonctl(&["sessions", "list"])
        .env_remove("HOME")
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("neither XDG_DATA_HOME nor HOME"),
        "{}",
        err(&output)
    );
    assert!(err(&output).contains("--data-dir"), "{}", err(&output));
}

#[test]
fn settings_are_shown_with_their_origin_and_without_secrets() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("archonctl.toml"), "idle_after = \"9m\"\n").expect("a file");
    let show = |words: &[&str]| {
        archonctl(words)
            .current_dir(dir.path())
            .env(
                "ARCHONCTL_UPSTREAM",
                "http://me:hunter2@host/mcp?key=hunter3",
            )
            .output()
            .expect("runs")
    };
    let table = out(&show(&[
        "config",
        "show",
        "--origin",
        "--data-dir",
        "/data",
    ]));
    assert!(table.starts_with("SETTING "), "{table}");
    for (key, value, origin) in [
        ("data_dir", "/data", "--data-dir"),
        ("listen", "127.0.0.1:8051", "default"),
        ("api_listen", "127.0.0.1:8181", "default"),
        (
            "upstream",
            "http://***@host/mcp?key=***",
            "ARCHONCTL_UPSTREAM",
        ),
        ("idle_after", "9m", "archonctl.toml"),
    ] {
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines
            .find(|line| line.first() == Some(&key))
            .expect("every setting");
        assert_eq!(line.get(1), Some(&value));
        assert!(
            line.last().is_some_and(|last| last.ends_with(origin)),
            "{line:?}"
        );
    }
    let json = show(&["config", "show", "--json"]);
    assert!(json.stderr.is_empty());
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(document["meta"]["total"], 43);
    let upstream = document["data"].as_array().and_then(|all| {
        all.iter()
            .find(|one| one["value"].as_str() == Some("http://***@host/mcp?key=***"))
    });
    assert_eq!(
        upstream.map(|one| &one["origin"]),
        Some(&"ARCHONCTL_UPSTREAM".into())
    );
    assert!(!format!("{table}{document}").contains("hunter"));
    assert_eq!(
        out(&show(&["config", "show", "-q"])).lines().next(),
        Some("data_dir")
    );
}

#[test]
fn colour_follows_the_flag_and_the_environment() {
    let coloured = |words: &[&str], name: &str, value: &str| {
        let output = archonctl(words).env(name, value).output().expect("runs");
        err(&output).contains("\u{1b}[")
    };
    let plain = &["config", "show", "--columns", "x"][..];
    let always = &["config", "show", "--columns", "x", "--color", "always"][..];
    assert!(!coloured(plain, "TERM", "xterm"));
    assert!(coloured(plain, "CLICOLOR_FORCE", "1"));
    assert!(!coloured(plain, "NO_COLOR", "1"));
    assert!(coloured(always, "NO_COLOR", "1"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    for words in [
        &["completions", "bash"][..],
        &["--help"],
        &["config", "show", "--json"],
    ] {
        let status = archonctl(words)
            .stdout(writer.try_clone().expect("a pipe"))
            .stderr(Stdio::piped())
            .output()
            .expect("runs");
        assert_eq!(status.status.code(), Some(0), "{words:?}: {}", err(&status));
        assert!(err(&status).is_empty(), "{words:?}: {}", err(&status));
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let status = archonctl(&["completions", "bash"])
        .stdout(full)
        .output()
        .expect("runs");
    assert_eq!(status.status.code(), Some(1));
    assert!(
        err(&status).starts_with("error: cannot write the answer"),
        "{}",
        err(&status)
    );
}
