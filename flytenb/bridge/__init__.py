"""The only package that imports flytekit: entities, workflows, values, execution, patches."""
