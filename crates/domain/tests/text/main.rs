//! Text that people write, and the small values with a limit.

mod limits;
mod words;
