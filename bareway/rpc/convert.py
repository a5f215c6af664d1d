"""Status to message and back: no protobuf message gets past this file.

Both directions are here because both ends are ours; what a newer program adds is left out, and a word that an
older one does not know comes through as text. Raises nothing for a message that a program of ours wrote.
"""

from ipaddress import ip_address

from bareway.model.names import InterfaceName, NodeName, ObjectKey, PoolName
from bareway.model.problems import Problem, Severity
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    ControllerStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    OnLinkStatus,
    PoolStatus,
    SpeakerStatus,
    WaitingService,
)
from bareway.rpc.peers import peer_message, peer_status
from bareway.rpc.v1 import configuration_pb2, controller_pb2, speaker_pb2

SEVERITIES = {
    Severity.ERROR: configuration_pb2.SEVERITY_ERROR,
    Severity.WARNING: configuration_pb2.SEVERITY_WARNING,
}


def speaker_message(status: SpeakerStatus) -> speaker_pb2.SpeakerStatus:
    """What a speaker answers."""
    return speaker_pb2.SpeakerStatus(
        version=status.version,
        node=status.node,
        api_connected=status.api_connected,
        not_ready=status.not_ready,
        configuration=_configuration_message(status.configuration),
        members=[
            speaker_pb2.Member(name=one.name, state=one.state, since_s=one.since_s, address=one.address)
            for one in status.members
        ],
        addresses=[
            speaker_pb2.AnnouncedAddress(
                address=str(one.address),
                services=[str(service) for service in one.services],
                announced_by=one.announced_by or "",
                reason=one.reason,
                listed=one.listed,
                protocol=one.protocol,
                on_link=_on_link_message(one.on_link) if one.on_link is not None else None,
            )
            for one in status.addresses
        ],
        links=[
            speaker_pb2.Link(name=one.name, mac=one.mac, subnets=one.subnets, reason=one.reason)
            for one in status.links
        ],
        leaving=status.leaving,
        list_generation=status.list_generation,
        profile=status.profile,
        partition=status.partition,
        findings=[
            speaker_pb2.Finding(address=str(one.address), reason=one.reason, mac=one.mac, node=one.node or "")
            for one in status.findings
        ],
        peers=map(peer_message, status.peers),
        bgp_problems=map(_problem_message, status.bgp_problems),
    )


def speaker_status(message: speaker_pb2.SpeakerStatus) -> SpeakerStatus:
    """What a speaker answered."""
    return SpeakerStatus(
        version=message.version,
        node=NodeName(message.node),
        api_connected=message.api_connected,
        not_ready=tuple(message.not_ready),
        configuration=_configuration_status(message.configuration),
        members=tuple(
            MemberStatus(name=NodeName(one.name), state=one.state, since_s=one.since_s, address=one.address)
            for one in message.members
        ),
        addresses=tuple(
            AddressStatus(
                address=ip_address(one.address),
                services=tuple(_key(service) for service in one.services),
                announced_by=NodeName(one.announced_by) if one.announced_by else None,
                reason=one.reason,
                listed=tuple(map(NodeName, one.listed)),
                protocol=one.protocol or "layer2",
                on_link=_on_link(one.on_link) if one.HasField("on_link") else None,
            )
            for one in message.addresses
        ),
        links=tuple(
            LinkStatus(
                name=InterfaceName(one.name), mac=one.mac, subnets=tuple(one.subnets), reason=one.reason
            )
            for one in message.links
        ),
        leaving=message.leaving,
        list_generation=message.list_generation,
        profile=message.profile,
        partition=message.partition,
        findings=tuple(
            FindingStatus(
                address=ip_address(one.address),
                reason=one.reason,
                mac=one.mac,
                node=NodeName(one.node) if one.node else None,
            )
            for one in message.findings
        ),
        peers=tuple(map(peer_status, message.peers)),
        bgp_problems=tuple(map(_problem, message.bgp_problems)),
    )


def controller_message(status: ControllerStatus) -> controller_pb2.ControllerStatus:
    """What a controller answers."""
    return controller_pb2.ControllerStatus(
        version=status.version,
        api_connected=status.api_connected,
        not_ready=status.not_ready,
        configuration=_configuration_message(status.configuration),
        pools=[
            controller_pb2.Pool(
                name=one.name,
                total=str(one.total),
                used=str(one.used),
                total_ipv6=str(one.total_ipv6),
                used_ipv6=str(one.used_ipv6),
            )
            for one in status.pools
        ],
        waiting=[
            controller_pb2.WaitingService(service=str(one.service), reason=one.reason, message=one.message)
            for one in status.waiting
        ],
        identity=status.identity,
        leader=status.leader,
        leads=status.leads,
        members_alive=status.members_alive,
        members_known=status.members_known,
        list_generation=status.list_generation,
    )


def controller_status(message: controller_pb2.ControllerStatus) -> ControllerStatus:
    """What a controller answered."""
    return ControllerStatus(
        version=message.version,
        api_connected=message.api_connected,
        not_ready=tuple(message.not_ready),
        configuration=_configuration_status(message.configuration),
        pools=tuple(
            PoolStatus(
                name=PoolName(one.name),
                total=int(one.total),
                used=int(one.used),
                total_ipv6=int(one.total_ipv6 or 0),
                used_ipv6=int(one.used_ipv6 or 0),
            )
            for one in message.pools
        ),
        waiting=tuple(
            WaitingService(service=_key(one.service), reason=one.reason, message=one.message)
            for one in message.waiting
        ),
        identity=message.identity,
        leader=message.leader,
        leads=message.leads,
        members_alive=message.members_alive,
        members_known=message.members_known,
        list_generation=message.list_generation,
    )


def _on_link_message(status: OnLinkStatus) -> speaker_pb2.OnLink:
    return speaker_pb2.OnLink(
        links=status.links,
        last_unsolicited_s=status.last_unsolicited_s,
        last_answer_s=status.last_answer_s,
    )


def _on_link(message: speaker_pb2.OnLink) -> OnLinkStatus:
    return OnLinkStatus(
        links=tuple(map(InterfaceName, message.links)),
        last_unsolicited_s=message.last_unsolicited_s if message.HasField("last_unsolicited_s") else None,
        last_answer_s=message.last_answer_s if message.HasField("last_answer_s") else None,
    )


def _configuration_message(status: ConfigurationStatus) -> configuration_pb2.Configuration:
    return configuration_pb2.Configuration(
        generation=status.generation,
        sha256=status.sha256,
        source=status.source,
        problems=map(_problem_message, status.problems),
    )


def _configuration_status(message: configuration_pb2.Configuration) -> ConfigurationStatus:
    return ConfigurationStatus(
        generation=message.generation,
        sha256=message.sha256,
        source=message.source,
        problems=tuple(_problem(one) for one in message.problems),
    )


def _problem_message(problem: Problem) -> configuration_pb2.Problem:
    return configuration_pb2.Problem(
        path=problem.path,
        message=problem.message,
        line=problem.line,
        hint=problem.hint,
        severity=SEVERITIES[problem.severity],
        document=problem.document,
    )


def _problem(message: configuration_pb2.Problem) -> Problem:
    is_warning = message.severity == configuration_pb2.SEVERITY_WARNING
    return Problem(
        path=message.path,
        message=message.message,
        line=message.line,
        hint=message.hint,
        severity=Severity.WARNING if is_warning else Severity.ERROR,
        document=message.document,
    )


def _key(text: str) -> ObjectKey:
    namespace, _, name = text.rpartition("/")
    return ObjectKey(namespace, name)
