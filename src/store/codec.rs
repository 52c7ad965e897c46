//! How the model's newtypes stand in a database column.
//!
//! Owns the representation and nothing else: instants are microseconds, ids 16-byte blobs, money millionths of a dollar,
//! closed sets of words are text. PostgreSQL's side (timestamptz, uuid) will stand beside SQLite's here.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Type};
use uuid::Uuid;

use crate::model::{
    Cost, Derivation, Era, InstanceId, RequestId, SessionId, SessionStatus, Timestamp,
};

/// Lets a newtype pass as the type it wraps, in both directions.
macro_rules! sqlite_as {
    ($type:ty, $inner:ty, $to:expr, $from:expr) => {
        impl Type<Sqlite> for $type {
            fn type_info() -> SqliteTypeInfo {
                <$inner as Type<Sqlite>>::type_info()
            }

            fn compatible(ty: &SqliteTypeInfo) -> bool {
                <$inner as Type<Sqlite>>::compatible(ty)
            }
        }

        impl Encode<'_, Sqlite> for $type {
            fn encode_by_ref(
                &self,
                buf: &mut SqliteArgumentsBuffer,
            ) -> Result<IsNull, BoxDynError> {
                let inner: $inner = ($to)(self);
                <$inner as Encode<'_, Sqlite>>::encode(inner, buf)
            }
        }

        impl Decode<'_, Sqlite> for $type {
            fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
                let inner = <$inner as Decode<'_, Sqlite>>::decode(value)?;
                ($from)(inner)
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
sqlite_as!(SessionId, Uuid, |id: &SessionId| id.0, |v| Ok(SessionId(v)));
sqlite_as!(RequestId, Uuid, |id: &RequestId| id.0, |v| Ok(RequestId(v)));
sqlite_as!(InstanceId, Uuid, |id: &InstanceId| id.0, |v| Ok(
    InstanceId(v)
));

/// Lets a closed set of words pass as text; a word that is none of them is an error of the row, not a default.
macro_rules! sqlite_word {
    ($type:ty) => {
        sqlite_as!(
            $type,
            String,
            |word: &$type| word.as_str().to_owned(),
            |text: String| text.parse().map_err(|e: String| e.into())
        );
    };
}

sqlite_word!(SessionStatus);
sqlite_word!(Era);
sqlite_word!(Derivation);
