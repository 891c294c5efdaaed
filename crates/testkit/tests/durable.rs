//! A durable server keeps what it acknowledged, whatever is done to it.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::time::Duration;

use testkit::{durable_server, eventually};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn acknowledged_rows_survive_a_killed_postmaster() {
    let server = durable_server().await;
    let client = connect(&server.url()).await;
    let row = client.query_one("SHOW fsync", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "on");
    client.batch_execute("CREATE TABLE t AS SELECT 1 AS id").await.unwrap();
    server.kill_postmaster().await;
    eventually("the connection is gone", Duration::from_secs(5), async || client.is_closed()).await;
    let url = server.url();
    let server = server.start_again().await;
    assert_eq!(server.url(), url);
    let client = connect(&url).await;
    let row = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_frozen_server_answers_when_it_is_thawed() {
    let server = durable_server().await;
    let client = connect(&server.url()).await;
    server.freeze();
    let question = client.batch_execute("SELECT 1");
    assert!(tokio::time::timeout(Duration::from_millis(100), question).await.is_err());
    server.thaw();
    client.batch_execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn an_ordered_stop_and_start_keeps_the_url() {
    let server = durable_server().await;
    let url = server.url();
    server.stop_postmaster().await;
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    let _server = server.start_again().await;
    connect(&url).await.batch_execute("SELECT 1").await.unwrap();
}
