//! The events of one workspace: all of them, once, in either order, and never more work than was allowed.

use eventlog::{
    Append, AuditFilter, AuditOrder, AuditScan, EventLog, Expected, Metadata, Position,
    RecordedEvent,
};

use crate::setup::{World, appended, command, event, part, stream, world};

const ALL: AuditScan = AuditScan {
    order: AuditOrder::OldestFirst,
    after: None,
    up_to: None,
    events: 1_000,
    bytes: usize::MAX,
    rows: 1_000,
};

fn of(workspace: &str) -> AuditFilter {
    AuditFilter { workspace_id: workspace.to_owned(), ..AuditFilter::default() }
}

async fn write(log: &EventLog, workspace: Option<&str>, name: &str, kind: &str, actor: &str) {
    let mut append: Append = command(vec![part(name, Expected::Any, 0)]);
    append.workspace_id = workspace.map(str::to_owned);
    append.metadata = Metadata { actor: actor.to_owned(), ..Metadata::default() };
    append.streams[0].events = vec![event(kind)];
    append.streams[0].stream = stream(name);
    appended(log.append(append).await);
}

/// Thirty events, every third of another workspace, and one of none.
async fn written(world: &World) -> EventLog {
    let log = world.log().await;
    for n in 0..30_u32 {
        let workspace = if n % 3 == 0 { "theirs" } else { "ours" };
        let (name, kind) = (format!("s{}", n % 4), format!("thing.{}", n % 5));
        write(&log, Some(workspace), &name, &kind, &format!("actor {}", n % 2)).await;
    }
    write(&log, None, "s0", "thing.0", "actor 0").await;
    log
}

fn positions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position.get()).collect()
}

/// All pages of a list; with how many there were.
async fn pages(log: &EventLog, filter: &AuditFilter, scan: AuditScan) -> (Vec<u64>, usize) {
    let (mut found, mut scan, mut count) = (Vec::new(), scan, 0);
    loop {
        let page = log.audit(filter, &scan).await.unwrap();
        assert!(page.events.len() <= scan.events);
        found.extend(positions(&page.events));
        count += 1;
        match page.next {
            None => return (found, count),
            next => scan.after = next,
        }
    }
}

#[tokio::test]
async fn every_event_of_a_workspace_is_listed_once_however_small_the_pages() {
    let world = world().await;
    let log = written(&world).await;
    let ours: Vec<u64> = (1..=30).filter(|position| (position - 1) % 3 != 0).collect();
    let newest: Vec<u64> = ours.iter().rev().copied().collect();
    for (order, expected) in [(AuditOrder::OldestFirst, &ours), (AuditOrder::NewestFirst, &newest)]
    {
        for (events, rows) in [(1_000, 1_000), (1, 1_000), (7, 1_000), (1_000, 3), (4, 3)] {
            let scan = AuditScan { order, events, rows, ..ALL };
            let (found, _) = pages(&log, &of("ours"), scan).await;
            assert_eq!(&found, expected, "{order:?} {events} {rows}");
        }
    }
    let whole = log.audit(&of("ours"), &ALL).await.unwrap();
    assert_eq!(whole.events[0], log.read_from(Position::new(1), 1).await.unwrap()[0]);
    assert_eq!(log.audit(&of("nobody"), &ALL).await.unwrap().events, []);
}

#[tokio::test]
async fn each_filter_lets_through_what_it_says_and_all_together_what_passes_each() {
    let world = world().await;
    let log = written(&world).await;
    let all = log.audit(&of("ours"), &ALL).await.unwrap().events;
    let (from, before) = (all[5].recorded_at, all[15].recorded_at);
    let streams = AuditFilter { streams: vec!["s1".into(), "s2".into()], ..of("ours") };
    let kinds = AuditFilter { kinds: vec!["thing.3".into(), "thing.1".into()], ..of("ours") };
    let actor = AuditFilter { actor: Some("actor 1".into()), ..of("ours") };
    let time =
        AuditFilter { recorded_from: Some(from), recorded_before: Some(before), ..of("ours") };
    let together = AuditFilter {
        streams: streams.streams.clone(),
        kinds: kinds.kinds.clone(),
        actor: actor.actor.clone(),
        ..time.clone()
    };
    let passes = |filter: &AuditFilter, event: &RecordedEvent| {
        let actor = event.metadata().unwrap().actor;
        (filter.streams.is_empty() || filter.streams.iter().any(|one| one == event.stream.as_str()))
            && (filter.kinds.is_empty() || filter.kinds.contains(&event.kind))
            && filter.actor.as_ref().is_none_or(|one| *one == actor)
            && filter.recorded_from.is_none_or(|from| event.recorded_at >= from)
            && filter.recorded_before.is_none_or(|before| event.recorded_at < before)
    };
    for filter in [streams, kinds, actor, time, together] {
        let expected: Vec<_> = all.iter().filter(|event| passes(&filter, event)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{filter:?}");
        let expected = positions(&expected);
        for rows in [1_000, 2] {
            let scan = AuditScan { rows, events: 2, ..ALL };
            assert_eq!(pages(&log, &filter, scan).await.0, expected, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_page_looks_at_no_more_rows_than_it_may_although_nothing_passes() {
    let world = world().await;
    let log = written(&world).await;
    let filter = AuditFilter { kinds: vec!["thing.that_never_was".into()], ..of("ours") };
    let scan = AuditScan { rows: 6, ..ALL };
    let page = log.audit(&filter, &scan).await.unwrap();
    // Positions 2 3 5 6 8 9 are the first six of ours.
    assert_eq!((page.events.len(), page.next), (0, Some(Position::new(9))));
    let (found, count) = pages(&log, &filter, scan).await;
    assert_eq!((found, count), (vec![], 4));
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_but_has_one_event_at_least() {
    let world = world().await;
    let log = written(&world).await;
    let all = log.audit(&of("ours"), &ALL).await.unwrap().events;
    let two = all[0].payload.len() + all[1].payload.len();
    for (bytes, count) in [(0, 1), (two - 1, 1), (two, 2)] {
        let page = log.audit(&of("ours"), &AuditScan { bytes, ..ALL }).await.unwrap();
        assert_eq!(page.events.len(), count, "{bytes}");
        let (found, _) = pages(&log, &of("ours"), AuditScan { bytes, ..ALL }).await;
        assert_eq!(found, positions(&all));
    }
}

#[tokio::test]
async fn what_lies_behind_the_end_that_was_asked_for_is_left_out() {
    let world = world().await;
    let log = written(&world).await;
    for order in [AuditOrder::OldestFirst, AuditOrder::NewestFirst] {
        let scan = AuditScan { up_to: Some(Position::new(9)), events: 2, order, ..ALL };
        let (mut found, _) = pages(&log, &of("ours"), scan).await;
        found.sort_unstable();
        assert_eq!(found, [2, 3, 5, 6, 8, 9], "{order:?}");
    }
}

#[tokio::test]
async fn a_list_of_a_workspace_is_read_by_its_index() {
    let world = world().await;
    let log = world.log().await;
    let mut append = command(vec![part("s", Expected::Any, 500)]);
    append.workspace_id = Some("theirs".to_owned());
    for _ in 0..4 {
        appended(log.append(append.clone()).await);
        for event in &mut append.streams[0].events {
            event.event_id = crate::setup::new_id();
        }
    }
    write(&log, Some("ours"), "o", "thing.0", "a").await;
    world.sql("ANALYZE log.events").await;
    let plan = "EXPLAIN SELECT position FROM log.events WHERE workspace_id = 'ours' \
                AND position > 0 AND position < 9223372036854775807 ORDER BY position DESC LIMIT 9";
    let rows = world.database.client().await.unwrap().query(plan, &[]).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(lines.concat().contains("events_workspace_position_idx"), "{lines:?}");
}
