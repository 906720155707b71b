"""What `secrets.check` finds, with the real sops: each fault is one finding with a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Secrets
from hullwright.errors import UnavailableError, UsageError
from hullwright.report import secretcheck as report
from hullwright.secrets.checking import Wanted, check
from hullwright.secrets.recipients import change_recipients

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.secrets.checking import Check
    from hullwright.workspace import Workspace
    from vaults import Vault

OWN: Final = ".env.sops.yaml"
STAGING: Final = "deploy/environments/staging.sops.yaml"
PRODUCTION: Final = "deploy/environments/production.sops.yaml"
TOKEN: Final = {"development": Wanted({"TOKEN": "services.web.environment"})}


def ruled(vault: Vault, **names: str) -> None:
    """Write a rule for each file; the values are recipients."""
    files = {"own": OWN, "staging": STAGING, "production": PRODUCTION}
    text = "".join(
        f"  - path_regex: ^{files[name]}$\n    age: {to}\n" for name, to in names.items()
    )
    vault.repository.write(".sops.yaml", f"creation_rules:\n{text.replace('.sops', '[.]sops')}")


def found(done: Check, subject: str = "") -> dict[str, str]:
    """Return the severity of each finding, of one subject or of all but production's file."""
    missing = PRODUCTION if not subject else ""
    return {
        one.id: one.severity
        for one in done.findings
        if one.subject != missing and subject in {"", one.subject}
    }


def checked(
    ws: Workspace, wanted: Mapping[str, Wanted] = TOKEN, env: str | None = "development"
) -> Check:
    return check(ws, wanted, env=env)


def good(vault: Vault, plain: str = "TOKEN: first-value\n") -> Path:
    path = vault.seal(OWN, plain)
    ruled(vault, own=vault.development.public)
    return path


def test_what_is_right_gives_nothing(vault: Vault) -> None:
    good(vault)
    done = checked(vault.workspace())
    assert done.findings == ()
    assert done.held
    (one,) = done.environments
    assert (one.values, one.recipients, one.opened) == (1, 1, True)
    assert one.opened_by == (vault.development.public,)
    assert report.verdict(done) == "nothing is wrong"


def test_names_are_compared_with_what_is_asked_for(vault: Vault) -> None:
    good(vault, 'TOKEN: ""\nEXTRA: first-value\nKNOWN: x-value\ndb:\n  password: y-value\n')
    required = {"TOKEN": "a", "API_KEY": ".env.example", "DB_PASSWORD": "b"}
    wanted = {"development": Wanted(required, frozenset({"KNOWN"}))}
    done = checked(vault.workspace(), wanted)
    assert not done.held
    assert [(one.id, one.severity, one.message) for one in done.findings] == [
        ("names.missing", "error", "API_KEY is asked for by .env.example, and is not in it"),
        ("names.empty", "warning", "TOKEN is asked for by a, and is empty"),
        ("names.extra", "warning", "EXTRA is in it, and nothing asks for it"),
    ]
    assert done.findings[0].remedy == "invoke secrets.set --key API_KEY"
    assert "first-value" not in report.text(done) + str(report.as_json(done))
    everything = {"development": Wanted(required, open=True)}
    assert "names.extra" not in found(checked(vault.workspace(), everything))


def test_a_wrong_checksum_is_an_error(vault: Vault) -> None:
    path = good(vault, "TOKEN: first-value\nA: b\n")
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(text.splitlines()[1:]), encoding="utf-8")
    done = checked(vault.workspace(), {"development": Wanted(open=True)})
    assert found(done) == {"file.tampered": "error"}
    assert done.environments[0].opened is False


@pytest.mark.parametrize("text", ["a: [\n", "TOKEN: plain\n"])
def test_a_damaged_file_is_an_error(vault: Vault, text: str) -> None:
    good(vault)
    vault.repository.write(OWN, text)
    assert found(checked(vault.workspace())) == {"file.damaged": "error"}


def test_a_value_that_is_not_encrypted_is_an_error(vault: Vault) -> None:
    path = good(vault, "TOKEN: first-value\nport_unencrypted: 80\n")
    path.write_text(f"ADDED: plain-value\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    done = checked(vault.workspace(), {"development": Wanted(open=True)})
    assert found(done) == {
        "values.clear": "error",
        "file.tampered": "error",
        "values.left": "warning",
    }
    assert "plain-value" not in report.text(done)
    public = Secrets(public=("port_unencrypted",))
    assert "values.left" not in found(checked(vault.workspace(public)))


def test_rules_that_do_not_cover_a_file_are_an_error(vault: Vault) -> None:
    good(vault)
    (vault.root / ".sops.yaml").unlink()
    assert found(checked(vault.workspace())) == {"rules.uncovered": "error"}
    ruled(vault, staging=vault.other.public)
    done = checked(vault.workspace())
    assert found(done) == {"rules.uncovered": "error"}
    assert done.findings[0].remedy == "invoke secrets.init --env development"


def test_rules_that_cannot_be_read_are_an_error(vault: Vault) -> None:
    good(vault)
    vault.repository.write(".sops.yaml", "creation_rules: [")
    assert found(checked(vault.workspace()), ".sops.yaml") == {"rules.unreadable": "error"}


def test_a_file_for_others_than_its_rule_says_is_an_error(vault: Vault) -> None:
    good(vault)
    ruled(vault, own=vault.other.public)
    done = checked(vault.workspace())
    assert found(done) == {"rules.differ": "error"}
    message = done.findings[0].message
    assert "can be decrypted by" in message
    assert "cannot be decrypted by" in message
    assert f"--add {vault.other.public} --env development" in done.findings[0].remedy
    change_recipients(vault.workspace(), add=[vault.other.public], env="development")
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    assert checked(ws).findings == ()


def test_a_key_that_is_not_here_is_a_warning_and_an_error_where_it_is_asked_for(
    vault: Vault,
) -> None:
    vault.seal(STAGING, "TOKEN: x\n", vault.other)
    good(vault)
    ruled(vault, own=vault.development.public, staging=vault.other.public)
    everything = checked(vault.workspace(), env=None)
    assert found(everything, STAGING) == {"key.missing": "warning", "names.extra": "warning"}
    assert everything.held
    one = checked(vault.workspace(), env="staging")
    assert found(one, STAGING)["key.missing"] == "error"
    assert not one.held


def test_each_key_that_is_here_has_to_open_the_file(vault: Vault) -> None:
    path = vault.seal(OWN, "TOKEN: first-value\n", vault.development, vault.other)
    ruled(vault, own=f"{vault.development.public},{vault.other.public}")
    environ = {"SOPS_AGE_KEY_FILE": str(vault.other.path)}
    both = checked(vault.workspace(None, **environ))
    assert both.findings == ()
    assert set(both.environments[0].opened_by) == {vault.development.public, vault.other.public}
    # The part of the other key is replaced by that of the first one: only the own name is right.
    text = path.read_text(encoding="utf-8")
    parts = text.split("        - enc: |\n")
    first = parts[1][: parts[1].index("          recipient:")]
    second = parts[2][parts[2].index("          recipient:") :]
    path.write_text("        - enc: |\n".join([parts[0], parts[1], first + second]))
    done = checked(vault.workspace(None, **environ))
    assert found(done) == {"recipients.closed": "error"}
    assert str(vault.other.path) in done.findings[0].message


def test_a_key_that_others_can_read_is_a_warning(vault: Vault) -> None:
    vault.seal(OWN, "TOKEN: first-value\n", vault.other)
    ruled(vault, own=vault.other.public)
    vault.other.path.chmod(0o644)
    done = checked(vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path)))
    assert found(done) == {"key.mode": "warning"}
    assert done.findings[0].remedy == f"chmod 600 {vault.other.path}"


def test_nothing_of_production_is_for_the_development_key(vault: Vault) -> None:
    vault.seal(PRODUCTION, "TOKEN: x\n", vault.other, vault.development)
    ruled(vault, production=f"{vault.other.public},{vault.development.public}")
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    done = checked(ws, {"production": Wanted({"TOKEN": "a"})}, "production")
    assert found(done, PRODUCTION) == {"recipients.development": "error"}
    (one,) = done.findings
    assert f"--remove {vault.development.public} --env production" in one.remedy
    # In the rule alone it would come with the next change.
    vault.root.joinpath(PRODUCTION).unlink()
    vault.root.joinpath(".sops.yaml").unlink()
    vault.seal(PRODUCTION, "TOKEN: x\n", vault.other)
    ruled(vault, production=f"{vault.other.public},{vault.development.public}")
    done = checked(ws, {"production": Wanted({"TOKEN": "a"})}, "production")
    assert found(done, PRODUCTION) == {"recipients.development": "error", "rules.differ": "error"}


def test_another_environment_for_the_development_key_is_a_warning(vault: Vault) -> None:
    vault.seal(STAGING, "TOKEN: x\n")
    ruled(vault, staging=vault.development.public)
    done = checked(vault.workspace(), {"staging": Wanted({"TOKEN": "a"})}, "staging")
    assert found(done) == {"recipients.development": "warning"}
    assert done.held


def test_an_environment_without_a_file_is_an_error_where_something_is_asked_for(
    vault: Vault,
) -> None:
    good(vault)
    done = checked(vault.workspace(), TOKEN, None)
    assert found(done, PRODUCTION) == {"file.missing": "note"}
    assert done.held
    done = checked(vault.workspace(), {**TOKEN, "production": Wanted({"A": "b"})}, None)
    assert found(done, PRODUCTION) == {"file.missing": "error"}


def test_names_that_cannot_be_variables_are_an_error(vault: Vault) -> None:
    good(vault, "DB_PASSWORD: a\ndb:\n  password: b\n")
    assert found(checked(vault.workspace(), {}))["names.unusable"] == "error"


def test_an_unknown_environment_is_2(vault: Vault) -> None:
    good(vault)
    with pytest.raises(UsageError, match="unknown environment") as error:
        checked(vault.workspace(), {}, "stagin")
    assert error.value.exit_code == 2


def test_without_sops_it_is_3(vault: Vault, tmp_path: Path) -> None:
    good(vault)
    (tmp_path / "programs").mkdir()
    with pytest.raises(UnavailableError, match="sops is not on PATH") as error:
        checked(vault.workspace(PATH=str(tmp_path / "programs")))
    assert error.value.exit_code == 3
