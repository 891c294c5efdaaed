use super::*;

/// A task among others that end in their time.
fn among_others(
    stop: &CancellationToken,
    drain: &CancellationToken,
    task: impl Future<Output = ()> + Send + 'static,
) -> Supervision {
    let mut upkeep = Upkeep::default();
    for name in ["one", "another"] {
        upkeep.spawn(name, stop, stop.clone().cancelled_owned());
    }
    upkeep.spawn("the task", stop, task);
    upkeep.supervise(drain.clone())
}

#[tokio::test]
async fn a_task_that_ends_early_is_named_and_the_node_drains() {
    for panics in [false, true] {
        let (stop, drain) = (CancellationToken::new(), CancellationToken::new());
        let task = async move { assert!(!panics, "as told") };
        let supervision = among_others(&stop, &drain, task);
        let early = supervision.ended_early().await.to_string();
        let begins = if panics { "the task panicked" } else { "the task ended by itself" };
        assert!(early.starts_with(begins), "{early}");
        assert_eq!(early.lines().count(), 1);
        assert!(drain.is_cancelled());
        stop.cancel();
        assert_eq!(supervision.ended_early().await.to_string(), early, "the first one counts");
        supervision.finish().await;
    }
}

#[tokio::test]
async fn tasks_that_end_when_told_to_are_no_trouble() {
    let (stop, drain) = (CancellationToken::new(), CancellationToken::new());
    let supervision = among_others(&stop, &drain, stop.clone().cancelled_owned());
    let first = supervision.first.clone();
    stop.cancel();
    supervision.finish().await;
    assert!(first.borrow().is_none());
    assert!(!drain.is_cancelled());
}

#[tokio::test]
async fn a_panic_while_stopping_is_still_named() {
    let (stop, drain) = (CancellationToken::new(), CancellationToken::new());
    let stopping = stop.clone();
    let task = async move {
        stopping.cancelled().await;
        panic!("as told");
    };
    let supervision = among_others(&stop, &drain, task);
    stop.cancel();
    let early = supervision.ended_early().await.to_string();
    assert!(early.starts_with("the task panicked"), "{early}");
}
