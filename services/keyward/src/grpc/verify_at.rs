//! VerifyAt: whether a key would have passed at a moment of the past, and by which event it would not.

use std::sync::Arc;

use api::v1::verify_at_request::Moment;
use api::v1::{self as wire, VerifyAtRequest, VerifyAtResponse};
use domain::verdict::Question;
use domain::{Kid, Micros, WorkspaceId};
use eventlog::{Position, RecordedEvent};
use jiff::Timestamp;

use super::asked::Asked;
use super::call::Call;
use super::history::History;
use super::status::{InField, Refusal, Resource};
use super::verify_view::View;
use super::{audit_event, convert, explain, fields, reading, verdict};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: VerifyAtRequest,
) -> Result<VerifyAtResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    call.caller.audits(workspace)?;
    let question = wire::VerifyKeyRequest {
        client_ip: request.client_ip,
        origin: request.origin,
        required_scopes: request.required_scopes,
        ..wire::VerifyKeyRequest::default()
    };
    let view = View::of(&question);
    let asked = Asked::read(&view)?;
    let kid = match request.kid.as_str() {
        "" => None,
        text => Some(text.parse::<Kid>().in_field("kid")?),
    };
    let end = End::read(&node, request.moment)?;
    let head = reading::log_of_workspace(&node, workspace).await?;
    let at = end.moment(&node, workspace, head).await?;
    let history = History::read(node.commands.log(), workspace, key_id).await?;
    let before = history.before(|event| end.is_behind(event));
    let kid = kid.or_else(|| history.kid(&before));
    let kid = kid.ok_or_else(|| Refusal::field("kid", "is required: the key has no credential"))?;
    let question = Question {
        earliest: at.into(),
        latest: at.into(),
        client_ip: asked.client_ip,
        origin: asked.origin.as_ref(),
        all_of: &asked.all_of,
        any_of: &asked.any_of,
    };
    let judged = history.judge(&node.brand, &before, kid, &question, |answer, checks| {
        let written = verdict::write(&node.brand, answer, &[], Micros::from(at))?;
        Ok::<_, Refusal>((written, explain::checks(checks, &question, answer)))
    });
    let (written, checks) = judged.answer?;
    Ok(VerifyAtResponse {
        decision: written.decision,
        denial: written.denial,
        denial_detail: written.denial_detail,
        checks,
        deciding_event: judged.decided_by.map(audit_event::named).transpose()?,
        at_time: Some(convert::moment(at)),
        kid: kid.to_string(),
    })
}

/// Where the past ends that is asked about.
#[derive(Clone, Copy)]
enum End {
    Time(Timestamp),
    Position(Position),
}

impl End {
    fn read(node: &Node, moment: Option<Moment>) -> Result<Self, Refusal> {
        match moment {
            Some(Moment::AtPosition(position)) => Ok(Self::Position(Position::new(position))),
            Some(Moment::AtTime(at)) => match fields::moment("at_time", Some(at))? {
                Some(at) if at <= node.clock.now() => Ok(Self::Time(at)),
                Some(_) | None => Err(Refusal::field("at_time", "must not be in the future")),
            },
            None => Err(Refusal::field("at_time", "is required, or at_position")),
        }
    }

    /// Its time.
    async fn moment(
        self,
        node: &Node,
        workspace: WorkspaceId,
        head: Position,
    ) -> Result<Timestamp, Refusal> {
        let position = match self {
            Self::Time(at) => return Ok(at),
            Self::Position(position) => position,
        };
        // What is another's is refused as what is not there.
        let refuse =
            || Refusal::field("at_position", "must be the position of an event of this workspace");
        let before = position.get().checked_sub(1).filter(|_| position <= head);
        let before = Position::new(before.ok_or_else(refuse)?);
        let events = node.commands.log().read_from(before, 1).await?;
        let own = |event: &&RecordedEvent| {
            event.position == position
                && event.workspace_id.as_deref() == Some(workspace.to_string().as_str())
        };
        events.iter().find(own).map(|event| event.recorded_at).ok_or_else(refuse)
    }

    fn is_behind(self, event: &RecordedEvent) -> bool {
        match self {
            Self::Time(at) => event.recorded_at <= at,
            Self::Position(position) => event.position <= position,
        }
    }
}
