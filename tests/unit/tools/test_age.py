"""Age keys: what a secret one is asked with is told to nobody."""

from __future__ import annotations

from typing import Final

from hullwright.run import Result
from hullwright.tools import age
from replaying import Replay

# Assembled, so that this file does not hold a key.
KEY: Final = "AGE-SECRET-" + "KEY-1" + "Q" * 58
PUBLIC: Final = "age1" + "q" * 58


def test_a_secret_key_is_known_as_one_before_a_program_gets_it() -> None:
    class Asked(Replay):
        def find(self, program: str) -> str | None:
            return f"/bin/{program}"

    answer = Result(("age-keygen",), 0, f"{PUBLIC}\n")
    runner = Asked({}, results={("age-keygen", "-y"): answer})
    assert age.public_keys(runner, f"# created: today\n{KEY}\n") == (PUBLIC,)
    assert runner.redacted(f"<<'EOF'\n{KEY}\nEOF") == "<<'EOF'\n***\nEOF"
