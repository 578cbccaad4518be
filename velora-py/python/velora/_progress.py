"""How the function that is told of progress is called."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

from ._handlers import is_async, must_have_run, must_run

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def reporting_to(on_progress: Callable[[T], object] | None) -> Callable[[T], None] | None:
    """The same function, which must not be one that needs to be awaited."""
    if on_progress is None:
        return None
    must_run(on_progress)
    if is_async(on_progress):
        raise TypeError(_NOT_AWAITED)

    def report(progress: T) -> None:
        try:
            _must_have_begun(on_progress(progress))
        except (StopIteration, StopAsyncIteration) as error:
            # A loop over the rows would take it for their end.
            raise RuntimeError(f"`on_progress` raised {type(error).__name__}") from error

    return report


def _must_have_begun(returned: object) -> None:
    """A task or a future may be returned: it runs by itself."""
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError(_NOT_AWAITED)
    must_have_run(returned)


_NOT_AWAITED = "`on_progress` is not awaited: pass a plain function"
