//! How the model's newtypes stand in a database column.
//!
//! Owns the representation and nothing else. SQLite: instants are microseconds, ids 16-byte blobs, money millionths of a
//! dollar. PostgreSQL: `timestamptz`, `uuid` and `numeric`. Closed sets of words are text in both.

use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
};
use sqlx::sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Type};
use uuid::Uuid;

use super::numeric;
use crate::model::{
    Cost, Derivation, Era, InstanceId, RequestId, SessionId, SessionStatus, Timestamp,
};

/// Lets a newtype pass as the type it wraps, in both directions.
macro_rules! passes_as {
    (in $database:ty, $type_info:ty, $buffer:ty, $value:ty: $type:ty, $inner:ty, $to:expr, $from:expr) => {
        impl Type<$database> for $type {
            fn type_info() -> $type_info {
                <$inner as Type<$database>>::type_info()
            }

            fn compatible(ty: &$type_info) -> bool {
                <$inner as Type<$database>>::compatible(ty)
            }
        }

        impl Encode<'_, $database> for $type {
            fn encode_by_ref(&self, buf: &mut $buffer) -> Result<IsNull, BoxDynError> {
                let inner: $inner = ($to)(self);
                <$inner as Encode<'_, $database>>::encode(inner, buf)
            }
        }

        impl Decode<'_, $database> for $type {
            fn decode(value: $value) -> Result<Self, BoxDynError> {
                let inner = <$inner as Decode<'_, $database>>::decode(value)?;
                ($from)(inner)
            }
        }
    };
}

macro_rules! sqlite_as {
    ($($rest:tt)*) => {
        passes_as!(in Sqlite, SqliteTypeInfo, SqliteArgumentsBuffer, SqliteValueRef<'_>: $($rest)*);
    };
}

macro_rules! both_as {
    ($type:ty, $inner:ty, $to:expr, $from:expr) => {
        sqlite_as!($type, $inner, $to, $from);
        passes_as!(in Postgres, PgTypeInfo, PgArgumentBuffer, PgValueRef<'_>: $type, $inner, $to, $from);

        impl PgHasArrayType for $type {
            fn array_type_info() -> PgTypeInfo {
                <$inner as PgHasArrayType>::array_type_info()
            }

            fn array_compatible(ty: &PgTypeInfo) -> bool {
                <$inner as PgHasArrayType>::array_compatible(ty)
            }
        }
    };
}

sqlite_as!(Timestamp, i64, |t: &Timestamp| t.as_micros(), |v| Ok(
    Timestamp::from_micros(v)
));
sqlite_as!(Cost, i64, |c: &Cost| c.as_micros(), |v| Ok(
    Cost::from_micros(v)
));
both_as!(SessionId, Uuid, |id: &SessionId| id.0, |v| Ok(SessionId(v)));
both_as!(RequestId, Uuid, |id: &RequestId| id.0, |v| Ok(RequestId(v)));
both_as!(InstanceId, Uuid, |id: &InstanceId| id.0, |v| Ok(
    InstanceId(v)
));

/// Lets a closed set of words pass as text; a word that is none of them is an error of the row, not a default.
macro_rules! word {
    ($type:ty) => {
        both_as!(
            $type,
            String,
            |word: &$type| word.as_str().to_owned(),
            |text: String| text.parse().map_err(|e: String| e.into())
        );
    };
}

word!(SessionStatus);
word!(Era);
word!(Derivation);

/// 2000-01-01, where PostgreSQL counts from, in microseconds since the Unix epoch.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// The instants of a `timestamptz` in PostgreSQL's own count: 4714-11-24 BC up to 294277-01-01 (`datatype/timestamp.h`).
const EARLIEST: i64 = -211_813_488_000_000_000;
const LATEST: i64 = 9_223_371_331_200_000_000 - 1;

/// An instant in PostgreSQL's own count; one that it cannot hold becomes the nearest one that it can.
pub(super) fn postgres_count(at: Timestamp) -> i64 {
    let count = at.as_micros().saturating_sub(POSTGRES_EPOCH);
    count.clamp(EARLIEST, LATEST)
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        <DateTime<Utc> as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Timestamp {
    /// An instant that PostgreSQL cannot hold becomes the nearest one that it can.
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(postgres_count(*self), buf)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    /// `infinity` and `-infinity`, which other writers' rows hold, are the ends of what we can hold.
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let count = <i64 as Decode<Postgres>>::decode(value)?;
                Ok(Self::from_micros(match count {
                    i64::MIN | i64::MAX => count,
                    count => count.saturating_add(POSTGRES_EPOCH),
                }))
            }
            PgValueFormat::Text => Ok(<DateTime<Utc> as Decode<Postgres>>::decode(value)?.into()),
        }
    }
}

impl Type<Postgres> for Cost {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("numeric")
    }
}

impl PgHasArrayType for Cost {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("numeric")
    }
}

impl Encode<'_, Postgres> for Cost {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.extend_from_slice(&numeric::from_micros(self.as_micros()));
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Cost {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Err("money is read in binary form".into());
        }
        Ok(Self::from_micros(numeric::to_micros(value.as_bytes()?)?))
    }
}
