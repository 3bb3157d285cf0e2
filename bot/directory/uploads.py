"""Files that wait in the console to be imported: kept encrypted, read, matched, looked at, then applied or forgotten.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import time
import zipfile
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from bot.directory.changes import Author
from bot.directory.exchange import columns, imports, returning
from bot.directory.exchange.columns import Match
from bot.directory.exchange.imports import Edited, Plan
from bot.directory.exchange.problems import Problem, errors
from bot.directory.exchange.reading import SHEET, read
from bot.directory.exchange.sheets import read_sheet
from bot.directory.models import Upload as Row
from bot.directory.owners import kept_by, owners
from bot.directory.records import Bundle
from bot.staff.accounts import Operator, Role
from bot.staff.audit import Audit
from bot.store.database import forget_deleted
from bot.vault.vault import Vault

LARGEST = 2_000_000
"""Bytes: reading more would hold up the answers of this process. The command line takes larger files."""
UNPACKED = 100_000_000
"""Bytes of what is packed in a file: two megabytes can hold a thousand times as much."""
DAYS = 7
MOST_WAITING = 20
SAMPLES = 3
_PURPOSE = "directory upload"


class NoUpload(Exception):
    """There is no such file (any more)."""


class TooMany(Exception):
    """MOST_WAITING files wait already."""


class OtherPerson(Exception):
    """Four eyes: somebody else has to apply it."""


class Changed(Exception):
    """What the file would change is not what was looked at."""


class Faulty(Exception):
    """The file has errors: nothing of it is imported."""


@dataclass(frozen=True)
class Upload:
    """A file that waits. `mapping`: header → field, as was chosen; `theirs`: where both were changed, the file wins."""

    id: str
    by: str
    at: int
    file: str
    dataset: str
    country: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    theirs: bool = False
    editor: str | None = None
    """The editor whose file it is, and who may change the entries of her organisations only; None: a supervisor's."""


@dataclass(frozen=True)
class Looked:
    """What a file holds and would change. `plan` is None where it has errors. `digest`: of what would change.

    `first`: the first service that is new or changed, with what the file says of it.
    """

    upload: Upload
    form: str
    matches: tuple[Match, ...]
    samples: dict[int, list[str]]
    problems: tuple[Problem, ...]
    plan: Plan | None
    digest: str
    first: tuple[Bundle, str] | None = None

    @property
    def faulty(self) -> bool:
        return bool(errors(self.problems))


class Uploads:
    """What supervisors do with files. The audit log names the upload's id, never a word of the file."""

    def __init__(self, engine: Engine, vault: Vault, audit: Audit, four_eyes: bool = True) -> None:
        self.engine = engine
        self.vault = vault
        self.audit = audit
        self.four_eyes = four_eyes

    def keep(self, operator: Operator, file: str, data: bytes, dataset: str, country: str | None) -> str:
        """Keep a file until it is applied; return its id. Raises TooMany."""
        name = dataset_name(dataset or file)
        key = secrets.token_hex(16)
        editor = operator.id if operator.role is Role.EDITOR else None
        upload = Upload(key, operator.id, int(time.time()), file[:200], name, country, editor=editor)
        with self.engine.begin() as connection:
            if len(connection.scalars(select(Row.id)).all()) >= MOST_WAITING:
                raise TooMany
            upload = replace(upload, mapping=imports.remembered(connection, name))
            connection.execute(
                insert(Row).values(
                    id=key, uploaded_by=upload.by, uploaded_at=upload.at, sealed=self._seal(upload, data)
                )
            )
        self.audit.note(operator.id, "directory_file_kept", key)
        return key

    def waiting(self, operator: Operator) -> list[Upload]:
        """Return the files that wait, the oldest first; an editor's own ones."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Row.__table__).order_by(Row.uploaded_at, Row.id))
            uploads = [self._open(row)[0] for row in rows]
        return [each for each in uploads if _may_see(operator, each)]

    def datasets(self) -> list[str]:
        """Return the names of the files that were imported before."""
        with self.engine.connect() as connection:
            return imports.datasets(connection)

    def choose(
        self,
        operator: Operator,
        key: str,
        dataset: str,
        country: str | None,
        mapping: dict[str, str] | None,
        theirs: bool,
    ) -> None:
        """Change how a file is to be read; who has done so does not import it. Raises NoUpload."""
        with self.engine.begin() as connection:
            upload, data = self._get(connection, key, operator)
            upload = replace(upload, dataset=dataset_name(dataset), country=country, theirs=theirs, by=operator.id)
            if mapping is not None:
                upload = replace(upload, mapping=mapping)
            connection.execute(update(Row).where(Row.id == key).values(sealed=self._seal(upload, data)))

    def look(self, operator: Operator, key: str) -> Looked:
        """Read a file and compare it with the directory. Writes nothing. Raises NoUpload."""
        with self.engine.connect() as connection:
            upload, data = self._get(connection, key, operator)
            return self._look(connection, upload, data)[0]

    def _look(self, connection: Connection, upload: Upload, data: bytes) -> tuple[Looked, Bundle, Edited]:
        if _unpacked(data) > UNPACKED:
            large = Problem("file", "too_large", {"most": UNPACKED, "what": "bytes, unpacked"})
            return Looked(upload, SHEET, (), {}, (large,), None, ""), Bundle(), Edited()
        bundle, problems, form = read(data, upload.dataset, upload.country, upload.mapping)
        matches: tuple[Match, ...] = ()
        samples: dict[int, list[str]] = {}
        if form == SHEET:
            sheet = read_sheet(data)
            matches = tuple(columns.match(sheet.headers, upload.mapping))
            samples = {
                column: [row.cells[column] for row in sheet.rows if column in row.cells][:SAMPLES]
                for column in sheet.headers
            }
        made, edited = None, Edited()
        if not errors(problems):
            own = kept_by(connection, upload.editor) if upload.editor else None
            edited, more = returning.settle(connection, bundle, upload.dataset, upload.theirs, own)
            problems = [*problems, *more, *imports.check_links(connection, bundle)]
        if not errors(problems):
            made = imports.plan(connection, upload.dataset, bundle, upload.theirs, vault=self.vault, edited=edited)
            if own is not None and not _owners(connection, made) <= own:
                made, problems = None, [*problems, Problem("file", "not_yours")]
        first = _first(bundle, made) if made else None
        return Looked(upload, form, matches, samples, tuple(problems), made, _digest(made), first), bundle, edited

    def apply(self, operator: Operator, key: str, digest: str) -> Plan:
        """Import a file, all of it or nothing; it is forgotten then.

        `digest`: of what was looked at. Raises NoUpload, OtherPerson, Faulty, Changed.
        """
        with self.engine.begin() as connection:
            imports.hold(connection)
            upload, data = self._get(connection, key, operator)
            if self.four_eyes and upload.by == operator.id:
                raise OtherPerson
            looked, bundle, edited = self._look(connection, upload, data)
            if looked.plan is None:
                raise Faulty
            if looked.digest != digest:
                raise Changed
            author = Author(upload.by, operator.id if operator.id != upload.by else None)
            if not looked.plan.empty:
                imports.apply(connection, self.vault, looked.plan, bundle, author, edited=edited)
            source: dict[str, object] | None = {"mapping": upload.mapping} if upload.mapping else None
            imports.remember(connection, upload.dataset, None, source)
            connection.execute(delete(Row).where(Row.id == key))
        forget_deleted(self.engine)
        self.audit.note(operator.id, "directory_file_applied", key)
        return looked.plan

    def discard(self, operator: Operator, key: str) -> None:
        """Forget a file. Raises NoUpload."""
        with self.engine.begin() as connection:
            self._get(connection, key, operator)
            connection.execute(delete(Row).where(Row.id == key))
        forget_deleted(self.engine)
        self.audit.note(operator.id, "directory_file_discarded", key)

    def _get(self, connection: Connection, key: str, operator: Operator) -> tuple[Upload, bytes]:
        row = connection.execute(select(Row.__table__).where(Row.id == key)).first()
        if row is None:
            raise NoUpload
        upload, data = self._open(row)
        if not _may_see(operator, upload):
            raise NoUpload
        return upload, data

    def _seal(self, upload: Upload, data: bytes) -> bytes:
        about = json.dumps(asdict(upload)).encode()
        return self.vault.protect(_PURPOSE, upload.id, about + b"\n" + data)

    def _open(self, row: Any) -> tuple[Upload, bytes]:
        about, _, data = self.vault.reveal(_PURPOSE, row.id, row.sealed).partition(b"\n")
        return Upload(**json.loads(about)), data


def _may_see(operator: Operator, upload: Upload) -> bool:
    return operator.role is Role.SUPERVISOR or upload.editor == operator.id


def _owners(connection: Connection, made: Plan) -> set[str]:
    """Return the organisations whose rows a plan touches, and those that it would bring in."""
    rows = [*made.added, *made.archived, *((entity, row) for entity, *both in made.changed for row in both)]
    rows += [(each.entity, each.row) for each in made.closed]
    rows += [("translation", {"record_id": key}) for (key, _, _), _, _ in made.translations]
    return owners(connection, [(entity, row) for entity, row in rows if entity not in ("taxonomy", "taxonomy_term")])


def forget_old(engine: Engine, now: float | None = None) -> int:
    """Forget the files that nobody has applied for DAYS; return how many."""
    before = int(time.time() if now is None else now) - DAYS * 86_400
    with engine.begin() as connection:
        count: int = connection.execute(delete(Row).where(Row.uploaded_at < before)).rowcount
    if count:
        forget_deleted(engine)
    return count


def dataset_name(text: str) -> str:
    """Return the name under which a file comes again, made from what somebody wrote or from the file's name."""
    stem = re.sub(r"\.(csv|xlsx|json|zip)$", "", text.strip(), flags=re.IGNORECASE)
    return re.sub(r"[^\w-]+", "-", stem).strip("-").lower()[:100] or "file"


def _unpacked(data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return sum(each.file_size for each in package.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0


def _first(bundle: Bundle, made: Plan) -> tuple[Bundle, str] | None:
    rows = [*made.added, *((entity, after) for entity, _, after in made.changed)]
    keys = (str(row["id"]) if entity == "service" else str(row.get("service_id") or "") for entity, row in rows)
    key = next((each for each in keys if each in bundle["service"]), None)
    return (bundle, key) if key else None


def _digest(made: Plan | None) -> str:
    if made is None:
        return ""
    closed = [(each.entity, each.tier, each.row) for each in made.closed]
    whole = [made.added, made.changed, made.archived, closed, made.translations]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode("utf-8", "surrogatepass")).hexdigest()
