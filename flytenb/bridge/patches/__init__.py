"""Patches of flytekit in a kernel; `table` lists them with the upstream line that each replaces."""
