"""The lanes of tokens: at a kiosk they are made and handed on, at a gate they come and are found.

Both speak with gate-link over a line of their own. What gate-link brings is as good as its signature, whoever
brought it; what does not hold is dropped, with a code in the log, and its traveller goes to the counter.

The gate keeps what came sealed on its disk, and in memory only what finds it: a salt and a digest. A token is
used when the entry is about to be released for it, not before: a document that is lifted and laid down again
costs nobody their token.
"""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from gated import logs
from gated.core import effects as do
from gated.core import events as ev
from gated.core.personal import Personal
from gated.lanes.condition import Post
from gated.lanes.dossier import Dossiers, Template
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.store.tokens import TokenStore, Waiting
from gated.tokens import mark
from gated.tokens.token import (
    SALT_BYTES,
    Binding,
    Model,
    Token,
    TokenError,
    checked,
    digest,
    make,
    open_template,
    receive,
    when,
)

LISTEN_S = 0.02  # a request waits for at most as long
AGAIN_S = 0.5  # a token that the server does not have yet is passed again
CLEAN_S = 60.0
KEEP_EXPIRED_S = 3600  # whoever comes late is told so
COMPLAIN_S = 10.0  # between two complaints of one kind

_log = logs.get("lane.tokens")

# What a technician does about a token that does not count, or is not handed on.
FIXES: Mapping[str, str] = {
    "token_malformed": "compare the versions of kiosk and gate",
    "token_too_long": "compare the versions of kiosk and gate",
    "token_of_another_gate": "the kiosk's [tokens.gate] names this lane by another name than `gate` here",
    "token_of_unknown_kiosk": "add the kiosk to [[tokens.kiosks]], if it is ours",
    "token_signature_wrong": "compare the kiosk's key with [[tokens.kiosks]]; if alike, tell the operator",
    "token_names_differ": "a kiosk passes off another one's token: tell the operator",
    "token_not_for_this_key": "compare the kiosk's [tokens.gate] public_key with this gate's key file",
    "token_lasts_too_long": "`minutes` of the kiosk is longer than that of this gate: make them alike",
    "token_came_late": "compare the clocks of kiosk and gate, and look at the link",
    "token_used": "somebody sends a token again: tell the operator if it recurs",
    "token_of_another_embedder": "kiosk and gate need one [vision] embedder of one version",
    "tokens_full": "travellers of the kiosks do not come to this gate: see where they are sent",
    "no_link": "check the cable, the server and server_key",
    "refused": "gate-central keys, then install the key",
    "no_such_gate": "the centre knows no gate of the name in [tokens.gate]: correct it, or gate-central keys",
    "full": "the gate does not collect its tokens: see its gate-link",
}


# What comes to light only when a traveller is there, and is for a technician; the rest is for the counter.
MISFITS = frozenset({"token_of_another_embedder", "token_not_for_this_key"})


class Templates(Protocol):
    """Who has faces, and gives their templates out sealed."""

    def give_template(self, passage: str, token: str) -> None:
        """Ask for the template of the photograph; the answer is heard later."""


class _Line:
    """The line to gate-link, and a log that nobody can flood. For the lane's thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._peer: Peer[say.TokensFromLink] | None = None
        self._told: dict[str, float] = {}

    def receive(self) -> say.TokensFromLink | None:
        return self._open().receive(LISTEN_S)

    def send(self, message: say.TokensToLink) -> None:
        self._open().send(message)

    def complain(self, stage: str, code: str) -> None:
        now = time.monotonic()
        if now - self._told.get(code, float("-inf")) >= COMPLAIN_S:
            self._told[code] = now
            fix = FIXES.get(code, "see the log of gate-vision")
            _log.warning("token trouble", stage=stage, code=code, fix=fix)

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()

    def _open(self) -> Peer[say.TokensFromLink]:
        if self._peer is None:
            self._peer = Peer(self._address, say.TokensFromLink, bind=True)
        return self._peer


class KioskTokens(NamedTuple):
    """What a kiosk makes tokens with: its name, its key, the gate, and how long they hold."""

    kiosk: str
    key: Ed25519PrivateKey
    gate: str
    gate_key: X25519PublicKey
    lasts_s: int


class _Draft:
    """A token in the making."""

    def __init__(self, effect: do.IssueToken, zone: str) -> None:
        self.passage = effect.passage
        self.token = secrets.token_hex(8)
        self.checks = effect.checks
        self.officer = effect.officer
        self.salt = secrets.token_bytes(SALT_BYTES)
        self.document = digest(self.salt, zone)
        self.body = b""
        self.number = 0
        self.again_at = 0.0


class IssuingLane:
    """At a kiosk: makes a token, and says so when the central server has it."""

    def __init__(
        self, address: str, settings: KioskTokens, templates: Templates, dossiers: Dossiers, post: Post
    ) -> None:
        self.lane = Lane("tokens", turn=self._turn, leave=self._leave, period_s=0.0)
        self._line = _Line(address)
        self._settings = settings
        self._templates = templates
        self._dossiers = dossiers
        self._post = post
        self._draft: _Draft | None = None
        self._number = 0

    def issue(self, effect: do.IssueToken) -> None:
        """Make a token for this traveller and pass it on."""
        self.lane.ask(lambda: self._begin(effect))

    def hear(self, message: say.TemplateGiven | say.TemplateNotGiven) -> None:
        """What the vision process answered. From any thread."""
        self.lane.ask(lambda: self._hear(message))

    def forget(self, passage: str) -> None:
        """The passage ended: what was not passed on yet is not passed on any more."""
        self.lane.ask(lambda: self._forget(passage))

    def _begin(self, effect: do.IssueToken) -> None:
        known = self._dossiers.mrz(effect.passage)
        if known is None:
            return
        self._draft = _Draft(effect, known[0].text)
        self._templates.give_template(effect.passage, self._draft.token)

    def _hear(self, message: say.TemplateGiven | say.TemplateNotGiven) -> None:
        draft = self._draft
        if draft is None or draft.body or (draft.passage, draft.token) != (message.passage, message.token):
            return
        try:
            draft.body = self._make(draft, message)
        except TokenError as error:
            self._line.complain("making", error.code)
            self._draft = None
            return
        self._number += 1
        draft.number = self._number

    def _make(self, draft: _Draft, given: say.TemplateGiven | say.TemplateNotGiven) -> bytes:
        """Return the sealed and signed token. Raises TokenError."""
        if isinstance(given, say.TemplateNotGiven):
            raise TokenError(given.reason)
        settings, now = self._settings, int(now_utc().timestamp())
        model = Model(name=given.embedder, version=given.version)
        token = Token(
            bound=Binding(token=draft.token, kiosk=settings.kiosk, gate=settings.gate, model=model),
            issued=now,
            expires=now + settings.lasts_s,
            salt=draft.salt,
            document=draft.document,
            checks=checked(draft.checks),
            template=given.sealed,
            officer=draft.officer,
        )
        return make(token, settings.gate_key, settings.key)

    def _forget(self, passage: str) -> None:
        if self._draft is not None and self._draft.passage == passage:
            self._draft = None

    def _turn(self) -> None:
        message = self._line.receive()
        draft, now = self._draft, time.monotonic()
        if draft is None or not draft.body:
            return
        if isinstance(message, say.TokenPassed) and message.number == draft.number:
            if not message.reason:
                self._draft = None
                _log.info("token issued", passage=draft.passage, token=draft.token)
                self._post(ev.TokenIssued(at=now, passage=draft.passage, token=draft.token))
                return
            self._line.complain("passing_on", message.reason)
        if now >= draft.again_at:
            draft.again_at = now + AGAIN_S
            self._line.send(say.PassToken(number=draft.number, gate=self._settings.gate, body=draft.body))

    def _leave(self) -> None:
        self._line.close()


class GateTokens(NamedTuple):
    """What a gate takes tokens by: its name and key, the kiosks, the longest that one holds, its embedder."""

    gate: str
    key: X25519PrivateKey
    kiosks: Mapping[str, Ed25519PublicKey]
    longest_s: int
    model: Model


class _Found(NamedTuple):
    """The unused tokens of the document of a passage, the one that counts first: all are used up at once."""

    passage: str
    tokens: tuple[tuple[str, int], ...]


class FindingLane:
    """At a gate: takes tokens as they come, and finds the one of the document that lies there."""

    def __init__(
        self, address: str, settings: GateTokens, store: TokenStore, dossiers: Dossiers, post: Post
    ) -> None:
        """Know again the tokens that came before the last stop. Raises StoreError."""
        self.lane = Lane("tokens", turn=self._turn, leave=self._leave, period_s=0.0)
        self._line = _Line(address)
        self._settings = settings
        self._store = store
        self._dossiers = dossiers
        self._post = post
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()
        self._found: _Found | None = None
        self._clean_at = 0.0
        for waiting in store.waiting():
            try:
                token = self._read(waiting.sealed)
            except TokenError as error:  # the keys or the kiosks of this gate were changed meanwhile
                self._line.complain("starting", error.code)
            else:
                self._tokens[token.id] = token

    def find(self, passage: str) -> None:
        """Look for the token of the document of this passage."""
        self.lane.ask(lambda: self._find(passage))

    def use(self, passage: str) -> bool:
        """Mark the token of this passage as used, on disk; False: another passage has used it.

        Before the entry is released, in the loop's own thread. True, too, where no token was found for the
        passage: then this is no matter of tokens. Raises StoreError.
        """
        with self._lock:
            found = self._found
        if found is None or found.passage != passage:
            return True
        if not self._store.use(found.tokens, passage):
            _log.error("token not used", passage=passage, code="token_used", fix=FIXES["token_used"])
            return False
        with self._lock:
            if self._found is found:
                self._found = None
        return True

    def _read(self, raw: bytes) -> Token:
        settings = self._settings
        return receive(raw, settings.gate, settings.key, settings.kiosks, settings.longest_s)

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._clean_at:
            self._clean_at = now + CLEAN_S
            over = int(now_utc().timestamp()) - KEEP_EXPIRED_S
            self._store.forget_before(over)
            self._tokens = {name: token for name, token in self._tokens.items() if token.expires > over}
        message = self._line.receive()
        if not isinstance(message, say.TokenCame):
            return
        try:
            self._take(message.body)
        except TokenError as error:
            self._line.complain("taking", error.code)
        self._line.send(say.TokenTaken(mark=mark(message.body)))

    def _take(self, raw: bytes) -> None:
        """Keep what came, if it holds. Raises TokenError."""
        token = self._read(raw)
        if token.id in self._tokens:
            return  # once more what is known; another one by this id does not take its place
        if self._store.user(token.id) is not None:
            raise TokenError("token_used")
        if when(token, now_utc().timestamp()) == "token_expired":
            raise TokenError("token_came_late")
        if not self._store.keep(Waiting(token.id, token.expires, raw)):
            raise TokenError("tokens_full")
        self._tokens[token.id] = token
        _log.info("token came", token=token.id, peer=token.bound.kiosk)

    def _find(self, passage: str) -> None:
        known = self._dossiers.mrz(passage)
        if known is None:
            return
        try:
            token, template = self._look(passage, known[0].text)
        except TokenError as error:
            if error.code in MISFITS:
                self._line.complain("finding", error.code)
            self._post(ev.TokenRefused(at=time.monotonic(), passage=passage, reason=error.code))
            return
        model = token.bound.model
        self._dossiers.put_template(passage, Template(model.name, model.version, template))
        self._post(
            ev.TokenFound(at=time.monotonic(), passage=passage, token=token.id, checks=token.outcome())
        )

    def _look(self, passage: str, zone: str) -> tuple[Token, Personal[bytes]]:
        """Return the newest token of the document that counts, and its template. Raises TokenError."""
        of_document = [each for each in self._tokens.values() if each.is_of(zone)]
        if not of_document:
            raise TokenError("token_missing")
        unused = [each for each in of_document if self._store.user(each.id) is None]
        if not unused:
            raise TokenError("token_used")
        unused.sort(key=_newest_first)
        token = unused[0]
        if (reason := when(token, now_utc().timestamp())) is not None:
            raise TokenError(reason)
        if token.bound.model != self._settings.model:
            raise TokenError("token_of_another_embedder")
        template = open_template(token, self._settings.key)
        with self._lock:
            self._found = _Found(passage, tuple((each.id, each.expires) for each in unused))
        return token, template

    def _leave(self) -> None:
        self._line.close()
        self._store.close()


def _newest_first(token: Token) -> int:
    return -token.issued
