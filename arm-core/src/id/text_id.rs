//! What all ids and names have in common, in all crates.

/// Implements the traits of an id or name that is stored as validated text. The type must implement
/// [`FromStr`](std::str::FromStr) and have a field `text` that dereferences to `str`. The text keeps its spelling, but
/// is compared ignoring ASCII case.
///
/// `text_id!(own deserialize: Name)` leaves `Deserialize` to the type.
///
/// ```
/// use arm_core::IdError;
///
/// /// The name of a lamp.
/// #[derive(Clone)]
/// pub struct LampName {
///     text: Box<str>,
/// }
///
/// arm_core::text_id!(LampName);
///
/// impl std::str::FromStr for LampName {
///     type Err = IdError;
///
///     fn from_str(text: &str) -> Result<Self, IdError> {
///         match text.is_empty() {
///             true => Err(IdError::new("lamp name", text, "is empty")),
///             false => Ok(Self { text: text.into() }),
///         }
///     }
/// }
///
/// let name: LampName = serde_json::from_str("\"Hall\"")?;
/// assert_eq!(name, LampName::try_from("hall")?);
/// assert_eq!(name.as_str(), "Hall");
/// assert!(serde_json::from_str::<LampName>("\"\"").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! text_id {
    ($name:ident) => {
        $crate::text_id!(own deserialize: $name);
        $crate::as_text!(deserialize: $name);
    };
    (own deserialize: $name:ident) => {
        impl $name {
            /// Returns the text in its original spelling.
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.text
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.text)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::write!(f, ::std::concat!(::std::stringify!($name), "({:?})"), &*self.text)
            }
        }

        impl ::std::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.text.eq_ignore_ascii_case(&other.text)
            }
        }

        impl ::std::cmp::Eq for $name {}

        impl ::std::cmp::PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> ::std::option::Option<::std::cmp::Ordering> {
                ::std::option::Option::Some(self.cmp(other))
            }
        }

        impl ::std::cmp::Ord for $name {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                let lower = |byte: u8| byte.to_ascii_lowercase();
                self.text.bytes().map(lower).cmp(other.text.bytes().map(lower))
            }
        }

        impl ::std::hash::Hash for $name {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                self.text.bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
                state.write_u8(0xff);
            }
        }

        impl ::std::convert::TryFrom<&str> for $name {
            type Error = $crate::IdError;

            fn try_from(text: &str) -> ::std::result::Result<Self, Self::Error> {
                text.parse()
            }
        }

        $crate::as_text!(serialize: $name);
    };
}

/// Implements `Serialize` as the `Display` text of a type, and `Deserialize` by parsing that text.
///
/// ```
/// struct Port(u16);
///
/// impl std::fmt::Display for Port {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         self.0.fmt(f)
///     }
/// }
///
/// impl std::str::FromStr for Port {
///     type Err = std::num::ParseIntError;
///
///     fn from_str(text: &str) -> Result<Self, Self::Err> {
///         text.parse().map(Self)
///     }
/// }
///
/// arm_core::as_text!(Port);
///
/// assert_eq!(serde_json::from_str::<Port>("\"443\"")?.0, 443);
/// assert_eq!(serde_json::to_string(&Port(443))?, "\"443\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! as_text {
    ($($name:ident),+) => {$(
        $crate::as_text!(serialize: $name);
        $crate::as_text!(deserialize: $name);
    )+};
    (serialize: $name:ident) => {
        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
    (deserialize: $name:ident) => {
        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let text = $crate::wire::text::scalar(deserializer)?;
                text.parse().map_err(<D::Error as $crate::__serde::de::Error>::custom)
            }
        }
    };
}
