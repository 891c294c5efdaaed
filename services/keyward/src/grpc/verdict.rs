//! A verdict on the wire: what the verifier answered, in the words of `verdict.proto`.

use std::time::Duration;

use api::v1 as wire;
use domain::verdict::{Denial, Verdict};
use domain::{Brand, CredentialKind, Micros, display};
use verifier::{Answer, KeyView, Warning};

use super::convert::{environment, moment, principal, revocation_reason};
use super::status::{Refusal, quarantined};
use crate::freshness::Fresh;
use crate::node::Node;

/// How long a caller may use a verdict again. It adds to the staleness that the answer states.
const CACHE_FOR: Duration = Duration::from_secs(1);

/// The answer without its freshness, which is read only after this.
///
/// # Errors
/// The workspace is quarantined: nothing can be decided for it.
#[inline]
pub(super) fn write(
    brand: &Brand,
    answer: &Answer<'_>,
    depends_on: &[wire::VerdictInput],
    now: Micros,
) -> Result<wire::VerifyKeyResponse, Refusal> {
    let verdict = answer.verdict.as_ref().map_err(|_| quarantined("this workspace"))?;
    let mut response = wire::VerifyKeyResponse {
        key: answer.key.as_ref().map(|key| verified_key(brand, key)),
        depends_on: depends_on.iter().map(|&input| input.into()).collect(),
        ..wire::VerifyKeyResponse::default()
    };
    match verdict {
        Verdict::Accepted => {
            response.decision = wire::Decision::Accepted.into();
            response.warnings = answer.warnings.iter().map(|one| warning(one).into()).collect();
            response.cache_for = cache_for(answer.key.as_ref(), now).map(duration);
        }
        Verdict::Denied(denial) => {
            response.decision = wire::Decision::Denied.into();
            response.denial = number(denial).into();
            response.denial_detail = detail(denial);
        }
    }
    Ok(response)
}

/// Puts the freshness of the answering node into an answer.
#[inline]
pub(super) fn stamp(response: &mut wire::VerifyKeyResponse, node: &Node, fresh: Fresh) {
    response.freshness = Some(freshness(node.freshness.log_name(), fresh));
}

pub(super) fn freshness(log_name: &str, fresh: Fresh) -> wire::Freshness {
    wire::Freshness {
        token: format!("{log_name}.{}", fresh.position),
        position: fresh.position.get(),
        staleness: Some(duration(fresh.staleness)),
    }
}

fn verified_key(brand: &Brand, key: &KeyView<'_>) -> wire::VerifiedKey {
    let kind = if key.imported { CredentialKind::Imported } else { CredentialKind::ApiKey };
    wire::VerifiedKey {
        key_id: key.key_id.to_string(),
        workspace_id: key.workspace_id.to_string(),
        name: key.name.to_owned(),
        display: display(brand, kind, key.env, key.kid),
        env: environment(key.env).into(),
        scopes: key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        owner: key.principal.map(|owner| wire::Owner {
            owner_email: String::new(),
            principal: Some(principal(owner)),
        }),
        expires_at: key.expires_at.map(|at| moment(at.timestamp())),
        generation: i32::try_from(key.generation).unwrap_or(i32::MAX),
        grace_until: key.grace_until.map(|at| moment(at.timestamp())),
        metadata: key.metadata.map(|labels| labels.pairs().clone()).unwrap_or_default(),
    }
}

/// A second, or less if the key ends sooner.
#[inline]
pub(super) fn cache_for(key: Option<&KeyView<'_>>, now: Micros) -> Option<Duration> {
    let ends = [key.and_then(|key| key.expires_at), key.and_then(|key| key.grace_until)];
    let left = ends.into_iter().flatten().map(|end| end.0.saturating_sub(now.0)).min();
    let left = left.map_or(CACHE_FOR, |micros| {
        CACHE_FOR.min(Duration::from_micros(micros.max(0).unsigned_abs()))
    });
    (!left.is_zero()).then_some(left)
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

pub(super) const fn warning(warning: Warning) -> wire::Warning {
    match warning {
        Warning::ExpiresSoon => wire::Warning::ExpiresSoon,
        Warning::InRotationGrace => wire::Warning::InRotationGrace,
        Warning::UnrestrictedIp => wire::Warning::UnrestrictedIp,
    }
}

pub(super) const fn number(denial: &Denial) -> wire::Denial {
    match denial {
        Denial::Malformed => wire::Denial::Malformed,
        Denial::NotFound => wire::Denial::NotFound,
        Denial::Revoked { .. } => wire::Denial::Revoked,
        Denial::Disabled => wire::Denial::Disabled,
        Denial::NotYetValid { .. } => wire::Denial::NotYetValid,
        Denial::Expired { .. } => wire::Denial::Expired,
        Denial::RotatedOut { .. } => wire::Denial::RotatedOut,
        Denial::WorkspaceSuspended => wire::Denial::WorkspaceSuspended,
        Denial::IpRequired => wire::Denial::IpRequired,
        Denial::IpNotAllowed => wire::Denial::IpNotAllowed,
        Denial::OriginRequired => wire::Denial::OriginRequired,
        Denial::OriginNotAllowed => wire::Denial::OriginNotAllowed,
        Denial::InsufficientScope { .. } => wire::Denial::InsufficientScope,
    }
}

/// What is known beyond the denial; nothing where that would tell unknown from foreign.
fn detail(denial: &Denial) -> Option<wire::DenialDetail> {
    let mut detail = wire::DenialDetail::default();
    let message = match denial {
        Denial::Malformed | Denial::NotFound => return None,
        Denial::Revoked { at, reason } => {
            detail.revocation = Some(wire::Revocation {
                reason: revocation_reason(*reason).into(),
                revoke_time: Some(moment(at.timestamp())),
                ..wire::Revocation::default()
            });
            "the key was revoked"
        }
        Denial::Disabled => "the key is disabled",
        Denial::NotYetValid { not_before } => {
            detail.since = Some(moment(not_before.timestamp()));
            "the key is not valid yet"
        }
        Denial::Expired { expires_at } => {
            detail.since = Some(moment(expires_at.timestamp()));
            "the key has expired"
        }
        Denial::RotatedOut { not_after } => {
            detail.since = Some(moment(not_after.timestamp()));
            "a newer credential of the key has taken over"
        }
        Denial::WorkspaceSuspended => "the workspace is suspended",
        Denial::IpRequired => "the key is bound to addresses, and no client_ip was given",
        Denial::IpNotAllowed => "the client's address is not on the key's list",
        Denial::OriginRequired => "the key is bound to domains, and no origin was given",
        Denial::OriginNotAllowed => "the origin is not on the key's list",
        Denial::InsufficientScope { missing } => {
            detail.missing_scopes.clone_from(missing);
            "the key lacks a scope"
        }
    };
    message.clone_into(&mut detail.message);
    Some(detail)
}
