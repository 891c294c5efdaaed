//! Waiting until what is visible would survive a failover.
//!
//! A commit becomes visible once its synchronous standby has it; but a primary that crashes while the
//! commit waits shows it after its recovery, standby or not. Whoever acknowledges something because it
//! is there, and not because he has just committed it, must make sure first.

use tokio_postgres::IsolationLevel;

use crate::database::Database;
use crate::error::LogError;
use crate::transaction::transaction;

/// A message to nobody, written to the write-ahead log behind everything that is visible; so the commit
/// waits for the standby to have all of it. It takes no lock.
const TOUCH: &str = "SELECT pg_logical_emit_message(true, 'keyward', '')";

/// See [`crate::EventLog::confirm`].
pub(crate) async fn confirm(database: &Database) -> Result<(), LogError> {
    transaction(database, "confirm", IsolationLevel::ReadCommitted, |transaction| {
        Box::pin(async move {
            let statement = transaction.prepare_cached(TOUCH).await?;
            transaction.query(&statement, &[]).await?;
            Ok::<_, LogError>(())
        })
    })
    .await
}
