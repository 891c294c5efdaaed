//! Every way to rewrite history is found: by a walk over the log, and by whoever follows it.

use eventlog::{
    Expected, Fault, Head, LogError, Position, StartAt, Subscription, SubscriptionOptions,
    verify_log,
};

use crate::setup::{World, appended, chain, fill, one, world};

/// A change to a log of twelve events, and what must be found where.
struct Tampering {
    name: &'static str,
    sql: &'static str,
    position: u64,
    found: fn(&Fault) -> bool,
}

const MIDDLE: u64 = 6;

fn mismatch(fault: &Fault) -> bool {
    matches!(fault, Fault::MacMismatch)
}

fn missing(fault: &Fault) -> bool {
    matches!(fault, Fault::Missing)
}

fn head_mac(fault: &Fault) -> bool {
    matches!(fault, Fault::HeadMac)
}

const SHIFT: &str = "UPDATE log.events SET position = position + 100 WHERE position >= 6; \
    INSERT INTO log.events SELECT 6, stream, 99, gen_random_uuid(), kind, schema, workspace_id, \
        payload, metadata, recorded_at, mac FROM log.events WHERE position = 5; \
    UPDATE log.events SET position = position - 99 WHERE position > 100; \
    UPDATE log.head SET position = position + 1";
const SWAP: &str = "UPDATE log.events SET position = 100 WHERE position = 6; \
    UPDATE log.events SET position = 6 WHERE position = 7; \
    UPDATE log.events SET position = 7 WHERE position = 100";

const TAMPERINGS: &[Tampering] = &[
    Tampering {
        name: "changed payload",
        sql: "UPDATE log.events SET payload = '{}' WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering {
        name: "changed metadata",
        sql: "UPDATE log.events SET metadata = '{\"actor\":\"x\"}' WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering {
        name: "changed kind",
        sql: "UPDATE log.events SET kind = 'other' WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering {
        name: "changed workspace",
        sql: "UPDATE log.events SET workspace_id = NULL WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering {
        name: "changed time",
        sql: "UPDATE log.events SET recorded_at = recorded_at + interval '1 microsecond' \
              WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering {
        name: "changed event id",
        sql: "UPDATE log.events SET event_id = gen_random_uuid() WHERE position = 6",
        position: MIDDLE,
        found: mismatch,
    },
    Tampering { name: "inserted row", sql: SHIFT, position: MIDDLE, found: mismatch },
    Tampering { name: "swapped rows", sql: SWAP, position: MIDDLE, found: mismatch },
    Tampering {
        name: "deleted row",
        sql: "DELETE FROM log.events WHERE position = 6",
        position: MIDDLE,
        found: missing,
    },
    Tampering {
        name: "truncated tail",
        sql: "DELETE FROM log.events WHERE position > 9",
        position: 10,
        found: missing,
    },
    Tampering {
        name: "changed head",
        sql: "UPDATE log.head SET mac = decode(repeat('00', 32), 'hex')",
        position: 12,
        found: head_mac,
    },
];

async fn tampered(sql: &str) -> World {
    let world = world().await;
    let log = world.log().await;
    fill(&log, 12).await;
    world.tamper(sql).await;
    world
}

fn assert_found(name: &str, tampering: &Tampering, error: LogError) {
    let LogError::Corrupt { position, what } = error else { panic!("{name}: {error}") };
    assert_eq!(position, Position::new(tampering.position), "{name}: {what}");
    assert!((tampering.found)(&what), "{name}: {what}");
}

#[tokio::test]
async fn a_walk_over_the_log_finds_the_first_bad_position() {
    for tampering in TAMPERINGS {
        let world = tampered(tampering.sql).await;
        let error = verify_log(&world.database, &chain(), |_, _| {}).await.unwrap_err();
        assert_found(tampering.name, tampering, error);
    }
}

#[tokio::test]
async fn a_follower_finds_the_same_and_stays_stopped() {
    for tampering in TAMPERINGS {
        let world = tampered(tampering.sql).await;
        let options = SubscriptionOptions { batch: 4, ..SubscriptionOptions::default() };
        let start = StartAt::After(Position::ZERO);
        let mut follower =
            Subscription::open(&world.database, chain(), start, options).await.unwrap();
        let error = loop {
            match follower.next_batch().await {
                Ok(batch) => assert!(!batch.events.is_empty(), "{}", tampering.name),
                Err(error) => break error,
            }
        };
        assert_found(tampering.name, tampering, error);
        let stopped_at = follower.position();
        world.tamper("UPDATE log.head SET epoch = epoch").await;
        let again = follower.next_batch().await.unwrap_err();
        assert_found(tampering.name, tampering, again);
        assert_eq!(follower.position(), stopped_at, "{}: nothing was skipped", tampering.name);
    }
}

#[tokio::test]
async fn an_event_beyond_the_head_is_found_by_a_walk() {
    let world = tampered(
        "UPDATE log.head SET position = 11, mac = \
        (SELECT mac FROM log.events WHERE position = 11)",
    )
    .await;
    let error = verify_log(&world.database, &chain(), |_, _| {}).await.unwrap_err();
    let LogError::Corrupt { position, what } = error else { panic!("{error}") };
    assert_eq!((position, what), (Position::new(12), Fault::BeyondHead));
}

#[tokio::test]
async fn a_walk_tells_how_far_it_is() {
    let world = world().await;
    let log = world.log().await;
    let last = fill(&log, 3).await;
    let mut told = Vec::new();
    let head = verify_log(&world.database, &chain(), |done, head| told.push((done, head))).await;
    assert_eq!(head.unwrap(), log.head().await.unwrap());
    assert_eq!(told.last(), Some(&(last, last)));
}

/// A log that lost its tail in a failover and was written on: other events at the same positions,
/// each with a valid MAC.
async fn replaced_tail(world: &World, keep: u64, rewritten: usize) {
    world
        .tamper(&format!(
            "DELETE FROM log.events WHERE position > {keep}; \
             UPDATE log.head SET position = {keep}, \
                 mac = (SELECT mac FROM log.events WHERE position = {keep})"
        ))
        .await;
    let log = world.log().await;
    fill(&log, rewritten).await;
    world.assert_dense().await;
}

async fn following(world: &World) -> (Subscription, Head) {
    let log = world.log().await;
    fill(&log, 12).await;
    let start = StartAt::After(Position::ZERO);
    let options = SubscriptionOptions::default();
    let mut follower = Subscription::open(&world.database, chain(), start, options).await.unwrap();
    assert_eq!(follower.next_batch().await.unwrap().events.len(), 12);
    let known = follower.verified();
    (follower, known)
}

#[tokio::test]
async fn a_follower_finds_that_the_tail_was_lost_and_rewritten() {
    // Fewer events than before, exactly as many, more.
    for rewritten in [0, 2, 4, 9] {
        let world = world().await;
        let (mut follower, known) = following(&world).await;
        replaced_tail(&world, 8, rewritten).await;
        let error = follower.next_batch().await.unwrap_err();
        let LogError::Corrupt { what, .. } = &error else { panic!("{rewritten}: {error}") };
        let expected = if rewritten < 4 {
            matches!(what, Fault::Truncated { .. })
        } else {
            matches!(what, Fault::Replaced)
        };
        assert!(expected, "{rewritten}: {what}");

        let options = SubscriptionOptions::default();
        let start = StartAt::Known(known);
        let found = match Subscription::open(&world.database, chain(), start, options).await {
            Ok(mut resumed) => resumed.next_batch().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(
            matches!(found, Err(LogError::Corrupt { .. })),
            "{rewritten}: also after a restart"
        );
    }
}

#[tokio::test]
async fn a_follower_finds_another_log_and_another_epoch() {
    for (sql, name) in [
        ("UPDATE log.head SET log_id = gen_random_uuid()", "log"),
        ("UPDATE log.head SET epoch = epoch + 1", "epoch"),
    ] {
        let world = world().await;
        let (mut follower, _) = following(&world).await;
        world.tamper(sql).await;
        let error = follower.next_batch().await.unwrap_err();
        let LogError::Corrupt { what, .. } = error else { panic!("{name}: {error}") };
        let found = matches!(what, Fault::OtherLog { .. } | Fault::OtherEpoch { .. });
        assert!(found, "{name}: {what}");
    }
}

#[tokio::test]
async fn a_writer_refuses_once_after_the_tail_was_lost_and_then_goes_on_from_where_the_log_ends() {
    for rewritten in [0, 2, 4, 9] {
        let world = world().await;
        let log = world.log().await;
        fill(&log, 12).await;
        replaced_tail(&world, 8, rewritten).await;
        let refused = log.append(one("s-0", Expected::Any)).await.unwrap_err();
        assert!(matches!(refused, LogError::Corrupt { .. }), "{rewritten}: {refused}");
        let position = appended(log.append(one("s-0", Expected::Any)).await).last;
        assert_eq!(position, Position::new(9 + rewritten as u64));
        assert_eq!(
            *log.commits().position().borrow(),
            position,
            "followers are woken for what is there"
        );
        world.assert_dense().await;
    }
}
