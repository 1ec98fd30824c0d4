use std::fmt;

use arm_core::{ResourceId, Secret};
use serde::{Serialize, Serializer};

/// A secret that a scanner found where it should not be.
///
/// Neither `Debug` nor the serialised form shows what was found, nor any part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Leak {
    /// Which program reported it, such as `gitleaks`.
    pub scanner: String,
    /// The rule or detector that found it.
    pub rule: String,
    /// Where it lies.
    pub place: Place,
    /// Whether the scanner tried it.
    pub tested: Tested,
    /// Who put it there, or owns the place, as far as the report tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether somebody has said that it is no secret, or no longer one.
    pub dismissed: bool,
    /// What the report holds of the secret. Written out as one word: `value`, `text`, `hash`, `redacted`, `nothing`.
    pub leaked: Leaked,
}

/// Where a leaked secret lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Place {
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The commit that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The file, in the repository or on the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The machine, deployment or repository, where it is a resource of Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// Where to look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = self.repository.as_deref().or(self.resource.as_ref().map(ResourceId::as_str));
        let mut parts: Vec<String> = container.map(str::to_owned).into_iter().collect();
        parts.extend(self.file.clone());
        if parts.is_empty() {
            parts.push(
                self.link.clone().unwrap_or_else(|| "a place that the report does not name".to_owned()),
            );
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

/// Whether the scanner tried the secret at its issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Tested {
    /// It works.
    Works,
    /// It does not.
    Dead,
    /// It was tried, and the answer was no answer.
    Unclear,
    /// It was not tried, or the report does not tell.
    Not,
}

/// What a report holds of a secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leaked {
    /// The secret itself.
    Value(Secret),
    /// Text around the secret, such as the line.
    Text(Secret),
    /// Its hash.
    Hash(LeakedHash),
    /// Its beginning and its end. Good for candidates only.
    Redacted {
        /// How it begins.
        start: Secret,
        /// How it ends.
        end: Secret,
    },
    /// Nothing.
    Nothing,
}

/// A hash of a leaked secret. It is unsalted, so a weak secret can be guessed from it: it is not shown either.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeakedHash {
    /// SHA-1, in lower-case hex digits.
    Sha1(Secret),
    /// SHA-256, in lower-case hex digits.
    Sha256(Secret),
}

impl Leaked {
    /// The whole secret. `Nothing` for a value that the scanner has masked.
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

    /// A value of which a scanner shows the beginning or the end around dots or stars.
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

    /// One word for what it is.
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
    /// A finding of this scanner, of which nothing else is known yet.
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

    /// Takes the secret out of everything that is shown: a path or an address may hold it too.
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

    /// The same secret at the same place, as two reports tell it: lines and commits move.
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
