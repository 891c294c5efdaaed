use std::net::IpAddr;

use domain::{KeyId, Kid, Micros, WorkspaceId};
use uuid::Uuid;

use super::*;

const HOUR: i64 = 3_600_000_000;

/// A use of the credential of this number at this moment.
fn used(number: u8, at: i64, verdict: i32) -> Use<'static> {
    let resource = Uuid::from_u128(u128::from(number));
    Use {
        kid: Kid::from_entropy([number; 12]),
        key_id: KeyId::new(resource),
        workspace_id: WorkspaceId::new(resource),
        at: Micros(at),
        verdict,
        ip: Some(IpAddr::from([192, 0, 2, number])),
        user_agent: "agent",
    }
}

/// All tallies of a recorder, and how many verdicts it dropped.
fn taken(recorder: &Recorder) -> (Vec<(Place, Tally)>, u64) {
    let mut tallies = Vec::new();
    let dropped =
        recorder.take(&mut Tallies::default(), |place, tally| tallies.push((place, tally)));
    tallies.sort_by_key(|(place, _)| *place);
    (tallies, dropped)
}

#[test]
fn verdicts_are_tallied_by_credential_and_hour_and_taken_once() {
    let recorder = Recorder::bounded(1, 10);
    for (number, at, verdict) in [(1, 5, 0), (1, 6, 0), (1, 7, 3), (2, 8, 10), (1, HOUR, 0)] {
        recorder.record(&used(number, at, verdict));
    }
    let (tallies, dropped) = taken(&recorder);
    assert_eq!(dropped, 0);
    let seen: Vec<_> = tallies
        .iter()
        .map(|(place, tally)| {
            (place.kid.bits()[0], place.hour, tally.verdicts().collect::<Vec<_>>())
        })
        .collect();
    let expected = [(1, 0, vec![(0, 2), (3, 1)]), (1, 1, vec![(0, 1)]), (2, 0, vec![(10, 1)])];
    assert_eq!(seen, expected);
    assert_eq!(taken(&recorder), (Vec::new(), 0));
}

#[test]
fn a_denial_counts_and_leaves_the_last_use_alone() {
    let recorder = Recorder::bounded(1, 10);
    recorder.record(&Use { user_agent: "old", ..used(1, 5, 0) });
    recorder.record(&Use { user_agent: "denied", ip: None, ..used(1, 9, 13) });
    recorder.record(&used(2, 9, 13));
    let (tallies, _) = taken(&recorder);
    let last = tallies[0].1.last.as_ref().unwrap();
    assert_eq!((last.at, &*last.user_agent), (Micros(5), "old"));
    assert_eq!(last.ip, Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(tallies[1].1.last, None);
}

#[test]
fn the_last_use_is_the_latest_in_whatever_order_they_come() {
    let recorder = Recorder::bounded(1, 10);
    for (at, user_agent) in [(5, "first"), (9, "the longest of all"), (7, "between")] {
        recorder.record(&Use { user_agent, ..used(1, at, 0) });
    }
    let (mut tallies, _) = taken(&recorder);
    let (_, mut tally) = tallies.remove(0);
    assert_eq!(*tally.last.as_ref().unwrap().user_agent, *"the longest of all");
    tally.absorb(Tally::of(&used(1, 8, 0), &Arc::from("before")));
    assert_eq!(*tally.last.as_ref().unwrap().user_agent, *"the longest of all");
    tally.absorb(Tally::of(&used(1, 10, 0), &Arc::from("after")));
    assert_eq!(*tally.last.as_ref().unwrap().user_agent, *"after");
    assert_eq!(tally.verdicts().collect::<Vec<_>>(), [(0, 5)]);
}

#[test]
fn what_is_beyond_the_bound_is_dropped_and_counted_and_what_is_known_goes_on() {
    let recorder = Recorder::bounded(1, 2);
    for number in [1, 2, 3, 4, 1, 2, 3] {
        recorder.record(&used(number, 5, 0));
    }
    let (tallies, dropped) = taken(&recorder);
    assert_eq!((tallies.len(), dropped), (2, 3));
    assert!(tallies.iter().all(|(_, tally)| tally.accepted() == 2));
    // There is room again.
    recorder.record(&used(3, 5, 0));
    let (tallies, dropped) = taken(&recorder);
    assert_eq!((tallies.len(), dropped), (1, 0));
}

#[test]
fn all_shards_together_hold_no_more_than_the_bound() {
    for threads in [1, 2, 7, 64] {
        let recorder = Recorder::new(threads);
        assert!(recorder.shards.len() * recorder.most <= MOST, "{threads}");
    }
}

#[test]
fn nothing_is_lost_between_threads_that_record_and_one_that_takes() {
    const EACH: u64 = 20_000;
    let recorder = Recorder::bounded(2, 100);
    let mut accepted = 0;
    let mut spare = Tallies::default();
    std::thread::scope(|scope| {
        let record = || (0..EACH).for_each(|n| recorder.record(&used((n % 7) as u8, n as i64, 0)));
        let threads = [scope.spawn(record), scope.spawn(record), scope.spawn(record)];
        while threads.iter().any(|thread| !thread.is_finished()) {
            recorder.take(&mut spare, |_, tally| accepted += tally.accepted());
        }
    });
    recorder.take(&mut spare, |_, tally| accepted += tally.accepted());
    assert_eq!(accepted, 3 * EACH);
}

#[test]
fn a_user_agent_is_cut_at_a_boundary_of_characters() {
    let recorder = Recorder::bounded(1, 10);
    let long = format!("{}é and more", "x".repeat(511));
    recorder.record(&Use { user_agent: &long, ..used(1, 5, 0) });
    let (tallies, _) = taken(&recorder);
    assert_eq!(*tallies[0].1.last.as_ref().unwrap().user_agent, *"x".repeat(511));
}

#[test]
fn one_that_is_off_records_nothing() {
    let recorder = Recorder::off();
    recorder.record(&used(1, 5, 0));
    assert_eq!(taken(&recorder), (Vec::new(), 0));
}
