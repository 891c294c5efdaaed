//! What an event that can't be read may have changed, told from where it lies: in which workspace,
//! and in which stream.
//!
//! An event is about the noun that its stream is named after, and about nothing outside its
//! workspace. A noun that this build does not know may be about anything, so without a workspace
//! there is no bound.

use std::fmt;

use crate::{ServiceCredentialId, WorkspaceId};

/// Something of which nothing can be said any more, because an event of it can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspect {
    /// A workspace, with all that is in it.
    Workspace(WorkspaceId),
    /// A service credential.
    ServiceCredential(ServiceCredentialId),
}

impl Suspect {
    /// All that an unreadable event of this workspace and stream may have changed; `None` if that
    /// may be anything.
    #[must_use]
    pub fn all_of(workspace_id: Option<&str>, stream: &str) -> Option<Vec<Self>> {
        // A workspace that is named in a way of tomorrow bounds nothing.
        let tenant = workspace_id.map(str::parse).transpose().ok()?.map(Self::Workspace);
        let noun = stream.split_once('/').map_or(stream, |(id, _)| id);
        let subject = (noun.parse().map(Self::Workspace))
            .or_else(|_| noun.parse().map(Self::ServiceCredential))
            .ok();
        let mut suspects: Vec<_> = tenant.into_iter().chain(subject).collect();
        suspects.dedup();
        (!suspects.is_empty()).then_some(suspects)
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace(id) => id.fmt(f),
            Self::ServiceCredential(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_event_is_bounded_by_its_workspace_and_its_stream_or_by_nothing() {
        let (a, b) = ("ws_01h2xcejqtf2nbrexx3vqjhp41", "ws_01h2xcejqtf2nbrexx3vqjhp42");
        let (key, svc) = ("key_01h2xcejqtf2nbrexx3vqjhp41", "svc_01h2xcejqtf2nbrexx3vqjhp41");
        let workspace = |id: &str| Suspect::Workspace(id.parse().unwrap());
        let service = Suspect::ServiceCredential(svc.parse().unwrap());
        let config = format!("{key}/config");
        let bounds = format!("{svc}/bounds");
        for (tenant, stream, expected) in [
            (Some(a), key, Some(vec![workspace(a)])),
            (Some(a), config.as_str(), Some(vec![workspace(a)])),
            (Some(a), a, Some(vec![workspace(a)])),
            (Some(a), "noun_of_tomorrow", Some(vec![workspace(a)])),
            (Some(a), b, Some(vec![workspace(a), workspace(b)])),
            (Some(a), svc, Some(vec![workspace(a), service])),
            (None, svc, Some(vec![service])),
            (None, bounds.as_str(), Some(vec![service])),
            (None, a, Some(vec![workspace(a)])),
            // Every key of ours has a workspace: one without is not of our making.
            (None, key, None),
            (None, "noun_of_tomorrow", None),
            (Some("tenant of tomorrow"), a, None),
            (Some("tenant of tomorrow"), svc, None),
        ] {
            assert_eq!(Suspect::all_of(tenant, stream), expected, "{tenant:?} {stream}");
        }
    }
}
