//! The one shape of the write side: a state that decides commands and evolves by events.

/// A state that answers commands with facts.
///
/// `Default` is the state before the first event. `decide` never changes anything; `evolve` never
/// refuses anything: what is in the log has happened.
pub trait Decider: Default {
    /// What can be asked, imperative.
    type Command;
    /// What can have happened, past tense.
    type Event;

    /// The events that `command` causes in this state. No event means: already so.
    ///
    /// # Errors
    /// A [`Rejection`] when the rules say no. Nothing has happened then.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Rejection>;

    /// This state after `event`.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// The state after all of `events`, oldest first.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self
    where
        Self::Event: 'a,
    {
        events.into_iter().fold(Self::default(), Self::evolve)
    }
}

/// The rules' no. Comparable, without causes: it is an answer, not a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The id to be created is taken.
    #[error("it exists already")]
    AlreadyExists,
    /// The command is for something that was never created.
    #[error("it does not exist")]
    NotFound,
    /// One identity is one caller: another live service credential has it.
    #[error("another service credential has the identity")]
    IdentityTaken,
    /// A revoked key stays revoked: it can't be enabled or changed.
    #[error("the key is revoked, which is final")]
    KeyRevoked,
    /// A key whose natural end lies at or before its beginning could never pass.
    #[error("expires_at must be later than not_before")]
    EndsBeforeItBegins,
    /// A key created with a natural end in the past could never pass.
    #[error("expires_at must be in the future")]
    AlreadyExpired,
    /// What the credentials of an expired key would be good for is nothing.
    #[error("the key is expired")]
    KeyExpired,
    /// A deleted key is hidden; all it takes is its end or its return.
    #[error("the key is deleted; undelete it first")]
    KeyDeleted,
    /// Three credentials would be live.
    #[error("the credential before is still in its grace; end that, or use `force`")]
    GraceRunning,
    /// Too late for its return.
    #[error("the key was deleted more than 30 days ago")]
    UndeleteTooLate,
    /// E-mail can't be sent by a foreign provider without its key.
    #[error("the e-mail provider's key is missing")]
    EmailKeyMissing,
    /// E-mail can't be sent by a foreign provider without a sender.
    #[error("the sender's address is missing")]
    EmailSenderMissing,
    /// The e-mail provider's key is needed as long as it sends.
    #[error("the e-mail provider's key is in use")]
    EmailKeyInUse,
    /// A key has keys of so many AI providers at most.
    #[error("there are 64 AI providers already")]
    TooManyProviders,
    /// One auth token more than a key may have live.
    #[error("the key has as many live auth tokens as it may have")]
    TooManyAuthTokens,
}
