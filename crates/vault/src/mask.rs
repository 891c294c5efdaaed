//! What may be shown of a secret that is somebody else's, made when it is written. Our own secrets
//! are never shown in part: the domain's `display` has no character of them.

/// What stands for the hidden part.
const HIDDEN: &str = "...";
/// Characters shown at each end.
const SHOWN: usize = 3;
/// The shortest secret of which anything is shown: six characters are less than half of it.
const MIN_LENGTH: usize = 20;

/// `secret` as it may be shown: its first and last three characters if it has at least 20, else
/// nothing of it. Characters other than visible ASCII are not shown, nor their neighbours.
#[must_use]
pub fn mask(secret: &str) -> String {
    if secret.chars().count() < MIN_LENGTH {
        return HIDDEN.to_owned();
    }
    let head = secret.get(..SHOWN).unwrap_or_default();
    let tail = secret.get(secret.len() - SHOWN..).unwrap_or_default();
    let visible = |end: &str| end.len() == SHOWN && end.bytes().all(|byte| byte.is_ascii_graphic());
    if visible(head) && visible(tail) {
        return format!("{head}{HIDDEN}{tail}");
    }
    HIDDEN.to_owned()
}

/// Whether `text` looks like a mask that was sent back as if it were the secret: dots (or one
/// ellipsis) with at most three characters on either side, or nothing but asterisks or bullets.
/// Blanks around it don't hide it. The text of a real secret looks like this only if it is shorter
/// than ten characters.
#[must_use]
pub fn looks_masked(text: &str) -> bool {
    let text = text.trim();
    let short = |end: &str| end.chars().count() <= SHOWN;
    // Every place is tried, overlapping ones too: an end that is shown may have a dot of its own.
    let dotted = |hidden: &str| {
        text.char_indices().any(|(at, _)| {
            let rest = text[at..].strip_prefix(hidden);
            short(&text[..at]) && rest.is_some_and(short)
        })
    };
    let blotted = !text.is_empty() && text.chars().all(|c| matches!(c, '*' | '\u{2022}'));
    dotted(HIDDEN) || dotted("\u{2026}") || blotted
}
