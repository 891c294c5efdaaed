//! What can go wrong with the log, and what is wrong with a log that cannot be trusted.
//!
//! It deliberately has no variant per statement: a caller can act on a conflict, wait out an
//! outage, stop on corruption and mend a configuration, and nothing else.

use std::error::Error;
use std::sync::Arc;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};
use uuid::Uuid;

use crate::append::Expected;
use crate::event::{Position, Revision, StreamId};

/// What was underneath. Shared, because one failed commit answers many commands.
pub type Cause = Arc<dyn Error + Send + Sync + 'static>;

/// A failure of the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// The stream is not where the command expected it. Nothing was written.
    #[error("stream {stream} is at {actual:?}, expected {expected:?}")]
    Conflict {
        /// The stream in question.
        stream: StreamId,
        /// What the command expected.
        expected: Expected,
        /// Where the stream is; `None` if it has no event.
        actual: Option<Revision>,
    },
    /// The event id is taken by another event. Nothing was written.
    #[error("event id {event_id} is already taken at position {position}")]
    DuplicateEvent {
        /// The id.
        event_id: Uuid,
        /// Where it is.
        position: Position,
    },
    /// The command can never be appended as it is. Nothing was written.
    #[error("not appendable: {0}")]
    Invalid(&'static str),
    /// More commands are waiting than this writer holds. Nothing was written.
    #[error("the writer's queue is full")]
    Overloaded,
    /// The database does not answer. For an append: nothing was written.
    #[error("the log is unavailable")]
    Unavailable(#[source] Cause),
    /// The connection died around COMMIT and the log could not be read since: the append may have
    /// happened or not. Appending again with the same event ids gives the truth.
    #[error("the outcome of the append is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// The log is not what it must be. Nobody may go on from here.
    #[error("the log is corrupt at position {position}: {what}")]
    Corrupt {
        /// The first bad position.
        position: Position,
        /// What is wrong there.
        what: Fault,
    },
    /// An event is linked under a chain key that is not here: whether it is sound can't be told until
    /// the key is.
    #[error(
        "the key ring has no chain key {key}, under which position {position} of the log is: give this program the newest key ring"
    )]
    UnknownChainKey {
        /// The event.
        position: Position,
        /// The key's id.
        key: u16,
    },
    /// A projection did not reach the position in time.
    #[error("projection {projection} has not reached position {position} in time")]
    Lagging {
        /// The projection.
        projection: String,
        /// The position that was waited for.
        position: Position,
    },
    /// The database answers, but is not set up for us: address, credentials, schema or grants.
    #[error("{what}")]
    Configuration {
        /// What to mend, in one line.
        what: String,
        /// What was underneath, if anything.
        #[source]
        cause: Option<Cause>,
    },
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No event at this position, although a later one, or the head, says there was one.
    #[error("the event is missing")]
    Missing,
    /// The event's MAC does not follow from the one before and its own content: it was changed,
    /// swapped or put in, or the chain key is another one.
    #[error("the MAC does not match the event")]
    MacMismatch,
    /// The event at a position that was seen before now carries another MAC: history was replaced.
    #[error("another event was here before")]
    Replaced,
    /// The head lies before a position that was seen before: the tail was lost.
    #[error("the head is at {head}, behind what was seen")]
    Truncated {
        /// Where the head is now.
        head: Position,
    },
    /// There are events after the head.
    #[error("there is an event after the head")]
    BeyondHead,
    /// The head's MAC is not the MAC of the last event.
    #[error("the head does not carry the last event's MAC")]
    HeadMac,
    /// This is another log.
    #[error("this is log {found}, not {expected}")]
    OtherLog {
        /// The log that was followed.
        expected: Uuid,
        /// The log that is there.
        found: Uuid,
    },
    /// An operator has started another epoch of this log.
    #[error("this is epoch {found}, not {expected}")]
    OtherEpoch {
        /// The epoch that was followed.
        expected: i32,
        /// The epoch that is there.
        found: i32,
    },
    /// A stream's revisions are not dense.
    #[error("stream {stream} has revision {found} where {expected} was due")]
    Revision {
        /// The stream.
        stream: StreamId,
        /// The revision that was due.
        expected: Revision,
        /// The revision that is there.
        found: Revision,
    },
    /// A column holds what was never written.
    #[error("the {0} cannot be read")]
    Undecodable(&'static str),
}

impl LogError {
    pub(crate) fn corrupt(position: Position, what: Fault) -> Self {
        Self::Corrupt { position, what }
    }

    pub(crate) fn unavailable(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(cause))
    }

    pub(crate) fn timed_out(what: &'static str) -> Self {
        Self::unavailable(TimedOut(what))
    }

    pub(crate) fn configuration(what: impl Into<String>) -> Self {
        Self::Configuration { what: what.into(), cause: None }
    }

    /// True if the same call can succeed later without anyone mending anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overloaded
            | Self::Unavailable(_)
            | Self::OutcomeUnknown(_)
            | Self::Lagging { .. } => true,
            Self::Conflict { .. }
            | Self::DuplicateEvent { .. }
            | Self::Invalid(_)
            | Self::Corrupt { .. }
            | Self::UnknownChainKey { .. }
            | Self::Configuration { .. } => false,
        }
    }
}

/// An answer of the database did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time: {0}")]
struct TimedOut(&'static str);

impl From<tokio_postgres::Error> for LogError {
    fn from(error: tokio_postgres::Error) -> Self {
        let what = error.code().and_then(mendable);
        let cause: Cause = Arc::new(error);
        match what {
            Some(what) => Self::Configuration { what: what.to_owned(), cause: Some(cause) },
            None => Self::Unavailable(cause),
        }
    }
}

impl From<PoolError> for LogError {
    fn from(error: PoolError) -> Self {
        if let PoolError::Backend(error) = error {
            return error.into();
        }
        Self::unavailable(error)
    }
}

/// The SQLSTATEs that no waiting cures, with what to do about them.
fn mendable(code: &SqlState) -> Option<&'static str> {
    let table = [
        (&SqlState::UNDEFINED_TABLE, "a table is missing in the database: run the migrations"),
        (&SqlState::INVALID_SCHEMA_NAME, "a schema is missing in the database: run the migrations"),
        (&SqlState::UNDEFINED_COLUMN, "a column is missing in the database: run the migrations"),
        (
            &SqlState::INSUFFICIENT_PRIVILEGE,
            "the database role lacks a privilege: see deploy/roles.sql",
        ),
        (&SqlState::INVALID_PASSWORD, "the database refuses the password"),
        (&SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "the database refuses the role"),
        (&SqlState::INVALID_CATALOG_NAME, "the database does not exist"),
    ];
    table.into_iter().find(|(known, _)| *known == code).map(|(_, what)| what)
}

/// The SQLSTATE at the bottom of an error, if the server sent one.
pub(crate) fn sqlstate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a SqlState> {
    // A shared cause hides the driver's error from downcasts, but not the server's answer below it.
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(answer) = current.downcast_ref::<DbError>() {
            return Some(answer.code());
        }
        next = current.source();
    }
    None
}
