//! What a VerifyKey asks, as domain values: every field checked, the first bad one refused.

use std::net::IpAddr;

use api::v1 as wire;
use domain::{KeyId, Origin, Scope, WorkspaceId, parse_client_address};
use smallvec::SmallVec;
use verifier::EnvSet;

use super::fields;
use super::status::{InField, Refusal};
use super::verify_view::View;

const LONGEST_ORIGIN: usize = 2_048;

/// A request whose every field was checked.
pub(super) struct Asked<'a> {
    pub(super) workspace_id: Option<WorkspaceId>,
    pub(super) expected_key_id: Option<KeyId>,
    pub(super) envs: EnvSet,
    pub(super) client_ip: Option<IpAddr>,
    pub(super) origin: Option<Origin>,
    pub(super) all_of: SmallVec<[&'a str; 4]>,
    pub(super) any_of: SmallVec<[&'a str; 4]>,
    pub(super) mode: wire::VerifyMode,
}

impl<'a> Asked<'a> {
    /// Checks the fields of a request.
    ///
    /// # Errors
    /// The first that breaks a rule.
    pub(super) fn read(request: &View<'a>) -> Result<Self, Refusal> {
        if request.all_of.len() + request.any_of.len() > domain::ScopeSet::MAX {
            return Err(Refusal::field("required_scopes", "must have at most 128 scopes in all"));
        }
        if request.origin.len() > LONGEST_ORIGIN {
            return Err(Refusal::field("origin", "must have at most 2048 bytes"));
        }
        Ok(Self {
            workspace_id: match request.workspace_id {
                "" => None,
                text => Some(fields::id("workspace_id", text)?),
            },
            expected_key_id: match request.expected_key_id {
                "" => None,
                text => Some(fields::id("expected_key_id", text)?),
            },
            envs: match request.allowed_envs.as_slice() {
                [] => EnvSet::BOTH,
                numbers => EnvSet::of(&fields::envs("allowed_envs", numbers)?),
            },
            client_ip: match request.client_ip {
                "" => None,
                text => Some(parse_client_address(text).in_field("client_ip")?),
            },
            origin: match request.origin {
                "" => None,
                text => Some(Origin::parse(text)),
            },
            all_of: required("required_scopes.all_of", &request.all_of)?,
            any_of: required("required_scopes.any_of", &request.any_of)?,
            mode: fields::variant("mode", request.mode)?,
        })
    }

    /// Which inputs the verdict rests on, besides the key itself.
    pub(super) fn depends_on(&self, request: &View<'_>) -> SmallVec<[wire::VerdictInput; 6]> {
        let inputs = [
            (self.expected_key_id.is_some(), wire::VerdictInput::ExpectedKeyId),
            (self.workspace_id.is_some(), wire::VerdictInput::WorkspaceId),
            (!request.allowed_envs.is_empty(), wire::VerdictInput::AllowedEnvs),
            (self.client_ip.is_some(), wire::VerdictInput::ClientIp),
            (self.origin.is_some(), wire::VerdictInput::Origin),
            (
                !self.all_of.is_empty() || !self.any_of.is_empty(),
                wire::VerdictInput::RequiredScopes,
            ),
        ];
        inputs.into_iter().filter(|(given, _)| *given).map(|(_, input)| input).collect()
    }
}

fn required<'a>(path: &str, codes: &[&'a str]) -> Result<SmallVec<[&'a str; 4]>, Refusal> {
    let each = |(at, &code): (usize, &&'a str)| {
        if Scope::is_valid(code) {
            return Ok(code);
        }
        Err(Refusal::field(format!("{path}[{at}]"), Scope::RULE))
    };
    codes.iter().enumerate().map(each).collect()
}
