//! Several programs, one order: dense, contiguous, seen once, also when a program is killed.

use std::process::{Child, Command, Stdio};

use eventlog::{Database, Expected, Position, StartAt, Subscription, SubscriptionOptions};
use testkit::eventually;

use crate::setup::{SOON, appended, chain, command, connect_to, one, open, part, world};

const URL: &str = "EVENTLOG_SECOND_PROCESS_URL";
const COUNT: &str = "EVENTLOG_SECOND_PROCESS_COUNT";

/// Another program with a writer of its own: this test binary, asked for one test only.
fn second_process(url: &str, count: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "density::second_process_writes", "--ignored", "--nocapture"])
        .env(URL, url)
        .env(COUNT, count.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "how the second process is told what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Four writers that append until each has written its count.
async fn write_four(database: &Database, name: &str, count: usize) {
    let log = open(database).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (log, stream) = (log.clone(), format!("{name}-{writer}"));
            tokio::spawn(async move {
                for number in 0..count {
                    let append = match number % 3 {
                        0 => command(vec![
                            part(&stream, Expected::Any, 2),
                            part("shared", Expected::Any, 1),
                        ]),
                        _ => one(&stream, Expected::Any),
                    };
                    appended(log.append(append).await);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
#[ignore = "run by other tests as a second process"]
async fn second_process_writes() {
    let Some(url) = told(URL) else { return };
    let count = told(COUNT).unwrap().parse().unwrap();
    write_four(&connect_to(&url), "second", count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_dense_log() {
    const EACH: usize = 60;
    // 60 commands, every third of them with three events instead of one.
    const EVENTS: u64 = 3 * 4 * (60 + 2 * 20);
    let world = world().await;
    drop(world.log().await);
    let mut follower = Subscription::open(
        &world.database,
        chain(),
        StartAt::After(Position::ZERO),
        SubscriptionOptions::default(),
    )
    .await
    .unwrap();
    let mut child = second_process(world.test.url(), EACH);
    let writing = async {
        tokio::join!(
            write_four(&world.database, "first", EACH),
            write_four(&world.database, "other", EACH),
        )
    };
    let following = async {
        let mut seen = Position::ZERO;
        while seen < Position::new(EVENTS) {
            for event in follower.next_batch().await.unwrap().events {
                assert_eq!(event.position, seen.next());
                seen = event.position;
            }
        }
    };
    tokio::time::timeout(SOON * 3, async { tokio::join!(writing, following) }).await.unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(world.assert_dense().await, EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_writer_leaves_a_dense_log_and_blocks_nobody() {
    let world = world().await;
    let log = world.log().await;
    for _ in 0..3 {
        let before = log.head().await.unwrap().position;
        let mut child = second_process(world.test.url(), 1_000_000);
        eventually("the second process writes", SOON, async || {
            log.head().await.unwrap().position.since(before) > 20
        })
        .await;
        child.kill().unwrap();
        child.wait().unwrap();
        appended(log.append(one("after", Expected::Any)).await);
        world.assert_dense().await;
    }
}
