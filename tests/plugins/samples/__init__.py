"""One small use per plugin, each a module of its own, imported only where its plugin is installed.

A module says `ENTITY`, `INPUTS` (Python values by name) and one of

- `EXPECTED`: what a run of the entity returns;
- `check`: a function that asserts on the run of the entity what the plugin is for.

The sample of a plugin that `needs` something may have `ANSWER`, what answers its requests in a rehearsal, and `check`
then gets the rehearsal. Without an answer it has only `ENTITY`, which is serialised.
"""
