//! Objects whose members are the client's own, between JSON and protobuf.

use prost_types::{ListValue, NullValue, Struct, Value as Wire, value::Kind};
use serde_json::{Map, Number, Value};

/// The largest whole number that a double has without a gap below it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// For the service.
pub(crate) fn structure(members: Map<String, Value>) -> Struct {
    let fields = members.into_iter().map(|(name, value)| (name, wire(value)));
    Struct { fields: fields.collect() }
}

/// From the service.
pub(crate) fn members(structure: Struct) -> Map<String, Value> {
    structure.fields.into_iter().map(|(name, value)| (name, value_of(value))).collect()
}

fn wire(value: Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(NullValue::NullValue.into()),
        Value::Bool(flag) => Kind::BoolValue(flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(list) => {
            Kind::ListValue(ListValue { values: list.into_iter().map(wire).collect() })
        }
        Value::Object(members) => Kind::StructValue(structure(members)),
    };
    Wire { kind: Some(kind) }
}

fn value_of(wire: Wire) -> Value {
    match wire.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::NumberValue(number)) => self::number(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(value_of).collect(),
        Some(Kind::StructValue(structure)) => Value::Object(members(structure)),
    }
}

/// Whole numbers without a fraction, as they came.
fn number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
    let whole = (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    match whole {
        Some(whole) => whole.into(),
        None => Number::from_f64(number).map_or(Value::Null, Value::Number),
    }
}
