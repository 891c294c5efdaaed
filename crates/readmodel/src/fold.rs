//! What all projections share: reading a batch of recorded events, and folding a stream's events
//! into the state that its row holds.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use domain::{Decider, DecodeError, Event, Noun, Suspect};
use eventlog::{ProjectionError, RecordedEvent};

use crate::columns::bigint;
use crate::error::ReadError;

/// Why a batch can't be folded into tables.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    #[error("the tables can't be written")]
    Write(#[from] tokio_postgres::Error),
    #[error("the state to go on from can't be read")]
    Read(#[from] ReadError),
    /// Nothing smaller than everything could be put under quarantine.
    #[error(
        "the event at position {position} can't be read and may be about anything: \
         a newer version of Keyward wrote this; upgrade"
    )]
    Unreadable {
        position: u64,
        #[source]
        cause: DecodeError,
    },
}

/// What a projection's `apply` answers.
pub(crate) type Folding<'a> = futures_util::future::BoxFuture<'a, Result<(), ProjectionError>>;

/// The schema of all tables here.
pub(crate) const SCHEMA: &str = "readmodel";

/// A readable event with its place.
pub(crate) struct Step<E> {
    pub(crate) position: u64,
    pub(crate) revision: u64,
    pub(crate) event: E,
}

/// The steps of each stream, by the id of what the stream is about.
pub(crate) type Streams<I, E> = BTreeMap<I, Vec<Step<E>>>;

/// Puts a step where its stream's other steps are.
pub(crate) fn put<I: Ord, E>(streams: &mut Streams<I, E>, id: I, place: (u64, u64), event: E) {
    let (position, revision) = place;
    streams.entry(id).or_default().push(Step { position, revision, event });
}

/// A state as far as one revision of its stream.
pub(crate) struct Version<S> {
    pub(crate) state: S,
    pub(crate) revision: u64,
    pub(crate) position: u64,
}

impl<S: Default> Default for Version<S> {
    /// Before the first event.
    fn default() -> Self {
        Self { state: S::default(), revision: 0, position: 0 }
    }
}

impl<S: Decider> Version<S> {
    /// This version after those of `steps` that it does not hold yet.
    pub(crate) fn after(mut self, steps: &[Step<S::Event>]) -> Self {
        for step in steps {
            if step.position > self.position {
                self.state = self.state.evolve(&step.event);
                self.revision = step.revision;
                self.position = step.position;
            }
        }
        self
    }
}

/// The streams whose first step here is not their beginning: their rows must be known.
pub(crate) fn older<I: Copy, E>(
    streams: &Streams<I, E>,
    begins: impl Fn(&E) -> bool,
) -> impl Iterator<Item = I> {
    streams
        .iter()
        .filter(move |(_, steps)| !steps.first().is_some_and(|step| begins(&step.event)))
        .map(|(id, _)| *id)
}

/// What the steps change: the new version of everything that has a step its row does not hold.
pub(crate) fn advance<I: Eq + Hash, S: Decider>(
    mut known: HashMap<I, Version<S>>,
    streams: &Streams<I, S::Event>,
) -> Vec<Version<S>> {
    let mut changed = Vec::new();
    for (id, steps) in streams {
        let before = known.remove(id).unwrap_or_default();
        let stood_at = before.position;
        let after = before.after(steps);
        if after.position > stood_at {
            changed.push(after);
        }
    }
    changed
}

/// What is to be written as one row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a, T> {
    pub(crate) value: &'a T,
    pub(crate) revision: i64,
    pub(crate) position: i64,
}

/// The rows of those versions in which there is something.
pub(crate) fn rows<'a, S, T>(
    versions: &'a [Version<S>],
    present: impl Fn(&'a S) -> Option<&'a T>,
) -> Vec<Row<'a, T>> {
    let row = |version: &'a Version<S>| {
        Some(Row {
            value: present(&version.state)?,
            revision: bigint(version.revision),
            position: bigint(version.position),
        })
    };
    versions.iter().filter_map(row).collect()
}

/// Something that has an event which this build can't read.
pub(crate) struct Unreadable {
    pub(crate) suspect: Suspect,
    pub(crate) position: u64,
    pub(crate) reason: String,
}

/// A batch taken apart.
pub(crate) struct Batch {
    pub(crate) steps: Vec<Step<Event>>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// Reads those events of a batch that are about `nouns`, and finds those that may be about anything.
///
/// # Errors
/// [`FoldError::Unreadable`] for an event that can't be read and may be about anything.
pub(crate) fn read(batch: &[RecordedEvent], nouns: &[Noun]) -> Result<Batch, FoldError> {
    let mut read = Batch { steps: Vec::with_capacity(batch.len()), unreadable: Vec::new() };
    for recorded in batch {
        let position = recorded.position.get();
        let noun = Event::noun(&recorded.kind, recorded.schema);
        if noun.is_some_and(|noun| !nouns.contains(&noun)) {
            continue;
        }
        match Event::decode(&recorded.kind, recorded.schema, &recorded.payload) {
            Ok(event) => {
                read.steps.push(Step { position, revision: recorded.revision.get(), event })
            }
            Err(cause) => {
                let workspace_id = recorded.workspace_id.as_deref();
                let Some(suspects) = Suspect::all_of(workspace_id, recorded.stream.as_str()) else {
                    return Err(FoldError::Unreadable { position, cause });
                };
                for suspect in suspects {
                    tracing::error!(
                        position,
                        %suspect,
                        error = &cause as &dyn std::error::Error,
                        "an event can't be read: what it is about is quarantined"
                    );
                    let reason = reason(&cause);
                    read.unreadable.push(Unreadable { suspect, position, reason });
                }
            }
        }
    }
    Ok(read)
}

/// The error and its cause in one line. Serde names fields and shapes; a value it may quote is of
/// the log, where no secret is.
fn reason(cause: &DecodeError) -> String {
    match std::error::Error::source(cause) {
        Some(source) => format!("{cause}: {source}"),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says how often it has evolved: a state for which once and twice differ.
    #[derive(Debug, Default, PartialEq)]
    struct Tally(Vec<u8>);

    impl Decider for Tally {
        type Command = ();
        type Event = u8;

        fn decide(&self, (): ()) -> Result<Vec<u8>, domain::Rejection> {
            Ok(Vec::new())
        }

        fn evolve(mut self, event: &u8) -> Self {
            self.0.push(*event);
            self
        }
    }

    fn steps(positions: &[u64]) -> Streams<u8, u8> {
        let mut streams = Streams::new();
        for (revision, position) in (1..).zip(positions) {
            put(&mut streams, 0, (*position, revision), 7);
        }
        streams
    }

    #[test]
    fn a_step_that_a_row_holds_is_not_folded_again() {
        let first = advance(HashMap::<u8, Version<Tally>>::new(), &steps(&[3, 8]));
        let row = first.into_iter().next().unwrap();
        assert_eq!((row.state.0.len(), row.revision, row.position), (2, 2, 8));
        let again = advance(HashMap::from([(0, row)]), &steps(&[3, 8, 9]));
        let row = again.into_iter().next().unwrap();
        assert_eq!((row.state.0.len(), row.revision, row.position), (3, 3, 9));
        let known = HashMap::from([(0, row)]);
        assert!(advance(known, &steps(&[3, 8, 9])).is_empty(), "nothing has changed");
    }
}
