//! VerifyKey: the verdict, from memory. No database, no await but a wait that the caller asked for.
//!
//! A denial is an answer; "could not decide" is an error. Nothing here may block: it runs on the
//! thread that serves the connection.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use api::v1::{self as wire, VerifyKeyRequest, VerifyKeyResponse};
use domain::verdict::Question;
use domain::{KeyId, Origin, Presented, Scope, WorkspaceId, parse_client_address};
use eventlog::Position;
use smallvec::SmallVec;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use verifier::{Answer, EnvSet, Query};

use super::caller::Caller;
use super::rpc::Rpc;
use super::status::{InField, Refusal};
use super::{fields, verdict};
use crate::node::Node;

/// How long a verdict waits for the position of a consistency token.
const CATCH_UP: Duration = Duration::from_millis(100);
const LONGEST_ORIGIN: usize = 2_048;

/// Answers the call.
///
/// # Errors
/// Bad input, no right to ask, or a node that can't know.
pub(super) async fn run(
    node: &Node,
    request: Request<VerifyKeyRequest>,
) -> Result<Response<VerifyKeyResponse>, Status> {
    let began = Instant::now();
    let answered = answer(node, request.metadata(), request.get_ref()).await;
    let code = match &answered {
        Ok(answer) => {
            node.counts.verdict(answer.denial);
            Code::Ok
        }
        Err(refusal) => refusal.code(),
    };
    node.counts.call(Rpc::VerifyKey, code, began.elapsed());
    answered.map(Response::new).map_err(Status::from)
}

async fn answer(
    node: &Node,
    metadata: &MetadataMap,
    request: &VerifyKeyRequest,
) -> Result<VerifyKeyResponse, Refusal> {
    let caller = Caller::of(node, metadata)?;
    catch_up(node, request).await?;
    judge(node, &caller, request)
}

/// Waits, bounded, until this node has applied what the request's token names.
pub(super) async fn catch_up(node: &Node, request: &VerifyKeyRequest) -> Result<(), Refusal> {
    use wire::consistency::Requirement::{AtLeast, MinimizeLatency};
    let token = match request.consistency.as_ref().and_then(|one| one.requirement.as_ref()) {
        Some(AtLeast(token)) => token,
        Some(MinimizeLatency(_)) | None => return Ok(()),
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

/// The verdict on one request: computed first, and only then the lease is read.
pub(super) fn judge(
    node: &Node,
    caller: &Caller,
    request: &VerifyKeyRequest,
) -> Result<VerifyKeyResponse, Refusal> {
    let (tenant, caller_envs) = caller.verifies()?;
    let asked = Asked::read(request)?;
    let now = node.clock.now_micros();
    let query = Query {
        // What is longer than any credential is malformed all the same; it is not looked through.
        key: request
            .key
            .get(..)
            .filter(|key| key.len() <= Presented::MAX_LENGTH)
            .unwrap_or_default(),
        tenant,
        workspace_id: asked.workspace_id,
        envs: caller_envs.intersection(asked.envs),
        expected_key_id: asked.expected_key_id,
        question: Question {
            earliest: now,
            latest: now,
            client_ip: asked.client_ip,
            origin: asked.origin.as_ref(),
            all_of: &asked.all_of,
            any_of: &asked.any_of,
        },
    };
    let verifier = node.verifier.load();
    let write =
        |answer: &Answer<'_>| verdict::write(&node.brand, answer, &asked.depends_on(request), now);
    let mut response = match asked.mode {
        wire::VerifyMode::Explain => {
            verifier.explain(&query, node.secret_check(), |answer, checks| {
                let mut response = write(answer)?;
                response.checks = verdict::checks(&checks, &query.question, answer);
                Ok(response)
            })
        }
        wire::VerifyMode::Unspecified | wire::VerifyMode::Normal | wire::VerifyMode::DryRun => {
            verifier.verify(&query, node.secret_check(), write)
        }
    }?;
    let fresh = node.freshness.check()?;
    verdict::stamp(&mut response, node, fresh);
    Ok(response)
}

/// A request whose every field was checked.
struct Asked<'a> {
    workspace_id: Option<WorkspaceId>,
    expected_key_id: Option<KeyId>,
    envs: EnvSet,
    client_ip: Option<IpAddr>,
    origin: Option<Origin>,
    all_of: SmallVec<[&'a str; 8]>,
    any_of: SmallVec<[&'a str; 8]>,
    mode: wire::VerifyMode,
}

impl<'a> Asked<'a> {
    fn read(request: &'a VerifyKeyRequest) -> Result<Self, Refusal> {
        let scopes = request.required_scopes.as_ref();
        let all_of = scopes.map_or(&[][..], |scopes| &scopes.all_of);
        let any_of = scopes.map_or(&[][..], |scopes| &scopes.any_of);
        if request.origin.len() > LONGEST_ORIGIN {
            return Err(Refusal::field("origin", "must have at most 2048 bytes"));
        }
        Ok(Self {
            workspace_id: match request.workspace_id.as_str() {
                "" => None,
                text => Some(fields::id("workspace_id", text)?),
            },
            expected_key_id: match request.expected_key_id.as_str() {
                "" => None,
                text => Some(fields::id("expected_key_id", text)?),
            },
            envs: EnvSet::allowing(&fields::envs("allowed_envs", &request.allowed_envs)?),
            client_ip: match request.client_ip.as_str() {
                "" => None,
                text => Some(parse_client_address(text).in_field("client_ip")?),
            },
            origin: match request.origin.as_str() {
                "" => None,
                text => Some(Origin::parse(text)),
            },
            all_of: required("required_scopes.all_of", all_of)?,
            any_of: required("required_scopes.any_of", any_of)?,
            mode: fields::variant("mode", request.mode)?,
        })
    }

    /// Which inputs the verdict rests on, besides the key itself.
    fn depends_on(&self, request: &VerifyKeyRequest) -> SmallVec<[wire::VerdictInput; 6]> {
        let inputs = [
            (self.expected_key_id.is_some(), wire::VerdictInput::ExpectedKeyId),
            (self.workspace_id.is_some(), wire::VerdictInput::WorkspaceId),
            (!request.allowed_envs.is_empty(), wire::VerdictInput::AllowedEnvs),
            (self.client_ip.is_some(), wire::VerdictInput::ClientIp),
            (self.origin.is_some(), wire::VerdictInput::Origin),
            (
                !self.all_of.is_empty() || !self.any_of.is_empty(),
                wire::VerdictInput::RequiredScopes,
            ),
        ];
        inputs.into_iter().filter(|(given, _)| *given).map(|(_, input)| input).collect()
    }
}

fn required<'a>(path: &str, codes: &'a [String]) -> Result<SmallVec<[&'a str; 8]>, Refusal> {
    if codes.len() > domain::ScopeSet::MAX {
        return Err(Refusal::field(path, "must have at most 128 scopes"));
    }
    let each = |(at, code): (usize, &'a String)| {
        if Scope::is_valid(code) {
            return Ok(code.as_str());
        }
        Err(Refusal::field(format!("{path}[{at}]"), Scope::RULE))
    };
    codes.iter().enumerate().map(each).collect()
}
