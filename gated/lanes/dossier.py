"""The personal data of the passages under way, in memory only, each wiped when its passage ends.

This is the one place of `gated` where a name, a number or a photograph is held. Events, effects, messages
to people and the journal carry none of it; lanes ask here by the id of the passage.
"""

import threading
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from gated.core.personal import Personal
from gated.document.mrz import Mrz

MAX_OPEN = 4  # of one reader: the passage under way, one that waits, and their neighbours in a race


class Template(NamedTuple):
    """What a kiosk's token holds in place of a photograph, and the embedder that made it."""

    embedder: str
    version: str
    numbers: Personal[bytes]


class Dossier:
    """What is known of one traveller while the passage lasts."""

    __slots__ = ("began", "mrz", "page", "personal_number", "photograph", "reader", "template")

    def __init__(self, began: datetime, reader: str) -> None:
        self.began = began
        self.reader = reader
        self.page: Personal[bytes] | None = None  # as it was sent, until the passage asks for it
        self.mrz: Mrz | None = None
        self.photograph: Personal[bytes] | None = None
        self.template: Template | None = None
        self.personal_number: Personal[str] | None = None  # of DG11, authenticated


class Dossiers:
    """All open dossiers, by passage. Shared by the lanes; a closed one cannot be filled again.

    `zone` is the gate's: whether a document is valid, and how old its holder is, goes by the day here.
    `reader` is where the document lies: the name of that document sensor's wire.
    """

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._lock = threading.Lock()
        self._open: dict[str, Dossier] = {}

    def begin(self, passage: str, began: datetime, reader: str = "document") -> None:
        """Open a dossier; `began` is the date and time of all its checks. Of too many the oldest goes."""
        with self._lock:
            self._open.setdefault(passage, Dossier(began.astimezone(self._zone), reader))
            here = [name for name, dossier in self._open.items() if dossier.reader == reader]
            for name in here[:-MAX_OPEN]:
                self._open.pop(name)

    def is_open(self, passage: str) -> bool:
        """Whether the passage is under way, or waits."""
        with self._lock:
            return passage in self._open

    def put_page(self, page: Personal[bytes], reader: str = "document") -> bool:
        """Keep a page that nobody asked for yet for the document laid there last, if that was not read."""
        with self._lock:
            here = (dossier for dossier in reversed(self._open.values()) if dossier.reader == reader)
            newest = next(here, None)
            if newest is None or newest.mrz is not None:
                return False
            newest.page = page
            return True

    def take_page(self, passage: str) -> Personal[bytes] | None:
        """Return the page that waits for this passage and keep it no longer; also when it was taken away."""
        with self._lock:
            dossier = self._open.get(passage)
            if dossier is None:
                return None
            page, dossier.page = dossier.page, None
            return page

    def put_mrz(self, passage: str, mrz: Mrz) -> None:
        """Keep the zone that was read, if the passage is still open."""
        with self._lock:
            if passage in self._open:
                self._open[passage].mrz = mrz

    def put_photograph(self, passage: str, image: Personal[bytes]) -> None:
        """Keep the photograph of the chip, if the passage is still open."""
        with self._lock:
            if passage in self._open:
                self._open[passage].photograph = image

    def mrz(self, passage: str) -> tuple[Mrz, datetime] | None:
        """Return the zone that was read and when the passage began, if it is open and has one."""
        with self._lock:
            dossier = self._open.get(passage)
            return (dossier.mrz, dossier.began) if dossier and dossier.mrz else None

    def take_photograph(self, passage: str) -> Personal[bytes] | None:
        """Return the photograph and keep it no longer: it is needed once."""
        with self._lock:
            dossier = self._open.get(passage)
            if dossier is None:
                return None
            image, dossier.photograph = dossier.photograph, None
            return image

    def put_template(self, passage: str, template: Template) -> None:
        """Keep the face template of a token, if the passage is still open."""
        with self._lock:
            if passage in self._open:
                self._open[passage].template = template

    def take_template(self, passage: str) -> Template | None:
        """Return the face template and keep it no longer: it is needed once."""
        with self._lock:
            dossier = self._open.get(passage)
            if dossier is None:
                return None
            template, dossier.template = dossier.template, None
            return template

    def put_personal_number(self, passage: str, number: Personal[str]) -> None:
        """Keep the number for life that an authenticated chip told, if the passage is still open."""
        with self._lock:
            if passage in self._open:
                self._open[passage].personal_number = number

    def personal_number(self, passage: str) -> Personal[str] | None:
        """Return the number for life of the chip, where it was asked for and told."""
        with self._lock:
            dossier = self._open.get(passage)
            return dossier.personal_number if dossier else None

    def end(self, passage: str) -> None:
        """Drop everything about the passage."""
        with self._lock:
            self._open.pop(passage, None)
