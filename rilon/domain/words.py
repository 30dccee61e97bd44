"""A fingerprint as words that two people compare by voice: sixteen words, one a byte of its first 128 bits.

The words are made for telephones and second languages: short, of different sound, no two alike by less than three
letters, told apart by their first four. 128 bits, because a root key that only *looks* the same must be out of reach of
a State: eight words (64 bits) would cost it days.
"""

from __future__ import annotations

from typing import Final

from rilon.errors import MalformedError

COUNT: Final = 16
"""Words of a fingerprint."""
_DISTINCT: Final = 4
"""So many first letters tell a word from all others."""

_LIST: Final = """
acorn album amber anchor angle apron atlas autumn badge bakery balloon bamboo banana basket beach beetle bell
bicycle blossom bracelet bread brick broom bubble buffalo butter cabbage cabin cactus camera canoe canvas
captain carpet castle cedar chair cherry chess chimney cinnamon circle citrus clay cloud clover coconut coffee
comet compass copper coral cotton cousin cricket crown crystal cupboard cushion daisy dancer desert diamond
doctor dolphin domino donkey dragon drawer drum duck earth echo eclipse elbow elephant emerald engine envelope
evening fabric falcon family farmer feather fence fiddle finger fish flamingo flute forest fossil fountain
friend frog fruit furnace galaxy garden garlic gate giant giraffe glass gold grain granite guitar harbour
harvest helmet horse hotel iceberg igloo indigo insect iris island jaguar jasmine jewel jigsaw journal kangaroo
kayak kitchen koala ladder lagoon lamp lantern lemon leopard library lily lizard lobster lotus lunch magnet
mango maple meadow mirror mitten moon morning mosaic mushroom mustard napkin nephew nest night noodle notebook
nutmeg oasis ocean octopus olive onion opera orange orchid ostrich palace panda paper parrot peanut pelican
pencil pigeon pillow pocket poem poppy potato pumpkin puppet purple pyramid quail quarter queen rabbit radio
raft railway rainbow raven ribbon ring rope ruby ruler sailor salad school scissors season shirt shoulder silver
sleeve snow sofa spider squirrel stone street sugar summer sunset swan symbol temple tennis theatre thimble
thunder toast torch tower tractor trumpet tulip tunnel twelve umbrella uniform valley vanilla vessel village
vinegar violin volcano voyage waffle walnut waltz whale wheel whistle window wooden writer yacht yoghurt young
zebra zigzag
"""

WORDS: Final = tuple(_LIST.split())
"""256 words in alphabetical order; a byte is its word's place."""

_BYTE: Final = {word[:_DISTINCT]: place for place, word in enumerate(WORDS)}


def words(fingerprint: bytes) -> tuple[str, ...]:
    """The words of a fingerprint.

    Args:
        fingerprint: 32 bytes, see ``rilon.app.directory_desk.fingerprint``.
    """
    return tuple(WORDS[byte] for byte in fingerprint[:COUNT])


def heard(text: str) -> bytes:
    """The first 16 bytes of the fingerprint that somebody read aloud.

    Args:
        text: sixteen words in any case, parted by blanks, commas or hyphens; four letters of each suffice.

    Raises:
        MalformedError: ``words.count``, or ``words.unknown`` with the word.
    """
    spoken = text.lower().replace(",", " ").replace("-", " ").split()
    if len(spoken) != COUNT:
        fix = "Let them be read to you once more, all of them."
        raise MalformedError(
            "words.count", f"A fingerprint has {COUNT} words; these are {len(spoken)}.", field="words", fix=fix
        )
    return bytes(_byte(word) for word in spoken)


def _byte(spoken: str) -> int:
    place = _BYTE.get(spoken[:_DISTINCT])
    if place is None or not WORDS[place].startswith(spoken):
        fix = "Ask for the word again, letter by letter."
        raise MalformedError("words.unknown", f"No fingerprint has the word “{spoken}”.", field="words", fix=fix)
    return place
