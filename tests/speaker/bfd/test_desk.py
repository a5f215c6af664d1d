"""The desk: who wants which sessions, and what the main program is told."""

import errno
from ipaddress import ip_address
from random import Random

import pytest

from bareway.bfd.drops import DropReason
from bareway.bfd.packet import Diagnostic, Packet, State, decode, encode
from bareway.bfd.register import Arrival, Path
from bareway.bfd.timing import PATIENT_MULTIPLIER
from speaker.bfd.desk import FAREWELLS, SESSIONS_MOST, UNWANTED_S, Desk
from speaker.bfd.records import Report, ReportKind, Request, RequestKind, Totals, Wanted
from support.bfd import FAST, packet

ROUTER, OTHER, NODE = ip_address("192.0.2.1"), ip_address("192.0.2.2"), ip_address("192.0.2.11")
HERE = Arrival(ROUTER, NODE, "eth0", 255, is_multihop=False)
PATH = Path(ROUTER)
COMPLETE = Request(RequestKind.COMPLETE)


class Network:
    """Sockets that keep what is sent, and fail on request."""

    def __init__(self) -> None:
        self.sent: list[tuple[Path, Packet]] = []
        self.forgotten: list[Path] = []
        self.deaf = 0
        self.mute = 0
        self.dropped = 0
        self.least: dict[Path, int] = {}

    def listen(self, path: Path, minimum_ttl: int) -> int:
        self.least[path] = minimum_ttl
        return self.deaf

    def send(self, path: Path, data: bytes) -> int:
        if not self.mute:
            self.sent.append((path, decode(data)))
        return self.mute

    def forget(self, path: Path) -> None:
        self.forgotten.append(path)


class Rig:
    def __init__(self) -> None:
        self.network = Network()
        self.desk = Desk(wires=self.network, rng=Random("desk"))
        self.now = 100.0

    def want(self, *wanted: Wanted) -> None:
        for one in wanted:
            self.desk.obey(Request(RequestKind.WANT, one), now=self.now)
        self.desk.obey(COMPLETE, now=self.now)

    def told(self) -> list[Report]:
        return [report for report in self.desk.reports() if isinstance(report, Report)]

    def hear(self, packet: Packet, arrival: Arrival = HERE) -> None:
        self.desk.hear(encode(packet), arrival, now=self.now)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.desk.deadline <= end:
            self.now = max(self.now, self.desk.deadline)
            self.desk.tick(now=self.now)
        self.now = end

    def come_up(self) -> None:
        self.want(Wanted(PATH, FAST))
        self.run(0.0)
        self.hear(packet(State.INIT, your_discriminator=self.network.sent[0][1].my_discriminator))
        assert [report.state for report in self.told()] == [State.UP]

    def hear_for(self, seconds: float) -> None:
        """The peer goes on meanwhile."""
        end = self.now + seconds
        while self.now < end:
            self.run(0.1)
            self.hear(packet(State.UP, your_discriminator=self.network.sent[0][1].my_discriminator))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_nothing_happens_before_somebody_wants_a_session(rig: Rig) -> None:
    assert rig.desk.deadline == float("inf")
    assert not rig.desk.has_news


def test_a_wanted_session_is_told_at_once_and_when_it_comes_up(rig: Rig) -> None:
    rig.want(Wanted(PATH, FAST))
    (first,) = rig.told()
    assert (first.kind, first.path, first.state) == (ReportKind.CHANGED, PATH, State.DOWN)
    rig.run(0.0)
    (sent,) = rig.network.sent
    rig.hear(packet(State.INIT, your_discriminator=sent[1].my_discriminator))
    (second,) = rig.told()
    assert (second.state, second.ups, second.downs) == (State.UP, 1, 0)
    assert rig.told() == []


def test_what_the_main_program_has_not_read_is_kept_short(rig: Rig) -> None:
    rig.come_up()
    rig.run(5.0)
    rig.hear(packet(State.DOWN, your_discriminator=0))
    rig.hear(packet(State.INIT, your_discriminator=rig.network.sent[0][1].my_discriminator))
    (only,) = rig.told()
    assert (only.state, only.ups, only.downs) == (State.UP, 2, 1)


def test_a_report_that_could_not_be_sent_is_told_again(rig: Rig) -> None:
    rig.want(Wanted(PATH, FAST))
    for _ in rig.desk.reports():
        break  # the socket was full
    assert len(rig.told()) == 1


def test_what_nobody_wants_for_a_minute_ends_with_a_word(rig: Rig) -> None:
    rig.come_up()
    rig.want()
    rig.hear_for(UNWANTED_S - 1.0)
    assert rig.network.sent[-1][1].state is State.UP
    rig.hear_for(1.2)
    assert rig.network.sent[-1][1][:2] == (State.ADMIN_DOWN, Diagnostic.ADMINISTRATIVELY_DOWN)
    rig.run(10.0)
    assert len(rig.desk) == 0
    assert rig.network.forgotten == [PATH]
    assert rig.desk.deadline == float("inf")


def test_a_main_program_that_comes_back_finds_its_sessions(rig: Rig) -> None:
    rig.come_up()
    rig.desk.leave_alone(now=rig.now)
    rig.hear_for(UNWANTED_S - 1.0)
    assert rig.told() == []
    rig.want(Wanted(PATH, FAST))
    (found,) = rig.told()
    assert (found.state, found.ups, found.downs) == (State.UP, 1, 0)
    rig.hear_for(UNWANTED_S + 10.0)
    assert len(rig.desk) == 1


def test_what_is_wanted_again_while_it_ends_comes_up_again(rig: Rig) -> None:
    rig.come_up()
    rig.want()
    rig.hear_for(UNWANTED_S + 0.5)
    rig.want(Wanted(PATH, FAST))
    assert rig.network.sent[-1][1].state is State.DOWN
    rig.run(10.0)
    assert len(rig.desk) == 1


def test_a_changed_wish_changes_the_session_and_not_its_state(rig: Rig) -> None:
    rig.come_up()
    name = rig.network.sent[0][1].my_discriminator
    for is_final in (True, False):  # what coming up has changed is settled
        rig.hear(packet(State.UP, your_discriminator=name, is_final=is_final))
    rig.want(Wanted(PATH, FAST._replace(desired_min_tx_us=50_000)))
    last = rig.network.sent[-1][1]
    assert (last.state, last.desired_min_tx_us, last.is_poll) == (State.UP, 50_000, True)


def test_the_same_wish_again_says_nothing_on_the_wire(rig: Rig) -> None:
    rig.come_up()
    count = len(rig.network.sent)
    rig.want(Wanted(PATH, FAST))
    assert len(rig.network.sent) == count


def test_a_restart_on_purpose_asks_for_patience_until_the_session_is_wanted_again(rig: Rig) -> None:
    rig.come_up()
    rig.desk.obey(Request(RequestKind.RESTARTING), now=rig.now)
    assert rig.network.sent[-1][1].detect_multiplier == PATIENT_MULTIPLIER
    rig.want(Wanted(PATH, FAST))
    assert rig.network.sent[-1][1].detect_multiplier == FAST.detect_multiplier


def test_the_end_is_told_to_every_peer_more_than_once(rig: Rig) -> None:
    rig.want(Wanted(PATH, FAST), Wanted(Path(OTHER), FAST))
    rig.run(0.0)
    rig.network.sent.clear()
    rig.desk.end(now=rig.now)
    assert [(path, sent.state) for path, sent in rig.network.sent] == [
        (path, State.ADMIN_DOWN) for path in (PATH, Path(OTHER)) for _ in range(FAREWELLS)
    ]


def test_only_what_is_up_is_remembered(rig: Rig) -> None:
    rig.come_up()
    rig.want(Wanted(PATH, FAST), Wanted(Path(OTHER), FAST))
    (remembered,) = rig.desk.memories()
    assert remembered[0].path == PATH
    again = Rig()
    again.desk.resume(*remembered, now=again.now)
    again.run(0.0)
    (sent,) = again.network.sent
    assert (sent[1].state, sent[1].my_discriminator) == (State.UP, remembered[1].discriminator)
    again.hear(packet(State.UP, your_discriminator=remembered[1].discriminator))
    again.want(Wanted(PATH, FAST))
    (told,) = again.told()
    assert (told.state, told.ups, told.downs, told.packets_in) == (State.UP, 1, 0, 1)


def test_a_remembered_session_that_nobody_wants_ends_too(rig: Rig) -> None:
    rig.come_up()
    again = Rig()
    again.desk.resume(*rig.desk.memories()[0], now=again.now)
    again.run(UNWANTED_S + 10.0)
    assert len(again.desk) == 0


@pytest.mark.parametrize(
    ("arrival", "data", "reason"),
    [
        pytest.param(HERE, b"nothing", DropReason.TRUNCATED, id="no packet"),
        pytest.param(
            HERE._replace(peer=OTHER),
            encode(packet(your_discriminator=0)),
            DropReason.UNKNOWN_SESSION,
            id="a stranger",
        ),
        pytest.param(
            HERE._replace(ttl=254), encode(packet(your_discriminator=0)), DropReason.BAD_TTL, id="from afar"
        ),
    ],
)
def test_what_is_not_heard_is_counted(rig: Rig, arrival: Arrival, data: bytes, reason: DropReason) -> None:
    rig.want(Wanted(PATH, FAST))
    rig.told()
    rig.desk.hear(data, arrival, now=rig.now)
    rig.desk.obey(Request(RequestKind.FIGURES), now=rig.now)
    *sessions, totals = rig.desk.reports()
    assert totals == Totals(is_real_time=False, drops={reason: 1})
    assert [(r.kind, r.packets_in) for r in sessions if isinstance(r, Report)] == [(ReportKind.FIGURES, 0)]


def test_what_comes_while_we_keep_a_session_down_is_counted(rig: Rig) -> None:
    rig.come_up()
    rig.want()
    rig.hear_for(UNWANTED_S + 0.5)
    before = rig.desk.drops[DropReason.ADMINISTRATIVELY_DOWN]
    rig.hear(packet(State.DOWN, your_discriminator=0))
    assert rig.desk.drops[DropReason.ADMINISTRATIVELY_DOWN] == before + 1


def test_trouble_with_the_network_is_told_when_it_begins_and_when_it_ends(rig: Rig) -> None:
    rig.come_up()
    rig.network.mute = errno.ENETUNREACH
    rig.run(0.1)
    assert [(report.state, report.trouble) for report in rig.told()] == [(State.UP, errno.ENETUNREACH)]
    rig.run(0.1)
    assert rig.told() == []
    rig.network.mute = 0
    rig.run(0.1)
    assert [report.trouble for report in rig.told()] == [0]


def test_a_port_that_somebody_else_holds_is_told(rig: Rig) -> None:
    rig.network.deaf = errno.EADDRINUSE
    rig.want(Wanted(PATH, FAST))
    assert [report.trouble for report in rig.told()] == [errno.EADDRINUSE]
    rig.run(1.0)
    assert rig.network.sent == []
    rig.network.deaf = 0
    rig.run(1.0)
    assert [report.trouble for report in rig.told()] == [0]
    assert rig.network.sent


def test_more_sessions_than_can_be_kept_in_time_are_refused(rig: Rig) -> None:
    many = [Wanted(Path(ip_address(0x0A00_0000 + n)), FAST) for n in range(SESSIONS_MOST + 1)]
    rig.want(*many)
    troubles = [report.trouble for report in rig.told()]
    assert troubles == [0] * SESSIONS_MOST + [errno.E2BIG]
    assert len(rig.desk) == SESSIONS_MOST


def test_what_the_kernel_kept_back_is_counted_with_what_came_from_afar(rig: Rig) -> None:
    rig.want(Wanted(PATH, FAST))
    rig.hear(packet(your_discriminator=0), HERE._replace(ttl=254))
    rig.network.dropped = 3
    rig.desk.obey(Request(RequestKind.FIGURES), now=rig.now)
    totals = next(report for report in rig.desk.reports() if isinstance(report, Totals))
    assert totals.drops == {DropReason.BAD_TTL: 4}


def test_another_least_ttl_reaches_the_kernel_at_once(rig: Rig) -> None:
    far = Wanted(PATH._replace(is_multihop=True), FAST, minimum_ttl=250)
    for least in (250, 240):
        rig.want(far._replace(minimum_ttl=least))
        assert rig.network.least == {far.path: least}
