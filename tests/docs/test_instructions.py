"""The reader of pages tells good commands from bad ones: without it, tests/docs would prove nothing."""

from pathlib import Path

import pytest

from support.instructions import commands, slips
from support.pages import ROOT, Block, Sample, anchor, read_page, samples
from support.slips import Place

PLACE = Place(root=ROOT, files=frozenset({"office.yaml"}))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("bareway plan -f office.yaml --against office.yaml", id="a file that the page shows"),
        pytest.param("bareway lint -f manifests/examples/pools.yaml", id="a file of the project"),
        pytest.param("bareway lint -f FILE", id="a placeholder"),
        pytest.param("bareway drain node1 --reason 'new disk' && bareway undrain node1", id="two commands"),
        pytest.param("kubectl bareway move ADDRESS NODE", id="the plug-in"),
        pytest.param("bareway history [ADDRESS]", id="a word that may be left out"),
        pytest.param("kubectl apply -k manifests/overlays/bgp", id="a folder that kustomize builds"),
        pytest.param("kubectl get svc -A -o yaml > office.yaml", id="a redirection"),
        pytest.param("kubectl -n bareway-system exec daemonset/bareway-speaker -- bareway status", id="exec"),
        pytest.param("kubectl annotate node node1 bareway.io/drain-", id="a mark taken away"),
        pytest.param("kubectl annotate svc web metallb.io/address-pool=kept", id="a request"),
        pytest.param("kubectl rollout status ds/any -n default --timeout=60s", id="of others any name"),
        pytest.param("kubectl -n bareway-system get cm bareway-announcers-f", id="an announcer list"),
        pytest.param("make bench ONLY=layer2 [PROFILE=fast]", id="variables of make"),
        pytest.param("PYTHONPATH=tests:. .venv/bin/python -m bench.mirror 5000", id="a module"),
        pytest.param("ctr -n k8s.io images import bareway.tar", id="an image"),
        pytest.param("curl http://192.0.2.240/", id="not ours"),
    ],
)
def test_a_good_command_has_no_slip(line: str) -> None:
    assert slips(line, PLACE) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("bareway plna", "invalid choice", id="no such verb"),
        pytest.param("bareway drain node1 --force", "--force", id="no such flag"),
        pytest.param("bareway move 192.0.2.10 node1 node2", "node2", id="a word too many"),
        pytest.param("bareway plan -f absent.yaml", "absent.yaml does not exist", id="no such file"),
        pytest.param("bareway version; bareway plna", "invalid choice", id="the second of two"),
        pytest.param("kubectl bareway plna", "invalid choice", id="no such verb of the plug-in"),
        pytest.param("kubectl aply -k manifests/", "invalid choice", id="no such verb of kubectl"),
        pytest.param("kubectl apply -k manifests/overlay", "does not exist", id="no such folder"),
        pytest.param(
            "kubectl apply -k manifests/examples", "no folder that kustomize builds", id="no overlay"
        ),
        pytest.param("kubectl annotate node a bareway.io/drained=x", "nobody reads", id="no such annotation"),
        pytest.param("kubectl annotate node a", "no mark is named", id="nothing to annotate"),
        pytest.param("kubectl label node a exclude=", "nobody reads exclude", id="no such label"),
        pytest.param("kubectl get pool", "no kind pool", id="no such kind"),
        pytest.param(
            "kubectl -n bareway-system delete secret memberlists",
            "no secret memberlists",
            id="no such object",
        ),
        pytest.param("kubectl exec POD -n bareway-system -- sh", "not in the image", id="no shell there"),
        pytest.param("kubectl exec POD -- bareway stats", "invalid choice", id="no such verb inside"),
        pytest.param("kubectl rollout ds/bareway-speaker", "rollout restart", id="no such roll-out"),
        pytest.param("make tset", "no target tset", id="no such target"),
        pytest.param("make bench ONYL=arp", "no variable ONYL", id="no such variable"),
        pytest.param("python -m bench.mirrors", "no module bench.mirrors", id="no such module"),
        pytest.param("python setup.py", "only modules", id="a script"),
        pytest.param("ctr images import a.tar", "images of Kubernetes", id="the wrong images"),
        pytest.param("barway status", "no program", id="no such program"),
        pytest.param("bareway drain 'node1", "quotation", id="an open quotation"),
    ],
)
def test_a_slip_is_named(line: str, told: str) -> None:
    (slip,) = slips(line, PLACE)
    assert told in slip


@pytest.mark.parametrize(
    ("block", "found"),
    [
        pytest.param(
            Block(language="", lines=("make a", "kubectl b \\", "  c")), 2, id="a line that goes on"
        ),
        pytest.param(Block(language="", lines=("Watch ─▶ make",)), 0, id="a picture"),
        pytest.param(Block(language="console", lines=("$ make a", "b", "$ make c")), 2, id="with prompts"),
        pytest.param(Block(language="sh", lines=("nosuch", "", "make a")), 2, id="for a shell"),
        pytest.param(Block(language="yaml", lines=("make: a",)), 0, id="no commands"),
        pytest.param(Block(language="", lines=("PYTHONPATH=. .venv/bin/python -m a",)), 1, id="a variable"),
    ],
)
def test_commands_are_what_a_reader_types(block: Block, found: int) -> None:
    assert len(commands(block)) == found


def test_a_sample_ends_where_the_next_begins_and_may_tell_its_exit_code() -> None:
    block = Block(language="console", lines=("$ a", "1", "", "2", "$ echo $?", "1", "$ b", "$ c", "3"))
    assert samples(block) == (
        Sample(command="a", output="1\n\n2\n", code=1),
        Sample(command="b", output=""),
        Sample(command="c", output="3\n"),
    )


PAGE = """# Two words: `a-b`, c!

See [one](two.md#three) and `[no](link)`, ![no](image.png).

1. A list,

       make a

   that goes on:
    not code

```yaml
# shown.yaml
[no](link)
```

## Two words: `a-b`, c!
[r]: four.md
"""


def test_a_page_is_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    page = read_page(path)
    assert page.links == ("two.md#three", "four.md")
    assert page.anchors == {"two-words-a-b-c", "two-words-a-b-c-1"}
    assert [block.lines for block in page.blocks] == [("make a",), ("# shown.yaml", "[no](link)")]
    assert page.files == {"shown.yaml": "# shown.yaml\n[no](link)\n"}
    assert page.spans[0] == "a-b"


def test_a_block_that_never_ends_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```\nmake a\n")
    with pytest.raises(ValueError, match="never ends"):
        read_page(path)


def test_an_anchor_is_what_github_makes_of_a_heading() -> None:
    assert anchor("When the network is cut in two: `partition`") == "when-the-network-is-cut-in-two-partition"
    assert anchor("I want to …") == "i-want-to-"
