//! Homes of the seams on a laptop: table and queues in one SQLite file, keys in a folder.
//!
//! A [`Database`] is that file. [`SqliteTable`] and [`SqliteQueue`] are thin: they speak SQL and
//! refuse what their counterparts on AWS would refuse, so that what passes here runs there.
//!
//! Several processes may have the same file open: the command-line tool works beside the
//! transmitter.
//!
//! # What survives
//!
//! What was answered survives the end of the process, `kill -9` included: it is in the hands of the
//! operating system (write-ahead log, `synchronous=NORMAL`). When the machine itself stops, by a
//! power cut for instance, the file stays sound but may lose what the operating system had not yet
//! written, as a rule the last half minute. That is the price of thousands of commits per second,
//! and right for a laptop.

mod checkpoint;
mod counting;
mod database;
mod local_seal;
mod local_signer;
mod partition;
mod queue;
mod schema;
mod secret_file;
mod session;
mod table;
#[cfg(test)]
mod tests;

pub use crate::queue::QueueKind;
pub use counting::{CountingQueue, CountingSigner, CountingTable, QueueCounts, TableCounts};
pub use database::Database;
pub use local_seal::LocalSeal;
pub use local_signer::LocalSigner;
pub use partition::PartitionLimits;
pub use queue::SqliteQueue;
pub use schema::OpenError;
pub use secret_file::make_private_folder;
pub use table::SqliteTable;
