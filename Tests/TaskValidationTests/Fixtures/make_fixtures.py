#!/usr/bin/env python3
"""Writes the tables in this folder, with pydantic 2.13 and Python 3.11's json as oracles.

    make_fixtures.py [SEED [COUNT]]    COUNT random cases for each table besides the listed ones

due_dates.jsonl   one value of due_date a line: what pydantic makes of it
bodies.jsonl      one body a line: the fields that are stored, or FastAPI's answer byte for byte
syntax.jsonl      one text a line: whether it is JSON, and Python's error and its place if not
"""

import json
import random
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, Optional

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

NOW = datetime(2027, 1, 1, tzinfo=timezone.utc)
HERE = Path(__file__).parent


class Task(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1)
    priority: Literal["low", "medium", "high"]
    due_date: Optional[datetime] = None

    @field_validator("due_date")
    @classmethod
    def in_the_future(cls, value):
        if value is not None and value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        if value is not None and value <= NOW:
            raise ValueError("due_date must be in the future")
        return value


class DuplicateKey(Exception):
    pass


class NotStrict(Exception):
    pass


def pairs(members):
    keys = [key for key, _ in members]
    if len(set(keys)) != len(keys):
        raise DuplicateKey
    return dict(members)


def constant(_):
    raise NotStrict


def loads(text):
    return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# --- due dates ------------------------------------------------------------------------------------

DATES = (
    """2030-01-01 2030-12-31 2030-02-29 2032-02-29 2100-02-29 2000-02-29 1600-01-01 1599-12-31 0001-01-01
0000-01-01 9999-12-31 2030-00-10 2030-13-01 2030-01-00 2030-01-32 2030-04-31 203-01-01 20300101 2030-1-1
2030/01/01 2030-01/01 x030-01-01 2030-x1-01 2030-01-x1 30-01-01""".split()
)
TIMES = """00:00 23:59 24:00 12:60 00:00:00 23:59:59 00:00:60 12:30:15.5 12:30:15.123456 12:30:15.1234567890
12:30:15. 12:30:15,25 12 12: 12:3 12:30:1 12:30: 12-30 1230 12:30:15.000000 12:30:15.0000001 x2:30
12:x0""".split()
OFFSETS = [
    "", "Z", "z", "+00:00", "-00:00", "+05:30", "+0530", "-0800", "+23:59", "-23:59", "+24:00", "+05",
    "+5:30", "+05:60", "\u221205:00", " Z", "ZZ", "+05:30Z", "+", "\u2212", "+0530x",
]
NUMBERS = (
    """0 -0 1 -1 20 86400 86401 1798761600 1798761601 4102444800 4102444800000 4102444800123 20000000000
20000000001 -20000000000 -20000000001 253402300799 253402300800 253402300799999 253402300800000
-62167219200000
-62167219200001 -62135596800000 -62135596800001 9223372036854775807 9223372036854775808 -9223372036854775808
-9223372036854775809 99999999999999999 1e3 4e9 4.1e9 4102444800.5 4102444800.25 4102444800123.25
4102444800.123456
4102444800.1234567 4102444800.9999999 4102444800.0000005 4102444800.0000015 4102444800123.9999 1.5 -1.5 0.5
-62167219200.5 253402300799999.5 253402300800000.5 253402300800000000.5 1e17 1e18 1e30 1e300 -1e30 1E10
5e-324
123456789012345678901234567890 100000000000000000.5 -11676096001 -0.0""".split()
)
DECIMAL_TEXTS = """+4102444800 +4102444800.5 004102444800 00 +0 - + . .. 1. .5 +.5 -.5 5. 1.. 1.5.5 1.e5
4.1e9
4.1E+9 4.1e 4.1e+ 1e10 1.5f 0x1.8 nan inf nan. inf. 1_000.0 4102444800.""".split() + [
    " 1",
    "1 ",
    "1.5 ",
    " 1.5",
    "1.0e400",
    "-1.0e400",
]


def date_cases(generator, count):
    for date in DATES:
        yield dumps(date)
        yield dumps(date + " ")
        yield dumps(" " + date)
    for time in TIMES:
        for separator in "Tt _":
            yield dumps("2030-01-01" + separator + time)
    for offset in OFFSETS:
        for time in ("00:00", "00:00:00", "23:59:59.5"):
            yield dumps("2030-01-01T" + time + offset)
    for separator in ["", "TT", "x", "  ", "T ", "é"]:
        yield dumps("2030-01-01" + separator + "00:00:00Z")
    for number in NUMBERS:
        yield number
        yield dumps(number)
    for text in DECIMAL_TEXTS:
        yield dumps(text)
    for value in [
        "true",
        "false",
        "[]",
        "[1]",
        "{}",
        '{"a":1}',
        '""',
        '"abc"',
        '"not-a-date"',
        '"é"',
        '"éééééééééé"',
    ]:
        yield value
    alphabet = "0123456789-:.,TZz+ _et\u2212x"
    seeds = [
        "2030-01-01T00:00:00.123456+05:30",
        "2031-12-31 23:59Z",
        "4102444800.25",
        "4102444800",
        "2030-06-15",
        "-4.1e9",
    ]
    for _ in range(count):
        choice = generator.random()
        if choice < 0.15:
            yield str(generator.randrange(-3 * 10**14, 3 * 10**14) // 10 ** generator.randrange(0, 12))
        elif choice < 0.35:
            yield repr(generator.uniform(-1, 1) * 10 ** generator.uniform(0, 19))
        elif choice < 0.5:
            yield dumps(
                "%.*f"
                % (generator.randrange(0, 9), generator.uniform(-1, 1) * 10 ** generator.uniform(0, 16))
            )
        else:
            text = list(generator.choice(seeds))
            for _ in range(generator.randrange(1, 4)):
                place = generator.randrange(len(text) + 1)
                action = generator.randrange(3)
                if action == 0 and text:
                    text.pop(min(place, len(text) - 1))
                elif action == 1:
                    text.insert(place, generator.choice(alphabet))
                elif text:
                    text[min(place, len(text) - 1)] = generator.choice(alphabet)
            yield dumps("".join(text))


def judge_date(text):
    try:
        value = TypeAdapter(datetime).validate_python(json.loads(text))
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        return {"value": text, "iso": value.isoformat()}
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        return {"value": text, "type": error["type"], "msg": error["msg"]}


# --- bodies ---------------------------------------------------------------------------------------

GOOD = {
    "title": "Water the plants",
    "description": "Both of them",
    "priority": "high",
    "due_date": "2030-01-01T09:30:00Z",
}
STRINGS = [
    '"a"', '""', '" "', '"\\u0000"', '"\\n\\t\\"\\\\\\/\\b\\f\\r"', '"\\u00e9\\ud83d\\ude00"', '"é😀"',
    '"' + "x" * 200 + '"', '"' + "x" * 201 + '"', '"' + "😀" * 200 + '"', '"' + "\\ud83d\\ude00" * 201 + '"',
    "5", "-0", "1.0", "1e5", "1E400", "-1.5e-7", "123456789012345678901", "1e16", "1e15", "0.0001",
    "0.00001", "-0.0", "true", "false", "null", "[]", "[1, 2 ]", "{}", '{"a" : [ null,true ]}',
    '["\\u2028\u007f/"]',
]
DUES = [
    "null", '"2030-01-01"', '"2020-01-01T00:00:00Z"', '"2027-01-01T00:00:00Z"',
    '"2027-01-01T00:00:00.000001Z"', '"2027-01-01T00:00:00"', '"2027-01-01T05:30:00+05:30"',
    '"2027-01-01T05:30:01+0530"', "4102444800", "4102444800.5", '"4102444800"', "20", '"20"', "true", "[1]",
    "{}", '""', '"not-a-date"', '"2030-13-01T00:00:00Z"', '"2030-02-30"', '"2030-02-20T25:00:00"', "1e30",
    '"0000-01-01"', '"2030-01-01T00:00:00.123456789Z"',
]
PRIORITIES = [
    '"low"', '"medium"', '"high"', '"l\\u006fw"', '"Low"', '"urgent"', '""', "1", "null", '["low"]',
]


def body_cases(generator, count):
    def written(fields, tight=True):
        colon, comma = (":", ",") if tight else (" :\t", "\r\n, ")
        return "{" + comma.join('"%s"%s%s' % (key, colon, value) for key, value in fields) + "}"

    base = [(key, dumps(value)) for key, value in GOOD.items()]

    def with_field(name, value):
        return [(key, value if key == name else old) for key, old in base]

    yield from [written(base), written(base, False), "  " + written(base) + "\n", written(base[::-1])]
    for name in GOOD:
        yield written([field for field in base if field[0] != name])
        choices = {"due_date": DUES, "priority": PRIORITIES}.get(name, STRINGS)
        for value in choices:
            yield written(with_field(name, value))
    yield written(base + [("extra", "1"), ("another", '{"title":5}')])
    yield written([("\\u0074itle", '"x"')] + base[1:])
    yield from [
        "{}",
        "[]",
        "[1,2]",
        '"text"',
        "5",
        "1.50",
        "null",
        "true",
        '{"title":1,"description":2,"priority":3,"due_date":[]}',
    ]
    yield '{"priority":"low","due_date":"2030-01-01T00:00:00Z"}'
    yield '{"title":"a",}'
    yield ""
    for _ in range(count):
        fields = [
            ("title", generator.choice(STRINGS)),
            ("description", generator.choice(STRINGS)),
            ("priority", generator.choice(PRIORITIES)),
            ("due_date", generator.choice(DUES)),
            ("x%d" % generator.randrange(3), generator.choice(STRINGS)),
        ]
        generator.shuffle(fields)
        text = written(fields[: generator.randrange(1, 6)], generator.random() < 0.5)
        if generator.random() < 0.3:
            place = generator.randrange(len(text))
            text = (
                text[:place]
                + generator.choice(['"', "\\", "{", "}", ",", ":", "1", "", "\n", "é"])
                + text[place + 1 :]
            )
        yield text


def cut(value):
    return len(dumps(value).encode()) > 1024


def judge_body(text):
    try:
        value = loads(text)
    except (DuplicateKey, NotStrict):
        return None
    except json.JSONDecodeError as error:
        detail = [
            {
                "type": "json_invalid",
                "loc": ["body", error.pos],
                "msg": "JSON decode error",
                "input": {},
                "ctx": {"error": error.msg},
            }
        ]
        if text == "":
            return None
        return {"body": text, "status": 422, "answer": dumps({"detail": detail})}
    try:
        dumps(value).encode()
    except UnicodeEncodeError:
        return None  # half a character anywhere is refused by taskq
    except ValueError:
        pass
    try:
        task = Task.model_validate(value)
        due = task.due_date.isoformat() if task.due_date else None
        return {"body": text, "status": 201, "stored": [task.title, task.description, task.priority, due]}
    except ValidationError as failure:
        detail = []
        for error in failure.errors(include_url=False):
            entry = {
                "type": error["type"],
                "loc": ["body", *error["loc"]],
                "msg": error["msg"],
                "input": error["input"],
            }
            if error["type"] == "model_type":
                entry["type"] = "model_attributes_type"
                entry["msg"] = "Input should be a valid dictionary or object to extract fields from"
            elif "ctx" in error:
                entry["ctx"] = {"error": {}} if error["type"] == "value_error" else error["ctx"]
            detail.append(entry)
        try:
            if any(cut(entry["input"]) for entry in detail):
                return None
            return {"body": text, "status": 422, "answer": dumps({"detail": detail})}
        except ValueError:
            return None


# --- syntax ---------------------------------------------------------------------------------------

TEXTS = [
    "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,]", "[1 2]", '{"a"', '{"a":', '{"a":1', '{"a":1,',
    '{"a":1,}', '{"a" 1}', "{a:1}", "{1:1}", '{"a":}', "tru", "true", "truex", "nul", "null", "None", "'a'",
    "0", "00", "01", "-", "-0", "-01", "+1", "1.", ".1", "1.0", "1e", "1e+", "1e5", "1E-5", "1.e5", "0x10",
    "1 2", "1,2", '"', '"a', '"\\', '"\\"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\ud800\\u12g4"',
    '"\\u0041"', '"\\ud83d\\ude00"', '"a\nb"', '"a\tb"', '"\u007f"', '"é"x', "é", '["é", x]',
    '{"é":1 "b":2}', "\ufeff1", "[1]\x00", "\x0c1", "\u00a01", '{"a":1}{', "[[[[]]]", "/**/1", "# x\n1",
    '{"a":[1,{"b":null}],"c":"d"}',
]


def syntax_cases(generator, count):
    yield from TEXTS
    alphabet = list('{}[]:,"\\ut01e-.+ \n\tdxé😀') + [
        "null",
        "true",
        "false",
        '"a"',
        "\\ud83d\\ude00",
        "\\n",
    ]
    for _ in range(count):
        if generator.random() < 0.4:
            yield "".join(generator.choice(alphabet) for _ in range(generator.randrange(1, 12)))
        else:
            text = generator.choice(
                TEXTS[-1:]
                + ['{"k":"v","n":-1.5e+3,"t":true}', '[0,"\\u00e9",{"a":{}},[]]', '{"é":"😀","x":[1,2,3]}']
            )
            for _ in range(generator.randrange(1, 3)):
                place = generator.randrange(len(text) + 1)
                text = (
                    text[:place]
                    + generator.choice(alphabet + [""])
                    + text[place + generator.randrange(2) :]
                )
            yield text


def judge_syntax(text):
    try:
        value = loads(text)
        dumps(value).encode()
        return {"text": text, "valid": True}
    except json.JSONDecodeError as error:
        if text.startswith("\ufeff"):
            return {"text": text, "valid": False}
        return {"text": text, "valid": False, "msg": error.msg, "pos": error.pos}
    except (DuplicateKey, NotStrict, ValueError):
        return None


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    tables = {
        "due_dates": (date_cases, judge_date),
        "bodies": (body_cases, judge_body),
        "syntax": (syntax_cases, judge_syntax),
    }
    for name, (cases, judge) in tables.items():
        texts = dict.fromkeys(cases(random.Random(seed), count))
        lines = [json.dumps(case) for case in map(judge, texts) if case is not None]
        (HERE / (name + ".jsonl")).write_text("\n".join(lines) + "\n")
        print(name, len(lines), "cases, seed", seed)


main()
