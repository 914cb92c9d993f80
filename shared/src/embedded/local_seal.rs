//! Seals with a key in a folder.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::secret_file;
use crate::{
    client::Secret,
    seal::{DataKey, Seal, SealError, Sealed},
};

/// Begins what is sealed so: the version of the form.
const PREFIX: &str = "local1.";

/// The file that holds the key, base64url.
const FILE: &str = "seal.key";

/// Seals with one key, which stands in a file that only its owner can read.
#[derive(Debug)]
pub struct LocalSeal {
    key: DataKey,
}

impl LocalSeal {
    /// A seal with its key in `folder`; both are made if they are not there.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                secret_file::make_private_folder(folder)?;
                // Of several processes that start here at once, one is first; all read its key.
                let unique = Secret::fresh();
                secret_file::write_once(&path, Secret::fresh().expose(), unique.expose())?;
                fs::read_to_string(&path)?
            }
            read => read?,
        };
        let octets = URL_SAFE_NO_PAD.decode(text.trim()).ok();
        let key = octets.and_then(|octets| DataKey::new(&octets));
        let key = key.ok_or_else(|| {
            let path = path.display();
            io::Error::new(ErrorKind::InvalidData, format!("{path} does not hold a key"))
        })?;
        Ok(Self { key })
    }

    /// A seal with this key, which is kept nowhere.
    pub fn with_key(key: &[u8; DataKey::LENGTH]) -> Self {
        Self { key: DataKey::new(key).expect("the length is right") }
    }
}

#[async_trait]
impl Seal for LocalSeal {
    async fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed, SealError> {
        let sealed = URL_SAFE_NO_PAD.encode(self.key.seal(secret, context));
        Ok(Sealed::new(format!("{PREFIX}{sealed}")))
    }

    async fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret, SealError> {
        let unusable = |reason: &str| SealError::Unusable(reason.into());
        let text = sealed.as_str().strip_prefix(PREFIX);
        let sealed = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let sealed = sealed.ok_or_else(|| unusable("it is not sealed with a key in a folder"))?;
        let secret = self.key.open(&sealed, context);
        secret.ok_or_else(|| unusable("it was sealed with another key or elsewhere, or altered"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_key_outlives_the_process_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let secret = Secret::new("Bearer secret");
        let sealed = LocalSeal::open(&keys).unwrap().seal(&secret, "stream").await.unwrap();
        let seal = LocalSeal::open(&keys).unwrap();
        assert_eq!(seal.open(&sealed, "stream").await.unwrap(), secret);
        let elsewhere = seal.open(&sealed, "another stream").await.unwrap_err();
        assert!(matches!(elsewhere, SealError::Unusable(_)), "{elsewhere:?}");
        let files: Vec<_> = fs::read_dir(&keys).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files, [keys.join(FILE)]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&keys), mode(&files[0])), (0o700, 0o600));
        }
    }

    #[tokio::test]
    async fn all_who_start_at_once_share_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let seals = std::thread::scope(|scope| {
            let starting = [(); 8].map(|()| scope.spawn(|| LocalSeal::open(folder.path())));
            starting.map(|seal| seal.join().unwrap().unwrap())
        });
        let secret = Secret::new("x");
        let sealed = seals[0].seal(&secret, "").await.unwrap();
        for seal in seals {
            assert_eq!(seal.open(&sealed, "").await.unwrap(), secret);
        }
    }

    #[tokio::test]
    async fn what_is_not_sealed_does_not_open_and_no_key_is_made_up_for_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        let seal = LocalSeal::open(folder.path()).unwrap();
        for text in ["", "Bearer secret", "local1.", "local1.!", "local1.AAAA", "kms1.a.b"] {
            let error = seal.open(&Sealed::new(text), "stream").await.unwrap_err();
            assert!(matches!(error, SealError::Unusable(_)), "{text}");
        }
        fs::write(folder.path().join(FILE), "not a key").unwrap();
        let error = LocalSeal::open(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("seal.key does not hold a key"), "{error}");
    }
}
