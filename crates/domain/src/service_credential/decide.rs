//! The rules of a service credential.

use super::command::ServiceCredentialCommand;
use super::event::{Created, Revoked, ServiceCredentialEvent};
use super::proof::Proof;
use super::state::ServiceCredentialState;
use crate::{Decider, Rejection};

impl Decider for ServiceCredentialState {
    type Command = ServiceCredentialCommand;
    type Event = ServiceCredentialEvent;

    fn decide(
        &self,
        command: ServiceCredentialCommand,
    ) -> Result<Vec<ServiceCredentialEvent>, Rejection> {
        match (self, command) {
            (
                Self::Missing,
                ServiceCredentialCommand::Create {
                    service_credential_id,
                    created_by,
                    name,
                    mut permissions,
                    bounds,
                    proof,
                    now,
                },
            ) => {
                permissions.sort_unstable();
                permissions.dedup();
                Ok(vec![ServiceCredentialEvent::Created(Created {
                    service_credential_id,
                    created_by,
                    name,
                    permissions,
                    bounds,
                    proof,
                    at: now,
                })])
            }
            (Self::Present(_), ServiceCredentialCommand::Create { proof, .. }) => {
                Err(match proof {
                    Proof::Secret(_) => Rejection::AlreadyExists,
                    Proof::Identity(_) => Rejection::IdentityTaken,
                })
            }
            (Self::Missing, ServiceCredentialCommand::Revoke { .. }) => Err(Rejection::NotFound),
            (Self::Present(credential), ServiceCredentialCommand::Revoke { now }) => {
                if credential.revoked_at.is_some() {
                    return Ok(vec![]);
                }
                Ok(vec![ServiceCredentialEvent::Revoked(Revoked {
                    service_credential_id: credential.service_credential_id,
                    at: now,
                })])
            }
        }
    }

    fn evolve(self, event: &ServiceCredentialEvent) -> Self {
        self.after(event)
    }
}
