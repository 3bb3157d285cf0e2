"""Sends mails through the one server that is configured. Blocks: call it in a thread.

Neither the password nor an address is ever in a log, an error or a repr.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")
_ADDRESS = re.compile(rf"({_LOCAL})@([^\s@,;<>()\[\]\"\\:]+\.[^\s@,;<>()\[\]\"\\:]+)")


class MailError(Exception):
    """A mail was not taken. `lasting`: the address itself was refused, and trying again is of no use."""

    def __init__(self, why: str, lasting: bool = False) -> None:
        super().__init__(why)
        self.lasting = lasting


def address(text: str) -> Address | None:
    """Read exactly one plain mail address; None for anything else, so that no header can be made of it."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or len(text) > 254:
        return None
    try:
        domain = found[2].encode("idna").decode("ascii")
        return Address(username=found[1], domain=domain) if _DOMAIN.fullmatch(domain) else None
    except (UnicodeError, MessageError, ValueError):
        return None


@dataclass(frozen=True)
class Mailer:
    """A mail server: smtp://, smtp+starttls:// or smtps://, with `user:password@` where it asks for one."""

    url: str = field(repr=False)
    sender: str

    @contextmanager
    def connected(self) -> Iterator[Post]:
        """Open the connection for some mails. Raises MailError."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 465)
        secure = ssl.create_default_context()
        server: smtplib.SMTP
        try:
            if parts.scheme.startswith("smtps"):
                server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=secure)
            else:
                server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(_why(error)) from None
        try:
            if parts.scheme == "smtp+starttls":
                server.starttls(context=secure)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            yield Post(server, self.sender)
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(_why(error)) from None
        finally:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()


@dataclass(frozen=True)
class Post:
    """An open connection."""

    server: smtplib.SMTP = field(repr=False)
    sender: str

    def send(self, to: Address, subject: str, text: str, language: str) -> None:
        """Send one plain mail to one address. Raises MailError."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = to
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])  # never this machine's own name
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = language
        message.set_content(text)
        try:
            self.server.send_message(message, self.sender, [to.addr_spec])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            codes = [code for code, _ in error.recipients.values()] if isinstance(
                error, smtplib.SMTPRecipientsRefused
            ) else []  # fmt: skip
            raise MailError(_why(error), lasting=bool(codes) and min(codes) >= 500) from None
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise MailError(_why(error)) from None


def _why(error: Exception) -> str:
    """Return what went wrong without the words of the server, which may repeat an address."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ + (f" {code}" if isinstance(code, int) else "")
