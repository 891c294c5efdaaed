//! Who calls on the configuration of one key: whoever holds an auth token of it, as the product documents,
//! or its workspace, which names it.
//!
//! The workspace alone may change what a key was given: where it may be presented from is no more for an
//! auth token to widen here than it is over gRPC.

use api::v1::{Config, GetConfigRequest};

use super::credentials::{API_KEY, Key, WORKSPACE_ID, Workspace, invalid};
use super::keys::key_id;
use crate::call::Call;
use crate::refusal::Refusal;

/// See the module.
pub(super) enum Holder {
    /// An auth token of the key.
    Token(Key),
    /// The workspace of the key, and the key's id.
    Workspace(Workspace, String),
}

/// The key's workspace, and the key's id.
///
/// # Errors
/// It is not named, or whoever calls is not its workspace.
pub(super) async fn owner(call: &Call) -> Result<(Workspace, String), Refusal> {
    let workspace = Workspace::of(&call.head)?;
    let named = call.head.text(&API_KEY).ok_or_else(invalid)?;
    let key_id = key_id(call, &workspace, named.to_owned()).await?;
    Ok((workspace, key_id))
}

/// A key that is not there for a caller is answered as credentials that are none.
pub(super) fn unknown_is_invalid(refusal: Refusal) -> Refusal {
    match refusal.reason() {
        "API_KEY_NOT_FOUND" | "CONFIG_NOT_FOUND" => invalid(),
        _ => refusal,
    }
}

impl Holder {
    /// Who calls: the workspace if one is named.
    ///
    /// # Errors
    /// A credential is missing, is there twice, or is none of its kind.
    pub(super) async fn of(call: &Call) -> Result<Self, Refusal> {
        if call.head.headers.contains_key(&WORKSPACE_ID) {
            let (workspace, key_id) = owner(call).await?;
            return Ok(Self::Workspace(workspace, key_id));
        }
        Key::of(&call.head).map(Self::Token)
    }

    /// Workspace and key as requests name them; empty where the credential says it.
    pub(super) fn names(&self) -> (String, String) {
        match self {
            Self::Token(_) => (String::new(), String::new()),
            Self::Workspace(workspace, key_id) => (workspace.id.clone(), key_id.clone()),
        }
    }

    /// A request to the service with the caller's credentials.
    pub(super) fn request<M>(&self, call: &Call, message: M) -> tonic::Request<M> {
        match self {
            Self::Token(key) => key.request(call, message),
            Self::Workspace(workspace, _) => workspace.request(call, message),
        }
    }

    /// The configuration of the key.
    ///
    /// # Errors
    /// The service refuses, or does not answer.
    pub(super) async fn config(&self, call: &Call) -> Result<Config, Refusal> {
        let (workspace_id, key_id) = self.names();
        let message = GetConfigRequest { workspace_id, key_id, ..GetConfigRequest::default() };
        let answer = call.keys().get_config(self.request(call, message)).await?.into_inner();
        answer.config.ok_or_else(Refusal::internal)
    }
}
