"""Attributes of flytekit's tasks that don't change the result of a call."""

TASK_LABELS = frozenset([
    "_name", "_metadata", "_docs", "_instantiated_in", "_module_file", "_lhs", "_task_type_version",  # its name
    "_interface", "_native_interface", "_python_interface", "_collection_interface",  # its types
    "_container_image", "_resources", "_security_ctx", "pod_template", "accelerator", "shared_memory",  # where it runs
    "_deck_fields", "_disable_deck", "_task_resolver", "_get_command_fn", "_node_dependency_hints", "sub_node_metadata",
    "_cmd_prefix", "_config_task_instance", "_concurrency",  # how a cluster starts it
    "_wf", "_outputs", "_process_result",  # set when it is compiled or run
])  # fmt: skip
