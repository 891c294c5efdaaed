//! Two chain keys in one log: what was linked under the first stays sound after the second is active, a
//! key id that was changed is found, and a program without a key says so and nothing worse.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use eventlog::{
    ChainMac, EventLog, EventLogOptions, Expected, Fault, LogError, Mac, Part, StartAt,
    Subscription, SubscriptionOptions, verify_log,
};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use std::time::Duration;

use crate::setup::{World, chain, fill, one, world};

/// A ring of two chain keys, the first that of all tests.
#[derive(Clone)]
struct Ring {
    active: Arc<AtomicU16>,
    /// The highest id that there is.
    last: Arc<AtomicU16>,
}

impl Ring {
    fn new() -> Self {
        Self { active: Arc::new(AtomicU16::new(1)), last: Arc::new(AtomicU16::new(2)) }
    }

    fn activate(&self, id: u16) {
        self.active.store(id, Ordering::Relaxed);
    }

    fn has_up_to(&self, id: u16) {
        self.last.store(id, Ordering::Relaxed);
    }

    fn chain(&self) -> ChainMac {
        let (links, checks) = (self.clone(), self.clone());
        ChainMac::of_keys(
            move |text| {
                let id = links.active.load(Ordering::Relaxed);
                (id, mac(id, text))
            },
            move |id, text| {
                let id = id.unwrap_or(1);
                (id <= checks.last.load(Ordering::Relaxed)).then(|| mac(id, text))
            },
        )
    }

    async fn log(&self, world: &World) -> EventLog {
        let options = EventLogOptions::default();
        EventLog::open(&world.database, self.chain(), options).await.unwrap()
    }
}

fn mac(id: u16, text: &[u8]) -> Mac {
    let key: &[u8] = if id == 1 { b"the chain key of the tests" } else { b"another" };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// A log with six events under each key, the second activated while it is open.
async fn rotated() -> (World, Ring, EventLog) {
    let (world, ring) = (world().await, Ring::new());
    let log = ring.log(&world).await;
    fill(&log, 6).await;
    ring.activate(2);
    fill(&log, 6).await;
    (world, ring, log)
}

#[tokio::test]
async fn a_log_under_two_chain_keys_is_sound_and_says_which_event_is_under_which() {
    let (world, ring, log) = rotated().await;
    let head = verify_log(&world.database, &ring.chain(), |_, _| {}).await.unwrap();
    assert_eq!(head.position.get(), 12);
    let events = log.read_from(eventlog::Position::ZERO, 100).await.unwrap();
    let keys: Vec<_> = events.iter().map(|event| event.chain_key).collect();
    assert_eq!(keys, [[Some(1); 6], [Some(2); 6]].concat());
    // Also for one that begins anew, and for a part that begins in the middle.
    log.close().await;
    let again = ring.log(&world).await;
    let part = Part {
        after: eventlog::Position::new(4),
        mac: None,
        events: 100,
        within: Duration::from_secs(60),
    };
    assert_eq!(again.verify_part(&part).await.unwrap().position.get(), 12);
}

#[tokio::test]
async fn events_without_a_key_id_are_under_the_first_key() {
    let (world, ring) = (world().await, Ring::new());
    let log = world.log().await;
    fill(&log, 3).await;
    log.close().await;
    // As builds wrote them that knew of one key only.
    world.tamper("UPDATE log.events SET chain_key = NULL").await;
    ring.activate(2);
    fill(&ring.log(&world).await, 3).await;
    assert_eq!(
        verify_log(&world.database, &ring.chain(), |_, _| {}).await.unwrap().position.get(),
        6
    );
}

#[tokio::test]
async fn a_key_id_that_was_changed_is_found_where_it_is() {
    for (sql, position) in [
        ("UPDATE log.events SET chain_key = 2 WHERE position = 3", 3),
        ("UPDATE log.events SET chain_key = 1 WHERE position = 9", 9),
        ("UPDATE log.events SET chain_key = NULL WHERE position = 9", 9),
    ] {
        let (world, ring, _log) = rotated().await;
        world.tamper(sql).await;
        let error = verify_log(&world.database, &ring.chain(), |_, _| {}).await.unwrap_err();
        let LogError::Corrupt { position: found, what } = error else { panic!("{sql}: {error}") };
        assert_eq!((found.get(), what), (position, Fault::MacMismatch), "{sql}");
    }
}

#[tokio::test]
async fn a_program_without_the_key_says_so_and_goes_on_once_it_has_it() {
    let (world, ring, log) = rotated().await;
    let behind = Ring::new();
    let start = StartAt::After(eventlog::Position::new(4));
    behind.has_up_to(1);
    let options = SubscriptionOptions::default();
    let mut follower =
        Subscription::open(&world.database, behind.chain(), start, options).await.unwrap();
    for _ in 0..2 {
        let error = follower.next_batch().await.unwrap_err();
        assert!(matches!(error, LogError::UnknownChainKey { key: 2, .. }), "{error}");
        assert!(error.to_string().contains("no chain key 2"), "{error}");
    }
    let walked = verify_log(&world.database, &behind.chain(), |_, _| {}).await.unwrap_err();
    assert!(matches!(walked, LogError::UnknownChainKey { key: 2, .. }), "{walked}");
    behind.has_up_to(2);
    assert_eq!(follower.next_batch().await.unwrap().events.len(), 8);
    drop((ring, log));
}

#[tokio::test]
async fn nothing_is_appended_on_top_of_what_is_under_an_unknown_key() {
    let (world, ring) = (world().await, Ring::new());
    let behind = Ring::new();
    behind.has_up_to(1);
    let (log, late) = (ring.log(&world).await, behind.log(&world).await);
    fill(&late, 1).await;
    ring.activate(2);
    fill(&log, 1).await;
    let refused = late.append(one("late", Expected::Any)).await.unwrap_err();
    assert!(matches!(refused, LogError::UnknownChainKey { key: 2, .. }), "{refused}");
    behind.has_up_to(2);
    late.append(one("late", Expected::Any)).await.unwrap();
    let head = verify_log(&world.database, &ring.chain(), |_, _| {}).await.unwrap();
    assert_eq!(head.position.get(), 3);
    // The key that tests know by itself is the first of this ring.
    assert!(verify_log(&world.database, &chain(), |_, _| {}).await.is_err());
}
