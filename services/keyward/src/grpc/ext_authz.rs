//! Envoy's `ext_authz` (version 3): the verdict on the key of an HTTP request that Envoy holds back, found as
//! VerifyKey finds it and answered in HTTP.
//!
//! Who calls is Envoy, by a credential of its own. What must hold is said by the route in its configuration;
//! of the client's request, only credential, origin and user agent are read. A denial is an answer. Where
//! there is no verdict the call fails, whatever the reason, so that Envoy answers `status_on_error`.

mod answer;
mod problem;
mod question;
mod sent;

use std::time::Instant;

use api::envoy::service::auth::v3::authorization_server::Authorization;
use api::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use api::v1::ErrorReason;
use tonic::{Code, Request, Response, Status};
use tracing::Instrument;

use super::caller::Caller;
use super::rpc::Rpc;
use super::status::Refusal;
use super::{Services, access, call, verify_key};
use crate::counts::Unasked;
use crate::node::Node;
use question::{Fault, Question};
use sent::Sent;

#[tonic::async_trait]
impl Authorization for Services {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let (node, began) = (&self.0, Instant::now());
        let sent = Sent::of(request.get_ref());
        // Envoy's own trace of the call, or else the one that its client has begun.
        let traceparent = call::text(request.metadata(), "traceparent");
        let traceparent = traceparent.or_else(|| sent.line("traceparent"));
        let span = call::span_of(node, Rpc::Check, traceparent);
        let answered = check(node, &request, &sent).instrument(span).await;
        let code = answered.as_ref().map_or_else(Refusal::code, |_| Code::Ok);
        node.counts.call(Rpc::Check, code, began.elapsed());
        answered.map(Response::new).map_err(Status::from)
    }
}

/// The answer on one request.
async fn check(
    node: &Node,
    request: &Request<CheckRequest>,
    sent: &Sent<'_>,
) -> Result<CheckResponse, Refusal> {
    let request_id = sent.line("x-request-id");
    if let Some(request_id) = request_id {
        tracing::Span::current().record("request_id", request_id);
    }
    let caller = Caller::of(node, request.metadata(), request.extensions().get()).await?;
    access::admit(&caller, Rpc::Check)?;
    let question = match Question::read(request.get_ref(), sent, &node.ext_authz) {
        Ok(question) => question,
        Err(Fault::NoCredential) => {
            node.counts.unasked(Unasked::NoCredential);
            return Ok(problem::no_credential());
        }
        Err(Fault::TwoCredentials) => {
            node.counts.unasked(Unasked::TwoCredentials);
            tracing::info!(request_id, "two different credentials in one request");
            return Ok(problem::no_credential());
        }
        Err(Fault::Operator(refusal)) => return Err(mistaken(refusal, request_id)),
    };
    let verdict = match verify_key::of_view(node, &caller, &question.view()) {
        Ok(verdict) => verdict,
        Err(refusal) if refusal.reason() == ErrorReason::GuessesExhausted => {
            return Ok(problem::too_many_guesses(refusal));
        }
        Err(refusal) if refusal.is_the_callers() => return Err(mistaken(refusal, request_id)),
        Err(refusal) => {
            tracing::debug!(reason = refusal.reason().as_reason(), request_id, "no verdict");
            return Err(refusal);
        }
    };
    node.counts.verdict(verdict.denial);
    answer::of(&verdict, &question, &node.ext_authz, request_id)
}

/// A question that can't be asked so, whoever the client is: Envoy's configuration must change.
#[cold]
fn mistaken(refusal: Refusal, request_id: Option<&str>) -> Refusal {
    let status = Status::from(refusal.clone());
    tracing::error!(
        reason = refusal.reason().as_reason(),
        request_id,
        "Envoy is configured wrongly for ext_authz, and lets nothing on: {}",
        status.message()
    );
    refusal
}
