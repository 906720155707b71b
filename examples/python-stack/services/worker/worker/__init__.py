"""The worker of Nudge: sends what is due."""
