"""One story a session; every test gets copies of its own."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.evidence import Evidence, Story, told


@pytest_asyncio.fixture(scope="session")
async def story() -> Story:
    return await told()


@pytest.fixture
def here(story: Story) -> Evidence:
    return story.evidence.copy()


@pytest.fixture
def there(story: Story) -> Evidence:
    return story.theirs.copy()
