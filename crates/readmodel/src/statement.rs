//! Statements that are put together: a filter's conditions, each only if asked for, so that the
//! planner sees what is really wanted; and the arrays that `unnest` makes rows of.

use postgres_types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row, RowStream};

use crate::columns::Moment;
use crate::error::ReadError;
use crate::page::{Cursor, Order, PageRequest};

/// A `SELECT` that grows.
pub(crate) struct Statement {
    text: String,
    values: Vec<(Box<dyn ToSql + Send + Sync>, Type)>,
}

impl Statement {
    /// A statement that begins with `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// The place holder of a value: no value is ever part of the text.
    pub(crate) fn value(&mut self, value: impl ToSql + Send + Sync + 'static, ty: Type) -> String {
        self.values.push((Box::new(value), ty));
        format!("${}", self.values.len())
    }

    /// More text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// One more condition.
    pub(crate) fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    /// The page's order, beginning and length, over the columns `created_at` and `id`.
    pub(crate) fn page(&mut self, id: &str, page: &PageRequest) -> Result<(), ReadError> {
        match (page.order, page.after) {
            (Order::NewestFirst, Some(Cursor::NewestFirst { created_at, id: last })) => {
                let created_at = self.value(Moment(created_at), Type::TIMESTAMPTZ);
                let last = self.value(last, Type::UUID);
                self.and(&format!("(created_at, {id}) < ({created_at}, {last})"));
            }
            (Order::ById, Some(Cursor::ById { id: last })) => {
                let last = self.value(last, Type::UUID);
                self.and(&format!("{id} > {last}"));
            }
            (Order::NewestFirst | Order::ById, None) => {}
            (Order::NewestFirst, Some(Cursor::ById { .. }))
            | (Order::ById, Some(Cursor::NewestFirst { .. })) => {
                return Err(ReadError::ForeignCursor);
            }
        }
        let limit = self.value(page.limit(), Type::INT8);
        self.push(&order_by(page.order, id, "created_at"));
        self.push(&format!(" LIMIT {limit}"));
        Ok(())
    }

    /// Puts the statement, as it is now, into a larger one.
    pub(crate) fn become_part(&mut self, of: impl FnOnce(&str) -> String) {
        self.text = of(&self.text);
    }

    /// Asks, in one round trip and planned for these very values.
    pub(crate) async fn rows(&self, client: &impl GenericClient) -> Result<Vec<Row>, ReadError> {
        let values: Vec<_> = self.typed().collect();
        Ok(client.query_typed(&self.text, &values).await?)
    }

    /// As [`Statement::rows`], row by row: whoever has enough drops the rest.
    pub(crate) async fn stream(&self, client: &impl GenericClient) -> Result<RowStream, ReadError> {
        Ok(client.query_typed_raw(&self.text, self.typed()).await?)
    }

    fn typed(&self) -> impl Iterator<Item = (&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|(value, ty)| (value.as_ref() as &(dyn ToSql + Sync), ty.clone()))
    }
}

/// The clause for an order.
pub(crate) fn order_by(order: Order, id: &str, created_at: &str) -> String {
    match order {
        Order::NewestFirst => format!(" ORDER BY {created_at} DESC, {id} DESC"),
        Order::ById => format!(" ORDER BY {id}"),
    }
}

/// The pattern of what begins with `prefix`, for `LIKE` with its default escape.
pub(crate) fn beginning_with(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for letter in prefix.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// One array a column, for `unnest`.
macro_rules! arrays {
    ($row:ident in $rows:ident => $($value:expr),+ $(,)?) => {
        [$( &$rows.iter().map(|$row| $value).collect::<Vec<_>>() as &(dyn postgres_types::ToSql + Sync) ),+]
    };
}
pub(crate) use arrays;
