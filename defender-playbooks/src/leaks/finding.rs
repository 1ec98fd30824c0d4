use std::fmt;

use arm_core::{ResourceId, Secret};
use serde::{Serialize, Serializer};

/// A secret that a scanner found where it should not be.
///
/// Neither `Debug` nor the serialized form shows [`leaked`](Self::leaked). If the report contains the whole secret, it
/// is also masked in the other members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Leak {
    /// The scanner, such as `gitleaks`.
    pub scanner: String,
    /// The rule or detector that found it.
    pub rule: String,
    /// Where it was found.
    pub place: Place,
    /// Whether the scanner tested the secret.
    pub tested: Tested,
    /// The person who committed it or is assigned to it, if the report says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether somebody has accepted it in the scanner's tool, for example as not a secret or no longer valid.
    pub dismissed: bool,
    /// How much of the secret the report contains. Serialized as [`kind`](Leaked::kind), without the secret.
    pub leaked: Leaked,
}

/// Where a leaked secret was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Place {
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The commit that introduced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The path of the file in the repository or on the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line number, starting at 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The machine, deployment or repository, if it is an Azure resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// A link to the finding; for Defender, its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = self.repository.as_deref().or(self.resource.as_ref().map(ResourceId::as_str));
        let mut parts: Vec<String> = container.map(str::to_owned).into_iter().collect();
        parts.extend(self.file.clone());
        if parts.is_empty() {
            parts.push(self.link.clone().unwrap_or_else(|| "an unnamed place".to_owned()));
        }
        f.write_str(&parts.join(": "))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.commit {
            Some(commit) => write!(f, " at {commit}"),
            None => Ok(()),
        }
    }
}

/// Whether the scanner tested the secret with its issuer, and the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Tested {
    /// It is valid.
    Works,
    /// It is not valid.
    Dead,
    /// It was tested, without a conclusive answer.
    Unclear,
    /// It was not tested, or the report does not say.
    Not,
}

/// How much of a secret a report contains.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leaked {
    /// The secret itself.
    Value(Secret),
    /// Text around the secret, such as the line.
    Text(Secret),
    /// Its hash.
    Hash(LeakedHash),
    /// Only its beginning and end, which can only identify candidates.
    Redacted {
        /// The beginning.
        start: Secret,
        /// The end.
        end: Secret,
    },
    /// The report does not contain the secret.
    Nothing,
}

/// The hash of a leaked secret. It is not shown either, because it is unsalted: a weak secret can be guessed from it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeakedHash {
    /// SHA-1, in lower-case hex digits.
    Sha1(Secret),
    /// SHA-256, in lower-case hex digits.
    Sha256(Secret),
}

impl Leaked {
    /// The whole secret; `Nothing` if the scanner has masked it.
    pub(crate) fn value(text: Secret) -> Self {
        let shown = text.expose().trim();
        if shown.is_empty()
            || shown == "REDACTED"
            || shown.chars().all(|one| matches!(one, '*' | 'x' | 'X' | '.'))
        {
            return Self::Nothing;
        }
        Self::Value(text)
    }

    /// A value of which the scanner shows only the beginning and end, around dots or asterisks.
    pub(crate) fn masked(text: &Secret) -> Self {
        let shown = text.expose();
        let hidden = |one: char| matches!(one, '*' | '.' | '…');
        let (Some(from), Some(to)) = (shown.find(hidden), shown.rfind(hidden)) else { return Self::Nothing };
        let after = shown[to..].chars().next().map_or(to, |one| to + one.len_utf8());
        let (start, end) = (&shown[..from], &shown[after..]);
        match start.len() + end.len() {
            0..4 => Self::Nothing,
            _ => Self::Redacted { start: start.into(), end: end.into() },
        }
    }

    /// Returns the name of the variant: `value`, `text`, `hash`, `redacted` or `nothing`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Value(_) => "value",
            Self::Text(_) => "text",
            Self::Hash(_) => "hash",
            Self::Redacted { .. } => "redacted",
            Self::Nothing => "nothing",
        }
    }
}

impl fmt::Debug for Leaked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaked({})", self.kind())
    }
}

impl fmt::Debug for LeakedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeakedHash(..)")
    }
}

impl Serialize for Leaked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.kind())
    }
}

impl Leak {
    /// A finding of this scanner, with no other details yet.
    pub(crate) fn of(scanner: &str, rule: String, place: Place) -> Self {
        Self {
            scanner: scanner.to_owned(),
            rule,
            place,
            tested: Tested::Not,
            owner: None,
            dismissed: false,
            leaked: Leaked::Nothing,
        }
    }

    /// Masks the secret in everything that is shown, since a path or URL may contain it too.
    pub(crate) fn without_value(mut self) -> Self {
        if let Leaked::Value(value) = &self.leaked {
            let hide = |text: &mut String| {
                if text.contains(value.expose()) {
                    *text = text.replace(value.expose(), "***");
                }
            };
            hide(&mut self.rule);
            let place = &mut self.place;
            for text in
                [&mut place.repository, &mut place.commit, &mut place.file, &mut place.link, &mut self.owner]
            {
                text.iter_mut().for_each(hide);
            }
        }
        self
    }

    /// Whether this is the same leak in a later report. Lines and commits may have changed.
    pub(crate) fn is_again(&self, earlier: &Self) -> bool {
        let same_place = self.place.repository == earlier.place.repository
            && self.place.file == earlier.place.file
            && self.place.resource == earlier.place.resource;
        match (&self.leaked, &earlier.leaked) {
            (Leaked::Value(now), Leaked::Value(then)) => now == then,
            (Leaked::Hash(now), Leaked::Hash(then)) => now == then && same_place,
            _ => same_place && self.rule == earlier.rule,
        }
    }
}
