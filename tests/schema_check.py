"""The shipped JSON Schema against the program and every shipped scenario.

    schema_check.py QUINTET

The schema in scenarios/schema.json is what QUINTET prints; it accepts every scenario, and every
variant after its merge patch (RFC 7396); and it refuses what is wrong, or it would prove nothing.
"""
import copy
import glob
import json
import subprocess
import sys
import urllib.parse

import jsonschema

SCHEMA_PATH = "scenarios/schema.json"
failures = []


def merge_patch(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def fail(text):
    failures.append(text)
    print(text)


def validate(validator, document, name):
    for error in sorted(validator.iter_errors(document), key=lambda e: list(map(str, e.path))):
        deepest = jsonschema.exceptions.best_match([error])
        where = ".".join(map(str, deepest.absolute_path)) or "(top)"
        fail(f"{name}: {where}: {deepest.message[:300]}")


def variants_of(document):
    """The base and each variant, as the loader merges them: `about` and `seeds` included."""
    yield "", document
    for name, patch in document.get("variants", {}).items():
        merged = merge_patch(document, patch)
        merged.pop("variants", None)
        yield name, merged


def must_refuse(validator, document, what):
    if validator.is_valid(document):
        fail(f"{SCHEMA_PATH}: accepts {what}")


def check_refusals(validator, document):
    wrong = copy.deepcopy(document)
    wrong["membres"] = {}
    must_refuse(validator, wrong, "an unknown key at the top")
    for key, value, what in (
        ("duration", 7200, "a duration without a unit"),
        ("seed", "one", "a seed that is no number"),
        ("members", [], "members as an array"),
    ):
        wrong = copy.deepcopy(document)
        wrong[key] = value
        must_refuse(validator, wrong, what)
    wrong = copy.deepcopy(document)
    next(iter(wrong["members"].values()))["colour"] = "red"
    must_refuse(validator, wrong, "an unknown key of a member")


def main(quintet):
    printed = subprocess.run([quintet, "schema"], capture_output=True, text=True, check=True).stdout
    try:
        with open(SCHEMA_PATH, encoding="utf-8") as file:
            committed = file.read()
    except FileNotFoundError:
        committed = ""
    if committed != printed:
        fail(f"{SCHEMA_PATH} is not what the program prints; `build/quintet schema >{SCHEMA_PATH}` and look at the difference")
    schema = json.loads(printed)
    if not urllib.parse.urlsplit(schema["$id"]).scheme:
        fail(f"{SCHEMA_PATH}: $id {schema['$id']} is relative; not every validator resolves $refs then")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    paths = sorted(glob.glob("scenarios/**/*.json", recursive=True) + glob.glob("tools/bench.d/*.json"))
    count = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if "quintet" not in document:
            continue
        for variant, merged in variants_of(document):
            validate(validator, merged, f"{path} {variant}".strip())
            count += 1
        check_refusals(validator, document)
    if count == 0:
        fail("scenarios/: no scenario was found")
    print(f"{count} documents against the schema, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
