"""What every Log must find, and what not."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from stores import append, memory_log, said, sqlite_log, temporary, texts_of
from trio_chat.core.events import Joined
from trio_chat.storage.base import Log, Search


async def found(log: Log, words: str, *rooms: str, **more: object) -> list[str]:
    return texts_of(await log.search(Search(words, rooms or ("#a",), **more)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("tea", "a cup of tea"),
        ("TEA", "Tea!"),
        ("tea cup", "a cup of green tea"),
        ('"green tea"', "a cup of green tea"),
        ('cup "green tea', "a cup of green tea"),
        ('"Tea, green"', "tea (green)"),
        ("cafe", "Café"),
        ("CAFÉ", "cafe\u0301"),
        ("strasse", "Straße"),
        ("ЧАЙ", "чай"),
        ("٣", "٣ أكواب"),
        ("茶", "我喝绿茶。"),
        ("绿茶", "我喝绿茶。"),
        ("喝绿茶", "我喝绿茶。"),
        ("안녕", "안녕하세요"),
        ("요", "안녕하세요"),
        ("ชา", "ดื่มชาเขียว"),
        ("カフェ", "カフェに行く"),
        ("can't", "I can't"),
        ("don't-stop", "don't stop"),
        ("AND", "this and that"),
        ("NEAR(tea", "near tea"),
        ("said:tea", "said tea"),
        ("tea*", "tea time"),
        ("^tea", "green tea"),
        ("x" * 4000, "x" * 4000),
    ],
)
async def test_words_are_found(log: Log, query: str, text: str) -> None:
    await append(log, said("something else"), said(text), said("plus more"))
    assert await found(log, query) == [text]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("te", "tea"),
        ("teas", "tea"),
        ("tea milk", "tea"),
        ('"tea green"', "green tea"),
        ("茶绿", "我喝绿茶。"),
        ('"green tea"', "green or black tea"),
        ("te*", "tea"),
        ("said:tea", "tea"),
        ("tea OR milk", "tea"),
        ("NOT milk", "tea"),
    ],
)
async def test_other_words_are_not(log: Log, query: str, text: str) -> None:
    await append(log, said(text))
    assert await found(log, query) == []


async def test_a_query_without_words_finds_nothing(log: Log) -> None:
    queries = [*"*()'+-^:…\0\\👍", "", " ", '"', '""', '" "']
    await append(log, said("tea"), *map(said, queries))
    assert [query for query in queries if await found(log, query)] == []


async def test_a_query_of_very_many_words(log: Log) -> None:
    text = " ".join(f"w{n}" for n in range(1000))
    await append(log, said(text))
    assert await found(log, text) == [text]
    assert await found(log, f'"{text}"') == [text]
    assert await found(log, f"missing {text}") == []


async def test_search_is_for_rooms_that_were_asked_for(log: Log) -> None:
    await append(log, said("tea 1"))
    await append(log, said("tea 2", "#b"))
    await log.append("1,2", [said("tea 3", "", to="bob")])
    assert await found(log, "tea", "#a") == ["tea 1"]
    assert await found(log, "tea", "#b", "#a", "#nowhere") == ["tea 1", "tea 2"]
    assert await found(log, "tea", "1,2") == ["tea 3"]
    assert await found(log, "tea", "#nowhere") == []
    assert await log.search(Search("tea", ())) == []


async def test_search_in_very_many_rooms(log: Log) -> None:
    await append(log, said("tea"))
    rooms = [f"#{n}" for n in range(1000)]
    assert await found(log, "tea", *rooms, "#a") == ["tea"]


async def test_search_by_nick(log: Log) -> None:
    await append(
        log,
        said("tea 1", nick="Al"),
        said("tea 2", nick="bo"),
        said("tea 3", nick="al"),
        said("tea 4", nick="al2"),
        said("tea 5", nick="al`[]"),
    )
    assert await found(log, "tea", nick="AL") == ["tea 1", "tea 3"]
    assert await found(log, "tea", nick="al`[]") == ["tea 5"]
    assert await found(log, "tea", nick="nobody") == []
    assert await found(log, "al") == []


async def test_all_that_somebody_said_is_found_also_what_has_no_words(log: Log) -> None:
    some = [said("tea", nick="al"), said("…", nick="AL"), said("tea", nick="bo")]
    await append(log, *some)
    await append(log, said("milk", "#b", nick="al"))
    assert await found(log, "", nick="Al") == ["tea", "…"]
    assert await found(log, " ", "#b", "#a", nick="al", limit=2) == ["…", "milk"]
    assert await found(log, "…", nick="al") == []
    assert await found(log, "", nick="nobody") == []


async def test_search_gives_the_last_ones_between_two_ids(log: Log) -> None:
    ids = await append(log, *[said(f"tea {n}") for n in range(10)])
    assert await found(log, "tea", limit=2) == ["tea 8", "tea 9"]
    assert await found(log, "tea", before=ids[5], limit=2) == ["tea 3", "tea 4"]
    assert await found(log, "tea", after=ids[7]) == ["tea 8", "tea 9"]
    assert await found(log, "tea", after=ids[2], before=ids[4]) == ["tea 3"]
    assert await found(log, "tea", limit=0) == []


async def test_only_what_all_could_see_is_found(log: Log) -> None:
    await append(log, said("tea for operators", status="@"), Joined("#a", "tea", "2", "tea"))
    assert await found(log, "tea") == []


async def test_what_was_said_just_now_is_found(log: Log) -> None:
    for n in range(20):
        await append(log, said(f"tea {n}"))
        assert (await found(log, "tea"))[-1] == f"tea {n}"


LETTERS = st.text(st.sampled_from("aäA1 茶안ชا'\"*(-😀ß\u0301\u200d"), max_size=12)


@given(text_list=st.lists(LETTERS, min_size=1, max_size=8), query=LETTERS)
def test_every_store_finds_the_same(text_list: list[str], query: str) -> None:
    """As a search through all of them would."""

    async def run() -> None:
        async with temporary(memory_log) as model, temporary(sqlite_log) as log:
            for one in (model, log):
                await append(one, *map(said, text_list))
            assert await found(log, query) == await found(model, query)

    trio.run(run)
