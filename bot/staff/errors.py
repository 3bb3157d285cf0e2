"""What can be refused to staff. None of these holds a login, a name or a secret."""

from __future__ import annotations


class StaffError(Exception):
    """Something that staff can mend. `name` is a fixed word; the console shows t("staff_error_<name>").

    `values` fill the text's placeholders: numbers only ("least", "most").
    """

    def __init__(self, name: str, **values: int) -> None:
        super().__init__(name)
        self.name = name
        self.values = {key: str(value) for key, value in values.items()}


NAMES = frozenset(
    {
        "unknown_operator",
        "login_bad",
        "login_taken",
        "name_bad",
        "team_bad",
        "language_bad",
        "cap_bad",
        "own_account",  # nobody changes their own role, team or whether they are active
        "administrator_cli",  # made, or given a new key pair, on the command line only
        "last_administrator",
        "password_short",
        "password_long",
        "password_common",
        "password_holds_login",
        "password_wrong",
        "code_wrong",
        "not_administrator",
        "recovery_self",
        "recovery_not_enrolled",
        "recovery_no_copy",
        "recovery_no_share",
        "recovery_not_started",
        "recovery_same_person",
        "recovery_damaged",
    }
)
"""All names of StaffError."""


class LoginRefused(Exception):
    """Not let in. Unknown login, wrong password, wrong code, disabled, too many tries elsewhere: the same words."""


class TryLater(Exception):
    """This browser tried too often, or too many are logging in at this moment. Says nothing about any account."""

    def __init__(self, seconds: int) -> None:
        super().__init__("try later")
        self.seconds = seconds
