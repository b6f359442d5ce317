"""Evolution Data Server keeps a calendar, as Evolution and GNOME Calendar have
it do. Run by e2e/eds_test.go in a D-Bus session of its own:
script.py host port user password"""

import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, GLib, GObject, ICalGLib

host, port, user, password = sys.argv[1:]
home = f"/dav/calendars/{user}/"


def server(method, path, body=None, who=user, kind="text/calendar"):
    """One request of another client, or of another person."""
    request = urllib.request.Request(f"http://{host}:{port}{path}", method=method, data=body and body.encode())
    request.add_header("Authorization", "Basic " + b64encode(f"{who}:{who}".encode()).decode())
    request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request) as response:
        return response.read().decode()


def eventually(what, condition):
    """The data server works beside us and says nothing when it is done."""
    for _ in range(600):
        if condition():
            return
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(0.1)
    raise SystemExit(f"not so after a minute: {what}")


def component(kind, uid, summary):
    when = "DTSTART:20270401T100000Z\r\nDTEND:20270401T110000Z\r\n" if kind == "VEVENT" else ""
    return f"BEGIN:{kind}\r\nUID:{uid}\r\nDTSTAMP:20270101T000000Z\r\n{when}SUMMARY:{summary}\r\nEND:{kind}\r\n"


def calendar(kind, uid, summary):
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{component(kind, uid, summary)}END:VCALENDAR\r\n"


registry = EDataServer.SourceRegistry.new_sync(None)
credentials = EDataServer.NamedParameters.new()
credentials.set("username", user)
credentials.set("password", password)


def connect(uid, extension, kind, path):
    """A calendar as an account of Evolution has it."""
    source = EDataServer.Source.new_with_uid(uid, None)
    source.set_parent("caldav-stub")
    source.set_display_name(uid)
    source.get_extension(extension).set_backend_name("caldav")
    login = source.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
    login.set_host(host)
    login.set_port(int(port))
    login.set_user(user)
    login.set_method("plain/password")
    source.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_secure(False)
    source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(path)
    source.get_extension(EDataServer.SOURCE_EXTENSION_OFFLINE).set_stay_synchronized(True)
    registry.commit_source_sync(source, None)
    source = registry.ref_source(uid)
    made = []

    def open_it():
        """Its factory is another process, and hears of the source a little later."""
        try:
            made.append(ECal.Client.connect_sync(source, kind, 0xFFFFFFFF, None))
        except GLib.Error as e:
            if "No such source" not in e.message:
                raise
        return made

    eventually("the source is known", open_it)
    client = made[0]
    source.invoke_authenticate_sync(credentials, None)
    eventually("connected", lambda: source.get_connection_status() == EDataServer.SourceConnectionStatus.CONNECTED)
    return source, client


def summaries(client):
    client.refresh_sync(None)
    return sorted(c.get_summary() for c in client.get_object_list_sync("#t", None)[1])


# What Evolution's "Find Calendars" finds.
probe = EDataServer.Source.new_with_uid("probe", None)
login = probe.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
login.set_host(host)
login.set_port(int(port))
login.set_user(user)
probe.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_secure(False)
probe.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path("/")
ok, _, _, found, addresses = EDataServer.webdav_discover_sources_sync(probe, f"http://{host}:{port}/", EDataServer.WebDAVDiscoverSupports.NONE, credentials, None)
assert ok and any(f"{home}default/" in s.href for s in found), [s.href for s in found]
assert any(s.supports & EDataServer.WebDAVDiscoverSupports.TASKS for s in found)
assert any("alice@example.test" in a for a in addresses), addresses

server("PUT", home + "default/from-server.ics", calendar("VEVENT", "from-server", "From the server"))
source, client = connect("events", EDataServer.SOURCE_EXTENSION_CALENDAR, ECal.ClientSourceType.EVENTS, home + "default/")
eventually("the event is there", lambda: summaries(client) == ["From the server"])
assert not client.is_readonly()

# Made, changed and deleted here.
new = ICalGLib.Component.new_from_string(component("VEVENT", "from-eds", "From Evolution"))
client.create_object_sync(new, ECal.OperationFlags.NONE, None)
eventually("the server has it", lambda: "SUMMARY:From Evolution" in server("GET", home + "default/"))
_, mine = client.get_object_sync("from-eds", None, None)
mine.set_summary("Changed in Evolution")
client.modify_object_sync(mine, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)
eventually("the server has the change", lambda: "SUMMARY:Changed in Evolution" in server("GET", home + "default/"))

# Changed, made and deleted on the server.
server("PUT", home + "default/from-server.ics", calendar("VEVENT", "from-server", "Changed on the server"))
server("PUT", home + "default/later.ics", calendar("VEVENT", "later", "Later"))
eventually("changes arrive", lambda: summaries(client) == ["Changed in Evolution", "Changed on the server", "Later"])
server("DELETE", home + "default/later.ics")
eventually("the deletion arrives", lambda: summaries(client) == ["Changed in Evolution", "Changed on the server"])
client.remove_object_sync("from-eds", None, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)
eventually("the server has the deletion", lambda: "from-eds" not in server("GET", home + "default/"))

# One occurrence of a series is changed here, and stays one object with it.
daily = calendar("VEVENT", "daily", "Daily").replace("SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY")
server("PUT", home + "default/daily.ics", daily)
eventually("the series arrives", lambda: "Daily" in summaries(client))
third = component("VEVENT", "daily", "This one").replace("20270401", "20270403").replace("SUMMARY", "RECURRENCE-ID:20270403T100000Z\r\nSUMMARY")
occurrence = ICalGLib.Component.new_from_string(third)
client.modify_object_sync(occurrence, ECal.ObjModType.THIS, ECal.OperationFlags.NONE, None)
eventually("the server has the occurrence", lambda: "SUMMARY:This one" in server("GET", home + "default/"))
stored = server("GET", home + "default/daily.ics")
assert stored.count("BEGIN:VEVENT") == 2 and "RECURRENCE-ID" in stored and "RRULE" in stored, stored

# An invitation of a colleague is answered here.
meeting = calendar("VEVENT", "meeting", "Meeting").replace(
    "SUMMARY",
    "ORGANIZER:mailto:bob@example.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test\r\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:alice@example.test\r\nSUMMARY",
)
bobs = "/dav/calendars/bob/default/"
server("PUT", bobs + "meeting.ics", meeting, "bob")
eventually("the invitation arrives", lambda: "Meeting" in summaries(client))
_, mine = client.get_object_sync("meeting", None, None)
line = mine.get_first_property(ICalGLib.PropertyKind.ATTENDEE_PROPERTY)
while "alice" not in line.get_attendee():
    line = mine.get_next_property(ICalGLib.PropertyKind.ATTENDEE_PROPERTY)
line.set_parameter_from_string("PARTSTAT", "ACCEPTED")
client.modify_object_sync(mine, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)


def answer():
    text = server("GET", bobs + "meeting.ics", who="bob").replace("\r\n ", "")
    return next((l for l in text.splitlines() if l.startswith("ATTENDEE") and "alice" in l), "")


eventually("bob has the answer", lambda: "PARTSTAT=ACCEPTED" in answer())

# What a colleague shares for reading is read, and not changed.
share = '<acl xmlns="DAV:"><ace><principal><href>/dav/principals/alice/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>'
server("ACL", bobs, share, "bob", "application/xml")
_, shared = connect("shared", EDataServer.SOURCE_EXTENSION_CALENDAR, ECal.ClientSourceType.EVENTS, bobs)
eventually("bob's calendar is there", lambda: "Secret" in summaries(shared))
try:
    shared.create_object_sync(ICalGLib.Component.new_from_string(component("VEVENT", "slipped", "Slipped in")), ECal.OperationFlags.NONE, None)
    shared.refresh_sync(None)
except GLib.Error as refusal:
    print("refused:", refusal.message)
assert "Slipped in" not in server("GET", bobs, who="bob")

# Tasks are another kind of source.
_, tasks = connect("tasks", EDataServer.SOURCE_EXTENSION_TASK_LIST, ECal.ClientSourceType.TASKS, home + "tasks/")
tasks.create_object_sync(ICalGLib.Component.new_from_string(component("VTODO", "task", "Water the plants")), ECal.OperationFlags.NONE, None)
eventually("the server has the task", lambda: "SUMMARY:Water the plants" in server("GET", home + "tasks/"))

# When a colleague is busy, by the server's outbox.
got = []
GObject.Object.connect(client, "free-busy-data", lambda _, data: got.extend(data))  # Client.connect is another
_, busy = client.get_free_busy_sync(1806537600, 1806624000, ["bob@example.test"], None)
eventually("bob is busy", lambda: any("20270401T100000Z/" in c.get_as_string() for c in list(busy or []) + got))
print("Evolution Data Server is content", flush=True)
