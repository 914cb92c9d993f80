//! A data folder, and the transmitter that lives in it.
//!
//! | in the folder | what it is |
//! | --- | --- |
//! | `tocsin.db` | table and queues |
//! | `keys/` | the private keys that sign, and the key that seals secrets |
//! | `lock` | held by the `serve` that runs |
//! | `settings.json` | the settings that `serve` was started with last |
//! | `tls/` | the certificate of `serve --tls`, and its key |

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use async_trait::async_trait;
use ssf::{
    Parts, Transmitter,
    clock::SystemClock,
    config::Config,
    delivery::{ChosenBy, HttpPush, Push, PushAnswer, PushError},
    embedded::{Database, LocalSeal, LocalSigner, QueueKind, make_private_folder},
    ids::RandomIds,
};
use url::Url;

use crate::settings;

/// A data folder that is open; others may have it open too.
#[derive(Clone, Debug)]
pub struct Home {
    /// Where it is.
    pub folder: PathBuf,
    /// The transmitter that lives there.
    pub transmitter: Transmitter,
}

impl Home {
    /// For an operator's command that works on what is there.
    pub fn existing(folder: &Path) -> anyhow::Result<Self> {
        if !folder.join("tocsin.db").is_file() {
            bail!(
                "there is no transmitter in {}: check --data, or start one with `tocsin serve`",
                folder.display()
            );
        }
        Self::open_or_make(folder)
    }

    /// For an operator's command that may come before the first `serve`.
    pub fn open_or_make(folder: &Path) -> anyhow::Result<Self> {
        let config = settings::read(folder)?.unwrap_or_default().config()?;
        Self::open(folder, config, Arc::new(NoPush))
    }

    /// The transmitter in `folder`, with these settings and this way to the receivers. The folder
    /// is made if it is not there.
    pub fn open(folder: &Path, config: Config, http: Arc<dyn HttpPush>) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock);
        let database = Database::open(folder, clock.clone())?;
        let keys = folder.join("keys");
        let unusable = || format!("the keys in {} cannot be used", keys.display());
        let signer = LocalSigner::open(&keys).with_context(unusable)?;
        let seal = LocalSeal::open(&keys).with_context(unusable)?;
        // A write costs nothing here, and who looks wants to see what came just now.
        let config = Config { source_tally: Duration::ZERO, ..config };
        let transmitter = Transmitter::new(Parts {
            config,
            table: Arc::new(database.table()),
            ingest: Arc::new(database.queue("ingest", QueueKind::Standard)),
            ingest_fifo: Arc::new(database.queue("ingest.fifo", QueueKind::Fifo)),
            dead_letters: Arc::new(database.queue("dead-letters", QueueKind::Standard)),
            push: Arc::new(database.queue("push", QueueKind::Fifo)),
            signer: Arc::new(signer),
            seal: Arc::new(seal),
            http,
            clock,
            ids: Arc::new(RandomIds),
        });
        Ok(Self { folder: folder.to_owned(), transmitter })
    }
}

/// Held by the one `serve` that may run on a data folder; given back at the end of the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// The lock on `folder`, which is made if it is not there.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("the data folder {} cannot be used", folder.display());
        make_private_folder(folder).with_context(unusable)?;
        let file = File::create(folder.join("lock")).with_context(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => bail!(
                "another `tocsin serve` runs on {}: stop it first, or choose another folder",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
        }
    }
}

/// For the operator's commands: they leave the receivers to the transmitter itself.
#[derive(Debug)]
pub(crate) struct NoPush;

#[async_trait]
impl HttpPush for NoPush {
    async fn push(&self, _: &Push<'_>) -> Result<PushAnswer, PushError> {
        Err(PushError::Broken("only the transmitter itself talks to receivers".to_owned()))
    }

    async fn fetch(&self, _: &Url, _: ChosenBy) -> Result<Vec<u8>, PushError> {
        Err(PushError::Broken("only the transmitter itself reads the keys of others".to_owned()))
    }
}
