//! The one writer of an instance's journal.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::model::{InstanceId, Record};

use super::format::{HEADER_BYTES, Position, encode, header, segment_name};
use super::{JournalError, io_error};

/// Settings of a journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// A segment of this many bytes is followed by another.
    pub segment_bytes: u64,
    /// Bytes that may wait for the store; past them records are refused.
    pub max_backlog_bytes: u64,
    /// Whether an append returns only when the disk itself has it.
    pub fsync: bool,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            max_backlog_bytes: 1 << 30,
            fsync: false,
        }
    }
}

#[derive(Debug)]
struct Writer {
    file: Arc<File>,
    at: Position,
}

/// This instance's journal. Appends from any thread.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    instance: InstanceId,
    options: JournalOptions,
    writer: Mutex<Writer>,
    /// Bytes of frames written so far, in all segments.
    written: AtomicU64,
    /// Of those, how many the store has taken.
    shipped: AtomicU64,
    /// Behind the last record that the disk itself has, where that is asked for.
    synced: Mutex<Position>,
    /// Set by the first append after the shipper has looked.
    fresh: AtomicBool,
    /// Set where records were refused because the backlog is at its bound, until the store takes some.
    full: AtomicBool,
    wake: Notify,
    /// Held for as long as this instance lives; the operating system lets go of it when the process ends.
    _lock: File,
}

thread_local! {
    /// Kept between appends, so that one append allocates nothing.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Journal {
    /// Starts the journal of `instance` in a directory of its own below `root`.
    ///
    /// # Errors
    /// When the directory or its files cannot be made.
    pub fn create(
        root: &Path,
        instance: InstanceId,
        options: JournalOptions,
    ) -> Result<Self, JournalError> {
        let dir = root.join(instance.to_string());
        // Made under another name and renamed once it is locked: nobody can find it unlocked and take it for dead.
        let unborn = root.join(format!("{instance}.new"));
        fs::create_dir_all(&unborn).map_err(io_error("making the directory", &unborn))?;
        let lock_path = unborn.join(super::claim::LOCK_FILE);
        let lock = File::create(&lock_path).map_err(io_error("making", &lock_path))?;
        lock.try_lock()
            .map_err(|error| io_error("locking", &lock_path)(error.into()))?;
        fs::rename(&unborn, &dir).map_err(io_error("naming", &dir))?;
        let writer = Writer {
            file: Arc::new(new_segment(&dir, instance, 1)?),
            at: Position {
                segment: 1,
                offset: HEADER_BYTES,
            },
        };
        Ok(Self {
            dir,
            instance,
            options,
            writer: Mutex::new(writer),
            written: AtomicU64::new(0),
            shipped: AtomicU64::new(0),
            synced: Mutex::new(Position::default()),
            fresh: AtomicBool::new(false),
            full: AtomicBool::new(false),
            wake: Notify::new(),
            _lock: lock,
        })
    }

    /// The instance that this journal belongs to.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Where its segments are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes `records` one behind the other. When it returns, the operating system has them.
    ///
    /// # Errors
    /// When the backlog is at its bound or the file system refuses. Then none of `records` is in the journal, and
    /// what was there before still is.
    pub fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut buffer = BUFFER.take();
        buffer.clear();
        let encoded = records
            .iter()
            .try_for_each(|record| encode(record, &mut buffer));
        let done = encoded.and_then(|()| self.append_frames(&buffer));
        BUFFER.set(buffer);
        done
    }

    /// Writes whole frames.
    pub(super) fn append_frames(&self, frames: &[u8]) -> Result<(), JournalError> {
        let length = frames.len() as u64;
        let backlog = self.backlog_bytes();
        if backlog + length > self.options.max_backlog_bytes {
            self.full.store(true, Ordering::Relaxed);
            return Err(JournalError::Full {
                bytes: backlog,
                bound: self.options.max_backlog_bytes,
            });
        }
        let behind = {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.at.offset >= self.options.segment_bytes {
                let next = writer.at.segment + 1;
                let file = new_segment(&self.dir, self.instance, next)?;
                if self.options.fsync {
                    // Whoever waits for records in the old one looks at the new one only.
                    told(writer.file.sync_data());
                    told(File::open(&self.dir).and_then(|dir| dir.sync_all()));
                }
                writer.file = Arc::new(file);
                writer.at = Position {
                    segment: next,
                    offset: HEADER_BYTES,
                };
            }
            if let Err(error) = writer.file.write_all_at(frames, writer.at.offset) {
                // Half a frame would hide everything behind it. If it cannot be cut off, the next append overwrites
                // it all the same, since it starts at the same offset.
                let _ = writer.file.set_len(writer.at.offset);
                return Err(io_error(
                    "appending to",
                    &self.dir.join(segment_name(writer.at.segment)),
                )(error));
            }
            writer.at.offset += length;
            (writer.at, Arc::clone(&writer.file))
        };
        if self.options.fsync {
            self.sync(behind);
        }
        self.written.fetch_add(length, Ordering::Relaxed);
        if !self.fresh.swap(true, Ordering::AcqRel) {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Returns when the disk has what stands before the given position. Threads that come meanwhile wait for one another: one of
    /// them syncs for all.
    fn sync(&self, (at, mut file): (Position, Arc<File>)) {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= at {
            return;
        }
        let newest = {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            file.clone_from(&writer.file);
            writer.at
        };
        told(file.sync_data());
        *synced = newest;
    }

    /// Waits until something has been appended since the last call of [`Journal::position`].
    pub async fn appended(&self) {
        while !self.fresh.load(Ordering::Acquire) {
            self.wake.notified().await;
        }
    }

    /// Behind the last record written.
    #[must_use]
    pub fn position(&self) -> Position {
        self.fresh.store(false, Ordering::Release);
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .at
    }

    /// Bytes of records written so far, and of those that the store has taken.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let shipped = self.shipped.load(Ordering::Acquire);
        (self.written.load(Ordering::Acquire), shipped)
    }

    /// Bytes that wait for the store.
    #[must_use]
    pub fn backlog_bytes(&self) -> u64 {
        self.written
            .load(Ordering::Relaxed)
            .saturating_sub(self.shipped.load(Ordering::Relaxed))
    }

    /// Whether the last records were refused because the backlog is at its bound, and the store has taken nothing since.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// The store has taken `bytes` more, up to `position`: segments before it are removed.
    ///
    /// # Errors
    /// When a segment cannot be removed.
    pub fn shipped(&self, position: Position, bytes: u64) -> Result<(), JournalError> {
        self.shipped.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 {
            self.full.store(false, Ordering::Relaxed);
        }
        for (number, path) in super::segments(&self.dir)? {
            if number < position.segment {
                fs::remove_file(&path).map_err(io_error("removing", &path))?;
            }
        }
        Ok(())
    }

    /// Ends the journal of an instance whose records are all in the store: its directory is removed.
    ///
    /// # Errors
    /// When the directory cannot be removed.
    pub fn remove(&self) -> Result<(), JournalError> {
        fs::remove_dir_all(&self.dir).map_err(io_error("removing", &self.dir))
    }
}

/// A disk that does not sync has the record all the same, as far as anybody can tell: it is shipped, and not lost.
fn told(synced: std::io::Result<()>) {
    if let Err(error) = synced {
        tracing::error!(%error, "the disk did not sync; a loss of power may lose records");
    }
}

fn new_segment(dir: &Path, instance: InstanceId, number: u64) -> Result<File, JournalError> {
    let path = dir.join(segment_name(number));
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(io_error("making", &path))?;
    file.write_all_at(&header(instance, number), 0)
        .map_err(io_error("writing the header of", &path))?;
    Ok(file)
}
