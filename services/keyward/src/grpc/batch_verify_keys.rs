//! BatchVerifyKeys: up to 100 verdicts in one call, in the order of the requests.

use std::time::Instant;

use api::v1::{BatchVerifyKeysRequest, BatchVerifyKeysResponse};
use tonic::{Code, Request, Response, Status};

use super::caller::Caller;
use super::rpc::Rpc;
use super::status::Refusal;
use super::verify_key;
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
    let answered = answer(node, &request).await;
    let code = answered.as_ref().map_or_else(Refusal::code, |_| Code::Ok);
    node.counts.call(Rpc::BatchVerifyKeys, code, began.elapsed());
    answered.map(Response::new).map_err(Status::from)
}

async fn answer(
    node: &Node,
    request: &Request<BatchVerifyKeysRequest>,
) -> Result<BatchVerifyKeysResponse, Refusal> {
    let caller = Caller::of(node, request.metadata())?;
    let requests = &request.get_ref().requests;
    if !(1..=MOST).contains(&requests.len()) {
        return Err(Refusal::field("requests", "must have 1 to 100 entries"));
    }
    let at = |at: usize| move |refusal: Refusal| refusal.within(&format!("requests[{at}]"));
    for (place, request) in requests.iter().enumerate() {
        verify_key::catch_up(node, request).await.map_err(at(place))?;
    }
    let each = |(place, request)| verify_key::judge(node, &caller, request).map_err(at(place));
    let verdicts: Vec<_> = requests.iter().enumerate().map(each).collect::<Result<_, _>>()?;
    for verdict in &verdicts {
        node.counts.verdict(verdict.denial);
    }
    Ok(BatchVerifyKeysResponse { verdicts })
}
