//! The codec against `prost-reflect`: the same JSON and the same bytes, for every message that is served.
