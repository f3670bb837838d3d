"""A question to a model of OpenAI."""

from flytekit import workflow
from flytekitplugins.openai import ChatGPTTask

ask = ChatGPTTask(name="ask", chatgpt_config={"model": "gpt-4o", "temperature": 0.0})


@workflow
def answered(question: str) -> str:
    return ask(message=question)


ENTITY = answered
