"""What passes between channels and the router: a turn in, a reply out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from bot.text.catalogue import Button


class Kind(str, Enum):
    """What a person sent."""

    TEXT = "text"
    BUTTON = "button"
    COMMAND = "command"
    PICTURE = "picture"
    VOICE = "voice"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    FORWARDED = "forwarded"
    EDITED = "edited"


@dataclass(frozen=True, repr=False)
class Turn:
    """One thing that a person sent. `repr` shows nothing of it.

    `address` is the channel's own (a chat id, a web conversation's secret). `content` is the text, the button's token
    or the command's name. `unique` tells repeated deliveries apart; `message_id` is the channel's, for deleting.
    """

    channel: str
    address: str
    kind: Kind
    content: str = ""
    device_language: str | None = None
    unique: int | None = None
    message_id: int | None = None
    opened: bool = False
    """The channel has shown the opening already."""

    def __repr__(self) -> str:
        return f"Turn({self.kind.value})"


@dataclass(frozen=True)
class Choice:
    """A button as a channel shows it: a title and a short opaque token."""

    title: str
    token: str


@dataclass(frozen=True)
class CardText:
    """One language's words on a card: the text, its BCP 47 code, and "ltr" or "rtl"."""

    text: str
    language: str
    direction: str


@dataclass(frozen=True)
class Card:
    """Words to show, full screen, the host country's language first; `open` and `close` are its buttons."""

    texts: tuple[CardText, ...]
    open: str
    close: str


@dataclass(frozen=True)
class Message:
    """One message of a reply. `buttons` have payloads; the router gives channels `choices` with tokens instead."""

    text: str
    buttons: tuple[Button, ...] = ()
    choices: tuple[Choice, ...] = ()
    language: str | None = None
    """Where it differs from the reply's."""
    card: Card | None = None
    """The same words, for a channel that can show them large."""
    sender: str | None = None
    """Who says it, where that is a person and not the machine: "Ana (a person)"."""


@dataclass
class Reply:
    """What is shown to the person.

    `delete`: the channel's ids of messages to take away on both sides, after showing `messages`. `ended`: the
    conversation was forgotten. `cover`: nothing in it tells what this chat is. `cleared`: what stood in the chat
    before is to be taken out of sight; `hide`: what she just sent is. `hide_after`: after so many idle seconds the
    channel hides the chat by itself, where it can; 0: it does not; None: as it was. `covered`: the chat is hidden
    behind the converter. `with_staff`: staff have her case, so that lines may come without her writing. `silent`: what
    she wrote has reached them, and nothing is answered. `sent_ids`: filled by the channel with the ids of what it sent.
    """

    messages: list[Message] = field(default_factory=list)
    language: str = "en"
    direction: str = "ltr"
    delete: list[int] = field(default_factory=list)
    ended: bool = False
    cover: bool = False
    cleared: bool = False
    hide: bool = False
    hide_after: int | None = None
    covered: bool = False
    with_staff: bool = False
    silent: bool = False
    sent_ids: list[int] = field(default_factory=list)
