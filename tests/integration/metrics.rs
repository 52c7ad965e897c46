//! `/metrics` of a running daemon: Prometheus' format, the right counts, and nobody's data.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{Client, Daemon, Driver, eventually, new_data_dir, send};

/// The samples by name and labels. Whatever is no comment and no sample fails.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kinds.insert(name, kind).is_none(), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            let name = series.split('{').next().expect("a name");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
                name.strip_suffix(end)
                    .filter(|name| kinds.contains_key(name))
            });
            assert!(kinds.contains_key(family.unwrap_or(name)), "{line}");
            assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "{line}");
        }
    }
    // Buckets hold those below as well, and the last holds all.
    for (series, value) in &samples {
        if let Some((before, _)) = series.split_once("le=\"+Inf\"") {
            let labels = before.split_once('{').map_or("", |(_, labels)| labels);
            let count = before.replacen("_bucket{", "_count{", 1);
            let count = if labels.is_empty() {
                count.trim_end_matches('{').to_owned()
            } else {
                format!("{}}}", count.trim_end_matches(','))
            };
            assert_eq!(samples.get(&count), Some(value), "{series} {count}");
        }
    }
    samples
}

#[test]
fn what_was_done_is_counted_and_nobody_is_named() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    Client::call(
        Driver::PyModern,
        &daemon.url,
        &["health_check", "session_info", "health_check"],
    );
    let post = |path: &str, body: &serde_json::Value| {
        let url = format!("{}/api/mcp/sessions{path}", daemon.api);
        let body = body.to_string();
        let sent = send(
            &url,
            "POST",
            "content-type: application/json\r\n",
            body.as_bytes(),
        );
        let mut answer = sent.expect("answered");
        serde_json::from_slice::<serde_json::Value>(&answer.body().expect("a body")).expect("JSON")
    };
    let opened = post(
        "",
        &json!({"client_info": {"name": "cursor"}, "user_context": {"user_email": "ada@example.com", "user_name": "Lovelace"}}),
    );
    let id = opened["session_id"].as_str().expect("an id");
    post(
        &format!("/{id}/requests"),
        &json!([
            {"method": "tools/call", "tool_name": "a \"b\"\\", "duration_ms": 1500},
            {"method": "tools/call", "tool_name": "find", "duration_ms": 400_000, "status": "error",
             "error_message": "-32602: there is no ada@example.com"},
            {"method": "tools/call", "tool_name": "find", "status": "timeout", "duration_ms": 30_000},
            {"method": "tools/call", "tool_name": "unmeasured"},
        ]),
    );
    post(
        &format!("/{id}/close"),
        &json!({"reason": "error:ChildExit"}),
    );
    let text = eventually("the requests in the store", || {
        let mut answer =
            send(&format!("{}/metrics", daemon.api), "GET", "", b"").expect("answered");
        assert_eq!(answer.status(), 200);
        let kind = answer.header("content-type").expect("a kind").to_owned();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        let text = String::from_utf8(answer.body().expect("a body")).expect("UTF-8");
        (text.contains("\"find\"") && text.contains("\"session_info\"")).then_some(text)
    });
    for secret in ["ada", "Lovelace", id, "127.0.0.1:", "py-modern-driver"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let samples = samples(&text);
    let operation = |labels: &str, more: &str| {
        let name = format!("mcp_server_operation_duration_seconds{labels}{more}}}");
        samples
            .get(&name)
            .copied()
            .unwrap_or_else(|| panic!("{name}: {text}"))
    };
    let call = r#"{mcp_method_name="tools/call",gen_ai_tool_name="#;
    let odd = format!(r#"{call}"a \"b\"\\""#);
    let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
    assert!(near(operation(&format!("_bucket{odd}"), r#",le="1""#), 0.0));
    assert!(near(operation(&format!("_bucket{odd}"), r#",le="2""#), 1.0));
    assert!(near(operation(&format!("_sum{odd}"), ""), 1.5));
    let failed = format!(r#"{call}"find",error_type="-32602""#);
    assert!(near(
        operation(&format!("_bucket{failed}"), r#",le="300""#),
        0.0
    ));
    assert!(near(operation(&format!("_count{failed}"), ""), 1.0));
    let late = format!(r#"{call}"find",error_type="timeout""#);
    assert!(near(
        operation(&format!("_bucket{late}"), r#",le="30""#),
        1.0
    ));
    let modern = format!(r#"_count{call}"health_check",mcp_protocol_version="2026-07-28""#);
    assert!(near(operation(&modern, ""), 2.0), "{text}");
    assert!(!text.contains("unmeasured"));
    let ended = r#"mcp_server_session_duration_seconds_count{error_type="ChildExit"}"#;
    assert_eq!(samples.get(ended), Some(&1.0), "{text}");
    for (name, value) in [
        ("archonctl_records_dropped_total", 0.0),
        ("archonctl_store_up", 1.0),
        (r#"archonctl_rejections_total{reason="forbidden"}"#, 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name}");
    }
    assert!(samples["archonctl_operations_recorded_total"] >= 7.0);
    assert!(samples["archonctl_store_write_duration_seconds_count"] >= 1.0);
    daemon.stop();
}
