//! The real node core on virtual time.
