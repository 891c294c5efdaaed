//! What errors say, in five languages: `messages/*.ftl`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::language::Language;

macro_rules! messages {
    ($( $variant:ident = $id:literal, )+) => {
        /// A message, whatever the language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Said { $( $variant, )+ }

        impl Said {
            #[cfg(test)]
            const ALL: &[Self] = &[$( Self::$variant ),+];

            const fn id(self) -> &'static str {
                match self { $( Self::$variant => $id ),+ }
            }
        }
    };
}

messages! {
    TokenInvalid = "token-invalid",
    OwnerOnly = "owner-only",
    PartnerOnly = "partner-only",
    Required = "required",
    WorkspaceDiffers = "workspace-differs",
    ClientHashRule = "client-hash-rule",
    IdempotencyRule = "idempotency-rule",
    NameRule = "name-rule",
    ModeRule = "mode-rule",
    ScopeRule = "scope-rule",
    AddressRule = "address-rule",
    AddressHostBits = "address-host-bits",
    PageSizeRule = "page-size-rule",
    PageTokenInvalid = "page-token-invalid",
    MustBeText = "must-be-text",
    MustBeList = "must-be-list",
    UnknownMember = "unknown-member",
    RepeatedMember = "repeated-member",
    FieldRule = "field-rule",
    BodyMalformed = "body-malformed",
    BodyUnexpected = "body-unexpected",
    KeyNotFound = "key-not-found",
    KeyRevoked = "key-revoked",
    WorkspaceSuspended = "workspace-suspended",
    TwoCredentials = "two-credentials",
    NotPossible = "not-possible",
    RequestIdReused = "request-id-reused",
    RequestAnswered = "request-answered",
    Conflict = "conflict",
    NoRoute = "no-route",
    MethodNotAllowed = "method-not-allowed",
    NotAcceptable = "not-acceptable",
    BodyLate = "body-late",
    BodyTooLarge = "body-too-large",
    MediaType = "media-type",
    TooMany = "too-many",
    Unavailable = "unavailable",
    Late = "late",
    Internal = "internal",
}

static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 5]> =
    LazyLock::new(|| Language::ALL.map(bundle));

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let text = match language {
        Language::English => include_str!("messages/en.ftl"),
        Language::Chinese => include_str!("messages/zh.ftl"),
        Language::TraditionalChinese => include_str!("messages/zh-Hant.ftl"),
        Language::Japanese => include_str!("messages/ja.ftl"),
        Language::Vietnamese => include_str!("messages/vi.ftl"),
    };
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Clients compare texts; marks that nobody sees would make them unequal.
    bundle.set_use_isolating(false);
    // What can't be read is left out; a test reads all.
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(text.to_owned());
    bundle.add_resource_overriding(resource);
    bundle
}

impl Said {
    /// The text, with these words filled in.
    pub(super) fn text(self, language: Language, words: &[(&'static str, String)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in words {
            arguments.set(*name, value.as_str());
        }
        let place = Language::ALL.iter().position(|one| *one == language).unwrap_or(0);
        let bundle = &BUNDLES[place];
        let pattern = bundle.get_message(self.id()).and_then(|message| message.value());
        let mut errors = Vec::new();
        pattern.map_or_else(String::new, |pattern| {
            bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_message_is_there_in_every_language_with_the_same_words_and_no_other() {
        let words = ["field", "network", "rule", "detail"];
        let told = words.map(|word| (word, format!("<{word}>")));
        for said in Said::ALL {
            let texts = Language::ALL.map(|language| said.text(language, &told));
            let used = |text: &String| -> BTreeSet<&str> {
                words.into_iter().filter(|word| text.contains(&format!("<{word}>"))).collect()
            };
            for (text, language) in texts.iter().zip(Language::ALL) {
                assert!(!text.is_empty(), "{said:?} is not there in {language:?}");
                assert!(!text.contains('{'), "{said:?} in {language:?}: {text}");
                assert_eq!(used(text), used(&texts[0]), "{said:?} in {language:?}");
                assert!(
                    language == Language::English || *text != texts[0],
                    "{said:?} {language:?}"
                );
            }
        }
    }

    #[test]
    fn every_file_can_be_read_and_has_no_message_that_nobody_says() {
        for text in [
            include_str!("messages/en.ftl"),
            include_str!("messages/zh.ftl"),
            include_str!("messages/zh-Hant.ftl"),
            include_str!("messages/ja.ftl"),
            include_str!("messages/vi.ftl"),
        ] {
            assert!(FluentResource::try_new(text.to_owned()).is_ok());
            let ids = text.lines().filter_map(|line| line.split_once(" = ")).map(|(id, _)| id);
            let ids: Vec<_> = ids.collect();
            let known: Vec<_> = Said::ALL.iter().map(|said| said.id()).collect();
            assert_eq!(ids, known);
        }
    }
}
