//! Transactions: run again when the database asks for it, and only then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use eventlog::{LogError, MAX_ATTEMPTS, transaction};
use tokio_postgres::IsolationLevel;

use crate::setup::{World, world};

async fn counted(world: &World, sql: &'static str) -> (Result<(), LogError>, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let level = IsolationLevel::Serializable;
    let result = transaction(&world.database, "test", level, move |tx| {
        let counter = Arc::clone(&counter);
        Box::pin(async move {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(tx.batch_execute(sql).await?)
        })
    })
    .await;
    (result, runs.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_serialization_failure_is_retried_a_bounded_number_of_times() {
    let world = world().await;
    let fail = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$";
    let (result, runs) = counted(&world, fail).await;
    assert!(result.is_err());
    assert_eq!(runs, MAX_ATTEMPTS);
    let (result, runs) = counted(&world, "SELECT 1/0").await;
    assert!(result.is_err());
    assert_eq!(runs, 1, "nothing else is retried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_increments_all_count() {
    let world = world().await;
    world.sql("CREATE TABLE counter AS SELECT 0 AS value").await;
    let world = Arc::new(world);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut done = 0;
                while done < 5 {
                    // Five attempts may all lose; the next call is another transaction.
                    done += u32::from(
                        counted(&world, "UPDATE counter SET value = value + 1").await.0.is_ok(),
                    );
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.count("SELECT value::bigint FROM counter").await, 20);
}

#[tokio::test]
async fn a_refused_body_leaves_nothing_and_the_connection_is_clean() {
    let world = world().await;
    world.sql("CREATE TABLE notes (note text)").await;
    let refused = transaction(&world.database, "test", IsolationLevel::ReadCommitted, |tx| {
        Box::pin(async move {
            tx.batch_execute("INSERT INTO notes VALUES ('x')").await?;
            Err::<(), LogError>(LogError::Overloaded)
        })
    })
    .await;
    assert!(matches!(refused, Err(LogError::Overloaded)));
    assert_eq!(world.count("SELECT count(*) FROM notes").await, 0);
}
