# /// script
# dependencies = ["nox", "hullwright"]
# ///
from hullwright.sessions import register

register()
