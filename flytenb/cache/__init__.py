"""The cache of task results: keys, digests of values, the store."""
