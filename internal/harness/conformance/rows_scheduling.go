package conformance

import "strings"

// busyAsk is a VFREEBUSY request to an outbox.
func busyAsk(organizer string, lines ...string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Conformance//EN\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:{id}-fb\nDTSTAMP:20261101T080000Z\nDTSTART:20310401T000000Z\nDTEND:20310402T000000Z\nORGANIZER:" + organizer + "\n" + strings.Join(lines, "\n") + "\nEND:VFREEBUSY\nEND:VCALENDAR")
}

// bobsCopy finds bob's copy of the row's meeting: its href as {copy}.
func bobsCopy() step {
	return inCopy("bob", "{bobdef}", "{id}").save("copy", `<d:href>(/dav/calendars/bob/default/[^<]+)</d:href>`)
}

// gone is a calendar-query that finds nothing of the row in bob's calendar.
func accepted(uid, lines string) string {
	return strings.Replace(meeting(uid, lines), "PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=ACCEPTED", 1)
}

var schedulingRows = []row{
	{"I1", M, "calendar-auto-schedule in DAV", "RFC 6638 2", yes, "", try(do("OPTIONS", "{home}").want(200).header("DAV", "~calendar-auto-schedule"))},
	{"I2", M, "inbox and outbox with their resource types", "RFC 6638 2.1, 2.2", yes, "", try(
		find("{inbox}", "0", "resourcetype").all("<d:collection/><c:schedule-inbox/>"), find("{outbox}", "0", "resourcetype").all("<d:collection/><c:schedule-outbox/>"),
	)},
	{"I3", M, "the inbox holds iTIP messages; they may be deleted, and none put there", "RFC 6638 2.2", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)),
		queryRaw("{bobin}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).as("bob").all("METHOD:REQUEST").save("msg", `<d:href>({bobin}[^<]+)</d:href>`),
		get("{msg}").as("bob").all("METHOD:REQUEST"),
		do("PUT", "{bobin}x.ics").as("bob").ics(event("{id}-x", once)).want(403).all("need-privileges"),
		do("MKCALENDAR", "{bobin}x/").as("bob").want(403, 405), do("MKCOL", "{bobin}x/").as("bob").want(403, 405),
		do("DELETE", "{bobin}").as("bob").want(405, 403),
		remove("{msg}").as("bob"),
		do("GET", "{msg}").as("bob").want(404),
		remove("{cal}1.ics"),
	)},
	{"I4", M, "what is a scheduling object: ORGANIZER and ATTENDEEs, the user one of them, in a calendar", "RFC 6638 3.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)).header("Schedule-Tag", "*"),
		put("{cal}2.ics", event("{id}-2", once)).header("Schedule-Tag", ""),
		put("{cal}3.ics", event("{id}-3", once+"\nORGANIZER:mailto:x@example.net\nATTENDEE:mailto:y@example.net")),
		find("{cal}1.ics", "0", "C:schedule-tag").all("200 OK"), find("{cal}2.ics", "0", "C:schedule-tag").all("404"),
		remove("{cal}1.ics"),
	)},
	{"I5", M, "an organizer who saves invites", "RFC 6638 3.2.1.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy().all("PARTSTAT=NEEDS-ACTION", "SUMMARY:One"), remove("{cal}1.ics"),
	)},
	{"I6", M, "an organizer who changes tells those invited, new and removed ones too, for single occurrences too", "RFC 6638 3.2.1.2", yes, "every cell of the table", try(
		put("{cal}1.ics", meeting("{id}", once)),
		over("{cal}1.ics", meeting("{id}", strings.Replace(once, "T10", "T12", 1)+"\nSEQUENCE:1")+"").want(204, 403),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", "DTSTART:20310401T120000Z\nDTEND:20310401T130000Z\nSUMMARY:Later\nSEQUENCE:1")+"").want(204),
		bobsCopy().all("DTSTART:20310401T120000Z", "SUMMARY:Later"),
		do("PUT", "{cal}1.ics").ics(event("{id}", "DTSTART:20310401T120000Z\nDTEND:20310401T130000Z\nSUMMARY:Later\nSEQUENCE:2\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE:mailto:carol@example.test")).want(204),
		inCopy("bob", "{bobdef}", "{id}").all("STATUS:CANCELLED"),
		inCopy("carol", "/dav/calendars/carol/default/", "{id}").all("SUMMARY:Later"),
		remove("{cal}1.ics"),
	).and("itip TestStories")},
	{"I7", M, "an organizer who deletes cancels", "RFC 6638 3.2.1.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), remove("{cal}1.ics"),
		inCopy("bob", "{bobdef}", "{id}").none("STATUS:CONFIRMED", "PARTSTAT=ACCEPTED:mailto:bob"),
		queryRaw("{bobin}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).as("bob").all("METHOD:CANCEL"),
	)},
	{"I8", M, "no message to the organizer", "RFC 6638 3.2.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)),
		queryRaw("{inbox}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).none("<d:response>"),
		remove("{cal}1.ics"),
	)},
	{"I9", M, "what an attendee may change; the rest: allowed-attendee-scheduling-object-change", "RFC 6638 3.2.2.1", yes, "others' answers in the attendee's copy are put back without error", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy(),
		do("PUT", "{copy}").as("bob").ics(meeting("{id}", strings.Replace(once, "SUMMARY:One", "SUMMARY:Mine", 1)+"\nTRANSP:TRANSPARENT"+alarm+"TRIGGER:-PT5M\nEND:VALARM")).want(403, 204),
		do("PUT", "{copy}").as("bob").ics(meeting("{id}", "DTSTART:20310401T120000Z\nDTEND:20310401T130000Z\nSUMMARY:One")).refused(403, "c:allowed-attendee-scheduling-object-change"),
		over("{copy}", meeting("{id}", once+alarm+"TRIGGER:-PT5M\nEND:VALARM")).as("bob"),
		get("{copy}").as("bob").all("BEGIN:VALARM"),
		remove("{cal}1.ics"),
	).and("itip TestStories")},
	{"I10", M, "an attendee who saves an invitation that came otherwise answers it", "RFC 6638 3.2.2.2", yes, "", tested("itip TestStories")},
	{"I11", M, "an attendee who sets PARTSTAT or EXDATE answers", "RFC 6638 3.2.2.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy(),
		over("{copy}", accepted("{id}", once)).as("bob"),
		get("{cal}1.ics").all("PARTSTAT=ACCEPTED"),
		inCopy("alice", "{cal}", "{id}").save("answered", `(PARTSTAT=ACCEPTED[^\n]*&#13;\n?[^:]*:mailto:bob|mailto:bob)`),
		queryRaw("{inbox}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).all("METHOD:REPLY"),
		remove("{cal}1.ics"),
	)},
	{"I12", M, "an attendee who deletes declines, unless Schedule-Reply is F", "RFC 6638 3.2.2.4, 8.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy(),
		remove("{copy}").as("bob"),
		get("{cal}1.ics").all("PARTSTAT=DECLINED"),
		remove("{cal}1.ics"),
		put("{cal}2.ics", meeting("{id}-q", once)),
		inCopy("bob", "{bobdef}", "{id}-q").save("quiet", `<d:href>(/dav/calendars/bob/default/[^<]+)</d:href>`),
		do("DELETE", "{quiet}").as("bob").with("Schedule-Reply", "F").want(204),
		get("{cal}2.ics").none("PARTSTAT=DECLINED"),
		remove("{cal}2.ics"),
	)},
	{"I13", M, "SCHEDULE-AGENT=CLIENT and NONE: the server is silent", "RFC 6638 7.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:bob@example.test\nATTENDEE;SCHEDULE-AGENT=NONE:mailto:carol@example.test")),
		inCopy("bob", "{bobdef}", "{id}").none("<d:response>"), inCopy("carol", "/dav/calendars/carol/default/", "{id}").none("<d:response>"),
	)},
	{"I14", M, "SCHEDULE-FORCE-SEND is honoured and taken out", "RFC 6638 7.2", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("PUT", "{cal}1.ics").ics(strings.Replace(meeting("{id}", once), "PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-FORCE-SEND=REQUEST", 1)).want(204),
		get("{cal}1.ics").none("SCHEDULE-FORCE-SEND"), remove("{cal}1.ics"),
	)},
	{"I15", M, "SCHEDULE-STATUS tells what became of each message", "RFC 6638 3.2.9, 7.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), get("{cal}1.ics").all("SCHEDULE-STATUS="), bobsCopy().none("SCHEDULE-STATUS=\"1", "SCHEDULE-STATUS=1"), remove("{cal}1.ics"),
	).and("internal/calendar TestAMeetingFromInvitationToCancellation")},
	{"I16", M, "answers start over when the time changes", "RFC 6638 3.2.8", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy(), over("{copy}", accepted("{id}", once)).as("bob"),
		do("PUT", "{cal}1.ics").ics(accepted("{id}", "DTSTART:20310402T100000Z\nDTEND:20310402T110000Z\nSUMMARY:One\nSEQUENCE:1")).want(204),
		get("{cal}1.ics").all("PARTSTAT=NEEDS-ACTION"), remove("{cal}1.ics"),
	)},
	{"I17", M, "an organizer cannot answer for others", "RFC 6638 3.2.1, 3.2.4.3", yes, "the answer is put back", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("PUT", "{cal}1.ics").ics(accepted("{id}", once+"\nLOCATION:A")).want(204, 403),
		bobsCopy().none("PARTSTAT=ACCEPTED:mailto:bob", "PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:bob"), remove("{cal}1.ics"),
	)},
	{"I18", M, "same-organizer-in-all-components", "RFC 6638 3.2.4.2", yes, "", try(
		do("PUT", "{cal}1.ics").ics(object(component("VEVENT", "{id}", daily+"\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:bob@example.test")+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T120000Z\nORGANIZER:mailto:carol@example.test\nATTENDEE:mailto:bob@example.test"))).refused(403, "c:same-organizer-in-all-components"),
	)},
	{"I19", M, "unique-scheduling-object-resource", "RFC 6638 3.2.4.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("PUT", "{cal2}x.ics").ics(meeting("{id}", once)).want(403).all("<c:unique-scheduling-object-resource><d:href>{cal}1.ics</d:href>"),
		copied("{cal}1.ics", "{cal2}x.ics").want(403).all("unique-scheduling-object-resource"),
		remove("{cal}1.ics"),
	)},
	{"I20", M, "Schedule-Tag on GET, PUT, COPY, MOVE; schedule-tag", "RFC 6638 3.2.10, 8.2, 9.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)).header("Schedule-Tag", "*").saveHead("tag", "Schedule-Tag"),
		get("{cal}1.ics").header("Schedule-Tag", "{tag}"),
		find("{cal}1.ics", "0", "C:schedule-tag").save("x", `<c:schedule-tag>([^<]+)</c:schedule-tag>`),
		bobsCopy(), over("{copy}", accepted("{id}", once)).as("bob"),
		get("{cal}1.ics").header("Schedule-Tag", "{tag}"),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", once+"\nLOCATION:A")).want(204).saveHead("tag2", "Schedule-Tag"),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", once+"\nLOCATION:B")).with("If-Schedule-Tag-Match", "{tag}").want(412),
		move("{cal}1.ics", "{cal2}1.ics").want(201).header("Schedule-Tag", "*"),
		remove("{cal2}1.ics"),
	)},
	{"I21", M, "If-Schedule-Tag-Match keeps answers that came meanwhile, else 412", "RFC 6638 3.2.10, 8.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)).saveHead("tag", "Schedule-Tag"), bobsCopy(), over("{copy}", accepted("{id}", once)).as("bob"),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", once+"\nLOCATION:A")).with("If-Schedule-Tag-Match", "{tag}").want(204),
		get("{cal}1.ics").none("PARTSTAT=NEEDS-ACTION"),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", once)).with("If-Schedule-Tag-Match", `"x"`).want(412),
		do("DELETE", "{cal}1.ics").with("If-Schedule-Tag-Match", `"x"`).want(412),
		remove("{cal}1.ics"),
	)},
	{"I22", M, "DTSTAMP and SEQUENCE of messages", "RFC 6638 3.2.5, RFC 5546 2.1.4", yes, "", tested("itip TestRFC5546GroupEvent")},
	{"I23", M, "attendees see the occurrences they are invited to", "RFC 6638 3.2.6", yes, "", try(
		put("{cal}1.ics", object(component("VEVENT", "{id}", daily+"\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE:mailto:carol@example.test")+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T080000Z\nDTEND:20310402T090000Z\nSUMMARY:Series\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE:mailto:carol@example.test\nATTENDEE:mailto:bob@example.test"))),
		inCopy("bob", "{bobdef}", "{id}").all("RECURRENCE-ID:20310402T080000Z").none("RRULE"),
		remove("{cal}1.ics"),
	)},
	{"I24", M, "what arrives is put into the calendar, and an inbox item tells of it", "RFC 6638 4.1", yes, "no item for mere updates of answers", try(
		put("{cal}1.ics", meeting("{id}", once)),
		inCopy("bob", "{bobdef}", "{id}").all("SUMMARY:One"),
		queryRaw("{bobin}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).as("bob").all("METHOD:REQUEST"),
		remove("{cal}1.ics"),
	)},
	{"I25", M, "a reply changes the organizer's object, SCHEDULE-STATUS, and is told to the others", "RFC 6638 4.2", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE:mailto:bob@example.test\nATTENDEE:mailto:carol@example.test")),
		bobsCopy(),
		do("PUT", "{copy}").as("bob").ics(event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@example.test\nATTENDEE:mailto:carol@example.test")).want(204),
		get("{cal}1.ics").all("PARTSTAT=TENTATIVE", "SCHEDULE-STATUS="),
		inCopy("carol", "/dav/calendars/carol/default/", "{id}").all("PARTSTAT=TENTATIVE"),
		remove("{cal}1.ics"),
	)},
	{"I26", M, "schedule-default-calendar-URL, which can be set and is checked", "RFC 6638 4.3, 9.2", yes, "", try(
		find("{inbox}", "0", "C:schedule-default-calendar-URL").all("<d:href>{def}</d:href>"),
		patch("{inbox}", "<C:schedule-default-calendar-URL><href>{cal}</href></C:schedule-default-calendar-URL>").all("200 OK"),
		find("{inbox}", "0", "C:schedule-default-calendar-URL").all("<d:href>{cal}</d:href>"),
		patch("{inbox}", "<C:schedule-default-calendar-URL><href>{home}none/</href></C:schedule-default-calendar-URL>").all("<c:valid-schedule-default-calendar-URL/>"),
		patch("{inbox}", "<C:schedule-default-calendar-URL><href>{tasks}</href></C:schedule-default-calendar-URL>").all("<c:valid-schedule-default-calendar-URL/>"),
		patch("{inbox}", "<C:schedule-default-calendar-URL><href>{bobdef}</href></C:schedule-default-calendar-URL>").all("<c:valid-schedule-default-calendar-URL/>"),
		do("DELETE", "{cal}").refused(403, "c:default-calendar-needed"),
		patch("{inbox}", "<C:schedule-default-calendar-URL><href>{def}</href></C:schedule-default-calendar-URL>").all("200 OK"),
	)},
	{"I27", M, "old messages are ignored", "RFC 5546 2.1.5", yes, "", tested("internal/calendar TestACancellationThatOvertookItsInvitation")},
	{"I28", M, "COPY, MOVE and DELETE of scheduling objects, of whole calendars too", "RFC 6638 3.2.3", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)),
		move("{cal}1.ics", "{cal2}1.ics").want(201),
		bobsCopy().none("STATUS:CANCELLED"),
		remove("{cal2}"),
		inCopy("bob", "{bobdef}", "{id}").none("STATUS:CONFIRMED"),
		queryRaw("{bobin}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).as("bob").all("METHOD:CANCEL"),
	)},
	{"I29", M, "REFRESH, COUNTER, DECLINECOUNTER", "RFC 5546 3.2", yes, "a REFRESH is answered to those invited; proposals wait for the organizer", tested("internal/calendar TestAProposalIsTakenUpOrDeclined", "internal/calendar TestRefreshIsAnsweredAtOnce")},
	{"I30", M, "delegation and SENT-BY", "RFC 5546 3.2.2.3", yes, "by saving DELEGATED-TO, or with `convene event delegate`", tested("internal/calendar TestDelegation")},
	{"I31", M, "replies of people who are not invited", "RFC 5546 3.2.3", yes, "held for the organizer", tested("internal/calendar TestPartyCrashersWaitForTheOrganizer")},
	{"I32", M, "tasks as events", "RFC 5546 3.4", yes, "in the first calendar that takes them", tested("internal/calendar TestAnAssignedTask")},
	{"I33", M, "people outside by mail", "RFC 6047", yes, "see [standards.md](standards.md)", tested("imip TestComposeGolden")},
	{"I34", M, "mail from outside is judged before it is applied", "RFC 6047 3, RFC 6376", yes, "", tested("internal/trust TestJudge")},
	{"I35", M, "rooms and resources answer by themselves", "clients", yes, "by a policy that may name approvers", try(
		put("{cal}1.ics", event("{id}", "DTSTART:20310601T100000Z\nDTEND:20310601T110000Z\nSUMMARY:Room\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE;CUTYPE=ROOM:mailto:attic@example.test")),
		get("{cal}1.ics").all("PARTSTAT=ACCEPTED"),
		put("{cal}2.ics", event("{id}-2", "DTSTART:20310601T103000Z\nDTEND:20310601T113000Z\nSUMMARY:Room\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE;CUTYPE=ROOM:mailto:attic@example.test")),
		get("{cal}2.ics").all("PARTSTAT=DECLINED"),
		remove("{cal}2.ics"), remove("{cal}1.ics"),
	)},
	{"I36", S, "groups are invited with their members", "RFC 5545 3.2.11", yes, "with MEMBER", try(
		put("{cal}1.ics", event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE;CUTYPE=GROUP:mailto:staff@example.test")),
		inCopy("carol", "/dav/calendars/carol/default/", "{id}").all("SUMMARY:One"),
		remove("{cal}1.ics"),
	)},
	{"I37", M, "only who may send sends through an outbox", "RFC 6638 6", yes, "", try(
		do("POST", "{outbox}").as("bob").ics(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:carol@example.test")).want(403, 404),
	)},
	{"I38", M, "limits on attendees and messages", "RFC 6638 11.1", yes, "max-attendees-per-instance; `[limits]`", tested("internal/davserver TestRequests")},
	{"I39", M, "what cannot be delivered is tried again, and its status told", "RFC 6638 3.2.9.1", yes, "", tested("internal/journal TestTemporaryFailuresAreRetriedUntilPatienceEnds")},
	{"I40", O, "iSchedule between servers", "draft-desruisseaux-ischedule", no, "no server people use speaks it today; between servers there are mail and CIP", proof{}},
	{"I41", S, "an attendee's private data never reach the organizer", "RFC 6638 3.2.2.1", yes, "", try(
		put("{cal}1.ics", meeting("{id}", once)), bobsCopy(),
		over("{copy}", accepted("{id}", once+"\nX-SECRET:mine"+alarm+"TRIGGER:-PT5M\nEND:VALARM")).as("bob"),
		get("{cal}1.ics").none("VALARM", "X-SECRET"),
		queryRaw("{inbox}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match>{id}</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`).none("VALARM", "X-SECRET"),
		remove("{cal}1.ics"),
	)},
	{"I42", S, "an event can be handed over to another organizer", "RFC 5546 3.2.2.4", yes, "to a colleague, with `convene event hand-over`: answers stay, colleagues have it at once, guests elsewhere are told by the new organizer and asked by their programs. Not by saving another ORGANIZER, which makes somebody responsible unasked", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("PUT", "{cal}1.ics").ics(strings.Replace(meeting("{id}", once), "ORGANIZER:mailto:alice", "ORGANIZER:mailto:carol", 1)).refused(403, "c:allowed-organizer-scheduling-object-change"),
		do("DELETE", "{cal}1.ics").want(204),
	).and("internal/calendar TestAnEventIsHandedOver")},
	{"I43", S, "addresses are compared without regard to letters; foreign ones stay as they are", "RFC 6638 2.4.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nORGANIZER:MAILTO:Alice@Example.TEST\nATTENDEE:Mailto:BOB@example.test")),
		inCopy("bob", "{bobdef}", "{id}").all("SUMMARY:One"),
		get("{cal}1.ics").all("ORGANIZER:MAILTO:Alice@Example.TEST"),
		remove("{cal}1.ics"),
	)},
	{"I44", M, "in a shared calendar the owner schedules, SENT-BY the writer", "Apple sharing 5.5.5, RFC 6638", yes, "", try(
		acl("{cal}", toBob, "read", "write").want(200),
		put("{cal}1.ics", event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE:mailto:carol@example.test")).as("bob"),
		inCopy("carol", "/dav/calendars/carol/default/", "{id}").all("SENT-BY=", "bob@example.test"),
		remove("{cal}1.ics"), acl("{cal}", "").want(200),
	)},
	{"I45", O, "POST ?action=split splits a series", "Apple recursplit", no, "clients split a series by saving two objects", proof{}},
	{"I46", O, "CS:schedule-changes on inbox items", "Apple schedulingchanges", no, "no client asks for it that we know", proof{}},
}

var freeBusyRows = []row{
	{"J1", M, "POST of a VFREEBUSY request to the outbox: an answer for each recipient", "RFC 6638 5, 10", yes, "", try(
		put("{bobdef}{id}.ics", event("{id}", once)).as("bob"),
		do("POST", "{outbox}").ics(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test", "ATTENDEE:mailto:carol@example.test")).want(200).header("Content-Type", "application/xml; charset=utf-8").
			all("<c:schedule-response", "<c:recipient><d:href>mailto:bob@example.test</d:href></c:recipient>", "<c:request-status>2.0", "METHOD:REPLY", "20310401T100000Z/").times("<c:response>", 2),
		remove("{bobdef}{id}.ics").as("bob"),
	)},
	{"J2", M, "valid-organizer, valid-scheduling-message, valid-calendar-data, supported-calendar-data", "RFC 6638 5.2", yes, "", try(
		do("POST", "{outbox}").ics("x").refused(403, "c:valid-calendar-data"),
		do("POST", "{outbox}").send("text/plain", "x").refused(403, "c:supported-calendar-data"),
		do("POST", "{outbox}").ics(strings.Replace(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test"), "METHOD:REQUEST", "METHOD:PUBLISH", 1)).refused(403, "c:valid-scheduling-message"),
		do("POST", "{outbox}").ics(busyAsk("mailto:alice@example.test")).refused(403, "c:valid-scheduling-message"),
		do("POST", "{outbox}").ics(strings.Replace(event("{id}", once), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1)).refused(403, "c:valid-scheduling-message"),
	)},
	{"J3", M, "the organizer is the owner of the outbox", "RFC 6638 5.2.2", yes, "or who acts for the owner", try(
		do("POST", "{outbox}").ics(busyAsk("mailto:bob@example.test", "ATTENDEE:mailto:carol@example.test")).refused(403, "c:valid-organizer"),
	)},
	{"J4", M, "transparent calendars and the masked UID do not count", "RFC 6638 9.1, Apple maskuids", yes, "", try(
		put("{bobdef}{id}.ics", event("{id}", strings.ReplaceAll(once, "20310401T1", "20310401T0"))).as("bob"),
		do("POST", "{outbox}").ics(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test", "X-CALENDARSERVER-MASK-UID:{id}")).want(200).none("20310401T000000Z/"),
		remove("{bobdef}{id}.ics").as("bob"),
		do("MKCALENDAR", "{bobhome}{id}/").as("bob").want(201),
		patch("{bobhome}{id}/", "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>").as("bob").all("200 OK"),
		put("{bobhome}{id}/1.ics", event("{id}", "DTSTART:20310401T200000Z\nDTEND:20310401T210000Z")).as("bob"),
		do("POST", "{outbox}").ics(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test")).want(200).none("20310401T200000Z/"),
	)},
	{"J5", M, "unknown recipients 3.7, those who cannot be asked 5.1 or 5.3", "RFC 6638 5", yes, "", try(
		do("POST", "{outbox}").ics(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:nobody@example.test", "ATTENDEE:mailto:x@elsewhere.net")).want(200).all("<c:request-status>3.7").times("<c:response>", 2).none("2.0;"),
	)},
	{"J6", S, "calendar-availability on the inbox", "RFC 7953 7.2.4", yes, "checked", try(
		patch("{inbox}", "<C:calendar-availability>"+object(component("VAVAILABILITY", "{id}", "BEGIN:AVAILABLE\nUID:{id}-a\nDTSTAMP:20261101T080000Z\nDTSTART:20310701T080000Z\nDTEND:20310701T160000Z\nEND:AVAILABLE\nDTSTART:20310701T000000Z\nDTEND:20310702T000000Z"))+"</C:calendar-availability>").all("200 OK"),
		find("{inbox}", "0", "C:calendar-availability").all("BEGIN:VAVAILABILITY"),
		patch("{inbox}", "<C:calendar-availability>x</C:calendar-availability>").all("<c:valid-calendar-data/>"),
	)},
	{"J7", M, "VAVAILABILITY counts in free/busy", "RFC 7953 5, 7.2.3", yes, "PRIORITY and BUSYTYPE too", try(
		patch("{inbox}", "<C:calendar-availability>"+object(component("VAVAILABILITY", "{id}", "DTSTART:20310701T000000Z\nDTEND:20310702T000000Z\nBEGIN:AVAILABLE\nUID:{id}-a\nDTSTAMP:20261101T080000Z\nDTSTART:20310701T080000Z\nDTEND:20310701T160000Z\nEND:AVAILABLE"))+"</C:calendar-availability>").all("200 OK"),
		do("POST", "{bobhome}outbox/").as("bob").ics(strings.NewReplacer("20310401", "20310701", "20310402", "20310702").Replace(busyAsk("mailto:bob@example.test", "ATTENDEE:mailto:alice@example.test"))).want(200).all("BUSY-UNAVAILABLE"),
		do("PROPPATCH", "{inbox}").xml(`<propertyupdate`+ns+`><remove><prop><C:calendar-availability/></prop></remove></propertyupdate>`).want(207).all("200 OK"),
	)},
	{"J8", S, "time-range on VAVAILABILITY", "RFC 7953 7.2.2", yes, "", try(
		put("{cal}1.ics", object(component("VAVAILABILITY", "{id}", "DTSTART:20310701T000000Z\nDTEND:20310702T000000Z"))),
		queryComp("{cal}", "VAVAILABILITY", within("20310701T100000Z", "20310701T110000Z")).all("1.ics"), queryComp("{cal}", "VAVAILABILITY", within("20310703T100000Z", "20310704T110000Z")).none("<d:response>"),
	)},
	{"J9", O, "a free/busy address", "RFC 2739 2.4.1", yes, "`/freebusy/{account}` for those who sign in, and published calendars that show busy time alone", try(
		do("GET", "/freebusy/bob").want(200).all("BEGIN:VFREEBUSY", "METHOD:PUBLISH"), do("GET", "/freebusy/bob").as("").want(401), do("GET", "/freebusy/nobody").want(404),
	)},
	{"J10", M, "long ranges are limited", "choice", yes, "three years; and what looking into the calendars may cost", try(
		do("POST", "{outbox}").ics(strings.Replace(busyAsk("mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test"), "DTEND:20310402", "DTEND:20910402", 1)).want(400),
	).and("internal/calendar TestFreeBusyWorkIsBounded")},
}
