//! Usage by hour and by day, summed up in memory for a batch and added to the store's sums in a few rows.
//!
//! Owns the keys of those sums: what is not known is empty, texts are cut, hours and days are those of UTC. Readers leave
//! the handshake out; here it counts like everything else.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::limits::{Limits, addend};
use crate::model::{Cost, InstanceId, Operation, OperationStatus, Target, Timestamp};
use crate::store::connection::WriteTx;
use crate::store::dialect::{Cell, Kind, ManyRows, clean, cut};
use crate::store::error::StoreError;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Characters of a text in a key.
const LONGEST: usize = 100;

/// Up to so many keys of one session are looked through; beyond, they are looked up.
const FEW: usize = 16;

/// The statement that adds rows to the sums of a table with this key.
macro_rules! adding {
    ($table:literal, $key:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " AS u (",
            $key,
            ", requests, timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, completion_tokens, \
             cost, bytes_in, bytes_out) {rows} ON CONFLICT (",
            $key,
            ") DO UPDATE SET \
             requests = u.requests + excluded.requests, timed_requests = u.timed_requests + excluded.timed_requests, \
             duration_ms_sum = u.duration_ms_sum + excluded.duration_ms_sum, \
             duration_ms_min = CASE WHEN excluded.duration_ms_min < u.duration_ms_min THEN excluded.duration_ms_min \
                ELSE coalesce(u.duration_ms_min, excluded.duration_ms_min) END, \
             duration_ms_max = CASE WHEN excluded.duration_ms_max > u.duration_ms_max THEN excluded.duration_ms_max \
                ELSE coalesce(u.duration_ms_max, excluded.duration_ms_max) END, \
             prompt_tokens = u.prompt_tokens + excluded.prompt_tokens, \
             completion_tokens = u.completion_tokens + excluded.completion_tokens, cost = u.cost + excluded.cost, \
             bytes_in = u.bytes_in + excluded.bytes_in, bytes_out = u.bytes_out + excluded.bytes_out"
        )
    };
}

/// A start, the columns of a key that are texts, and the sums; by hour, the user between.
const fn kinds<const N: usize>(by_user: bool) -> [Kind; N] {
    let mut kinds = [Kind::Count; N];
    kinds[0] = Kind::Instant;
    let mut place = 1;
    if by_user {
        kinds[place] = Kind::Id;
        place += 1;
    }
    let part = place + 5;
    while place < part {
        kinds[place] = Kind::Text;
        place += 1;
    }
    kinds[part] = Kind::Id;
    // Behind the part, the cost is the eighth of the sums.
    kinds[part + 8] = Kind::Money;
    kinds
}

static ADD_HOURLY: ManyRows<18> = ManyRows::new(
    adding!(
        "archon_usage_hourly",
        "hour, user_id, client_type, server, method, tool_name, status, part"
    ),
    kinds(true),
);

static ADD_DAILY: ManyRows<17> = ManyRows::new(
    adding!(
        "archon_usage_daily",
        "day, client_type, server, method, tool_name, status, part"
    ),
    kinds(false),
);

/// Sums over operations.
#[derive(Clone, Copy, Debug)]
struct Sums {
    requests: i64,
    /// How many have a duration.
    timed: i64,
    duration_ms: i64,
    shortest_ms: Option<i64>,
    longest_ms: Option<i64>,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost: i64,
    bytes_in: i64,
    bytes_out: i64,
}

/// What of an operation tells the sums apart that it goes into. The cheap ones to compare come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<'r> {
    hour: i64,
    status: OperationStatus,
    tool: &'r str,
    method: &'r str,
}

impl<'r> Key<'r> {
    fn of(operation: &'r Operation) -> Self {
        Self {
            hour: operation.started_at.as_micros().div_euclid(HOUR),
            status: operation.status,
            tool: match &operation.target {
                Some(Target::Tool(name)) => name,
                _ => "",
            },
            method: &operation.method,
        }
    }
}

/// One session's usage in a batch.
#[derive(Debug, Default)]
pub(super) struct Usage<'r> {
    keys: Vec<(Key<'r>, Sums)>,
    /// Where the last operation went: the next one mostly goes there too.
    last: usize,
    /// Where each key is, once they are many.
    places: HashMap<Key<'r>, usize>,
}

/// Whose usage it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose<'b> {
    pub(super) user_id: Option<Uuid>,
    pub(super) client_type: &'b str,
    pub(super) server: &'b str,
}

impl<'r> Usage<'r> {
    pub(super) fn add(&mut self, operation: &'r Operation, limits: &Limits) {
        let key = Key::of(operation);
        let sums = Sums::of(operation, limits);
        if let Some(place) = self.place(&key) {
            self.last = place;
            self.keys[place].1.add(&sums);
            return;
        }
        self.last = self.keys.len();
        if self.last >= FEW {
            if self.places.is_empty() {
                let known = self.keys.iter().zip(0..);
                self.places = known.map(|((key, _), place)| (*key, place)).collect();
            }
            self.places.insert(key, self.last);
        }
        self.keys.push((key, sums));
    }

    /// Adds what an operation cost that was added without.
    pub(super) fn add_cost(&mut self, operation: &'r Operation, cost: i64) {
        if let Some(place) = self.place(&Key::of(operation)) {
            self.last = place;
            self.keys[place].1.cost += cost;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn place(&self, key: &Key<'r>) -> Option<usize> {
        if self
            .keys
            .get(self.last)
            .is_some_and(|(last, _)| last == key)
        {
            return Some(self.last);
        }
        if self.places.is_empty() {
            return self.keys.iter().position(|(known, _)| known == key);
        }
        self.places.get(key).copied()
    }
}

impl Sums {
    fn of(operation: &Operation, limits: &Limits) -> Self {
        let duration = limits.duration_ms(operation);
        Self {
            requests: 1,
            timed: i64::from(duration.is_some()),
            duration_ms: duration.unwrap_or(0),
            shortest_ms: duration,
            longest_ms: duration,
            prompt_tokens: limits.tokens(operation.prompt_tokens).map_or(0, i64::from),
            completion_tokens: limits
                .tokens(operation.completion_tokens)
                .map_or(0, i64::from),
            cost: limits.cost(operation.estimated_cost).unwrap_or(0),
            bytes_in: addend(operation.bytes_in),
            bytes_out: addend(operation.bytes_out),
        }
    }

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.timed += other.timed;
        self.duration_ms += other.duration_ms;
        // `None` is less than any number: the longest is right as it is, and the shortest is not.
        let both = self.shortest_ms.zip(other.shortest_ms);
        self.shortest_ms = both
            .map(|(one, other)| one.min(other))
            .or(self.shortest_ms)
            .or(other.shortest_ms);
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.cost += other.cost;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }

    fn cells<'c>(&self) -> [Cell<'c>; 10] {
        [
            Cell::Count(Some(self.requests)),
            Cell::Count(Some(self.timed)),
            Cell::Count(Some(self.duration_ms)),
            Cell::Count(self.shortest_ms),
            Cell::Count(self.longest_ms),
            Cell::Count(Some(self.prompt_tokens)),
            Cell::Count(Some(self.completion_tokens)),
            Cell::Money(Cost::from_micros(self.cost)),
            Cell::Count(Some(self.bytes_in)),
            Cell::Count(Some(self.bytes_out)),
        ]
    }
}

/// A key of the hourly sums, as the table has it but for the part; the daily ones lack the user. In the order of the
/// table's own.
type Row = (i64, Uuid, String, String, String, String, &'static str);

/// Adds the usage of a batch to `instance`'s part of the sums.
pub(super) async fn add<'b, 'r: 'b>(
    tx: &mut WriteTx,
    instance: InstanceId,
    usage: impl Iterator<Item = (Whose<'b>, &'b Usage<'r>)>,
) -> Result<(), StoreError> {
    let (hourly, daily) = summed_up(usage);
    let part = Cell::Id(Some(instance.0));
    let instant = |start: i64| Cell::Instant(Some(Timestamp::from_micros(start)));
    let rows = hourly.iter().map(|(row, sums)| {
        let [client_type, server, method, tool, status] = texts(row);
        let user = Cell::Id(Some(row.1));
        let key = [
            instant(row.0),
            user,
            client_type,
            server,
            method,
            tool,
            status,
            part,
        ];
        joined(&key, &sums.cells())
    });
    let added = ADD_HOURLY.execute(tx, &rows.collect::<Vec<_>>()).await;
    added.map_err(StoreError::during("add up usage by hour"))?;
    let rows = daily.iter().map(|(row, sums)| {
        let [client_type, server, method, tool, status] = texts(row);
        let key = [
            instant(row.0),
            client_type,
            server,
            method,
            tool,
            status,
            part,
        ];
        joined(&key, &sums.cells())
    });
    let added = ADD_DAILY.execute(tx, &rows.collect::<Vec<_>>()).await;
    added.map_err(StoreError::during("add up usage by day"))?;
    Ok(())
}

/// By hour, and by day.
fn summed_up<'b, 'r: 'b>(
    usage: impl Iterator<Item = (Whose<'b>, &'b Usage<'r>)>,
) -> (BTreeMap<Row, Sums>, BTreeMap<Row, Sums>) {
    let (mut hourly, mut daily) = (BTreeMap::new(), BTreeMap::new());
    for (whose, usage) in usage {
        let user = whose.user_id.unwrap_or_default();
        for (key, sums) in &usage.keys {
            let hour = key.hour.saturating_mul(HOUR);
            let day = hour.div_euclid(DAY).saturating_mul(DAY);
            let row = |start, user| {
                let [client_type, server, method, tool] =
                    [whose.client_type, whose.server, key.method, key.tool].map(text);
                (
                    start,
                    user,
                    client_type,
                    server,
                    method,
                    tool,
                    key.status.as_str(),
                )
            };
            let tables = [
                (&mut hourly, row(hour, user)),
                (&mut daily, row(day, Uuid::nil())),
            ];
            for (table, row) in tables {
                let entry = table.entry(row).and_modify(|all: &mut Sums| all.add(sums));
                entry.or_insert(*sums);
            }
        }
    }
    (hourly, daily)
}

fn texts<'k>((_, _, client_type, server, method, tool, status): &'k Row) -> [Cell<'k>; 5] {
    [client_type, server, method, tool, *status].map(|text: &'k str| Cell::Text(Some(text)))
}

/// A row: its key, then its sums.
fn joined<'c, const N: usize>(key: &[Cell<'c>], sums: &[Cell<'c>]) -> [Cell<'c>; N] {
    std::array::from_fn(|place| {
        let cell = key.iter().chain(sums).nth(place);
        cell.copied().unwrap_or(Cell::Count(None))
    })
}

/// A text as keys have it. Cut and cleaned before keys are compared: two that become one must be one row.
fn text(text: &str) -> String {
    cut(clean(text), LONGEST).into_owned()
}
