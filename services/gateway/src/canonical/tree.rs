//! Which route a path is, segment by segment, by the templates of `google.api.http`:
//! `/v1/workspaces/{workspace_id}/keys/{key_id}:rotate`. A variable is one whole segment.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

/// What a path has for the variables of its template, still encoded.
pub(crate) type Values<'p> = SmallVec<[&'p str; 4]>;

/// A template that can't be served.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Of another form than those that are known.
    #[error("the template {0} is not supported")]
    Unsupported(String),
    /// Two rules for the same requests.
    #[error("{method} {template} is taken twice")]
    Ambiguous {
        /// The method.
        method: Method,
        /// The second of the two.
        template: String,
    },
}

/// One segment, and all that can follow it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    literals: Vec<(String, Tree)>,
    variable: Option<Box<Tree>>,
    /// What ends here: the verb after the colon, the method, and the place of the route.
    ends: Vec<(String, Method, usize)>,
}

/// What a path leads to.
pub(crate) enum Found<'t, 'p> {
    /// A route, by its place.
    Route(usize, Values<'p>),
    /// Routes, but none for this method.
    OtherMethods(&'t [(String, Method, usize)], &'p str),
    /// Nothing.
    Nothing,
}

/// A template, read.
#[derive(Debug)]
pub(crate) struct Template<'t> {
    segments: Vec<Segment<'t>>,
    verb: &'t str,
}

#[derive(Debug, Clone, Copy)]
enum Segment<'t> {
    Literal(&'t str),
    Variable(&'t str),
}

impl<'t> Template<'t> {
    /// Reads `text`.
    ///
    /// # Errors
    /// It is more than literals, variables of one segment, and a verb, or a slash, at the end.
    pub(crate) fn read(text: &'t str) -> Result<Self, TemplateError> {
        let unsupported = || TemplateError::Unsupported(text.to_owned());
        let path = text.strip_prefix('/').ok_or_else(unsupported)?;
        let (path, verb) = path.rsplit_once(':').unwrap_or((path, ""));
        if path.contains(':') || (text.contains(':') && !is_literal(verb)) {
            return Err(unsupported());
        }
        // `/docs/`: nothing is the last segment.
        let (path, slash) = match path.strip_suffix('/') {
            Some(rest) if verb.is_empty() => (rest, Some(Ok(Segment::Literal("")))),
            Some(_) | None => (path, None),
        };
        let segments = path.split('/').map(|segment| {
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) if is_field_path(name) => Ok(Segment::Variable(name)),
                None if is_literal(segment) => Ok(Segment::Literal(segment)),
                Some(_) | None => Err(unsupported()),
            }
        });
        Ok(Self { segments: segments.chain(slash).collect::<Result<_, _>>()?, verb })
    }

    /// The names of its variables, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'t str> + '_ {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(name) => Some(*name),
            Segment::Literal(_) => None,
        })
    }
}

fn is_literal(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

fn is_field_path(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

impl Tree {
    /// Has this template and method lead to the route at this place.
    ///
    /// # Errors
    /// Another one does already.
    pub(crate) fn add(
        &mut self,
        method: Method,
        template: &Template<'_>,
        text: &str,
        route: usize,
    ) -> Result<(), TemplateError> {
        let mut at = self;
        for segment in &template.segments {
            at = match segment {
                Segment::Variable(_) => at.variable.get_or_insert_default(),
                Segment::Literal(literal) => {
                    let known = at.literals.iter().position(|(known, _)| known == literal);
                    let place = known.unwrap_or_else(|| {
                        at.literals.push(((*literal).to_owned(), Self::default()));
                        at.literals.len() - 1
                    });
                    &mut at.literals[place].1
                }
            };
        }
        if at.ends.iter().any(|(verb, known, _)| verb == template.verb && *known == method) {
            return Err(TemplateError::Ambiguous { method, template: text.to_owned() });
        }
        at.ends.push((template.verb.to_owned(), method, route));
        Ok(())
    }

    /// What `path` leads to. A literal goes before a variable.
    pub(crate) fn find<'t, 'p>(&'t self, method: &Method, path: &'p str) -> Found<'t, 'p> {
        let Some(path) = path.strip_prefix('/') else {
            return Found::Nothing;
        };
        let slash = path.rfind('/').map_or(0, |slash| slash + 1);
        let (path, verb) = match path[slash..].rfind(':') {
            Some(colon) => (&path[..slash + colon], &path[slash + colon + 1..]),
            None => (path, ""),
        };
        let mut values = Values::new();
        let Some(end) = self.walk(path, verb, &mut values) else {
            return Found::Nothing;
        };
        let ends = end.ends.iter().find(|(known, asked, _)| known == verb && asked == method);
        match ends {
            Some((_, _, route)) => Found::Route(*route, values),
            None => Found::OtherMethods(&end.ends, verb),
        }
    }

    fn walk<'t, 'p>(
        &'t self,
        path: &'p str,
        verb: &str,
        values: &mut Values<'p>,
    ) -> Option<&'t Self> {
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let onward = |tree: &'t Self, values: &mut Values<'p>| match rest {
            Some(rest) => tree.walk(rest, verb, values),
            None => tree.ends.iter().any(|(known, _, _)| known == verb).then_some(tree),
        };
        let literal = self.literals.iter().find(|(known, _)| known == segment);
        if let Some(found) = literal.and_then(|(_, tree)| onward(tree, values)) {
            return Some(found);
        }
        let tree = self.variable.as_deref().filter(|_| !segment.is_empty())?;
        values.push(segment);
        let found = onward(tree, values);
        if found.is_none() {
            values.pop();
        }
        found
    }
}

/// A segment's text; `None` if what it encodes is not UTF-8.
pub(crate) fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(segment).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(templates: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for (place, text) in templates.iter().enumerate() {
            tree.add(Method::GET, &Template::read(text).unwrap(), text, place).unwrap();
        }
        tree
    }

    fn found(tree: &Tree, path: &str) -> Option<(usize, Vec<String>)> {
        match tree.find(&Method::GET, path) {
            Found::Route(place, values) => {
                Some((place, values.iter().map(|&value| value.to_owned()).collect()))
            }
            Found::OtherMethods(..) | Found::Nothing => None,
        }
    }

    #[test]
    fn literals_go_before_variables_and_verbs_end_a_path() {
        let tree = tree(&["/v1/keys:verify", "/v1/w/{w}", "/v1/w/all", "/v1/w/{w}/k/{k}:rotate"]);
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        assert_eq!(found(&tree, "/v1/keys:verify"), Some((0, values(&[]))));
        assert_eq!(found(&tree, "/v1/w/all"), Some((2, values(&[]))));
        assert_eq!(found(&tree, "/v1/w/a%2Fb"), Some((1, values(&["a%2Fb"]))));
        assert_eq!(found(&tree, "/v1/w/a/k/b:rotate"), Some((3, values(&["a", "b"]))));
        for path in [
            "",
            "/",
            "/v1/keys",
            "/v1/keys:verify/",
            "/v1/w/",
            "/v1/w/a/",
            "/v1//a",
            "/v1/w/a:b",
            "/v1/w/a/k/b",
            "/v1/w/a/k/:rotate",
        ] {
            assert_eq!(found(&tree, path), None, "{path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_is_a_segment_of_its_own() {
        let tree = tree(&["/docs", "/docs/", "/docs/{file}"]);
        assert_eq!(found(&tree, "/docs"), Some((0, Vec::new())));
        assert_eq!(found(&tree, "/docs/"), Some((1, Vec::new())));
        assert_eq!(found(&tree, "/docs/a"), Some((2, vec!["a".to_owned()])));
        assert_eq!(found(&tree, "/docs/a/"), None);
    }

    #[test]
    fn a_path_of_another_method_is_known_as_such() {
        let tree = tree(&["/v1/w/{w}"]);
        assert!(matches!(tree.find(&Method::PUT, "/v1/w/a"), Found::OtherMethods([_], "")));
    }

    #[test]
    fn two_rules_for_the_same_requests_are_refused() {
        let mut tree = tree(&["/v1/w/{w}"]);
        let again = Template::read("/v1/w/{other}").unwrap();
        let refused = tree.add(Method::GET, &again, "/v1/w/{other}", 1);
        assert!(matches!(refused, Err(TemplateError::Ambiguous { .. })));
        assert!(tree.add(Method::PUT, &again, "/v1/w/{other}", 1).is_ok());
    }

    #[test]
    fn templates_of_other_forms_are_refused() {
        for text in [
            "v1",
            "/v1/*",
            "/v1/**",
            "/v1/{a=b/*}",
            "/v1/x{a}",
            "/v1//a",
            "/v1//",
            "/v1/:a",
            "/",
            "/v1:",
            "/a:b:c",
        ] {
            assert!(matches!(Template::read(text), Err(TemplateError::Unsupported(_))), "{text}");
        }
    }
}
