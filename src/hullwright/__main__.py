"""`python -m hullwright`."""

import sys

from hullwright.cli import main

sys.exit(main())
