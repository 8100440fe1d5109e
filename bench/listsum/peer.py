"""The same endpoint as its FastAPI authors would write it: the oracle of the tests and the peer
of the bench. It has no middleware and takes a plain set, which favours it."""

from fastapi import FastAPI
from pydantic import BaseModel, PositiveInt


class TwoLists(BaseModel):
    list_a: list[PositiveInt]
    list_b: list[PositiveInt]
    target: PositiveInt


app = FastAPI()


@app.post('/api/v1/two-list-sum/')
async def two_list_sum(lists: TwoLists) -> bool:
    wanted = {lists.target - number for number in lists.list_a}
    return not wanted.isdisjoint(lists.list_b)
