//! How single values lie in columns, the same for every table and for rows of queries and of COPY.
//!
//! Text goes back into domain values by their stored form (serde), as in events: what a table holds
//! came out of the log and is not judged again by rules that may have become stricter since.

use std::error::Error;

use bytes::BytesMut;
use domain::{CredentialRecord, DigestAlgorithm, Kid, PepperId, Sealed, SecretDigest};
use jiff::Timestamp;
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use serde::de::IntoDeserializer;
use serde::de::value::{Error as Refusal, StrDeserializer};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use uuid::Uuid;

use crate::error::ReadError;

type Fault = Box<dyn Error + Sync + Send>;

/// A row, however it came.
pub(crate) trait Fields {
    fn field<'a, T: FromSql<'a>>(&'a self, place: usize) -> Result<T, tokio_postgres::Error>;
}

impl Fields for Row {
    fn field<'a, T: FromSql<'a>>(&'a self, place: usize) -> Result<T, tokio_postgres::Error> {
        self.try_get(place)
    }
}

impl Fields for BinaryCopyOutRow {
    fn field<'a, T: FromSql<'a>>(&'a self, place: usize) -> Result<T, tokio_postgres::Error> {
        self.try_get(place)
    }
}

/// Takes a row's columns one by one, from left to right.
pub(crate) struct Columns<'a, R> {
    table: &'static str,
    row: &'a R,
    place: usize,
}

impl<'a, R: Fields> Columns<'a, R> {
    pub(crate) const fn new(table: &'static str, row: &'a R) -> Self {
        Self { table, row, place: 0 }
    }

    /// The next column.
    pub(crate) fn take<T: FromSql<'a>>(&mut self) -> Result<T, ReadError> {
        let value = self.row.field(self.place).map_err(|cause| self.corrupt(cause));
        self.place += 1;
        value
    }

    /// Passes over the columns before `place` and goes on in `table`'s.
    pub(crate) const fn go_on(&mut self, table: &'static str, place: usize) {
        self.table = table;
        self.place = place;
    }

    /// The next column, a number that is never negative.
    pub(crate) fn count(&mut self) -> Result<u64, ReadError> {
        let value: i64 = self.take()?;
        u64::try_from(value).map_err(|cause| self.corrupt(cause))
    }

    /// The next column, a moment.
    pub(crate) fn moment(&mut self) -> Result<Timestamp, ReadError> {
        self.take().map(|Moment(at)| at)
    }

    /// The next column, a moment or NULL.
    pub(crate) fn moment_or_null(&mut self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.take::<Option<Moment>>()?.map(|Moment(at)| at))
    }

    /// The next column, text that is the stored form of `T`.
    pub(crate) fn stored<T: Deserialize<'a>>(&mut self) -> Result<T, ReadError> {
        let text: &str = self.take()?;
        stored(text).map_err(|cause| self.corrupt(cause))
    }

    /// The next columns: kid, pepper, algorithm, digest.
    pub(crate) fn credential(&mut self) -> Result<CredentialRecord, ReadError> {
        let (kid, pepper) = (self.take()?, self.take()?);
        let (algorithm, digest) = (self.take()?, self.take()?);
        credential(kid, pepper, algorithm, digest).map_err(|cause| self.corrupt(cause))
    }

    pub(crate) fn credential_or_null(&mut self) -> Result<Option<CredentialRecord>, ReadError> {
        let (kid, pepper): (Option<_>, Option<_>) = (self.take()?, self.take()?);
        let (algorithm, digest): (Option<_>, Option<_>) = (self.take()?, self.take()?);
        let (Some(kid), Some(pepper), Some(algorithm), Some(digest)) =
            (kid, pepper, algorithm, digest)
        else {
            return Ok(None);
        };
        credential(kid, pepper, algorithm, digest).map(Some).map_err(|cause| self.corrupt(cause))
    }

    /// The error that says that this row can't be read.
    pub(crate) fn corrupt(&self, cause: impl Into<Fault>) -> ReadError {
        ReadError::corrupt(self.table, cause)
    }
}

/// The value whose stored form is `text`.
pub(crate) fn stored<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refusal> {
    let text: StrDeserializer<'a, Refusal> = text.into_deserializer();
    T::deserialize(text)
}

/// The stored form of a value that is a word; the opposite of [`stored`].
pub(crate) fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

pub(crate) fn credential(
    kid: &[u8],
    pepper: i32,
    algorithm: &str,
    digest: &[u8],
) -> Result<CredentialRecord, Fault> {
    Ok(CredentialRecord {
        kid: Kid::from_entropy(kid.try_into()?),
        pepper: PepperId(pepper.try_into()?),
        algorithm: stored(algorithm)?,
        digest: SecretDigest(digest.try_into()?),
    })
}

/// The stored spelling.
pub(crate) const fn algorithm(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::HmacSha256 => "hmac-sha256",
        DigestAlgorithm::ImportedSha256 => "imported-sha256",
    }
}

const DEK_LENGTH: usize = 16;

/// Sealed bytes in one column: version, data key, then nonce, ciphertext and tag.
pub(crate) fn pack(sealed: &Sealed) -> Vec<u8> {
    let mut packed = Vec::with_capacity(1 + DEK_LENGTH + sealed.bytes.len());
    packed.push(sealed.version);
    packed.extend_from_slice(sealed.dek.as_bytes());
    packed.extend_from_slice(&sealed.bytes);
    packed
}

/// The opposite of [`pack`].
pub(crate) fn unpack(packed: &[u8]) -> Result<Sealed, Fault> {
    let (&version, rest) = packed.split_first().ok_or("nothing is sealed")?;
    let (dek, bytes) =
        rest.split_first_chunk::<DEK_LENGTH>().ok_or("the data key of sealed bytes is cut")?;
    Ok(Sealed { dek: Uuid::from_bytes(*dek), version, bytes: bytes.to_vec() })
}

/// A position or revision as Postgres knows it.
pub(crate) fn bigint(number: u64) -> i64 {
    // Both count events one by one: 2^63 of them can't be.
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A generation as Postgres knows it.
pub(crate) fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The JSON text of a value of the domain.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("domain values have string keys and no failing serializer")
}

/// A list whose items have no comma by their grammar, for `string_to_array(.., ',')`: `unnest`
/// would flatten an array of arrays.
pub(crate) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(",")
}

/// A `timestamptz`, to the microsecond: one addition. The driver's own conversion goes by way of
/// calendar spans, and rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// 2000-01-01 in microseconds of the Unix epoch, where Postgres begins to count.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let since = i64::from_be_bytes(raw.try_into()?);
        let micros = since.checked_add(POSTGRES_EPOCH).ok_or("a moment without end")?;
        Ok(Self(Timestamp::from_microsecond(micros)?))
    }

    accepts!(TIMESTAMPTZ);
}

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        let since = self.0.as_microsecond() - POSTGRES_EPOCH;
        out.extend_from_slice(&since.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

/// JSON text as it lies in a `json` or `jsonb` column, not yet read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonText<'a>(pub(crate) &'a [u8]);

impl<'a> FromSql<'a> for JsonText<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        if *ty == Type::JSON {
            return Ok(Self(raw));
        }
        match raw.split_first() {
            Some((1, text)) => Ok(Self(text)),
            Some(_) | None => Err("an unknown version of jsonb".into()),
        }
    }

    accepts!(JSON, JSONB);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_survive_their_column_and_cut_ones_are_refused() {
        let sealed = Sealed { dek: Uuid::from_u128(7), version: 3, bytes: vec![1, 2, 3] };
        let packed = pack(&sealed);
        assert_eq!(unpack(&packed).unwrap(), sealed);
        assert!(unpack(&[]).is_err());
        assert!(unpack(&packed[..DEK_LENGTH]).is_err());
    }

    #[test]
    fn the_algorithm_is_spelt_as_in_events() {
        for known in [DigestAlgorithm::HmacSha256, DigestAlgorithm::ImportedSha256] {
            assert_eq!(algorithm(known), word(&known));
        }
    }

    #[test]
    fn a_moment_survives_its_column_to_the_microsecond() {
        for text in ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "9999-12-30T22:00:00Z"]
        {
            let at: Timestamp = text.parse().unwrap();
            let mut out = BytesMut::new();
            Moment(at).to_sql(&Type::TIMESTAMPTZ, &mut out).unwrap();
            let back = Moment::from_sql(&Type::TIMESTAMPTZ, &out).unwrap();
            assert_eq!(back.0, at);
        }
    }

    #[test]
    fn a_moment_that_is_no_time_is_refused() {
        let endless = i64::MAX.to_be_bytes();
        assert!(Moment::from_sql(&Type::TIMESTAMPTZ, &endless).is_err());
    }
}
