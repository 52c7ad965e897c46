//! Tokens and costs, from the wire to the answers: what a person pays for, as archonctl estimates it.
//!
//! Numbers of tokens are those of tiktoken 0.14.0 for Python, encoding `o200k_base`: of `{"message":"…"}`, and of `Echo: …`.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json as document};

use crate::support::postgres::{Version, plain};
use crate::support::{
    Daemon, Everything, Legacy, archonctl, eventually, json, new_data_dir, send, sessions_until,
};

const HELLO: (&str, u64, u64) = ("hello", 5, 3);
const ZURICH: (&str, u64, u64) = ("Grüße aus Zürich", 9, 5);

/// A dollar for each token of input, two for each of output.
const DEAR: [&str; 8] = [
    "pricing",
    "set",
    "dear",
    "--provider=P",
    "--input-per-1k=1000",
    "--output-per-1k=2000",
    "--since=2026-01-01",
    "--quiet",
];

fn on(data_dir: &Path, words: &[&str]) -> Output {
    let mut command = archonctl(words);
    command.arg("--data-dir").arg(data_dir);
    command.output().expect("the binary runs")
}

fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Makes the embedded store, with a price in it.
fn priced(data_dir: &Path) {
    let mut up = archonctl(&["migrate", "up", "--quiet"]);
    up.arg("--data-dir").arg(data_dir);
    done(&up.output().expect("the binary runs"));
    done(&on(data_dir, &DEAR));
}

fn calls(details: &Value) -> Vec<&Value> {
    let requests = details["data"]["requests"].as_array().expect("rows");
    let mut calls: Vec<_> = requests
        .iter()
        .filter(|row| row["method"] == "tools/call")
        .collect();
    calls.reverse();
    calls
}

/// A session's details once it has `count` calls.
fn details(data_dir: &Path, session: &str, count: usize) -> Value {
    eventually("the calls in the store", || {
        let shown = on(data_dir, &["sessions", "show", session, "-o", "json"]);
        let details: Value = serde_json::from_slice(&shown.stdout).ok()?;
        (calls(&details).len() == count).then_some(details)
    })
}

fn tokens_and_cost(row: &Value) -> (u64, u64, f64) {
    let number = |name: &str| {
        row[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {row}"))
    };
    let cost = row["estimated_cost"].as_f64().expect("a cost");
    (number("prompt_tokens"), number("completion_tokens"), cost)
}

/// What so many tokens cost; small whole numbers, which floats hold.
fn dear(prompt: u64, completion: u64) -> f64 {
    f64::from(u32::try_from(prompt + 2 * completion).expect("small"))
}

/// Rule: operation/tokens-and-cost
#[test]
fn calls_are_stored_with_their_tokens_and_cost_and_sessions_with_the_sums() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    priced(&data_dir);
    let daemon = Daemon::start(
        &data_dir,
        &[
            "--upstream",
            &server.url,
            "--client-models",
            "A Client=p/DEAR",
        ],
    );
    let session = Legacy::open(&daemon.url, "a client");
    let other = Legacy::open(&daemon.url, "another");
    for (text, _, _) in [HELLO, ZURICH] {
        session.echo(text).expect("answered");
    }
    other.echo(HELLO.0).expect("answered");
    let id = session.archon_id.as_deref().expect("an id");
    let mine = details(&data_dir, id, 2);
    let rows: Vec<_> = calls(&mine).into_iter().map(tokens_and_cost).collect();
    let expected = [HELLO, ZURICH]
        .map(|(_, prompt, completion)| (prompt, completion, dear(prompt, completion)));
    assert_eq!(rows, expected, "{mine}");
    let sums = &mine["data"]["summary"];
    assert_eq!(sums["total_prompt_tokens"], 14, "{mine}");
    assert_eq!(sums["total_completion_tokens"], 8);
    assert_eq!(sums["total_cost"], 30.0);
    // Nobody said which model that one works with.
    let id = other.archon_id.as_deref().expect("an id");
    let theirs = details(&data_dir, id, 1);
    let row = calls(&theirs)[0];
    assert_eq!(
        (&row["prompt_tokens"], &row["completion_tokens"]),
        (&document!(5), &document!(3))
    );
    assert_eq!(row["estimated_cost"], 0.0, "{row}");
    let health = send(&daemon.at("/health"), "GET", "", b"").and_then(|mut answer| answer.body());
    let health: Value = serde_json::from_slice(&health.expect("answered")).expect("JSON");
    assert_eq!(health["health"]["operations_counted"], 3, "{health}");
    assert_eq!(health["health"]["operations_estimated"], 0);
}

#[test]
fn after_a_kill_each_call_is_there_once_with_its_tokens_and_cost() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    priced(&data_dir);
    let config = data_dir.parent().expect("a folder").join("archonctl.toml");
    let url = &server.url;
    let text = format!("[upstreams.docs]\nurl = \"{url}\"\nmodel = \"dear\"\n");
    std::fs::write(&config, text).expect("written");
    let folder = config.parent().expect("a folder");
    let query = |words: &[&str]| -> Value {
        let mut command = archonctl(words);
        command.args(["-o", "json", "--data-dir"]).arg(&data_dir);
        let output = command
            .current_dir(folder)
            .output()
            .expect("the binary runs");
        serde_json::from_str(&done(&output)).expect("JSON")
    };
    let mut command = archonctl(&["serve", "--listen", "127.0.0.1:0", "--api-listen", "off"]);
    command.arg("--data-dir").arg(&data_dir).current_dir(folder);
    let daemon = Daemon::spawn(command);
    let session = Legacy::open(&daemon.url, "client");
    let acknowledged = Mutex::new(0_u64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for call in 1_u64.. {
                match session.echo(&format!("{call:032x}")) {
                    Ok((answer, _)) if answer.status() == 200 => {
                        *acknowledged.lock().expect("a lock") = call;
                    }
                    _ => return,
                }
            }
        });
        eventually("calls, some in the store", || {
            (*acknowledged.lock().expect("a lock") >= 200).then_some(())
        });
        daemon.kill();
    });
    let acknowledged = acknowledged.into_inner().expect("a lock");
    let id = session.archon_id.as_deref().expect("an id");
    let details = query(&["sessions", "show", id, "--limit", "10000"]);
    let rows = calls(&details);
    let count = rows.len() as u64;
    assert!(
        count == acknowledged || count == acknowledged + 1,
        "{count} of {acknowledged}"
    );
    let (mut prompt, mut completion, mut cost) = (0, 0, 0.0);
    for row in &rows {
        let (p, c, paid) = tokens_and_cost(row);
        // Counted, or by the bytes: 46 and 38 where the last texts were still to be counted.
        assert!((p, c) == (12, 10) || p > 12 || c > 10, "{row}");
        if row["status"] == "success" {
            assert!(p > 0 && c > 0, "{row}");
        }
        assert!((paid - dear(p, c)).abs() < 1e-9, "{row}");
        (prompt, completion, cost) = (prompt + p, completion + c, cost + paid);
    }
    let sums = &details["data"]["summary"];
    assert_eq!(sums["total_prompt_tokens"], prompt);
    assert_eq!(sums["total_completion_tokens"], completion);
    assert!((sums["total_cost"].as_f64().expect("a cost") - cost).abs() < 1e-6);
    let again = query(&["sessions", "show", id, "--limit", "10000"]);
    assert_eq!(again["data"], details["data"], "nothing is taken twice");
}

#[test]
fn what_the_daemon_cannot_price_it_says_at_the_start() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--default-model", "nobodys-model"]);
    let said = daemon.early.join("\n");
    assert!(
        said.contains("no price for the model nobodys-model"),
        "{said}"
    );
    assert!(daemon.stop_with("TERM").success());
}

/// Rule: operation/tokens-and-cost
#[test]
fn costs_are_the_same_on_postgresql() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let database = plain(Version::V15).fresh_database();
    let url = database.url();
    let postgres = |words: &[&str]| {
        let mut command = archonctl(words);
        command.env("ARCHONCTL_DATABASE_URL", &url);
        command
            .arg("--data-dir")
            .arg(&data_dir)
            .output()
            .expect("the binary runs")
    };
    done(&postgres(&["migrate", "up", "--quiet"]));
    done(&postgres(&DEAR));
    let daemon = Daemon::start_with(
        &data_dir,
        &["--upstream", &server.url, "--default-model", "dear"],
        &[("ARCHONCTL_DATABASE_URL", &url)],
    );
    let session = Legacy::open(&daemon.url, "client");
    session.echo(ZURICH.0).expect("answered");
    eventually("the call in the store", || {
        let row = database.run(
            "SELECT prompt_tokens, completion_tokens, estimated_cost FROM archon_mcp_requests WHERE method = 'tools/call'",
        );
        let row = row.first()?.clone();
        let row: Vec<_> = row.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(row, ["9", "5", "19.000000"]);
        Some(())
    });
    let sums = database.run(
        "SELECT total_prompt_tokens, total_completion_tokens, total_cost FROM archon_mcp_sessions",
    );
    let sums: Vec<_> = sums[0].iter().flatten().cloned().collect();
    assert_eq!(sums, ["9", "5", "19.000000"]);
    assert!(daemon.stop_with("TERM").success());
}

/// Rule: operation/tokens-and-cost
#[test]
fn over_stdio_calls_have_tokens_and_a_model() {
    let (_root, data_dir) = new_data_dir();
    priced(&data_dir);
    let answer =
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Echo: hello"}]}}"#;
    let script = format!("read line; printf '%s\\n' '{answer}'; cat >/dev/null");
    let mut command = archonctl(&["run", "--default-model", "dear", "--data-dir"]);
    command
        .arg(&data_dir)
        .args(["--", "/bin/sh", "-c", &script]);
    command.env("PATH", "/usr/bin:/bin");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("archonctl starts");
    let mut input = child.stdin.take().expect("piped");
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}"#;
    writeln!(input, "{call}").expect("written");
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut output, &mut line).expect("an answer");
    assert_eq!(line.trim_end(), answer);
    let sessions = sessions_until(&data_dir, "the call in the store", |sessions| {
        sessions
            .first()
            .is_some_and(|session| session["total_requests"] == 1)
    });
    let id = sessions[0]["session_id"].as_str().expect("an id");
    let details = json(&data_dir, &["sessions", "show", id]);
    assert_eq!(tokens_and_cost(calls(&details)[0]), (5, 3, 11.0));
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn prices_are_listed_set_and_imported() {
    let (_root, data_dir) = new_data_dir();
    priced(&data_dir);
    let list = json(&data_dir, &["pricing", "list", "--model", "dear"]);
    let row = &list["data"][0];
    assert_eq!(
        (
            &row["model_name"],
            &row["input_price_per_1k"],
            &row["in_force"],
            &row["set_by"]
        ),
        (
            &document!("dear"),
            &document!(1000.0),
            &document!("yes"),
            &document!("you")
        )
    );
    // A change from a day in the future on: both count, each in its time.
    let set = json(
        &data_dir,
        &[
            "pricing",
            "set",
            "DEAR",
            "--provider",
            "p",
            "--input-per-1m",
            "0.5",
            "--output-per-1m",
            "1.25",
            "--since",
            "2999-01-01",
        ],
    );
    assert_eq!(set["meta"]["added"], 1, "{set}");
    let list = json(&data_dir, &["pricing", "list", "--model", "dear"]);
    let states: Vec<_> = list["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["in_force"])
        .collect();
    assert_eq!(states, ["later", "yes"]);
    let table = done(&on(&data_dir, &["pricing", "list", "--model", "dear"]));
    assert!(
        table.contains("INPUT/1M") && table.contains("$0.500000"),
        "{table}"
    );

    // What is listed can be imported as it is, in both forms, and changes nothing.
    for form in ["csv", "json"] {
        let listed = done(&on(&data_dir, &["pricing", "list", "--all", "-o", form]));
        let file = data_dir.join(format!("prices.{form}"));
        std::fs::write(&file, listed).expect("written");
        let imported = json(
            &data_dir,
            &["pricing", "import", file.to_str().expect("UTF-8")],
        );
        let meta = &imported["meta"];
        assert_eq!(
            (&meta["added"], &meta["changed"]),
            (&document!(0), &document!(0)),
            "{meta}"
        );
        assert!(meta["unchanged"].as_u64().expect("a number") > 50, "{meta}");
    }
}

#[test]
fn prices_with_a_mistake_anywhere_are_not_imported() {
    let (_root, data_dir) = new_data_dir();
    priced(&data_dir);
    let file = data_dir.join("bad.csv");
    let text = "model_name,provider,input_price_per_1k,output_price_per_1k\nnew,P,1,1\ndear,P,1.0000001,1\n";
    std::fs::write(&file, text).expect("written");
    let refused = on(
        &data_dir,
        &[
            "pricing",
            "import",
            file.to_str().expect("UTF-8"),
            "-o",
            "json",
        ],
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty());
    let error: Value = serde_json::from_slice(&refused.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "import");
    let mistakes = error["error"]["details"]["mistakes"]
        .as_array()
        .expect("mistakes");
    assert_eq!(mistakes.len(), 1, "{error}");
    assert!(
        mistakes[0]
            .as_str()
            .expect("a text")
            .starts_with("line 3: input_price_per_1k")
    );
    let list = json(&data_dir, &["pricing", "list", "--model", "new"]);
    assert_eq!(list["meta"]["total"], 0);

    // A rehearsal tells what would be.
    let text = text.replace("1.0000001", "1");
    std::fs::write(&file, text).expect("written");
    let rehearsed = json(
        &data_dir,
        &[
            "pricing",
            "import",
            file.to_str().expect("UTF-8"),
            "--dry-run",
        ],
    );
    assert_eq!(rehearsed["meta"]["added"], 2, "{rehearsed}");
    assert_eq!(
        json(&data_dir, &["pricing", "list", "--model", "new"])["meta"]["total"],
        0
    );

    for (words, hint) in [
        (&["pricing", "set", "m", "--provider", "P"][..], "required"),
        (
            &[
                "pricing",
                "set",
                "m",
                "--provider",
                "P",
                "--input-per-1m",
                "1,5",
                "--output-per-1m",
                "1",
            ],
            "plain decimal",
        ),
        (&["pricing", "import", "/nonexistent/prices.csv"], "hint:"),
    ] {
        let refused = on(&data_dir, words);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(hint), "{said}");
    }
}
