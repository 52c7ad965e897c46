//! How it ends, and what is left behind: nothing of the server, everything of what was seen.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{ended_one, operations, traced};
use crate::support::{
    Family, Lines, Owned, Server, journals, new_data_dir, run_command, send_signal,
};

/// A scripted server with one call behind it.
fn with_one_call(data_dir: &std::path::Path, options: &'static [&'static str]) -> Lines {
    let mut client = Lines::run(data_dir, &[], &Server::Scripted(options).command());
    client.initialize("hand");
    let answer = client.call(1, "echo", &json!({"message": "hi"}));
    assert_eq!(answer["result"]["content"][0]["text"], "Echo: hi");
    client
}

#[test]
fn the_end_of_the_input_ends_the_server() {
    let (_root, data_dir) = new_data_dir();
    let mut client = with_one_call(&data_dir, &[]);
    let family = Family::of(client.pid());
    client.end_input();
    let (status, said, _) = client.wait();
    assert_eq!(status.code(), Some(0));
    assert!(said.is_empty());
    family.until_gone("the server and the guard");
    let session = ended_one(&data_dir);
    assert_eq!(session["disconnect_reason"], "client_disconnect");
    assert_eq!(session["notifications"], 1);
    assert_eq!(session["total_requests"], 1);
    assert_eq!(journals(&data_dir), 0, "nothing waits to be settled");
}

#[test]
fn a_server_that_ignores_the_end_of_its_input_is_told_and_one_that_ignores_that_is_killed() {
    for (options, code) in [
        (&["--ignore-eof"][..], 143),
        (&["--ignore-eof", "--ignore-term", "--grandchild"], 137),
    ] {
        let (_root, data_dir) = new_data_dir();
        let mut client = with_one_call(&data_dir, options);
        let family = Family::of(client.pid());
        assert_eq!(family.len(), if options.len() > 1 { 3 } else { 2 });
        client.end_input();
        let (status, _, _) = client.wait();
        assert_eq!(status.code(), Some(code));
        family.until_gone("the whole group");
        assert_eq!(
            ended_one(&data_dir)["disconnect_reason"],
            "client_disconnect"
        );
    }
}

#[test]
fn what_a_server_left_behind_ends_with_it() {
    let (_root, data_dir) = new_data_dir();
    let mut client = with_one_call(&data_dir, &["--grandchild"]);
    let family = Family::of(client.pid());
    assert_eq!(family.len(), 3, "server, its child, the guard");
    client.end_input();
    assert_eq!(client.wait().0.code(), Some(0), "the server's own end");
    family.until_gone("the grandchild");
}

#[test]
fn signals_reach_the_server_and_count_as_leaving() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let (_root, data_dir) = new_data_dir();
        let mut client = with_one_call(&data_dir, &["--grandchild"]);
        client.ask(2, "slow", &json!({"seconds": 1000}));
        client.call(3, "echo", &json!({"message": "behind it"}));
        let family = Family::of(client.pid());
        client.signal(signal);
        let (status, _, _) = client.wait();
        // Python turns SIGINT into an exception and ends by the signal all the same.
        assert_eq!(status.code(), Some(128 + number), "{signal}");
        family.until_gone("the whole group");
        let session = ended_one(&data_dir);
        assert_eq!(session["disconnect_reason"], "client_disconnect");
        let rows = operations(&data_dir, &session);
        assert_eq!(
            traced(&rows, 2)[0]["error_message"],
            "the client went away before the answer"
        );
    }
}

#[test]
fn a_server_that_exits_under_its_client() {
    for (tool, arguments, code, how) in [
        ("exit", json!({"code": 3}), 3, "exit code 3"),
        ("exit", json!({"code": 0}), 0, "exit code 0"),
        ("die", json!({}), 137, "signal 9"),
    ] {
        let (_root, data_dir) = new_data_dir();
        let mut client = with_one_call(&data_dir, &["--grandchild"]);
        let family = Family::of(client.pid());
        client.ask(2, "never", &json!({}));
        client.ask(3, tool, &arguments);
        let (status, said, _) = client.wait();
        assert_eq!((status.code(), said.len()), (Some(code), 0));
        family.until_gone("the whole group");
        let session = ended_one(&data_dir);
        assert_eq!(session["disconnect_reason"], "error:ChildExit");
        let rows = operations(&data_dir, &session);
        for id in [2, 3] {
            let row = traced(&rows, id)[0];
            assert_eq!(row["status"], "error");
            assert_eq!(
                row["error_message"],
                format!("the server ended ({how}) before the answer")
            );
        }
    }
}

#[test]
fn a_client_that_does_not_read_any_more_has_left() {
    let (_root, data_dir) = new_data_dir();
    let command = run_command(
        &data_dir,
        &[],
        &Server::Scripted(&["--ignore-eof"]).command(),
    );
    let mut child = Owned(
        Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("archonctl starts"),
    );
    let mut input = child.0.stdin.take().expect("piped");
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "clientInfo": {"name": "deaf", "version": "1"}}});
    writeln!(input, "{initialize}").expect("written");
    let mut output = BufReader::new(child.0.stdout.take().expect("piped"));
    output.read_line(&mut String::new()).expect("an answer");
    let family = Family::of(child.0.id());
    drop(output);
    // Nothing tells of a reader that is gone but the next thing that is said to it.
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    writeln!(input, "{ping}").expect("written");
    child.0.wait().expect("it ends");
    family.until_gone("the server and the guard");
    let session = ended_one(&data_dir);
    assert_eq!(session["disconnect_reason"], "client_disconnect");
}

#[test]
fn answers_that_a_leaving_client_waits_for_still_come() {
    let (_root, data_dir) = new_data_dir();
    // The server ends with its input, but not before a call is over that it does in the foreground.
    let server = vec![
        "sh".into(),
        "-c".into(),
        r#"while read -r line; do :; done; sleep 0.3; printf '%s\n' "$0""#.into(),
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#.into(),
    ];
    let mut client = Lines::run(&data_dir, &[], &server);
    client.send(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}));
    client.end_input();
    let (status, said, _) = client.wait();
    assert_eq!(status.code(), Some(0));
    assert_eq!(said.len(), 1);
    let session = ended_one(&data_dir);
    assert_eq!(session["disconnect_reason"], "client_disconnect");
    assert_eq!(operations(&data_dir, &session)[0]["status"], "success");
}

/// Rule: durability/kill
#[test]
fn a_kill_loses_no_answered_call_and_leaves_no_process() {
    let mut acknowledged = HashSet::new();
    let (_root, data_dir) = new_data_dir();
    let options = &["--ignore-eof", "--ignore-term", "--grandchild"];
    let mut client = with_one_call(&data_dir, options);
    let family = Family::of(client.pid());
    acknowledged.insert(1);
    // Many calls under way, so that the kill meets some in every state.
    for id in 2..200 {
        client.ask(id, "echo", &json!({"message": "x".repeat(100)}));
    }
    while acknowledged.len() < 100 {
        let answer = client.message();
        acknowledged.insert(answer["id"].as_u64().expect("an id"));
    }
    client.signal("KILL");
    let (_, said, _) = client.wait();
    acknowledged.extend(said.iter().filter_map(|line| {
        let answer: Value = serde_json::from_str(line).ok()?;
        answer["id"].as_u64()
    }));
    assert_eq!(journals(&data_dir), 1, "left behind");
    let session = ended_one(&data_dir);
    assert_eq!(journals(&data_dir), 0, "settled by the query");
    assert_eq!(session["disconnect_reason"], "error:ServerCrash");
    let rows = operations(&data_dir, &session);
    for id in &acknowledged {
        assert_eq!(traced(&rows, *id).len(), 1, "call {id} of {}", rows.len());
    }
    family.until_gone("the whole group, by the guard");
}

/// Rule: durability/before-the-end
#[test]
fn an_answer_is_on_disk_before_its_last_byte() {
    // The kill comes as soon as the answer has been read: whatever was not written before is lost.
    for id in 10..25 {
        let (_root, data_dir) = new_data_dir();
        let mut client = with_one_call(&data_dir, &[]);
        client.call(id, "echo", &json!({"message": "last"}));
        send_signal(&client.child.0, "KILL");
        client.wait();
        let session = ended_one(&data_dir);
        let rows = operations(&data_dir, &session);
        assert_eq!(traced(&rows, id).len(), 1, "{rows:?}");
    }
}

/// Rule: transparency/unparsed
#[test]
fn requests_of_the_server_and_lines_that_are_none() {
    let (_root, data_dir) = new_data_dir();
    let mut client = with_one_call(&data_dir, &[]);
    client.ask(2, "ask", &json!({}));
    let asked = client.message();
    assert_eq!(asked["method"], "roots/list");
    client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}}));
    client.answer(&2.into());
    client.ask(3, "garbage", &json!({}));
    assert_eq!(client.line(), "this is no JSON", "it passes");
    client.answer(&3.into());
    client.ask(4, "slow", &json!({"seconds": 1000}));
    client.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 4}}),
    );
    client.end_input();
    let (_, _, errors) = client.wait();
    assert!(
        errors.iter().any(|line| line.contains("could not be read")),
        "and is told of: {errors:?}"
    );
    let session = ended_one(&data_dir);
    assert_eq!(session["notifications"], 2);
    let rows = operations(&data_dir, &session);
    let asked: Vec<_> = rows
        .iter()
        .filter(|row| row["sent_by"] == "server")
        .collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (&asked[0]["method"], &asked[0]["status"]),
        (&"roots/list".into(), &"success".into())
    );
    assert_eq!(
        traced(&rows, 4)[0]["error_message"],
        "cancelled by the client"
    );
}
