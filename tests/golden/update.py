"""Write the golden files anew: ``python -m tests.golden.update [pytest arguments]``, then read the diff."""

from __future__ import annotations

import sys

import pytest

from tests.golden import golden

if __name__ == "__main__":
    golden._Mode.updating = True
    sys.exit(pytest.main(["-q", "-k", "golden", "-p", "no:cacheprovider", *sys.argv[1:]]))
