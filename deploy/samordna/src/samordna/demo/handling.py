"""What FK does to keep a case in order: who handles it, how long it is expected to last, how much work is possible."""

from samordna.demo.play import Play, problem


async def assigned(play: Play) -> None:
    """Case A gets a handler, whose tasks are those of A from then on, and somebody stands in for a fortnight: never
    until a day that has passed, and never without a day. Who handles it is FK's own: no party says so."""
    path, told = f"{play.at('A')}/assignment", play.script.told["assignment"]
    first = await play.call("fk-manager", "PUT", "case", path, json=told)
    play.need("enhetschefen utser handläggare / the unit manager names a handler", first.status_code == 200, first.text)
    away = {"substituteRef": play.script.told["substitute"]["ref"], "until": play.script.told["substitute"]["until"]}
    endless = {"substituteRef": away["substituteRef"]}
    past = away | {"until": str(play.day(1))}
    refused = [await play.call("fk-handler", "PUT", "case", path, json=told | wrong) for wrong in (endless, past)]
    play.expect(
        "en ersättare utan dag, eller till en dag som varit: 422 / a stand-in without a day, or until a past one: 422",
        [problem(r) for r in refused] == [(422, "stand-in-until-passed")] * 2,
        [r.text for r in refused],
    )
    seen = await play.read("fk-handler", "case", play.at("A"))
    play.expect("inget ändrades / nothing changed", _who(seen) == (told["handlerRef"], None, None), seen)
    done = await play.call("fk-handler", "PUT", "case", path, json=told | away)
    seen = await play.read("fk-specialist", "case", play.at("A"))
    play.expect(
        "ersättaren gäller till sin dag / somebody stands in until that day",
        done.status_code == 200 and _who(seen) == (told["handlerRef"], away["substituteRef"], away["until"]),
        seen,
    )
    before = await play.head("case")
    again = await play.call("fk-handler", "PUT", "case", path, json=told | away)
    play.expect(
        "samma igen ändrar inget / the same again changes nothing",
        again.status_code == 200 and await play.head("case") == before,
        again.text,
    )
    party = await play.call("person-a", "PUT", "case", path, json=told)
    play.expect("ingen part utser: 403 / no party says who: 403", party.status_code == 403, party.text)


def _who(case: dict[str, dict[str, str]]) -> tuple[str | None, ...]:
    there = case["assignment"] or {}
    return tuple(there.get(k) for k in ("handlerRef", "substituteRef", "until"))


async def degrees_set(play: Play) -> None:
    """The degree of incapacity goes down step by step: in quarters, and never two at once for the same day."""
    path, periods = f"{play.at('A')}/degrees", play.script.told["degrees"]
    third = await play.call("fk-handler", "POST", "case", path, json={"periods": [periods[0] | {"incapacityPct": 30}]})
    play.expect("30 %: 422, bara fjärdedelar / quarters only", problem(third)[0] == 422, third.text)
    done = await play.call("fk-handler", "POST", "case", path, json={"periods": periods})
    play.need("FK sätter graden / FK sets the degree", done.status_code == 201, done.text)
    twice = {"periods": [periods[1] | {"incapacityPct": 25}]}
    overlapping = await play.call("fk-handler", "POST", "case", path, json=twice)
    play.expect(
        "två grader samma dagar: 422 periods-overlap / two degrees for the same days: 422",
        problem(overlapping) == (422, "periods-overlap"),
        overlapping.text,
    )
    seen = await play.read("person-a", "case", play.at("A"))
    play.expect("personen ser sina grader / the person sees the degrees", seen["degrees"] == periods, seen["degrees"])
    hidden = await play.call("af-officer", "GET", "case", play.at("A"))
    play.expect("AF ser dem inte / AF does not see them", hidden.status_code in (403, 404), hidden.text)


async def extended(play: Play) -> None:
    """Case B lasts longer than it was expected to; its days are counted from the first. It is never extended to an
    earlier day, and twice is once."""
    path, told = f"{play.at('B')}/extensions", play.script.told["extension"]
    shorter = await play.call("fk-handler", "POST", "case", path, json={"newExpectedEnd": str(play.day(100))})
    play.expect(
        "till en tidigare dag: 422 end-not-later / to an earlier day: 422",
        problem(shorter) == (422, "end-not-later"),
        shorter.text,
    )
    done = await play.call("fk-handler", "POST", "case", path, json=told)
    play.need("FK förlänger fall B / FK extends case B", done.status_code == 201, done.text)
    seen = await play.read("fk-handler", "case", play.at("B"))
    play.expect(
        "152 dagar, räknade från den första / 152 days, counted from the first",
        (seen["expectedEnd"], seen["expectedDays"]) == (told["newExpectedEnd"], 152),
        seen,
    )
    before = await play.head("case")
    again = await play.call("fk-handler", "POST", "case", path, json=told)
    play.expect(
        "samma igen ändrar inget / the same again changes nothing",
        again.is_success and await play.head("case") == before,
        again.text,
    )
    other = await play.read("fk-handler", "case", play.at("A"))
    play.expect("fall A är orört / case A is untouched", other["expectedDays"] == 120, other)
    hr = await play.call("hr-b", "POST", "case", path, json=told)
    play.expect("arbetsgivaren förlänger inte: 403 / the employer does not extend: 403", hr.status_code == 403, hr.text)
