//! What a batch of commands comes to, once the head is locked and the past is read.
//!
//! Pure: no database, no clock. Each command gets an answer of its own; one command's conflict or
//! repetition never touches its neighbours. The answers are true only if the plan is committed, or
//! if it has no rows.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::append::{
    AppendOutcome, Appended, Expected, NewRequest, Prepared, RequestKey, StoredRequest,
};
use crate::chain::{ChainMac, Envelope, Mac};
use crate::error::LogError;
use crate::event::{NewEvent, Position, Revision, StreamId};
use crate::row::Head;

/// The past that matters to a batch, read under the head's lock.
pub(crate) struct Past {
    pub(crate) head: Head,
    pub(crate) now: Timestamp,
    pub(crate) revisions: HashMap<StreamId, Revision>,
    pub(crate) events: HashMap<Uuid, PastEvent>,
    pub(crate) requests: HashMap<RequestKey, StoredRequest>,
}

/// An event that already carries an id of the batch.
pub(crate) struct PastEvent {
    pub(crate) position: Position,
    pub(crate) recorded_at: Timestamp,
    pub(crate) stream: StreamId,
    pub(crate) kind: String,
    pub(crate) schema: u16,
    pub(crate) payload: Vec<u8>,
}

/// An event that is to be inserted.
pub(crate) struct PlannedEvent<'a> {
    pub(crate) position: Position,
    pub(crate) stream: &'a StreamId,
    pub(crate) revision: Revision,
    pub(crate) event: &'a NewEvent,
    pub(crate) workspace_id: Option<&'a str>,
    pub(crate) metadata: &'a [u8],
    pub(crate) mac: Mac,
    pub(crate) chain_key: u16,
}

/// The answer of one command.
pub(crate) type Answer = Result<AppendOutcome, LogError>;

/// What is to be written, and what each command is told once it is.
pub(crate) struct Plan<'a> {
    pub(crate) head: Head,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<PlannedEvent<'a>>,
    pub(crate) requests: Vec<(&'a NewRequest, Position)>,
    pub(crate) answers: Vec<Answer>,
    past: Past,
    ids: HashMap<Uuid, usize>,
}

impl<'a> Plan<'a> {
    /// Decides the batch, command by command, in order.
    pub(crate) fn new(
        past: Past,
        chain: &ChainMac,
        commands: impl Iterator<Item = &'a Prepared>,
    ) -> Self {
        let mut plan = Self {
            head: past.head,
            now: past.now,
            events: Vec::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            past,
            ids: HashMap::new(),
        };
        for command in commands {
            let answer = plan.answer(chain, command);
            plan.answers.push(answer);
        }
        plan
    }

    /// Whether there is nothing to write: the answers rest on what was committed before.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.requests.is_empty()
    }

    fn answer(&mut self, chain: &ChainMac, command: &'a Prepared) -> Answer {
        // First the event ids: after an unknown outcome the command's own events, and its own
        // request, may be there. Then it was appended, not repeated.
        if let Some(appended) = self.already_appended(command) {
            return Ok(AppendOutcome::Appended(appended));
        }
        let request = command.append.request.as_ref();
        if let Some(stored) = request.and_then(|request| self.past.requests.get(&request.key())) {
            return Ok(AppendOutcome::Repeated(stored.clone()));
        }
        for (_, event) in command.all_events() {
            if let Some(position) = self.position_of(event.event_id) {
                return Err(LogError::DuplicateEvent { event_id: event.event_id, position });
            }
        }
        self.check_expected(command)?;
        let appended = (command.events > 0).then(|| self.place(chain, command));
        match (appended, request) {
            (None, Some(request)) => {
                self.remember(request, request.rests_on);
                Ok(AppendOutcome::Remembered(request.rests_on))
            }
            (Some(appended), Some(request)) => {
                self.remember(request, appended.last);
                Ok(AppendOutcome::Appended(appended))
            }
            (Some(appended), None) => Ok(AppendOutcome::Appended(appended)),
            (None, None) => Err(LogError::Invalid("a command has at least one event")),
        }
    }

    /// Where the command's events are, if all of them are there, side by side and unchanged.
    fn already_appended(&self, command: &Prepared) -> Option<Appended> {
        let mut found: Option<Appended> = None;
        for (stream, event) in command.all_events() {
            let (position, recorded_at) = self.find(stream, event)?;
            let first = found.map_or(position, |found| found.first);
            if found.is_some_and(|found| found.last.next() != position) {
                return None;
            }
            found = Some(Appended { first, last: position, recorded_at });
        }
        found
    }

    fn find(&self, stream: &StreamId, event: &NewEvent) -> Option<(Position, Timestamp)> {
        if let Some(past) = self.past.events.get(&event.event_id) {
            let same = past.stream == *stream
                && past.kind == event.kind
                && past.schema == event.schema
                && past.payload == event.payload;
            return same.then_some((past.position, past.recorded_at));
        }
        let planned = &self.events[*self.ids.get(&event.event_id)?];
        let same = planned.stream == stream && planned.event == event;
        same.then_some((planned.position, self.now))
    }

    fn position_of(&self, event_id: Uuid) -> Option<Position> {
        let past = self.past.events.get(&event_id).map(|past| past.position);
        past.or_else(|| self.ids.get(&event_id).map(|index| self.events[*index].position))
    }

    fn check_expected(&self, command: &Prepared) -> Result<(), LogError> {
        for part in &command.append.streams {
            let actual = self.past.revisions.get(&part.stream).copied();
            let met = match part.expected {
                Expected::NoStream => actual.is_none(),
                Expected::Exact(revision) => actual == Some(revision),
                Expected::Any => true,
            };
            if !met {
                return Err(LogError::Conflict {
                    stream: part.stream.clone(),
                    expected: part.expected,
                    actual,
                });
            }
        }
        Ok(())
    }

    fn place(&mut self, chain: &ChainMac, command: &'a Prepared) -> Appended {
        let first = self.head.position.next();
        let workspace_id = command.append.workspace_id.as_deref();
        for (stream, event) in command.all_events() {
            let position = self.head.position.next();
            let before = self.past.revisions.get(stream).copied().unwrap_or(Revision::ZERO);
            let revision = before.next();
            let envelope = Envelope {
                position,
                stream: stream.as_str(),
                revision,
                event_id: event.event_id,
                kind: &event.kind,
                schema: event.schema,
                workspace_id,
                recorded_at: self.now,
                metadata: &command.metadata,
                payload: &event.payload,
            };
            let (chain_key, mac) = chain.link(&self.head.mac, &envelope);
            self.ids.insert(event.event_id, self.events.len());
            let metadata = &command.metadata;
            self.events.push(PlannedEvent {
                position,
                stream,
                revision,
                event,
                workspace_id,
                metadata,
                mac,
                chain_key,
            });
            self.past.revisions.insert(stream.clone(), revision);
            self.head.position = position;
            self.head.mac = mac;
        }
        Appended { first, last: self.head.position, recorded_at: self.now }
    }

    fn remember(&mut self, request: &'a NewRequest, position: Position) {
        self.requests.push((request, position));
        let stored = StoredRequest {
            content_digest: request.content_digest,
            position,
            sealed_reply: Some(request.sealed_reply.clone()),
            expires_at: request.expires_at,
        };
        self.past.requests.insert(request.key(), stored);
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
