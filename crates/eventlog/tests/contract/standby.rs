//! What a crash of the primary made visible is acknowledged only once the standby has it.

use std::time::Duration;

use eventlog::{
    Append, Database, DatabaseOptions, EventLog, EventLogOptions, Expected, LOG_MIGRATIONS,
    LogError, RequestKey, migrate,
};
use testkit::{eventually, primary_server, standby_of};

use crate::setup::{ROLES, SOON, appended, chain, one, request};

fn connect(url: &str) -> Database {
    Database::new(url, DatabaseOptions::default()).unwrap()
}

#[tokio::test]
async fn what_only_a_crash_made_visible_is_not_acknowledged_before_the_standby_has_it() {
    let primary = primary_server().await;
    let url = primary.url();
    let database = connect(&url);
    database.client().await.unwrap().batch_execute(ROLES).await.unwrap();
    migrate(&database, &[LOG_MIGRATIONS]).await.unwrap();
    let standby = standby_of(&primary).await;
    let short = Duration::from_secs(1);
    let options = EventLogOptions { round_trip_timeout: short, ..EventLogOptions::default() };
    let log = EventLog::open(&database, chain(), options).await.unwrap();
    appended(log.append(one("s", Expected::Any)).await);

    standby.line().blackhole();
    let append = Append { request: Some(request("r", 1)), ..one("s", Expected::Any) };
    let (writing, asked) = (log.clone(), append.clone());
    let mut writing = tokio::spawn(async move { writing.append(asked).await });
    eventually("the commit waits for the standby", SOON, async || {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        connect(&url).client().await.unwrap().query_one(waits, &[]).await.unwrap().get::<_, i64>(0)
            > 0
    })
    .await;
    let primary = primary.start_again().await;
    let database = connect(&url);
    let visible = database.client().await.unwrap();
    let count = visible.query_one("SELECT count(*) FROM log.events", &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 2, "the crash made it visible");

    // Neither by the writer that finds its own events, nor by who finds the request of another.
    let answered = tokio::time::timeout(Duration::from_secs(4), &mut writing).await;
    assert!(!matches!(answered, Ok(Ok(Ok(_)))), "acknowledged: {answered:?}");
    let key = RequestKey {
        workspace: "ws_1".to_owned(),
        caller: "caller".to_owned(),
        rpc: "Create".to_owned(),
        request_id: "r".to_owned(),
    };
    let found = log.find_request(&key).await;
    assert!(matches!(found, Err(LogError::OutcomeUnknown(_))), "{found:?}");

    standby.line().resume();
    standby.followed(&primary).await;
    let position = appended(log.append(append).await).last;
    assert_eq!(log.find_request(&key).await.unwrap().unwrap().position, position);
}
