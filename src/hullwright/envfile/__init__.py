"""The environment file of a repository: made from its example, and compared with it.

`.env.example` documents every variable. One that stands there as a comment (`# PORT=8080`) is
optional.
"""

from hullwright.envfile.listing import Listing, Variable, listing
from hullwright.envfile.make import Made, MakePlan, init, plan_init

__all__ = ["Listing", "Made", "MakePlan", "Variable", "init", "listing", "plan_init"]
