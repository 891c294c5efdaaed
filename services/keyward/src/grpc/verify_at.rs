//! VerifyAt: whether a key would have passed at a moment of the past, and by which event it would not.

use std::sync::Arc;

use api::v1::verify_at_request::Moment;
use api::v1::{self as wire, VerifyAtRequest, VerifyAtResponse};
use domain::verdict::Question;
use domain::{Kid, Micros};
use eventlog::Position;

use super::asked::Asked;
use super::call::Call;
use super::history::History;
use super::past::End;
use super::status::{InField, Refusal, Resource};
use super::verify_view::View;
use super::{audit_event, convert, explain, reading, verdict};
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
    let end = end(&node, request.moment)?;
    let head = reading::log_of_workspace(&node, workspace).await?;
    let at = end.moment(&node, workspace, head, POSITION).await?;
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

const TIME: &str = "at_time";
const POSITION: &str = "at_position";

fn end(node: &Node, moment: Option<Moment>) -> Result<End, Refusal> {
    match moment {
        Some(Moment::AtPosition(position)) => Ok(End::Position(Position::new(position))),
        Some(Moment::AtTime(at)) => End::time(node, TIME, at),
        None => Err(Refusal::field(TIME, "is required, or at_position")),
    }
}
