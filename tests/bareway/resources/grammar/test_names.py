import pytest

from bareway.resources.grammar.names import is_interface, is_namespace, is_object_name


@pytest.mark.parametrize(
    ("text", "namespace", "object_"),
    [
        ("a", True, True),
        ("kube-system", True, True),
        ("7", True, True),
        ("a.b", False, True),
        ("a" * 63, True, True),
        ("a" * 64, False, True),
        ("a" * 254, False, False),
        ("", False, False),
        ("-a", False, False),
        ("a-", False, False),
        ("A", False, False),
        ("a_b", False, False),
        ("a..b", False, False),
        ("a\n", False, False),
    ],
)
def test_a_name_is_one_that_kubernetes_allows(text: str, namespace: bool, object_: bool) -> None:
    assert (is_namespace(text), is_object_name(text)) == (namespace, object_)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("eth0", True),
        ("br-lan.100", True),
        ("abcdefghijklmno", True),
        ("abcdefghijklmnop", False),
        ("", False),
        (".", False),
        ("..", False),
        ("a b", False),
        ("a/b", False),
        ("a:0", False),
    ],
)
def test_an_interface_is_named_as_linux_allows(text: str, is_one: bool) -> None:
    assert is_interface(text) is is_one
