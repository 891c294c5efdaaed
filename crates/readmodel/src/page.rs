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
    /// In lists of keys a page ends before the row that would make it larger than this, as rows come
    /// from the database; it has one row at least.
    pub bytes: usize,
}

impl PageRequest {
    /// The most rows that a page can have.
    pub const MAX_SIZE: usize = 1000;

    /// The first page of a list in `order`, however large it is.
    #[must_use]
    pub const fn first(size: usize, order: Order) -> Self {
        Self { size, order, after: None, bytes: usize::MAX }
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

/// The most rows that are asked for at a time: a page that ends early has had no more than so many
/// rows read in vain, where the database is concerned.
const PART: usize = 128;

/// A page whose rows are still coming in, part by part.
pub(crate) struct Filling<'a, T> {
    request: &'a PageRequest,
    place: fn(&T) -> (Timestamp, Uuid),
    rows: Vec<T>,
    bytes: usize,
    more: bool,
}

impl<'a, T> Filling<'a, T> {
    /// A page without rows; `place` tells a row's place.
    pub(crate) const fn new(request: &'a PageRequest, place: fn(&T) -> (Timestamp, Uuid)) -> Self {
        Self { request, place, rows: Vec::new(), bytes: 0, more: false }
    }

    /// What to ask for next. If fewer rows come than its limit, there are no more.
    pub(crate) fn part(&self) -> PageRequest {
        let size = (self.request.rows() - self.rows.len()).min(PART);
        PageRequest { size, after: self.end().or(self.request.after), ..*self.request }
    }

    /// Adds the next row; `false` if it belongs to the next page.
    pub(crate) fn add(&mut self, row: T, bytes: usize) -> bool {
        self.bytes += bytes;
        let large = self.bytes > self.request.bytes && !self.rows.is_empty();
        self.more = large || self.rows.len() == self.request.rows();
        if !self.more {
            self.rows.push(row);
        }
        !self.more
    }

    /// The page.
    pub(crate) fn page(self) -> Page<T> {
        let next = self.end().filter(|_| self.more);
        Page { rows: self.rows, next }
    }

    fn end(&self) -> Option<Cursor> {
        let (created_at, id) = (self.place)(self.rows.last()?);
        Some(Cursor::behind(self.request.order, created_at, id))
    }
}
