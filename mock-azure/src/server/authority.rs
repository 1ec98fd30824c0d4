//! The certificate authority for Azure's hosts, for programs configured to trust it.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData as _,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use time::{Duration, OffsetDateTime};

use crate::{http::host::Host, state::clock};

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key";
/// The maximum number of hosts whose certificates are kept.
const KEPT: usize = 1000;

/// A private certificate authority that issues certificates only for Azure's hosts.
///
/// Any program that trusts it accepts this double as Azure, so configure its certificate only in the program under
/// test, not on the whole machine. Its key never leaves this process or the folder in which it is kept.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    hosts: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Creates a new authority whose key exists only in memory.
    ///
    /// # Errors
    ///
    /// The system provides no random numbers.
    pub fn ephemeral() -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = own_params().self_signed(&key).map_err(io::Error::other)?.pem();
        Ok(Self::of(key, certificate))
    }

    /// Loads the authority from a folder, or creates one there: `authority.pem`, the certificate to trust, and
    /// `authority.key`, which only its owner can read.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or written, one of the two files is missing, the key is invalid, or the certificate is
    /// not that of the key or has expired.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if !certificate.exists() && !key.exists() {
            let made = Self::ephemeral()?;
            fs::create_dir_all(folder)?;
            write_private(&key, &made.issuer.key().serialize_pem())?;
            made.write_certificate(&certificate)?;
            return Ok(made);
        }
        let named = |path: &Path, reason: String| io::Error::other(format!("{}: {reason}", path.display()));
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| named(path, error.to_string()));
        let pair = KeyPair::from_pem(&read(&key)?).map_err(|error| named(&key, error.to_string()))?;
        let text = read(&certificate)?;
        check(&text, &pair).map_err(|reason| {
            named(&certificate, format!("{reason}: delete both files to create a new authority"))
        })?;
        Ok(Self::of(pair, text))
    }

    fn of(key: KeyPair, certificate: String) -> Self {
        Self { issuer: Issuer::new(own_params(), key), certificate, hosts: Mutex::default() }
    }

    /// Returns the certificate to trust, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Writes the certificate to trust to a file, in PEM.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_certificate(&self, path: &Path) -> io::Result<()> {
        fs::write(path, &self.certificate)
    }

    /// The TLS configuration for all of Azure's hosts.
    pub(super) fn tls(self: Arc<Self>) -> io::Result<ServerConfig> {
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions();
        let mut config = versions
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ByName(self)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn vouch_for(&self, host: &str) -> io::Result<Arc<CertifiedKey>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = hosts.get(host) {
            return Ok(known.clone());
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new([host.to_owned()]).map_err(io::Error::other)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        valid_for(&mut params, Duration::days(30));
        let signed = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let private = ring::sign::any_supported_type(&private).map_err(io::Error::other)?;
        let certified = Arc::new(CertifiedKey::new(vec![signed.der().clone()], private));
        if hosts.len() >= KEPT {
            hosts.clear();
        }
        hosts.insert(host.to_owned(), certified.clone());
        Ok(certified)
    }
}

/// The parameters of every authority. They are constant, so an authority is the same after it is loaded from its
/// folder.
fn own_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "mock-azure, a double of Azure for tests");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A program that trusts the authority trusts it only for these names.
    let permitted = Host::domains().map(|domain| GeneralSubtree::DnsName(domain.to_owned())).collect();
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    valid_for(&mut params, Duration::days(365));
    params
}

/// Uses the machine's clock, since clients do too.
fn valid_for(params: &mut CertificateParams, period: Duration) {
    let now: OffsetDateTime = clock::of_this_machine();
    params.not_before = now - Duration::days(1);
    params.not_after = now + period;
}

/// Whether the certificate is that of the key, and still valid.
fn check(certificate: &str, key: &KeyPair) -> Result<(), String> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes())
        .map_err(|_| "this is not a certificate in PEM".to_owned())?;
    let read = pem.parse_x509().map_err(|_| "this is not a certificate in PEM".to_owned())?;
    if read.public_key().raw != key.subject_public_key_info() {
        return Err(format!("this is not the certificate of {KEY}"));
    }
    let end = read.validity().not_after.timestamp();
    match end < clock::of_this_machine().unix_timestamp() {
        true => Err("the certificate has expired".to_owned()),
        false => Ok(()),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Selects the certificate by the name that the client requests.
#[derive(Debug)]
struct ByName(Arc<Authority>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        Host::resolve(&name)?;
        self.0.vouch_for(&name).ok()
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    };

    use super::*;

    #[test]
    fn an_authority_is_the_same_when_it_is_read_from_its_folder_again() {
        let folder = tempfile::tempdir().unwrap();
        let made = Authority::in_folder(&folder.path().join("new")).unwrap();
        let read = Authority::in_folder(&folder.path().join("new")).unwrap();
        assert_eq!(made.certificate(), read.certificate());
        assert_eq!(made.issuer.key().serialize_der(), read.issuer.key().serialize_der());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_its_owner_s_and_half_of_an_authority_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Authority::in_folder(folder.path()).unwrap();
        let key = folder.path().join(KEY);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&key).unwrap();
        let refused = Authority::in_folder(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("authority.key"), "{refused}");
        assert!(!key.exists());
    }

    #[test]
    fn a_certificate_that_is_not_that_of_the_key_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        Authority::in_folder(folder.path()).unwrap();
        let (key, other) = (KeyPair::generate().unwrap(), Authority::ephemeral().unwrap());
        let mut old = own_params();
        old.not_after = clock::of_this_machine() - Duration::hours(1);
        let own = KeyPair::from_pem(&fs::read_to_string(folder.path().join(KEY)).unwrap()).unwrap();
        for (text, reason) in [
            (String::new(), "not a certificate in PEM"),
            (key.serialize_pem(), "not a certificate in PEM"),
            (other.certificate().to_owned(), "not the certificate of authority.key"),
            (old.self_signed(&own).unwrap().pem(), "has expired"),
        ] {
            fs::write(folder.path().join(CERTIFICATE), text).unwrap();
            let refused = Authority::in_folder(folder.path()).unwrap_err().to_string();
            assert!(refused.contains("authority.pem") && refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn the_authority_is_trusted_only_for_hosts_of_azure() {
        let authority = Authority::ephemeral().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        for (host, good) in [
            ("management.azure.com", true),
            ("kv-one.vault.azure.cn", true),
            ("login.microsoftonline.us", true),
            ("example.com", false),
            ("management.azure.com.attacker.example", false),
            ("azure.com", false),
        ] {
            // As if the key had been stolen: the double itself issues no certificate for such a host.
            let key = authority.vouch_for(host).unwrap();
            let name = ServerName::try_from(host).unwrap();
            let found = verifier.verify_server_cert(&key.cert[0], &[], &name, &[], UnixTime::now());
            assert_eq!(found.is_ok(), good, "{host}: {found:?}");
        }
    }
}
