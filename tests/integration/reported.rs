//! Sessions that servers report themselves, to a running daemon: what is answered is there after a kill, on both databases, and
//! no page of another site reports anything.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::postgres::{Version, plain};
use crate::support::{Daemon, archonctl, eventually, json as query, new_data_dir, send};

/// Sends `body` as JSON; the status and the answer.
fn post(url: &str, headers: &str, body: &Value) -> std::io::Result<(u16, Value)> {
    let headers = format!("content-type: application/json\r\n{headers}");
    let mut answer = send(url, "POST", &headers, body.to_string().as_bytes())?;
    let status = answer.status();
    let body = answer.body()?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)?
    };
    Ok((status, body))
}

fn open(daemon: &Daemon, body: &Value) -> String {
    let url = format!("{}/api/mcp/sessions", daemon.api);
    let (status, answer) = post(&url, "", body).expect("answered");
    assert_eq!(status, 201, "{answer}");
    answer["session_id"].as_str().expect("an id").to_owned()
}

fn at(daemon: &Daemon, id: &str, way: &str) -> String {
    format!("{}/api/mcp/sessions/{id}{way}", daemon.api)
}

/// Reports in a loop until the daemon is gone; the ids of the requests that were answered in full.
fn report_until_cut(url: &str, acknowledged: &Mutex<Vec<String>>) {
    for n in 0_u64.. {
        let one = json!({"method": "tools/call", "tool_name": format!("tool-{}", n % 3), "duration_ms": 2});
        let body = if n % 2 == 0 {
            one
        } else {
            json!([one, one, one])
        };
        match post(url, "", &body) {
            Ok((202, answer)) => {
                let ids = answer["request_ids"].as_array().expect("ids").iter();
                let ids = ids.map(|id| id.as_str().expect("an id").to_owned());
                acknowledged.lock().expect("a lock").extend(ids);
            }
            _ => return,
        }
    }
}

/// A kill in the midst of reports, a start after it, a graceful stop: on the database that `more` names.
fn a_kill_loses_nothing_that_was_answered(more: &[&str]) {
    let (_root, data_dir) = new_data_dir();
    let start = || Daemon::start(&data_dir, &[more, &["--migrate"]].concat());
    let daemon = start();
    let info = json!({"client_info": {"name": "cursor"}, "user_context": {"user_email": "ada@example.com"}});
    let sessions: Vec<(String, Mutex<Vec<String>>)> = (0..3)
        .map(|_| (open(&daemon, &info), Mutex::default()))
        .collect();
    let quiet = open(&daemon, &json!({"server": "quiet"}));
    let closed = open(&daemon, &json!({}));
    let (status, _) = post(&at(&daemon, &closed, "/close"), "", &json!({})).expect("answered");
    assert_eq!(status, 200);
    std::thread::scope(|scope| {
        for (id, acknowledged) in &sessions {
            let url = at(&daemon, id, "/requests");
            scope.spawn(move || report_until_cut(&url, acknowledged));
        }
        eventually("reports of every session", || {
            let enough = |ids: &Mutex<Vec<_>>| ids.lock().expect("a lock").len() >= 40;
            sessions.iter().all(|(_, ids)| enough(ids)).then_some(())
        });
        daemon.kill();
    });
    let show = |id: &str| {
        let arguments = [&["sessions", "show", id, "--limit", "10000"], more].concat();
        query(&data_dir, &arguments)["data"].clone()
    };
    for (id, acknowledged) in &sessions {
        let shown = show(id);
        let rows = shown["requests"].as_array().expect("rows").iter();
        let mut stored: Vec<_> = rows
            .map(|row| row["request_id"].as_str().expect("an id"))
            .collect();
        let all = stored.len();
        stored.sort_unstable();
        stored.dedup();
        assert_eq!(stored.len(), all, "none twice");
        for id in acknowledged.lock().expect("a lock").iter() {
            assert!(stored.binary_search(&id.as_str()).is_ok(), "{id} is lost");
        }
        assert_eq!(shown["session"]["user_email"], "ada@example.com");
        assert_eq!(shown["session"]["total_requests"], all);
    }
    assert_eq!(show(&quiet)["session"]["server"], "quiet");
    let end = show(&closed)["session"].clone();
    assert_eq!(end["disconnect_reason"], "client_disconnect");

    // Their servers are still there, and so they go on, under the same ids.
    let daemon = start();
    for (id, _) in &sessions {
        let before = show(id)["session"]["total_requests"].as_i64();
        let one = json!({"method": "ping", "duration_ms": 1});
        let (status, answer) = post(&at(&daemon, id, "/requests"), "", &one).expect("answered");
        assert_eq!((status, &answer["session_id"]), (202, &json!(id)));
        eventually("the request in the store", || {
            let session = show(id)["session"].clone();
            assert_eq!(session["status"], "active");
            (session["total_requests"].as_i64() > before).then_some(())
        });
    }
    let (status, again) = post(
        &at(&daemon, &closed, "/close"),
        "",
        &json!({"reason": "timeout"}),
    )
    .expect("answered");
    assert_eq!(
        (status, &again["disconnected_at"]),
        (200, &end["disconnected_at"])
    );
    daemon.stop();
    for id in sessions.iter().map(|(id, _)| id).chain([&quiet]) {
        assert_eq!(show(id)["session"]["disconnect_reason"], "server_shutdown");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_answered_on_the_embedded_store() {
    a_kill_loses_nothing_that_was_answered(&[]);
}

#[test]
fn a_kill_loses_nothing_that_was_answered_on_postgres() {
    let database = plain(Version::V17).database_with_tables();
    a_kill_loses_nothing_that_was_answered(&["--database-url", &database.url()]);
}

#[test]
fn two_daemons_on_one_database_take_reports_of_one_session() {
    let database = plain(Version::V17).database_with_tables();
    let url = database.url();
    let (_one_root, one_dir) = new_data_dir();
    let (_two_root, two_dir) = new_data_dir();
    let one = Daemon::start(&one_dir, &["--database-url", &url, "--migrate"]);
    let two = Daemon::start(&two_dir, &["--database-url", &url]);
    // At once, before the store can have heard of it.
    let id = open(&one, &json!({}));
    let request = json!({"method": "ping", "duration_ms": 1});
    for daemon in [&two, &one, &two] {
        let (status, answer) = post(&at(daemon, &id, "/requests"), "", &request).expect("answered");
        assert_eq!(
            (status, &answer["session_id"]),
            (202, &json!(id)),
            "{answer}"
        );
    }
    let (status, closed) = post(&at(&two, &id, "/close"), "", &json!({})).expect("answered");
    assert_eq!((status, &closed["status"]), (200, &json!("disconnected")));
    eventually("the first to hear of it", || {
        let (status, _) = post(&at(&one, &id, "/heartbeat"), "", &json!({})).expect("answered");
        (status == 409).then_some(())
    });
    let shown = query(&one_dir, &["sessions", "show", &id, "--database-url", &url]);
    assert_eq!(shown["data"]["session"]["total_requests"], 3, "{shown}");
    one.stop();
    two.stop();
}

#[test]
fn no_page_of_another_origin_reports_anything() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let id = open(&daemon, &json!({}));
    let body = json!({"method": "ping", "duration_ms": 1});
    let authority = daemon.api.trim_start_matches("http://").to_owned();
    for headers in [
        "origin: https://evil.example\r\n",
        "origin: null\r\n",
        "origin: http://localhost:3737\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        for way in ["/requests", "/heartbeat", "/close"] {
            let (status, answer) = post(&at(&daemon, &id, way), headers, &body).expect("answered");
            assert_eq!(status, 403, "{headers} {way} {answer}");
        }
    }
    let form = send(
        &at(&daemon, &id, "/close"),
        "POST",
        "content-type: text/plain\r\n",
        b"{}",
    );
    assert_eq!(form.expect("answered").status(), 415);
    let own = format!("origin: http://{authority}\r\nsec-fetch-site: same-origin\r\n");
    let (status, _) = post(&at(&daemon, &id, "/requests"), &own, &body).expect("answered");
    assert_eq!(status, 202);
    daemon.stop();
    let output = archonctl(&["sessions", "show", &id, "-o", "json", "--data-dir"])
        .arg(&data_dir)
        .output()
        .expect("it runs");
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["data"]["session"]["total_requests"], 1);
}

#[test]
fn texts_are_counted_and_cost_what_their_model_costs_even_after_a_kill() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let url = format!("{}/api/mcp/pricing?model=gpt-4o-mini", daemon.api);
    let mut answer = send(&url, "GET", "", b"").expect("answered");
    let prices: Value = serde_json::from_slice(&answer.body().expect("a body")).expect("JSON");
    let price = |name: &str| prices["pricing"][0][name].as_f64().expect("a price");
    let id = open(&daemon, &json!({}));
    let requests = json!([
        {"method": "tools/call", "tool_name": "texts", "prompt_text": "hello world",
         "completion_text": "hello world ".repeat(5_000), "model": "gpt-4o-mini"},
        {"method": "tools/call", "tool_name": "counts", "prompt_tokens": 4_000, "model": "GPT-4o-mini"},
        {"method": "tools/call", "tool_name": "unknown", "prompt_tokens": 4_000, "model": "nobody's"},
    ]);
    let (status, _) = post(&at(&daemon, &id, "/requests"), "", &requests).expect("answered");
    assert_eq!(status, 202);
    daemon.kill();
    let shown = query(&data_dir, &["sessions", "show", &id]);
    let rows = shown["data"]["requests"].as_array().expect("rows");
    let of = |tool: &str| {
        let mut rows = rows.iter();
        rows.find(|row| row["tool_name"] == tool).expect(tool)
    };
    let near = |found: &Value, expected: f64| {
        let found = found.as_f64().expect("a number");
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    };
    let texts = of("texts");
    assert_eq!(texts["prompt_tokens"], 2, "{texts}");
    let completion = texts["completion_tokens"].as_f64().expect("a number");
    assert!((10_000.0..=10_001.0).contains(&completion), "{texts}");
    let cost =
        (2.0 * price("input_price_per_1k") + completion * price("output_price_per_1k")) / 1e3;
    near(&texts["estimated_cost"], cost);
    near(
        &of("counts")["estimated_cost"],
        4.0 * price("input_price_per_1k"),
    );
    near(&of("unknown")["estimated_cost"], 0.0);
}
