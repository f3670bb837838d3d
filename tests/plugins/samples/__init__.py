"""One small use per plugin, each a module of its own, imported only where its plugin is installed.

A module says `ENTITY`, `INPUTS` (Python values by name) and one of

- `EXPECTED`: what a run of the entity returns;
- `check`: a function that asserts on the run of the entity what the plugin is for.

A plugin whose service isn't there (`needs` in the catalogue) has only `ENTITY`: it is serialised.
"""
