//! Batches of random commands against a model that keeps nothing but a number for each stream.

use std::collections::HashMap;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Past, Plan};
use crate::append::{Append, AppendOutcome, Expected, Prepared, StreamAppend};
use crate::chain::ChainMac;
use crate::error::LogError;
use crate::event::{Metadata, NewEvent, Position, Revision, StreamId};
use crate::row::Head;

/// A stream, what is expected of it, how many events.
type Wish = (u8, Option<u64>, u8);

fn chain() -> ChainMac {
    // Not a MAC, but every byte counts.
    ChainMac::new(|text| {
        let mut mac = [0; 32];
        for (index, byte) in text.iter().enumerate() {
            let at = index % 32;
            mac[at] = u8::rotate_left(mac[at], 3).wrapping_add(*byte).wrapping_add(1);
        }
        mac
    })
}

fn past() -> Past {
    let log_id = Uuid::from_u128(1);
    Past {
        head: Head { log_id, epoch: 1, position: Position::ZERO, mac: chain().genesis(log_id) },
        now: Timestamp::UNIX_EPOCH,
        revisions: HashMap::new(),
        events: HashMap::new(),
        requests: HashMap::new(),
    }
}

fn prepare(wishes: &[Wish]) -> Vec<Prepared> {
    let mut ids = (1..).map(Uuid::from_u128);
    wishes
        .iter()
        .map(|(stream, expected, events)| {
            let expected = match expected {
                None => Expected::Any,
                Some(0) => Expected::NoStream,
                Some(revision) => Expected::Exact(Revision::new(*revision)),
            };
            let event = |event_id| NewEvent {
                event_id,
                kind: "k".to_owned(),
                schema: 1,
                payload: vec![*stream],
            };
            let events = ids.by_ref().take(usize::from(*events)).map(event).collect();
            let stream = StreamId::new(format!("s{stream}")).unwrap();
            Prepared::new(Append {
                workspace_id: None,
                streams: vec![StreamAppend { stream, expected, events }],
                metadata: Metadata::default(),
                request: None,
            })
            .unwrap()
        })
        .collect()
}

proptest! {
    #[test]
    fn a_batch_is_dense_and_each_command_gets_the_answer_it_would_get_alone(
        wishes in prop::collection::vec((0..3_u8, prop::option::of(0..6_u64), 1..4_u8), 1..40)
    ) {
        let commands = prepare(&wishes);
        let plan = Plan::new(past(), &chain(), commands.iter());
        let (mut revisions, mut position) = (HashMap::new(), 0);
        for ((stream, expected, events), answer) in wishes.iter().zip(&plan.answers) {
            let at = revisions.entry(*stream).or_insert(0);
            if expected.is_none_or(|expected| expected == *at) {
                let Ok(AppendOutcome::Appended(place)) = answer else { panic!("{answer:?}") };
                prop_assert_eq!(place.first.get(), position + 1);
                position += u64::from(*events);
                *at += u64::from(*events);
                prop_assert_eq!(place.last.get(), position);
            } else {
                let Err(LogError::Conflict { actual, .. }) = answer else { panic!("{answer:?}") };
                prop_assert_eq!(actual.map_or(0, Revision::get), *at);
            }
        }
        let positions: Vec<_> = plan.events.iter().map(|event| event.position.get()).collect();
        prop_assert_eq!(positions, (1..=position).collect::<Vec<_>>());
        prop_assert_eq!(plan.head.position.get(), position);
        let mut due: HashMap<&str, u64> = HashMap::new();
        for event in &plan.events {
            let due = due.entry(event.stream.as_str()).or_default();
            *due += 1;
            prop_assert_eq!(event.revision.get(), *due);
        }
    }
}
