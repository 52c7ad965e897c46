//! What runs behind whoever tracks in this process: the store it is carried to, the thread that carries, and the look at
//! sessions that nothing is heard of.
//!
//! The daemon and a server that tracks itself do these alike. Decides nothing about sessions.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{Location, Store, StoreError};
use crate::tracking::{Shipper, Tracker};

use super::instances::Membership;

/// Makes the data directory, readable by its owner only, and checks that files can be made in it. The error says what could
/// not be done to it: `made`, `written`.
pub(crate) fn make_data_dir(dir: &Path) -> Result<(), (&'static str, io::Error)> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| ("made", error))?;
    let probe = dir.join(format!(".writable-{}", std::process::id()));
    fs::write(&probe, b"")
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| ("written", error))
}

/// Opens the database at `location`, brings the embedded one up to date, and makes sure that any other one is; `migrate`
/// brings that up to date as well.
pub(crate) async fn open_store(location: &Location, migrate: bool) -> Result<Store, StoreError> {
    let store = Store::open(location).await?;
    // While the schema is looked at.
    let warmed = store.clone();
    tokio::spawn(async move { warmed.warm_up().await });
    if store.is_embedded() || migrate {
        for migration in &store.migrate_up().await?.applied {
            tracing::info!("migration {} applied", migration.name);
        }
    } else {
        // Others use it as well: when it changes is for people to say.
        store.check_schema().await?;
    }
    Ok(store)
}

/// How often sessions are looked at where `shortest` is the shortest of the times by which they are judged.
pub(crate) fn sweep_every(shortest: Duration) -> Duration {
    (shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(1))
}

/// Carries the journal into the store, on a thread of its own; whether everything got there.
pub(crate) fn ship(
    shipper: Shipper,
    stop: CancellationToken,
) -> io::Result<std::thread::JoinHandle<bool>> {
    let thread = std::thread::Builder::new().name("shipper".to_owned());
    thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(shipper.run(stop)),
            Err(error) => {
                tracing::error!(%error, "the shipper cannot run; records wait in the journal");
                false
            }
        }
    })
}

/// Looks at every session again and again, and asks the store where others share it. Ends never.
pub(crate) async fn sweep(tracker: Arc<Tracker>, membership: Membership, shortest: Duration) {
    let mut asking = tokio::spawn(async {});
    let mut ticks = tokio::time::interval(sweep_every(shortest));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        tracker.sweep();
        // A store that does not answer must not hold up the rest.
        if asking.is_finished() {
            let membership = membership.clone();
            asking = tokio::spawn(async move { membership.confirm().await });
        }
    }
}
