//! Prometheus' text format, as far as we write it ourselves: for what the exporter cannot render.

use std::fmt::{Display, Write as _};

/// A label's name and value.
pub(super) type Label = (&'static str, String);

/// Appends families to a text.
#[derive(Debug)]
pub(super) struct Exposition<'a> {
    text: &'a mut String,
}

impl<'a> Exposition<'a> {
    pub(super) fn onto(text: &'a mut String) -> Self {
        Exposition { text }
    }

    /// Starts a family. Called once per name.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: Option<&str>) {
        if let Some(help) = help {
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            self.text.push_str(&format!("# HELP {name} {help}\n"));
        }
        self.text.push_str(&format!("# TYPE {name} {kind}\n"));
    }

    /// Writes one sample of the family.
    pub(super) fn sample(
        &mut self,
        (name, suffix): (&str, &str),
        labels: &[Label],
        bound: Option<&str>,
        value: impl Display,
    ) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        let labels = labels.iter().map(|(name, value)| (*name, value.as_str()));
        let mut open = '{';
        for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.text.push_str(&format!("{open}{name}=\"{value}\""));
            open = ',';
        }
        if open == ',' {
            self.text.push('}');
        }
        // Writing to a string does not fail.
        let _written = writeln!(self.text, " {value}");
    }
}

/// Nanoseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "a reading to 15 digits is enough")]
pub(super) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_help_and_labels_are_escaped() {
        let mut text = String::new();
        let mut page = Exposition::onto(&mut text);
        page.family("a_total", "counter", Some("two\nlines \\ \"quoted\""));
        page.sample(("a_total", ""), &[("why", String::from("a \"b\"\n\\"))], None, 1.5);
        page.sample(("a", "_bucket"), &[], Some("0.1"), 2);
        assert_eq!(
            text,
            "# HELP a_total two\\nlines \\\\ \"quoted\"\n# TYPE a_total counter\n\
             a_total{why=\"a \\\"b\\\"\\n\\\\\"} 1.5\na_bucket{le=\"0.1\"} 2\n"
        );
    }
}
