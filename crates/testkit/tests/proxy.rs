//! The proxy does to the line what it says, and says when it has done it.

#![expect(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::time::Duration;

use testkit::{Direction, FaultProxy, Mode, Moment, TestDatabase, database, eventually};
use tokio_postgres::{Client, NoTls};

const SOON: Duration = Duration::from_secs(5);

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn proxied() -> (TestDatabase, FaultProxy, Client) {
    let database = database().await;
    let direct = connect(database.url()).await.unwrap();
    direct.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    let proxy = FaultProxy::in_front_of(&database);
    let client = connect(&proxy.url_for(&database)).await.unwrap();
    (database, proxy, client)
}

async fn rows(database: &TestDatabase) -> i64 {
    let client = connect(database.url()).await.unwrap();
    client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn bytes_pass() {
    let (database, proxy, client) = proxied().await;
    client.batch_execute("INSERT INTO t SELECT generate_series(1, 20000)").await.unwrap();
    assert_eq!(client.query("SELECT * FROM t", &[]).await.unwrap().len(), 20_000);
    assert_eq!(rows(&database).await, 20_000);
    assert_eq!((proxy.accepted(), proxy.open(), proxy.mode()), (1, 1, Mode::Pass));
    drop(client);
    eventually("the connection is closed", SOON, async || proxy.open() == 0).await;
}

#[tokio::test]
async fn a_pause_holds_bytes_and_loses_none() {
    let (database, proxy, client) = proxied().await;
    proxy.pause();
    let insert =
        tokio::spawn(async move { client.batch_execute("INSERT INTO t VALUES (1)").await });
    let url = proxy.url_for(&database);
    let second = tokio::spawn(async move { connect(&url).await });
    eventually("the second is accepted", SOON, async || proxy.accepted() == 2).await;
    assert_eq!(rows(&database).await, 0);
    assert!(!insert.is_finished() && !second.is_finished());
    proxy.resume();
    insert.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_cut_resets_connections_and_refuses_new_ones_until_resumed() {
    let (database, proxy, client) = proxied().await;
    proxy.cut();
    eventually("the client knows", SOON, async || client.is_closed()).await;
    eventually("all are closed", SOON, async || proxy.open() == 0).await;
    for _ in 0..3 {
        let refused = std::net::TcpStream::connect(proxy.address()).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    proxy.resume();
    connect(&proxy.url_for(&database)).await.unwrap();
}

#[tokio::test]
async fn a_blackhole_swallows_bytes_and_tears_the_connection() {
    let (database, proxy, client) = proxied().await;
    proxy.blackhole();
    let insert = client.batch_execute("INSERT INTO t VALUES (1)");
    assert!(tokio::time::timeout(Duration::from_millis(100), insert).await.is_err());
    let url = proxy.url_for(&database);
    let second = tokio::spawn(async move { connect(&url).await });
    eventually("the second is accepted", SOON, async || proxy.accepted() == 2).await;
    assert!(!second.is_finished() && !client.is_closed());
    proxy.resume();
    assert!(second.await.unwrap().is_err());
    eventually("the torn connection is reset", SOON, async || client.is_closed()).await;
    assert_eq!(rows(&database).await, 0);
    connect(&proxy.url_for(&database)).await.unwrap();
}

async fn insert_and_commit(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute("INSERT INTO t VALUES (1)").await?;
    transaction.commit().await
}

#[tokio::test]
async fn a_commit_that_is_cut_before_it_is_forwarded_does_not_happen() {
    let (database, proxy, mut client) = proxied().await;
    let trigger = proxy.cut_at(b"COMMIT", Direction::ToServer, Moment::BeforeForwarding);
    assert!(!trigger.fired());
    assert!(insert_and_commit(&mut client).await.is_err());
    assert!(trigger.fired());
    eventually("the server has ended it", SOON, async || others(&database).await == 0).await;
    assert_eq!(rows(&database).await, 0);
    // One shot: the next commit passes.
    let mut client = connect(&proxy.url_for(&database)).await.unwrap();
    insert_and_commit(&mut client).await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_commit_whose_answer_is_cut_has_happened() {
    for (direction, moment) in [
        (Direction::ToServer, Moment::AfterForwarding),
        (Direction::ToClient, Moment::BeforeForwarding),
    ] {
        let (database, proxy, mut client) = proxied().await;
        let mut trigger = proxy.cut_all_at(b"COMMIT", direction, moment);
        assert!(insert_and_commit(&mut client).await.is_err());
        tokio::time::timeout(SOON, trigger.wait()).await.unwrap();
        assert_eq!(proxy.mode(), Mode::Cut);
        eventually("the commit is there", SOON, async || rows(&database).await == 1).await;
    }
}

#[tokio::test]
async fn a_cut_after_so_many_bytes_comes_in_the_middle_of_an_answer() {
    let (_database, proxy, client) = proxied().await;
    let trigger = proxy.cut_after_bytes(1_000, Direction::ToClient);
    let answer = client.query("SELECT repeat('x', 10) FROM generate_series(1, 1000)", &[]).await;
    assert!(answer.is_err() && trigger.fired());
}

#[tokio::test]
async fn all_connections_can_be_reset_without_refusing_new_ones() {
    let (database, proxy, client) = proxied().await;
    proxy.reset_connections();
    eventually("the client knows", SOON, async || client.is_closed()).await;
    connect(&proxy.url_for(&database)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_proxy_ends_its_connections() {
    let (_database, proxy, client) = proxied().await;
    drop(proxy);
    eventually("the client knows", SOON, async || client.is_closed()).await;
}

/// Connections to the database beside the one that asks.
async fn others(database: &TestDatabase) -> i64 {
    let client = connect(database.url()).await.unwrap();
    let asked = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid() \
                 AND state LIKE 'idle in transaction%'";
    client.query_one(asked, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_blackhole_of_one_way_lets_the_other_pass() {
    let (database, proxy, client) = proxied().await;
    proxy.blackhole_one_way(Direction::ToClient);
    let insert = client.batch_execute("INSERT INTO t VALUES (1)");
    assert!(tokio::time::timeout(Duration::from_millis(200), insert).await.is_err());
    assert_eq!(rows(&database).await, 1, "it arrived, and its answer did not");
    proxy.resume();
    eventually("the torn connection is reset", SOON, async || client.is_closed()).await;

    let client = connect(&proxy.url_for(&database)).await.unwrap();
    proxy.blackhole_one_way(Direction::ToServer);
    let insert = client.batch_execute("INSERT INTO t VALUES (2)");
    assert!(tokio::time::timeout(Duration::from_millis(200), insert).await.is_err());
    assert_eq!(rows(&database).await, 1);
}
