//! Enums that keep values that the service adds later.

/// Declares a service enum with an `Unknown(String)` variant that keeps unknown values unchanged.
///
/// Known values are read ignoring case and written as declared.
///
/// ```
/// arm_core::open_enum! {
///     /// How bad it is.
///     pub enum Severity {
///         /// Look when there is time.
///         Low = "Low",
///         /// Look now.
///         High = "High",
///     }
/// }
///
/// let read: Vec<Severity> = serde_json::from_str(r#"["high","Apocalyptic"]"#)?;
/// assert_eq!(read, [Severity::High, Severity::Unknown("Apocalyptic".into())]);
/// assert_eq!(serde_json::to_string(&read)?, r#"["High","Apocalyptic"]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value that this version does not model, as the service wrote it.
            Unknown(String),
        }

        impl $name {
            /// The values that this version models.
            pub const KNOWN: &[$name] = &[$(Self::$variant),+];

            /// Returns the value as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })+
                Self::Unknown(text.to_owned())
            }
        }

        impl ::std::convert::From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                Ok(Self::from(&*$crate::wire::text::scalar(deserializer)?))
            }
        }
    };
}
