"""Where the values of settings come from: defaults < TOML file < environment < flags.

A key that no setting has is an error, wherever it stands, and the nearest known one is named.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from tinyqq.app.settings import ENV_DELIMITER, ENV_PREFIX, Settings

DEFAULT_FILE: Final = Path("tinyqq.toml")
DEFAULT: Final = "default"
_FLAG: Final = "flag"
_NOT_SETTINGS: Final = frozenset(
    {"TINYQQ_CHAT_STATE", "TINYQQ_CONFIG", "TINYQQ_LANG", "TINYQQ_PASSWORD"}
)
"""Environment variables of the commands themselves."""


class SettingsError(Exception):
    """The settings cannot be used as they stand. The text is for people, one problem a line."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and where each value comes from.

    ``origins``: by dotted path, of every setting; ``default``, ``file NAME``, ``environment NAME``
    or ``flag``.
    """

    settings: Settings
    origins: Mapping[str, str]

    def is_default(self, path: str) -> bool:
        """Whether nobody has set this one."""
        return self.origins[path] == DEFAULT


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of the tree. ``default`` and values are as people write them in TOML."""

    path: str
    type_name: str
    default: str
    description: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENV_PREFIX + self.path.replace(".", ENV_DELIMITER).upper()


def load_settings(
    *, config: Path | None = None, flags: Mapping[str, object] | None = None
) -> LoadedSettings:
    """Read every source and check the whole.

    Args:
        config: a TOML file that must exist; None: ``tinyqq.toml`` here, if there is one.
        flags: values by dotted path; None stands for a flag that was not given.

    Raises:
        SettingsError: a key is unknown, a value is not allowed, or the file cannot be read.
    """
    file = config or DEFAULT_FILE
    from_file = _read_file(file, must_exist=config is not None)
    given = {path: value for path, value in (flags or {}).items() if value is not None}
    _check_keys(from_file, file, given)
    origins = {one.path: DEFAULT for one in list_settings()}
    origins |= dict.fromkeys(_leaves(from_file), f"file {file.name}")
    origins |= {
        one.path: f"environment {one.variable}"
        for one in list_settings()
        if one.variable in os.environ
    }
    origins |= dict.fromkeys(given, _FLAG)
    tree = _merge(from_file, EnvSettingsSource(Settings)())
    for path, value in given.items():
        tree = _merge(tree, _branch(path, value))
    try:
        return LoadedSettings(Settings(**tree), origins)
    except ValidationError as exc:
        raise SettingsError(_explain(exc, origins)) from exc


def list_settings() -> list[Setting]:
    """Every setting, in the order of the tree."""
    return [
        Setting(path, _type_name(field), _to_text(field.default), _one_line(field.description))
        for path, field in _walk(Settings)
    ]


def shown_values(settings: Settings) -> dict[str, str]:
    """Every value as people write it, by dotted path; secrets are masked."""
    return {path: _to_text(_value(settings, path)) for path, _ in _walk(Settings)}


def shown_database(settings: Settings) -> str:
    """The database in use, for people: without a password."""
    return _mask_url(settings.database) if "@" in settings.database else settings.database


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _value(settings: Settings, path: str) -> Any:
    value: Any = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _to_text(value: object) -> str:
    match value:
        case None:
            return "unset"
        case bool():
            return str(value).lower()
        case SecretStr():
            return '"***"' if value.get_secret_value() else '""'
        case tuple():
            return "[" + ", ".join(f'"{item}"' for item in value) + "]"
        case str() if "@" in value:
            return f'"{_mask_url(value)}"'
        case str() | Path():
            return f'"{value}"'
        case _:
            return str(value)


def _mask_url(url: str) -> str:
    """The URL without its password."""
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}:***{at}{host}"


def _type_name(field: FieldInfo) -> str:
    annotation = field.annotation
    if isinstance(annotation, type) and annotation in _TYPE_NAMES:
        return _TYPE_NAMES[annotation]
    if choices := getattr(annotation, "__args__", ()):
        plain = [str(one) for one in choices if isinstance(one, str)]
        if plain:
            return " | ".join(plain)
        return "list" if getattr(annotation, "__origin__", None) is tuple else "path"
    return str(annotation)


_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "true | false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "text, secret",
}


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _read_file(file: Path, *, must_exist: bool) -> dict[str, Any]:
    if not file.is_file():
        if must_exist:
            raise SettingsError(f"{file}: there is no such file")
        return {}
    try:
        return dict(TomlConfigSettingsSource(Settings, toml_file=file)())
    except (ValueError, OSError) as exc:
        raise SettingsError(f"{file}: {exc}") from exc


def _check_keys(from_file: Mapping[str, Any], file: Path, from_flags: Mapping[str, object]) -> None:
    paths = [one.path for one in list_settings()]
    variables = [one.variable for one in list_settings()]
    own = [name for name in sorted(os.environ) if name.startswith(ENV_PREFIX)]
    problems = [
        *_unknown(str(file), _leaves(from_file), paths),
        *_unknown("environment", (name for name in own if name not in _NOT_SETTINGS), variables),
        *_unknown("command line", from_flags, paths),
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def _unknown(place: str, keys: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for key in keys:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            yield f"{place}: unknown setting {key!r}; the nearest known one is {nearest!r}"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _branch(path: str, value: object) -> dict[str, Any]:
    name, dot, rest = path.partition(".")
    return {name: _branch(rest, value) if dot else value}


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for name, value in high.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = _merge(below, value)
        else:
            merged[name] = value
    return merged


def _explain(exc: ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for error in exc.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(part) for part in error["loc"] if isinstance(part, str))
        origin = f" ({origins[path]})" if path in origins else ""
        message = error["msg"].removeprefix("Value error, ")
        lines.append(f"{path}{origin}: {message}" if path in origins else message)
    return "\n".join(lines)
