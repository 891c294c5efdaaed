//! A key's auth tokens as their events make them.

use jiff::Timestamp;

use super::event::{AuthTokenEvent, Issued};
use crate::{AuthTokenId, CredentialRecord, DomainRules, Name};

/// So many tokens of a key may be live at once.
pub const MOST_LIVE: usize = 20;

/// So many tokens of a key are remembered: all that are live, and the newest of the others.
pub const MOST_KEPT: usize = 100;

/// One auth token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthToken {
    /// Its id.
    pub auth_token_id: AuthTokenId,
    /// Its display name.
    pub name: Name,
    /// Its secret, as stored; the newest, if it was reset.
    pub credential: CredentialRecord,
    /// Who asked for it. `None`: whoever made the key, in the same call.
    pub issued_by: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// From which origins it may be used.
    pub domains: DomainRules,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last got another secret.
    pub reset_at: Option<Timestamp>,
    /// When it ended for good.
    pub revoked_at: Option<Timestamp>,
}

impl AuthToken {
    /// Whether it is neither revoked nor expired at `now`.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The auth tokens of one key, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthTokens(pub Vec<AuthToken>);

impl AuthTokens {
    pub(super) fn after(mut self, event: &AuthTokenEvent) -> Self {
        let id = event.auth_token_id();
        let known = self.0.iter_mut().find(|token| token.auth_token_id == id);
        match (event, known) {
            (AuthTokenEvent::Issued(issued), None) => self.add(issued),
            (AuthTokenEvent::Reset(reset), Some(token)) => {
                token.credential = reset.credential.clone();
                token.reset_at = Some(reset.at);
            }
            (AuthTokenEvent::Revoked(revoked), Some(token)) => {
                token.revoked_at = token.revoked_at.or(Some(revoked.at));
            }
            // A second beginning, and facts about what never began or is forgotten, change nothing.
            (AuthTokenEvent::Issued(_), Some(_))
            | (AuthTokenEvent::Reset(_) | AuthTokenEvent::Revoked(_), None) => {}
        }
        self
    }

    fn add(&mut self, issued: &Issued) {
        if self.0.len() >= MOST_KEPT
            && let Some(over) = self.0.iter().position(|token| !token.live(issued.at))
        {
            self.0.remove(over);
        }
        self.0.push(AuthToken {
            auth_token_id: issued.auth_token_id,
            name: issued.name.clone(),
            credential: issued.credential.clone(),
            issued_by: issued.issued_by.clone(),
            expires_at: issued.expires_at,
            domains: issued.domains.clone(),
            created_at: issued.at,
            reset_at: None,
            revoked_at: None,
        });
    }
}
