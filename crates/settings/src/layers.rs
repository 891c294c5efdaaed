//! Settings in layers.

/// Makes a program's `Settings`: each a flag and a variable by `clap`, a member of the TOML file by
/// `serde`, and absent where nothing was said; `or` lays one layer over another. The file itself comes
/// first, and can't be named in a file.
#[macro_export]
macro_rules! layered {
    (
        $(#[$of_file:meta])* config: PathBuf;
        $( $(#[$attribute:meta])* $name:ident: $type:ty, )+
    ) => {
        /// What can be set. Absent means: not said here.
        #[derive(Debug, Clone, Default, clap::Args, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Settings {
            $(#[$of_file])*
            #[serde(skip)]
            pub config: Option<std::path::PathBuf>,
            $( $(#[$attribute])* pub $name: Option<$type>, )+
        }

        impl Settings {
            /// These settings, with those of `others` where these say nothing.
            #[must_use]
            pub fn or(self, others: Self) -> Self {
                Self { config: self.config, $( $name: self.$name.or(others.$name), )+ }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    layered! {
        /// The file.
        #[arg(long)]
        config: PathBuf;

        /// One.
        #[arg(long)]
        first_one: u32,
        /// Another.
        #[arg(long)]
        second: String,
    }

    #[test]
    fn what_one_layer_does_not_say_the_next_one_does() {
        let said = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let over = Settings { config: Some("x".into()), ..said("first-one = 1") };
        let all = over.or(said("first-one = 2\nsecond = \"b\""));
        assert_eq!((all.first_one, all.second.as_deref()), (Some(1), Some("b")));
        assert_eq!(all.config, Some("x".into()));
        for refused in ["first_one = 1", "third = 1", "config = \"x\""] {
            assert!(toml::from_str::<Settings>(refused).is_err(), "{refused}");
        }
    }
}
