//! "Token counts are estimates from the text of arguments and result content."
//!
//! Numbers of tokens are those of tiktoken 0.14.0 for Python, encoding `o200k_base`, for the text that stands beside each.

use std::io::Write;
use std::sync::Arc;

use http::Method;

use super::*;
use crate::model::OperationStatus;
use crate::tracking::Texts;

/// 20 times the same sentence: 900 bytes, 201 tokens; its first 450 bytes are 101.
const FOX: &str = "The quick brown fox jumps over the lazy dog. ";

fn rig_with(counted_text: usize) -> Rig {
    let mut rig = Rig::new();
    let options = TrackerOptions {
        counted_text,
        ..TrackerOptions::default()
    };
    rig.tracker = Arc::new(Tracker::new(
        options,
        rig.clock.clone(),
        Arc::new(UuidV7Source),
        rig.journal.clone(),
    ));
    rig
}

fn call(arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#
    )
}

fn result(members: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{members}}}}}"#)
}

fn text(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(r#"{{"type":"text","text":{text}}}"#)
}

type Tokens = (Option<u32>, Option<u32>);

fn tokens(operation: &Operation) -> Tokens {
    (operation.prompt_tokens, operation.completion_tokens)
}

/// The tokens of each operation as the journal has them, and as they go to the store.
fn written_and_counted(rig: &Rig) -> (Vec<Tokens>, Vec<Tokens>) {
    let mut records = rig.records();
    let of = |records: &[Record]| {
        let operations = records.iter().filter_map(|record| match record {
            Record::OperationFinished(operation) => Some(tokens(operation)),
            _ => None,
        });
        operations.collect::<Vec<_>>()
    };
    let written = of(&records);
    rig.tracker.texts().count();
    rig.tracker.texts().fill(&mut records);
    (written, of(&records))
}

/// The tokens of the only call behind the handshake.
fn counted(rig: &Rig) -> Tokens {
    written_and_counted(rig).1.pop().expect("a call")
}

fn called(rig: &Rig, arguments: &str, members: &str) -> Tokens {
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, &call(arguments), &result(members));
    counted(rig)
}

#[test]
fn arguments_count_as_json_with_its_strings_written_out() {
    // {"city":"Zürich","days":3,"units":["C","F"]}
    let arguments = r#"{ "city" : "Z\u00fcrich", "days" : 3, "units" : ["C", "F"] }"#;
    assert_eq!(called(&Rig::new(), arguments, ""), (Some(18), Some(0)));
    // {"a":"line\nbreak "q""}, the line feed written out
    let arguments = r#"{"a":"line\nbreak \"q\""}"#;
    assert_eq!(called(&Rig::new(), arguments, ""), (Some(10), Some(0)));
}

#[test]
fn each_text_of_the_content_counts_and_what_is_no_text_does_not() {
    let base64 = "iVBORw0KGgoAAAANSUhEUgAA".repeat(400);
    let content = format!(
        r#""content":[{},{{"type":"image","mimeType":"image/png","data":"{base64}"}},{},
        {{"type":"audio","mimeType":"audio/wav","data":"{base64}"}},
        {{"type":"resource","resource":{{"uri":"file:///x","blob":"{base64}"}}}},
        {{"type":"resource","resource":{{"uri":"file:///y","text":"hi"}}}}]"#,
        text("Grüße aus Zürich, naïve café"),
        text("こんにちは世界。これはテストです。"),
    );
    assert_eq!(
        called(&Rig::new(), "{}", &content),
        (Some(1), Some(9 + 8 + 1))
    );
    let only =
        format!(r#""content":[{{"type":"image","mimeType":"image/png","data":"{base64}"}}]"#);
    let rig = Rig::new();
    assert_eq!(called(&rig, "{}", &only), (Some(1), Some(0)));
    assert_eq!(
        (
            rig.tracker.texts().counted(),
            rig.tracker.texts().estimated()
        ),
        (1, 0)
    );
}

#[test]
fn structured_content_counts_where_no_text_says_the_same() {
    let structured = r#""structuredContent":{"temp": 21.5, "ok": true}"#;
    assert_eq!(called(&Rig::new(), "{}", structured), (Some(1), Some(11)));
    for both in [
        format!(r#""content":[{}],{structured}"#, text("hi")),
        format!(r#"{structured},"content":[{}]"#, text("hi")),
    ] {
        assert_eq!(called(&Rig::new(), "{}", &both), (Some(1), Some(1)));
    }
    let failed = format!(r#""isError":true,"content":[{}]"#, text("hi"));
    assert_eq!(
        called(&Rig::new(), "{}", &failed),
        (Some(1), Some(1)),
        "a model reads why"
    );
}

#[test]
fn past_the_limit_a_text_counts_as_its_beginning_does() {
    let content = format!(r#""content":[{}]"#, text(&FOX.repeat(20)));
    assert_eq!(called(&rig_with(900), "{}", &content), (Some(1), Some(201)));
    assert_eq!(called(&rig_with(450), "{}", &content), (Some(1), Some(202)));
    // What follows is told by its length, whatever it is.
    let other = format!(
        r#""content":[{},{}]"#,
        text(&FOX.repeat(10)),
        text(&"x".repeat(900))
    );
    assert_eq!(called(&rig_with(450), "{}", &other), (Some(1), Some(303)));
}

#[test]
fn without_counting_four_bytes_are_a_token_and_it_is_told() {
    let rig = rig_with(0);
    let content = format!(r#""content":[{}]"#, text("seven b"));
    assert_eq!(called(&rig, "{}", &content), (Some(1), Some(2)));
    let texts = rig.tracker.texts();
    assert_eq!((texts.counted(), texts.estimated()), (0, 1));
}

#[test]
fn the_journal_has_an_estimate_before_anybody_counts() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let content = format!(r#""content":[{}]"#, text(&FOX.repeat(20)));
    rig.call(&client, &call(r#"{"message":"x"}"#), &result(&content));
    let (written, counted) = written_and_counted(&rig);
    assert_eq!(
        written,
        [(None, None), (Some(4), Some(225))],
        "of 15 and 900 bytes"
    );
    assert_eq!(counted, [(None, None), (Some(5), Some(201))]);
    assert_eq!(rig.tracker.texts().counted(), 1);
    // Whoever reads the journal again, behind a failure of the store, finds them still.
    assert_eq!(written_and_counted(&rig).1, counted);
    rig.tracker.texts().forget(&rig.records());
    assert_eq!(written_and_counted(&rig).1, written);
}

#[test]
fn events_and_compressed_answers_count_like_others() {
    let content = format!(r#""content":[{}]"#, text("Привет, мир! Как дела?"));
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.post(&client, &call("{}"));
    let stream = headers(&[("content-type", "text/event-stream")]);
    exchange.answer_head(AnswerFacts::read(StatusCode::OK, &stream));
    let event = format!("event: message\ndata: {}\n\n", result(&content));
    for piece in event.as_bytes().chunks(7) {
        exchange.answer_data(piece);
    }
    exchange.answer_end();
    assert_eq!(counted(&rig), (Some(1), Some(8)));

    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.post(&client, &call("{}"));
    let head = headers(&[
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ]);
    exchange.answer_head(AnswerFacts::read(StatusCode::OK, &head));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(result(&content).as_bytes())
        .expect("taken");
    exchange.answer_data(&encoder.finish().expect("ended"));
    exchange.answer_end();
    assert_eq!(counted(&rig), (Some(1), Some(8)));
}

#[test]
fn a_batch_counts_each_of_its_calls() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let other = call(r#"{"message":"x"}"#).replace(r#""id":1"#, r#""id":2"#);
    let answers = format!(
        "[{},{}]",
        result(&format!(r#""content":[{}]"#, text("hi"))).replace(r#""id":1"#, r#""id":2"#),
        result(&format!(r#""content":[{}]"#, text("yes, I can")))
    );
    rig.call(&client, &format!("[{},{other}]", call("{}")), &answers);
    assert_eq!(
        written_and_counted(&rig).1[1..],
        [(Some(5), Some(1)), (Some(1), Some(4))]
    );
}

#[test]
fn prompts_and_resources_count_and_what_no_model_reads_has_no_tokens() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let ask = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    };
    let prompt = r#"{"name":"p","arguments":{"message":"x"}}"#;
    let messages = format!(
        r#""messages":[{{"role":"user","content":{}}},{{"role":"user","content":{}}}]"#,
        text("hi"),
        text("be brief")
    );
    rig.call(&client, &ask("prompts/get", prompt), &result(&messages));
    let contents = r#""contents":[{"uri":"x","text":"hi"},{"uri":"y","blob":"aGVsbG8gd29ybGQ="}]"#;
    rig.call(
        &client,
        &ask("resources/read", r#"{"uri":"x"}"#),
        &result(contents),
    );
    rig.call(&client, &ask("ping", "{}"), &result(""));
    rig.call(
        &client,
        &ask("tools/list", "{}"),
        &result(r#""tools":[{"name":"text"}]"#),
    );
    assert_eq!(
        written_and_counted(&rig).1[1..],
        [
            (Some(5), Some(3)),
            (Some(0), Some(1)),
            (None, None),
            (None, None)
        ]
    );
}

#[test]
fn a_call_without_an_answer_has_the_tokens_of_its_arguments() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.post(&client, &call(r#"{"message":"x"}"#));
    exchange.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "application/json")]),
    ));
    exchange.answer_broken("gone");
    let last = rig.operations().pop().expect("a call");
    assert_eq!(last.status, OperationStatus::Error);
    assert_eq!(counted(&rig), (Some(5), Some(0)));
}

#[test]
fn what_a_client_samples_counts_with_the_model_it_names() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let stream = rig.stream(&Method::GET, &client);
    let asked = format!(
        r#"{{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{{"systemPrompt":"be brief",
        "messages":[{{"role":"user","content":{}}}],"maxTokens":9}}}}"#,
        text("hi")
    );
    stream.answer_data(format!("data: {}\n\n", asked.replace('\n', "")).as_bytes());
    let answer = format!(
        r#"{{"jsonrpc":"2.0","id":"s","result":{{"role":"assistant","model":"gpt-5","content":{}}}}}"#,
        text("yes, I can")
    );
    let exchange = rig.post(&client, &answer);
    exchange.answer_head(AnswerFacts::read(StatusCode::ACCEPTED, &HeaderMap::new()));
    exchange.answer_end();
    let mut records = rig.records();
    rig.tracker.texts().count();
    rig.tracker.texts().fill(&mut records);
    let sampled = records.into_iter().find_map(|record| match record {
        Record::OperationFinished(operation) if operation.from_server => Some(operation),
        _ => None,
    });
    let sampled = sampled.expect("a row");
    assert_eq!(tokens(&sampled), (Some(1 + 2), Some(4)));
    assert_eq!(sampled.model.as_deref(), Some("gpt-5"));
}

#[test]
fn an_operation_of_several_rounds_counts_its_last() {
    let rig = Rig::new();
    let client = Client::new()
        .with("mcp-protocol-version", MODERN)
        .with("user-agent", "t/1");
    let ask = |id: u32, more: &str| {
        let params = format!(
            r#""params":{{"name":"t","arguments":{{"message":"x"}}{more},"_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}"}}}}"#
        );
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call",{params}}}"#)
    };
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s1","inputRequests":{}}}"#;
    rig.call(&client, &ask(1, ""), asks);
    let content = format!(r#""content":[{}]"#, text("yes, I can"));
    let answer = result(&content).replace(r#""id":1"#, r#""id":2"#);
    rig.call(&client, &ask(2, r#","requestState":"s1""#), &answer);
    assert_eq!(written_and_counted(&rig).1, [(Some(5), Some(4))]);
}

#[test]
fn a_flood_is_estimated_and_held_in_bounds() {
    let rig = rig_with(1 << 20);
    let client = rig.initialize(&Client::new(), "abc");
    let long = format!(r#""content":[{}]"#, text(&"x".repeat(1 << 20)));
    for _ in 0..24 {
        rig.call(&client, &call("{}"), &result(&long));
    }
    let texts = rig.tracker.texts();
    let (written, _) = written_and_counted(&rig);
    let all = 1 << 18;
    assert_eq!(written[1..], vec![(Some(1), Some(all)); 24], "none is lost");
    assert_eq!(texts.counted() + texts.estimated(), 24);
    assert!(texts.estimated() >= 16, "{texts:?}");
    assert!(
        !format!("{texts:?}").contains("xx"),
        "texts are shown to nobody"
    );
    // There is room again once they are counted.
    rig.call(
        &client,
        &call("{}"),
        &result(r#""content":[{"type":"text","text":"hi"}]"#),
    );
    assert_eq!(counted(&rig), (Some(1), Some(1)));
}

#[test]
fn counts_of_records_that_were_lost_are_forgotten_in_time() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let content = format!(r#""content":[{}]"#, text("hi"));
    rig.call(&client, &call("{}"), &result(&content));
    let texts = rig.tracker.texts();
    let first = texts.count();
    texts.forget_before(first);
    assert_eq!(
        counted(&rig),
        (Some(1), Some(1)),
        "its record may be about to come"
    );
    texts.forget_before(texts.count());
    assert_eq!(
        counted(&rig),
        (Some(1), Some(1)),
        "by the bytes, which is the same here"
    );
    let mut records = rig.records();
    let before = records.clone();
    texts.fill(&mut records);
    assert_eq!(records, before, "there is nothing left to fill in");
}

#[test]
fn nobody_is_held_up_by_counts_that_no_record_wants() {
    let texts = Arc::new(Texts::new(1 << 10));
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, &call("{}"), &result(""));
    let mut records = rig.records();
    texts.count();
    texts.fill(&mut records);
    texts.forget(&records);
    assert_eq!(records, rig.records());
}
