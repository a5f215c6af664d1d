"""The same as JSON says, as YAML: for people who read it, and for what reads YAML alone."""

import yaml

Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # twenty times faster, where libyaml is


def as_yaml(data: object, *, any_letters: bool = True) -> str:
    """In the order of the data, with a newline at its end; what a terminal would obey is escaped."""
    text = _dumped(data, any_letters=any_letters)
    return text if text.replace("\n", "").isprintable() else _dumped(data, any_letters=False)


def _dumped(data: object, *, any_letters: bool) -> str:
    text: str = yaml.dump(
        data, Dumper=Dumper, sort_keys=False, allow_unicode=any_letters, default_flow_style=False
    )
    return text
