//! Signs with keys in a folder.

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

use super::secret_file;
use crate::{
    set::{Algorithm, KeyMaterial, PublicKey, SignError, Signer},
    table::BoxError,
};

/// Keeps key pairs as PKCS #8 in files that only their owner can read; or, for tests, in memory.
pub struct LocalSigner {
    folder: Option<PathBuf>,
    pairs: Mutex<HashMap<String, Arc<Pair>>>,
    // Handed out before new ones are made.
    ready: Mutex<Vec<Pair>>,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl LocalSigner {
    /// A signer with its keys in `folder`, which is made if it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        secret_file::make_private_folder(&folder)?;
        Ok(Self { folder: Some(folder), ..Self::in_memory(&[]).map_err(io::Error::other)? })
    }

    /// A signer that forgets its keys. Asked for new keys, it gives out those of `ready`, PKCS #8 as
    /// PEM, as long as there are any: with them tests are fast and see the same keys each time.
    pub fn in_memory(ready: &[&str]) -> Result<Self, BoxError> {
        let ready = ready.iter().map(|pem| Pair::read(pem.as_bytes())).collect::<Result<_, _>>()?;
        Ok(Self { folder: None, pairs: Mutex::default(), ready: Mutex::new(ready) })
    }

    fn pair(&self, key: &PublicKey) -> Result<Arc<Pair>, BoxError> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(&key.handle) {
            return Ok(pair.clone());
        }
        let Some(folder) = &self.folder else { return Err("there is no such key".into()) };
        let pair = Arc::new(Pair::read(&fs::read(file(folder, &key.handle))?)?);
        pairs.insert(key.handle.clone(), pair.clone());
        Ok(pair)
    }

    fn make(&self, algorithm: Algorithm) -> Result<PublicKey, BoxError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = match ready.iter().position(|pair| pair.algorithm() == algorithm) {
            Some(at) => ready.remove(at),
            None => Pair::generate(algorithm)?,
        };
        let key = PublicKey::new(pair.material()?);
        if let Some(folder) = &self.folder {
            secret_file::write_new(&file(folder, &key.handle), &pair.pem()?)?;
        }
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.insert(key.handle.clone(), Arc::new(pair));
        Ok(key)
    }
}

#[async_trait]
impl Signer for LocalSigner {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.generate(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.make(algorithm).map_err(SignError::Unavailable)
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let unusable = |source| SignError::KeyUnusable { kid: key.kid.clone(), source };
        self.pair(key).and_then(|pair| pair.sign(message)).map_err(unusable)
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner).remove(&key.handle);
        let Some(folder) = &self.folder else { return Ok(()) };
        match fs::remove_file(file(folder, &key.handle)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SignError::Unavailable(error.into()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Pair {
    fn generate(algorithm: Algorithm) -> Result<Self, BoxError> {
        Ok(match algorithm {
            Algorithm::ES256 => Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            Algorithm::RS256 => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
        })
    }

    fn read(pem: &[u8]) -> Result<Self, BoxError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem)?;
        let der = der.secret_pkcs8_der();
        match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) => Ok(Self::Rsa(pair)),
            Err(_) => {
                Ok(Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?))
            }
        }
    }

    fn pem(&self) -> Result<String, BoxError> {
        let der = match self {
            Self::Ec(pair) => STANDARD.encode(pair.to_pkcs8v1()?),
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                STANDARD.encode(der.as_ref())
            }
        };
        // RFC 7468, 2: 64 characters a line.
        let lines = der.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap_or_default());
        let lines = lines.collect::<Vec<_>>().join("\n");
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"))
    }

    fn material(&self) -> Result<KeyMaterial, BoxError> {
        match self {
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                KeyMaterial::p256(point).ok_or_else(|| "the key is not on P-256".into())
            }
            Self::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Ok(KeyMaterial::rsa(&n, &e))
            }
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ec(_) => Algorithm::ES256,
            Self::Rsa(_) => Algorithm::RS256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSigner").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn file(folder: &Path, handle: &str) -> PathBuf {
    folder.join(format!("{handle}.pem"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::jws::{append_signature, signing_input};

    async fn token(signer: &LocalSigner, key: &PublicKey) -> String {
        let input = signing_input(key, "JWT", br#"{"a":1}"#);
        let signature = signer.sign(key, input.as_bytes()).await.unwrap();
        append_signature(input, &signature)
    }

    #[tokio::test]
    async fn keys_outlive_the_process_and_are_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("keys");
        for algorithm in [Algorithm::ES256, Algorithm::RS256] {
            let key = LocalSigner::open(&folder).unwrap().generate(algorithm).await.unwrap();
            let signer = LocalSigner::open(&folder).unwrap();
            let token = token(&signer, &key).await;
            assert_eq!(key.verify(&token).unwrap()["a"], 1, "{algorithm:?}");
            let mut other = token.clone().into_bytes();
            let last = other.len() - 10;
            other[last] = if other[last] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.verify(str::from_utf8(&other).unwrap()), None);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
                assert_eq!((mode(&folder), mode(&file(&folder, &key.handle))), (0o700, 0o600));
            }
            signer.destroy(&key).await.unwrap();
            signer.destroy(&key).await.unwrap();
            let error = signer.sign(&key, b"").await.unwrap_err();
            assert!(matches!(error, SignError::KeyUnusable { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn ready_keys_are_given_out_first() {
        let pem = Pair::generate(Algorithm::ES256).unwrap().pem().unwrap();
        let signer = LocalSigner::in_memory(&[&pem]).unwrap();
        let rsa = signer.generate(Algorithm::RS256).await.unwrap();
        assert_eq!(rsa.algorithm, Algorithm::RS256);
        let key = signer.generate(Algorithm::ES256).await.unwrap();
        assert_eq!(key.material, Pair::read(pem.as_bytes()).unwrap().material().unwrap());
        assert_ne!(key, signer.generate(Algorithm::ES256).await.unwrap());
        token(&signer, &key).await;
    }
}
