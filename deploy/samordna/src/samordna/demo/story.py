"""The order of the story, the table at its end, and whether all of it came true."""

import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from chassis.servers import CouldNotStart, Keeper
from chassis.servers.issuer import Issuer
from samordna.demo import (
    duty,
    ending,
    handling,
    lending,
    looking,
    meeting,
    opening,
    promises,
    referring,
    silence,
    trouble,
)
from samordna.demo.play import SWEDEN, Broken, Play, read_script
from samordna.operator import NotThere, Operator
from samordna.personas import PERSONAS
from samordna.stack import Stack, stack_up
from samordna.tail import tail

Step = Callable[[Play], Awaitable[None]]

STORY: tuple[tuple[str, str, Step], ...] = (
    ("door", "Dörren / the door", opening.door),
    ("opened", "Två fall öppnas / two cases are opened", opening.opened),
    ("certified", "Läkarintyg och kartläggning / certificates and initial assessment", opening.certified),
    ("assigned", "Handläggare och ersättare / a handler, and a stand-in", handling.assigned),
    ("degrees_set", "Graden av nedsättning / the degree of incapacity", handling.degrees_set),
    ("informed", "Vården får berätta, med medgivande / health care may tell, with consent", opening.informed),
    ("case_killed", "case-service dödas / case-service is killed", opening.case_killed),
    ("decided", "Behovet avgörs / the need is decided", opening.decided),
    ("day_25", "Dag 25: påminnelse om plikten / the reminder of the duty", duty.day_25),
    ("day_31", "Dag 31: ingen plan känd / no plan is known", duty.day_31),
    ("requested", "FK begär planerna / FK asks for the plans", duty.requested),
    ("plan_a", "Arbetsgivare A lämnar plan och PDF / employer A hands in plan and PDF", duty.plan_a),
    ("assessed", "FK bedömer A:s plan / FK assesses A's plan", duty.assessed),
    ("plan_killed", "plan-service dödas / plan-service is killed", trouble.plan_killed),
    ("proposed", "Personen föreslår ett möte / the person proposes a meeting", meeting.proposed),
    ("consent_first", "Inget möte utan medgivande / no meeting without consent", meeting.consent_first),
    ("notification_killed", "notification-service dödas / notification-service is killed", meeting.notification_killed),
    ("answered", "Kallelsen besvaras / the invitation is answered", meeting.answered),
    ("meeting_killed", "meeting-service dödas / meeting-service is killed", meeting.meeting_killed),
    ("store_lost", "Mäklarens lager raderas / the broker's store is deleted", trouble.store_lost),
    ("rebuilt", "En läsmodell byggs om under arbete / a read model is rebuilt under load", trouble.rebuilt),
    ("begun", "A:s aktivitet börjar / A's activity begins", promises.begun),
    ("reminded", "Arbetsgivare B tiger och påminns / employer B is silent and reminded", silence.reminded),
    ("activity_missed", "En aktivitet hos A missas / an activity at A is missed", promises.activity_missed),
    ("extended", "Fall B förlängs / case B is extended", handling.extended),
    ("expired", "Ett medgivande går ut / a consent expires", lending.expired),
    ("held", "Avstämningsmötet / the status meeting", meeting.held),
    ("not_received", "Dag +29: planen har inte kommit / the plan has not come", silence.not_received),
    ("referred", "Remiss till Arbetsförmedlingen / referral to AF", referring.referred),
    ("withdrawn", "B tar tillbaka sitt medgivande / B withdraws consent", referring.withdrawn),
    ("assessed_together", "Gemensam kartläggning / joint assessment", referring.assessed_together),
    ("climbs", "Uppgiften stiger / the task climbs", silence.climbs),
    ("tipped", "Tips till Arbetsmiljöverket / a tip to AV", ending.tipped),
    ("closed", "Fall A avslutas / case A is closed", ending.closed),
    ("nothing_leaked", "Det som inte får synas / what must not be seen", looking.nothing_leaked),
    ("traced", "Ett spår genom huset / one trace through the house", looking.traced),
)

TROUBLES = (Broken, NotThere, CouldNotStart, httpx.HTTPError, KeyError, ValueError, IndexError, TimeoutError)


async def tell(checkout: Path, out: Console, keeper: Keeper | None = None) -> bool:
    """Set up a fresh stack, play the whole story, stop it again. True if everything came true."""
    began = time.monotonic()
    script, result = read_script(checkout / "deploy" / "demo"), checkout / "build" / "demo.json"
    result.unlink(missing_ok=True)  # an earlier one must not speak for a story that breaks off
    stack = Stack(checkout, "demo", keep=keeper, say=lambda line: out.print(f"   [dim]{line}[/dim]"))
    await stack.down()
    stack.wipe()
    out.print("[bold]Stacken startar / the stack starts[/bold]")
    async with stack_up(stack, script.begins.astimezone(UTC)):
        issuer = Issuer(stack.desk_url, (stack.home / "issuer.pem").read_bytes())
        tokens = {name: issuer.token(persona, 3600) for name, persona in PERSONAS.items()}
        play = Play(stack, script, Operator(stack, tokens["operator"]), issuer, tokens, out)
        await _play_all(play)
        if not play.failed:
            out.print(await _timeline(play))
    seconds = time.monotonic() - began
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps(play.result(seconds), indent=2) + "\n")
    for what in play.failed:
        out.print(f"[red]✗ {what}[/red]")
    if play.failed:
        out.print(f"Loggar / logs: {stack.home}")
    out.print(f"demo: {play.met} of {play.expectations} expectations met in {seconds:.1f} s")
    return play.met == play.expectations


async def _play_all(play: Play) -> None:
    """Every step; after one that cannot be built on, the others count as one unmet expectation each."""
    for number, (name, title, step) in enumerate(STORY):
        try:
            async with play.step(name, title):
                await step(play)
        except TROUBLES as error:
            play.expect(f"steget kan spelas / the step can be played: {type(error).__name__}", False, str(error)[:600])
            for later, _, _ in STORY[number + 1 :]:
                play.steps[later] = 1
                play.failed.append(f"{later}: spelades inte / was not played")
            return


async def _timeline(play: Play) -> Table:
    """Day, party, event, service: what both cases' streams say, in the order in which it was recorded."""
    table = Table(title="Tidslinje / timeline", title_justify="left")
    for column in ("dag / day", "datum / date", "fall / case", "part / party", "händelse / event", "tjänst / service"):
        table.add_column(column, no_wrap=True)
    cases = {ids.case: which for which, ids in play.ids.items()}
    rows: list[tuple[datetime, int, str, str, str, str]] = []
    for order, service in enumerate(play.stack.members):
        async for seen in tail(play.stack.nats.url("ops"), service, 100_000, follow=False):
            case = "-" if "Tip" in seen.name else cases.get(seen.case_id, "")  # a tip belongs to no case
            if case and seen.recorded_at is not None:
                party = seen.actor.split(" ")[0] or "system"
                rows.append((seen.recorded_at, order, case, party, seen.name, service))
    for at, _, case, party, event, service in sorted(rows, key=lambda r: (r[0], r[1])):
        day = (at.astimezone(SWEDEN).date() - play.day(1)).days + 1
        table.add_row(str(day), str(at.astimezone(SWEDEN).date()), case, party, event, service)
    return table
