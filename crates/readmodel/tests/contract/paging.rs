//! Pages: in order, without loss or doubles, whatever is written meanwhile.

use std::collections::BTreeSet;

use domain::api_key::Settings;
use domain::{KeyId, Network};
use readmodel::keys::{KeyFilter, KeyRow, list};
use readmodel::{Cursor, Order, Page, PageRequest, ReadError};

use crate::setup::{World, world};
use crate::story::{Fact, at, key_created, key_id, plain, revoked, workspace_id};

const EXISTING: u32 = 1_100;

async fn page(world: &World, request: &PageRequest) -> Page<KeyRow> {
    let filter = KeyFilter { include_dead: true, ..KeyFilter::of(workspace_id(1)) };
    list(&*world.reader, &filter, at(0), request).await.unwrap()
}

/// Keys of which always three were created in the same microsecond, in another order than their ids.
fn crowd(numbers: std::ops::Range<u32>) -> impl Iterator<Item = Fact> {
    numbers.map(|number| {
        let shuffled = number ^ 0b101;
        key_created(1, shuffled, plain(&format!("key {shuffled}")), i64::from(number / 3))
    })
}

async fn walk(world: &World, order: Order, between: impl AsyncFn(u32)) -> Vec<KeyRow> {
    let mut request = PageRequest::first(100, order);
    let mut rows = Vec::new();
    for turn in 0.. {
        let page = page(world, &request).await;
        rows.extend(page.rows);
        let Some(next) = page.next else { break };
        // As it comes back from a client.
        request.after = Some(Cursor::from_bytes(&next.to_bytes()).unwrap());
        between(turn).await;
    }
    rows
}

async fn assert_complete(order: Order) {
    let world = world().await;
    world.given(crowd(0..EXISTING)).await;
    let rows = walk(&world, order, async |turn| {
        let first = EXISTING + 8 + turn * 8;
        // New keys at both ends of the list, and changes of old ones.
        world.record(crowd(first..first + 8)).await;
        world.record([key_created(1, 1 << 20 | turn, plain("older"), -1 - i64::from(turn))]).await;
        world.given([revoked(1, 1_000 - turn * 50, 5)]).await;
    })
    .await;
    let place = |row: &KeyRow| (row.key.created_at, row.key.key_id);
    let in_order = match order {
        Order::NewestFirst => rows.is_sorted_by(|a, b| place(a) > place(b)),
        Order::ById => rows.is_sorted_by(|a, b| a.key.key_id < b.key.key_id),
    };
    assert!(in_order, "doubles, or out of order");
    let seen: BTreeSet<KeyId> = rows.iter().map(|row| row.key.key_id).collect();
    let missed: Vec<_> = (0..EXISTING)
        .map(|number| key_id(number ^ 0b101))
        .filter(|id| !seen.contains(id))
        .collect();
    assert_eq!(missed, []);
}

#[tokio::test]
async fn newest_first_shows_every_key_once_while_others_are_created() {
    assert_complete(Order::NewestFirst).await;
}

#[tokio::test]
async fn by_id_shows_every_key_once_while_others_are_created() {
    assert_complete(Order::ById).await;
}

#[tokio::test]
async fn a_page_has_the_size_that_was_asked_for_within_its_limits() {
    let world = world().await;
    world.given(crowd(0..EXISTING)).await;
    for (size, rows) in [(0, 1), (1, 1), (50, 50), (1_000, 1_000), (5_000, 1_000)] {
        let page = page(&world, &PageRequest::first(size, Order::ById)).await;
        assert_eq!(page.rows.len(), rows);
        assert!(page.next.is_some());
    }
}

#[tokio::test]
async fn a_page_knows_whether_it_is_the_last_however_many_parts_it_is_read_in() {
    let world = world().await;
    let mut keys = 0;
    for size in [1, 126, 127, 128, 129, 130, 255, 256, 257, 258, 259, 385, 386, 387] {
        world.given(crowd(0..size).skip(keys)).await;
        keys = size as usize;
        for order in [Order::NewestFirst, Order::ById] {
            let last = page(&world, &PageRequest::first(keys, order)).await;
            assert_eq!((last.rows.len(), last.next), (keys, None), "{order:?}");
            let larger = page(&world, &PageRequest::first(keys + 1, order)).await;
            assert_eq!((larger.rows.len(), larger.next), (keys, None), "{order:?}");
            let smaller = page(&world, &PageRequest::first((keys - 1).max(1), order)).await;
            assert_eq!(smaller.next.is_some(), keys > 1, "{order:?} {keys}");
        }
    }
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_and_reads_no_row_beyond() {
    let world = world().await;
    let networks = (0..1_000).map(|at| format!("10.0.{}.{}", at / 250, at % 250));
    let networks: Vec<_> = networks.map(|one| Network::parse(&one, true).unwrap()).collect();
    let large = Settings { ip_allowlist: Some(networks), ..plain("large") };
    world.given((0..40).map(|number| key_created(1, number, large.clone(), 0))).await;
    // One in the middle can't be read, and says so to whoever tries.
    let broken = format!(
        "UPDATE readmodel.keys SET ip_allowlist = '{{nonsense}}' WHERE key_id = '{}'",
        key_id(20).uuid()
    );
    let root = world.root.client().await.unwrap();
    root.batch_execute(&broken).await.unwrap();
    let filter = KeyFilter::of(workspace_id(1));
    let whole = PageRequest::first(1_000, Order::ById);
    let unbounded = list(&*world.reader, &filter, at(0), &whole).await;
    assert!(matches!(unbounded, Err(ReadError::Corrupt { .. })), "{unbounded:?}");

    let (mut request, mut seen) = (PageRequest { bytes: 100_000, ..whole }, 0);
    while seen < 11 {
        let page = page(&world, &request).await;
        assert!((2..=8).contains(&page.rows.len()), "{}", page.rows.len());
        let ids = (seen..).map(key_id).take(page.rows.len());
        assert!(page.rows.iter().map(|row| row.key.key_id).eq(ids));
        seen += u32::try_from(page.rows.len()).unwrap();
        request.after = page.next;
    }
    let tight = PageRequest { bytes: 1, ..whole };
    let one = page(&world, &tight).await;
    assert_eq!((one.rows.len(), one.next.is_some()), (1, true), "a page has a row");
}

#[tokio::test]
async fn a_full_last_page_has_no_next() {
    let world = world().await;
    world.given(crowd(0..16)).await;
    let request = PageRequest::first(8, Order::NewestFirst);
    let first = page(&world, &request).await;
    let second = page(&world, &PageRequest { after: first.next, ..request }).await;
    assert_eq!((second.rows.len(), second.next), (8, None));
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let world = world().await;
    world.given(crowd(0..8)).await;
    for (order, other) in [(Order::NewestFirst, Order::ById), (Order::ById, Order::NewestFirst)] {
        let first = page(&world, &PageRequest::first(2, order)).await;
        let request = PageRequest { after: first.next, ..PageRequest::first(2, other) };
        let filter = KeyFilter::of(workspace_id(1));
        let refused = list(&*world.reader, &filter, at(0), &request).await;
        assert!(matches!(refused, Err(ReadError::ForeignCursor)), "{refused:?}");
    }
    assert!(matches!(Cursor::from_bytes(b"{}"), Err(ReadError::ForeignCursor)));
    assert!(matches!(Cursor::from_bytes(b""), Err(ReadError::ForeignCursor)));
}
