//! Auth tokens of keys.
//!
//! They are not in the verifier's memory. The key's stream and that of its auth tokens are read from the
//! log's database at each call that comes with a token, and folded. So what a reset, a revocation or the
//! end of a key takes away needs no barrier:
//!
//! 1. A change is answered after its commit.
//! 2. A call that begins after that answer reads both streams after it, on whichever node: there is one
//!    database that is written, and no node keeps anything of an earlier call.
//! 3. So what it reads holds the change. A call that began before may have been decided on the state
//!    before; such a call is one that came first.
//!
//! A node that can't reach the database can't answer such a call at all, and one that reads a primary which
//! has been replaced loses its lease, which every RPC on a key asks for (`standing.rs`).
//! Guarded by `what_one_node_ends_is_over_on_the_other_when_the_call_returns` in
//! `tests/e2e/auth_token_calls.rs`.
//!
//! Whatever is wrong is answered alike, after the same work: two reads and one MAC, made of stand-ins if
//! there is no such key or token. A text that is no auth token by its shape is not looked up.

use std::sync::Arc;

use api::v1::ErrorReason;
use domain::api_key::{ApiKey, ApiKeyState, Status};
use domain::auth_token::{AuthToken, AuthTokens};
use domain::verdict::Question;
use domain::{
    Binding, CredentialKind, KeyId, Kid, Micros, Origin, PepperId, Presented, SecretDigest,
    WorkspaceId,
};
use jiff::Timestamp;
use tonic::metadata::MetadataMap;
use uuid::Uuid;
use verifier::{EnvSet, Query, Tenant};

use super::super::status::{Refusal, overloaded, quarantined};
use super::{Caller, invalid};
use crate::node::Node;
use crate::operator;

/// The metadata that says from which origin a browser's call comes, as the gateway passes it on.
const ORIGIN: &str = "origin";

/// Whose this auth token is, if it is one of this key.
///
/// # Errors
/// It is not, or the key is dead: one answer. A credential of another kind that calls for itself: two came.
pub(super) async fn find(
    node: &Node,
    metadata: &MetadataMap,
    api_key: &str,
    token: &str,
) -> Result<Caller, Refusal> {
    let Ok(token) = Presented::parse(token, &node.brand) else {
        return Err(if operator::resembles(token) { two() } else { invalid() });
    };
    match token.kind {
        CredentialKind::AuthToken => {}
        CredentialKind::WorkspaceToken | CredentialKind::ServiceCredential => return Err(two()),
        CredentialKind::ApiKey | CredentialKind::Imported => return Err(invalid()),
    }
    let named = Named::read(node, api_key)?;
    let (key, tokens) = read(node, named.key_id).await?;
    let known = Known { named, key: key.present(), tokens: &tokens };
    known.caller(node, &token, origin(metadata).as_ref()).ok_or_else(invalid)
}

/// The key that was named.
#[derive(Clone, Copy)]
struct Named {
    /// That of no key, if none is known by that name.
    key_id: KeyId,
    /// Its credential that was right, if it was named by the whole key.
    kid: Option<Kid>,
}

impl Named {
    /// Reads an id, or a whole key. Only the verifier knows which key a credential is of; whether that
    /// one still counts is for the log to say.
    fn read(node: &Node, api_key: &str) -> Result<Self, Refusal> {
        if let Ok(key_id) = api_key.parse() {
            return Ok(Self { key_id, kid: None });
        }
        let begun = node.freshness.begin();
        let now = Micros(node.clock.now().as_microsecond());
        let query = Query {
            key: if api_key.len() <= Presented::MAX_LENGTH { api_key } else { "" },
            tenant: Tenant::Any,
            workspace_id: None,
            envs: EnvSet::BOTH,
            expected_key_id: None,
            question: Question {
                earliest: now,
                latest: now,
                client_ip: None,
                origin: None,
                all_of: &[],
                any_of: &[],
            },
        };
        let found = node.verifier.load().verify(&query, node.secret_check(), |answer| {
            let key = answer.key.map(|key| Self { key_id: key.key_id, kid: Some(key.kid) });
            answer.verdict.as_ref().map(|_| key).map_err(|_| quarantined("this credential"))
        });
        // It may be a key that this node has yet to hear of.
        node.freshness.end(begun)?;
        Ok(found?.unwrap_or(Self { key_id: KeyId::new(Uuid::nil()), kid: None }))
    }
}

/// The key of this id and its auth tokens as the log has them now. Not on the thread that serves the
/// connection, which must not wait for a database, and bounded: a verdict that comes with an auth token
/// has not been admitted by anything else.
async fn read(node: &Node, key_id: KeyId) -> Result<(ApiKeyState, AuthTokens), Refusal> {
    let permit = Arc::clone(&node.caller_reads).try_acquire_owned().map_err(|_| overloaded())?;
    let commands = node.commands.clone();
    let reading = async move {
        let _permit = permit;
        commands.key_and_auth_tokens(key_id).await
    };
    let read =
        node.control.spawn(reading).await.map_err(|panicked| Refusal::internal(&panicked))?;
    // An event that can't be read may have ended this very token: nothing is decided then.
    Ok(read?)
}

/// What is known of what was named.
struct Known<'a> {
    named: Named,
    key: Option<&'a ApiKey>,
    tokens: &'a AuthTokens,
}

impl Known<'_> {
    /// The one exit: all is looked at before anything is answered.
    fn caller(
        &self,
        node: &Node,
        presented: &Presented<'_>,
        origin: Option<&Origin>,
    ) -> Option<Caller> {
        let now = node.clock.now();
        let held = self.tokens.0.iter().find(|token| token.credential.kid == presented.kid);
        let matched = self.matches(node, presented, held);
        let (key, token) = (self.key?, held?);
        // `&`, not `&&`: which of them fails must not show in the time it takes.
        let counts = matched
            & token.live(now)
            & from_allowed(token, origin)
            & alive(key, now)
            & self.named.kid.is_none_or(|kid| credential_counts(key, kid, now));
        counts.then_some(Caller::AuthToken {
            id: token.auth_token_id,
            key: key.key_id,
            workspace: key.workspace_id,
        })
    }

    /// Whether the secret is the token's; of a stand-in if there is none, at the same cost.
    fn matches(&self, node: &Node, presented: &Presented<'_>, held: Option<&AuthToken>) -> bool {
        let nobody = WorkspaceId::new(Uuid::nil());
        let binding = Binding {
            workspace: Some(self.key.map_or(nobody, |key| key.workspace_id)),
            resource: held.map_or(Uuid::nil(), |token| token.auth_token_id.uuid()),
            kid: presented.kid,
            env: presented.env,
            kind: presented.kind,
        };
        let (pepper, digest) = held.map_or((PepperId(0), SecretDigest([0; 32])), |token| {
            (token.credential.pepper, token.credential.digest)
        });
        node.secret_check()(&binding, presented.secret(), pepper, &digest)
    }
}

/// Whether the key lends its tokens any power. One that is switched off does not: whoever switches off a
/// key that has leaked takes it that all that came with it stops, and an undeleted key comes back switched
/// off. One that has not begun yet does: it may be set up before it begins.
fn alive(key: &ApiKey, now: Timestamp) -> bool {
    match key.status(now) {
        Status::Active | Status::NotYetValid => key.deleted_at.is_none(),
        Status::Revoked | Status::Disabled | Status::Expired => false,
    }
}

/// Whether this credential of the key is one that it may be presented by.
fn credential_counts(key: &ApiKey, kid: Kid, now: Timestamp) -> bool {
    let mut credentials = key.credentials.iter();
    credentials
        .any(|one| one.record.kid == kid && !one.ended && one.not_after.is_none_or(|end| now < end))
}

/// Whether the token may be used from there. Who does not say where it is, is nowhere.
fn from_allowed(token: &AuthToken, origin: Option<&Origin>) -> bool {
    !token.domains.restrict() || origin.is_some_and(|origin| token.domains.allow(origin))
}

/// The one origin of the call; none if there are two.
fn origin(metadata: &MetadataMap) -> Option<Origin> {
    let mut values = metadata.as_ref().get_all(ORIGIN).iter();
    let origin = Origin::parse(values.next()?.to_str().ok()?);
    values.next().is_none().then_some(origin)
}

#[cold]
fn two() -> Refusal {
    let why = "`x-keyward-api-key` goes with an auth token only";
    Refusal::new(ErrorReason::TwoCredentials, why)
}
