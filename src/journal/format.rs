//! The file format: a header, then frames.
//!
//! Header (40 bytes): `ARCHJRNL`, format version (u32), CRC-32 of the 24 bytes behind it (u32), instance (16 bytes),
//! segment number (u64). Frame: length of the payload (u32), CRC-32 of the payload (u32), payload (one record in
//! postcard's encoding). Integers are little-endian. `docs/JOURNAL.md` tells it at length.

use crate::model::{InstanceId, Record};

use super::JournalError;

/// Version of the format, raised whenever an older program could misread what a newer one writes.
pub const FORMAT_VERSION: u32 = 1;

/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: u64 = 40;
/// Bytes of a frame before its payload.
pub(super) const FRAME_HEADER_BYTES: usize = 8;
/// No record is as long as this; a longer length is damage.
pub(super) const LONGEST_PAYLOAD: usize = 4 << 20;

const MAGIC: &[u8; 8] = b"ARCHJRNL";

/// A place in a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Number of the segment.
    pub segment: u64,
    /// Offset in it, in bytes.
    pub offset: u64,
}

/// The name of segment `number`'s file.
pub(super) fn segment_name(number: u64) -> String {
    format!("{number:016}.journal")
}

/// The number behind a segment's file name.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(".journal")?.parse().ok()
}

/// The header of segment `number` of `instance`.
pub(super) fn header(instance: InstanceId, number: u64) -> Vec<u8> {
    let mut body = Vec::with_capacity(24);
    body.extend_from_slice(instance.0.as_bytes());
    body.extend_from_slice(&number.to_le_bytes());
    let mut header = Vec::with_capacity(40);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    header.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    header.extend_from_slice(&body);
    header
}

/// Checks a header; says what is wrong with it.
pub(super) fn check_header(header: &[u8]) -> Result<(), String> {
    let (Some(magic), Some(version), Some(sum), Some(body)) = (
        header.get(..8),
        header.get(8..12),
        header.get(12..16),
        header.get(16..40),
    ) else {
        return Err("it is shorter than a header".into());
    };
    if magic != MAGIC {
        return Err("it does not begin with ARCHJRNL".into());
    }
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
    };
    if number(version) != FORMAT_VERSION {
        return Err(format!(
            "format version {} (this program knows {FORMAT_VERSION})",
            number(version)
        ));
    }
    if number(sum) != crc32fast::hash(body) {
        return Err("its header is damaged".into());
    }
    Ok(())
}

/// Where postcard puts its bytes. What it has taken stays here when it fails.
struct Sink<'b>(&'b mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Sink<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends the frame of `record` to `buffer`, which is as it was if that fails.
pub(super) fn encode(record: &Record, buffer: &mut Vec<u8>) -> Result<(), JournalError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
    let encoded = postcard::serialize_with_flavor(record, Sink(buffer));
    let payload = &buffer[start + FRAME_HEADER_BYTES..];
    let (length, sum) = (payload.len(), crc32fast::hash(payload));
    let fits = if length > LONGEST_PAYLOAD {
        Err(postcard::Error::SerializeBufferFull)
    } else {
        Ok(())
    };
    if let Err(error) = encoded.and(fits) {
        buffer.truncate(start);
        return Err(error.into());
    }
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// What stands at the beginning of some bytes of a segment.
pub(super) enum Frame {
    /// A whole record, and how many bytes it takes.
    Whole(Box<Record>, usize),
    /// The beginning of a frame; so many bytes in all are needed.
    Partial(usize),
    /// No frame; why.
    Damaged(&'static str),
}

/// Reads the frame at the beginning of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Frame {
    let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Frame::Partial(FRAME_HEADER_BYTES);
    };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let sum = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if length == 0 || length > LONGEST_PAYLOAD {
        return Frame::Damaged("a frame of an impossible length");
    }
    let Some(payload) = rest.get(..length) else {
        return Frame::Partial(FRAME_HEADER_BYTES + length);
    };
    if crc32fast::hash(payload) != sum {
        return Frame::Damaged("a checksum that does not match");
    }
    match postcard::from_bytes(payload) {
        Ok(Record::OperationOfModel(mut operation, model)) => {
            operation.model = Some(model);
            let record = Record::OperationFinished(operation);
            Frame::Whole(Box::new(record), FRAME_HEADER_BYTES + length)
        }
        Ok(record) => Frame::Whole(Box::new(record), FRAME_HEADER_BYTES + length),
        Err(_) => Frame::Damaged("a record that this program does not know"),
    }
}
