//! Which keys of a client count, for whom, and in which order.

use super::*;
use crate::model::{Derivation, Era};

/// What a client may say of its conversation: a header, and members of `_meta`.
const KEYS: [(&str, &str, Derivation); 6] = [
    ("session.id=run-1", "", Derivation::Explicit),
    ("", r#","vscode.conversationId":"c1""#, Derivation::Vendor),
    ("", r#","sessionID":"c1""#, Derivation::Vendor),
    (
        "",
        r#","x-codex-turn-metadata":{"session_id":"c1"}"#,
        Derivation::Vendor,
    ),
    ("", r#","openai/session":"c1""#, Derivation::Vendor),
    ("", "", Derivation::Inferred),
];

fn modern_client(baggage: &str) -> Client {
    let client = Client::new().with("mcp-protocol-version", MODERN);
    if baggage.is_empty() {
        client
    } else {
        client.with("baggage", baggage)
    }
}

fn modern_call(rig: &Rig, client: &Client, meta: &str) -> String {
    let session = rig.call(client, &modern(1, "tools/call", "a", meta), &echoed(1));
    session.expect("a session")
}

/// Rule: derivation/scope-of-principal, derivation/scope-of-server, derivation/vendor, derivation/explicit-baggage
/// Rule: derivation/inferred
#[test]
fn every_key_leads_to_one_session_of_one_principal_on_one_server() {
    for (baggage, meta, derivation) in KEYS {
        let rig = Rig::new();
        let client = modern_client(baggage);
        let mine = modern_call(&rig, &client, meta);
        assert_eq!(modern_call(&rig, &client, meta), mine);
        let theirs = modern_call(&rig, &client.clone().from("10.0.0.9"), meta);
        let elsewhere = modern_call(&rig, &client.clone().at("files"), meta);
        assert!(
            mine != theirs && mine != elsewhere && theirs != elsewhere,
            "{baggage}{meta}"
        );
        let opened = rig.opened();
        assert_eq!(opened.len(), 3);
        assert!(opened.iter().all(|opened| opened.derivation == derivation));
        let mut keys: Vec<_> = opened.iter().map(|opened| &opened.session_key).collect();
        keys.dedup();
        assert_eq!(keys.len(), 3, "nor does the store take them for the same");
    }
}

/// Rule: derivation/scope-of-server, derivation/protocol
#[test]
fn an_id_that_two_servers_minted_alike_is_two_sessions() {
    let rig = Rig::new();
    let docs = rig.initialize(&Client::new(), "abc");
    let files = rig.initialize(&Client::new().at("files"), "abc");
    let one = rig.call(&docs, &echo(1), &echoed(1));
    let other = rig.call(&files, &echo(1), &echoed(1));
    assert!(one.is_some() && other.is_some() && one != other);
    assert_eq!(rig.opened().len(), 2);
}

/// Rule: derivation/inferred
#[test]
fn another_version_of_a_client_is_another_session() {
    let rig = Rig::new();
    let client = modern_client("");
    let first = modern_call(&rig, &client, "");
    let newer =
        modern(2, "tools/call", "a", "").replace(r#""version":"2.0""#, r#""version":"2.1""#);
    let second = rig.call(&client, &newer, &echoed(2));
    assert!(second.is_some() && second != Some(first));
}

/// Rule: derivation/first-that-applies
#[test]
fn of_two_keys_on_one_request_that_of_the_earlier_rule_counts() {
    let rig = Rig::new();
    let vendor = r#","sessionID":"c1""#;
    let legacy = rig.initialize(&Client::new(), "abc");
    let protocol = rig.call(&legacy, &echo(1), &echoed(1)).expect("a session");
    let both = legacy.with("baggage", "session.id=run-1");
    let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","_meta":{"sessionID":"c1"}}}"#;
    assert_eq!(
        rig.call(&both, body, &echoed(2)),
        Some(protocol.clone()),
        "protocol before explicit and vendor"
    );
    let by_baggage = modern_call(&rig, &modern_client("session.id=run-1"), vendor);
    let by_vendor = modern_call(&rig, &modern_client(""), vendor);
    let inferred = modern_call(&rig, &modern_client(""), "");
    let named = modern_client("session.id=run-1").with("x-archon-session-id", &inferred);
    assert_eq!(
        modern_call(&rig, &named, vendor),
        inferred,
        "a session's name before baggage and vendor"
    );
    let rules: Vec<_> = rig
        .opened()
        .iter()
        .map(|opened| opened.derivation)
        .collect();
    assert_eq!(
        rules,
        [
            Derivation::Protocol,
            Derivation::Explicit,
            Derivation::Vendor,
            Derivation::Inferred
        ]
    );
    assert!(by_baggage != by_vendor && by_vendor != inferred && by_baggage != protocol);
}

/// Rule: derivation/explicit-name, session/ended-stays
#[test]
fn the_name_of_an_ended_session_counts_for_nothing() {
    let rig = Rig::new();
    let ended = modern_call(&rig, &modern_client("session.id=run-1"), "");
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["timeout"]);
    let named = modern_client("").with("x-archon-session-id", &ended);
    assert_ne!(modern_call(&rig, &named, ""), ended);
    let opened = rig.opened();
    assert_eq!(opened.len(), 2);
    assert_eq!(opened[1].derivation, Derivation::Inferred);
    assert_eq!(rig.closed().len(), 1, "and it stays as it ended");
}

/// Rule: era/header-or-meta, derivation/no-id-when-modern
#[test]
fn the_header_alone_makes_a_request_modern() {
    let rig = Rig::new();
    let client = modern_client("").with("mcp-session-id", "abc");
    rig.call(&client, &echo(1), &echoed(1));
    let opened = rig.opened().remove(0);
    assert_eq!(
        (opened.era, opened.derivation),
        (Era::Modern, Derivation::Inferred)
    );
    assert_eq!(opened.protocol_version.as_deref(), Some(MODERN));
}
