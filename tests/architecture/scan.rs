//! Rust source as a flat row of tokens: without comments, without the insides of strings, and with
//! the insides of macros.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::files::text;

/// A token: its text and its line. Groups are flattened; their brackets are left out.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a file without its attributes (a `///` is one as well).
pub(crate) fn tokens(file: &Path) -> Vec<Token> {
    let stream: TokenStream =
        text(file).parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut found = Vec::new();
    flatten(stream, &mut found);
    found
}

fn flatten(stream: TokenStream, found: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match &tree {
            TokenTree::Group(group) => flatten(group.stream(), found),
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                trees.next_if(
                    |next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == '!'),
                );
                trees.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {
                found.push(Token { text: tree.to_string(), line: tree.span().start().line })
            }
        }
    }
}

/// What follows `name::` in a row of tokens, for every place where it is written.
pub(crate) fn members<'a>(tokens: &'a [Token], name: &str) -> impl Iterator<Item = &'a Token> {
    tokens.windows(4).filter_map(move |four| {
        let path = four[0].text == name && four[1].text == ":" && four[2].text == ":";
        path.then_some(&four[3])
    })
}
