"""What one command leaves for the next."""

import os
from pathlib import Path

import pytest

from chassis.servers import CouldNotStart, Seen
from chassis.servers.keeper import born
from samordna.state import ServiceState, State, Turn, load, save


def test_a_state_comes_back_as_it_was_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    state = State(postgres_port=5, postgres_password="p", services={"plan": ServiceState(port=7, app_password="a")})
    state.processes["plan"] = Seen(pid=os.getpid(), born=born(os.getpid()) or "")
    save(tmp_path / "state.json", state)
    assert load(tmp_path / "state.json") == state
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "none.json") == State()


def test_a_process_number_that_was_given_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    state = State(processes={"plan": Seen(pid=os.getpid(), born="earlier")})
    assert state.process("plan") is None


def test_two_commands_do_not_start_one_stack_at_once(tmp_path: Path) -> None:
    with Turn(tmp_path / "lock"), pytest.raises(CouldNotStart, match="another command"), Turn(tmp_path / "lock"):
        pass
    with Turn(tmp_path / "lock"):
        pass
