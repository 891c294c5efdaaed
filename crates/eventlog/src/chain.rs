//! The chain of MACs that makes the log tamper-evident.
//!
//! `mac(n) = MAC(mac(n-1) || envelope(n))`, where the envelope holds every stored column, each with
//! its length in front, so that no two different events share one. The keys are the caller's: this
//! crate has no cryptography of its own.
//!
//! New links are made under the active key. An event says by its id which key that was; the MAC need
//! not cover the id, for under another key it would be another MAC. What has no id of its own, the link
//! before the first event, is under the first key, which stays for as long as the log lives.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Fault, LogError};
use crate::event::{Position, RecordedEvent, Revision};

/// One link of the chain.
pub type Mac = [u8; 32];

/// The keyed MAC (HMAC-SHA-256 in production) that links events. Cheap to clone.
#[derive(Clone)]
pub struct ChainMac {
    active: Arc<Active>,
    under: Arc<Under>,
}

type Active = dyn Fn(&[u8]) -> (u16, Mac) + Send + Sync;
type Under = dyn Fn(Option<u16>, &[u8]) -> Option<Mac> + Send + Sync;

impl ChainMac {
    /// A MAC under one key, with the id 1. The same key must be given for as long as the log lives.
    pub fn new(mac: impl Fn(&[u8]) -> Mac + Send + Sync + 'static) -> Self {
        let mac = Arc::new(mac);
        let active = Arc::clone(&mac);
        Self::of_keys(
            move |text| (1, active(text)),
            move |key, text| (key.unwrap_or(1) == 1).then(|| mac(text)),
        )
    }

    /// A MAC under several keys, which may change while the log is open. `active` makes a link and says
    /// by the id under which key; `under` is the MAC under the key with an id, or without one under the
    /// first key, which must always be the same. It is `None` if there is no such key.
    pub fn of_keys(
        active: impl Fn(&[u8]) -> (u16, Mac) + Send + Sync + 'static,
        under: impl Fn(Option<u16>, &[u8]) -> Option<Mac> + Send + Sync + 'static,
    ) -> Self {
        Self { active: Arc::new(active), under: Arc::new(under) }
    }

    /// The link before the first event of a log.
    pub(crate) fn genesis(&self, log_id: Uuid) -> Mac {
        let mut text = b"keyward.log.genesis.v1".to_vec();
        text.extend_from_slice(log_id.as_bytes());
        // Without an id there always is a key; a ring without any would be none.
        (self.under)(None, &text).unwrap_or_default()
    }

    /// The link that follows `previous` when `envelope` is appended, and the id of its key.
    pub(crate) fn link(&self, previous: &Mac, envelope: &Envelope<'_>) -> (u16, Mac) {
        (self.active)(&text(previous, envelope))
    }

    /// Whether the event carries the link that follows `previous`.
    fn follows(&self, previous: &Mac, event: &RecordedEvent) -> Result<bool, LogError> {
        let mac = (self.under)(event.chain_key, &text(previous, &Envelope::of(event)));
        Ok(mac.ok_or_else(|| unknown_key(event.position, event.chain_key))? == event.mac)
    }

    /// Refuses what is linked under a key that is not here.
    pub(crate) fn check_key(&self, position: Position, key: Option<u16>) -> Result<(), LogError> {
        let known = (self.under)(key, &[]);
        known.map(drop).ok_or_else(|| unknown_key(position, key))
    }
}

fn unknown_key(position: Position, key: Option<u16>) -> LogError {
    LogError::UnknownChainKey { position, key: key.unwrap_or_default() }
}

/// What a link is the MAC of.
fn text(previous: &Mac, envelope: &Envelope<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(256 + envelope.metadata.len() + envelope.payload.len());
    text.extend_from_slice(previous);
    envelope.write(&mut text);
    text
}

impl fmt::Debug for ChainMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainMac(..)")
    }
}

/// Everything of an event that its MAC covers.
pub(crate) struct Envelope<'a> {
    pub(crate) position: Position,
    pub(crate) stream: &'a str,
    pub(crate) revision: Revision,
    pub(crate) event_id: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) schema: u16,
    pub(crate) workspace_id: Option<&'a str>,
    pub(crate) recorded_at: jiff::Timestamp,
    pub(crate) metadata: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn of(event: &'a RecordedEvent) -> Self {
        Self {
            position: event.position,
            stream: event.stream.as_str(),
            revision: event.revision,
            event_id: event.event_id,
            kind: &event.kind,
            schema: event.schema,
            workspace_id: event.workspace_id.as_deref(),
            recorded_at: event.recorded_at,
            metadata: &event.metadata_bytes,
            payload: &event.payload,
        }
    }

    fn write(&self, text: &mut Vec<u8>) {
        let mut field = |bytes: &[u8]| {
            text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            text.extend_from_slice(bytes);
        };
        field(b"keyward.log.event.v1");
        field(&self.position.get().to_be_bytes());
        field(self.stream.as_bytes());
        field(&self.revision.get().to_be_bytes());
        field(self.event_id.as_bytes());
        field(self.kind.as_bytes());
        field(&self.schema.to_be_bytes());
        // "No workspace" and "a workspace with an empty name" must differ.
        field(&[u8::from(self.workspace_id.is_some())]);
        field(self.workspace_id.unwrap_or_default().as_bytes());
        field(&self.recorded_at.as_microsecond().to_be_bytes());
        field(self.metadata);
        field(self.payload);
    }
}

/// How far a reader has come: the last position it accepted, and the link there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) position: Position,
    pub(crate) mac: Mac,
}

impl Tip {
    /// Accepts the next event, or says why it cannot be the next one.
    pub(crate) fn follow(
        &mut self,
        chain: &ChainMac,
        event: &RecordedEvent,
    ) -> Result<(), LogError> {
        let due = self.position.next();
        if event.position != due {
            return Err(LogError::corrupt(due, Fault::Missing));
        }
        if !chain.follows(&self.mac, event)? {
            return Err(LogError::corrupt(due, Fault::MacMismatch));
        }
        *self = Self { position: due, mac: event.mac };
        Ok(())
    }

    /// Accepts a read that starts at the tip itself (or after position zero): the event at the tip
    /// must be the one known, each later one must follow. Returns what is new.
    pub(crate) fn follow_from_tip(
        &mut self,
        chain: &ChainMac,
        mut read: Vec<RecordedEvent>,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        if self.position > Position::ZERO {
            match read.first() {
                Some(event) if event.position == self.position && event.mac == self.mac => {}
                Some(event) if event.position == self.position => {
                    return Err(LogError::corrupt(self.position, Fault::Replaced));
                }
                Some(_) | None => return Err(LogError::corrupt(self.position, Fault::Missing)),
            }
            read.remove(0);
        }
        let mut tip = *self;
        for event in &read {
            tip.follow(chain, event)?;
        }
        *self = tip;
        Ok(read)
    }
}
