//! VerifyKey: the verdict, from memory. No database, no await but a wait that the caller asked for.
//!
//! A denial is an answer; "could not decide" is an error. Nothing here may block: it runs on the
//! thread that serves the connection.

use std::time::{Duration, Instant};

use api::v1::{self as wire, VerifyKeyRequest, VerifyKeyResponse};
use domain::Presented;
use domain::verdict::{Check, Outcome, Question, Verdict};
use eventlog::Position;
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use tracing::Instrument;
use verifier::{Answer, EnvSet, Kept, Query, Tenant, Verifier};

use super::asked::Asked;
use super::call::Peer;
use super::caller::Caller;
use super::express::{HEAD, malformed};
use super::rpc::Rpc;
use super::status::Refusal;
use super::verdict_bytes::Bytes as Encoded;
use super::verify_view::View;
use super::{call, explain, verdict, verdict_bytes};
use crate::clock::Now;
use crate::guesses::{self, TooMany};
use crate::node::Node;
use crate::usage::Use;

/// How long a verdict waits for the position of a consistency token.
const CATCH_UP: Duration = Duration::from_millis(100);
/// What nearly every answer fits into.
const ROOM: usize = 512;

/// Answers the call.
///
/// # Errors
/// Bad input, no right to ask, or a node that can't know.
pub(super) async fn run(
    node: &Node,
    request: Request<VerifyKeyRequest>,
) -> Result<Response<VerifyKeyResponse>, Status> {
    let began = Instant::now();
    let span = call::span(node, Rpc::VerifyKey, request.metadata());
    let answered = answer(node, &request).instrument(span).await;
    let answered = answered.map_err(Status::from);
    count(node, answered.as_ref().map(|answer| answer.denial), began);
    answered.map(Response::new)
}

async fn answer(
    node: &Node,
    request: &Request<VerifyKeyRequest>,
) -> Result<VerifyKeyResponse, Refusal> {
    let caller = Caller::of(node, request.metadata(), request.extensions().get()).await?;
    let request = request.get_ref();
    catch_up(node, request).await?;
    of_view(node, &caller, &View::of(request))
}

/// The verdict for a caller who is known. Its use is recorded, and it is counted as a guess if it is one.
///
/// # Errors
/// Bad input, no right to ask, or a node that can't know.
pub(super) fn of_view(
    node: &Node,
    caller: &Caller,
    view: &View<'_>,
) -> Result<VerifyKeyResponse, Refusal> {
    let begun = node.freshness.begin();
    let (mut response, used) = judge(node, &node.verifier.load(), caller, view)?;
    verdict::stamp(&mut response, node, node.freshness.end(begun)?);
    limit_guesses(node, caller, response.denial)?;
    record(node, used.as_ref());
    Ok(response)
}

/// Answers a call whose message is still encoded, with one that is encoded and has its head, and with
/// its denial. Does not count it.
///
/// # Errors
/// As [`run`]; or the message can't be read.
pub(super) async fn run_encoded(
    node: &Node,
    metadata: &MetadataMap,
    peer: Option<&Peer>,
    message: &[u8],
) -> Result<(Vec<u8>, i32), Refusal> {
    let span = call::span(node, Rpc::VerifyKey, metadata);
    let Some(view) = View::read(message) else {
        let request = VerifyKeyRequest::decode(message).map_err(|_| malformed())?;
        return answer_encoded(node, metadata, peer, &View::of(&request)).instrument(span).await;
    };
    answer_encoded(node, metadata, peer, &view).instrument(span).await
}

/// Counts a verdict on a key that there is not, and no other: what is accepted does not come near it.
///
/// # Errors
/// Its caller has asked for too many of them.
#[inline]
pub(super) fn limit_guesses(node: &Node, caller: &Caller, denial: i32) -> Result<(), Refusal> {
    if !guesses::is_guess(denial) {
        return Ok(());
    }
    node.guesses.note(&caller.guesser()).map_err(|TooMany(wait)| {
        let message = "too many keys that there are not; those that there are can be asked for";
        Refusal::new(wire::ErrorReason::GuessesExhausted, message).retry_after(wait)
    })
}

/// Records that a key was used, once that is answered.
#[inline]
pub(super) fn record(node: &Node, used: Option<&Use<'_>>) {
    if let Some(used) = used {
        node.usage.record(used);
    }
}

/// Counts a call that was answered with this denial, or refused.
#[inline]
pub(super) fn count(node: &Node, answered: Result<i32, &Status>, began: Instant) {
    let code = match answered {
        Ok(denial) => {
            node.counts.verdict(denial);
            Code::Ok
        }
        Err(status) => status.code(),
    };
    node.counts.call(Rpc::VerifyKey, code, began.elapsed());
}

async fn answer_encoded(
    node: &Node,
    metadata: &MetadataMap,
    peer: Option<&Peer>,
    view: &View<'_>,
) -> Result<(Vec<u8>, i32), Refusal> {
    let mut begun = node.freshness.begin();
    let caller = Caller::before_end(node, metadata, peer, begun).await?;
    if view.requirement.is_some() {
        node.freshness.end(begun)?;
        catch_up_with(node, view.requirement).await?;
        begun = node.freshness.begin();
    }
    let verifier = node.verifier.load();
    let mut used = None;
    let respond = |judged: Judged<'_>| {
        used = judged.used(view);
        judged.bytes(node, view.key)
    };
    let (mut out, denial) = judged(node, &verifier, &caller, view, respond)?;
    verdict_bytes::stamp(&mut out, node.freshness.log_name(), node.freshness.end(begun)?);
    limit_guesses(node, &caller, denial)?;
    record(node, used.as_ref());
    let Encoded(mut message) = out;
    let length = u32::try_from(message.len() - HEAD).unwrap_or(u32::MAX);
    message[1..HEAD].copy_from_slice(&length.to_be_bytes());
    Ok((message, denial))
}

/// Waits, bounded, until this node has applied what the request's token names.
pub(super) async fn catch_up(node: &Node, request: &VerifyKeyRequest) -> Result<(), Refusal> {
    let consistency = request.consistency.as_ref();
    catch_up_with(node, consistency.and_then(|one| one.requirement.as_ref())).await
}

async fn catch_up_with(
    node: &Node,
    requirement: Option<&wire::consistency::Requirement>,
) -> Result<(), Refusal> {
    use wire::consistency::Requirement::{AtLeast, MinimizeLatency};
    let token = match requirement {
        Some(AtLeast(token)) => token,
        Some(MinimizeLatency(true)) | None => return Ok(()),
        Some(MinimizeLatency(false)) => {
            let path = "consistency.minimize_latency";
            return Err(Refusal::field(path, "must be true, or another requirement be named"));
        }
    };
    let position: Position = node
        .freshness
        .read_token(token)
        .map_err(|error| Refusal::from(error).renamed("at_least", "consistency.at_least"))?;
    if node.freshness.wait_for(position, CATCH_UP).await {
        return Ok(());
    }
    Err(Refusal::new(
        wire::ErrorReason::ConsistencyTokenNotReached,
        "this node has not applied the consistency token yet",
    )
    .retry_after(CATCH_UP))
}

/// The verdict on one request, without its freshness: begun before this, ended after it; and what is to
/// be recorded of it.
fn judge<'a>(
    node: &Node,
    verifier: &Verifier,
    caller: &Caller,
    view: &View<'a>,
) -> Result<(VerifyKeyResponse, Option<Use<'a>>), Refusal> {
    judged(node, verifier, caller, view, |judged| {
        let used = judged.used(view);
        Ok((judged.message(node)?, used))
    })
}

/// A request of a batch whose fields were checked.
pub(super) struct Checked<'a> {
    view: View<'a>,
    asked: Asked<'a>,
    sight: (Tenant<'a>, EnvSet),
}

impl<'a> Checked<'a> {
    /// Checks the fields of a request of `caller`.
    ///
    /// # Errors
    /// The first that breaks a rule; or the caller may not ask.
    pub(super) fn read(caller: &'a Caller, request: &'a VerifyKeyRequest) -> Result<Self, Refusal> {
        let sight = caller.verifies()?;
        let view = View::of(request);
        let asked = Asked::read(&view)?;
        Ok(Self { view, asked, sight })
    }

    /// Finds the key as it is in `verifier` now.
    pub(super) fn find(&self, node: &Node, verifier: &Verifier, now: Now) -> Kept {
        verifier.keep(&self.query(now), node.secret_check())
    }

    /// The verdict on what was found, without its freshness; and what is to be recorded of it.
    ///
    /// # Errors
    /// Nothing can be decided.
    pub(super) fn judge(
        &self,
        node: &Node,
        kept: &Kept,
        now: Now,
    ) -> Result<(VerifyKeyResponse, Option<Use<'a>>), Refusal> {
        let query = self.query(now);
        let (question, depends_on) = (&query.question, &*self.asked.depends_on(&self.view));
        let message = |answer: &Answer<'_>, checks| {
            let judged = Judged { answer, checks, question, depends_on };
            let used = judged.used(&self.view);
            Ok((judged.message(node)?, used))
        };
        if self.asked.mode == wire::VerifyMode::Explain {
            return kept.explain(&query, |answer, checks| message(answer, Some(checks)));
        }
        kept.verify(&query, |answer| message(answer, None))
    }

    fn query(&self, now: Now) -> Query<'_> {
        query(self.sight, self.view.key, &self.asked, now)
    }
}

#[inline]
fn query<'a>(
    (tenant, envs): (Tenant<'a>, EnvSet),
    key: &'a str,
    asked: &'a Asked<'_>,
    now: Now,
) -> Query<'a> {
    Query {
        // What is longer than any credential is malformed all the same; it is not looked through.
        key: if key.len() <= Presented::MAX_LENGTH { key } else { "" },
        tenant,
        workspace_id: asked.workspace_id,
        envs: envs.intersection(asked.envs),
        expected_key_id: asked.expected_key_id,
        question: Question {
            earliest: now.earliest,
            latest: now.latest,
            client_ip: asked.client_ip,
            origin: asked.origin.as_ref(),
            all_of: &asked.all_of,
            any_of: &asked.any_of,
        },
    }
}

/// What came out for one request.
struct Judged<'a> {
    answer: &'a Answer<'a>,
    /// Of mode EXPLAIN only.
    checks: Option<Vec<(Check, Outcome)>>,
    question: &'a Question<'a>,
    depends_on: &'a [wire::VerdictInput],
}

impl Judged<'_> {
    /// What is to be recorded: nothing of a key that is not known, nor in modes that leave no trace.
    #[inline]
    fn used<'a>(&self, view: &View<'a>) -> Option<Use<'a>> {
        let normal = [wire::VerifyMode::Unspecified, wire::VerifyMode::Normal];
        let key = self
            .answer
            .key
            .as_ref()
            .filter(|_| normal.iter().any(|&one| view.mode == one as i32))?;
        Some(Use {
            kid: key.kid,
            key_id: key.key_id,
            workspace_id: key.workspace_id,
            at: self.question.latest,
            verdict: match self.answer.verdict.as_ref().ok()? {
                Verdict::Accepted => 0,
                Verdict::Denied(denial) => verdict::number(denial) as i32,
            },
            ip: self.question.client_ip,
            user_agent: view.user_agent,
        })
    }

    fn message(self, node: &Node) -> Result<VerifyKeyResponse, Refusal> {
        let now = self.question.latest;
        let mut response = verdict::write(&node.brand, self.answer, self.depends_on, now)?;
        if let Some(checks) = self.checks {
            response.checks = explain::checks(&checks, self.question, self.answer);
        }
        Ok(response)
    }

    /// The message as bytes, behind room for its head.
    #[inline]
    fn bytes(self, node: &Node, key: &str) -> Result<(Encoded, i32), Refusal> {
        let mut out = Encoded(Vec::with_capacity(ROOM));
        out.0.extend_from_slice(&[0; HEAD]);
        if matches!(self.answer.verdict, Ok(Verdict::Accepted)) && self.checks.is_none() {
            let now = self.question.latest;
            verdict_bytes::accepted(&mut out, self.answer, &node.brand, key, self.depends_on, now);
            return Ok((out, 0));
        }
        let message = self.message(node)?;
        out.0.extend_from_slice(&message.encode_to_vec());
        Ok((out, message.denial))
    }
}

#[inline]
fn judged<R>(
    node: &Node,
    verifier: &Verifier,
    caller: &Caller,
    view: &View<'_>,
    respond: impl FnOnce(Judged<'_>) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let sight = caller.verifies()?;
    let asked = Asked::read(view)?;
    let query = query(sight, view.key, &asked, node.clock.bounds());
    let depends_on = asked.depends_on(view);
    let with = |answer: &Answer<'_>, checks| {
        let question = &query.question;
        respond(Judged { answer, checks, question, depends_on: &depends_on })
    };
    match asked.mode {
        wire::VerifyMode::Explain => {
            verifier
                .explain(&query, node.secret_check(), |answer, checks| with(answer, Some(checks)))
        }
        wire::VerifyMode::Unspecified | wire::VerifyMode::Normal | wire::VerifyMode::DryRun => {
            verifier.verify(&query, node.secret_check(), |answer| with(answer, None))
        }
    }
}
