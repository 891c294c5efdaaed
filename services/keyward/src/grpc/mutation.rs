//! What every changing RPC does around its own rules: the client's idempotency key (AIP-155), the
//! events' metadata, the consistency token, and the wait for this node's own verifier.

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1::{self as wire, ErrorReason};
use domain::{Event, WorkspaceId};
use eventlog::{Metadata, NewRequest, Position, RequestKey, StoredRequest};
use prost::Message;
use tokio::time::Instant;
use vault::{SealError, TokenPurpose};

use super::call::Call;
use super::fields;
use super::status::{Refusal, Resource};
use crate::barrier::Passed;
use crate::commands::{Change, CommandError, Envelope, Folded, Intent, Outcome, Subject};
use crate::node::Node;

/// How long a repeated request is answered with the secrets of the first answer.
const REPLAY: Duration = Duration::from_secs(600);

/// An answer that carries the position of its write.
pub trait Reply: Message + Default {
    /// Puts the consistency token into it.
    fn set_consistency_token(&mut self, token: String);

    /// Puts the end of the wait for all verifiers into it. An answer to what never waits has no place
    /// for it.
    fn set_barrier(&mut self, _: wire::Barrier) {}

    /// Whether there is one in it. A remembered answer has an empty one if it waited, so that its
    /// repetition waits as well.
    fn has_barrier(&self) -> bool {
        false
    }
}

/// What a change waits for, beyond its commit and this node's own verifier, if it takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    None,
    /// That no verifier accepts the state before it.
    AllVerifiers,
}

/// One change that a caller asks for.
pub struct Mutation<'a, Asked> {
    /// The call.
    pub call: &'a Call,
    /// The whole request, for the digest of its content.
    pub asked: &'a Asked,
    /// Its idempotency key; may be empty.
    pub request_id: &'a str,
    /// The tenant that it is about, if it is about one.
    pub workspace: Option<WorkspaceId>,
    /// What NOT_FOUND means here: which kind of thing, and its name.
    pub missing: (Resource, String),
    /// What it waits for.
    pub wait: Wait,
}

impl<Asked: Message> Mutation<'_, Asked> {
    /// Does all of `intents` or none, and answers with `reply` of what became of their subjects; a
    /// repeated request is answered as the first one was, without deciding anything again. Without
    /// intents there is nothing to remember, and nothing is.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub async fn run<R: Reply>(
        &self,
        node: &Node,
        intents: &[Intent],
        reply: impl Fn(&[Folded]) -> R + Send + Sync,
    ) -> Result<R, Refusal> {
        self.run_in(node, self.workspace, intents, reply).await
    }

    /// The answer to this very request if it was answered before. For who has something to do before
    /// [`Mutation::run`], which asks it again.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub async fn repeated<R: Reply>(&self, node: &Node) -> Result<Option<R>, Refusal> {
        let Some(id) = fields::request_id(self.request_id)? else {
            return Ok(None);
        };
        let key = self.request_key(id);
        match node.commands.log().find_request(&key).await? {
            Some(stored) => self.replay(node, &key, &stored).await.map(Some),
            None => Ok(None),
        }
    }

    /// As [`Mutation::run`], with the events in a tenant that begins with them.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub async fn run_in<R: Reply>(
        &self,
        node: &Node,
        tenant: Option<WorkspaceId>,
        intents: &[Intent],
        reply: impl Fn(&[Folded]) -> R + Send + Sync,
    ) -> Result<R, Refusal> {
        if let Some(answered) = self.repeated(node).await? {
            return Ok(answered);
        }
        let key = fields::request_id(self.request_id)?.map(|id| self.request_key(id));
        if intents.is_empty() {
            let head = node.commands.log().head().await?.position;
            return Ok(completed(node, reply(&[]), head, Instant::now()).await);
        }
        let reply = |folded: &[Folded]| {
            let mut answer = reply(folded);
            if self.waits(folded) {
                answer.set_barrier(wire::Barrier::default());
            }
            answer
        };
        let remember = |folded: &[Folded], seen| {
            key.as_ref().map(|key| self.record(node, key, &reply(folded), seen)).transpose()
        };
        let outcome = node
            .commands
            .execute(&envelope(self.call, self.request_id, tenant), intents, remember)
            .await;
        match (outcome, &key) {
            (Ok(Outcome::Committed(done)), _) => {
                let committed = Instant::now();
                let answer = reply(&done.folded);
                node.settle(done.position).await;
                Ok(completed(node, answer, done.position, committed).await)
            }
            (Ok(Outcome::Repeated(stored)), Some(key)) => self.replay(node, key, &stored).await,
            (Ok(Outcome::Repeated(_)), None) => {
                Err(Refusal::new(ErrorReason::Internal, "internal error"))
            }
            (Err(error), Some(key)) if decided_on_the_past(&error) => {
                // The change that stood in the way may be this very request's, done by its twin.
                match node.commands.log().find_request(key).await? {
                    Some(stored) => self.replay(node, key, &stored).await,
                    None => Err(self.refuse(error)),
                }
            }
            (Err(error), _) => Err(self.refuse(error)),
        }
    }

    /// Whether the answer waits: unless nothing was taken away. What was so already may be the work of
    /// somebody who did not wait.
    fn waits(&self, folded: &[Folded]) -> bool {
        // No verdict rests on a configuration.
        let judged = |folded: &&Folded| !matches!(folded.subject, Subject::Config(_));
        let gains = folded.iter().filter(judged).all(|folded| folded.change == Change::Gives);
        self.wait == Wait::AllVerifiers && !gains
    }

    fn refuse(&self, error: CommandError) -> Refusal {
        if matches!(error, CommandError::Rejected(domain::Rejection::NotFound)) {
            return Refusal::not_found(self.missing.0, self.missing.1.clone());
        }
        error.into()
    }

    fn request_key(&self, request_id: &str) -> RequestKey {
        RequestKey {
            workspace: self.workspace.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            caller: self.call.caller.actor(),
            rpc: self.call.rpc.name().to_owned(),
            request_id: request_id.to_owned(),
        }
    }

    /// Of the request's content. A MAC, for what a request holds may be guessed: an e-mail address is
    /// sealed everywhere else. Under the first chain key, whichever is active: a repetition must come out
    /// the same after a rotation, on a node that has heard of it and on one that has not.
    fn digest(&self, node: &Node) -> [u8; 32] {
        let mut content = zeroize::Zeroizing::new(b"keyward.request.v1".to_vec());
        content.extend_from_slice(&zeroize::Zeroizing::new(self.asked.encode_to_vec()));
        node.ring.load().chain().lasting(&content)
    }

    /// The record of this request: its answer sealed, since it may hold secrets.
    fn record<R: Reply>(
        &self,
        node: &Node,
        key: &RequestKey,
        answer: &R,
        rests_on: Position,
    ) -> Result<NewRequest, SealError> {
        let bytes = zeroize::Zeroizing::new(answer.encode_to_vec());
        let sealed_reply =
            node.ring.load().tokens().seal_bytes(TokenPurpose::Reply, &bound(key), &bytes)?;
        Ok(NewRequest {
            workspace: key.workspace.clone(),
            caller: key.caller.clone(),
            rpc: key.rpc.clone(),
            request_id: key.request_id.clone(),
            content_digest: self.digest(node),
            sealed_reply,
            expires_at: node.clock.now() + REPLAY,
            rests_on,
        })
    }

    async fn replay<R: Reply>(
        &self,
        node: &Node,
        key: &RequestKey,
        stored: &StoredRequest,
    ) -> Result<R, Refusal> {
        if stored.content_digest != self.digest(node) {
            return Err(Refusal::new(
                ErrorReason::RequestIdReused,
                "the request_id was used for another request",
            ));
        }
        let live = node.clock.now() < stored.expires_at;
        let Some(sealed) = stored.sealed_reply.as_ref().filter(|_| live) else {
            return Err(already_answered(node, stored.position).await?);
        };
        let bytes = node
            .ring
            .load()
            .tokens()
            .open_bytes(TokenPurpose::Reply, &bound(key), sealed)
            .map_err(|error| Refusal::internal(&error))?;
        let answer = R::decode(bytes.as_slice()).map_err(|error| Refusal::internal(&error))?;
        Ok(completed(node, answer, stored.position, Instant::now()).await)
    }
}

/// What is stored with the events of a call.
pub(super) fn envelope(call: &Call, of_client: &str, tenant: Option<WorkspaceId>) -> Envelope {
    let told = |name: &str, value: &Option<String>| Some((name.to_owned(), value.clone()?));
    let request_id = told("x-request-id", &call.request_id);
    let client_hash = told("client_hash", &call.client_hash);
    Envelope {
        workspace_id: tenant,
        metadata: Metadata {
            actor: call.caller.actor(),
            credential: None,
            request_id: (!of_client.is_empty()).then(|| of_client.to_owned()),
            client_address: call.peer.clone(),
            traceparent: telemetry::current_traceparent(call.traceparent.as_deref()),
            causation: None,
            extra: request_id.into_iter().chain(client_hash).collect::<BTreeMap<_, _>>(),
        },
    }
}

/// The answer with its consistency token; after the wait, if it waits.
async fn completed<R: Reply>(
    node: &Node,
    mut answer: R,
    position: Position,
    committed: Instant,
) -> R {
    answer.set_consistency_token(node.freshness.token(position));
    if answer.has_barrier() {
        answer.set_barrier(node.barrier.pass(position, committed).await.into());
    }
    answer
}

/// Whether what was there already stood in the way.
const fn decided_on_the_past(error: &CommandError) -> bool {
    match error {
        CommandError::Rejected(_) | CommandError::EtagMismatch { .. } | CommandError::Contended => {
            true
        }
        CommandError::Undecodable(_)
        | CommandError::NoEntropy(_)
        | CommandError::Seal(_)
        | CommandError::Log(_) => false,
    }
}

/// The refusal to answer again, which names what the request made or changed.
async fn already_answered(node: &Node, position: Position) -> Result<Refusal, Refusal> {
    let refusal = Refusal::new(
        ErrorReason::RequestAlreadyAnswered,
        "the request was answered before, and its answer is no longer kept",
    );
    let before = Position::new(position.get().saturating_sub(1));
    let events = node.commands.log().read_from(before, 1).await?;
    let Some(event) = events.first() else {
        return Ok(refusal);
    };
    // The stream of a key's configuration and auth tokens begins with the key's id.
    let stream = event.stream.as_str();
    let id = stream.split_once('/').map_or(stream, |(id, _)| id);
    let made = Event::decode(&event.kind, event.schema, &event.payload);
    let refusal = match made {
        Ok(Event::AuthToken(event)) => {
            refusal.with("auth_token_id", event.auth_token_id().to_string())
        }
        // Named by their streams.
        Ok(Event::Workspace(_) | Event::ApiKey(_) | Event::Config(_) | Event::Reveal(_))
        | Ok(Event::ServiceCredential(_))
        | Err(_) => refusal,
    };
    Ok(match id.split_once('_') {
        Some(("key", _)) => refusal.with("key_id", id),
        Some(("ws", _)) => refusal.with("workspace_id", id),
        Some(("svc", _)) => refusal.with("service_credential_id", id),
        Some(_) | None => refusal,
    })
}

/// What a sealed reply is bound to, so that it opens for its own request only.
fn bound(key: &RequestKey) -> Vec<u8> {
    [&key.workspace, &key.caller, &key.rpc, &key.request_id]
        .into_iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()))
        .collect()
}

impl From<Passed> for wire::Barrier {
    fn from(passed: Passed) -> Self {
        let count = |number| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            confirmed: count(passed.confirmed),
            fenced: count(passed.fenced),
            elapsed: prost_types::Duration::try_from(passed.elapsed).ok(),
        }
    }
}

macro_rules! replies {
    ($($message:ident $(with $barrier:ident)?),+ $(,)?) => {
        $( impl Reply for wire::$message {
            fn set_consistency_token(&mut self, token: String) {
                self.consistency_token = token;
            }

            $( fn set_barrier(&mut self, passed: wire::Barrier) {
                self.$barrier = Some(passed);
            }

            fn has_barrier(&self) -> bool {
                self.$barrier.is_some()
            } )?
        } )+
    };
}

replies!(
    CreateApiKeyResponse,
    DisableApiKeyResponse with barrier,
    EnableApiKeyResponse,
    UpdateApiKeyResponse with barrier,
    RotateApiKeyResponse with barrier,
    EndRotationGraceResponse with barrier,
    DeleteApiKeyResponse with barrier,
    UndeleteApiKeyResponse,
    RevokeApiKeyResponse with barrier,
    RevokeApiKeysResponse with barrier,
    ImportApiKeysResponse,
    CreateWorkspaceResponse,
    SuspendWorkspaceResponse with barrier,
    ResumeWorkspaceResponse,
    ResetWorkspaceTokenResponse with barrier,
    EraseSubjectResponse with barrier,
    CreateServiceCredentialResponse,
    RevokeServiceCredentialResponse with barrier,
    UpdateConfigResponse with barrier,
    PutConfigSecretResponse,
    DeleteConfigSecretResponse,
    IssueAuthTokenResponse,
    ResetAuthTokenResponse,
    RevokeAuthTokenResponse,
);
