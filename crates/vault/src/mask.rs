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
/// ellipsis) with at most three characters on either side, or asterisks or bullets with at most four.
/// Blanks around it don't hide it. The text of a real secret looks like this only if it is shorter
/// than ten characters, or all but its ends is blots.
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
    dotted(HIDDEN) || dotted("\u{2026}") || blotted(text)
}

/// Whether `text` is blots, as others mask, with short ends: `****`, `sk-****1234`.
fn blotted(text: &str) -> bool {
    /// Others show as many as four characters at an end.
    const ENDS: usize = 4;
    const BLOTS: usize = 3;
    let blot = |c: char| matches!(c, '*' | '\u{2022}');
    if text.chars().all(blot) {
        return !text.is_empty();
    }
    let inner = text.trim_matches(|c| !blot(c));
    let short = |end: &str| end.chars().count() <= ENDS;
    let ends_are_short =
        text.split_once(inner).is_some_and(|(head, tail)| short(head) && short(tail));
    ends_are_short && inner.chars().all(blot) && inner.chars().count() >= BLOTS
}
