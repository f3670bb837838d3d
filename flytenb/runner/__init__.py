"""Walk a compiled workflow: plan, schedule, cross values, tell what happens; showing it is left to listeners."""
