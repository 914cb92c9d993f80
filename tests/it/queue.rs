//! What every home of the queue must do.
