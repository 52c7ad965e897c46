//! "Which session a request belongs to."

use http::{Method, StatusCode};

use super::*;
use crate::model::{Derivation, Era};

/// Rule: derivation/protocol, session/opened, session/kept-as-sent
#[test]
fn a_legacy_handshake_opens_a_session_by_the_servers_id() {
    let rig = Rig::new();
    let minted: &[(&str, &str)] = &[("mcp-session-id", "abc")];
    let asked = initialize("tester", "2025-11-25");
    rig.call_as(
        &Client::new(),
        &asked,
        StatusCode::OK,
        minted,
        &initialized(LEGACY),
    );
    let client = Client::new().with("mcp-session-id", "abc");
    let first = rig.call(&client, &echo(1), &echoed(1));
    assert_eq!(rig.call(&client, &echo(2), &echoed(2)), first);
    let [opened] = &rig.opened()[..] else {
        panic!("one session: {:?}", rig.opened())
    };
    assert_eq!(
        (opened.derivation, opened.era),
        (Derivation::Protocol, Era::Legacy)
    );
    assert_eq!(opened.client_name.as_deref(), Some("tester"));
    assert_eq!(opened.client_version.as_deref(), Some("1.2.3"));
    assert_eq!(
        opened.client_capabilities.as_deref(),
        Some(r#"{"roots":{}}"#)
    );
    assert_eq!(
        opened.protocol_version.as_deref(),
        Some(LEGACY),
        "what the server settled on"
    );
    assert_eq!(opened.user_agent.as_deref(), Some("test/1"));
    assert!(
        !opened.session_key.contains("abc"),
        "the id that lets others in is not stored"
    );
    assert_eq!(
        rig.operations()
            .iter()
            .filter(|operation| operation.is_handshake())
            .count(),
        1
    );
    assert_eq!(rig.operations().len(), 3);
}

/// Rule: derivation/scope-of-principal
#[test]
fn the_same_id_of_two_principals_is_two_sessions() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let mine = rig.call(&client, &echo(1), &echoed(1));
    let theirs = rig.call(&client.clone().from("10.0.0.9"), &echo(1), &echoed(1));
    assert!(mine.is_some() && theirs.is_some() && mine != theirs);
}

/// Rule: era/said-in-meta, derivation/no-id-when-modern, derivation/inferred, derivation/one-client-one-session
#[test]
fn a_modern_request_is_told_by_its_client_and_never_by_the_legacy_header() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-protocol-version", MODERN);
    let first = rig.call(&client, &modern(1, "tools/call", "a", ""), &echoed(1));
    let forged = client.clone().with("mcp-session-id", "abc");
    assert_eq!(
        rig.call(&forged, &modern(2, "tools/call", "a", ""), &echoed(2)),
        first
    );
    assert_ne!(
        rig.call(&client, &modern(3, "tools/call", "b", ""), &echoed(3)),
        first
    );
    let other_agent = client.with("user-agent", "test/2");
    assert_ne!(
        rig.call(&other_agent, &modern(4, "tools/call", "a", ""), &echoed(4)),
        first
    );
    let opened = rig.opened();
    assert_eq!(opened.len(), 3);
    assert_eq!(
        (opened[0].derivation, opened[0].era),
        (Derivation::Inferred, Era::Modern)
    );
    assert_eq!(opened[0].protocol_version.as_deref(), Some(MODERN));
    assert_eq!(
        opened[0].client_capabilities.as_deref(),
        Some(r#"{"roots":{}}"#)
    );
}

/// Rule: era/header-or-meta
#[test]
fn the_meta_alone_makes_a_request_modern() {
    let rig = Rig::new();
    rig.call(
        &Client::new(),
        &modern(1, "tools/call", "a", ""),
        &echoed(1),
    );
    assert_eq!(rig.opened()[0].era, Era::Modern);
}

/// Rule: derivation/inferred-legacy
#[test]
fn a_legacy_client_of_a_server_without_ids_is_one_session_from_its_initialize_on() {
    let rig = Rig::new();
    rig.call(
        &Client::new(),
        &initialize("tester", LEGACY),
        &initialized(LEGACY),
    );
    let client = Client::new().with("mcp-protocol-version", LEGACY);
    let first = rig.call(&client, &echo(1), &echoed(1));
    assert_eq!(rig.call(&client, &echo(2), &echoed(2)), first);
    let [opened] = &rig.opened()[..] else {
        panic!("one session")
    };
    assert_eq!(
        (opened.derivation, opened.client_name.as_deref()),
        (Derivation::Inferred, Some("tester"))
    );
}

/// Rule: derivation/first-that-applies, derivation/scope-of-principal, derivation/explicit-name
/// Rule: derivation/explicit-baggage, derivation/vendor
#[test]
fn explicit_and_vendor_keys_come_before_guessing() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-protocol-version", MODERN);
    let named = client.clone().with("baggage", "session.id=run-1");
    let explicit = rig.call(&named, &modern(1, "tools/call", "a", ""), &echoed(1));
    assert_eq!(
        rig.call(&named, &modern(2, "tools/call", "other", ""), &echoed(2)),
        explicit
    );
    let vendor = rig.call(
        &client,
        &modern(3, "tools/call", "a", r#","vscode.conversationId":"c1""#),
        &echoed(3),
    );
    let another = rig.call(
        &client,
        &modern(4, "tools/call", "a", r#","vscode.conversationId":"c2""#),
        &echoed(4),
    );
    assert!(vendor != another && vendor != explicit);
    let header = client.with("x-archon-session-id", &vendor.clone().expect("a session"));
    assert_eq!(
        rig.call(&header, &modern(5, "tools/call", "z", ""), &echoed(5)),
        vendor,
        "names a live session"
    );
    let stranger = header.from("10.0.0.9");
    assert_ne!(
        rig.call(&stranger, &modern(6, "tools/call", "z", ""), &echoed(6)),
        vendor,
        "of the same principal only"
    );
    let rules: Vec<_> = rig
        .opened()
        .iter()
        .map(|opened| opened.derivation)
        .collect();
    assert_eq!(
        rules,
        [
            Derivation::Explicit,
            Derivation::Vendor,
            Derivation::Vendor,
            Derivation::Inferred
        ]
    );
}

/// Rule: session/not-by-probe, session/not-by-get
#[test]
fn refused_probes_open_nothing() {
    let rig = Rig::new();
    let probe = modern(0, "server/discover", "a", "");
    let client = Client::new().with("mcp-protocol-version", MODERN);
    let no_method =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}"#;
    rig.call_as(
        &client,
        &probe,
        StatusCode::BAD_REQUEST,
        &[],
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"x"}}"#,
    );
    rig.call(&client, &probe, no_method);
    let no_such_version =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32022,"message":"Unsupported version"}}"#;
    rig.call(&client, &probe, no_such_version);
    rig.call_as(&client, &probe, StatusCode::UNAUTHORIZED, &[], "{}");
    drop(rig.stream(&Method::GET, &Client::new()));
    assert_eq!(rig.records(), []);
    assert_eq!(rig.tracker.open_sessions(), 0);
    rig.call(
        &client,
        &probe,
        r#"{"jsonrpc":"2.0","id":0,"result":{"supportedVersions":[]}}"#,
    );
    assert_eq!(rig.opened().len(), 1, "a probe that was answered opens one");
}

#[test]
fn a_legacy_session_that_an_earlier_instance_opened_goes_on() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let opened = rig.opened().remove(0);
    let later = Rig::new();
    let status = crate::model::SessionStatus::Active;
    let last_activity = later.tracker.now();
    later.tracker.adopt(vec![crate::store::StoredSession {
        opened: opened.clone(),
        last_activity,
        status,
    }]);
    assert_eq!(
        later.call(&client, &echo(1), &echoed(1)),
        Some(opened.session_id.to_string())
    );
    assert_eq!(later.opened(), []);
}
