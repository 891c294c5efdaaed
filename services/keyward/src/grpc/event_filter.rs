//! Which events a caller wants, from the wire: the fields that ListEvents and WatchEvents share.

use domain::{Event, KeyId, WorkspaceId};
use eventlog::AuditFilter;
use prost_types::Timestamp;

use super::fields;
use super::status::Refusal;

const MOST_KINDS: usize = 100;
const LONGEST_ACTOR: usize = 192;

/// The fields of a request that name events.
pub(super) struct Wanted<'a> {
    pub(super) workspace: WorkspaceId,
    pub(super) key_id: &'a str,
    pub(super) actor: &'a str,
    pub(super) kinds: &'a [String],
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
}

impl Wanted<'_> {
    /// The filter of these fields.
    ///
    /// # Errors
    /// The first that breaks a rule.
    pub(super) fn filter(self) -> Result<AuditFilter, Refusal> {
        let key: Option<KeyId> = match self.key_id {
            "" => None,
            text => Some(fields::id("key_id", text)?),
        };
        if self.actor.len() > LONGEST_ACTOR {
            return Err(Refusal::field("actor", "must have at most 192 bytes"));
        }
        let recorded_from = fields::moment("start_time", self.start_time)?;
        let recorded_before = fields::moment("end_time", self.end_time)?;
        if recorded_from.zip(recorded_before).is_some_and(|(from, before)| before <= from) {
            return Err(Refusal::field("end_time", "must be later than start_time"));
        }
        Ok(AuditFilter {
            workspace_id: self.workspace.to_string(),
            streams: key.map(Event::streams_of_key).unwrap_or_default(),
            actor: (!self.actor.is_empty()).then(|| self.actor.to_owned()),
            kinds: kinds(self.kinds)?,
            recorded_from,
            recorded_before,
        })
    }
}

fn kinds(asked: &[String]) -> Result<Vec<String>, Refusal> {
    if asked.len() > MOST_KINDS {
        return Err(Refusal::field("kinds", "must have at most 100 entries"));
    }
    for (at, kind) in asked.iter().enumerate() {
        if !Event::KINDS.iter().any(|(known, _)| known == kind) {
            let rule = "must be a kind of event, such as `api_key.revoked`";
            return Err(Refusal::field(format!("kinds[{at}]"), rule));
        }
    }
    Ok(asked.to_vec())
}
