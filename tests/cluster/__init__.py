"""A double of a Flyte cluster: see README.md."""
