//! What is wrong with a token: counted and logged by one of these words, and told to nobody.

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More than 8 KiB.
    Size,
    /// Not three parts in canonical base64url, or a part that is no JSON object, or one with a member
    /// twice.
    Form,
    /// A member of the header that is not taken, or not as it must be.
    Header,
    /// An algorithm other than the issuer's.
    Algorithm,
    /// No issuer of ours.
    Issuer,
    /// For somebody else.
    Audience,
    /// `exp` is past, or missing.
    Expired,
    /// `nbf` is to come.
    NotYet,
    /// A time that is no number, or none that a time can be.
    Time,
    /// No subject, or none that an event could name.
    Subject,
    /// No such key.
    Key,
    /// Not signed by that key.
    Signature,
    /// No workspace, or none that the issuer may speak for, or none that there is.
    Workspace,
    /// No role that means anything here.
    Role,
    /// The claim of the partner portal is not as it must be.
    Portal,
    /// The client is not the one that the token was made for.
    Client,
    /// The keys are not known here, so that nothing can be said.
    NoKeys,
}

impl Fault {
    /// As metrics and logs name it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Form => "form",
            Self::Header => "header",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Time => "time",
            Self::Subject => "subject",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Workspace => "workspace",
            Self::Role => "role",
            Self::Portal => "portal",
            Self::Client => "client",
            Self::NoKeys => "no_keys",
        }
    }
}
