//! Given events, when a command, then events or a rejection: the one shape of every `spec.rs`, and the
//! few values that they share. Tests only.

use std::fmt::Debug;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    CredentialRecord, Decider, DigestAlgorithm, Kid, Name, PepperId, ReasonText, Rejection,
    SecretDigest, WorkspaceId,
};

/// What has happened before.
pub(crate) struct Given<D>(D);

impl<D: Decider> Given<D> {
    pub(crate) fn events<'a>(events: impl IntoIterator<Item = &'a D::Event>) -> Self
    where
        D::Event: 'a,
    {
        Self(D::fold(events))
    }

    /// Asks. What the command answers is told by one of the `then` methods.
    pub(crate) fn when(self, command: D::Command) -> When<D> {
        let answer = self.0.decide(command);
        When { state: self.0, answer }
    }
}

/// What was answered.
#[must_use = "a spec without `then` shows nothing"]
pub(crate) struct When<D: Decider> {
    state: D,
    answer: Result<Vec<D::Event>, Rejection>,
}

impl<D: Decider<Event: Debug + PartialEq>> When<D> {
    /// Exactly these events, and the state after them.
    pub(crate) fn then<const N: usize>(self, events: [D::Event; N]) -> D {
        assert_eq!(self.answer.as_deref(), Ok(&events[..]));
        events.iter().fold(self.state, D::evolve)
    }

    /// It is already so: nothing happens, and nobody is refused.
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    pub(crate) fn then_rejected(self, rejection: Rejection) {
        assert_eq!(self.answer, Err(rejection));
    }
}

/// A moment, in seconds after some noon.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a year of this century")
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(crate) fn workspace_id() -> WorkspaceId {
    WorkspaceId::new(uuid(1))
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a valid name")
}

pub(crate) fn reason(text: &str) -> ReasonText {
    ReasonText::new(text).expect("a valid reason")
}

/// A stored credential that differs from every other number's.
pub(crate) fn credential(number: u8) -> CredentialRecord {
    CredentialRecord {
        kid: Kid::from_entropy([number; 12]),
        pepper: PepperId(1),
        algorithm: DigestAlgorithm::HmacSha256,
        digest: SecretDigest([number; 32]),
    }
}
