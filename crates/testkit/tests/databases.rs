//! A database per test, from nothing or from a template, from as many runtimes as there are tests.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use testkit::{Postgres, TestDatabase, database, database_from, eventually};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(database: &TestDatabase, table: &str) -> i64 {
    let client = connect(database.url()).await;
    let rows = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
    rows.get(0)
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() {
    let (first, second) = (database().await, database().await);
    let client = connect(first.url()).await;
    client.batch_execute("CREATE TABLE only_here (id int)").await.unwrap();
    let client = connect(second.url()).await;
    let found = client.query_one("SELECT to_regclass('only_here') IS NULL", &[]).await.unwrap();
    assert!(found.get::<_, bool>(0));
}

#[test]
fn a_template_is_prepared_once_for_all_runtimes() {
    static PREPARED: AtomicU32 = AtomicU32::new(0);
    let tests: Vec<_> = (0..6)
        .map(|_| {
            std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let database = database_from("counted", async |url: &str| {
                        PREPARED.fetch_add(1, Ordering::SeqCst);
                        let client = connect(url).await;
                        client.batch_execute("CREATE TABLE t AS SELECT 1 AS id").await.unwrap();
                    })
                    .await;
                    assert_eq!(count(&database, "t").await, 1);
                    let client = connect(database.url()).await;
                    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
                    assert_eq!(count(&database, "t").await, 2);
                });
            })
        })
        .collect();
    for test in tests {
        test.join().unwrap();
    }
    assert_eq!(PREPARED.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_template_whose_preparation_failed_is_prepared_again() {
    let failed = tokio::spawn(async {
        database_from("fails first", async |_: &str| panic!("as intended")).await;
    });
    assert!(failed.await.unwrap_err().is_panic());
    let database = database_from("fails first", async |url: &str| {
        connect(url).await.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    });
    assert_eq!(count(&database.await, "t").await, 0);
}

#[tokio::test]
async fn a_connection_left_open_by_the_preparation_does_not_stop_the_copies() {
    let mut left_open = None;
    let database = database_from("left open", async |url: &str| {
        left_open = Some(connect(url).await);
    });
    let _database = database.await;
    let left_open = left_open.unwrap();
    eventually("the left connection is closed", Duration::from_secs(5), async || {
        left_open.is_closed()
    })
    .await;
}

#[tokio::test]
async fn a_role_connects_without_a_password_and_is_not_superuser() {
    let database = database().await;
    connect(database.url()).await.batch_execute("CREATE ROLE plain LOGIN").await.unwrap();
    let client = connect(&database.url_as("plain")).await;
    let row = client.query_one("SELECT current_user::text, current_database()::text", &[]).await;
    let row = row.unwrap();
    assert_eq!(row.get::<_, &str>(0), "plain");
    assert_eq!(row.get::<_, &str>(1), database.name());
    assert!(client.batch_execute("CREATE ROLE other").await.is_err());
}

#[tokio::test]
async fn the_server_has_room_for_many_connections_and_does_not_sync() {
    let client = connect(&Postgres::url("postgres")).await;
    for (name, expected) in [("max_connections", "300"), ("fsync", "off")] {
        let row = client.query_one(&format!("SHOW {name}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), expected, "{name}");
    }
}
