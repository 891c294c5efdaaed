//! Named transactions on the pool, retried on serialization failures and deadlocks.
//!
//! This is one of the two places that retry (the other is the command loop, on conflicts). The
//! append of events is deliberately not done by it: that has a protocol of its own.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, Transaction};
use futures_util::future::BoxFuture;
use metrics::counter;
use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;

use crate::database::Database;
use crate::error::{LogError, sqlstate};

/// The most often that a body runs.
pub const MAX_ATTEMPTS: u32 = 5;

const COMMIT_LIMIT: Duration = Duration::from_secs(5);

/// Runs `body` in one transaction and commits it.
///
/// **The body may run more than once** (at most [`MAX_ATTEMPTS`] times): it must do nothing but talk
/// to the transaction it is given. `name` labels the metric of retries.
///
/// # Errors
/// The body's own error, or, from [`LogError`]: [`LogError::Unavailable`] if nothing was committed,
/// [`LogError::OutcomeUnknown`] if the connection died around COMMIT.
pub async fn transaction<T, E>(
    database: &Database,
    name: &'static str,
    isolation: IsolationLevel,
    mut body: impl for<'t> FnMut(&'t Transaction<'t>) -> BoxFuture<'t, Result<T, E>>,
) -> Result<T, E>
where
    E: Error + From<LogError> + 'static,
{
    let mut attempt = 1;
    loop {
        let client = database.client().await?;
        let error = match run_once(client, isolation, &mut body).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if attempt == MAX_ATTEMPTS || !is_retryable(&error) {
            return Err(error);
        }
        counter!("keyward_transaction_retries_total", "transaction" => name).increment(1);
        tracing::debug!(name, attempt, error = &error as &dyn Error, "transaction retried");
        tokio::time::sleep(Duration::from_millis(2) * 2_u32.pow(attempt)).await;
        attempt += 1;
    }
}

async fn run_once<T, E>(
    mut client: Object,
    isolation: IsolationLevel,
    body: &mut impl for<'t> FnMut(&'t Transaction<'t>) -> BoxFuture<'t, Result<T, E>>,
) -> Result<T, E>
where
    E: From<LogError>,
{
    let transaction = client
        .build_transaction()
        .isolation_level(isolation)
        .start()
        .await
        .map_err(LogError::from)?;
    // An error drops the transaction, which rolls back before the connection serves anyone else.
    let value = body(&transaction).await?;
    let committed = commit(transaction).await;
    if let Err(error) = committed {
        // A connection of unknown state is not returned to the pool.
        drop(Object::take(client));
        return Err(error.into());
    }
    Ok(value)
}

/// Commits, bounded from this side.
async fn commit(transaction: Transaction<'_>) -> Result<(), LogError> {
    // Without statement_timeout: a cancelled wait for a synchronous standby would pass for success.
    let committing = async {
        transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
        transaction.commit().await
    };
    match tokio::time::timeout(COMMIT_LIMIT, committing).await {
        Ok(Ok(())) => Ok(()),
        // The server said no, so nothing was committed.
        Ok(Err(error)) if error.as_db_error().is_some_and(|answer| !is_shutdown(answer.code())) => {
            Err(error.into())
        }
        Ok(Err(error)) => Err(LogError::OutcomeUnknown(Arc::new(error))),
        Err(elapsed) => Err(LogError::OutcomeUnknown(Arc::new(elapsed))),
    }
}

/// Class 57P: the server went away, perhaps after it had committed.
fn is_shutdown(code: &SqlState) -> bool {
    code.code().starts_with("57P")
}

fn is_retryable(error: &(dyn Error + 'static)) -> bool {
    let retryable = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
    sqlstate(error).is_some_and(|code| retryable.contains(&code))
}
