"""Every failure a user can meet: a code for programs, a sentence and a remedy for people, an exit status for shells."""

from __future__ import annotations

from typing import ClassVar


class CoreError(Exception):
    """A failure that is explained to the user instead of shown as a traceback.

    `sentence` says what is wrong, `remedy` what to do about it; both are complete sentences.
    """

    code: ClassVar[str] = "INTERNAL"
    exit_status: ClassVar[int] = 1

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy


class BadInput(CoreError):
    """The input cannot be read, is not what it says, or cannot be written where the user asked."""

    code = "BAD_INPUT"
    exit_status = 2


class NoFace(CoreError):
    """No face was found where one was expected."""

    code = "NO_FACE"
    exit_status = 3


class MultipleFaces(CoreError):
    """A face was asked for by a number that does not exist among those found."""

    code = "MULTIPLE_FACES"
    exit_status = 2


class ModelMissing(CoreError):
    """A head or a network's weights are absent or damaged."""

    code = "MODEL_MISSING"
    exit_status = 4


class OutOfMemory(CoreError):
    """The machine has not enough memory for this input."""

    code = "OUT_OF_MEMORY"


_LACK = (
    *("bad_alloc", "bad allocation", "allocate memory", "insufficient memory", "out of memory", "failed to allocate"),
    *("unable to allocate", "failed to map segment", "can't start new thread", "resource temporarily unavailable"),
)
"""How libraries say that there is no memory: C++'s, ONNX Runtime's, OpenCV's, numpy's, the loader's, threads'."""


def lacks_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that the machine has no memory left."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError | OutOfMemory) or any(words in str(error).lower() for words in _LACK):
            return True
        error = error.__cause__ or error.__context__
    return False


class Cancelled(CoreError):
    """The user stopped the work; what was finished stays."""

    code = "CANCELLED"
    exit_status = 130


class Internal(CoreError):
    """A defect of the product itself."""
