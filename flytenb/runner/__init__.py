"""Runs of compiled workflows: plan, schedule, cross values, report events. Listeners display them."""
