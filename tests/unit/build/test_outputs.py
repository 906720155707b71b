"""Where results of builds go, and places that are refused before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from hullwright.build import outputs
from hullwright.errors import ExitCode, UsageError
from hullwright.tools.buildx import LOCAL_STORE

ROOT: Final = Path("/repository")


def test_without_an_output_an_image_goes_to_the_local_store() -> None:
    assert outputs.exporters((), "api", "") == (LOCAL_STORE,)
    assert outputs.stores((LOCAL_STORE,))


def test_places_are_filled_in_and_a_bare_word_is_a_folder() -> None:
    asked = ("type=tar,dest=out/{service}-{target}.tar", "out/{service}")
    made = outputs.exporters(asked, "api", "production")
    assert made == ("type=tar,dest=out/api-production.tar", "type=local,dest=out/api")
    assert outputs.places(made, ROOT) == (ROOT / "out/api-production.tar", ROOT / "out/api")
    assert not outputs.stores(made)
    assert not outputs.takes_annotations(made)
    assert outputs.takes_annotations(("type=oci,dest=x.tar",))


@pytest.mark.parametrize("asked", ["-", "type=tar,dest=-"])
def test_standard_output_belongs_to_the_report(asked: str) -> None:
    with pytest.raises(UsageError, match="standard output") as raised:
        outputs.exporters((asked,), "api", "")
    assert raised.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("asked", ["type=tar,dest=out.tar", "type=tar,dest={target}.tar", "out"])
def test_two_images_in_one_place_are_refused(asked: str) -> None:
    both = [("api", "production"), ("web", "production")]
    with pytest.raises(UsageError, match="is one place for 2 images") as raised:
        outputs.refuse_one_place((asked,), both)
    assert raised.value.exit_code is ExitCode.USAGE
    written = raised.value.next_step.rpartition(" ")[2]
    kind = "type=tar,dest=out/{service}.tar" if "tar" in asked else "type=local,dest=out/{service}"
    assert written == kind
    outputs.refuse_one_place(("type=tar,dest=out.tar",), both[:1])
    outputs.refuse_one_place(("out/{service}", "type=cacheonly"), both)


def test_what_goes_elsewhere_is_not_loaded_too() -> None:
    outputs.refuse_load(())
    outputs.refuse_load(("type=docker", "type=oci,dest=x.tar"))
    with pytest.raises(UsageError, match=r"--load and --output type=oci,dest=x\.tar") as caught:
        outputs.refuse_load(("type=oci,dest=x.tar",))
    assert caught.value.exit_code == 2


def test_values_with_commas_survive_reading_and_writing() -> None:
    text = 'type=local,"dest=a,b"'
    assert outputs.written(outputs.attributes(text)) == text
