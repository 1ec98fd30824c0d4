//! The report of many rotations: as text, JSON and HTML.

use crate::support::{Bank, CANARY, Lab, VAULT, failure, name, seed};
use arm_core::Secret;
use async_trait::async_trait;
use futures::StreamExt as _;
use keyvault_ops::{
    Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, RotationState, Rotations, rotate_many,
};
use serde_json::json;

/// Fails, and says so as someone would who means harm.
struct Hostile;

#[async_trait]
impl Issuer for Hostile {
    fn kind(&self) -> IssuerKind {
        IssuerKind::Many
    }
    async fn create(&self, _: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        Err(failure("<script>alert('\u{202e}')</script>"))
    }
    async fn find(&self, _: &str) -> azure_core::Result<Vec<FoundCredential>> {
        Ok(Vec::new())
    }
    async fn identify(&self, _: &Secret) -> azure_core::Result<Option<String>> {
        Ok(Some("old".to_owned()))
    }
    async fn verify(&self, _: &Secret) -> azure_core::Result<()> {
        Ok(())
    }
    async fn revoke(&self, _: &str) -> azure_core::Result<()> {
        Ok(())
    }
}

/// One that is done, one whose old credential no one knows, one that stops, and one that is only planned.
async fn report() -> Rotations {
    let names = ["done", "open", "stops", "planned"];
    let seed =
        names.iter().fold(seed(), |seed, secret| seed.secret(VAULT, secret, &format!("{CANARY}-{secret}")));
    let lab = Lab::of(seed).await;
    let rotate = |secret: &str| lab.secrets.rotate(&name(secret)).id(format!("r-{secret}"));
    let rotations = [
        rotate("planned").dry_run(),
        rotate("done").issuer(Bank::with(&[&format!("{CANARY}-done")])),
        rotate("open").issuer(Bank::with(&["another value"])),
        rotate("stops").issuer(std::sync::Arc::new(Hostile)),
    ];
    rotate_many(rotations, 2).collect().await
}

#[tokio::test]
async fn what_needs_a_person_comes_first_and_no_value_is_in_it() {
    let report = report().await;
    let states: Vec<RotationState> = report.all.iter().map(|rotation| rotation.state).collect();
    use RotationState::{Complete, Incomplete, Planned, Stopped};
    assert_eq!(states, [Stopped, Incomplete, Planned, Complete]);
    assert!(!report.is_complete() && !Rotations::default().is_complete());
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "4 rotations: 1 stopped, 1 incomplete, 1 planned, 1 complete");
    assert!(
        lines[1].starts_with("stopped     https://kv-lab.vault.azure.net/secrets/stops: rotating"),
        "{text}"
    );
    assert_eq!(lines.len(), 5, "{text}");
    let shown = format!("{text} {report:?} {} {}", report.to_json(), report.to_html());
    assert!(!shown.contains(CANARY) && !shown.contains('\u{202e}'), "{shown}");
}

#[tokio::test]
async fn a_program_finds_what_is_left_open_and_the_id_that_takes_it_up() {
    let json = report().await.to_json();
    assert_eq!(
        json["counts"],
        json!({ "dead": 0, "stopped": 1, "incomplete": 1, "planned": 1, "complete": 1 })
    );
    let open = &json["rotations"][1];
    assert_eq!((&open["state"], &open["id"]), (&json!("incomplete"), &json!("r-open")));
    assert_eq!(open["unrevoked"], json!([open["previous"]]), "{open}");
    assert_eq!(json["rotations"][0]["orphans"], json!(["what was created for rotation 'r-stops'"]));
    assert_eq!(json["rotations"][3]["revoked"], json!(["old-key-1"]));
}

#[tokio::test]
async fn a_page_shows_what_others_wrote_as_text() {
    let page = report().await.to_html();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(&#39;"), "{page}");
    assert!(page.contains("<h1>4 rotations: 1 stopped, "), "{page}");
    assert_eq!(page.matches("<tr class=").count(), 4);
    assert!(
        page.contains(
            "<tr class=\"stopped\"><td>stopped<td>https://kv-lab.vault.azure.net/secrets/stops<td>"
        ),
        "{page}"
    );
}
