"""Letting people in and taking them out: files and rules together, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.errors import CheckFailedError, LockedError, UnavailableError, UsageError
from hullwright.files import lock
from hullwright.report import recipients as report
from hullwright.secrets import environment, recipients
from hullwright.secrets.recipients import access, change_recipients, listing, plan_recipients

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace
    from vaults import Key, Vault

OWN: Final = ".env.sops.yaml"
STAGING: Final = "deploy/environments/staging.sops.yaml"
PRODUCTION: Final = "deploy/environments/production.sops.yaml"
PLAIN: Final = "TOKEN: first-value\n"


@pytest.fixture
def alice(vault: Vault, tmp_path: Path) -> Key:
    return vault.key(tmp_path / "alice.txt")


def two(vault: Vault) -> Workspace:
    """Make development and staging, each with a rule and a key of its own."""
    rule = "  - path_regex: ^{}$\n    age: {}\n"
    vault.repository.write(
        ".sops.yaml",
        "creation_rules:\n"
        + rule.format(OWN.replace(".", r"\."), vault.development.public)
        + rule.format(STAGING.replace(".", r"\."), vault.other.public),
    )
    vault.seal(OWN, PLAIN)
    vault.seal(STAGING, PLAIN, vault.other)
    return vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))


def state(vault: Vault) -> dict[str, bytes]:
    return {name: (vault.root / name).read_bytes() for name in (".sops.yaml", OWN, STAGING)}


def opens(vault: Vault, key: Key, env: str) -> bool:
    (vault.root / "deploy/environments/development.agekey").unlink(missing_ok=True)
    try:
        environment(vault.workspace(SOPS_AGE_KEY_FILE=str(key.path)), env)
    except CheckFailedError:
        return False
    return True


def test_a_colleague_comes_into_one_environment(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    before = state(vault)
    plan = plan_recipients(ws, add=[alice.public], env="staging")
    assert plan.text().splitlines() == [
        r"change .sops.yaml: the rule ^deploy/environments/staging\.sops\.yaml$",
        f"change {STAGING}: encrypted to 2 recipients, the same data key",
        f"  + {alice.public}",
    ]
    assert state(vault) == before
    (done,) = change_recipients(ws, add=[alice.public], env="staging")
    assert done.added == (alice.public,)
    assert done.here == (vault.other.public,)
    # A value is the same to the byte, and development is not touched.
    line = before[STAGING].splitlines()[0]
    assert (vault.root / STAGING).read_bytes().splitlines()[0] == line
    assert (vault.root / OWN).read_bytes() == before[OWN]
    assert f"  + {alice.public}   added" in report.text((done,))
    assert opens(vault, alice, "staging")


def test_doing_it_again_changes_nothing(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    change_recipients(ws, add=[alice.public], env="staging")
    before = state(vault)
    plan = plan_recipients(ws, add=[alice.public], env="staging")
    assert plan.text() == "nothing to change: it is so already"
    (done,) = change_recipients(ws, add=[alice.public], env="staging")
    assert done.added == ()
    assert state(vault) == before


def test_without_an_environment_all_files_get_the_recipient(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    done = change_recipients(ws, add=[alice.public])
    assert [one.environment for one in done] == ["development", "staging"]
    assert all(one.added == (alice.public,) for one in done)
    assert opens(vault, alice, "development")
    assert opens(vault, alice, "staging")


def test_whoever_is_removed_opens_it_no_longer_and_the_data_key_is_new(
    vault: Vault, alice: Key
) -> None:
    ws = two(vault)
    change_recipients(ws, add=[alice.public], env="staging")
    values = environment(ws, "staging")
    line = (vault.root / STAGING).read_bytes().splitlines()[0]
    (done,) = change_recipients(ws, remove=[alice.public], env="staging")
    assert done.removed == (alice.public,)
    assert (vault.root / STAGING).read_bytes().splitlines()[0] != line
    assert environment(ws, "staging") == values
    assert "give each a new value" in report.text((done,))
    assert alice.public not in (vault.root / ".sops.yaml").read_text(encoding="utf-8")
    assert not opens(vault, alice, "staging")


def test_the_own_key_can_be_replaced(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    add, remove = [alice.public], [vault.other.public]
    (done,) = change_recipients(ws, add=add, remove=remove, env="staging")
    assert done.recipients == (alice.public,)
    assert opens(vault, alice, "staging")
    assert not opens(vault, vault.other, "staging")


def test_an_ssh_key_is_a_recipient_too(vault: Vault) -> None:
    ws = two(vault)
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    (done,) = change_recipients(ws, add=[f"{key} me@example.com"], env="staging")
    assert done.added == (key,)
    assert access(ws, env="staging")[0].recipients == (vault.other.public, key)


@pytest.mark.parametrize(
    ("add", "remove", "message"),
    [
        (["age1nonsense"], [], "is not valid as a recipient"),
        ([], ["age1nobody"], 'unknown recipient "age1nobody"'),
        ([], ["OTHER"], "the last recipient .* cannot be removed"),
        (["OTHER"], ["OTHER"], "is to be added and removed"),
    ],
)
def test_what_cannot_be_meant_is_2_and_changes_nothing(
    vault: Vault, add: list[str], remove: list[str], message: str
) -> None:
    ws = two(vault)
    before, other = state(vault), vault.other.public
    add, remove = ([other if key == "OTHER" else key for key in keys] for keys in (add, remove))
    with pytest.raises(UsageError, match=message) as error:
        change_recipients(ws, add=add, remove=remove, env="staging")
    assert error.value.exit_code == 2
    assert state(vault) == before


def test_a_secret_key_is_no_recipient_and_is_not_shown(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    secret = alice.path.read_text(encoding="utf-8").splitlines()[-1]
    with pytest.raises(UsageError, match="that is a secret key") as error:
        plan_recipients(ws, add=[secret])
    assert secret not in str(error.value)
    assert ws.runner.redacted(secret) == "***"


def test_a_file_without_a_rule_is_told(vault: Vault, alice: Key) -> None:
    vault.seal("deploy/environments/qa.sops.yaml", PLAIN, vault.other)
    ws = two(vault)
    with pytest.raises(UsageError, match=r"no rule of \.sops\.yaml covers deploy/.*qa") as error:
        change_recipients(ws, add=[alice.public], env="qa")
    assert error.value.exit_code == 2
    assert error.value.next_step.startswith("invoke secrets.init --env qa")
    (vault.root / ".sops.yaml").unlink()
    with pytest.raises(UsageError, match="no rule of"):
        change_recipients(ws, add=[alice.public])


def test_a_rule_of_several_environments_is_not_changed_for_one(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    both = f"{vault.development.public},{vault.other.public}"
    vault.repository.write(".sops.yaml", f"creation_rules:\n  - age: {both}\n")
    with pytest.raises(UsageError, match="covers development too") as error:
        plan_recipients(ws, add=[alice.public], env="staging")
    assert r"path_regex: ^deploy/environments/staging\.sops\.yaml$" in error.value.next_step


def test_production_gets_no_development_key(vault: Vault) -> None:
    two(vault)
    vault.repository.write(".sops.yaml", f"creation_rules:\n  - age: {vault.other.public}\n")
    vault.seal(PRODUCTION, PLAIN, vault.other)
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    with pytest.raises(UsageError, match="production refuses the development key") as error:
        change_recipients(ws, add=[vault.development.public])
    assert error.value.exit_code == 2


def test_the_development_key_is_taken_out_of_production(vault: Vault, alice: Key) -> None:
    vault.seal(PRODUCTION, PLAIN)
    vault.repository.write(".sops.yaml", f"creation_rules:\n  - age: {vault.development.public}\n")
    # Whoever puts it right has no other key of the file yet.
    ws = vault.workspace()
    add, remove = [alice.public], [vault.development.public]
    (done,) = change_recipients(ws, add=add, remove=remove, env="production")
    assert (done.recipients, done.development) == ((alice.public,), ())
    assert opens(vault, alice, "production")


def test_one_file_that_cannot_be_opened_leaves_all_as_they_are(vault: Vault, alice: Key) -> None:
    two(vault)
    before = state(vault)
    with pytest.raises(
        CheckFailedError, match=f"missing: the key that decrypts {STAGING}"
    ) as error:
        change_recipients(vault.workspace(), add=[alice.public])
    assert error.value.exit_code == 1
    assert state(vault) == before


@pytest.mark.parametrize("step", ["plan_recipients", "_done_on_bench"])
@pytest.mark.parametrize("name", [".sops.yaml", STAGING])
def test_what_somebody_else_writes_meanwhile_leaves_all_as_it_is(
    vault: Vault, alice: Key, monkeypatch: pytest.MonkeyPatch, step: str, name: str
) -> None:
    ws = two(vault)
    own = getattr(recipients, step)
    after: list[dict[str, bytes]] = []

    def step_then_edit(*args: Any, **flags: Any) -> Any:
        done = own(*args, **flags)
        if args[1:] and args[1].source.name != STAGING:
            return done
        if not after:
            path = vault.root / name
            path.write_bytes(path.read_bytes() + b"# edited\n")
            after.append(state(vault))
        return done

    monkeypatch.setattr(recipients, step, step_then_edit)
    if (step, name) == ("plan_recipients", STAGING):
        # What is planned is the same, and what is encrypted is the file as it is now.
        assert all(
            alice.public in one.recipients for one in change_recipients(ws, add=[alice.public])
        )
        return
    with pytest.raises(CheckFailedError, match="by somebody else in the meantime"):
        change_recipients(ws, add=[alice.public])
    assert [state(vault)] == after


def test_a_second_writer_is_4(vault: Vault, alice: Key) -> None:
    ws = two(vault)
    change_recipients(ws, add=[alice.public], env="staging")
    before = state(vault)
    for held in (ws.state_dir / "locks").glob("*.lock"):
        with lock(held, "it"), pytest.raises(LockedError) as error:
            change_recipients(ws, remove=[alice.public], env="staging")
        assert error.value.exit_code == 4
    assert state(vault) == before


def test_without_sops_it_is_3(vault: Vault, alice: Key, tmp_path: Path) -> None:
    two(vault)
    (tmp_path / "programs").mkdir()
    ws = vault.workspace(PATH=str(tmp_path / "programs"))
    with pytest.raises(UnavailableError, match="sops is not on PATH") as error:
        change_recipients(ws, add=[alice.public], env="staging")
    assert error.value.exit_code == 3


def test_names_and_recipients_are_seen_without_any_key(vault: Vault) -> None:
    two(vault)
    ws = vault.workspace()
    assert [seen.names for seen in listing(ws)] == [("TOKEN",), ("TOKEN",)]
    assert [one.here for one in access(ws)] == [(vault.development.public,), ()]
    assert listing(ws, env="staging")[0].source.name == STAGING


def test_without_any_file_there_is_nothing_to_add_to(vault: Vault, alice: Key) -> None:
    assert listing(vault.workspace()) == ()
    with pytest.raises(UsageError, match="no environment has an encrypted file") as error:
        plan_recipients(vault.workspace(), add=[alice.public])
    assert "secrets.init" in error.value.next_step
