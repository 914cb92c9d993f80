//! What SQS may answer, and what the queue makes of it.
