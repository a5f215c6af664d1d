"""The same as JSON says, as YAML: for people who read it, and for what reads YAML alone."""

import yaml

Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # twenty times faster, where libyaml is


def as_yaml(data: object) -> str:
    """In the order of the data, in UTF-8, with a newline at its end."""
    text: str = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text
