"""What is attached to an image, as people and machines are told of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from goldens import goldens
from hullwright.push.attestations import Listing
from hullwright.report import attestations as report
from hullwright.tools.attestations import Attached, OfPlatform

HERE: Final = Path(__file__).parent
INDEX, AMD, ARM, ONE, TWO = (f"sha256:{letter * 64}" for letter in "abcde")
SLSA: Final = "https://slsa.dev/provenance/v0.2"
SIGNATURE: Final = Attached("signature", "application/vnd.dev.cosign.x+json", TWO, 237)
PROVENANCE: Final = Attached("provenance", SLSA, ONE, 5_120, "https://ci.example.com/7", 3)
SBOM: Final = Attached("sbom", "https://spdx.dev/Document", TWO, 412_345, "scanner", None, 1_204)
NAME: Final = "registry.example.com/team/api:1.4.1"
SHOWN: Final = {
    "signed": Listing(
        NAME,
        "registry",
        INDEX,
        (
            OfPlatform("linux/amd64", AMD, (PROVENANCE, SBOM, SIGNATURE)),
            OfPlatform("linux/arm64", ARM, (PROVENANCE,)),
        ),
        (SIGNATURE,),
    ),
    "nothing": Listing(NAME, "local store", AMD, (OfPlatform("linux/amd64", AMD),)),
    "pulled": Listing(
        NAME,
        "local store",
        INDEX,
        (OfPlatform("linux/amd64", AMD), OfPlatform("", ARM, (PROVENANCE,))),
        absent=(ONE,),
        silent="registry.example.com",
    ),
}

held = goldens(HERE)


@pytest.mark.parametrize("name", SHOWN)
def test_a_listing_reads_as_it_is_kept(name: str) -> None:
    held(f"{name}.txt", report.text(SHOWN[name]))
    held(f"{name}.md", report.markdown(SHOWN[name]))


def test_the_machine_form_is_as_it_is_kept() -> None:
    held("signed.json", json.dumps(report.as_json(SHOWN["signed"]), indent=2))
