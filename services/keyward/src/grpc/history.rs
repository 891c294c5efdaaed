//! A key's past: what a verifier would have said at some moment, and which event made it say so.
//!
//! There is no second set of rules here. A verifier of its own is given the events up to the moment,
//! one by one as the node's own was, and is asked like that one.

use domain::api_key::{ApiKey, ApiKeyEvent, ApiKeyState};
use domain::verdict::{Check, Facts, Outcome, Question};
use domain::{
    AddressRanges, Brand, CredentialKind, Decider, DomainRules, Event, KeyId, Kid, Micros,
    RevocationReason, ScopeSet, Secret, SecretText, WorkspaceId,
};
use eventlog::{EventLog, RecordedEvent, StreamId};
use verifier::{Answer, EnvSet, Query, Tenant, Verifier};

use super::status::{Refusal, Resource};
use crate::commands::CommandError;

/// All events that verdicts on one key rest on, of the key and of its workspace, in the order of the log.
pub(super) struct History {
    workspace: WorkspaceId,
    key: ApiKey,
    events: Vec<(RecordedEvent, Event)>,
}

/// What came out for one moment.
pub(super) struct Hindsight<'a, R> {
    /// What the response made of the verdict.
    pub(super) answer: R,
    /// By which event it is so; see [`History::judge`].
    pub(super) decided_by: Option<&'a RecordedEvent>,
}

impl History {
    /// Reads the history of a key.
    ///
    /// # Errors
    /// It is not there, or is another workspace's; an event can't be read; the log does not answer.
    pub(super) async fn read(
        log: &EventLog,
        workspace: WorkspaceId,
        key_id: KeyId,
    ) -> Result<Self, Refusal> {
        let of_key = log.read_stream(&StreamId::new(key_id.to_string())?).await?;
        let mut events = decode(of_key)?;
        let state = folded(&events);
        let key = state.present().filter(|key| key.workspace_id == workspace);
        let missing = || Refusal::not_found(Resource::ApiKey, key_id.to_string());
        let key = key.ok_or_else(missing)?.clone();
        let of_workspace = log.read_stream(&StreamId::new(workspace.to_string())?).await?;
        events.extend(decode(of_workspace)?);
        events.sort_by_key(|(recorded, _)| recorded.position);
        Ok(Self { workspace, key, events })
    }

    /// The credential that counts after `before` if none is named: the newest that the key had, or
    /// before it was made, its first.
    pub(super) fn kid(&self, before: &Before) -> Option<Kid> {
        let state = folded(&self.events[..before.0]);
        let then = state.present().and_then(|key| key.credentials.last());
        then.or(self.key.credentials.first()).map(|credential| credential.record.kid)
    }

    /// The part of it, from the beginning on, for which `is_past` holds.
    pub(super) fn before(&self, is_past: impl Fn(&RecordedEvent) -> bool) -> Before {
        Before(self.events.iter().take_while(|(recorded, _)| is_past(recorded)).count())
    }

    /// What a verifier that knows this part says of a credential, as `respond` tells it. Decided by the
    /// last event that changed what the denying check looks at, or for a key that passes, by the last
    /// one of the key itself.
    pub(super) fn judge<R>(
        &self,
        brand: &Brand,
        before: &Before,
        kid: Kid,
        question: &Question<'_>,
        respond: impl FnOnce(&Answer<'_>, &[(Check, Outcome)]) -> R,
    ) -> Hindsight<'_, R> {
        let events = &self.events[..before.0];
        let secret = Secret::from_entropy(&[0; 32]);
        let kind = CredentialKind::ApiKey;
        let presented = SecretText::new(brand, kind, self.key.settings.env, kid, &secret);
        let query = Query {
            key: presented.expose(),
            tenant: Tenant::One(self.workspace),
            workspace_id: None,
            envs: EnvSet::BOTH,
            expected_key_id: Some(self.key.key_id),
            question: *question,
        };
        let verifier = Verifier::new(brand.clone());
        events.iter().for_each(|(_, event)| verifier.apply(event));
        let (answer, denying) = ask(&verifier, &query, |answer, checks| {
            let failed = checks.iter().find(|(_, outcome)| matches!(outcome, Outcome::Fail(_)));
            (respond(answer, checks), failed.map(|(check, _)| *check))
        });
        let decided_by = match denying {
            Some(check) => last_change(brand, events, &query, check),
            None => events.iter().rfind(|(_, event)| matches!(event, Event::ApiKey(_))),
        };
        Hindsight { answer, decided_by: decided_by.map(|(recorded, _)| recorded) }
    }
}

/// How many events of a history lie before a moment.
pub(super) struct Before(usize);

/// Asks as if the secret had been right.
fn ask<R>(
    verifier: &Verifier,
    query: &Query<'_>,
    respond: impl FnOnce(&Answer<'_>, &[(Check, Outcome)]) -> R,
) -> R {
    verifier.explain(query, |_, _, _, _| true, |answer, checks| respond(answer, &checks))
}

/// The last event after which `check` looked at something else than before it.
fn last_change<'a>(
    brand: &Brand,
    events: &'a [(RecordedEvent, Event)],
    query: &Query<'_>,
    check: Check,
) -> Option<&'a (RecordedEvent, Event)> {
    let verifier = Verifier::new(brand.clone());
    let look = || ask(&verifier, query, |answer, _| Seen::by(check, answer.facts.as_ref()));
    let (mut seen, mut last) = (look(), None);
    for event in events {
        verifier.apply(&event.1);
        let now = look();
        if now != seen {
            (seen, last) = (now, Some(event));
        }
    }
    last
}

/// What one check looks at.
#[derive(PartialEq)]
enum Seen {
    /// Whether there is such a key.
    Found(bool),
    Revoked(Option<(Micros, RevocationReason)>),
    Flag(bool),
    Moment(Option<Micros>),
    Addresses(Option<AddressRanges>),
    Domains(Option<DomainRules>),
    Scopes(ScopeSet),
}

impl Seen {
    fn by(check: Check, facts: Option<&Facts<'_>>) -> Self {
        let Some(facts) = facts else {
            return Self::Found(false);
        };
        match check {
            Check::Format | Check::Lookup => Self::Found(true),
            Check::Revocation => Self::Revoked(facts.revoked),
            Check::Disabled => Self::Flag(facts.disabled),
            Check::NotBefore => Self::Moment(facts.not_before),
            Check::Expiry => Self::Moment(facts.expires_at),
            Check::Rotation => Self::Moment(facts.credential_not_after),
            Check::Workspace => Self::Flag(facts.workspace_suspended),
            Check::Address => Self::Addresses(facts.addresses.cloned()),
            Check::Origin => Self::Domains(facts.domains.cloned()),
            Check::Scope => Self::Scopes(facts.scopes.clone()),
        }
    }
}

fn decode(recorded: Vec<RecordedEvent>) -> Result<Vec<(RecordedEvent, Event)>, Refusal> {
    let each = |recorded: RecordedEvent| {
        let event = Event::decode(&recorded.kind, recorded.schema, &recorded.payload);
        Ok((recorded, event.map_err(CommandError::from)?))
    };
    recorded.into_iter().map(each).collect()
}

fn folded(events: &[(RecordedEvent, Event)]) -> ApiKeyState {
    let of_key = |(_, event): &(RecordedEvent, Event)| -> Option<ApiKeyEvent> {
        if let Event::ApiKey(event) = event { Some(event.clone()) } else { None }
    };
    events.iter().filter_map(of_key).fold(ApiKeyState::default(), |key, event| key.evolve(&event))
}
