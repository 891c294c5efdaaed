//! The writer's connection and the two round trips of a batch.
//!
//! Why two are enough, and why no event is lost or doubled:
//! 1. The first round trip sends BEGIN, the lock of the head row and the reads, in this order, as
//!    separate statements. Under READ COMMITTED each takes its snapshot when it starts, so the reads
//!    see everything that was committed before the lock was granted.
//! 2. Every writer takes that lock before it reads or writes, so nothing they read can change until
//!    they commit. Dense positions follow from `head.position + 1`.
//! 3. The second round trip is sent only after the lock is held. So if its outcome is unknown,
//!    whoever gets the lock next finds the transaction finished, one way or the other, and the event
//!    ids that are read then tell which.
//!
//! A batch whose past is as its commands expect it takes one round trip: see `guess`.
//!
//! Guarded by the tests `an_unknown_outcome_is_resolved_by_reading_the_log` and
//! `two_processes_write_one_dense_log`.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join;
use jiff::Timestamp;
use postgres_types::ToSql;
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use crate::append::{Prepared, RequestKey};
use crate::chain::ChainMac;
use crate::columns::{EventColumns, RequestColumns};
use crate::database::{Connection, Database};
use crate::error::{Fault, LogError, sqlstate};
use crate::event::{Position, Revision, StreamId};
use crate::plan::{Past, PastEvent, Plan};
use crate::row::{self, Head};
use crate::writer::check_grown;

/// The channel on which followers in other programs are woken.
pub(crate) const CHANNEL: &str = "keyward_log";

const LOCK: &str = "SELECT log_id, epoch, position, mac, \
     (SELECT mac FROM log.events WHERE position = $1), \
     (SELECT chain_key FROM log.events WHERE events.position = head.position) \
     FROM log.head FOR UPDATE";
const REVISIONS: &str = "SELECT wanted.stream, clock_timestamp(), \
     (SELECT max(revision) FROM log.events AS stored WHERE stored.stream = wanted.stream) \
     FROM unnest($1::text[]) AS wanted (stream)";
const EVENT_IDS: &str = "SELECT event_id, position, recorded_at, stream, kind, schema, payload \
     FROM log.events WHERE event_id = ANY ($1::uuid[])";
const REQUESTS: &str = "SELECT workspace, caller, rpc, request_id, \
     content_digest, position, sealed_reply, expires_at \
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) \
          AS wanted (workspace, caller, rpc, request_id) \
     JOIN log.requests USING (workspace, caller, rpc, request_id)";
const INSERT_EVENTS: &str = "INSERT INTO log.events (position, stream, revision, event_id, kind, \
     schema, workspace_id, payload, metadata, recorded_at, mac, chain_key) \
     SELECT position, stream, revision, event_id, kind, schema, workspace_id, payload, metadata, \
     $10::timestamptz, mac, chain_key \
     FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::int[], \
     $7::text[], $8::bytea[], $9::bytea[], $11::bytea[], $12::int[]) \
     AS new (position, stream, revision, event_id, kind, schema, workspace_id, payload, metadata, \
     mac, chain_key)";
const MOVE_HEAD: &str = "UPDATE log.head SET position = $1, mac = $2 \
     FROM (SELECT CASE WHEN $3 THEN pg_notify('keyward_log', $1::bigint::text) END) AS told";
const INSERT_REQUESTS: &str = "INSERT INTO log.requests (workspace, caller, rpc, request_id, \
     content_digest, position, sealed_reply, expires_at) \
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], \
     $6::bigint[], $7::bytea[], $8::timestamptz[])";

/// Everything in one statement, its own transaction; no row if the head is not the one expected.
const AT_ONCE: &str = "WITH moved AS ( \
     UPDATE log.head SET position = $1, mac = $2 \
     WHERE log_id = $3 AND epoch = $4 AND position = $5 AND mac = $6 RETURNING position), \
     inserted AS (INSERT INTO log.events (position, stream, revision, event_id, kind, \
     schema, workspace_id, payload, metadata, recorded_at, mac, chain_key) \
     SELECT new.position, stream, revision, event_id, kind, schema, workspace_id, payload, metadata, \
     $16::timestamptz, mac, chain_key FROM moved, unnest($7::bigint[], $8::text[], $9::bigint[], $10::uuid[], \
     $11::text[], $12::int[], $13::text[], $14::bytea[], $15::bytea[], $17::bytea[], $18::int[]) \
     AS new (position, stream, revision, event_id, kind, schema, workspace_id, payload, metadata, \
     mac, chain_key)), \
     remembered AS (INSERT INTO log.requests (workspace, caller, rpc, request_id, \
     content_digest, position, sealed_reply, expires_at) \
     SELECT new.* FROM moved, unnest($19::text[], $20::text[], $21::text[], $22::text[], \
     $23::bytea[], $24::bigint[], $25::bytea[], $26::timestamptz[]) AS new) \
     SELECT clock_timestamp(), \
     CASE WHEN $27 THEN pg_notify('keyward_log', position::text) END FROM moved";

type Parameters<'a> = [&'a (dyn ToSql + Sync); 1];

/// Why a batch was not committed, as far as one can tell.
pub(crate) enum Failure {
    /// Nothing was written.
    NotWritten(LogError),
    /// COMMIT was sent and not answered.
    Unknown(LogError),
}

/// The writer's connection with its statements.
pub(crate) struct Session {
    connection: Connection,
    limit: Duration,
    lock: Statement,
    revisions: Statement,
    event_ids: Statement,
    requests: Statement,
    insert_events: Statement,
    move_head: Statement,
    insert_requests: Statement,
    at_once: Statement,
}

impl Session {
    /// Connects and prepares. `limit` bounds each round trip.
    pub(crate) async fn open(database: &Database, limit: Duration) -> Result<Self, LogError> {
        // No statement_timeout here: while COMMIT waits for a synchronous standby, a cancel makes
        // Postgres report success for a commit that was not replicated. Locks are bounded by
        // lock_timeout, a writer that fell silent by the idle timeout, the rest by `limit`.
        // Plans are made once and pinned to index look-ups by nested loops: a plan made while the
        // table was small would scan it when it is large.
        let settings = [
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "1000"),
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
        ];
        let connection = database.connect("writer", &settings).await?;
        let preparing = async {
            let prepare = |sql| connection.prepare(sql);
            let reads = try_join(
                try_join(prepare(LOCK), prepare(REVISIONS)),
                try_join(prepare(EVENT_IDS), prepare(REQUESTS)),
            );
            let writes = try_join(
                try_join(prepare(INSERT_EVENTS), prepare(AT_ONCE)),
                try_join(prepare(MOVE_HEAD), prepare(INSERT_REQUESTS)),
            );
            try_join(reads, writes).await
        };
        let (
            ((lock, revisions), (event_ids, requests)),
            ((insert_events, at_once), (move_head, insert_requests)),
        ) = tokio::time::timeout(limit, preparing)
            .await
            .map_err(|_| LogError::timed_out("prepare the writer's statements"))??;
        Ok(Self {
            connection,
            limit,
            lock,
            revisions,
            event_ids,
            requests,
            insert_events,
            move_head,
            insert_requests,
            at_once,
        })
    }

    /// One round trip: writes everything and commits, if the head is still `known` and nothing that
    /// must be unique is there already; answers the database's time, or `None` if it is not so. Nothing
    /// was written then.
    pub(crate) async fn commit_at_once(
        &self,
        known: &Head,
        plan: &Plan<'_>,
        notify: bool,
    ) -> Result<Option<Timestamp>, Failure> {
        let (events, requests) = (EventColumns::of(plan), RequestColumns::of(plan));
        let (position, known_position) = (plan.head.position.to_sql(), known.position.to_sql());
        let (mac, known_mac) = (plan.head.mac.as_slice(), known.mac.as_slice());
        let head: [&(dyn ToSql + Sync); 6] =
            [&position, &mac, &known.log_id, &known.epoch, &known_position, &known_mac];
        let events = events.parameters(&plan.now);
        let parameters = [&head[..], &events, &requests.parameters(), &[&notify]].concat();
        let trip = self.connection.query(&self.at_once, &parameters);
        let rows = match tokio::time::timeout(self.limit, trip).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) if breaks_uniqueness(&error) => return Ok(None),
            Ok(Err(error)) if is_undone(&error) => {
                return Err(Failure::NotWritten(refused(plan, &error)));
            }
            // Anything else may be said after the commit, or be the end of the connection.
            Ok(Err(error)) => return Err(Failure::Unknown(LogError::unavailable(error))),
            Err(_) => return Err(Failure::Unknown(LogError::timed_out("write and commit"))),
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        row::timestamp(row, 0).map(Some).map_err(Failure::Unknown)
    }

    /// First round trip: opens the transaction, locks the head, reads the past; checks that the log
    /// has grown from the `known` head.
    pub(crate) async fn lock(
        &self,
        chain: &ChainMac,
        known: &Head,
        commands: &[&Prepared],
    ) -> Result<Past, LogError> {
        let streams: Vec<&str> = commands
            .iter()
            .flat_map(|command| &command.append.streams)
            .map(|part| part.stream.as_str())
            .collect();
        let ids: Vec<Uuid> = commands
            .iter()
            .flat_map(|command| command.all_events())
            .map(|(_, event)| event.event_id)
            .collect();
        let known_position = known.position.to_sql();
        let wanted: (Parameters<'_>, Parameters<'_>, Parameters<'_>) =
            ([&known_position], [&streams], [&ids]);
        let trip = async {
            tokio::join!(
                biased;
                self.connection.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
                self.connection.query_one(&self.lock, &wanted.0),
                self.connection.query(&self.revisions, &wanted.1),
                self.connection.query(&self.event_ids, &wanted.2),
                self.read_requests(commands),
            )
        };
        let (begin, head, revisions, events, requests) = tokio::time::timeout(self.limit, trip)
            .await
            .map_err(|_| LogError::timed_out("lock the head"))?;
        begin?;
        let locked = head?;
        let head = row::head(&locked, |log_id| chain.genesis(log_id))?;
        check_grown(known, &head, locked.try_get(4)?)?;
        // Not on top of what can't be checked here.
        chain.check_key(head.position, row::chain_key(head.position, locked.try_get(5)?)?)?;
        past(head, &revisions?, &events?, &requests?)
    }

    async fn read_requests(
        &self,
        commands: &[&Prepared],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut columns: [Vec<&str>; 4] = Default::default();
        for request in commands.iter().filter_map(|command| command.append.request.as_ref()) {
            columns[0].push(&request.workspace);
            columns[1].push(&request.caller);
            columns[2].push(&request.rpc);
            columns[3].push(&request.request_id);
        }
        if columns[0].is_empty() {
            return Ok(Vec::new());
        }
        let [workspaces, callers, rpcs, ids] = &columns;
        self.connection.query(&self.requests, &[workspaces, callers, rpcs, ids]).await
    }

    /// Ends a transaction that has nothing to write.
    pub(crate) async fn abandon(&self) -> Result<(), LogError> {
        tokio::time::timeout(self.limit, self.connection.batch_execute("ROLLBACK"))
            .await
            .map_err(|_| LogError::timed_out("roll back"))??;
        Ok(())
    }

    /// Second round trip: writes everything and commits. A plan of requests only leaves the head as it
    /// is, and nobody is woken.
    pub(crate) async fn commit(&self, plan: &Plan<'_>, notify: bool) -> Result<(), Failure> {
        let trip = async {
            tokio::join!(
                biased;
                self.insert_events(plan),
                self.insert_requests(plan),
                self.move_head(plan, notify),
                self.connection.batch_execute("COMMIT"),
            )
        };
        let Ok((events, requests, head, commit)) = tokio::time::timeout(self.limit, trip).await
        else {
            return Err(Failure::Unknown(LogError::timed_out("commit")));
        };
        // An error that the server reports on a statement before COMMIT aborts the transaction, and
        // COMMIT then rolls it back: certain, as long as the connection lived to say so.
        if !self.connection.is_closed()
            && commit.is_ok()
            && let Some(error) =
                [&events, &requests, &head].into_iter().find_map(|r| r.as_ref().err())
        {
            return Err(Failure::NotWritten(refused(plan, error)));
        }
        match events.and(requests).and(head).and(commit.map(|()| 0)) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Unknown(LogError::unavailable(error))),
        }
    }

    async fn insert_events(&self, plan: &Plan<'_>) -> Result<u64, tokio_postgres::Error> {
        if plan.events.is_empty() {
            return Ok(0);
        }
        let columns = EventColumns::of(plan);
        self.connection.execute(&self.insert_events, &columns.parameters(&plan.now)).await
    }

    async fn insert_requests(&self, plan: &Plan<'_>) -> Result<u64, tokio_postgres::Error> {
        if plan.requests.is_empty() {
            return Ok(0);
        }
        let columns = RequestColumns::of(plan);
        self.connection.execute(&self.insert_requests, &columns.parameters()).await
    }

    async fn move_head(&self, plan: &Plan<'_>, notify: bool) -> Result<u64, tokio_postgres::Error> {
        if plan.events.is_empty() {
            return Ok(0);
        }
        let position = plan.head.position.to_sql();
        self.connection
            .execute(&self.move_head, &[&position, &plan.head.mac.as_slice(), &notify])
            .await
    }
}

/// Whether something was there already that must be there once. Certain to have undone everything.
fn breaks_uniqueness(error: &tokio_postgres::Error) -> bool {
    sqlstate(error) == Some(&SqlState::UNIQUE_VIOLATION)
}

/// Whether the server says that the statement, and with it its transaction, came to nothing.
fn is_undone(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().and_then(DbError::parsed_severity) == Some(Severity::Error)
}

/// What a refusal by the server means.
fn refused(plan: &Plan<'_>, error: &tokio_postgres::Error) -> LogError {
    let constraint = error.as_db_error().and_then(|answer| answer.constraint());
    if sqlstate(error) == Some(&SqlState::UNIQUE_VIOLATION)
        && constraint == Some("events_pkey")
        && let Some(first) = plan.events.first()
    {
        return LogError::corrupt(first.position, Fault::BeyondHead);
    }
    LogError::unavailable(Refused(error.to_string()))
}

/// A statement of the batch was refused.
#[derive(Debug, thiserror::Error)]
#[error("the database refused the batch: {0}")]
struct Refused(String);

fn past(head: Head, revisions: &[Row], events: &[Row], requests: &[Row]) -> Result<Past, LogError> {
    let first = revisions.first().ok_or(LogError::Invalid("a command has at least one stream"))?;
    let now = row::timestamp(first, 1)?;
    let mut past = Past {
        head,
        now,
        revisions: HashMap::with_capacity(revisions.len()),
        events: HashMap::with_capacity(events.len()),
        requests: HashMap::with_capacity(requests.len()),
    };
    for row in revisions {
        if let Some(revision) = row.try_get::<_, Option<i64>>(2)? {
            past.revisions.insert(StreamId::stored(row.try_get(0)?), Revision::from_sql(revision));
        }
    }
    for row in events {
        past.events.insert(row.try_get(0)?, past_event(row)?);
    }
    for row in requests {
        let key = RequestKey {
            workspace: row.try_get(0)?,
            caller: row.try_get(1)?,
            rpc: row.try_get(2)?,
            request_id: row.try_get(3)?,
        };
        past.requests.insert(key, row::request(row, 4)?);
    }
    Ok(past)
}

fn past_event(row: &Row) -> Result<PastEvent, LogError> {
    let position = Position::from_sql(row.try_get(1)?);
    let schema: i32 = row.try_get(5)?;
    Ok(PastEvent {
        position,
        recorded_at: row::timestamp(row, 2)?,
        stream: StreamId::stored(row.try_get(3)?),
        kind: row.try_get(4)?,
        schema: u16::try_from(schema)
            .map_err(|_| LogError::corrupt(position, Fault::Undecodable("schema")))?,
        payload: row.try_get(6)?,
    })
}
