//! The REST API in the words of tools: what is committed is what this binary prints and serves, TypeScript's own compiler takes the
//! types, and the page to try it works by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cli_run::run;
use crate::support::{Daemon, clients_dir, new_data_dir, send};

/// What is printed for each form, and where it is committed.
const FORMS: [(&str, &str); 3] = [
    ("openapi", "openapi.json"),
    ("typescript", "archonctl.ts"),
    ("json-schema", "archonctl.schema.json"),
];

fn committed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/api")
        .join(file)
}

fn printed(form: &str) -> String {
    let output = run(&["schema", form]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn committed_descriptions_are_fresh() {
    for (form, file) in FORMS {
        let text = std::fs::read_to_string(committed(file)).unwrap_or_default();
        assert!(
            text.replace("\r\n", "\n") == printed(form),
            "docs/api/{file} is out of date; to make it anew: cargo run -- schema {form} > docs/api/{file}"
        );
    }
}

#[test]
fn every_type_of_the_document_is_there_and_named() {
    let document: Value = serde_json::from_str(&printed("openapi")).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let schema: Value = serde_json::from_str(&printed("json-schema")).expect("JSON");
    let typescript = printed("typescript");
    let types = document["components"]["schemas"]
        .as_object()
        .expect("types");
    assert!(types.contains_key("McpClient"));
    for name in types.keys() {
        assert!(schema["$defs"].get(name).is_some(), "{name}");
        let declared = [
            format!("export interface {name} "),
            format!("export type {name} "),
        ];
        assert!(
            declared.iter().any(|text| typescript.contains(text)),
            "{name}"
        );
    }
    // References lead to types that are there.
    for (text, place) in [
        (document.to_string(), "#/components/schemas/"),
        (schema.to_string(), "#/$defs/"),
    ] {
        for reference in text.split("\"$ref\":\"").skip(1) {
            let name = reference.split('"').next().expect("a name");
            let name = name.strip_prefix(place).unwrap_or_else(|| panic!("{name}"));
            assert!(types.contains_key(name), "{name}");
        }
    }
}

#[test]
fn a_client_in_typescript_has_the_right_types() {
    let made = tempfile::tempdir().expect("a directory");
    let client = clients_dir().join("api_client.ts");
    std::fs::copy(client, made.path().join("api_client.ts")).expect("copied");
    std::fs::write(made.path().join("archonctl.ts"), printed("typescript")).expect("written");
    let output = Command::new(clients_dir().join("node_modules/.bin/tsc"))
        .args(["--noEmit", "--strict", "--noUncheckedIndexedAccess"])
        .args([
            "--target",
            "es2023",
            "--module",
            "nodenext",
            "--lib",
            "es2023,dom,dom.iterable",
            "--types",
            "",
        ])
        .args(["api_client.ts", "archonctl.ts"])
        .current_dir(made.path())
        .output()
        .expect("tsc runs: scripts/test --setup-only installs it");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_page_lists_every_endpoint_sends_and_needs_nothing_from_elsewhere() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    for (path, kind) in [
        ("/docs", "text/html"),
        ("/docs/page.js", "text/javascript"),
        ("/docs/page.css", "text/css"),
    ] {
        let mut answer = send(&format!("{}{path}", daemon.api), "GET", "", b"").expect("answered");
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer
                .header("content-type")
                .expect("a kind")
                .starts_with(kind)
        );
        let text = String::from_utf8(answer.body().expect("a body")).expect("UTF-8");
        assert!(!text.contains("//cdn") && !text.contains("http"), "{path}");
    }
    let output = Command::new("node")
        .args(["docs_page.mjs", &daemon.api])
        .current_dir(clients_dir())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let document: Value = serde_json::from_str(&printed("openapi")).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().expect("operations").values());
    let mut expected: Vec<_> = operations
        .map(|one| one["operationId"].as_str().expect("an id"))
        .collect();
    let mut listed: Vec<_> = seen["listed"]
        .as_array()
        .expect("ids")
        .iter()
        .map(|id| id.as_str().expect("an id"))
        .collect();
    expected.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, expected);
    for (what, status) in [
        ("opened", "201 Created"),
        ("reported", "202 Accepted"),
        ("closed", "200 OK"),
        ("prices", "200 OK"),
        ("refused", "422 Unprocessable"),
    ] {
        let shown = seen[what].as_str().expect("a text");
        assert!(shown.contains(status), "{what}: {shown}");
    }
    assert!(
        seen["prices"]
            .as_str()
            .is_some_and(|text| text.contains("gpt-4o"))
    );
    for url in seen["fetched"].as_array().expect("URLs") {
        assert!(
            url.as_str().is_some_and(|url| url.starts_with(&daemon.api)),
            "{url}"
        );
    }
    let policy = seen["policy"].as_str().expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    daemon.stop();
}

/// Rule: operation/tokens-and-cost
#[test]
fn whatever_shows_tokens_or_costs_says_that_they_are_estimates() {
    let document: Value = serde_json::from_str(&printed("openapi")).expect("JSON");
    let types = document["components"]["schemas"].as_object();
    let mut seen = 0;
    for (name, schema) in types.expect("types") {
        // What a server reports is what it says it is.
        if name == "NewRequest" {
            continue;
        }
        let Some(members) = schema["properties"].as_object() else {
            continue;
        };
        for (member, described) in members {
            if !["token", "cost"].iter().any(|word| member.contains(word)) {
                continue;
            }
            let said = described["description"].as_str().unwrap_or_default();
            assert!(
                said.to_lowercase().contains("estimate"),
                "{name}.{member}: {said}"
            );
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}
