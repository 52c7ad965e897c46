//! What takes the store to be seen: its schema, its instances, and what of the journals it has not taken.

use std::collections::HashMap;
use std::path::Path;

use super::{Check, counted, size};
use crate::cli::error::chain;
use crate::config::{DatabaseUrl, Settings};
use crate::journal::{Inspection, Position, inspect, journals};
use crate::model::{Clock, InstanceId, SystemClock};
use crate::store::{InstanceRow, Location, Store, StoreError};
use crate::tracking::journal_root;

/// Everything that is said with the store, or without it, where it does not answer.
pub(super) async fn checks(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    let Ok(data_dir) = settings.data_dir() else {
        return checks;
    };
    let opened = open(settings, &data_dir).await;
    let store = match opened {
        Ok(store) => schema(store, &mut checks).await,
        Err(StoreError::NoDatabase { path }) => {
            checks.push(
                Check::warning("store", path.display().to_string(), "there is none yet")
                    .hint("`archonctl serve` or `archonctl migrate up` makes it"),
            );
            None
        }
        Err(error) => {
            let location = settings.database().ok().and_then(|database| database.url);
            let subject = location.map_or_else(|| "embedded".to_owned(), |url| format!("{url:?}"));
            checks.push(Check::failed("store", subject, chain(&error)).hint(
                "records wait in the journal of each daemon until it answers; `archonctl migrate status` tells more",
            ));
            None
        }
    };
    let mut found = Vec::new();
    match journals(&journal_root(&data_dir)) {
        Ok(all) => {
            for (instance, dir) in all {
                let known = match &store {
                    Some(store) => store.journal_position(instance).await.ok().flatten(),
                    None => None,
                };
                let from = known.map_or_else(Position::default, |known| Position {
                    segment: known.segment,
                    offset: known.offset,
                });
                found.push(inspect(instance, &dir, from));
            }
        }
        Err(error) => checks.push(Check::failed("journal", "all", error.to_string())),
    }
    checks.extend(found.iter().map(|journal| told(journal, store.is_some())));
    if let Some(store) = store {
        prices(&store, &mut checks).await;
        if let Err(error) = instances(&store, &found, &mut checks).await {
            checks.push(Check::failed("instance", "all", chain(&error)));
        }
        store.close().await;
    }
    checks
}

async fn open(settings: &Settings, data_dir: &Path) -> Result<Store, StoreError> {
    let database = settings.database().unwrap_or_default();
    let url = database.url.as_ref().map(DatabaseUrl::expose);
    let location = Location::new(data_dir, url, database.schema.as_deref())?;
    let models = settings.cost().unwrap_or_default().models;
    Ok(Store::open_existing(&location).await?.with_models(models))
}

/// Models that costs are to be estimated for, and that have no price.
async fn prices(store: &Store, checks: &mut Vec<Check>) {
    match store.models_without_price(SystemClock.now()).await {
        Ok(models) => checks.extend(models.into_iter().map(|model| {
            Check::warning("prices", model, "calls with this model get no cost: it has no price")
                .hint("`archonctl pricing list` shows the models that have one, `archonctl pricing set` adds one; PROVIDER/MODEL says whose is meant")
        })),
        Err(error) => checks.push(Check::failed("prices", "all", chain(&error))),
    }
}

/// The store, if its schema is right.
async fn schema(store: Store, checks: &mut Vec<Check>) -> Option<Store> {
    let location = store.location().to_owned();
    if let Err(error) = store.check_schema().await {
        let hint = if store.is_embedded() {
            "`archonctl serve` brings it up to date; `archonctl migrate status` tells more"
        } else {
            "`archonctl migrate status` tells more, `archonctl migrate up` applies what is pending"
        };
        checks.push(Check::failed("store", location, chain(&error)).hint(hint));
        store.close().await;
        return None;
    }
    let check = match store.clock().await {
        Ok(clock) => {
            let here = SystemClock.now();
            let skew = here.since(clock).max(clock.since(here));
            let check = if skew.as_secs() >= 5 && !store.is_embedded() {
                let seconds = skew.as_secs();
                Check::warning(
                    "store",
                    location,
                    format!("it answers, and its clock is {seconds} s away from the one here"),
                )
                .hint("let both machines keep time (NTP): timeouts are judged by what both wrote")
            } else {
                Check::ok("store", location, "it answers, and its schema is right")
            };
            check.figure(
                "clock_skew_ms",
                u64::try_from(skew.as_millis()).unwrap_or(u64::MAX),
            )
        }
        Err(error) => Check::failed("store", location, chain(&error)),
    };
    checks.push(check);
    Some(store)
}

/// One journal.
fn told(journal: &Inspection, with_store: bool) -> Check {
    let subject = journal.instance.to_string();
    let whose = if journal.alive {
        "of an instance that runs"
    } else {
        "of an instance that is gone"
    };
    let waiting = format!(
        "{}, {} wait for the store ({})",
        counted(journal.segments, "segment"),
        counted(journal.records, "record"),
        size(journal.record_bytes),
    );
    let check = if let Some(error) = &journal.unreadable {
        Check::failed("journal", subject, format!("{whose}: {error}"))
            .hint("an archonctl of the version that wrote it can read it")
    } else if let Some(damage) = journal.damage.first() {
        let bytes: u64 = journal.damage.iter().map(|damage| damage.bytes).sum();
        let detail = format!(
            "{whose}: {waiting}; {} cannot be read, from {} of {} on: {}",
            counted(bytes, "byte"),
            damage.offset,
            damage.path.display(),
            damage.why,
        );
        Check::warning("journal", subject, detail)
            .hint("what stands before it counts; the next query or start takes it and leaves the rest out")
    } else if !journal.alive && (journal.records > 0 || with_store) {
        Check::warning("journal", subject, format!("{whose}: {waiting}")).hint(
            "the next query or start takes it into the store, such as `archonctl sessions list`",
        )
    } else {
        Check::ok("journal", subject, format!("{whose}: {waiting}"))
    };
    check
        .figure("alive", journal.alive)
        .figure("segments", journal.segments)
        .figure("bytes", journal.bytes)
        .figure("backlog_records", journal.records)
        .figure("backlog_bytes", journal.record_bytes)
        .figure("damaged", journal.damage.len())
}

/// The instances, and sessions whose instance is gone.
async fn instances(
    store: &Store,
    journals: &[Inspection],
    checks: &mut Vec<Check>,
) -> Result<(), StoreError> {
    let (clock, rows) = store.instances().await?;
    let here: HashMap<InstanceId, bool> = journals
        .iter()
        .map(|journal| (journal.instance, journal.alive))
        .collect();
    // Of an instance of this data directory the lock tells more than its last word does; a file has no other.
    let is_alive = |row: &InstanceRow| match here.get(&row.instance_id) {
        Some(alive) => *alive,
        None => !store.is_embedded() && row.expires_at > clock,
    };
    for row in &rows {
        let subject = format!("{} {}", row.kind, row.instance_id);
        let place = format!(
            "process {} on {}, version {}",
            row.pid, row.host, row.version
        );
        let ago = clock.since(row.heartbeat_at).as_secs();
        let owns = counted(row.open_sessions, "open session");
        let check = if !is_alive(row) {
            let detail = format!("{place}: gone, last heard of {ago} s ago, owns {owns}");
            Check::warning("instance", subject, detail)
                .hint("a running daemon goes on with them; so does the next query or start")
        } else if row.records_dropped > 0 {
            let dropped = counted(row.records_dropped, "record");
            Check::failed(
                "instance",
                subject,
                format!("{place}: it has lost {dropped}"),
            )
            .hint("make room in its data directory, or raise journal_bound")
        } else {
            let backlog = size(u64::try_from(row.backlog_bytes).unwrap_or(0));
            let detail = format!(
                "{place}: alive, heard of {ago} s ago, owns {owns}, {backlog} wait in its journal"
            );
            Check::ok("instance", subject, detail)
        };
        checks.push(
            check
                .figure("alive", is_alive(row))
                .figure("heartbeat_at", row.heartbeat_at.to_string())
                .figure("open_sessions", row.open_sessions)
                .figure("backlog_bytes", row.backlog_bytes)
                .figure("records_dropped", row.records_dropped),
        );
    }
    let owners = store.instances_with_live_sessions().await?;
    let left = owners.iter().filter(|owner| {
        let row = rows.iter().find(|row| row.instance_id == **owner);
        match (row, here.get(owner)) {
            (_, Some(alive)) => !alive,
            (Some(row), None) => !is_alive(row),
            (None, None) => true,
        }
    });
    let left = left.count();
    checks.push(if left == 0 {
        Check::ok("sessions", "open", "every one has an instance that runs")
    } else {
        let gone = match left {
            1 => "an instance that is gone".to_owned(),
            _ => format!("{left} instances that are gone"),
        };
        let detail = format!("some belong to {gone}");
        Check::warning("sessions", "open", detail)
            .hint("a running daemon goes on with them; so does the next query or start")
    });
    Ok(())
}
