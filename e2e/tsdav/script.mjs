// tsdav does with a calendar what programs that use it do. Run by
// e2e/tsdav_test.go: node script.mjs http://host:port/
import assert from "node:assert/strict";
import { createDAVClient, DAVNamespaceShort } from "tsdav";

const serverUrl = process.argv[2];
const client = await createDAVClient({
  serverUrl,
  credentials: { username: "alice", password: "alice" },
  authMethod: "Basic",
  defaultAccountType: "caldav",
});

const event = (uid, summary, more = "") =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", `UID:${uid}`, "DTSTAMP:20270101T000000Z",
    "DTSTART:20270401T100000Z", "DTEND:20270401T110000Z", `SUMMARY:${summary}`, ...(more ? [more] : []), "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");

// Discovery: from the server's address alone.
const account = await client.createAccount({ account: { accountType: "caldav", serverUrl }, loadCollections: true, loadObjects: false });
assert.ok(account.principalUrl.startsWith(serverUrl), account.principalUrl);
assert.ok(account.homeUrl.startsWith(serverUrl), account.homeUrl);

const calendars = await client.fetchCalendars();
const own = calendars.find((c) => c.url.endsWith("/default/"));
assert.ok(own, JSON.stringify(calendars.map((c) => c.url)));
assert.ok(own.components.includes("VEVENT") && own.ctag && own.syncToken, JSON.stringify(own));
assert.ok(own.reports.includes("syncCollection") && own.reports.includes("calendarQuery") && own.reports.includes("calendarMultiget"), own.reports);
assert.ok(calendars.some((c) => c.components.includes("VTODO")), "no calendar for tasks");

const reports = await client.supportedReportSet({ collection: own });
assert.ok(reports.includes("syncCollection"), reports);

const addresses = await client.fetchCalendarUserAddresses({ account });
assert.ok(addresses.includes("mailto:alice@example.test"), addresses);

// What is there from the start.
own.objects = await client.fetchCalendarObjects({ calendar: own });
assert.equal(own.objects.length, 1);
assert.match(own.objects[0].data, /SUMMARY:From the server/);

// Create, and not twice.
let r = await client.createCalendarObject({ calendar: own, filename: "one.ics", iCalString: event("one", "Lunch & <dinner> äöü") });
assert.equal(r.status, 201);
r = await client.createCalendarObject({ calendar: own, filename: "one.ics", iCalString: event("one", "again") });
assert.equal(r.status, 412, "If-None-Match: *");
for (const n of [2, 3]) {
  assert.equal((await client.createCalendarObject({ calendar: own, filename: `n${n}.ics`, iCalString: event(`n${n}`, `Number ${n}`) })).status, 201);
}

// By time, expanded on the server, and by name.
assert.equal((await client.fetchCalendarObjects({ calendar: own, timeRange: { start: "2027-04-01T00:00:00Z", end: "2027-04-02T00:00:00Z" } })).length, 4);
assert.equal((await client.fetchCalendarObjects({ calendar: own, timeRange: { start: "2027-05-01T00:00:00Z", end: "2027-05-02T00:00:00Z" } })).length, 0);
assert.equal((await client.createCalendarObject({ calendar: own, filename: "daily.ics", iCalString: event("daily", "Daily", "RRULE:FREQ=DAILY;COUNT=5") })).status, 201);
const expanded = await client.fetchCalendarObjects({ calendar: own, expand: true, timeRange: { start: "2027-04-03T00:00:00Z", end: "2027-04-05T00:00:00Z" } });
assert.equal(expanded.length, 1);
assert.equal(expanded[0].data.match(/BEGIN:VEVENT/g).length, 2);
assert.doesNotMatch(expanded[0].data, /RRULE/);
const one = (await client.fetchCalendarObjects({ calendar: own, objectUrls: [own.url + "one.ics"] }))[0];
assert.match(one.data, /SUMMARY:Lunch & <dinner> äöü/);

const multiget = (...files) =>
  client.calendarMultiGet({
    url: own.url,
    props: { [`${DAVNamespaceShort.DAV}:getetag`]: {}, [`${DAVNamespaceShort.CALDAV}:calendar-data`]: {} },
    objectUrls: files.map((n) => new URL(own.url + n).pathname),
    depth: "1",
  });
const many = await multiget("one.ics", "n2.ics");
assert.equal(many.filter((m) => m.ok && m.props?.calendarData).length, 2);
await assert.rejects(multiget("one.ics", "missing.ics"), /404/);

// Sync: the first gives a token and everything, the next what changed.
own.objectMultiGet = client.calendarMultiGet;
own.fetchObjects = ({ collection }) => client.fetchCalendarObjects({ calendar: collection });
const synced = await client.smartCollectionSync({ collection: { ...own, objects: [], syncToken: "" }, method: "webdav" });
assert.equal(synced.objects.length, 5);
r = await client.updateCalendarObject({ calendarObject: { ...one, data: one.data.replace("Lunch", "Late lunch") } });
assert.equal(r.status, 204);
r = await client.updateCalendarObject({ calendarObject: { ...one, data: one.data } });
assert.equal(r.status, 412, "an old entity tag");
r = await client.deleteCalendarObject({ calendarObject: { url: own.url + "n2.ics", etag: synced.objects.find((o) => o.url.endsWith("/n2.ics")).etag } });
assert.equal(r.status, 204);
assert.equal((await client.createCalendarObject({ calendar: own, filename: "four.ics", iCalString: event("four", "Four") })).status, 201);
const second = await client.smartCollectionSyncDetailed({ collection: synced, method: "webdav" });
const changes = second.objects;
const names = (list) => list.map((o) => o.url.split("/").pop()).sort();
assert.deepEqual(names(changes.created), ["four.ics"]);
assert.deepEqual(names(changes.updated), ["one.ics"]);
assert.deepEqual(names(changes.deleted), ["n2.ics"]);
assert.match(changes.updated[0].data, /Late lunch/);
const { created, updated, deleted } = (await client.smartCollectionSyncDetailed({ collection: { ...synced, syncToken: second.syncToken }, method: "webdav" })).objects;
assert.deepEqual([created, updated, deleted], [[], [], []]);

// The older way: ctag and entity tags.
const basic = await client.smartCollectionSync({ collection: { ...own, objects: synced.objects }, method: "basic" });
assert.deepEqual(names(basic.objects), ["daily.ics", "four.ics", "from-server.ics", "n3.ics", "one.ics"]);
assert.equal((await client.isCollectionDirty({ collection: own })).isDirty, true);
const fresh = (await client.fetchCalendars()).find((c) => c.url === own.url);
assert.equal((await client.isCollectionDirty({ collection: fresh })).isDirty, false);

// A calendar of one's own, found by the sync of the account.
await client.makeCalendar({ url: account.homeUrl + "made/", props: { displayname: "Made by tsdav" } });
const found = await client.syncCalendars({ oldCalendars: calendars, detailedResult: true });
assert.deepEqual(found.created.map((c) => c.displayName), ["Made by tsdav"]);

// One occurrence is changed, and stays one object with its series.
const daily = (await client.fetchCalendarObjects({ calendar: own, objectUrls: [own.url + "daily.ics"] }))[0];
const override = ["BEGIN:VEVENT", "UID:daily", "DTSTAMP:20270101T000000Z", "RECURRENCE-ID:20270403T100000Z", "DTSTART:20270403T150000Z", "DTEND:20270403T160000Z", "SUMMARY:Later that day", "END:VEVENT", "END:VCALENDAR"].join("\r\n");
r = await client.updateCalendarObject({ calendarObject: { ...daily, data: daily.data.replace("END:VCALENDAR", override) } });
assert.equal(r.status, 204);
const third = await client.fetchCalendarObjects({ calendar: own, expand: true, timeRange: { start: "2027-04-03T00:00:00Z", end: "2027-04-04T00:00:00Z" } });
assert.equal(third.length, 1);
assert.match(third[0].data, /SUMMARY:Later that day/);
assert.doesNotMatch(third[0].data, /SUMMARY:Daily/);

// A colleague's calendar, shared for reading, is among one's own, and takes nothing.
const theirs = (await client.fetchCalendars()).find((c) => c.url.includes("/shared-"));
assert.ok(theirs, "no shared calendar");
theirs.objects = await client.fetchCalendarObjects({ calendar: theirs });
assert.match(theirs.objects[0].data, /SUMMARY:Bob's plan/);
r = await client.createCalendarObject({ calendar: theirs, filename: "slipped.ics", iCalString: event("slipped", "Slipped in") });
assert.equal(r.status, 403);
r = await client.updateCalendarObject({ calendarObject: { ...theirs.objects[0], data: theirs.objects[0].data.replace("Bob's", "My") } });
assert.equal(r.status, 403);
r = await client.deleteCalendarObject({ calendarObject: theirs.objects[0] });
assert.equal(r.status, 403);

// An invitation is answered by saving it.
const invited = event("meeting", "Meeting", ["ORGANIZER:mailto:bob@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:alice@example.test"].join("\r\n"));
const asBob = { Authorization: "Basic " + btoa("bob:bob"), "Content-Type": "text/calendar" };
assert.equal((await fetch(serverUrl + "dav/calendars/bob/default/meeting.ics", { method: "PUT", headers: asBob, body: invited })).status, 201);
const invitation = (await client.fetchCalendarObjects({ calendar: own })).find((o) => /UID:meeting\r\n/.test(o.data));
assert.ok(invitation, "no invitation");
r = await client.updateCalendarObject({ calendarObject: { ...invitation, data: invitation.data.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED") } });
assert.equal(r.status, 204);

const busy = await client.freeBusyQuery({ url: own.url, timeRange: { start: "2027-04-01T00:00:00Z", end: "2027-04-02T00:00:00Z" } });
assert.ok(busy, "no answer to free-busy-query");

// Somebody else's password is not let in.
await assert.rejects(createDAVClient({ serverUrl, credentials: { username: "alice", password: "bob" }, authMethod: "Basic", defaultAccountType: "caldav" }));
console.log("tsdav is content");
