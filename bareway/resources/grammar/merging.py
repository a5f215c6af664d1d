"""Several documents as one: what a later one says of something with a name is added to what is known of it.

Of a key that stands in both the later document counts, as a whole: lists are replaced, not joined.
"""

from collections.abc import Iterator, Sequence

from bareway.resources.grammar.keys import Shape
from bareway.resources.grammar.sections import Section, Walk


def named_sections(
    documents: Sequence[Section], key: str, shape: Shape, told: str, *, default_name: str = ""
) -> Sequence[Section]:
    """The mappings in the list ``key`` of all documents, those of one name merged.

    Args:
        documents: the first one, and those that extend it.
        key: where the list stands.
        shape: what its mappings may hold.
        told: how MetalLB's messages about one begin, with a place for its number.
        default_name: of one without a name in the first document, with a place for its number.
    """
    sections: list[Section] = []
    places: dict[str, int] = {}
    for number, document in enumerate(documents):
        fresh: list[Section] = []
        for section in document.sections(key, shape, told):
            name = _name(section, "" if number else default_name)
            # A second one of a name in the same document is a duplicate, not an extension.
            index = places.pop(name, None)
            if index is None:
                fresh.append(section)
            else:
                sections[index] = sections[index].extended_by(section)
        sections += fresh
        places = {
            name: index
            for index, section in reversed(list(enumerate(sections)))
            if (name := _name(section, default_name))
        }
    return sections


def merged_mapping(documents: Sequence[Section], key: str, shape: Shape, walk: Walk) -> Section | None:
    """The mapping ``key`` of all documents."""
    sections = list(_mappings(documents, key, shape, walk))
    if not sections:
        return None
    whole = sections[0]
    for section in sections[1:]:
        whole = whole.extended_by(section)
    return whole


def _mappings(documents: Sequence[Section], key: str, shape: Shape, walk: Walk) -> Iterator[Section]:
    for document in documents:
        if key in document.found:
            section = walk.section(document.found[key], shape)
            if section is not None:
                yield section


def _name(section: Section, default_name: str) -> str:
    """Of a name that is no text the reader of the section tells."""
    return section.plain_text("name") or default_name.format(section.number)
