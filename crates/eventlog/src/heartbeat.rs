//! The heartbeat of a verifier: a committed write, five times a second.
//!
//! A write, because an isolated old primary still answers reads. What a heartbeat is worth (the
//! lease, and when it runs out) is deliberately not decided here.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Statement;

use crate::chain::ChainMac;
use crate::database::{Connection, Database};
use crate::error::LogError;
use crate::event::Position;
use crate::row::{self, Head};

const BEAT: &str = "WITH beat AS ( \
     INSERT INTO log.verifiers AS mine (verifier_id, applied_position, beat_at) \
     VALUES ($1, $2, clock_timestamp()) \
     ON CONFLICT (verifier_id) DO UPDATE \
     SET applied_position = excluded.applied_position, beat_at = excluded.beat_at \
     RETURNING beat_at) \
     SELECT log_id, epoch, position, mac, beat_at FROM log.head, beat";
const LIVE: &str = "SELECT verifier_id, applied_position, beat_at FROM log.verifiers \
     WHERE beat_at > clock_timestamp() - $1::float8 * interval '1 second' ORDER BY verifier_id";

/// What a committed heartbeat saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The head at a moment between sending the heartbeat and its commit.
    pub head: Head,
    /// The database's clock at that moment.
    pub database_time: Timestamp,
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
}

/// Sends the heartbeats of one verifier over a connection of its own.
#[derive(Debug)]
pub struct Heartbeat {
    database: Database,
    chain: ChainMac,
    verifier_id: String,
    limit: Duration,
    line: Option<(Connection, Statement)>,
}

impl Heartbeat {
    /// A heartbeat under this id, which no other living verifier may use. `limit` bounds one beat;
    /// it must be shorter than the lease.
    #[must_use]
    pub fn new(
        database: &Database,
        chain: ChainMac,
        verifier_id: impl Into<String>,
        limit: Duration,
    ) -> Self {
        let verifier_id = verifier_id.into();
        Self { database: database.clone(), chain, verifier_id, limit, line: None }
    }

    /// Commits one heartbeat: "up to `applied`, I have applied everything".
    ///
    /// # Errors
    /// [`LogError::Unavailable`] or [`LogError::Configuration`] if it did not commit in time, or
    /// nobody knows; the next call connects anew.
    pub async fn beat(&mut self, applied: Position) -> Result<Beat, LogError> {
        // Taken out for the time of the beat: a future that is dropped or times out leaves no
        // connection of unknown state behind.
        let line = self.line.take();
        let beating = async {
            let (connection, statement) = match line {
                Some(line) => line,
                None => self.connect().await?,
            };
            let row =
                connection.query_one(&statement, &[&self.verifier_id, &applied.to_sql()]).await?;
            Ok::<_, LogError>((row, (connection, statement)))
        };
        let (row, line) = tokio::time::timeout(self.limit, beating)
            .await
            .map_err(|_| LogError::timed_out("heartbeat"))??;
        self.line = Some(line);
        let head = row::head(&row, |log_id| self.chain.genesis(log_id))?;
        Ok(Beat { head, database_time: row::timestamp(&row, 4)? })
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

/// The verifiers whose last heartbeat is younger than `max_age`, by the database's clock.
///
/// # Errors
/// [`LogError::Unavailable`] or [`LogError::Configuration`].
pub async fn live(database: &Database, max_age: Duration) -> Result<Vec<VerifierBeat>, LogError> {
    let client = database.client().await?;
    let statement = client.prepare_cached(LIVE).await?;
    let rows = client.query(&statement, &[&max_age.as_secs_f64()]).await?;
    rows.iter()
        .map(|row| {
            Ok(VerifierBeat {
                verifier_id: row.try_get(0)?,
                applied_position: Position::from_sql(row.try_get(1)?),
                beat_at: row::timestamp(row, 2)?,
            })
        })
        .collect()
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
