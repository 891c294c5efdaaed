//! The heartbeat of a verifier: a committed write, five times a second.
//!
//! A write, because an isolated old primary still answers reads. What a heartbeat is worth (the
//! lease, and when it runs out) is deliberately not decided here; but a row says how long a lease its
//! verifier takes, and whether it may hold one, so that a write can wait for all who do.

use std::time::Duration;

use jiff::Timestamp;
use postgres_types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::chain::ChainMac;
use crate::database::{Connection, Database};
use crate::error::LogError;
use crate::event::Position;
use crate::row::{self, Head};

const BEAT: &str = "WITH beat AS ( \
     INSERT INTO log.verifiers AS mine \
     (verifier_id, applied_position, beat_at, lease_ms, answers, beat) \
     VALUES ($1, $2, clock_timestamp(), $3, $4, $5) \
     ON CONFLICT (verifier_id) DO UPDATE \
     SET applied_position = excluded.applied_position, beat_at = excluded.beat_at, \
     lease_ms = excluded.lease_ms, answers = excluded.answers, beat = excluded.beat \
     WHERE mine.beat < excluded.beat \
     RETURNING beat_at) \
     SELECT log_id, epoch, position, mac, beat_at, \
     EXISTS (SELECT FROM log.verifiers WHERE verifier_id <> $1) FROM log.head, beat";
const ANSWERING: &str = "SELECT verifier_id, applied_position, beat_at, lease_ms \
     FROM log.verifiers WHERE answers AND beat_at > \
     clock_timestamp() - (2 * lease_ms + 100) * interval '1 millisecond' ORDER BY verifier_id";
const FORGET: &str =
    "DELETE FROM log.verifiers WHERE beat_at < clock_timestamp() - interval '10 minutes'";

/// What a committed heartbeat saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The head at a moment between sending the heartbeat and its commit.
    pub head: Head,
    /// The database's clock at that moment.
    pub database_time: Timestamp,
    /// Whether there are other verifiers, or were within ten minutes.
    pub others: bool,
}

/// A verifier's last heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierBeat {
    /// The verifier.
    pub verifier_id: String,
    /// The last position it had applied.
    pub applied_position: Position,
    /// When, by the database's clock.
    pub beat_at: Timestamp,
    /// How long one heartbeat gives it the right to answer.
    pub lease: Duration,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// Up to here everything was applied.
    pub applied: Position,
    /// Whether the verifier may hold a lease until its next heartbeat.
    pub answers: bool,
}

/// Sends the heartbeats of one verifier over a connection of its own.
#[derive(Debug)]
pub struct Heartbeat {
    database: Database,
    chain: ChainMac,
    verifier_id: String,
    lease: Duration,
    limit: Duration,
    line: Option<(Connection, Statement)>,
    /// How many were sent, whatever became of them.
    sent: i64,
}

impl Heartbeat {
    /// A heartbeat under this id, which no other living verifier may use, whose verifier takes leases
    /// of at most `lease` (5 s at most). `limit` bounds one beat; it must be shorter than the lease.
    #[must_use]
    pub fn new(
        database: &Database,
        chain: ChainMac,
        verifier_id: impl Into<String>,
        lease: Duration,
        limit: Duration,
    ) -> Self {
        let verifier_id = verifier_id.into();
        Self { database: database.clone(), chain, verifier_id, lease, limit, line: None, sent: 0 }
    }

    /// Commits one heartbeat. One that was given up may still arrive, behind later ones; there it changes
    /// nothing, as it would take back what they said.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] or [`LogError::Configuration`] if it did not commit in time, or
    /// nobody knows; the next call connects anew.
    pub async fn beat(&mut self, sign: Sign) -> Result<Beat, LogError> {
        // Taken out for the time of the beat: a future that is dropped or times out leaves no
        // connection of unknown state behind.
        let line = self.line.take();
        self.sent += 1;
        let beating = async {
            let (connection, statement) = match line {
                Some(line) => line,
                None => self.connect().await?,
            };
            let lease = i32::try_from(self.lease.as_millis()).unwrap_or(i32::MAX);
            let applied = sign.applied.to_sql();
            let says: [&(dyn ToSql + Sync); 5] =
                [&self.verifier_id, &applied, &lease, &sign.answers, &self.sent];
            let row = connection.query_one(&statement, &says).await?;
            Ok::<_, LogError>((row, (connection, statement)))
        };
        let (row, line) = tokio::time::timeout(self.limit, beating)
            .await
            .map_err(|_| LogError::timed_out("heartbeat"))??;
        self.line = Some(line);
        let head = row::head(&row, |log_id| self.chain.genesis(log_id))?;
        Ok(Beat { head, database_time: row::timestamp(&row, 4)?, others: row.try_get(5)? })
    }

    async fn connect(&self) -> Result<(Connection, Statement), LogError> {
        // No statement_timeout: cancelling a commit that waits for its synchronous standby makes
        // Postgres report success, and an isolated primary would renew leases. `limit` bounds the
        // beat from this side; a backend left behind is bounded by its lock and by its socket.
        let connection = self.database.connect("heartbeat", &[("statement_timeout", "0")]).await?;
        let statement = connection.prepare(BEAT).await?;
        Ok((connection, statement))
    }

    /// Removes this verifier: after a clean stop nobody has to wait for it.
    ///
    /// # Errors
    /// As [`Heartbeat::beat`]. Its heartbeats then simply grow old.
    pub async fn remove(mut self) -> Result<(), LogError> {
        self.line = None;
        remove(&self.database, &self.verifier_id).await
    }
}

/// Calls the roll of verifiers, over a connection of its own.
///
/// A verifier takes a lease by a heartbeat only if that says it answers, and if it had committed one
/// before, no more than a lease earlier, that said so too. So whoever holds one has had a row here since before it began,
/// and that row is younger than two leases (and a margin for the rates of clocks).
#[derive(Debug)]
pub struct Roll {
    database: Database,
    limit: Duration,
    line: Option<(Connection, Statement)>,
}

impl Roll {
    /// A roll in this database; `limit` bounds one call.
    #[must_use]
    pub fn new(database: &Database, limit: Duration) -> Self {
        Self { database: database.clone(), limit, line: None }
    }

    /// All verifiers that may hold a lease now, or until a heartbeat that they have sent already is
    /// committed.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] or [`LogError::Configuration`]; the next call connects anew.
    pub async fn answering(&mut self) -> Result<Vec<VerifierBeat>, LogError> {
        let line = self.line.take();
        let calling = async {
            let (connection, statement) = match line {
                Some(line) => line,
                None => self.connect().await?,
            };
            let rows = connection.query(&statement, &[]).await?;
            Ok::<_, LogError>((rows, (connection, statement)))
        };
        let (rows, line) = tokio::time::timeout(self.limit, calling)
            .await
            .map_err(|_| LogError::timed_out("call the roll of verifiers"))??;
        self.line = Some(line);
        rows.iter().map(verifier).collect()
    }

    async fn connect(&self) -> Result<(Connection, Statement), LogError> {
        let connection = self.database.connect("barrier", &[]).await?;
        let statement = connection.prepare(ANSWERING).await?;
        Ok((connection, statement))
    }
}

fn verifier(row: &Row) -> Result<VerifierBeat, LogError> {
    let lease: i32 = row.try_get(3)?;
    Ok(VerifierBeat {
        verifier_id: row.try_get(0)?,
        applied_position: Position::from_sql(row.try_get(1)?),
        beat_at: row::timestamp(row, 2)?,
        lease: Duration::from_millis(lease.max(0).unsigned_abs().into()),
    })
}

/// Forgets verifiers that have been silent for ten minutes: killed ones remove nothing themselves.
///
/// # Errors
/// [`LogError::Unavailable`] or [`LogError::Configuration`].
pub async fn forget_silent(database: &Database) -> Result<u64, LogError> {
    Ok(database.client().await?.execute(FORGET, &[]).await?)
}

/// Removes the heartbeat of a verifier that has stopped.
///
/// # Errors
/// [`LogError::Unavailable`] or [`LogError::Configuration`].
pub async fn remove(database: &Database, verifier_id: &str) -> Result<(), LogError> {
    const SQL: &str = "DELETE FROM log.verifiers WHERE verifier_id = $1";
    database.client().await?.execute(SQL, &[&verifier_id]).await?;
    Ok(())
}
