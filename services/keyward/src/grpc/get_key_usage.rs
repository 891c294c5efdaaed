//! GetKeyUsage: how the credentials of a key were used, hour by hour.

use std::sync::Arc;

use api::v1::{self as wire, GetKeyUsageRequest, GetKeyUsageResponse};
use domain::Micros;
use eventlog::Projection;
use jiff::Timestamp;
use readmodel::keys::Keys;

use super::call::Call;
use super::status::{Refusal, Resource};
use super::{convert, fields, last_use, reading};
use crate::node::Node;
use crate::usage::{self, CredentialUse, HourCount};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// For how long counts are kept.
const LONGEST: i64 = 90 * DAY;
/// Counts in one answer, which is some 20 bytes each.
const MOST_COUNTS: usize = 30_000;
/// Credentials in one answer.
const MOST_CREDENTIALS: usize = 1_000;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    call: Call,
    request: GetKeyUsageRequest,
) -> Result<GetKeyUsageResponse, Refusal> {
    let (workspace, key_id) = call.key(&request.workspace_id, &request.key_id, Resource::ApiKey)?;
    let range = range(&request, node.clock.now())?;
    let client = reading::of_workspace(&node, workspace, &[Keys.name()], &request.at_least).await?;
    readmodel::keys::get(&**client, workspace, key_id)
        .await?
        .filter(|row| call.caller.envs().contains(row.key.settings.env))
        .ok_or_else(|| Refusal::not_found(Resource::ApiKey, key_id.to_string()))?;
    let mut uses = usage::of(&client, workspace, std::iter::once(key_id)).await?;
    let counts = usage::hours(&client, key_id, range, MOST_COUNTS + 1).await?;
    drop(client);
    if counts.len() > MOST_COUNTS {
        let rule = "must be nearer to end_time: there are more than 30000 counts between them";
        return Err(Refusal::field("start_time", rule));
    }
    let mut uses = uses.remove(&key_id).unwrap_or_default();
    let at = |used: &CredentialUse| used.last.as_ref().map(|last| last.at);
    uses.sort_by_key(|used| std::cmp::Reverse(at(used)));
    uses.truncate(MOST_CREDENTIALS);
    let credentials = uses.iter().map(|used| credential(used, &counts)).collect();
    Ok(GetKeyUsageResponse { credentials })
}

/// The hours that are asked for: from the one that `start_time` is in until, but not with, the one that
/// begins at or after `end_time`.
fn range(request: &GetKeyUsageRequest, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let start = fields::moment("start_time", request.start_time)?.map(Micros::from);
    let end = fields::moment("end_time", request.end_time)?.unwrap_or(now);
    let start = start.map_or(Micros::from(end).0 - DAY, |start| start.0);
    let length = Micros::from(end).0 - start;
    if length <= 0 {
        return Err(Refusal::field("start_time", "must be before end_time"));
    }
    if length > LONGEST {
        return Err(Refusal::field("start_time", "must be at most 90 days before end_time"));
    }
    Ok((Micros(start - start.rem_euclid(HOUR)).timestamp(), end))
}

/// A credential with those of the counts that are its own, which are in the order of time.
fn credential(used: &CredentialUse, counts: &[HourCount]) -> wire::CredentialUsage {
    let mut hours: Vec<wire::HourlyUsage> = Vec::new();
    for count in counts.iter().filter(|count| count.kid == used.kid) {
        let begins = Some(convert::moment(count.hour));
        if hours.last().is_none_or(|hour| hour.start_time != begins) {
            hours.push(wire::HourlyUsage { start_time: begins, ..Default::default() });
        }
        let Some(hour) = hours.last_mut() else {
            continue;
        };
        match count.verdict {
            0 => hour.accepted_count = count.count,
            denial => {
                hour.denials.push(wire::DenialCount { denial: denial.into(), count: count.count })
            }
        }
    }
    wire::CredentialUsage {
        kid: used.kid.to_string(),
        last_use: used.last.as_ref().map(last_use::last_use),
        accepted_count: used.accepted,
        denied_count: used.denied,
        hours,
    }
}
