"""Hullwright: Invoke tasks and Nox sessions that build, start, check and measure services."""
