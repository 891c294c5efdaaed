//! BatchVerifyKeys: up to 100 verdicts in one call, in the order of the requests.

use std::time::Instant;

use api::v1::{
    BatchVerifyKeysRequest, BatchVerifyKeysResponse, VerifyKeyRequest, VerifyKeyResponse,
};
use tonic::{Code, Request, Response, Status};
use tracing::Instrument;
use verifier::Kept;

use super::caller::Caller;
use super::rpc::Rpc;
use super::status::Refusal;
use super::verify_key::Checked;
use super::{call, verdict, verify_key};
use crate::node::Node;

const MOST: usize = 100;

/// Answers the call.
///
/// # Errors
/// Bad input in any of the requests, no right to ask, or a node that can't know.
pub(super) async fn run(
    node: &Node,
    request: Request<BatchVerifyKeysRequest>,
) -> Result<Response<BatchVerifyKeysResponse>, Status> {
    let began = Instant::now();
    let span = call::span(node, Rpc::BatchVerifyKeys, request.metadata());
    let answered = answer(node, &request).instrument(span).await;
    let code = answered.as_ref().map_or_else(Refusal::code, |_| Code::Ok);
    node.counts.call(Rpc::BatchVerifyKeys, code, began.elapsed());
    answered.map(Response::new).map_err(Status::from)
}

async fn answer(
    node: &Node,
    request: &Request<BatchVerifyKeysRequest>,
) -> Result<BatchVerifyKeysResponse, Refusal> {
    let caller = Caller::of(node, request.metadata(), request.extensions().get()).await?;
    let requests = &request.get_ref().requests;
    if requests.is_empty() {
        return Err(wrong_count());
    }
    refuse_many(requests.len())?;
    for (place, request) in requests.iter().enumerate() {
        verify_key::catch_up(node, request).await.map_err(at(place))?;
    }
    let verdicts = judge_all(node, &caller, requests)?;
    for verdict in verdicts.iter().filter(|verdict| verdict.undecided.is_none()) {
        node.counts.verdict(verdict.denial);
    }
    Ok(BatchVerifyKeysResponse { verdicts })
}

/// Refuses more requests than a batch takes.
///
/// # Errors
/// There are more.
pub(super) fn refuse_many(requests: usize) -> Result<(), Refusal> {
    if requests > MOST { Err(wrong_count()) } else { Ok(()) }
}

fn wrong_count() -> Refusal {
    Refusal::field("requests", "must have 1 to 100 entries")
}

/// All verdicts, from one state: no event is applied while the keys are looked for. What was found is
/// judged and written afterwards, as the tail waits for the former.
fn judge_all(
    node: &Node,
    caller: &Caller,
    requests: &[VerifyKeyRequest],
) -> Result<Vec<VerifyKeyResponse>, Refusal> {
    let checked = |(place, request)| Checked::read(caller, request).map_err(at(place));
    let checked: Vec<_> = requests.iter().enumerate().map(checked).collect::<Result<_, _>>()?;
    let still = node.still();
    let begun = node.freshness.begin();
    let verifier = node.verifier.load();
    let now = node.clock.bounds();
    let found: Vec<_> = checked.iter().map(|request| request.find(node, &verifier, now)).collect();
    drop(still);
    let fresh = node.freshness.end(begun)?;
    let each = |(request, found): (&Checked<'_>, &Kept)| {
        // What can't be decided of one is no reason to keep back the others.
        let judged = request.judge(node, found, now).and_then(|(verdict, used)| {
            verify_key::limit_guesses(node, caller, verdict.denial)?;
            Ok((verdict, used))
        });
        let (mut verdict, used) = judged.unwrap_or_else(|refusal| {
            let undecided = Some(refusal.into());
            (VerifyKeyResponse { undecided, ..VerifyKeyResponse::default() }, None)
        });
        verify_key::record(node, used.as_ref());
        verdict::stamp(&mut verdict, node, fresh);
        verdict
    };
    Ok(checked.iter().zip(&found).map(each).collect())
}

/// Names the request that a refusal is about.
fn at(place: usize) -> impl FnOnce(Refusal) -> Refusal {
    move |refusal| refusal.within(&format!("requests[{place}]"))
}
