"""A question to a model of OpenAI."""

from flytekit import workflow
from flytekitplugins.openai import ChatGPTTask

import flytenb

ask = ChatGPTTask(name="ask", chatgpt_config={"model": "gpt-4o", "temperature": 0.0})


@workflow
def answered(question: str) -> str:
    return ask(message=question)


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert request.custom["chatgpt_config"]["model"] == "gpt-4o"
    assert rehearsal.result == "because"


ENTITY = answered
INPUTS = {"question": "why?"}
ANSWER = "because"
