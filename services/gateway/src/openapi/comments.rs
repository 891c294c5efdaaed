//! What the protos say of each thing.

use std::collections::{BTreeSet, HashMap};

use prost::Message;
use prost_reflect::{DescriptorPool, FileDescriptor};
use prost_types::FileDescriptorSet;

/// The comments, by file and path in it.
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    /// Fields that they name are named as JSON has them.
    pub(super) fn read(pool: &DescriptorPool) -> Self {
        let ours = pool.all_messages().filter(|one| one.package_name() == "keyward.v1");
        let fields = ours.flat_map(|one| one.fields().collect::<Vec<_>>());
        let fields: BTreeSet<String> = fields.map(|field| field.name().to_owned()).collect();
        let set = FileDescriptorSet::decode(api::COMMENTS).unwrap_or_default();
        let mut all = HashMap::new();
        for file in set.file {
            let name = file.name.unwrap_or_default();
            for location in file.source_code_info.unwrap_or_default().location {
                let comment = paragraphs(location.leading_comments.as_deref().unwrap_or_default());
                all.insert((name.clone(), location.path), as_json(&comment, &fields));
            }
        }
        Self(all)
    }

    /// The comment before what is at this path; empty if there is none.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        let found = self.0.get(&(file.name().to_owned(), path.to_vec()));
        found.map_or("", String::as_str)
    }
}

/// A comment with its lines joined, paragraph by paragraph.
fn paragraphs(comment: &str) -> String {
    let mut text = String::with_capacity(comment.len());
    for line in comment.lines().map(str::trim) {
        if line.is_empty() {
            text.truncate(text.trim_end().len());
            text.push_str("\n\n");
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text.trim().to_owned()
}

/// A text with the fields in backticks as JSON has them: `update_mask` as `updateMask`.
fn as_json(text: &str, fields: &BTreeSet<String>) -> String {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let named = place % 2 == 1 && part.split('.').all(|name| fields.contains(name));
        if named { camel(part) } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

/// Its first sentence.
pub(super) fn first_sentence(comment: &str) -> &str {
    let end = comment.find(". ").map(|end| end + 1).or_else(|| comment.find("\n\n"));
    comment[..end.unwrap_or(comment.len())].trim_end_matches('.')
}

/// What fits into a line: the first sentence up to where it begins to explain.
pub(super) fn summary(comment: &str) -> &str {
    const LONG: usize = 60;
    let sentence = first_sentence(comment);
    let sentence = sentence.split([':', ';']).next().unwrap_or(sentence);
    let sentence = sentence.split(" (AIP-").next().unwrap_or(sentence);
    let comma = sentence.find(", ").filter(|_| sentence.len() > LONG);
    &sentence[..comma.unwrap_or(sentence.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_json_has_them_and_nothing_else_is_changed() {
        let fields = ["update_mask", "owner", "user_id"].map(str::to_owned).into();
        let text = as_json("`update_mask`, `owner.user_id`; `kwk_live_...`, update_mask", &fields);
        assert_eq!(text, "`updateMask`, `owner.userId`; `kwk_live_...`, update_mask");
    }

    #[test]
    fn lines_become_paragraphs_and_the_first_sentence_a_summary() {
        let text = paragraphs(" Lists the keys,\n page by page. Sees all.\n\n Errors: NONE.\n");
        assert_eq!(text, "Lists the keys, page by page. Sees all.\n\nErrors: NONE.");
        assert_eq!(first_sentence(&text), "Lists the keys, page by page");
        assert_eq!(first_sentence("Lists."), "Lists");
        assert_eq!(summary("Lists keys (AIP-158): all of them. Sees all."), "Lists keys");
        let long = "Takes in keys of another system, which go on being verified with their strings";
        assert_eq!(summary(long), "Takes in keys of another system");
    }
}
