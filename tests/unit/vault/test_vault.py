"""bot/vault: keys, pseudonyms, encryption."""

from pathlib import Path

import pytest

from bot.vault.keys import MasterKeyError, derive, load, load_or_create
from bot.vault.vault import Unreadable, Vault

MASTER = bytes(range(32))
NAME = Vault(MASTER).pseudonym("web", "somebody")


def test_a_new_master_key_is_readable_by_its_owner_only_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    first = load_or_create(path)
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create(path) == first


def test_a_key_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        load(path)


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(MasterKeyError, match="32 bytes"):
        load_or_create(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match=r"master\.key"):
        load(tmp_path / "master.key")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({derive(MASTER, purpose) for purpose in ("pseudonym", "wrapping", "button tokens")} | {MASTER}) == 4


def test_pseudonyms_depend_on_channel_address_and_installation() -> None:
    names = {
        Vault(key).pseudonym(channel, address)
        for key in (MASTER, bytes(32))
        for channel in ("web", "telegram")
        for address in ("1", "2")
    }
    assert len(names) == 8
    assert Vault(MASTER).pseudonym("web", "1") == Vault(MASTER).pseudonym("web", "1")


def test_what_is_sealed_opens_with_its_key_in_its_row_for_its_purpose_only() -> None:
    vault = Vault(MASTER)
    key, wrapped = vault.new_key(NAME)
    record = vault.seal(key, NAME, "state", b"what is kept")
    assert vault.open(vault.unwrap(NAME, wrapped, 1), NAME, "state", record) == b"what is kept"
    other = vault.pseudonym("web", "somebody else")
    for attempt in (
        lambda: vault.open(key, other, "state", record),
        lambda: vault.open(key, NAME, "other purpose", record),
        lambda: vault.open(bytes(32), NAME, "state", record),
        lambda: vault.open(key, NAME, "state", record[:-1] + bytes([record[-1] ^ 1])),
        lambda: vault.open(key, NAME, "state", b""),
        lambda: vault.unwrap(other, wrapped, 1),
        lambda: vault.unwrap(NAME, wrapped, 2),
        lambda: Vault(bytes(32)).unwrap(NAME, wrapped, 1),
    ):
        with pytest.raises(Unreadable):
            attempt()


def test_the_length_of_a_record_tells_nothing() -> None:
    vault = Vault(MASTER)
    key, _ = vault.new_key(NAME)
    lengths = {len(vault.seal(key, NAME, "state", b"x" * size)) for size in (0, 1, 100, 900)}
    assert len(lengths) == 1


def test_the_same_is_never_encrypted_to_the_same_bytes() -> None:
    vault = Vault(MASTER)
    key, _ = vault.new_key(NAME)
    assert len({vault.seal(key, NAME, "state", b"x") for _ in range(50)}) == 50


def test_button_tokens_are_short_and_opaque() -> None:
    vault = Vault(MASTER)
    token = vault.token("/immediate_danger")
    assert len(token) == 16
    assert "danger" not in token
    assert token != Vault(bytes(32)).token("/immediate_danger")


def test_nothing_shows_a_key() -> None:
    vault = Vault(MASTER)
    assert MASTER.hex() not in repr(vault)
    assert repr(vault) == "Vault(…)"
