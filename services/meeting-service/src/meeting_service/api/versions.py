"""Which version of a meeting did the caller read, and which is there now? All meetings of a case are one stream, but
each has a version of its own: a change of one refuses nobody who changes another."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.decider import Aggregate, Decider
from chassis.http import Act
from chassis.perform import Stale
from contracts.meeting import MeetingEvent
from meeting_service.domain.commands import MeetingCommand
from meeting_service.domain.meetings import Command, Meetings, decider, meetings


async def change(act: Act, case_id: UUID, command: MeetingCommand, match_needed: bool = False) -> Mapping[str, Any]:
    """Act on one meeting, if it has the version that If-Match names; ETag is then the version it has now.

    Answers its `meetingId`: when the request was made before, that of the first time."""
    meeting_id = command.meeting_id
    matched = _if_unchanged(meeting_id, act.match(match_needed))

    def answer(known: Meetings, facts: Sequence[MeetingEvent]) -> Mapping[str, Any]:
        return {"meetingId": str(meeting_id), "version": decider.fold(facts, known).version(meeting_id)}

    done = await act(matched, case_id, command, answer=answer)
    if "version" in done.answer:  # answers that were kept before meetings had one hold none
        act.etag(done.answer["version"])
    return {"meetingId": str(meeting_id), **done.answer}


def _if_unchanged(meeting_id: UUID, version: int | None) -> Aggregate[Command, Meetings, MeetingEvent]:
    """The case's meetings, where nothing is decided once the meeting has moved on from `version`."""
    if version is None:
        return meetings

    def decide(command: Command, known: Meetings) -> Sequence[MeetingEvent]:
        if known.version(meeting_id) != version:
            raise Stale
        return decider.decide(command, known)

    return Aggregate(meetings.category, Decider(initial=decider.initial, decide=decide, evolve=decider.evolve))
