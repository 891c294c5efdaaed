//! A small projection: how many events each stream has.

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::Transaction;
use eventlog::{Migration, MigrationSet, Projection, ProjectionError, RecordedEvent};
use futures_util::future::BoxFuture;

pub(crate) const TALLY_MIGRATIONS: MigrationSet = MigrationSet {
    component: "tally",
    files: &[Migration {
        name: "0001_tally.sql",
        sql: "CREATE SCHEMA tally; \
              CREATE TABLE tally.streams ( \
                  stream text PRIMARY KEY, events bigint NOT NULL, last bigint NOT NULL); \
              CREATE INDEX streams_by_last ON tally.streams (last DESC); \
              CREATE TABLE tally.kinds (kind text, position bigint, UNIQUE (kind, position)); \
              GRANT USAGE ON SCHEMA tally TO keyward_writer, keyward_reader; \
              GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA tally TO keyward_writer; \
              GRANT SELECT ON ALL TABLES IN SCHEMA tally TO keyward_reader;",
    }],
};

/// Counts, unless it was told to refuse.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) refuse: AtomicBool,
}

impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn schema(&self) -> &'static str {
        "tally"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["streams", "kinds"]
    }

    fn apply<'a>(
        &'a self,
        transaction: &'a Transaction<'_>,
        batch: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            if self.refuse.load(Ordering::SeqCst) {
                return Err("told to refuse".into());
            }
            for event in batch {
                let position = event.position.get().cast_signed();
                transaction
                    .execute(
                        "INSERT INTO streams AS s VALUES ($1, 1, $2) ON CONFLICT (stream) DO UPDATE \
                         SET events = s.events + 1, last = $2 WHERE s.last < $2",
                        &[&event.stream.as_str(), &position],
                    )
                    .await?;
                transaction
                    .execute(
                        "INSERT INTO kinds VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        &[&event.kind, &position],
                    )
                    .await?;
            }
            Ok(())
        })
    }
}
