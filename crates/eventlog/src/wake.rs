//! What a connection hears of the log between two reads.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::event::Position;

/// Wakes a follower when the log has grown, as NOTIFY says, or its connection has ended.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// The furthest position that was heard of since the follower last looked.
    heard: AtomicU64,
    notify: Notify,
}

impl Wake {
    /// Notes a NOTIFY. Its payload is the position of the head; whatever else it may be is a reason to
    /// look.
    pub(crate) fn hear(&self, payload: &str) {
        self.note(payload.parse().unwrap_or(u64::MAX));
    }

    /// Notes the end of the connection.
    pub(crate) fn ended(&self) {
        self.note(u64::MAX);
    }

    fn note(&self, position: u64) {
        self.heard.fetch_max(position, Ordering::AcqRel);
        self.notify.notify_one();
    }

    /// Returns when there is something beyond `reached`. What one commits oneself is heard of too, and
    /// is no reason to look for it.
    pub(crate) async fn heard_beyond(&self, reached: Position) {
        loop {
            self.notify.notified().await;
            if self.heard.swap(0, Ordering::AcqRel) > reached.get() {
                return;
            }
        }
    }
}
