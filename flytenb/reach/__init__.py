"""What code reaches: functions, helpers, classes, constants and modules; state and files that tasks share."""
