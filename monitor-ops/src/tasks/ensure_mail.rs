//! Ensures that people are notified of alerts by mail.

use arm_core::{Change, Mode, ResourceGroupId, ResourceName, Task, Wish, refuse, wire};

use crate::{ActionGroup, ActionGroupProperties, ActionGroupsClient, EmailReceiver, MailAddress};

/// Members that the service or the receiver sets are not compared. Other receivers are kept.
const WISH: Wish = Wish::new().partial(&["emailReceivers"]).ignoring(&[
    "id",
    "name",
    "type",
    "etag",
    "systemData",
    "status",
]);

impl ActionGroupsClient {
    /// Ensures that an action group exists, is enabled, and has these mail addresses among its receivers.
    ///
    /// All other receivers are kept, including types that this crate does not model. A receiver that has unsubscribed
    /// is not re-enabled, because that is the receiver's own choice: see
    /// [`Receivers::unsubscribed`](crate::Receivers::unsubscribed).
    ///
    /// `short_name` (1 to 12 characters) appears in text messages. It is used only to create the group.
    ///
    /// **If it stops halfway**, the group may or may not be written; running it again finishes it. After that, another
    /// run writes nothing. Azure tells new receivers by mail that they were added.
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/read` and `write`.
    #[inline]
    pub fn ensure_mail(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        short_name: &str,
        addresses: &[MailAddress],
    ) -> Task<Change<ActionGroup>> {
        let (client, group, name) = (self.clone(), group.clone(), name.clone());
        let (short_name, addresses) = (short_name.to_owned(), addresses.to_vec());
        Task::new(move |mode| async move {
            if short_name.is_empty() || short_name.chars().count() > 12 {
                return refuse(format!("the short name '{short_name}' must have 1 to 12 characters"));
            }
            let before = client.get_opt(&group, &name).await?;
            let mut wanted = before.clone().unwrap_or_else(|| {
                ActionGroup::in_location("Global", ActionGroupProperties::new(short_name.as_str()))
            });
            wanted.properties.enabled = true;
            add(&mut wanted, &addresses);
            match before {
                Some(before) if before == wanted => Ok(Change::Unchanged(before)),
                before => {
                    wire::check_writable(&wanted)?;
                    let after = match mode {
                        Mode::DryRun => wanted.at(&group, "Microsoft.Insights/actionGroups", name.as_str()),
                        Mode::Write => {
                            client.create_or_update(&group, &name, &wanted).await?;
                            let after = client.get(&group, &name).await?;
                            let mut wish = wanted.clone();
                            let receivers = &mut wish.properties.receivers.email_receivers;
                            *receivers = asked_for(&wanted, &addresses).into_iter().cloned().collect();
                            WISH.verify(format_args!("the action group '{name}'"), &wish, &after)?;
                            after
                        }
                    };
                    Ok(match before {
                        Some(before) => Change::Updated { before, after },
                        None => Change::Created(after),
                    })
                }
            }
        })
    }
}

/// The receivers with the requested addresses. Others may change in the meantime, so they are not verified.
fn asked_for<'a>(group: &'a ActionGroup, addresses: &[MailAddress]) -> Vec<&'a EmailReceiver> {
    let is_asked_for = |receiver: &&EmailReceiver| {
        addresses.iter().any(|address| receiver.email_address.eq_ignore_ascii_case(address.as_str()))
    };
    group.properties.receivers.email_receivers.iter().filter(is_asked_for).collect()
}

fn has(group: &ActionGroup, address: &MailAddress) -> bool {
    let receivers = &group.properties.receivers.email_receivers;
    receivers.iter().any(|receiver| receiver.email_address.eq_ignore_ascii_case(address.as_str()))
}

/// Adds the missing addresses, under names that are not in use yet.
fn add(group: &mut ActionGroup, addresses: &[MailAddress]) {
    for address in addresses {
        if has(group, address) {
            continue;
        }
        let taken = group.properties.receivers.names();
        let is_free = |name: &String| !taken.iter().any(|taken| taken.eq_ignore_ascii_case(name));
        let candidates = (2..).map(|n| format!("{address} ({n})"));
        let name = std::iter::once(address.to_string()).chain(candidates).find(is_free).unwrap_or_default();
        group.properties.receivers.email_receivers.push(EmailReceiver::new(name, address));
    }
}
