"""The documented names and codes are those of the package, and those of the core."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType
from typing import Any, get_args

import pytest
import tomllib
import velora
from either import Either
from simulated import ROOT
from velora import _velora, curae, errors, events, health, tv

CORE = ROOT / "velora-core/src"

ADAPTERS = {"velora.fastapi", "velora.flask", "velora.django"}

MODULES = [
    importlib.import_module(f"velora.{module.name}")
    for module in pkgutil.iter_modules(velora.__path__)
    if not module.name.startswith("_")
] + [velora]


def named(modules: list[ModuleType]) -> Any:
    return [pytest.param(module, id=module.__name__) for module in modules]


def test_every_code_of_the_core_is_a_code_and_one_is_our_own() -> None:
    assert list(get_args(errors.Code)) == [*_velora.CODES, "internal"]
    text = (CORE / "error/code.rs").read_text("utf-8")
    assert re.findall(r'^    [A-Z]\w+ = "(\w+)",$', text, re.M) == _velora.CODES


@pytest.mark.parametrize("kind", [errors.StoreError, errors.VeloraError, errors.ApiError])
def test_an_error_has_one_of_the_codes(kind: Any) -> None:
    for code in get_args(errors.Code):
        assert kind("why", code).code == code
    for message, other in [("lease_lost", "it was taken over"), ("why", ""), ("why", None)]:
        with pytest.raises(ValueError, match="code"):
            kind(message, other)


@pytest.mark.parametrize("kind", [velora.Scheme, velora.Verifier, velora.Delivery])
def test_what_is_generic_for_type_checkers_is_it_at_run_time(kind: Any) -> None:
    assert get_args(kind[velora.CustomEvent]) == (velora.CustomEvent,)


def test_a_fault_of_the_package_has_a_code(either: Either) -> None:
    panic: Any = vars(_velora)["_panic_later"]  # Of builds for tests alone.

    async def awaited() -> None:
        await panic().future()

    with pytest.raises(errors.VeloraError) as raised:
        either.run(awaited()) if either.is_async else panic().wait()
    assert raised.value.code == "internal"


def test_a_code_means_what_the_core_says() -> None:
    def meanings(source: str, mark: str) -> dict[str, str]:
        said, words = {}, list[str]()
        for line in map(str.strip, source.splitlines()):
            if line.startswith(mark):
                words.append(line.removeprefix(mark).strip())
            elif code := re.fullmatch(r'(?:\w+ = )?"(\w+)",', line):
                said[code[1]] = " ".join(words)
                words.clear()
        return said

    core = (CORE / "error/code.rs").read_text("utf-8").split("codes! {", 1)[1]
    ours = inspect.getsource(errors).split("Code = Literal[", 1)[1]
    own = {"internal": "A fault of this package itself."}
    assert meanings(ours, "#") == meanings(core, "///") | own
    assert all(meanings(ours, "#").values())


@pytest.mark.parametrize("system", named([health, curae, tv]))
def test_event_types_are_those_of_the_core(system: Any) -> None:
    folder = CORE / system.__name__.removeprefix("velora.")
    source = (folder / "event.rs").read_text("utf-8")
    (block,) = re.findall(r"event_types! \{(.*?)\n\}", source, re.S)
    known = dict(re.findall(r'^\s*(\w+) = "([\w.]+)",$', block, re.M))
    assert len(known) > 3
    found = {member.name.replace("_", ""): member.value for member in system.EventType}
    assert found == {name.upper(): text for name, text in known.items()}
    for member in system.EventType:
        assert member == member.value
        assert str(member) == f"{member}" == member.value
        assert member.name == re.sub(r"\W", "_", member.value).upper()
        assert issubclass(system.EventType, events.EventType)


@pytest.mark.parametrize("module", named(MODULES))
def test_all_is_complete(module: ModuleType) -> None:
    assert sorted(module.__all__) == list(module.__all__) or module.__name__ in ADAPTERS
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name), name
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
        and module is not velora
    }
    # What the modules share among themselves, and no one else needs.
    shared = {"Native", "Base", "SyncBase", "AsyncBase"}
    assert own - shared <= set(module.__all__)


def public(module: ModuleType) -> list[tuple[str, Any]]:
    """All classes, functions and methods, by name."""
    found = []
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            found.append((name, value))
            found += [
                (f"{name}.{member}", getattr(value, member))
                for member in dir(value)
                if not member.startswith("_") and owned(value, member)
            ]
        elif inspect.isroutine(value):
            found.append((name, value))
    return found


def owned(value: type, member: str) -> bool:
    """Whether one of our classes has it, and not one of Python's."""
    owner = next(each for each in value.__mro__ if member in vars(each))
    attribute = vars(owner)[member]
    is_call = callable(attribute) or isinstance(
        attribute, (property, classmethod, staticmethod)
    )
    is_ours = owner.__module__.partition(".")[0] == "velora"
    return is_ours and (is_call or inspect.isgetsetdescriptor(attribute))


@pytest.mark.parametrize("module", named(MODULES))
def test_everything_public_has_a_docstring(module: ModuleType) -> None:
    assert module.__doc__
    for name, value in public(module):
        assert inspect.getdoc(value), f"{module.__name__}.{name}"


def test_a_module_names_where_its_classes_are() -> None:
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and value.__module__.startswith("velora"):
                home = importlib.import_module(value.__module__)
                assert getattr(home, value.__qualname__) is value, name


@pytest.mark.parametrize(
    "module", named([each for each in MODULES if each.__name__ not in ADAPTERS])
)
def test_examples_in_docstrings_run(module: ModuleType) -> None:
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_examples_in_the_stub_run() -> None:
    stub = (ROOT / "velora-py/python/velora/_velora.pyi").read_text("utf-8")
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    docstrings = re.findall(r'"""(.*?)"""', stub, re.S)
    ran = 0
    for number, text in enumerate(docstrings):
        test = parser.get_doctest(text, vars(velora).copy(), f"stub {number}", None, 0)
        runner.run(test)
        ran += len(test.examples)
    assert ran >= 4
    assert runner.summarize(verbose=False).failed == 0


def test_the_version_is_cargos() -> None:
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))
    assert velora.__version__ == manifest["workspace"]["package"]["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "velora-py/python/velora/py.typed").exists()


def test_no_module_of_the_package_needs_another_package() -> None:
    """But the adapters, each of which needs its framework."""
    import subprocess
    import sys

    program = (
        "import sys; before = set(sys.modules); import velora;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'velora'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
