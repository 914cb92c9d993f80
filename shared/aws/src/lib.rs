//! The homes of the seams on AWS: `DynamoDB` keeps items, SQS holds work, KMS signs.
//!
//! Everything that is decided is decided in [`ssf`]; here is only how to say it to AWS. With the
//! feature `lambda`, also what the functions' binaries start with.

pub mod clients;
pub mod environment;
mod http;
mod kms;
#[cfg(feature = "lambda")]
pub mod lambda;
mod lazy;
#[cfg(test)]
mod naps;
mod queue;
mod seal;
mod signer;
pub mod table;
mod transmitter;

pub use clients::Clients;
pub use environment::{Environment, Resources};
pub use lazy::Lazy;
pub use queue::SqsQueue;
pub use seal::KmsSeal;
pub use signer::KmsSigner;
pub use table::DynamoDbTable;
pub use transmitter::transmitter;
