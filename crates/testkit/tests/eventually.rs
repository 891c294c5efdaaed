//! Waiting returns what was waited for, or says what did not come.

use std::time::Duration;

use testkit::eventually;

#[tokio::test]
async fn the_value_of_a_met_condition_is_returned() {
    let mut asked = 0;
    let value = eventually("three questions", Duration::from_secs(5), async || {
        asked += 1;
        (asked == 3).then_some("done")
    });
    assert_eq!(value.await, "done");
}

#[tokio::test]
#[should_panic(expected = "the sun rises in the west")]
async fn a_condition_that_is_never_met_is_named() {
    eventually("the sun rises in the west", Duration::from_millis(20), async || false).await;
}

#[tokio::test]
#[should_panic(expected = "somebody answers")]
async fn a_condition_that_hangs_is_named() {
    eventually("somebody answers", Duration::from_millis(20), async || {
        std::future::pending::<bool>().await
    })
    .await;
}
