"""Learn and help: a tour of the main job by one's own role, and what each word here means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from litestar import Response, get

from rilon.app.deeds import Deed
from rilon.domain.permissions import Action, Caller
from rilon.domain.values import Role
from rilon.web.keys import terms
from rilon.web.language import gettext, mark
from rilon.web.render import AnyRequest, page
from rilon.web.sessions import caller_of, needs
from rilon.web.signin import Node

Step = tuple[str, str, str, Action, Deed | None]
"""Where it is, what it is called, what one does there, who may, and what the log knows of it: of looking, nothing."""

STEPS: Final[tuple[Step, ...]] = (
    (
        "/may-i-share",
        mark("Ask the rules first"),
        mark("Choose a kind of alert and a Member. The answer says yes, yes if, ask or no, and by which law."),
        Action.PREVIEW,
        None,
    ),
    (
        "/new",
        mark("Write an alert"),
        mark("Choose what you report and fill it in. Beside the form stands who would get what, and why."),
        Action.POST,
        Deed.POST,
    ),
    (
        "/deliveries",
        mark("See how far it has come"),
        mark("What the rules allow has left at once; what they ask waits. Only a signed receipt counts as stored."),
        Action.SEE_DELIVERIES,
        None,
    ),
    (
        "/approvals",
        mark("Decide what leaves"),
        mark("Read exactly what would leave and to whom. Sign it with your passkey, cut it, return it, or refuse."),
        Action.SEE_APPROVALS,
        Deed.DECIDE,
    ),
    (
        "/inbox?tab=all",
        mark("Read what others sent"),
        mark("Open a section for a purpose, which is recorded. Acknowledge it, answer, or ask for more."),
        Action.READ_BOARD,
        Deed.READ,
    ),
    (
        "/inbox?tab=ours",
        mark("Take one back"),
        mark("Open an alert of ours and recall it: holders destroy its keys and answer with a signed receipt."),
        Action.RECALL,
        Deed.RECALL,
    ),
    (
        "/people",
        mark("Bring a colleague in"),
        mark("Enrol them and hand over a one-time link. Who approves is confirmed by another focal point, by voice."),
        Action.ENROL,
        Deed.ENROL,
    ),
    (
        "/network",
        mark("Look how the network does"),
        mark("Every other node in a sentence, and what to do when something is wrong."),
        Action.SEE_LINKS,
        None,
    ),
    (
        "/past",
        mark("Look at the past"),
        mark("Move the slider to any moment: what was held, who could open it by the rules of that day, and who did."),
        Action.REPLAY,
        None,
    ),
)


@get("/learn", opt=needs(Action.USE))
async def learn(request: AnyRequest, services: Node) -> Response[str]:
    """The tour: what this person may do, step by step, on the pages themselves."""
    caller = caller_of(request)
    found = steps(caller, services.deeds.of(caller))
    counted = [step.done for step in found if step.done is not None]
    return page(request, services, "learn.html", steps=found, done=sum(counted), of=len(counted))


@get("/help", opt=needs(Action.USE))
async def help_(request: AnyRequest, services: Node) -> Response[str]:
    """What each word means, how long things are kept, and whom to call."""
    found = await services.views.officers()
    desks = sorted({(r, o.agency, o.desk) for o in found if o.active for r in o.roles if r in _CALLED})
    return page(request, services, "help.html", desks=desks, kept=terms(), glossary=GLOSSARY)


_CALLED: Final = frozenset({Role.FOCAL_POINT, Role.PROTECTION, Role.ADMINISTRATOR})

GLOSSARY: Final = (
    (mark("Member"), mark("A State or organisation of the network. Each has a node of its own, and its own keys.")),
    (mark("Alert"), mark("What one Member tells others. Its sections are sealed one by one.")),
    (mark("Summary"), mark("The section without personal data, which everybody on the board reads.")),
    (mark("Focal point"), mark("Decides what leaves the country, keeps its rules and enrols its officers.")),
    (mark("Protection officer"), mark("Opens and approves what is about victims and children.")),
    (mark("Rule book"), mark("What this Member's law and policy say about sharing, rule by rule. Two sign a new one.")),
    (mark("TLP"), mark("How far something may go: RED to named people, AMBER to the Member, GREEN to the network.")),
    (mark("Grant"), mark("What one Member may open of an alert, until when, and for what.")),
    (mark("Opening"), mark("Reading a section above the summary. It needs a purpose and is recorded.")),
    (mark("Receipt"), mark("A node's signed word that it holds something. Nothing is shared until there is one.")),
    (mark("Recall"), mark("The originator takes a grant back: the keys are destroyed, and the holder signs for it.")),
    (
        mark("Withdrawal"),
        mark("The originator says that an alert no longer holds. Holders mark it; it stays readable."),
    ),
    (mark("Circle"), mark("A closed group of Members with a purpose and an end.")),
    (mark("Passkey"), mark("A key in your device that signs you in and signs what you approve. It never leaves it.")),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A step of the tour for somebody; ``done`` None: nobody can tell, because looking is not recorded."""

    to: str
    name: str
    words: str
    done: bool | None


def steps(caller: Caller, deeds: frozenset[Deed]) -> list[Shown]:
    """The steps that somebody may take, and those they have taken already."""
    return [
        Shown(to, gettext(name), gettext(said), None if deed is None else deed in deeds)
        for to, name, said, action, deed in STEPS
        if caller.may(action)
    ]


HANDLERS = (learn, help_)
