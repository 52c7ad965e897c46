//! The store: connection, migrations, every SQL statement.
//!
//! Owns the database. It is written by folding the tracker's records into it ([`Store::fold`]) and by settling what a dead
//! instance left behind; everything else reads. Imports `model` only, and interprets nothing: what a question means is
//! decided in `reports`, what ends a session in `tracking`. What differs between databases stands in `dialect`.

mod api_tokens;
mod codec;
mod connection;
mod dialect;
mod error;
mod events;
mod fold;
mod instances;
mod live;
mod location;
mod migrations;
mod numeric;
mod positions;
mod postgres;
mod prices;
mod queries;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trouble;

pub use api_tokens::ApiTokenRow;
pub use connection::Store;
pub use error::{ConnectProblem, DriverError, StoreError, Trouble};
pub use events::EventPlace;
pub(crate) use events::{EventSessionRow, EventsKept, Happened, LoggedEvents};
pub use fold::{Folded, JournalPosition};
pub use instances::{Heartbeat, InstanceRow, Standing};
pub use live::{StoredEnd, StoredSession};
pub use location::{Location, LocationError, Server};
pub use migrations::{
    Action, AppliedMigration, DownOptions, DownPlan, DumpedObject, Event, Failure, Finding, Holder,
    Leftover, MigrationError, MigrationReport, MigrationStanding, MigrationState, MigrationStatus,
    Migrator, ObjectKind, ObjectName, PlannedMigration, PlannedPart, Presence, Problem, Progress,
    RepairedMigration, Silent, Task, Undone, UpOptions,
};
pub use prices::{NewPrice, PriceChange};
pub(crate) use queries::{UNITS, whole_units};
pub use rows::{
    ClientSums, ConnectedSums, DurationCount, HourSums, OpenAges, OperationFilter,
    OperationOfClient, OperationRow, Page, PriceRow, ReasonSums, SessionFilter, SessionRow,
    SessionWithSums, StatusCount, Stretch, TextCount, ToolSums, ToolTimes, UnitSums, UserStats,
};
