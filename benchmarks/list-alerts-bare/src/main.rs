//! The floor of `list-alerts`: one page, with a bare HTTP client and two borrowed fields.
//!
//! `list-alerts-bare SUBSCRIPTION ENDPOINT`
#![allow(clippy::unwrap_used, clippy::print_stdout)] // as little as can be

use list_alerts_bare::BarePage;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (subscription, endpoint) = (arguments.next().unwrap(), arguments.next().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let request = list_alerts_bare::bare().get(list_alerts_bare::first_page(&endpoint, &subscription));
        let answer = request.bearer_auth("any").send().await.unwrap().error_for_status().unwrap();
        let body = answer.bytes().await.unwrap();
        let page: BarePage<'_> = serde_json::from_slice(&body).unwrap();
        for alert in page.value {
            println!("{:12} {}", alert.properties.severity, alert.id);
        }
    });
}
