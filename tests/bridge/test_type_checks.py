"""Types along the edges of a workflow: each workflow here was also given to the cluster's own compiler.

What is marked as accepted or refused is the verdict of `CompileWorkflow` of flytepropeller 1.16 on what flytekit
serialises of it.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import pytest
from flytekit import (
    LaunchPlan,
    StructuredDataset,
    Workflow,
    approve,
    conditional,
    dynamic,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.bridge.patches.applied import Patches
from flytenb.errors import DefinitionError, own_frames

ACCEPTED: list[Any] = []
REFUSED: list[tuple[Any, str]] = []


def accepted(function: Callable[..., Any]) -> Any:
    made = workflow(function)
    ACCEPTED.append(made)
    return made


def accepted_with_handler(function: Callable[..., Any]) -> Any:
    made = workflow(on_failure=handler)(function)
    ACCEPTED.append(made)
    return made


def refused(message: str) -> Callable[..., Any]:
    def refuse(function: Callable[..., Any]) -> Any:
        made = workflow(function)
        REFUSED.append((made, message))
        return made

    return refuse


Csv = FlyteFile["csv"]
Txt = FlyteFile["txt"]


class C(Enum):
    A = "a"
    B = "b"


@dataclass
class D:
    a: int
    b: list[str]


@task
def i(n: int) -> int:
    return n


@task
def s(n: int) -> str:
    return str(n)


@task
def f(n: float) -> float:
    return n


@task
def c(n: int) -> C:
    return C.A


@task
def takes_c(x: C) -> str:
    return ""


@task
def takes_s(x: str) -> str:
    return x


@task
def d(n: int) -> D:
    return D(n, [])


@task
def dd(n: int) -> dict:
    return {}


@task
def li(n: int) -> list[int]:
    return [n]


@task
def opt(n: int) -> int | None:
    return n


@task
def uni(n: int) -> int | str:
    return n


@task
def takes_opt(x: int | None = None) -> int:
    return 1


@task
def takes_uni(x: int | str) -> int:
    return 1


@task
def takes_li(x: list[int]) -> int:
    return 1


@task
def takes_ulist(x: list[int] | list[str]) -> int:
    return 1


@task
def takes_ol(x: list[int] | None = None) -> int:
    return 1


@task
def takes_f(x: float) -> float:
    return x


@task
def takes_d(x: D) -> int:
    return 1


@task
def takes_any(x: Any) -> int:
    return 1


@task
def ff(n: int) -> FlyteFile:
    return "x"


@task
def fc(n: int) -> Csv:
    return "x"


@task
def fd(n: int) -> FlyteDirectory:
    return "x"


@task
def takes_ft(x: Txt) -> int:
    return 1


@task
def takes_fdir(x: FlyteDirectory) -> int:
    return 1


@task
def takes_filedir(x: FlyteFile | FlyteDirectory) -> int:
    return 1


@task
def df(n: int) -> pd.DataFrame:
    return pd.DataFrame()


@task
def takes_sd(x: StructuredDataset) -> int:
    return 1


@task
def takes_dict(x: dict[str, int]) -> int:
    return 1


@task
def void():
    pass


@task
def two(n: int) -> tuple[int, str]:
    return n, ""


@task
def takes_dd(x: dict) -> int:
    return 1


@task
def takes_dt(x: datetime.timedelta) -> int:
    return 1


@accepted
def ok(n: int) -> int:
    return i(n=n)


@refused("the output 'o0' is declared int, 'o0' of node n0 (s) gives str")
def bad_out(n: int) -> int:
    return s(n=n)


@refused("the input 'n' of node n1 (f) takes float, 'o0' of node n0 (i) gives int")
def bad_in(n: int) -> float:
    return f(n=i(n=n))


@refused("the input 'n' of node n0 (f) takes float, 'n', the workflow's own input, gives int")
def wf_int_float(n: int) -> float:
    return f(n=n)


@accepted
def enum_str(n: int) -> str:
    return takes_s(x=c(n=n))


@accepted
def str_enum(n: int) -> str:
    return takes_c(x=s(n=n))


@accepted
def str_enum_out(n: int) -> C:
    return s(n=n)


@accepted
def enum_const() -> str:
    return takes_c(x=C.B)


@accepted
def opt_in(n: int) -> int:
    return takes_opt(x=i(n=n))


@accepted
def opt_const() -> int:
    return takes_opt(x=3)


@accepted
def opt_none() -> int:
    return takes_opt(x=None)


@accepted
def opt_default() -> int:
    return takes_opt()


@refused("the input 'n' of node n1 (i) takes int, 'o0' of node n0 (opt) gives int | None")
def opt_to_int(n: int) -> int:
    return i(n=opt(n=n))


@accepted
def out_opt(n: int) -> int | None:
    return i(n=n)


@refused("the output 'o0' is declared int | None, 'o0' of node n0 (s) gives str")
def out_opt_str(n: int) -> int | None:
    return s(n=n)


@accepted
def uni_in(n: int) -> int:
    return takes_uni(x=uni(n=n))


@refused("the input 'n' of node n1 (i) takes int, 'o0' of node n0 (uni) gives int | str")
def uni_to_int(n: int) -> int:
    return i(n=uni(n=n))


@refused("the input 'x' of node n1 (takes_opt) takes int | None, 'o0' of node n0 (uni) gives int | str")
def uni_opt(n: int) -> int:
    return takes_opt(x=uni(n=n))


@accepted
def list_of(n: int) -> list[int]:
    return [i(n=n), i(n=n)]


@refused("the output 'o0' is declared list[int], its [1] takes int, 'o0' of node n1 (s) gives str")
def list_mixed(n: int) -> list[int]:
    return [i(n=n), s(n=n)]


@accepted
def list_const(n: int) -> int:
    return takes_li(x=[1, 2])


@accepted
def list_promise_const(n: int) -> int:
    return takes_li(x=[1, i(n=n)])


@accepted
def list_empty(n: int) -> int:
    return takes_li(x=[])


@accepted
def ulist(n: int) -> int:
    return takes_ulist(x=[i(n=n)])


@accepted
def ulist_s(n: int) -> int:
    return takes_ulist(x=[s(n=n)])


@refused(
    "the input 'x' of node n1 (takes_ulist) takes list[int] | list[str], a list of node outputs fits none of these"
)
def ulist_f(n: int) -> int:
    return takes_ulist(x=[f(n=1.0)])


@refused(
    "the input 'x' of node n0 (takes_ulist) takes list[int] | list[str], a list fits more than one of "
    "these: list[int], list[str]"
)
def ulist_empty(n: int) -> int:
    return takes_ulist(x=[])


@accepted
def ol(n: int) -> int:
    return takes_ol(x=[i(n=n)])


@accepted
def ol_p(n: int) -> int:
    return takes_ol(x=li(n=n))


@accepted
def dict_of(n: int) -> dict[str, int]:
    return {"k": i(n=n)}


@refused("the output 'o0' is declared dict[str, int], its ['k'] takes int, 'o0' of node n0 (s) gives str")
def dict_bad(n: int) -> dict[str, int]:
    return {"k": s(n=n)}


@accepted
def dict_const(n: int) -> int:
    return takes_dict(x={"a": 1})


@accepted
def attr(n: int) -> int:
    return i(n=d(n=n).a)


@refused("the input 'n' of node n1 (i) takes int, 'o0'.b of node n0 (d) gives list[str]")
def attr_bad(n: int) -> int:
    return i(n=d(n=n).b)


@accepted
def attr_item(n: int) -> str:
    return takes_s(x=d(n=n).b[0])


@refused("'o0' of node n0 (d) has no field 'zz'")
def attr_missing(n: int) -> str:
    return takes_s(x=d(n=n).zz)


@refused("the input 'n' of node n1 (i) takes int, 'o0'.b[0] of node n0 (d) gives str")
def attr_item_bad(n: int) -> int:
    return i(n=d(n=n).b[0])


@accepted
def list_item(n: int) -> int:
    return i(n=li(n=n)[0])


@refused("the input 'x' of node n1 (takes_s) takes str, 'o0'[0] of node n0 (li) gives int")
def list_item_bad(n: int) -> str:
    return takes_s(x=li(n=n)[0])


@accepted
def dc_in(n: int) -> int:
    return takes_d(x=d(n=n))


@accepted
def dc_const(n: int) -> int:
    return takes_d(x=D(1, ["a"]))


@accepted
def dict_to_dc(n: int) -> int:
    return takes_d(x=dd(n=n))


@accepted
def dc_to_dict(n: int) -> int:
    return takes_dd(x=d(n=n))


@refused("the input 'x' of node n1 (takes_any) takes Any, 'o0' of node n0 (i) gives int")
def any_in(n: int) -> int:
    return takes_any(x=i(n=n))


@accepted
def any_const() -> int:
    return takes_any(x=3)


@refused("the input 'x' of node n1 (takes_ft) takes FlyteFile['txt'], 'o0' of node n0 (fc) gives FlyteFile['csv']")
def file_fmt(n: int) -> int:
    return takes_ft(x=fc(n=n))


@accepted
def file_dir(n: int) -> int:
    return takes_fdir(x=fc(n=n))


@accepted
def dir_fmt(n: int) -> int:
    return takes_ft(x=fd(n=n))


@refused(
    "the input 'x' of node n1 (takes_filedir) takes FlyteFile | FlyteDirectory, 'o0' of node n0 (fc) "
    "gives FlyteFile['csv'], which fits more than one of these: FlyteFile, FlyteDirectory"
)
def file_or_dir(n: int) -> int:
    return takes_filedir(x=fc(n=n))


@accepted
def frame_sd(n: int) -> int:
    return takes_sd(x=df(n=n))


@accepted
def frame_out(n: int) -> StructuredDataset:
    return df(n=n)


@accepted
def wfin_default(n: int = 3) -> int:
    return i(n=n)


@accepted
def mapped(n: int) -> list[int]:
    return map_task(i)(n=li(n=n))


@refused("the output 'o0' is declared list[str], 'o0' of node n1 (i) gives list[int]")
def mapped_bad(n: int) -> list[str]:
    return map_task(i)(n=li(n=n))


@accepted
def mapped_scalar(n: int) -> list[int]:
    return map_task(i)(n=[n, n])


@task
def twoin(a: int, b: str) -> str:
    return b


@accepted
def mapped_partial(n: int) -> list[str]:
    return map_task(partial(twoin, b="x"))(a=li(n=n))


@accepted
def mapped_partial_p(n: int) -> list[str]:
    return map_task(partial(twoin, b=s(n=n)))(a=li(n=n))


@refused("the input 'b' of node n2 (twoin) takes str, 'o0' of node n0 (i) gives int")
def mapped_partial_bad(n: int) -> list[str]:
    return map_task(partial(twoin, b=i(n=n)))(a=li(n=n))


@accepted
def mapped_opt(n: int) -> list[int | None]:
    return map_task(i, min_success_ratio=0.5)(n=li(n=n))


@accepted
def cond(n: int) -> int:
    return conditional("c").if_(n > 1).then(i(n=n)).else_().then(i(n=n))


@refused("the cases of node n0 (c) give 'o0' different types: node n0 (i) gives int, node n1 (s) gives str")
def cond_diff(n: int) -> int:
    return conditional("c").if_(n > 1).then(i(n=n)).else_().then(s(n=n))


@refused("the input 'x' of node n0 (takes_s) takes str, 'o0' of node n0 (i) gives int")
def cond_case_in_bad(n: int) -> str:
    x = i(n=n)
    return conditional("c").if_(n > 1).then(takes_s(x=x)).else_().then(takes_s(x="s"))


@refused("the output 'o0' is declared str, 'o0' of node n0 (c) gives int")
def cond_out_bad(n: int) -> str:
    return conditional("c").if_(n > 1).then(i(n=n)).else_().then(i(n=n))


@accepted
def cond_fail(n: int) -> int:
    return conditional("c").if_(n > 1).then(i(n=n)).else_().fail("no")


@accepted
def cond_nested(n: int) -> int:
    return (
        conditional("c")
        .if_(n > 1)
        .then(conditional("d").if_(n > 2).then(i(n=n)).else_().then(i(n=1)))
        .else_()
        .then(i(n=n))
    )


@accepted
def sub(n: int) -> int:
    return i(n=n)


@accepted
def calls_sub(n: int) -> int:
    return sub(n=n)


@refused("the input 'n' of node n1 (sub) takes int, 'o0' of node n0 (s) gives str")
def calls_sub_bad(n: int) -> int:
    return sub(n=s(n=n))


@refused("the output 'o0' is declared str, 'o0' of node n0 (sub) gives int")
def calls_sub_out_bad(n: int) -> str:
    return sub(n=n)


lp = LaunchPlan.get_or_create(sub, "lpx", default_inputs={"n": 3})


@accepted
def calls_lp(n: int) -> int:
    return lp(n=n)


@refused("the output 'o0' is declared str, 'o0' of node n0 (lpx) gives int")
def calls_lp_bad(n: int) -> str:
    return lp(n=n)


@refused("the input 'n' of node n1 (lpx) takes int, 'o0' of node n0 (s) gives str")
def calls_lp_in_bad(n: int) -> int:
    return lp(n=s(n=n))


@accepted
def multi(n: int) -> tuple[int, str]:
    return i(n=n), s(n=n)


@refused("the output 'o0' is declared str, 'o0' of node n0 (i) gives int")
def multi_swapped(n: int) -> tuple[str, int]:
    return i(n=n), s(n=n)


@accepted
def unpack(n: int) -> int:
    a, _ = two(n=n)
    return i(n=a)


@refused("the input 'n' of node n1 (i) takes int, 'o1' of node n0 (two) gives str")
def unpack_bad(n: int) -> int:
    _, b = two(n=n)
    return i(n=b)


@accepted
def gate(n: int) -> int:
    x = wait_for_input("g", timeout=datetime.timedelta(hours=1), expected_type=int)
    return i(n=x)


@refused("the input 'n' of node n1 (i) takes int, 'o0' of node n0 (g) gives str")
def gate_bad(n: int) -> int:
    x = wait_for_input("g", timeout=datetime.timedelta(hours=1), expected_type=str)
    return i(n=x)


@accepted
def appr(n: int) -> int:
    x = approve(i(n=n), "g", timeout=datetime.timedelta(hours=1))
    return i(n=x)


@refused("the input 'n' of node n2 (i) takes int, 'o0' of node n1 (g) gives str")
def appr_bad(n: int) -> int:
    x = approve(s(n=n), "g", timeout=datetime.timedelta(hours=1))
    return i(n=x)


@accepted
def in_to_out(n: int) -> int:
    i(n=n)
    return n


@refused("the output 'o0' is declared str, 'n', the workflow's own input, gives int")
def in_to_out_bad(n: int) -> str:
    i(n=n)
    return n


@accepted
def const_out() -> int:
    void()
    return 3


@accepted
def no_ann(n: int):
    i(n=n)


@accepted
def td() -> int:
    return takes_dt(x=datetime.timedelta(days=1))


@dynamic
def dyn(n: int) -> int:
    return i(n=n)


@refused("the output 'o0' is declared str, 'o0' of node n0 (dyn) gives int")
def calls_dyn_bad(n: int) -> str:
    return dyn(n=n)


@task
def handler(n: int):
    pass


@accepted_with_handler
def with_handler(n: int) -> int:
    return i(n=n)


class One(NamedTuple):
    x: int
    y: str


class Two(NamedTuple):
    y: str
    z: int


class Three(NamedTuple):
    x: str
    y: str


@task
def one(n: int) -> One:
    return One(1, "")


@task
def other(n: int) -> Two:
    return Two("", 1)


@task
def third(n: int) -> Three:
    return Three("", "")


@accepted
def cases_with_one_output_in_common(n: int):
    conditional("c").if_(n > 1).then(one(n=n)).elif_(n > 5).then(other(n=n)).else_().then(third(n=n))


@refused("the cases of node n0 (c) give 'x' different types: node n0 (one) gives int, node n1 (third) gives str")
def cases_in_another_order(n: int):
    conditional("c").if_(n > 1).then(one(n=n)).elif_(n > 5).then(third(n=n)).else_().then(other(n=n))


@refused("the cases of node n0 (c) give 'o0' different types: node n0 (d) gives str, node n1 (i) gives int")
def cases_of_a_conditional_inside(n: int) -> int:
    return (
        conditional("c")
        .if_(n > 1)
        .then(conditional("d").if_(n > 2).then(s(n=n)).else_().then(s(n=1)))
        .else_()
        .then(i(n=n))
    )


@refused("the cases of node n0 (c) give 'o0' different types: node n0 (i) gives int, node n1 (s) gives str")
def cases_whose_output_is_not_used(n: int):
    conditional("c").if_(n > 1).then(i(n=n)).else_().then(s(n=n))


@accepted
def cases_of_which_one_gives_nothing(n: int):
    conditional("c").if_(n > 1).then(i(n=n)).else_().then(nothing(n=n))


@task
def nothing(n: int):
    pass


def name_of(entity: Any) -> str:
    return str(entity.short_name)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("made", ACCEPTED, ids=name_of)
def test_what_a_cluster_accepts_compiles(made: Any) -> None:
    assert flytenb.graph(made).nodes


@pytest.mark.sampled(5)
@pytest.mark.parametrize("verb", [flytenb.graph, flytenb.draw, flytenb.start, flytenb.run])
@pytest.mark.parametrize(("made", "message"), REFUSED, ids=lambda x: x.short_name if not isinstance(x, str) else "")
def test_what_a_cluster_refuses_is_refused_each_time_with_the_place_and_both_types(
    made: Any, message: str, verb: Callable[[Any], Any]
) -> None:
    for _ in range(2):
        with pytest.raises(DefinitionError) as error:
            verb(made)
        assert error.value.message == f"{made.short_name}: {message}"
        assert error.value.hint
        assert not made.compiled


# --- what flytekit leaves out of the serialised workflow, and what is put together otherwise --------------------------


@workflow
def lost(n: int):  # type: ignore[no-untyped-def]
    return i(n=n)


@workflow
def lost_among_others(n: int):  # type: ignore[no-untyped-def]
    return {"k": [i(n=n)]}


@workflow
def returns_nothing_of_a_node():  # type: ignore[no-untyped-def]
    return void()


@pytest.mark.parametrize("made", [lost, lost_among_others], ids=name_of)
def test_a_promise_returned_without_an_annotation_is_refused_with_the_annotation_that_is_missing(made: Any) -> None:
    for _ in range(2):
        with pytest.raises(DefinitionError, match="declares no output") as error:
            flytenb.run(made, n=1)
        assert f"def {made.short_name}(…) -> type:" in error.value.hint


def test_what_a_task_without_outputs_gives_may_be_returned() -> None:
    assert flytenb.run(returns_nothing_of_a_node).result is None


@dynamic
def dynamic_bad(n: int) -> str:
    return i(n=n)


@dynamic
def dynamic_without_outputs(n: int):  # type: ignore[no-untyped-def]
    return i(n=n)


def test_a_dynamic_is_checked_when_it_compiles_and_may_drop_what_it_returns_as_flytekit_lets_it() -> None:
    with pytest.raises(DefinitionError, match="'o0' is declared str, 'o0' of node dn0 \\(i\\) gives int"):
        flytenb.run(dynamic_bad, n=1)
    assert flytenb.run(dynamic_without_outputs, n=1).result is None


def test_a_workflow_put_together_by_hand_is_checked_as_well() -> None:
    made = Workflow(name="by_hand")
    made.add_workflow_input("n", int)
    node = made.add_entity(s, n=made.inputs["n"])
    made.add_workflow_output("o", node.outputs["o0"], int)
    with pytest.raises(DefinitionError, match="output 'o' is declared int, 'o0' of node n0 \\(s\\) gives str"):
        flytenb.run(made, n=1)


def test_types_that_share_a_name_are_told_apart() -> None:
    def other() -> Any:
        @dataclass
        class D:
            z: float

        return D

    Other = other()

    @task
    def takes_other(x: Other) -> int:  # type: ignore[valid-type]
        return 1

    @workflow
    def mixed(n: int) -> int:
        return takes_other(x=d(n=n))

    with pytest.raises(DefinitionError, match="takes D, 'o0' of node n0 \\(d\\) gives a D that has other fields"):
        flytenb.graph(mixed)


def test_a_line_of_the_workflow_is_in_the_traceback() -> None:
    with pytest.raises(DefinitionError) as error:
        flytenb.graph(bad_out)
    last = own_frames(error.value.__traceback__)[-1]
    assert (last.name, last.line) == ("bad_out", "return s(n=n)")


def test_a_direct_call_is_refused_as_well_where_the_extension_is_loaded() -> None:
    patches = Patches()
    patches.apply()
    try:
        for _ in range(2):
            with pytest.raises(DefinitionError, match="'o0' is declared int, 'o0' of node n0"):
                bad_out(n=1)
            with pytest.raises(DefinitionError, match="declares no output"):
                lost(n=1)
        assert ok(n=1) == 1
    finally:
        patches.undo()
