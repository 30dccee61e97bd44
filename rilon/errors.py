"""Every error RILON raises on purpose.

RilonError                     code, message an officer can act on, field, what would fix it
├── RefusedError          403  a rule, a role or an invariant says no
├── ConflictError         409  somebody was faster, or the same key came with other content
├── NotFoundError         404  absent, and equally: exists, but not for you
├── MalformedError        400  bytes or words from outside that no honest party would send
├── InvalidError          422  well-formed words that make no valid item
├── ProofError            422  a signature, digest or proof does not hold; never retried, always recorded
├── UnavailableError      503  may be retried: a database, hub or view is away
└── FatalError                 state unknown: the node stops, and its start repairs
"""

from __future__ import annotations

from collections.abc import Sequence


class RilonError(Exception):
    """Something RILON refuses or cannot do.

    Attributes:
        code: stable, dotted, lower-case; quoted in problems, logs and tests.
        field: the input field at fault, as a dotted path, or "".
        fix: what would make it work, one sentence, or "".
    """

    status = 500

    def __init__(self, code: str, message: str, *, field: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.fix = code, message, field, fix

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]" + (f" {self.fix}" if self.fix else "")


class RefusedError(RilonError):
    """A rule, a role or an invariant says no."""

    status = 403


class ConflictError(RilonError):
    """Somebody else was faster, or the same idempotency key came with other content."""

    status = 409


class NotFoundError(RilonError):
    """There is no such thing, or none that you may know of: the two are told alike."""

    status = 404

    def __init__(self, code: str = "not-found", message: str = "There is no such thing here.") -> None:
        super().__init__(code, message)


class MalformedError(RilonError):
    """Bytes or words from outside that cannot be read."""

    status = 400


class InvalidError(RilonError):
    """Well-formed words that make no valid item: a missing field, a mark that contradicts the audience.

    Attributes:
        problems: every problem found, each with its own code, field and fix; the error itself when there is but one.
    """

    status = 422

    def __init__(
        self, code: str, message: str, *, field: str = "", fix: str = "", problems: Sequence[RilonError] = ()
    ) -> None:
        super().__init__(code, message, field=field, fix=fix)
        self.problems: tuple[RilonError, ...] = tuple(problems) or (self,)


def raise_all(problems: Sequence[RilonError]) -> None:
    """Raise everything that was found wrong at once, so that an officer mends a form in one go.

    Raises:
        RilonError: the problem itself when there is one; ``InvalidError`` ``invalid.several`` when there are more.
    """
    flat = [each for p in problems for each in (p.problems if isinstance(p, InvalidError) else (p,))]
    if len(flat) == 1:
        raise flat[0]
    if flat:
        message = " ".join(p.message for p in flat[:3])
        raise InvalidError("invalid.several", f"{len(flat)} things are wrong: {message}", problems=flat)


class ProofError(RilonError):
    """A signature, digest, commitment or proof does not hold."""

    status = 422


class UnavailableError(RilonError):
    """A part the answer needs is away; the same call may work later."""

    status = 503


class FatalError(RilonError):
    """The node's own state is unknown or contradicts itself; it stops, and a restart repairs or says why not."""
