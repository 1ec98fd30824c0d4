//! Runs a command against the double instead of Azure.

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt as _;
use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    process::{ExitCode, ExitStatus},
};

use mock_azure::Server;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

/// Runs a command and returns its exit code.
pub(crate) async fn run(
    azure: &Server,
    subscription: &str,
    command: &[OsString],
    as_app: bool,
) -> io::Result<ExitCode> {
    let Some((program, arguments)) = command.split_first() else { return Ok(ExitCode::FAILURE) };
    let folder = TempDir::with_prefix("mock-azure-")?;
    let certificate = folder.path().join("authority.pem");
    azure.authority().write_certificate(&certificate)?;
    let mut child = Command::new(program);
    child.args(arguments).envs(azure.environment(&certificate)).env("AZURE_SUBSCRIPTION_ID", subscription);
    if as_app {
        // An app in Azure has no secret, only an endpoint for tokens.
        for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
            child.env_remove(name);
        }
        child
            .env("IDENTITY_ENDPOINT", format!("{}/msi/token", azure.uri()))
            .env("IDENTITY_HEADER", "mock-azure");
    }
    sign_azure_cli_in(&mut child, &folder.path().join("azure-cli"), azure.tenant(), subscription)?;
    let failed = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot run '{}': {error}", program.to_string_lossy()))
    };
    let mut running = child.kill_on_drop(true).spawn().map_err(failed)?;
    let ended = loop {
        tokio::select! {
            ended = running.wait() => break ended?,
            // The command receives Ctrl-C too, and decides when to exit.
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    Ok(code(ended).and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The exit code of a command. After a signal, as in a shell: 128 plus the signal's number.
#[cfg(unix)]
fn code(ended: ExitStatus) -> Option<i32> {
    ended.code().or_else(|| Some(128 + ended.signal()?))
}

#[cfg(not(unix))]
fn code(ended: ExitStatus) -> Option<i32> {
    ended.code()
}

/// Writes Azure CLI's own configuration folder, in which an application is signed in. The CLI then requests a token for
/// it.
fn sign_azure_cli_in(child: &mut Command, folder: &Path, tenant: &str, subscription: &str) -> io::Result<()> {
    const CLIENT: &str = "00000000-0000-0000-0000-0000000000c2";
    let profile = json!({
        "subscriptions": [{
            "id": subscription,
            "name": "mock-azure",
            "state": "Enabled",
            "isDefault": true,
            "tenantId": tenant,
            "homeTenantId": tenant,
            "managedByTenants": [],
            "environmentName": "AzureCloud",
            "user": { "name": CLIENT, "type": "servicePrincipal" },
        }],
    });
    let secrets = json!([{ "client_id": CLIENT, "tenant": tenant, "client_secret": "any" }]);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("azureProfile.json"), profile.to_string())?;
    fs::write(folder.join("service_principal_entries.json"), secrets.to_string())?;
    child.env("AZURE_CONFIG_DIR", folder);
    child.env("AZURE_CORE_COLLECT_TELEMETRY", "no").env("AZURE_CORE_ENCRYPT_TOKEN_CACHE", "no");
    child.env("AZURE_CORE_CHECK_FOR_UPGRADE", "no").env("AZURE_EXTENSION_USE_DYNAMIC_INSTALL", "no");
    Ok(())
}
