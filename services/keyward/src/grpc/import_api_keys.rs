//! ImportApiKeys: keys of other systems go on being verified with their old strings. What is wrong with
//! an item is said of that item; the others go in, all in one append.

use std::collections::HashMap;
use std::sync::Arc;

use api::v1::{self as wire, ErrorReason, ImportApiKeysRequest, ImportApiKeysResponse};
use domain::api_key::ApiKeyState;
use domain::{Decider, KeyId, WorkspaceId};
use jiff::Timestamp;

use super::call::Call;
use super::create_api_key::Asked;
use super::mutation::{Mutation, Wait};
use super::standing;
use super::status::{InField, Refusal, Resource};
use crate::commands::{CommandError, Intent};
use crate::imported::Foreign;
use crate::node::Node;

/// So many go in. What is beyond is refused one by one, up to twice as many.
const MOST_ITEMS: usize = 1_000;

/// How often it is begun anew because somebody imports the same keys.
const MOST_ATTEMPTS: usize = 4;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: ImportApiKeysRequest,
) -> Result<ImportApiKeysResponse, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    refuse_many(request.items.len())?;
    if standing::existing(&node, workspace)?.suspended {
        return Err(Refusal::new(ErrorReason::WorkspaceSuspended, "the workspace is suspended"));
    }
    let importing = Importing { node: &node, call: &call, workspace, now: node.clock.now() };
    let mutation = Mutation {
        call: &call,
        asked: &request,
        request_id: &request.request_id,
        workspace: Some(workspace),
        missing: (Resource::Workspace, workspace.to_string()),
        wait: Wait::None,
    };
    let mut attempt = 1;
    loop {
        let (intents, results) = importing.decide(&request.items).await?;
        let reply = |_: &[_]| answer(results.clone());
        match mutation.run(&node, &intents, reply).await {
            Err(refusal)
                if refusal.reason() == ErrorReason::ConcurrentChange && attempt < MOST_ATTEMPTS =>
            {
                attempt += 1;
            }
            settled => return settled,
        }
    }
}

/// Refuses as many items as nobody has in earnest.
///
/// # Errors
/// None, or more than twice as many as go in.
pub(super) fn refuse_many(items: usize) -> Result<(), Refusal> {
    if (1..=2 * MOST_ITEMS).contains(&items) {
        return Ok(());
    }
    Err(Refusal::field("items", "must have 1 to 1000 entries"))
}

fn answer(results: Vec<wire::ImportResult>) -> ImportApiKeysResponse {
    let imported = results.iter().filter(|result| result.failure.is_none()).count();
    ImportApiKeysResponse {
        imported_count: i32::try_from(imported).unwrap_or(i32::MAX),
        results,
        ..ImportApiKeysResponse::default()
    }
}

struct Importing<'a> {
    node: &'a Node,
    call: &'a Call,
    workspace: WorkspaceId,
    now: Timestamp,
}

impl Importing<'_> {
    /// What is to be done, and what is to be said of each item.
    async fn decide(
        &self,
        items: &[wire::ImportApiKeysItem],
    ) -> Result<(Vec<Intent>, Vec<wire::ImportResult>), Refusal> {
        let known = self.known(items).await?;
        let (mut intents, mut results) = (Vec::new(), Vec::with_capacity(items.len()));
        let mut first: HashMap<Foreign, usize> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let path = format!("items[{at}]");
            let decided = match self.key(&path, at, item) {
                Err(refusal) => Err(refusal),
                Ok(key) => match (first.get(&key), known.get(&key)) {
                    (Some(before), _) => Err(twice(&format!("it is the key of items[{before}]"))),
                    (None, Some(owner)) => {
                        results.push(self.imported_before(&key, *owner));
                        continue;
                    }
                    (None, None) => self.intents(&path, item, &key).await.map(|new| (key, new)),
                },
            };
            match decided {
                Ok((key, new)) => {
                    first.insert(key, at);
                    intents.extend(new);
                    let key_id = key.key_id(self.node.ring.load().chain()).to_string();
                    results.push(wire::ImportResult { key_id, failure: None });
                }
                Err(refusal) if refusal.is_the_callers() => {
                    let failure = Some(refusal.into());
                    results.push(wire::ImportResult { key_id: String::new(), failure });
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok((intents, results))
    }

    /// Those of the keys that were imported before, with the workspace that has them.
    async fn known(
        &self,
        items: &[wire::ImportApiKeysItem],
    ) -> Result<HashMap<Foreign, WorkspaceId>, Refusal> {
        let mut known = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            if let Ok(key) = self.key("", at, item) {
                let owner =
                    self.node.commands.owner_of(key.key_id(self.node.ring.load().chain())).await?;
                known.extend(owner.map(|owner| (key, owner)));
            }
        }
        Ok(known)
    }

    /// The key of an item.
    fn key(
        &self,
        path: &str,
        at: usize,
        item: &wire::ImportApiKeysItem,
    ) -> Result<Foreign, Refusal> {
        if at >= MOST_ITEMS {
            return Err(Refusal::field(path, "must be one of the first 1000 entries"));
        }
        match (item.raw.as_str(), item.sha256.as_str()) {
            ("", "") => Err(Refusal::field(format!("{path}.raw"), "this or `sha256` is required")),
            (raw, "") => Foreign::of_raw(raw, &self.node.brand).in_field(&format!("{path}.raw")),
            ("", sha256) => Foreign::of_sha256(sha256).in_field(&format!("{path}.sha256")),
            (_, _) => Err(Refusal::field(format!("{path}.sha256"), "only one of it and `raw`")),
        }
    }

    async fn intents(
        &self,
        path: &str,
        item: &wire::ImportApiKeysItem,
        key: &Foreign,
    ) -> Result<Vec<Intent>, Refusal> {
        let within = |refusal: Refusal| refusal.within(&format!("{path}.api_key"));
        let wanted = item.api_key.clone().unwrap_or_default();
        let asked = Asked::read(&creation(wanted, item.allow_any_address)).map_err(within)?;
        self.call.caller.makes(asked.env)?;
        let ring = self.node.ring.load();
        let key_id: KeyId = key.key_id(ring.chain());
        let record = key.record(ring.chain(), ring.peppers(), self.workspace, asked.env);
        let intents = asked
            .intents(self.node, self.call, self.workspace, key_id, &record, None, self.now)
            .await?;
        // One that the rules refuse must not take the others with it.
        for intent in &intents {
            if let Intent::ApiKey(_, _, command, _) = intent {
                let decided = ApiKeyState::default().decide(command.clone());
                decided.map_err(|rejection| within(CommandError::from(rejection).into()))?;
            }
        }
        Ok(intents)
    }

    fn imported_before(&self, key: &Foreign, owner: WorkspaceId) -> wire::ImportResult {
        let own = owner == self.workspace;
        let key_id = own.then(|| key.key_id(self.node.ring.load().chain()).to_string());
        let failure = Some(twice("it was imported before").into());
        wire::ImportResult { key_id: key_id.unwrap_or_default(), failure }
    }
}

fn twice(message: &str) -> Refusal {
    Refusal::new(ErrorReason::ApiKeyAlreadyImported, message)
}

/// The request that would create the key, had it no credential yet.
fn creation(key: wire::ApiKey, allow_any_address: bool) -> wire::CreateApiKeyRequest {
    wire::CreateApiKeyRequest {
        name: key.name,
        env: key.env,
        owner: key.owner,
        description: key.description,
        scopes: key.scopes,
        ip_allowlist: key.ip_allowlist,
        allow_any_address,
        allowed_domains: key.allowed_domains,
        allow_localhost: key.allow_localhost,
        not_before: key.not_before,
        expires_at: key.expires_at,
        metadata: key.metadata,
        ..wire::CreateApiKeyRequest::default()
    }
}
