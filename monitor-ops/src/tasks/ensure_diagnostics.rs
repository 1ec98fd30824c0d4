//! Ensures that the logs of resources are sent to a sink.

use arm_core::{ArmErrorExt as _, Change, Fleet, Mode, Outcome, ResourceId, Task, refuse, wire};
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::{
    DiagnosticCategory, DiagnosticSetting, DiagnosticSpec, DiagnosticsClient,
    tasks::decide_diagnostics::{Decision, Known, decide},
};

impl DiagnosticsClient {
    /// Ensures that a resource sends its logs as the spec says.
    ///
    /// Reads all settings first. Categories that one of them already sends to the spec's sink, by name or in a group,
    /// are not added again, since the service would refuse that with 409. The missing ones are added to the setting
    /// with the spec's name; settings with other names are never changed. Groups and single categories are not mixed.
    ///
    /// The returned change is that of the setting that sends the logs, or of one of them if there are several.
    ///
    /// **If it stops halfway**, the setting may or may not be written; running it again finishes it. After that,
    /// another run writes nothing.
    ///
    /// # Permissions
    ///
    /// Permission to read diagnostic settings and their categories; to write a setting, also those of
    /// [`create_or_update`](Self::create_or_update). For a workspace, Log Analytics Contributor has the latter.
    ///
    /// # Errors
    ///
    /// The resource cannot send a category of the spec, or already has five settings; the setting with this name sends
    /// elsewhere and [`change_existing`](DiagnosticSpec::change_existing) is off; or another setting already sends some
    /// of its categories to the sink.
    #[inline]
    pub fn ensure(&self, resource: &ResourceId, spec: &DiagnosticSpec) -> Task<Change<DiagnosticSetting>> {
        let (client, resource, spec) = (self.clone(), resource.clone(), spec.clone());
        Task::new(move |mode| async move { client.ensure_one(&resource, &spec, mode).await })
    }

    /// Runs [`ensure`](Self::ensure) for many resources, eight at a time. Each has its own outcome; a failure does not
    /// stop the others.
    pub fn ensure_many(
        &self,
        resources: impl IntoIterator<Item = ResourceId>,
        spec: &DiagnosticSpec,
    ) -> Task<Vec<Outcome<ResourceId, Change<DiagnosticSetting>>>> {
        let (client, spec) = (self.clone(), spec.clone());
        let resources: Vec<ResourceId> = resources.into_iter().collect();
        Task::new(move |mode| async move { Ok(client.run_many(resources, spec, mode).await) })
    }

    async fn run_many(
        self,
        resources: Vec<ResourceId>,
        spec: DiagnosticSpec,
        mode: Mode,
    ) -> Vec<Outcome<ResourceId, Change<DiagnosticSetting>>> {
        let work = move |resource: ResourceId| {
            let (client, spec) = (self.clone(), spec.clone());
            async move { client.ensure_one(&resource, &spec, mode).await }
        };
        Fleet::new(resources).run(work).collect().await
    }

    async fn ensure_one(
        &self,
        resource: &ResourceId,
        spec: &DiagnosticSpec,
        mode: Mode,
    ) -> Result<Change<DiagnosticSetting>> {
        let about = |error: Error| {
            let message = format!("diagnostics of {resource}: {error}");
            error.reworded(message)
        };
        let categories: Vec<DiagnosticCategory> =
            self.categories(resource).try_collect().await.map_err(about)?;
        let settings: Vec<DiagnosticSetting> = self.list(resource).try_collect().await.map_err(about)?;
        let (before, wanted) = match decide(&categories, &settings, spec).map_err(about)? {
            Decision::Sent(setting) => return Ok(Change::Unchanged(*setting)),
            Decision::Write { before, after } => (before, *after),
        };
        wire::check_writable(&wanted).map_err(about)?;
        let after = match mode {
            Mode::DryRun => wanted.clone(),
            Mode::Write => match self.create_or_update(resource, &spec.name, &wanted).await {
                Ok(written) => written,
                Err(error) => {
                    // Another writer may have added everything in the meantime: check the settings.
                    let refused = !error.may_have_been_applied();
                    let settings = self.list(resource).try_collect::<Vec<_>>().await.unwrap_or_default();
                    return match decide(&categories, &settings, spec) {
                        Ok(Decision::Sent(setting)) if refused => Ok(Change::Unchanged(*setting)),
                        _ => Err(about(error)),
                    };
                }
            },
        };
        let after = match mode {
            Mode::DryRun => after.at(resource, "Microsoft.Insights/diagnosticSettings", spec.name.as_str()),
            Mode::Write => self.get(resource, &spec.name).await.map_err(about)?,
        };
        let known = Known(&categories);
        let sent = known.sent_by(&after.properties);
        if !spec.sink.is_of(&after.properties) || !known.sent_by(&wanted.properties).is_subset(&sent) {
            return refuse(format!(
                "diagnostics of {resource}: the service accepted the setting '{}', but shows another sink or fewer \
                 logs in it",
                spec.name
            ));
        }
        Ok(match before {
            Some(before) => Change::Updated { before: *before, after },
            None => Change::Created(after),
        })
    }
}
