"""The house rules that a linter has no rule for: sizes of files and folders, and private names."""

import ast
import re
from pathlib import Path

import pytest
import yaml

import pinnlab

PACKAGE = Path(pinnlab.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FOREIGN = {
    "_C": "torch: what a subclass of Tensor says to have no torch functions of its own",
    "_disabled_torch_function_impl": "torch: the same",
    "_are_functorch_transforms_active": "torch: whether a call is inside of vmap, jvp or vjp",
    "_functorch": "torch: its function transforms",
    "_dynamo": "torch: the settings of its compiler",
    "_inductor": "torch: the settings of its compiler",
    "_make_subclass": "torch: how a subclass of Tensor is made",
    "_schema": "torch: the name of a dispatched function",
    "_to_copy": "torch: the function behind .to() as it is dispatched",
    "_actions": "argparse: the options of a parser",
}
"""Private names of libraries, which offer no public ones for the same."""


def trees():
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def name(file):
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_file_is_longer_than_three_hundred_lines(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


def test_a_folder_has_ten_modules_at_most():
    for folder in {file.parent for file in FILES}:
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        assert len(modules) <= 10, f"{folder.relative_to(PACKAGE)}: {len(modules)}"


def private(text):
    return text.startswith("_") and not text.startswith("__")


def defined(tree):
    """The private names that a module defines: functions, classes, variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def test_no_module_uses_private_names_of_another():
    found = []
    for file, tree in trees().items():
        own = set(defined(tree)) | FOREIGN.keys()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pinnlab"):
                found += [f"{name(file)}: imports {a.name}" for a in node.names if private(a.name)]
            elif isinstance(node, ast.Attribute) and private(node.attr) and node.attr not in own:
                own_object = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                found += [] if own_object else [f"{name(file)}:{node.lineno}: {ast.unparse(node)}"]
    assert not found


def test_an_engine_is_asked_and_not_looked_at():
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                assert not ast.unparse(node.args[0]).endswith("engine"), f"{name(file)}:{node.lineno}"


INNER = {
    "former": "what gives former names",
    "rules": "imported for what it registers",
}
"""Names that a package has for itself."""


def offered(tree):
    """The public names that a module imports from pinnlab or defines, in branches for type checkers too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pinnlab"):
            yield from (alias.asname or alias.name for alias in node.names)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def listed(tree):
    """What a module says that it offers, or None if it says nothing; a list that is made as it runs is empty."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return ast.literal_eval(node.value) if isinstance(node.value, ast.List) else []
    return None


def test_a_package_says_all_that_it_offers():
    found = []
    for file in (file for file in FILES if file.name == "__init__.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = [
            each for each in offered(tree) if not private(each) and not each.startswith("__") and each not in INNER
        ]
        all_of_it = listed(tree)
        if all_of_it is None:
            found += [f"{name(file)} has no __all__" for _ in names[:1]]
        elif all_of_it:
            found += [f"{name(file)}: {each} is not in __all__" for each in names if each not in all_of_it]
    assert not found


def test_the_hooks_before_a_commit_are_what_make_lint_runs():
    repository = PACKAGE.parent
    makefile = (repository / "Makefile").read_text()
    commands = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    asked = [line.strip().replace("$(BIN)", ".venv/bin") for line in commands.splitlines()]
    (local,) = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local" and [hook["entry"] for hook in local["hooks"]] == asked


def test_forms_for_issues_ask_what_is_needed():
    forms = [yaml.safe_load(path.read_text()) for path in (PACKAGE.parent / ".github/ISSUE_TEMPLATE").glob("*.yml")]
    asked = {form["name"]: form["body"] for form in forms if "name" in form}
    assert len(asked) == 3
    for fields in asked.values():
        names = [field["id"] for field in fields]
        assert len(set(names)) == len(names) and all(field["attributes"]["label"] for field in fields)
        assert any(field.get("validations", {}).get("required") for field in fields)
