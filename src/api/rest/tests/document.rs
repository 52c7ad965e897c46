//! The OpenAPI document against what the handlers take: the same parameters, with the same bounds.

use axum::http::StatusCode;
use serde_json::Value;

use super::{ask, deps, status_of};
use crate::api::rest::{openapi_document, router};
use crate::store::testing::{TestStore, at, open};

const SESSION: &str = "00000000-0000-0000-0000-000000000001";

/// The questions of the document: where, and with which parameters in the query.
fn questions(document: &Value) -> Vec<(String, Vec<Value>)> {
    let paths = document["paths"].as_object().expect("paths");
    let questions = paths.iter().filter_map(|(path, operations)| {
        let operation = operations.get("get")?;
        let parameters = operation["parameters"].as_array().expect("an array");
        let of_query = parameters.iter().filter(|one| one["in"] == "query");
        let path = path.replace("{session_id}", SESSION);
        Some((path, of_query.cloned().collect()))
    });
    questions.collect()
}

/// Values that a parameter may have, and values that it may not.
fn values(schema: &Value) -> (Vec<String>, Vec<String>) {
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    match schema["type"].as_str() {
        Some("integer") => {
            let bound = |name: &str| i128::from(schema[name].as_i64().expect("a bound"));
            let (least, most) = (bound("minimum"), bound("maximum"));
            let good = [least, most].map(|number| number.to_string());
            let bad = [least - 1, most + 1].map(|number| number.to_string());
            (good.into(), bad.into())
        }
        Some("boolean") => (words(&["true", "false"]), words(&["maybe"])),
        _ => match (schema["enum"].as_array(), schema["format"].as_str()) {
            (Some(all), _) => {
                let all = all
                    .iter()
                    .map(|word| word.as_str().expect("a word").to_owned());
                (all.collect(), words(&["something"]))
            }
            _ if schema["type"] == "array" => {
                let each = schema["items"]["enum"].as_array().expect("words");
                let each: Vec<_> = each
                    .iter()
                    .map(|word| word.as_str().expect("a word"))
                    .collect();
                let two = format!("{},{}", each[0], each[1]);
                (words(&[each[0], two.as_str()]), words(&["something", ""]))
            }
            _ if schema["pattern"]
                .as_str()
                .is_some_and(|p| p.starts_with("^[0-9]")) =>
            {
                (words(&["0-0-0"]), words(&["0-0", "", "-1-0-0"]))
            }
            (None, Some("uuid")) => (words(&[SESSION]), words(&["nobody"])),
            (None, Some("date-time")) => (words(&["2026-09-01T00:00:00Z"]), words(&["yesterday"])),
            _ => (words(&["a", ""]), words(&["%00"])),
        },
    }
}

#[tokio::test]
async fn parameters_are_those_of_the_handlers_and_so_are_their_bounds() {
    let mut test = TestStore::new().await;
    test.fold(&[open(1, 0)]).await;
    let api = router(deps(&test.store, at(10)));
    let (status, document) = ask(&api, "/api/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document, openapi_document());
    let questions = questions(&document);
    assert!(questions.len() > 15, "{questions:?}");
    let mut tried = 0;
    for (path, parameters) in questions {
        let (status, refused) = ask(&api, &format!("{path}?nothing=1")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let detail = refused["detail"].as_str().expect("a text");
        let names = parameters
            .iter()
            .map(|one| one["name"].as_str().expect("a name"));
        let names: Vec<_> = names.collect();
        let taken = detail
            .split_once("there are: ")
            .map_or_else(Vec::new, |(_, list)| list.split(", ").collect());
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.join(", ")
        };
        assert_eq!(sorted(taken), sorted(names), "{path}: {detail}");
        for parameter in &parameters {
            let name = parameter["name"].as_str().expect("a name");
            let (good, bad) = values(&parameter["schema"]);
            for value in good {
                let at = format!("{path}?{name}={value}");
                assert_eq!(status_of(&api, &at).await, StatusCode::OK, "{at}");
                tried += 1;
            }
            for value in bad {
                let at = format!("{path}?{name}={value}");
                let (status, answer) = ask(&api, &at).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{at}: {answer}");
            }
            // What is said to stand for none is what none stands for.
            if let Some(default) = parameter["schema"].get("default") {
                let default = default
                    .as_str()
                    .map_or_else(|| default.to_string(), str::to_owned);
                let at = format!("{path}?{name}={default}");
                assert_eq!(ask(&api, &at).await.1, ask(&api, &path).await.1, "{at}");
            }
        }
    }
    assert!(tried > 40, "{tried}");
}
