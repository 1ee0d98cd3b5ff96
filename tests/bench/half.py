"""One half of a round, in a process of its own: `python -m tests.bench.half MODULE FUNCTION STAGE OPTIONS`.

A process of its own gives neither side the other's garbage, caches or imports. The last line printed is what was
found, as JSON.
"""

import importlib
import json
import sys

from tests.bench.stage import Stage


def main() -> None:
    module, function, stage, options = sys.argv[1:]
    found = getattr(importlib.import_module(f"tests.bench.{module}"), function)(
        Stage(**json.loads(stage)), **json.loads(options)
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
