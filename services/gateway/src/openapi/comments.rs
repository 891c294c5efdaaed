//! What the protos say of each thing.

use std::collections::HashMap;

use prost::Message;
use prost_reflect::FileDescriptor;
use prost_types::FileDescriptorSet;

/// The comments, by file and path in it.
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn read() -> Self {
        let set = FileDescriptorSet::decode(api::COMMENTS).unwrap_or_default();
        let mut all = HashMap::new();
        for file in set.file {
            let name = file.name.unwrap_or_default();
            for location in file.source_code_info.unwrap_or_default().location {
                let comment = paragraphs(location.leading_comments.as_deref().unwrap_or_default());
                all.insert((name.clone(), location.path), comment);
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

/// Its first sentence.
pub(super) fn first_sentence(comment: &str) -> &str {
    let end = comment.find(". ").map(|end| end + 1).or_else(|| comment.find("\n\n"));
    comment[..end.unwrap_or(comment.len())].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_paragraphs_and_the_first_sentence_a_summary() {
        let text = paragraphs(" Lists the keys,\n page by page. Sees all.\n\n Errors: NONE.\n");
        assert_eq!(text, "Lists the keys, page by page. Sees all.\n\nErrors: NONE.");
        assert_eq!(first_sentence(&text), "Lists the keys, page by page");
        assert_eq!(first_sentence("Lists."), "Lists");
    }
}
