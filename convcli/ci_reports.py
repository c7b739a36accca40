"""Reports for CI systems: JUnit XML, and the workflow commands of GitHub Actions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from convcli.render import visible

SUITE = "convcli diff"

Outcome = Literal["passed", "failed", "error"]


class Case(NamedTuple):
    """A test case.

    outcome : "passed", "failed", or "error" if the test could not be run
    file : the path of the tested file
    message, details : why the test did not pass, in one line and in several
    kind : the kind of the failure or error, in a word
    seconds : the duration
    """

    name: str
    outcome: Outcome
    file: str
    message: str = ""
    details: Sequence[str] = ()
    kind: str = ""
    seconds: float = 0.0


def junit_xml(cases: Sequence[Case]) -> str:
    r"""Return the cases as JUnit XML, valid by the schemas of Ant and of Jenkins.

    Characters that do not print are escaped, as in a\nb, because XML cannot contain control characters.
    """
    from xml.etree import ElementTree as Xml

    counts = {
        "tests": len(cases),
        "failures": sum(case.outcome == "failed" for case in cases),
        "errors": sum(case.outcome == "error" for case in cases),
    }
    root = Xml.Element("testsuites")
    suite = Xml.SubElement(
        root,
        "testsuite",
        {
            "name": SUITE,
            "package": "convcli",
            "id": "0",
            "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}",
            "hostname": "localhost",  # which the schema prescribes if the host is unknown
            **{name: str(count) for name, count in counts.items()},
            "time": f"{sum(case.seconds for case in cases):.3f}",
        },
    )
    Xml.SubElement(suite, "properties")
    for case in cases:
        attributes = {"name": visible(case.name), "classname": SUITE.replace(" ", ".")}
        test = Xml.SubElement(suite, "testcase", {**attributes, "time": f"{case.seconds:.3f}"})
        if case.outcome != "passed":
            tag = "failure" if case.outcome == "failed" else "error"
            found = Xml.SubElement(test, tag, {"message": visible(case.message), "type": case.kind})
            found.text = "\n".join(map(visible, case.details or [case.message]))
    Xml.SubElement(suite, "system-out")
    Xml.SubElement(suite, "system-err")
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def github_commands(cases: Sequence[Case]) -> str:
    """Return a workflow command for each case that did not pass, which GitHub shows next to the file."""
    return "".join(_command(case) for case in cases if case.outcome != "passed")


def _command(case: Case) -> str:
    file, title = (_property(visible(text)) for text in (case.file, f"{SUITE}: {case.name}"))
    text = _data("\n".join(map(visible, (case.message, *case.details))))
    return f"::error file={file},title={title}::{text}\n"


def _data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command, which ends at a comma or a colon."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


CI_FORMATS = {"junit": junit_xml, "github": github_commands}
CI_ENDINGS = {".xml": "junit"}
