//! Costs of operations, and the prices they are estimated with.

use crate::model::{Cost, ModelRules, Operation, Price, Record};
use crate::store::connection::on_pool;
use crate::store::testing::{
    INSTANCE, On, TestStore, call, on_every_store, open, opened, operation, session_id,
};
use crate::store::{JournalPosition, NewPrice, Page, PriceChange};

on_every_store!(
    a_call_costs_what_the_model_behind_its_session_does,
    the_price_of_the_day_of_the_call_counts,
    without_a_model_or_a_price_there_is_no_cost_and_tokens_stay,
    a_batch_taken_twice_is_paid_once,
    prices_are_set_all_or_none_and_keep_their_spelling,
    no_seed_touches_a_price_that_somebody_set,
    the_first_prices_make_way_unless_somebody_changed_them,
);

fn price(model: &str, provider: &str, from: &str, input: i64, output: i64) -> NewPrice {
    NewPrice {
        price: Price {
            model: model.to_owned(),
            provider: provider.to_owned(),
            input: Cost::from_micros(input),
            output: Cost::from_micros(output),
            from: from.to_owned(),
        },
        notes: None,
    }
}

fn rules(default: Option<&str>) -> ModelRules {
    let pair = |of: &str, model: &str| (of.to_owned(), model.to_owned());
    ModelRules {
        default: default.map(str::to_owned),
        servers: vec![pair("docs", "of-server")],
        clients: vec![pair("Cursor", "of-type"), pair("my client", "Of-Name")],
    }
}

/// A store with prices of 1, 2, 3 and 4 dollars for 1,000 tokens of input, ten times as much for output.
async fn store(on: On, models: ModelRules) -> TestStore {
    let mut test = TestStore::on(on).await;
    let prices = ["of-name", "of-type", "of-server", "of-all"];
    let prices = prices.iter().zip([1, 2, 3, 4]);
    let prices: Vec<_> = prices
        .map(|(model, dollars)| {
            let micros = dollars * 1_000_000;
            price(model, "P", "2026-01-01", micros, 10 * micros)
        })
        .collect();
    test.store.set_prices(&prices, false).await.expect("set");
    test.store = test.store.with_models(models);
    test
}

fn uncosted(id: u128, session: u128) -> Operation {
    let mut operation = operation(id, session, 10);
    operation.estimated_cost = None;
    operation
}

fn finished(operation: Operation) -> Record {
    Record::OperationFinished(Box::new(operation))
}

/// Cost of each of a session's operations, and their sum as its row has it.
async fn costs(test: &TestStore, n: u128) -> (Vec<i64>, i64) {
    let rows = test.store.operations_of(session_id(n), Page::default());
    let rows = rows.await.expect("rows").into_iter();
    let session = test.store.session(session_id(n)).await;
    let sum = session.expect("an answer").expect("a session").total_cost;
    (
        rows.map(|row| row.estimated_cost.as_micros()).collect(),
        sum.as_micros(),
    )
}

/// What all sums by hour and by day come to.
async fn usage(test: &TestStore) -> (Option<Cost>, Option<Cost>) {
    on_pool!(test.store, pool => {
        sqlx::query_as(
            "SELECT (SELECT sum(cost) FROM archon_usage_hourly), (SELECT sum(cost) FROM archon_usage_daily)",
        )
        .fetch_one(pool)
        .await
    })
    .expect("sums")
}

async fn a_call_costs_what_the_model_behind_its_session_does(on: On) {
    let mut test = store(on, rules(Some("p/of-all"))).await;
    let session = |n: u128, server: &str, client: Option<&str>| {
        let mut session = opened(n, 0);
        session.server = server.into();
        session.client_name = client.map(Into::into);
        Record::SessionOpened(Box::new(session))
    };
    // Ten tokens in, twenty out: 0.21 dollars for each dollar of the price.
    let sessions = [
        session(1, "docs", Some("My Client (via mcp-remote 0.1.2)")),
        session(2, "docs", Some("cursor-vscode")),
        session(3, "docs", Some("other")),
        session(4, "files", None),
    ];
    let calls = (1..=4).map(|n| finished(uncosted(n, n)));
    let records: Vec<_> = sessions.into_iter().chain(calls).collect();
    test.fold(&records).await;
    // In a batch of its own the session is known from the store.
    let again: Vec<_> = (1..=4).map(|n| finished(uncosted(10 + n, n))).collect();
    test.fold(&again).await;
    for (n, dollars) in [(1, 1), (2, 2), (3, 3), (4, 4)] {
        let cost = 210_000 * dollars;
        assert_eq!(costs(&test, n).await, (vec![cost; 2], 2 * cost), "{n}");
    }
    let all = Some(Cost::from_micros(2 * 2_100_000));
    assert_eq!(usage(&test).await, (all, all));
    let mut sampled = uncosted(21, 4);
    sampled.model = Some("OF-NAME".into());
    let mut unknown = uncosted(22, 4);
    unknown.model = Some("nobody's".into());
    test.fold(&[finished(sampled), finished(unknown)]).await;
    let (each, _) = costs(&test, 4).await;
    assert!(each.contains(&210_000), "the model that the answer names");
    assert_eq!(each.iter().filter(|cost| **cost == 840_000).count(), 3);
}

async fn the_price_of_the_day_of_the_call_counts(on: On) {
    let mut test = store(on, rules(Some("of-all"))).await;
    // Calls are of 2026-09-21.
    let later = price("of-all", "P", "2026-09-22", 1, 1);
    let before = price("of-all", "P", "2026-09-21", 500_000, 500_000);
    let set = test.store.set_prices(&[later, before], false).await;
    assert_eq!(set.expect("set"), [PriceChange::Added; 2]);
    test.fold(&[open(1, 0), finished(uncosted(1, 1))]).await;
    assert_eq!(costs(&test, 1).await, (vec![15_000], 15_000));
}

async fn without_a_model_or_a_price_there_is_no_cost_and_tokens_stay(on: On) {
    let mut test = store(on, rules(None)).await;
    let none = finished(uncosted(1, 1));
    test.fold(&[open(1, 0), none]).await;
    test.store = test.store.with_models(rules(Some("unheard-of")));
    test.fold(&[finished(uncosted(2, 1)), call(3, 1, 11)]).await;
    let known: Vec<(Option<i64>, Option<Cost>)> = on_pool!(test.store, pool => {
        sqlx::query_as(
            "SELECT CAST(prompt_tokens AS BIGINT), estimated_cost FROM archon_mcp_requests ORDER BY request_id",
        )
        .fetch_all(pool)
        .await
    })
    .expect("rows");
    let given = Some(Cost::from_micros(30));
    assert_eq!(
        known,
        [(Some(10), None), (Some(10), None), (Some(10), given)],
        "what comes with a cost keeps it"
    );
    let session = test.store.session(session_id(1)).await;
    let session = session.expect("an answer").expect("a session");
    assert_eq!(session.total_prompt_tokens, 30);
    assert_eq!(session.total_cost.as_micros(), 30);
    let without = test
        .store
        .models_without_price(crate::store::testing::at(0));
    assert_eq!(without.await.expect("models"), ["unheard-of"]);
}

async fn a_batch_taken_twice_is_paid_once(on: On) {
    let mut test = store(on, rules(Some("of-all"))).await;
    let records = [open(1, 0), finished(uncosted(1, 1))];
    test.fold(&records).await;
    test.fold(&records).await;
    let same = JournalPosition {
        segment: 0,
        offset: 1,
    };
    let again = test.store.fold(INSTANCE, &records, same).await;
    again.expect("a fold");
    test.store
        .forget_journal(INSTANCE)
        .await
        .expect("forgotten");
    test.fold(&records).await;
    assert_eq!(costs(&test, 1).await, (vec![840_000], 840_000));
}

async fn prices_are_set_all_or_none_and_keep_their_spelling(on: On) {
    let test = TestStore::on(on).await;
    let new = [
        price("GPT-5", "openai", "2025-08-07", 1_250, 10_000),
        price("gpt-5", "OPENAI", "2027-01-01", 1, 2),
        price("gpt-5-mini", "OpenAI", "2025-08-07", 7, 8),
    ];
    let rehearsed = test.store.set_prices(&new, true).await.expect("an answer");
    let wanted = [
        PriceChange::Unchanged,
        PriceChange::Added,
        PriceChange::Changed,
    ];
    assert_eq!(rehearsed, wanted);
    assert_eq!(
        test.store.set_prices(&new, false).await.expect("set"),
        wanted
    );
    let prices = test.store.prices().await.expect("prices");
    let of = |model: &str| {
        let rows = prices.iter().filter(|row| row.model_name == model);
        rows.map(|row| {
            let day = row.effective_date.as_str();
            (
                &*row.provider,
                day,
                row.input_price_per_1k.as_micros(),
                row.seeded,
            )
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        of("gpt-5"),
        [
            ("OpenAI", "2027-01-01", 1, false),
            ("OpenAI", "2025-08-07", 1_250, true)
        ]
    );
    assert_eq!(of("gpt-5-mini"), [("OpenAI", "2025-08-07", 7, false)]);
    let bad = price("x", "P", "2026-13-45", 1, 1);
    let good = price("y", "P", "2026-01-01", 1, 1);
    if on != On::Sqlite {
        let refused = test.store.set_prices(&[good, bad], false).await;
        refused.expect_err("no such day");
        let prices = test.store.prices().await.expect("prices");
        assert!(prices.iter().all(|row| row.model_name != "y"));
    }
}

/// The migration that brings prices of models, and the one that takes them back.
fn model_prices(on: On) -> (&'static str, &'static str) {
    match on {
        On::Sqlite => (
            include_str!("../../../migrations/sqlite/V107__model_prices.sql"),
            include_str!("../../../migrations/down/sqlite/V107__model_prices.sql"),
        ),
        _ => (
            include_str!("../../../migrations/postgres/V107__model_prices.sql"),
            include_str!("../../../migrations/down/postgres/V107__model_prices.sql"),
        ),
    }
}

/// Runs the migration once more, as a repair does, over prices that somebody set.
async fn no_seed_touches_a_price_that_somebody_set(on: On) {
    let test = TestStore::on(on).await;
    let (seed, back) = model_prices(on);
    let mine = [
        price("claude-opus-5-5", "anthropic", "2020-01-01", 1, 1),
        price("gpt-5", "OpenAI", "2025-08-07", 2, 2),
    ];
    test.store.set_prices(&mine, false).await.expect("set");
    test.execute(back).await;
    test.execute(seed).await;
    let prices = test.store.prices().await.expect("prices");
    let of = |model: &str| {
        let rows = prices.iter().filter(|row| row.model_name == model);
        rows.map(|row| {
            (
                row.effective_date.clone(),
                row.input_price_per_1k.as_micros(),
            )
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(of("claude-opus-5-5"), [("2020-01-01".to_owned(), 1)]);
    assert_eq!(of("gpt-5"), [("2025-08-07".to_owned(), 2)]);
    assert_eq!(of("claude-sonnet-5-5").len(), 1);
}

/// Lets the migration bring newer prices of two of the first models, one of which somebody has changed.
async fn the_first_prices_make_way_unless_somebody_changed_them(on: On) {
    let test = TestStore::on(on).await;
    let (seed, back) = model_prices(on);
    let prices = test.store.prices().await.expect("prices");
    assert!(prices.len() > 50, "{}", prices.len());
    assert!(prices.iter().all(|row| row.seeded), "nobody set any");
    let first = || {
        prices
            .iter()
            .filter(|row| *row.effective_date < *"2025-01-01")
    };
    assert_eq!(first().count(), 11);

    let mine = price("gpt-4", "OpenAI", "2023-03-14", 1, 1);
    test.store.set_prices(&[mine], false).await.expect("set");
    test.execute(back).await;
    let newer = seed
        .replace("'gpt-6.1-terra'", "'gpt-4o'")
        .replace("'gpt-6.1-sol'", "'gpt-4'");
    test.execute(&newer).await;
    let prices = test.store.prices().await.expect("prices");
    let of = |model: &str| {
        let rows = prices.iter().filter(|row| row.model_name == model);
        rows.map(|row| (&*row.effective_date, row.seeded))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("gpt-4o"), [("2026-10-26", true), ("2024-08-06", true)]);
    assert_eq!(of("gpt-4"), [("2023-03-14", false)], "theirs");
    let first = prices
        .iter()
        .filter(|row| *row.effective_date < *"2025-01-01");
    assert_eq!(first.count(), 11, "the way back leaves the first ones");
}
