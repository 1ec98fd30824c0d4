//! Finds out who is signed in.

use arm_core::{ArmClient, ArmErrorExt as _};
use azure_core::{Error, Result, error::ErrorKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{DirectoryClient, DirectoryPrincipal, PrincipalId, PrincipalType};

/// The user or application that is signed in with the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedInPrincipal {
    /// The object id, to use in role assignments.
    pub id: PrincipalId,
    /// `User` or `ServicePrincipal`.
    pub principal_type: PrincipalType,
    /// The display name.
    pub display_name: Option<String>,
    /// The sign-in name of a user.
    pub user_principal_name: Option<String>,
    /// The client id of an application.
    pub app_id: Option<String>,
    /// The source of this information.
    pub source: PrincipalSource,
}

/// The source of the information about a signed-in principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalSource {
    /// Microsoft Graph.
    Graph,
    /// The claims of the token for Resource Manager, because Graph refused the request or does not know the principal,
    /// or because there was no token for Graph.
    Token,
}

/// The claims in a token about the principal.
#[derive(Deserialize)]
struct Claims {
    oid: Option<PrincipalId>,
    idtyp: Option<String>,
    name: Option<String>,
    upn: Option<String>,
    unique_name: Option<String>,
    preferred_username: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    scp: Option<String>,
}

impl Claims {
    /// Reads the claims of a JSON Web Token; `None` if the token is of another kind.
    fn read(token: &str) -> Option<Self> {
        let claims = token.split('.').nth(1)?.trim_end_matches('=');
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// Whether the principal is an application. The token of a user contains scopes or a sign-in name even if `idtyp`
    /// was not requested.
    fn is_application(&self) -> bool {
        match self.idtyp.as_deref() {
            Some(kind) => kind.eq_ignore_ascii_case("app"),
            None => self.scp.is_none() && self.upn.is_none() && self.unique_name.is_none(),
        }
    }

    fn into_principal(self) -> Option<SignedInPrincipal> {
        let application = self.is_application();
        Some(SignedInPrincipal {
            id: self.oid?,
            principal_type: if application { PrincipalType::ServicePrincipal } else { PrincipalType::User },
            display_name: self.name,
            user_principal_name: self
                .upn
                .or(self.unique_name)
                .or(self.preferred_username)
                .filter(|_| !application),
            app_id: self.appid.or(self.azp).filter(|_| application),
            source: PrincipalSource::Token,
        })
    }
}

impl DirectoryClient {
    /// Returns the signed-in user or service principal: from Graph or, if Graph refuses the request or does not know
    /// the principal, from the token for Resource Manager.
    ///
    /// Its object id is the one to use in role assignments.
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient) -> azure_core::Result<()> {
    /// let me = resource_ops::DirectoryClient::new(arm).signed_in().await?;
    /// println!("{} {}", me.principal_type, me.id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// There is no token for Resource Manager; Graph fails in another way than by a refusal; or neither Graph nor the
    /// token says who is signed in.
    pub async fn signed_in(&self) -> Result<SignedInPrincipal> {
        find(self, &self.arm).await
    }
}

async fn find(directory: &DirectoryClient, arm: &ArmClient) -> Result<SignedInPrincipal> {
    let token = arm.credential().get_token(&[&arm.token_scope()], None).await?;
    let from_token = Claims::read(token.token.secret()).and_then(Claims::into_principal);
    let asked = match &from_token {
        Some(known) if known.principal_type == PrincipalType::ServicePrincipal => {
            directory.service_principal(known.id).await
        }
        _ => directory.me().await,
    };
    match (asked, from_token) {
        (Ok(found), known) => Ok(confirmed(found, known)),
        (Err(error), Some(known)) if says_nothing(&error) => {
            tracing::info!(%error, "Graph cannot say who is signed in; using the token instead");
            Ok(known)
        }
        (Err(error), Some(_)) => Err(error),
        (Err(error), None) => {
            let message =
                format!("the signed-in principal is neither in the token nor available from Graph: {error}");
            Err(error.reworded(message))
        }
    }
}

/// Graph's codes for a token that it does not accept, or that a policy of the tenant blocks.
const GRAPH_REFUSES: &[&str] = &[
    "AccessDenied",
    "Forbidden",
    "Authorization_IdentityNotFound",
    "InvalidAuthenticationToken",
    "Unauthorized",
];

/// Whether Graph's refusal leaves open who is signed in: no consent, no access, or a principal that it does not show.
fn says_nothing(error: &Error) -> bool {
    error.is_role_missing()
        || GRAPH_REFUSES.iter().any(|code| error.is_code(code))
        || error.is_resource_not_found()
        || matches!(error.kind(), ErrorKind::Credential)
}

fn confirmed(found: DirectoryPrincipal, known: Option<SignedInPrincipal>) -> SignedInPrincipal {
    let application = found.app_id.is_some();
    let known_name = known.and_then(|known| known.display_name);
    SignedInPrincipal {
        id: found.id,
        principal_type: if application { PrincipalType::ServicePrincipal } else { PrincipalType::User },
        display_name: found.display_name.or(known_name),
        user_principal_name: found.user_principal_name,
        app_id: found.app_id,
        source: PrincipalSource::Graph,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(claims: Value) -> Option<SignedInPrincipal> {
        let token = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()));
        Claims::read(&token).and_then(Claims::into_principal)
    }

    #[test]
    fn users_and_applications_are_distinguished_even_without_idtyp() {
        let oid = "00000000-0000-0000-0000-0000000000b1";
        let user =
            read(json!({ "oid": oid, "scp": "user_impersonation", "preferred_username": "a@b.example" }));
        let user = user.unwrap();
        assert_eq!(user.principal_type, PrincipalType::User);
        assert_eq!(user.user_principal_name.as_deref(), Some("a@b.example"));
        let application = read(json!({ "oid": oid, "azp": "client" })).unwrap();
        assert_eq!(application.principal_type, PrincipalType::ServicePrincipal);
        assert_eq!(application.app_id.as_deref(), Some("client"));
    }

    #[test]
    fn a_token_that_is_not_a_json_web_token_yields_nothing() {
        assert!(Claims::read("opaque").is_none() && Claims::read("a.!!.c").is_none());
        assert!(read(json!({ "sub": "x" })).is_none());
    }
}
