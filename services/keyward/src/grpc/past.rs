//! The past as a call asks about it: all that lies before a moment, or up to the event at a position.

use domain::WorkspaceId;
use eventlog::{Position, RecordedEvent};
use jiff::Timestamp;

use super::fields;
use super::status::Refusal;
use crate::node::Node;

/// Where the past ends that is asked about.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// With the last event that the database had recorded by then.
    Time(Timestamp),
    /// With the event at this position.
    Position(Position),
}

impl End {
    /// The end at the moment in the field `path`.
    ///
    /// # Errors
    /// No moment that RFC 3339 can write, or one of the future.
    pub(super) fn time(
        node: &Node,
        path: &str,
        at: prost_types::Timestamp,
    ) -> Result<Self, Refusal> {
        match fields::moment(path, Some(at))? {
            Some(at) if at <= node.clock.now() => Ok(Self::Time(at)),
            Some(_) | None => Err(Refusal::field(path, "must not be in the future")),
        }
    }

    /// Its time. `path` names the field that a position came in.
    ///
    /// # Errors
    /// The position is not that of an event of this workspace; the log does not answer.
    pub(super) async fn moment(
        self,
        node: &Node,
        workspace: WorkspaceId,
        head: Position,
        path: &str,
    ) -> Result<Timestamp, Refusal> {
        let position = match self {
            Self::Time(at) => return Ok(at),
            Self::Position(position) => position,
        };
        // What is another's is refused as what is not there.
        let refuse = || Refusal::field(path, "must be the position of an event of this workspace");
        let before = position.get().checked_sub(1).filter(|_| position <= head);
        let before = Position::new(before.ok_or_else(refuse)?);
        let events = node.commands.log().read_from(before, 1).await?;
        let own = |event: &&RecordedEvent| {
            event.position == position
                && event.workspace_id.as_deref() == Some(workspace.to_string().as_str())
        };
        events.iter().find(own).map(|event| event.recorded_at).ok_or_else(refuse)
    }

    /// Whether `event` belongs to it.
    pub(super) fn is_behind(self, event: &RecordedEvent) -> bool {
        match self {
            Self::Time(at) => event.recorded_at <= at,
            Self::Position(position) => event.position <= position,
        }
    }
}
