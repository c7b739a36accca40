"""JUnit XML and workflow commands, read as CI systems read them."""

import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.ci_reports import Case, github_commands, junit_xml
from convcli.render import visible
from tests.examples import examples

TEXT = st.text(st.characters(), max_size=12) | st.text("%,:<&>\"'\n\r\0]", max_size=9)

# The schema of Ant, which is stricter than that of Jenkins, for each element: attributes, and children in order as a pattern.
SCHEMA = {
    "testsuites": ("", "(testsuite )*"),
    "testsuite": (
        "name package id timestamp hostname tests failures errors time",
        "properties (testcase )*system-out system-err ",
    ),
    "testcase": ("name classname time", "((failure|error) )?"),
    **dict.fromkeys(("failure", "error"), ("message type", "")),
    **dict.fromkeys(("properties", "system-out", "system-err"), ("", "")),
}


def check_schema(element: ElementTree.Element) -> None:
    attributes, children = SCHEMA[element.tag]
    assert set(element.attrib) == set(attributes.split())
    assert re.fullmatch(children, "".join(f"{child.tag} " for child in element)), element.tag
    for child in element:
        check_schema(child)


def unescaped(text: str) -> str:
    """Decode as GitHub's runner does, the percent sign last."""
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


@settings(max_examples=examples(40))
@given(
    st.lists(
        st.builds(
            Case,
            name=TEXT,
            outcome=st.sampled_from(["passed", "failed", "error"]),
            file=TEXT,
            message=TEXT,
            details=st.lists(TEXT, max_size=2),
            kind=st.just("Kind"),
            seconds=st.floats(0, 9),
        ),
        max_size=3,
    )
)
def test_hostile_texts_are_escaped(cases: list[Case]) -> None:
    text = junit_xml(cases)
    root = ElementTree.fromstring(text.encode())
    check_schema(root)
    (suite,) = root
    assert {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors")} == {
        "tests": len(cases),
        "failures": sum(case.outcome == "failed" for case in cases),
        "errors": sum(case.outcome == "error" for case in cases),
    }
    for case, test in zip(cases, suite.findall("testcase"), strict=True):
        assert test.attrib["name"] == visible(case.name)
        reported = {"failure": "failed", "error": "error"}.get(test[0].tag) if len(test) else "passed"
        assert reported == case.outcome
        for found in test:
            assert found.attrib == {"message": visible(case.message), "type": "Kind"}
            assert (found.text or "") == "\n".join(map(visible, case.details or [case.message]))

    bad = [case for case in cases if case.outcome != "passed"]
    lines = github_commands(cases).splitlines()
    assert len(lines) == len(bad)
    for case, line in zip(bad, lines, strict=True):
        command, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
        pairs = dict(each.split("=", 1) for each in properties.split(","))
        assert command == "error"
        assert {name: unescaped(value) for name, value in pairs.items()} == {
            "file": visible(case.file),
            "title": f"convcli diff: {visible(case.name)}",
        }
        assert unescaped(message) == "\n".join(map(visible, (case.message, *case.details)))
