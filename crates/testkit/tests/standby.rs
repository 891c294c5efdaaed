//! A standby has what its primary acknowledged, and takes its place.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::time::Duration;

use testkit::{FaultProxy, primary_server, standby_of};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn rows(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_promoted_standby_has_all_that_was_acknowledged_and_nothing_else() {
    let primary = primary_server().await;
    connect(&primary.url()).await.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    let standby = standby_of(&primary).await;
    let proxy = FaultProxy::in_front_of(&primary);
    let url = proxy.url_as("postgres", "postgres");
    let client = connect(&url).await;
    client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();

    standby.line().blackhole();
    let lonely = connect(&primary.url()).await;
    let commit = lonely.batch_execute("INSERT INTO t VALUES (2)");
    assert!(
        tokio::time::timeout(Duration::from_millis(300), commit).await.is_err(),
        "a commit was acknowledged that the standby has not"
    );
    // A crash makes it visible all the same.
    let primary = primary.start_again().await;
    assert_eq!(rows(&connect(&primary.url()).await).await, 2);

    let promoted = standby.promote().await;
    proxy.cut();
    proxy.lead_to(&promoted);
    proxy.resume();
    let client = connect(&url).await;
    assert_eq!(rows(&client).await, 1);
    client.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
}
