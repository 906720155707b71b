"""What people see of encrypted files that are kept, to the character."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.findings import Finding
from hullwright.report import recipients, secretcheck, secretinit, secretkept, secretnames
from hullwright.secrets.checking import Check, Checked
from hullwright.secrets.keeping import Kept
from hullwright.secrets.recipients import Access
from hullwright.secrets.sealed import Sealed
from hullwright.secrets.source import Source
from hullwright.secrets.starting import Started

if TYPE_CHECKING:
    from types import ModuleType

HERE: Final = Path(__file__).parent
DEV: Final = "age1sw7t2uswd0n7eh527h9ue20f3tc0pgrkh09fjhaw7uuystvzqurq4fu0tk"
OPS: Final = "age1l7rtgnjrg4jy5nnykl2mmy25smea7mau059dgg9qy3crcc6w240qm88m4d"
CI: Final = "age1fe9gt3hns6tw56kg3scplrcpq0jy7496jgtxvqyzn3p2r00qgfwsan5wgu"
OWN: Final = ".env.sops.yaml"
STAGING: Final = "deploy/environments/staging.sops.yaml"

FOUND: Final = (
    Finding(
        "names.missing",
        "error",
        STAGING,
        "API_KEY is asked for by services.api.environment, and is not in it",
        "invoke secrets.set --key API_KEY --env staging",
    ),
    Finding(
        "recipients.development",
        "error",
        STAGING,
        "it is for the development key age1sw…tk, which everybody with the repository has",
        "invoke secrets.recipients --add RECIPIENT --env staging\n"
        "and give every secret in it a new value",
    ),
    Finding("names.extra", "warning", OWN, "OLD | NAME is in it, and nothing asks for it"),
)
CHECK: Final = Check(
    (
        Checked("development", OWN, values=2, recipients=1, opened_by=(DEV,), opened=True),
        Checked("qa", "deploy/environments/qa.sops.yaml", exists=False),
        Checked("staging", STAGING, values=1, recipients=2),
        Checked(
            "vault", "deploy/environments/vault.sops.yaml", values=1, recipients=1, opened=True
        ),
    ),
    FOUND,
)
NAMES: Final = (
    Sealed(
        Source("development", production=False, name=OWN, path=Path(OWN)),
        "yaml",
        (DEV,),
        (),
        (("POSTGRES_PASSWORD",), ("db", "password"), ("db", "ports", 0)),
    ),
    Sealed(
        Source("staging", production=False, name=STAGING, path=Path(STAGING)),
        "yaml",
        (OPS,),
        (),
        (("TOKEN",),),
    ),
)
ACCESS: Final = (
    Access("development", OWN, (DEV,), development=(DEV,), here=(DEV,)),
    Access(
        "staging",
        STAGING,
        (OPS, CI),
        ("Vault https://v",),
        here=(OPS,),
        added=(CI,),
        removed=(DEV,),
    ),
)
STARTED: Final = Started(
    "development", OWN, key="~/.config/sops/age/keys.txt", key_made=True, own=(OPS,),
    rules=".sops.yaml", rule="created", recipients=(OPS,), exists=False,
)  # fmt: skip

CASES: Final[dict[str, tuple[ModuleType, Any]]] = {
    "check": (secretcheck, CHECK),
    "check-nothing": (secretcheck, Check((CHECK.environments[0],), ())),
    "names": (secretnames, NAMES),
    "names-none": (secretnames, ()),
    "recipients": (recipients, ACCESS),
    "recipients-none": (recipients, ()),
    "init": (secretinit, STARTED),
    "init-kept": (
        secretinit,
        Started(
            "staging", STAGING, key="$SOPS_AGE_KEY", key_made=False, own=(CI,),
            rules=".sops.yaml", rule="kept", recipients=(OPS,), exists=True, outside=True,
        ),
    ),
    "set": (secretkept, Kept("development", OWN, "set", ("db.password",), (DEV,))),
    "added": (secretkept, Kept("staging", STAGING, "added", ("TOKEN",), (OPS, CI))),
    "created": (secretkept, Kept("staging", STAGING, "created", (), (OPS,), in_memory=False)),
    "unchanged": (secretkept, Kept("staging", STAGING, "unchanged", ())),
    "rotated": (secretkept, Kept("staging", STAGING, "rotated", ("TOKEN", "db.password"), (OPS,))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_report_is_as_it_is_written(name: str) -> None:
    module, result = CASES[name]
    shown = {
        "txt": module.text(result),
        "md": module.markdown(result),
        "json": json.dumps(module.as_json(result), indent=2, ensure_ascii=False),
    }
    for form, text in shown.items():
        golden = HERE / f"{name}.{form}"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(f"{text}\n", encoding="utf-8")
        assert f"{text}\n" == golden.read_text(encoding="utf-8")
