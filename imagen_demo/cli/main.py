"""The same jobs without a browser: ``python -m imagen_demo COMMAND``.

Every command prints its result on stdout, as JSON with ``--json``, and ends with 0;
with 2 and one sentence on stderr when the input is at fault; with 1 when the work failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

# Importing them adds their commands, in the order in which --help lists them.
from imagen_demo.cli import learning  # noqa: F401

# isort: split
from imagen_demo.cli import directions, evaluation, export, films, pictures  # noqa: F401
from imagen_demo.cli.commands import Result, app, command, program
from imagen_demo.errors import Cancelled, UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        result = app(args=arguments, prog_name=program(), standalone_mode=False)
    except (UserError, typer.TyperException) as error:
        print(_sentence(error), file=sys.stderr)
        return 2
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        print("Stopped; nothing half-made was left behind.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"That did not work: {error}.", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


def _sentence(error: Exception) -> str:
    unknown = type(error).__name__ == "NoSuchOption"  # typer does not export the class
    if unknown and getattr(error, "option_name", "") == "--workspace":
        return f"--workspace stands before the command: {program()} --workspace DIR COMMAND"
    return error.format_message() if isinstance(error, typer.TyperException) else str(error)


@command()
def doctor(context: typer.Context) -> Result:
    """Look at this machine and say what works."""
    from imagen_demo.studio.doctor import examine

    findings = examine(context.obj)
    width = max(len(finding.name) for finding in findings)
    lines = [f"{f.level:7}  {f.name:{width}}  {f.found}{f'  -> {f.advice}' if f.advice else ''}" for f in findings]
    broken = any(finding.level == "problem" for finding in findings)
    return Result([vars(finding) for finding in findings], "\n".join(lines), code=int(broken))
