//! OpenAPI 3.1 of the canonical surface, made from the same descriptors and routes that serve it.

mod comments;
mod operation;
mod schema;

pub(crate) use operation::document;
