//! Pages by keyset: a page begins where the one before ended, whatever was inserted meanwhile.
//!
//! Deliberately absent: sealing a cursor and binding it to its list's filter, which is the edge's
//! work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::ReadError;

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// By time of creation, the newest first; equal times by id, descending.
    #[default]
    NewestFirst,
    /// By id, ascending.
    ById,
}

/// The place behind a row in a list of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Cursor {
    /// In [`Order::NewestFirst`].
    #[serde(rename = "n")]
    NewestFirst {
        /// When the row was created.
        #[serde(rename = "t")]
        created_at: Timestamp,
        /// The row's id.
        #[serde(rename = "i")]
        id: Uuid,
    },
    /// In [`Order::ById`].
    #[serde(rename = "i")]
    ById {
        /// The row's id.
        #[serde(rename = "i")]
        id: Uuid,
    },
}

impl Cursor {
    /// The cursor as bytes, to be sealed before a client gets it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a cursor has string keys and no failing serializer")
    }

    /// The cursor of [`Cursor::to_bytes`].
    ///
    /// # Errors
    /// [`ReadError::ForeignCursor`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        serde_json::from_slice(bytes).map_err(|_| ReadError::ForeignCursor)
    }

    pub(crate) const fn behind(order: Order, created_at: Timestamp, id: Uuid) -> Self {
        match order {
            Order::NewestFirst => Self::NewestFirst { created_at, id },
            Order::ById => Self::ById { id },
        }
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The most rows; taken as at least 1 and at most [`PageRequest::MAX_SIZE`].
    pub size: usize,
    /// The order of the list.
    pub order: Order,
    /// Where the page before ended; `None` for the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The most rows that a page can have.
    pub const MAX_SIZE: usize = 1000;

    /// The first page of a list in `order`.
    #[must_use]
    pub const fn first(size: usize, order: Order) -> Self {
        Self { size, order, after: None }
    }

    pub(crate) fn rows(&self) -> usize {
        self.size.clamp(1, Self::MAX_SIZE)
    }

    /// How many rows to ask for: one more than wanted says whether there is a next page.
    pub(crate) fn limit(&self) -> i64 {
        i64::try_from(self.rows()).map_or(i64::MAX, |rows| rows + 1)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page of `rows`, of which there may be one too many; `place` tells a row's place.
    pub(crate) fn cut(
        request: &PageRequest,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> (Timestamp, Uuid),
    ) -> Self {
        let more = rows.len() > request.rows();
        rows.truncate(request.rows());
        let next = rows.last().filter(|_| more).map(|last| {
            let (created_at, id) = place(last);
            Cursor::behind(request.order, created_at, id)
        });
        Self { rows, next }
    }
}
