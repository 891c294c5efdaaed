//! Every text field of every request, one by one, with something in it that does not belong there.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};

/// How deep fields are looked for.
const DEPTH: usize = 3;

/// A way to a text field.
pub(super) type Path = Vec<FieldDescriptor>;

/// The ways to all text fields of a request.
pub(super) fn text_fields(method: &MethodDescriptor) -> Vec<Path> {
    let mut found = Vec::new();
    walk(&method.input(), &mut Vec::new(), &mut found);
    found
}

fn walk(message: &MessageDescriptor, path: &mut Path, found: &mut Vec<Path>) {
    for field in message.fields() {
        path.push(field.clone());
        if let Kind::Message(inner) = field.kind() {
            let text = |map: &MessageDescriptor| map.map_entry_value_field().kind() == Kind::String;
            if !field.is_map() && path.len() < DEPTH {
                walk(&inner, path, found);
            } else if field.is_map() && text(&inner) {
                found.push(path.clone());
            }
        } else if field.kind() == Kind::String {
            found.push(path.clone());
        }
        path.pop();
    }
}

/// Puts `text` at the end of `path`.
pub(super) fn plant(message: &mut DynamicMessage, path: &[FieldDescriptor], text: &str) {
    let (field, rest) = path.split_first().expect("a path has a field");
    let text_value = || Value::String(text.to_owned());
    let value = if let Kind::Message(inner) = field.kind() {
        if field.is_map() {
            Value::Map([(MapKey::String(text.to_owned()), text_value())].into())
        } else {
            let old = message.get_field(field).into_owned();
            let inside = if let Value::Message(inside) = old { Some(inside) } else { None };
            let mut inside = inside.unwrap_or_else(|| DynamicMessage::new(inner));
            plant(&mut inside, rest, text);
            let inside = Value::Message(inside);
            if field.is_list() { Value::List(vec![inside]) } else { inside }
        }
    } else if field.is_list() {
        Value::List(vec![text_value()])
    } else {
        text_value()
    };
    message.set_field(field, value);
}

/// A request that has what most requests need.
pub(super) fn plain(method: &MethodDescriptor, workspace: &str, key: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(method.input());
    let known = [("workspace_id", workspace), ("key_id", key), ("name", "the control's name")];
    for (name, value) in known {
        let field = message.descriptor().get_field_by_name(name);
        // One of several alternatives would take the place of what is planted in another.
        let field = field.filter(|field| field.containing_oneof().is_none());
        if let Some(field) = field.filter(|field| field.kind() == Kind::String) {
            message.set_field(&field, Value::String(value.to_owned()));
        }
    }
    message
}
