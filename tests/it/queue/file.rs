//! What is true of queues in a file.
