//! The certificate of a laptop: self-signed, made at the first start.
//!
//! It stands at `tls/cert.pem` in the data folder, with its key beside it, and is what callers
//! trust: `curl --cacert DIR/tls/cert.pem`. It is deliberately not marked as a CA: some clients
//! (rustls among them) take no CA certificate for a server's own, while all take a server's own
//! certificate as the one to trust.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use jiff::Timestamp;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};
use ssf::embedded::make_private_folder;
use tempfile::NamedTempFile;

/// For how long a certificate is made out. Some systems take none that lives longer than 825 days.
const LIFETIME: Duration = Duration::from_hours(365 * 24);
/// A certificate that does not live as long any more is replaced at the next start.
const LEFT_AT_START: Duration = Duration::from_hours(30 * 24);
/// The clock of who checks may be behind.
const BACKDATED: Duration = Duration::from_hours(24);
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the certificate is that callers have to trust.
pub fn certificate_path(data: &Path) -> PathBuf {
    data.join("tls").join("cert.pem")
}

/// The TLS side of a server: 1.2 and 1.3, HTTP/2 and HTTP/1.1, with the certificate in the folder
/// `data`. Makes one if there is none that will do, for this machine's own names and `hosts`.
pub fn server_config(data: &Path, hosts: &[&str], now: Timestamp) -> anyhow::Result<ServerConfig> {
    let (cert, key) = (certificate_path(data), data.join("tls").join("key.pem"));
    let mut names = LOCAL_HOSTS.to_vec();
    names.extend(hosts.iter().filter(|host| !LOCAL_HOSTS.contains(*host)));
    if let Some(config) = load(&cert, &key, &names, now) {
        return Ok(config);
    }
    make(&cert, &key, &names, now)
        .with_context(|| format!("the certificate {} cannot be made", cert.display()))?;
    load(&cert, &key, &names, now).context("the new certificate will not do")
}

/// The configuration with what is there, unless that is unreadable, made out for other names, or
/// about to expire.
fn load(cert: &Path, key: &Path, names: &[&str], now: Timestamp) -> Option<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(cert).ok()?;
    let key = PrivateKeyDer::from_pem_file(key).ok()?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).ok()?;
    let roots = Arc::new(roots);
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok()?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let then = UnixTime::since_unix_epoch(Duration::from_secs(seconds) + LEFT_AT_START);
    for name in names {
        let name = ServerName::try_from(*name).ok()?;
        verifier.verify_server_cert(&certificate, &[], &name, &[], then).ok()?;
    }
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .ok()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(config)
}

fn make(cert: &Path, key: &Path, names: &[&str], now: Timestamp) -> anyhow::Result<()> {
    let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut params = CertificateParams::new(names)?;
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_second().try_into()?);
    params.not_before = now - BACKDATED;
    params.not_after = now + LIFETIME;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name.push(DnType::CommonName, "Tocsin on this machine");
    let key_pair = KeyPair::generate()?;
    let certificate = params.self_signed(&key_pair)?;
    make_private_folder(cert.parent().context("the certificate needs a folder")?)?;
    write(key, &key_pair.serialize_pem())?;
    write(cert, &certificate.pem())?;
    Ok(())
}

/// Puts a file in its place all at once, readable by its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn pem(data: &Path) -> (String, String) {
        let read = |path| fs::read_to_string(path).unwrap();
        (read(certificate_path(data)), read(data.join("tls/key.pem")))
    }

    #[test]
    fn the_certificate_stays_until_it_is_about_to_expire() {
        let data = tempfile::tempdir().unwrap();
        let made_at = |now| {
            server_config(data.path(), &[], now).unwrap();
            pem(data.path())
        };
        let first = made_at(now());
        assert_eq!(made_at(now()), first);
        assert_eq!(made_at(now() + DAY * 334), first);
        let second = made_at(now() + DAY * 336);
        assert_ne!(second, first);
        assert_eq!(made_at(now() + DAY * 337), second);
    }

    #[test]
    fn a_certificate_that_will_not_do_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        let make = |hosts: &[&str]| server_config(data.path(), hosts, now()).unwrap();
        make(&[]);
        let (first, key) = pem(data.path());
        make(&["tocsin.test", "localhost"]);
        let (second, _) = pem(data.path());
        assert_ne!(second, first, "other names");
        fs::write(data.path().join("tls/key.pem"), key).unwrap();
        make(&["tocsin.test"]);
        let (third, _) = pem(data.path());
        assert_ne!(third, second, "a foreign key");
        fs::write(certificate_path(data.path()), "").unwrap();
        make(&["tocsin.test"]);
        assert_ne!(pem(data.path()).0, third, "an empty file");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        server_config(data.path(), &[], now()).unwrap();
        let mode =
            |path| fs::metadata(data.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("tls"), mode("tls/key.pem")), (0o700, 0o600));
    }
}
