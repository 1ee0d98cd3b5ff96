"""While case-service does not answer, nothing is decided that rests on it; the rest goes on."""

from typing import Any

YES = {"answer": "YES", "arrangement": 1}


async def test_without_an_answer_nothing_is_decided_that_rests_on_it(alone: Any) -> None:
    case_id, at = await alone.called()
    _, other = await alone.called()
    await alone.case.vanish()
    before = await alone.facts()
    for ask in (
        alone.fk.post(at.rpartition("/")[0], json=alone.meeting()),
        alone.hr.get(at),
        alone.hr.get("/v1/invitations"),
        alone.hr.post(f"{at}/answers", json=YES),
    ):
        answer = await ask
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/owner-unreachable")
        assert answer.headers["Retry-After"]
    assert await alone.facts() == before
    assert (await alone.fk.get(at)).status_code == 200
    assert (await alone.person(case_id).post(f"{at}/answers", json=YES)).status_code == 201
    assert (await alone.fk.post(f"{other}/cancellation", json={"reason": "OTHER"})).status_code == 201


async def test_a_message_of_the_case_that_was_set_aside_stops_it_too(desk: Any) -> None:
    case_id, at = await desk.called()
    pool = desk.running.runtime.pool
    await pool.execute(
        "insert into dead_letters values ('case', 1000000, $1, 'ConsentWithdrawn', 'dead', 'poison', 1, now())",
        case_id,
    )
    refused = await desk.fk.post(at.rpartition("/")[0], json=desk.meeting())
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/set-aside")
    await pool.execute("delete from dead_letters where position = 1000000")
