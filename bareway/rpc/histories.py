"""What a speaker remembers, to message and back; see ``convert`` for the rules."""

from datetime import UTC, datetime
from ipaddress import ip_address

from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import NodeName
from bareway.rpc.v1 import history_pb2


def history_message(history: SpeakerHistory) -> history_pb2.SpeakerHistory:
    """What a speaker answers."""
    return history_pb2.SpeakerHistory(
        node=history.node,
        since=history.since.timestamp(),
        dropped=history.dropped,
        key="" if history.key is None else str(history.key),
        handovers=map(_handover_message, history.handovers),
    )


def speaker_history(message: history_pb2.SpeakerHistory) -> SpeakerHistory:
    """What a speaker answered."""
    return SpeakerHistory(
        node=NodeName(message.node),
        since=datetime.fromtimestamp(message.since, tz=UTC),
        dropped=message.dropped,
        key=ip_address(message.key) if message.key else None,
        handovers=tuple(map(_handover, message.handovers)),
    )


def _handover_message(handover: Handover) -> history_pb2.Handover:
    return history_pb2.Handover(
        address=str(handover.address),
        generation=handover.generation,
        count=handover.count,
        former=handover.former or "",
        holder=handover.holder or "",
        at=handover.at.timestamp(),
        reason=handover.reason,
        gap_s=handover.gap_s,
        detail=handover.detail,
    )


def _handover(message: history_pb2.Handover) -> Handover:
    return Handover(
        address=ip_address(message.address),
        generation=message.generation,
        count=message.count,
        former=NodeName(message.former) if message.former else None,
        holder=NodeName(message.holder) if message.holder else None,
        at=datetime.fromtimestamp(message.at, tz=UTC),
        reason=message.reason,
        gap_s=message.gap_s if message.HasField("gap_s") else None,
        detail=message.detail,
    )
