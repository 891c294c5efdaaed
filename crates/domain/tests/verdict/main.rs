//! The verdict against a naive model, its precedence pair by pair, its boundaries and both empties.

mod key;
mod model;
mod precedence;
mod rules;
