"""Build automation of this repository: `invoke --list` shows it."""

from hullwright.tasks import collection

ns = collection()
