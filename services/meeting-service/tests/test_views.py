"""Read models: each follows our own log alone, so in which order others are heard cannot change a row."""

from dataclasses import fields

from meeting_service.main import service


def test_every_read_model_follows_our_own_log_alone() -> None:
    """One that followed a second source would want the test that case-service has for its timeline."""
    for view in service.views:
        assert view.sources == (service.name,)


def test_rows_and_tables_have_the_same_columns() -> None:
    for view in service.views:
        assert [f.name for f in fields(view.row)] == [c.name for c in view.table.columns]
