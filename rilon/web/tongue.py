"""Choosing a language: it lies in a cookie of this browser and nowhere else."""

from __future__ import annotations

import re
from typing import Final

from litestar import post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from rilon.errors import InvalidError
from rilon.web.bodies import one, read_form
from rilon.web.language import COOKIE, LANGUAGES
from rilon.web.render import AnyRequest
from rilon.web.sessions import PUBLIC

_YEAR_S: Final = 365 * 86400
_OURS: Final = re.compile(r"/(?:[A-Za-z0-9][A-Za-z0-9/_.~%=&?:+-]*)?")
"""An address of a page of ours: never another host's, whatever a form says."""


@post("/language", status_code=303, opt=PUBLIC)
async def choose(request: AnyRequest) -> Redirect:
    """Keep a language, and come back to where one was. Raises InvalidError ``language.unknown``."""
    form = await read_form(request)
    code, back = one(form, "language"), one(form, "back")
    if code not in LANGUAGES:
        raise InvalidError("language.unknown", "There is no such language here.", field="language")
    kept = Cookie(COOKIE, value=code, max_age=_YEAR_S, secure=True, httponly=True, samesite="lax")
    return Redirect(back if _OURS.fullmatch(back) else "/", status_code=303, cookies=[kept])


HANDLERS = (choose,)
