//! Following the log: each event changes the index as it changes the folded state of its noun.
//!
//! There is no wildcard over events: one that concerns no verdict says so.

use domain::auth_token::AuthTokenEvent;
use domain::config::{ConfigEvent, RevealEvent};
use domain::service_credential::{ServiceCredentialEvent, ServiceCredentialState};
use domain::workspace::{WorkspaceEvent, WorkspaceState};
use domain::{Decider, Event};

use crate::verifier::Verifier;
use crate::writer::Writer;

impl Verifier {
    /// Folds one event into the index. Every read that starts after this has returned sees it; one
    /// that is under way sees the index before or after it. Events must come in the order of the log.
    ///
    /// As in the folded state, a second beginning and a change of what never began do nothing.
    pub fn apply(&self, event: &Event) {
        let writer = &mut *self.write();
        match event {
            Event::Workspace(event) => self.apply_workspace(writer, event),
            Event::ApiKey(event) => self.apply_key(writer, event),
            Event::ServiceCredential(event) => self.apply_service_credential(writer, event),
            // Auth tokens are looked up where they are used: by the RPCs that manage a key.
            Event::AuthToken(
                AuthTokenEvent::Issued(_) | AuthTokenEvent::Reset(_) | AuthTokenEvent::Revoked(_),
            ) => {}
            // A configuration has no say in a verdict.
            Event::Config(
                ConfigEvent::Created(_)
                | ConfigEvent::PlanChanged(_)
                | ConfigEvent::DocumentAccessChanged(_)
                | ConfigEvent::PrivateCommentsSwitched(_)
                | ConfigEvent::JwtRequirementChanged(_)
                | ConfigEvent::AutoOrgUserChanged(_)
                | ConfigEvent::EmailServiceChanged(_)
                | ConfigEvent::WebhookServiceChanged(_)
                | ConfigEvent::SecretPut(_)
                | ConfigEvent::SecretDeleted(_)
                | ConfigEvent::SubjectErased(_),
            ) => {}
            // Nor has who was shown its secrets.
            Event::Reveal(RevealEvent::Revealed(_)) => {}
        }
    }

    fn apply_workspace(&self, writer: &mut Writer, event: &WorkspaceEvent) {
        let record = self.record(event.workspace_id());
        let known = record.standing().known();
        match event {
            WorkspaceEvent::Created(_) if !known => {
                if let Some(workspace) = WorkspaceState::default().evolve(event).present() {
                    self.put_workspace(writer, workspace);
                }
            }
            WorkspaceEvent::TokenReset(reset) if known => {
                self.put_workspace_token(writer, reset.workspace_id, &reset.token);
            }
            WorkspaceEvent::Suspended(_) if known => record.suspend(true),
            WorkspaceEvent::Resumed(_) if known => record.suspend(false),
            WorkspaceEvent::Created(_)
            | WorkspaceEvent::TokenReset(_)
            | WorkspaceEvent::Suspended(_)
            | WorkspaceEvent::Resumed(_) => {}
        }
    }

    fn apply_service_credential(&self, writer: &mut Writer, event: &ServiceCredentialEvent) {
        match event {
            ServiceCredentialEvent::Created(created)
                if writer.service_credentials.contains_key(&created.service_credential_id) => {}
            ServiceCredentialEvent::Created(_) => {
                if let Some(credential) = ServiceCredentialState::default().evolve(event).present()
                {
                    self.put_service_credential(writer, credential);
                }
            }
            ServiceCredentialEvent::Revoked(revoked) => {
                let known = writer.service_credentials.get_mut(&revoked.service_credential_id);
                if let Some(found_by) = known.and_then(Option::take) {
                    self.remove_service_credential(&found_by);
                    self.callers_changed();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::api_key::{ApiKeyEvent, Enabled};
    use domain::{Brand, KeyId, Kid, WorkspaceId};
    use uuid::Uuid;

    use super::*;
    use crate::entry::Entry;

    #[test]
    fn replaced_entries_are_let_go() {
        let verifier = Verifier::new(Brand::default());
        let (key_id, kid) = (KeyId::new(Uuid::from_u128(1)), Kid::from_entropy([1; 12]));
        let workspace = verifier.record(WorkspaceId::new(Uuid::from_u128(2)));
        verifier.write().kids.set(key_id, &[], &[kid]);
        let entry = Entry { key_id, workspace: Arc::clone(&workspace), ..Entry::absent() };
        verifier.put_entry(kid, entry);
        for _ in 0..10_000 {
            let at = jiff::Timestamp::UNIX_EPOCH;
            let event = ApiKeyEvent::Enabled(Enabled { key_id, at });
            verifier.apply(&Event::ApiKey(event));
        }
        // Every entry holds its workspace's record; a batch or two of them wait to be let go.
        let held = Arc::strong_count(&workspace);
        assert!(held < 300, "{held} references are left after 10,000 changes");
    }
}
