"""The core of a link: a state machine without input or output, which the courier and the simulator both run.

Bytes, keys, time and storage stay outside. The courier opens frames, looks up our own head where a peer claims one, and
gives the core what they say; the core answers with effects (commit this, record that) and, when polled, with what to
send. All that must survive a crash is in :class:`~rilon.app.link_facts.Facts`, which follow from the log; the rest
is made anew at every start, with a fresh nonce.

The rules (protocol.md, Links):

1. Nothing is sealed to a peer before it has echoed our fresh nonce *and* named our log: its echo brings what it holds
   of us, so a node whose log was rolled back learns it before it can use a number twice.
2. Only a receipt moves ``acked``; only a commit moves ``next``; a receipt goes out after the commit.
3. Whoever claims to hold more than we sent, or other words than we sent, freezes the link, and so does whoever was told
   more than our log knows. Two focal points end that; the courier then starts a new core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Self

from rilon.app.link_facts import WINDOW, Facts
from rilon.crypto import chain, strict
from rilon.domain.values import Line
from rilon.network import wire
from rilon.network.link_blobs import Fetching, Serving
from rilon.network.link_in import Inbound
from rilon.network.link_out import Outbound, backoff_s
from rilon.network.link_state import (
    NOTHING_REFUSED,
    Acked,
    Bundle,
    Drop,
    Effect,
    Ends,
    Evidence,
    Freeze,
    Send,
    SendBlob,
    SendEntries,
    SendHello,
    SendReceipt,
    SendWant,
    Store,
    Take,
)

ANSWER_EVERY_S: Final = 0.5
"""How often a peer's hellos are answered at most: replayed ones cost us little."""
AWAY_S: Final = 1.0
"""How long to leave a bus alone that is away. It is our own, so it costs nobody else anything to try often."""
DOUBT_TRIES: Final = 4
"""After so many fruitless tries the peer may have missed our keys, or we its: say hello again."""


@dataclass(slots=True)
class Link:
    """Both directions between us and one peer, since our last start.

    Attributes:
        ends: who is joined; a peer's new log or standing makes a new ``Link``.
        nonce: 16 fresh random bytes of this start.
        out, inn: the two halves. fetching, serving: large ciphertexts, beside them and after them.
        verified: whether our focal point has confirmed this log of the peer's.
        frozen: why we have frozen the link, or "".
        peer_frozen: why the peer has, or "".
        greeted: whether the peer has echoed our nonce.
        peer_asks: whether it has not heard its own back, by its last hello.
    """

    ends: Ends
    nonce: bytes
    out: Outbound
    inn: Inbound
    verified: bool
    frozen: str
    peer_frozen: str = ""
    greeted: bool = False
    peer_asks: bool = False
    fetching: Fetching = field(default_factory=Fetching)
    serving: Serving = field(default_factory=Serving)
    _peer_nonce: bytes | None = None
    _heard: bytes | None = None
    _ask_at: float = inf
    _asked: int = 0
    _answer_due: bool = False
    _silent_until: float = -inf
    _paused_until: float = -inf

    @classmethod
    def start(cls, ends: Ends, facts: Facts, nonce: bytes, now: float, *, verified: bool = True) -> Self:
        """Begin, after every start of the node and whenever the peer's log or standing changed."""
        out = Outbound(facts.known, facts.acked)
        inn = Inbound(ends, facts.next, facts.head, dict(facts.refused))
        asks = verified and not facts.frozen
        return cls(ends, nonce, out, inn, verified, facts.frozen, _ask_at=now if asks else inf)

    @property
    def open(self) -> bool:
        """Whether anything may be sealed to the peer now."""
        return self.verified and self.greeted and not self.frozen and not self.peer_frozen

    def facts(self, noted: Facts) -> Facts:
        """How the link stands now: newer than what was ``noted`` from the log, which may be read a little later."""
        return replace(
            noted,
            known=self.out.known,
            acked=self.out.acked,
            next=self.inn.next,
            head=self.inn.head,
            refused=self.inn.refused,
        )

    # -- what happened

    def addressed(self, known: int) -> bool:
        """Our log now addresses ``known`` lines to the peer; whether that is news."""
        news = known > self.out.known
        self.out.known = max(self.out.known, known)
        return news

    def entries(self, bundle: Bundle) -> list[Effect]:
        """A frame with entries was opened."""
        return self._refusal(bundle.entries) or self._effects(self.inn.take(bundle))

    def stored(self, store: Store, refused: Mapping[int, str] = NOTHING_REFUSED) -> list[Effect]:
        """These arrivals are committed; ``refused`` names those whose content did not hold."""
        return self._effects(self.inn.stored(store, refused))

    def receipt(self, receipt: wire.Receipt, proof: bytes, our_head: bytes | None, now: float) -> list[Effect]:
        """A receipt was opened.

        Args:
            receipt: its body.
            proof: that the peer signed it.
            our_head: our own head at ``receipt.upto``; None where our log does not reach that far.
            now: seconds, monotonic.
        """
        if refusal := self._refusal(receipt):
            return refusal
        if freeze := self._contradiction(receipt, proof, our_head, max(receipt.upto, receipt.want)):
            return self._effects(freeze)
        told, news = self.out.acked, self.out.receipted(receipt.upto, now)
        if receipt.want:
            self.out.missing(receipt.want)
        refused = tuple(pair for pair in receipt.refused if pair[0] > told)
        return [Acked(receipt, refused, proof)] if news else []

    def hello(self, hello: wire.Hello, proof: bytes, our_head: bytes | None, now: float) -> list[Effect]:
        """A hello's signature was verified, and its log is the one in the peer's newest identity.

        Args:
            hello: its body.
            proof: that the peer signed it.
            our_head: our own head at ``hello.upto``; None where our log does not reach that far.
            now: seconds, monotonic.
        """
        if hello.log != self.ends.peer_log:
            return [Drop("link.other-log", suspicious=True)]
        self._peer_nonce = hello.nonce
        self.peer_asks = hello.answer
        self._answer_due |= hello.answer
        if hello.to_log != self.ends.log or not self.verified:
            return []
        if hello.acked >= self.inn.next:
            return self._effects(self._evidence("link.rolled-back", hello, proof, None))
        if freeze := self._contradiction(hello, proof, our_head, hello.upto):
            return self._effects(freeze)
        if hello.echo == self.nonce:
            self._hear(hello, now)
        elif hello.nonce != self._heard and not self.frozen:
            # It seems to have started again, and so would a replayed hello.
            self._ask(now)
        return []

    def alive(self, now: float) -> None:
        """A frame was opened: its sender can be reached, so what waits for it is tried again soon."""
        self.out.encouraged(now)

    def estranged(self, now: float) -> None:
        """A frame of the peer's cannot be opened. Keys may have turned while one of us was away: bring ours, and ask.

        A replayed frame costs as little as a replayed hello.
        """
        if self.verified and not self.frozen:
            self._ask(now)

    def rekeyed(self) -> None:
        """The peer has another KEM key: what was sealed to the last one may never be opened, so it goes again."""
        self.out.resume()

    def want(self, want: wire.Want) -> list[Effect]:
        """A want was opened."""
        if not (refusal := self._refusal(want)):
            self.serving.take(want)
        return refusal

    def blob(self, blob: wire.Blob) -> list[Effect]:
        """A piece was opened. One that was never asked for (since our start) is not even looked up."""
        if refusal := self._refusal(blob):
            return refusal
        return [Take(blob)] if blob.digest in self.fetching.asked else [Drop("blob.unasked")]

    def gone(self, gone: wire.Gone, now: float) -> list[Effect]:
        """The peer has no such thing for us."""
        if refusal := self._refusal(gone):
            return refusal
        return [] if self.fetching.refused(gone.digest, now) else [Drop("blob.unasked")]

    def taken(self, now: float) -> None:
        """A piece is stored: ask for the next."""
        self.fetching.wake(now)

    # -- what to do

    def poll(self, now: float) -> list[Send]:
        """What to send now; call it after every input, and about every second."""
        if now < self._paused_until:
            return []
        sends: list[Send] = []
        entries = self.out.due(now) if self.open else None
        if entries and self.out.tries >= DOUBT_TRIES:
            self._ask_at = min(self._ask_at, now)
        if self._says_hello(now):
            sends.append(SendHello())
        if self.open and self.inn.receipt_due:
            self.inn.receipt_due = False
            sends.append(SendReceipt())
        if entries:
            return [*sends, entries]
        return sends if not self.open else [*sends, *self._blobs(now)]  # lines first, however many pieces wait

    def posted(self, send: SendEntries, last: int, now: float) -> None:
        """The entries from ``send.first`` to ``last`` were handed to the bus in one frame."""
        self.out.posted(send, last, now)

    def failed(self, send: Send, now: float, *, away: bool) -> None:
        """The bus did not take this: it is ``away``, or it has no room for the peer just now."""
        if not away:
            if isinstance(send, SendEntries):
                self.out.failed(now)
            return
        self._paused_until = now + AWAY_S
        self.out.lost()
        self.inn.receipt_due |= isinstance(send, SendReceipt)
        self._answer_due |= isinstance(send, SendHello)

    def say_hello(self, statements: Sequence[bytes]) -> wire.Hello:
        """The hello to send now, with our directory statements."""
        return wire.Hello(
            log=self.ends.log,
            to_log=self.ends.peer_log if self.verified else None,
            chain=tuple(statements),
            nonce=self.nonce,
            echo=self._peer_nonce,
            answer=self._ask_at < inf,
            frozen=self.frozen or None,
            upto=self.inn.next - 1,
            head=self.inn.head,
            acked=self.out.acked,
        )

    def say_receipt(self, size: int) -> wire.Receipt:
        """The receipt to send now; ``size`` is how many events our log holds."""
        refused = tuple(sorted(self.inn.refused.items()))[:WINDOW]
        upto, head, want = self.inn.next - 1, self.inn.head, self.inn.want()
        return wire.Receipt(self.ends.log, self.ends.peer_log, size, upto, head, want, refused)

    def say_entries(self, first: int, prev: bytes, lines: Sequence[Line]) -> wire.Entries:
        """The body with these lines; ``prev`` is our head before the first."""
        return wire.Entries(self.ends.log, self.ends.peer_log, self.out.acked, first, prev, tuple(lines))

    def say_want(self, item: bytes, manifest: bytes, place: int, digest: bytes, offset: int) -> wire.Want:
        """Ask for a piece."""
        return wire.Want(self.ends.log, self.ends.peer_log, item, manifest, place, digest, offset)

    def say_blob(self, want: wire.Want, total: int, piece: bytes) -> wire.Blob:
        """Answer a want with a piece."""
        return wire.Blob(self.ends.log, self.ends.peer_log, want.digest, want.offset, total, piece)

    def say_gone(self, want: wire.Want) -> wire.Gone:
        """Answer a want with no."""
        return wire.Gone(self.ends.log, self.ends.peer_log, want.digest)

    # -- inside

    def _blobs(self, now: float) -> list[Send]:
        sends: list[Send] = [SendWant()] if now >= self.fetching.due_at else []
        want = self.serving.next()
        return [*sends, SendBlob(want)] if want else sends

    def _refusal(self, body: wire.Body) -> list[Effect]:
        if (body.log, body.to_log) != (self.ends.peer_log, self.ends.log):
            return [Drop("link.other-log", suspicious=True)]
        if not self.verified:
            return [Drop("link.unverified", suspicious=True)]
        return [Drop("link.frozen")] if self.frozen else []

    def _contradiction(
        self, body: wire.Receipt | wire.Hello, proof: bytes, our_head: bytes | None, claimed: int
    ) -> Freeze | None:
        """What a peer claims to hold must be what we sent it."""
        if claimed > self.out.known or our_head is None:
            return self._evidence("link.beyond-sent", body, proof, our_head)
        if body.head != our_head:
            return self._evidence("link.fork", body, proof, our_head)
        return None

    def _evidence(self, code: str, body: wire.Receipt | wire.Hello, proof: bytes, our_head: bytes | None) -> Freeze:
        return Freeze(code, strict.encode(Evidence(proof, wire.encode(body), body.upto, our_head or chain.START)))

    def _effects(self, effect: Effect | None) -> list[Effect]:
        if isinstance(effect, Freeze):
            if self.frozen:
                return []
            self.frozen, self._ask_at, self._answer_due = effect.code, inf, True
        return [effect] if effect else []

    def _hear(self, hello: wire.Hello, now: float) -> None:
        """The peer is there, it knows this log of ours, and it has heard from this start of ours."""
        self.peer_frozen = hello.frozen or ""
        if hello.nonce != self._heard:
            self.out.resume()
            self.inn.receipt_due |= self.inn.next > 1  # our last receipt may have died with either of us
        self.greeted, self._heard, self._ask_at, self._asked = True, hello.nonce, inf, 0
        self.out.encouraged(now)

    def _ask(self, now: float) -> None:
        """Ask the peer for a hello, but not more often than we answer."""
        self._ask_at = min(self._ask_at, max(now, self._silent_until))

    def _says_hello(self, now: float) -> bool:
        asks = now >= self._ask_at
        if not asks and not (self._answer_due and now >= self._silent_until):
            return False
        if asks:
            self._asked += 1
            self._ask_at = now + backoff_s(self._asked)
        self._answer_due, self._silent_until = False, now + ANSWER_EVERY_S
        return True
