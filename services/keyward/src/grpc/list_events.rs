//! ListEvents: what happened in a workspace, page by page, from the log itself.

use std::sync::Arc;

use api::v1::{self as wire, ListEventsRequest, ListEventsResponse};
use eventlog::{AuditOrder, AuditScan, Position, RecordedEvent};
use prost::Message;

use super::call::Call;
use super::event_filter::Wanted;
use super::status::Refusal;
use super::{audit_event, fields, page_token, reading};
use crate::node::Node;

/// Payloads of one page as they are stored.
const LARGE_PAGE: usize = 1024 * 1024;
/// A page is cut short before it is larger than this on the wire, where numbers and short texts take
/// more room: it must fit into a client's usual 4 MiB.
const LARGE_ANSWER: usize = 2 * 1024 * 1024;
/// Events that are looked at for one page.
const MOST_LOOKED_AT: usize = 10_000;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ListEventsRequest,
) -> Result<ListEventsResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    call.caller.audits(workspace)?;
    let wanted = Wanted {
        workspace,
        key_id: &request.key_id,
        actor: &request.actor,
        kinds: &request.kinds,
        start_time: request.start_time,
        end_time: request.end_time,
    };
    let filter = wanted.filter()?;
    let bound = bound(&request);
    let scan = AuditScan {
        order: match fields::variant("order", request.order)? {
            wire::EventOrder::Unspecified | wire::EventOrder::NewestFirst => {
                AuditOrder::NewestFirst
            }
            wire::EventOrder::OldestFirst => AuditOrder::OldestFirst,
        },
        events: page_token::size(request.page_size)?,
        after: page_token::read_as(&node, &bound, &request.page_token, place)?,
        up_to: None,
        bytes: LARGE_PAGE,
        rows: MOST_LOOKED_AT,
    };
    reading::log_of_workspace(&node, workspace).await?;
    let page = node.commands.log().audit(&filter, &scan).await?;
    let (events, cut) = shown(&page.events)?;
    let next_page_token = match cut.or(page.next) {
        None => String::new(),
        Some(next) => page_token::write_bytes(&node, &bound, &next.get().to_be_bytes())?,
    };
    Ok(ListEventsResponse { events, next_page_token })
}

/// As many of these events as fit into one answer; and the last of them, if that is not all.
///
/// # Errors
/// One can't be read.
pub(super) fn shown(
    events: &[RecordedEvent],
) -> Result<(Vec<wire::AuditEvent>, Option<Position>), Refusal> {
    let (mut shown, mut bytes, mut last) = (Vec::with_capacity(events.len()), 0, None);
    for event in events {
        let one = audit_event::of(event)?;
        bytes += one.encoded_len();
        if bytes > LARGE_ANSWER && !shown.is_empty() {
            return Ok((shown, last));
        }
        last = Some(event.position);
        shown.push(one);
    }
    Ok((shown, None))
}

/// The position in a page token.
fn place(bytes: &[u8]) -> Option<Position> {
    bytes.try_into().ok().map(|bytes| Position::new(u64::from_be_bytes(bytes)))
}

/// What a page token is bound to: this RPC and the whole list, without what may differ from page to page.
fn bound(request: &ListEventsRequest) -> Vec<u8> {
    let list = ListEventsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    [b"ListEvents".as_slice(), &list.encode_to_vec()].concat()
}
