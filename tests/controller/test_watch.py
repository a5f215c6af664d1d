from controller.settings import Settings
from controller.watch import rights


def told(settings: Settings) -> set[str]:
    return {str(right) for right in rights(settings)}


def test_the_rights_asked_for_are_those_that_are_used() -> None:
    own = "in namespace bareway-system"
    assert told(Settings(socket=None)) == {
        "list services in all namespaces",
        "watch services in all namespaces",
        "patch services/status in all namespaces",
        *(f"{verb} configmaps config {own}" for verb in ("list", "watch")),
        *(f"{verb} configmaps bareway-config {own}" for verb in ("list", "watch", "update")),
        f"create configmaps {own}",
        *(f"{verb} secrets memberlist {own}" for verb in ("list", "watch")),
        f"create secrets {own}",
        *(f"{verb} events in all namespaces" for verb in ("create", "get", "patch")),
    }


def test_a_configuration_in_another_namespace_is_read_there_and_never_written() -> None:
    extra = told(Settings(socket=None, config_namespace="metallb-system")) - told(Settings(socket=None))
    assert extra == {f"{verb} configmaps config in namespace metallb-system" for verb in ("list", "watch")}
