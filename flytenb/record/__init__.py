"""Runs that outlive the kernel, and the memory that runs take while it lives."""
