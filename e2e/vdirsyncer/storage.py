"""What vdirsyncer asks of a storage, asked through its own CalDAV storage.

Its test suite is not part of the package that Debian installs, so the contract
is told here anew, from what the program does: each function below is one
sentence of it. Arguments: the server's address, a name and a password.
"""

import asyncio
import datetime
import random
import sys
import traceback
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from vdirsyncer import exceptions, utils
from vdirsyncer.storage.dav import CalDAVStorage
from vdirsyncer.vobject import Item, normalize_item

URL, USER, PASSWORD = sys.argv[1:4]

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Storage contract//EN
BEGIN:VEVENT
UID:{uid}
DTSTART:20290714T170000Z
DTEND:20290714T190000Z
SUMMARY:Fête à la plage
X-SOMETHING:{r}
END:VEVENT
END:VCALENDAR"""

TASK = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Storage contract//EN
BEGIN:VTODO
UID:{uid}
CREATED:20290721T142233Z
DTSTAMP:20290730T074543Z
SEQUENCE:2
SUMMARY:Book: tödlicher Staub
X-SOMETHING:{r}
END:VTODO
END:VCALENDAR"""

numbers = random.Random(1)
made = 0


def item(template, uid=None):
    r = numbers.random()
    return Item(template.format(uid=uid or r, r=r))


def arguments(collection=None):
    args = dict(url=URL, username=USER, password=PASSWORD, connector=connector)
    return args if collection is None else dict(args, collection=collection)


async def storage(name=None, **more):
    """A storage on a new calendar."""
    global made
    made += 1
    args = await CalDAVStorage.create_collection(**arguments(name or f"contract-{made}"))
    return CalDAVStorage(**dict(args, **more))


async def listed(s):
    return [pair async for pair in s.list()]


async def many(s, hrefs):
    return [x async for x in s.get_multi(hrefs)]


def same(a, b):
    assert normalize_item(a) == normalize_item(b), (a.raw, b.raw)


async def refused(what, error=exceptions.PreconditionFailed):
    try:
        await what
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


async def uploaded_items_are_listed_and_had(template):
    s = await storage()
    assert await listed(s) == []
    sent = {}
    for _ in range(9):
        i = item(template)
        href, etag = await s.upload(i)
        assert isinstance(href, str) and isinstance(etag, str), (href, etag)
        sent[href] = i, etag
    assert sorted(await listed(s)) == sorted((h, e) for h, (_, e) in sent.items())
    for href, (i, etag) in sent.items():
        got, tag = await s.get(href)
        same(got, i)
        assert tag == etag
        assert await s.has(href)
    assert not await s.has("nothing")


async def many_at_once(template):
    s = await storage()
    assert await many(s, []) == []
    info = dict([await s.upload(item(template)) for _ in range(4)])
    assert {h: e for h, _, e in await many(s, list(info))} == info
    href = next(iter(info))
    ((again, _, etag),) = await many(s, [href, href])
    assert (again, etag) == (href, info[href])
    await refused(many(s, [href, s._normalize_href("gone.ics")]), exceptions.NotFoundError)


async def what_exists_is_not_made_again(template):
    s = await storage()
    i = item(template)
    await s.upload(i)
    await refused(s.upload(i))


async def updates_want_the_right_tag(template):
    s = await storage()
    i = item(template)
    href, etag = await s.upload(i)
    other = item(template, i.uid)
    new = await s.update(href, other, etag)
    assert isinstance(new, str) and new != etag, new
    got, tag = await s.get(href)
    same(got, other)
    assert tag == new
    await refused(s.update(href, i, etag))
    await refused(s.update(href, i, '"no such tag"'))
    await refused(s.delete(href, '"no such tag"'))
    await refused(s.update(s._normalize_href("nothing.ics"), item(template), '"123"'))
    await refused(s.delete("nothing.ics", '"123"'))
    same((await s.get(href))[0], other)


async def deleted_items_are_gone(template):
    s = await storage()
    href, etag = await s.upload(item(template))
    keep, _ = await s.upload(item(template))
    await s.delete(href, etag)
    assert [h for h, _ in await listed(s)] == [keep]
    assert not await s.has(href)
    await refused(s.get(href), exceptions.NotFoundError)


async def letters_of_identifiers_matter(template):
    s = await storage()
    await s.upload(item(template, "A" * 42))
    await s.upload(item(template, "a" * 42))
    assert len(set(h for h, _ in await listed(s))) == 2


async def odd_names(template):
    name = "test @ foo ät bar"
    s = await storage(f"{name} {made}")
    assert name in unquote(s.url), s.url
    kept, utils.generate_href = utils.generate_href, lambda ident, safe="": ident
    try:
        for uid in ["test @ foo ät bar град сатану", "a+b&c=d;e,f", "100%", "{braces}", "it's (odd)!$*", "q'uote\"d", "tilde~-_.", "[x]:y"]:
            i = item(template, uid)
            href, etag = await s.upload(Item(i.raw))
            got, tag = await s.get(href)
            assert tag == etag
            same(got, i)
            assert href in [h for h, _ in await listed(s)], (href, await listed(s))
            assert unquote(urlsplit(href).path).endswith("/" + uid + ".ics") or "%" in uid, href
            await s.delete(href, etag)
        assert await listed(s) == []
    finally:
        utils.generate_href = kept


async def calendars_are_found(template):
    mine = {}
    for n in range(1, 5):
        s = await storage(f"found-{template is EVENT}-{n}")
        mine[s.url.rstrip("/")] = [await s.upload(item(template))]
    found = {}
    async for args in CalDAVStorage.discover(**arguments()):
        found[args["url"].rstrip("/")] = args
    assert set(mine) <= set(found), (sorted(mine), sorted(found))
    for url, pairs in mine.items():
        assert await listed(CalDAVStorage(**found[url])) == pairs
    for url in found:
        assert not url.endswith(("/inbox", "/outbox", "/notifications")), url
    # One that is there already is taken as it is.
    args = await CalDAVStorage.create_collection(**arguments(f"found-{template is EVENT}-1"))
    assert await listed(CalDAVStorage(**args)) == mine[args["url"].rstrip("/")]


async def calendars_have_names_and_colours(template):
    s = await storage()
    for key, values in {
        "displayname": ["hello world", "hello wörld", "a <b> & \"c\""],
        "color": ["#ff0000", "#00FF00AA"],
        "description": ["what it is", "naïve\nlines"],
        "order": ["1", "42"],
    }.items():
        for value in values:
            await s.set_meta(key, value)
            got = await s.get_meta(key)
            assert got == value or key == "color" and got.lower() == value.lower(), (key, value, got)
    for key in ["color", "description", "order"]:
        await s.set_meta(key, None)
        assert await s.get_meta(key) is None, key


async def both_kinds_in_one_calendar(template):
    s = await storage()
    pairs = [await s.upload(item(EVENT)), await s.upload(item(TASK))]
    assert sorted(await listed(s)) == sorted(pairs)
    only = CalDAVStorage(**dict(arguments(), url=s.url, item_types=("VEVENT" if template is EVENT else "VTODO",)))
    assert await listed(only) == [pairs[0] if template is EVENT else pairs[1]]


async def a_span_of_time(template):
    day = datetime.timedelta(days=1)
    begin = datetime.datetime(2029, 7, 14)
    s = await storage(start_date=begin, end_date=begin + day)
    inside = await s.upload(Item(EVENT.format(uid="inside", r=0)))
    await s.upload(Item(EVENT.format(uid="outside", r=0).replace("20290714", "20290720")))
    assert await listed(s) == [inside]


async def large_items(template):
    s = await storage()
    i = Item(item(template).raw.replace("X-SOMETHING:", "DESCRIPTION:" + "wörter, " * 30000 + "\nX-SOMETHING:"))
    href, etag = await s.upload(i)
    got, tag = await s.get(href)
    same(got, i)


async def a_wrong_password_is_an_error(template):
    s = CalDAVStorage(**dict(arguments(), url=(await storage()).url, password="wrong"))
    await refused(listed(s), aiohttp.ClientResponseError)


CONTRACT = [
    uploaded_items_are_listed_and_had, many_at_once, what_exists_is_not_made_again, updates_want_the_right_tag,
    deleted_items_are_gone, letters_of_identifiers_matter, odd_names, calendars_are_found,
    calendars_have_names_and_colours, both_kinds_in_one_calendar, a_span_of_time, large_items, a_wrong_password_is_an_error,
]


async def main():
    global connector
    failed = 0
    async with aiohttp.TCPConnector(limit_per_host=16) as connector:
        for kind, template in (("VEVENT", EVENT), ("VTODO", TASK)):
            for check in CONTRACT:
                try:
                    await check(template)
                    print("ok", kind, check.__name__)
                except Exception:
                    failed += 1
                    print("FAILED", kind, check.__name__)
                    traceback.print_exc(limit=-4, file=sys.stdout)
    print("failed:", failed)
    return failed


sys.exit(1 if asyncio.run(main()) else 0)
