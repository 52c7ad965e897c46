//! Starting a server: names, mistakes, exit codes.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::ended_one;
use crate::support::{Lines, Server, new_data_dir};

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(Into::into).collect()
}

#[test]
fn the_exit_code_is_the_servers() {
    for (server, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -9 $$"], 137),
        (&["sh", "-c", "kill -15 $$"], 143),
    ] {
        let (_root, data_dir) = new_data_dir();
        let client = Lines::run(&data_dir, &[], &words(server));
        assert_eq!(client.wait().0.code(), Some(code), "{server:?}");
    }
}

#[test]
fn what_cannot_be_started_is_told_with_the_shells_codes() {
    let (root, data_dir) = new_data_dir();
    let plain = root.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").expect("written");
    let script = root.path().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").expect("written");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("allowed");
    let (plain, script) = (plain.display().to_string(), script.display().to_string());
    for (server, code, message, hint) in [
        (
            "no-such-server",
            127,
            "'no-such-server' was not found",
            "PATH",
        ),
        ("/no/such/server", 127, "was not found", "PATH"),
        (&plain, 126, "cannot be run", "chmod +x"),
        (&script, 126, "cannot be run", "interpreter"),
        ("", 127, "was not found", "PATH"),
    ] {
        let (status, said, errors) = Lines::run(&data_dir, &[], &words(&[server])).wait();
        assert_eq!(status.code(), Some(code), "{server}");
        assert!(said.is_empty());
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("error: ") && errors[0].contains(message));
        assert!(errors[1].starts_with("hint: ") && errors[1].contains(hint));
    }
}

#[test]
fn mistakes_start_nothing() {
    let program = env!("CARGO_BIN_EXE_archonctl");
    for (arguments, message, hint) in [
        (&["run"][..], "required arguments", "archonctl run"),
        (
            &["run", "node", "x.js"],
            "unexpected argument 'node'",
            "`--`",
        ),
        (
            &["run", "--name", "a b", "--", "true"],
            "'a b' is no name",
            "short",
        ),
        (
            &["run", "--idle-after", "soon", "--", "true"],
            "idle_after (from --idle-after)",
            "config show",
        ),
    ] {
        let command: Vec<OsString> = [program].iter().chain(arguments).map(Into::into).collect();
        let (status, said, errors) = Lines::start(&command).wait();
        assert_eq!(status.code(), Some(2), "{arguments:?}");
        assert!(said.is_empty());
        let errors = errors.join("\n");
        assert!(
            errors.contains(message) && errors.contains(hint),
            "{errors}"
        );
    }
}

#[test]
fn a_server_without_a_name_gets_one_from_its_command() {
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::run(&data_dir, &[], &Server::Scripted(&[]).command());
    client.initialize("hand");
    client.end_input();
    client.wait();
    assert_eq!(ended_one(&data_dir)["server"], "scripted_stdio_server");
}

#[test]
fn a_server_runs_even_where_nothing_can_be_tracked() {
    let (root, _) = new_data_dir();
    let in_the_way = root.path().join("file");
    std::fs::write(&in_the_way, "").expect("written");
    let data_dir = in_the_way.join("data");
    let mut client = Lines::run(&data_dir, &[], &Server::Scripted(&[]).command());
    client.initialize("hand");
    let answer = client.call(1, "echo", &json!({"message": "hi"}));
    assert_eq!(answer["result"]["content"][0]["text"], "Echo: hi");
    client.end_input();
    let (status, _, errors) = client.wait();
    assert_eq!(status.code(), Some(0));
    let warned = errors
        .iter()
        .any(|line| line.contains("WARN") && line.contains("not tracked"));
    assert!(warned, "{errors:?}");
}
