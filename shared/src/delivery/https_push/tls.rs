//! Whom we trust to be who they say they are.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem, pem::PemObject},
    version::{TLS12, TLS13},
};

/// Why a certificate cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The text is not PEM.
    #[error("the text is not PEM")]
    NotPem(#[source] pem::Error),
    /// The text holds no certificate.
    #[error("the text holds no certificate")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("a certificate cannot be read")]
    BadCertificate(#[source] rustls::Error),
}

/// The certificates in `pem`, at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(RootsError::NotPem)?;
    if certificates.is_empty() { Err(RootsError::NoCertificate) } else { Ok(certificates) }
}

/// These certificates alone, as roots.
pub(super) fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, RootsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(RootsError::BadCertificate)?;
    }
    Ok(roots)
}

/// Trusts `roots` and the system's ([RFC 8935, 5.3]: the receiver must be authenticated).
pub(super) fn verifying(mut roots: RootCertStore) -> ClientConfig {
    let system = rustls_native_certs::load_native_certs();
    // Systems keep odd certificates; the good ones count.
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        tracing::warn!(errors = ?system.errors, "no root certificates were found: no receiver can be trusted");
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    with_alpn(versions(provider).with_root_certificates(roots).with_no_client_auth())
}

/// Trusts everybody.
pub(super) fn unverifying() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let anybody = Arc::new(Anybody { provider: provider.clone() });
    let builder = versions(provider).dangerous().with_custom_certificate_verifier(anybody);
    with_alpn(builder.with_no_client_auth())
}

/// TLS 1.2 and 1.3, with the library's suites: all have forward secrecy and authenticated
/// encryption (RFC 9325, 4.2).
fn versions(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both versions")
}

fn with_alpn(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// Takes any certificate; an operator's decision for one client.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    // With a certificate that anybody could have made, a signature made with its key proves
    // nothing.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
