//! Retiring a key: not before its last SET is delivered.

use crate::{
    Error, Transmitter,
    set::{FAILED, PENDING, jws::Header},
};

/// How many SETs are read at once.
const AT_ONCE: usize = 100;

impl Transmitter {
    /// Takes a key that signs no more out of the JWKS and destroys its private half. Refused while
    /// a SET that it signed may still be delivered, for then nobody could verify it; unless
    /// `anyway`.
    pub async fn key_retire(&self, kid: &str, anyway: bool) -> Result<(), Error> {
        let known = self.keys().list().await?.iter().any(|(key, _)| key.key.kid == kid);
        if known && !anyway && self.is_awaited(kid).await? {
            return Err(Error::Refused(format!(
                "SETs that the key {kid} signed are still to be delivered, or failed and may be \
                 tried again: nobody could verify them"
            )));
        }
        self.keys().retire(kid).await
    }

    /// Whether a SET that this key signed may still be delivered.
    async fn is_awaited(&self, kid: &str) -> Result<bool, Error> {
        let mut awaited = false;
        self.each_stream(None, async |stream| {
            for prefix in [PENDING, FAILED] {
                let mut after = None;
                while !awaited {
                    let (held, next) =
                        self.pending(&stream.id, prefix, after.as_deref(), AT_ONCE).await?;
                    let signed_by = |token: &str| Header::of(token).and_then(|header| header.kid);
                    awaited = held
                        .iter()
                        .any(|held| signed_by(held.token.signed.as_str()).as_deref() == Some(kid));
                    if next.is_none() {
                        break;
                    }
                    after = next;
                }
            }
            Ok(())
        })
        .await?;
        Ok(awaited)
    }
}
