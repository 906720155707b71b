"""The schedule of Nudge: asks every second for a look at what is due."""
