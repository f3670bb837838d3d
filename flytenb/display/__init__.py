"""Value to MIME bundle by type, the live view, the error card; never starts a run, never raises."""
