"""Calls that a type checker refuses, each with the code of its error."""

from __future__ import annotations

from queuectl import Job, job


class Welcome(Job):
    user_id: int
    locale: str = "fr"

    def handle(self) -> None: ...


class BadSetting(Job):
    tries = "three"  # error: [assignment]


class AnnotatedSetting(Job):
    tries: int = 3  # error: [misc]


@job
def add(left: int, right: int = 1) -> int:
    return left + right


@job(trys=3)  # error: [call-overload, untyped-decorator]
def misspelt() -> None: ...


Welcome.dispatch()  # error: [call-arg]
Welcome.dispatch("1")  # error: [arg-type]
Welcome.dispatch(1, 2)  # error: [arg-type]
Welcome.dispatch(1, "fr", 3)  # error: [call-arg]
Welcome.dispatch(user_id=1, lcale="fr")  # error: [call-arg]
Welcome.dispatch_sync(user_id=None)  # error: [arg-type]
Welcome.on_queue("high").dispatch("1")  # error: [arg-type]
Welcome.on_queue("high").later(60).dispatch(user=1)  # error: [call-arg]
Welcome.on_queue(1)  # error: [arg-type]
Welcome.later("soon")  # error: [arg-type]
Welcome.using(object())  # error: [arg-type]
Welcome("1")  # error: [arg-type]
Welcome(1).release("soon")  # error: [arg-type]
Job.dispatch_many([1])  # error: [list-item]

add("1")  # error: [arg-type]
add.dispatch("1")  # error: [arg-type]
add.dispatch(1, wrong=2)  # error: [call-arg]
add.on_queue("high").dispatch()  # error: [call-arg]
