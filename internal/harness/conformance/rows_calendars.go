package conformance

import "strings"

const zoneText = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n" + Berlin + "\nEND:VCALENDAR"

var calendarRows = []row{
	{"E1", M, "resourcetype holds collection and CALDAV:calendar", "RFC 4791 4.2", yes, "", try(
		find("{cal}", "0", "resourcetype").all("<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"),
	)},
	{"E2", M, "no calendar within a calendar: calendar-collection-location-ok", "RFC 4791 4.2, 5.3.1", yes, "", try(
		do("MKCALENDAR", "{cal}in/").refused(403, "c:calendar-collection-location-ok"),
		do("MKCOL", "{cal}in/").want(403, 405),
		do("MKCALENDAR", "{inbox}in/").refused(403, "c:calendar-collection-location-ok"), do("MKCALENDAR", "{me}in/").refused(403, "c:calendar-collection-location-ok"),
		do("MKCALENDAR", "/dav/calendars/{id}/").refused(403, "c:calendar-collection-location-ok"),
		do("MKCALENDAR", "{home}none/in/").want(409),
		do("MKCALENDAR", "{home}none/in/deep/").want(409),
	)},
	{"E3", M, "MKCALENDAR with and without a body; resource-must-be-null where one is", "RFC 4791 5.3.1", yes, "403", try(
		do("MKCALENDAR", "{home}{id}-a/").want(201).header("Cache-Control", "~no-c"),
		do("MKCALENDAR", "{home}{id}-b").want(201),
		do("MKCALENDAR", "{home}{id}-a/").refused(403, "d:resource-must-be-null"), do("MKCALENDAR", "{home}").refused(403, "d:resource-must-be-null"), do("MKCALENDAR", "{inbox}").refused(403, "d:resource-must-be-null"),
		do("MKCALENDAR", "{home}{id}-c/").xml(`<C:mkcalendar`+ns+`><set><prop><displayname>Three</displayname><C:calendar-description xml:lang="en">About</C:calendar-description><C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set><C:calendar-timezone><![CDATA[`+zoneText+`]]></C:calendar-timezone></prop></set></C:mkcalendar>`).want(201),
		find("{home}{id}-c/", "0", "displayname", "C:calendar-description", "C:supported-calendar-component-set", "C:calendar-timezone", "resourcetype").
			all("Three", `<c:calendar-description xml:lang="en">About`, `<c:comp name="VEVENT"/>`, "TZID:Europe/Berlin", "<c:calendar/>").none(`<c:comp name="VTODO"/>`, "404"),
		do("MKCALENDAR", "{home}{id}-d/").xml(`<propfind xmlns="DAV:"/>`).want(400),
		do("MKCALENDAR", "{home}{id}-d/").xml(`<C:mkcalendar`+ns+`><set/></C:mkcalendar>`).want(201, 400),
	)},
	{"E4", M, "MKCALENDAR is all or nothing", "RFC 4791 5.3.1", yes, "207 with 424", try(
		do("MKCALENDAR", "{home}{id}/").xml(`<C:mkcalendar`+ns+`><set><prop><displayname>No</displayname><getetag>x</getetag></prop></set></C:mkcalendar>`).want(207).all("424 Failed Dependency", "403 Forbidden", "<d:cannot-modify-protected-property/>"),
		find("{home}{id}/", "0", "displayname").want(404),
		do("MKCALENDAR", "{home}{id}/").xml(`<C:mkcalendar`+ns+`><set><prop><C:calendar-timezone>x</C:calendar-timezone></prop></set></C:mkcalendar>`).want(207, 403).all("valid-calendar-data"),
		find("{home}{id}/", "0", "displayname").want(404),
	)},
	{"E5", M, "calendar-description, displayname, calendar-timezone can be set", "RFC 4791 5.2.1, 5.2.2", yes, "", try(
		patch("{cal}", "<displayname>D</displayname><C:calendar-description>About it</C:calendar-description><C:calendar-timezone>"+zoneText+"</C:calendar-timezone>").all("200 OK").none("403", "409"),
		find("{cal}", "0", "displayname", "C:calendar-description", "C:calendar-timezone").all(">D<", "About it", "TZID:Europe/Berlin"),
		do("PROPPATCH", "{cal}").xml(`<propertyupdate`+ns+`><remove><prop><C:calendar-description/><C:calendar-timezone/></prop></remove></propertyupdate>`).want(207).all("200 OK"),
		find("{cal}", "0", "C:calendar-description", "C:calendar-timezone").all("404").none("About it"),
	)},
	{"E6", M, "calendar-timezone is one VTIMEZONE, else valid-calendar-data", "RFC 4791 5.2.2", yes, "", try(
		patch("{cal}", "<C:calendar-timezone>BEGIN:VCALENDAR</C:calendar-timezone>").all("<c:valid-calendar-data/>", "403"),
		patch("{cal}", "<C:calendar-timezone>"+event("{id}", once)+"</C:calendar-timezone>").all("<c:valid-calendar-data/>"),
		patch("{cal}", "<C:calendar-timezone>"+object(Berlin+"\n"+strings.ReplaceAll(Berlin, "Europe/Berlin", "Other"))+"</C:calendar-timezone>").all("<c:valid-calendar-data/>"),
		patch("{cal}", "<C:calendar-timezone></C:calendar-timezone>").all("<c:valid-calendar-data/>"),
	)},
	{"E7", M, "supported-calendar-component-set: set when the calendar is made, protected afterwards, enforced", "RFC 4791 5.2.3", yes, "", try(
		do("MKCALENDAR", "{home}{id}/").xml(`<C:mkcalendar`+ns+`><set><prop><C:supported-calendar-component-set><C:comp name="VTODO"/><C:comp name="VJOURNAL"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>`).want(201),
		find("{home}{id}/", "0", "C:supported-calendar-component-set").all(`<c:comp name="VTODO"/>`, `<c:comp name="VJOURNAL"/>`).none("VEVENT"),
		do("PUT", "{home}{id}/1.ics").ics(event("{id}", once)).refused(403, "c:supported-calendar-component"),
		put("{home}{id}/2.ics", todo("{id}-t", "SUMMARY:T")),
		patch("{home}{id}/", `<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>`).all("<d:cannot-modify-protected-property/>"),
		do("MKCALENDAR", "{home}{id}-x/").xml(`<C:mkcalendar`+ns+`><set><prop><C:supported-calendar-component-set><C:comp name="VFOO"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>`).want(207).all("<c:supported-calendar-component/>"),
	)},
	{"E8", M, "supported-calendar-data", "RFC 4791 5.2.4, RFC 7265, RFC 6321", yes, "iCalendar, jCal and xCal", try(
		find("{cal}", "0", "C:supported-calendar-data").all(`<c:calendar-data content-type="text/calendar" version="2.0"/>`, "application/calendar+json", "application/calendar+xml"),
	)},
	{"E9", M, "max-resource-size, min-date-time, max-date-time, max-instances, max-attendees-per-instance: shown and enforced", "RFC 4791 5.2.5–5.2.9", yes, "", try(
		find("{cal}", "0", "C:max-resource-size", "C:min-date-time", "C:max-date-time", "C:max-instances", "C:max-attendees-per-instance").none("404"),
		do("PUT", "{cal}1.ics").ics(event("{id}", "DTSTART:00010101T000000Z\nSUMMARY:x")).refused(403, "c:min-date-time"),
		do("PUT", "{cal}1.ics").ics(event("{id}", "DTSTART:99991231T000000Z\nSUMMARY:x")).refused(403, "c:max-date-time"),
		patch("{cal}", "<C:max-resource-size>1</C:max-resource-size>").all("cannot-modify-protected-property"),
	).and("internal/davserver TestRequests")},
	{"E10", M, "supported-collation-set", "RFC 4791 7.5.1", yes, "", try(
		find("{cal}", "0", "C:supported-collation-set").all("<c:supported-collation>i;ascii-casemap<", "<c:supported-collation>i;octet<", "<c:supported-collation>i;unicode-casemap<"),
	)},
	{"E11", S, "calendar-color and calendar-order, for each reader", "Apple", yes, "", try(
		patch("{cal}", `<A:calendar-color symbolic-color="red">#FF2968FF</A:calendar-color><A:calendar-order>7</A:calendar-order>`).all("200 OK").none("403"),
		find("{cal}", "0", "A:calendar-color", "A:calendar-order").all("#FF2968FF", ">7<"),
	)},
	{"E12", S, "getctag changes with every change of a member", "CalendarServer ctag", yes, "", try(
		find("{cal}", "0", "S:getctag").save("c", `getctag>([^<]+)<`),
		put("{cal}1.ics", event("{id}", once)),
		find("{cal}", "0", "S:getctag").none(">{c}<").save("c2", `getctag>([^<]+)<`),
		over("{cal}1.ics", event("{id}", once+"\nLOCATION:A")),
		find("{cal}", "0", "S:getctag").none(">{c2}<").save("c3", `getctag>([^<]+)<`),
		find("{cal}", "0", "S:getctag").all(">{c3}<"),
		remove("{cal}1.ics"),
		find("{cal}", "0", "S:getctag").none(">{c3}<"),
	)},
	{"E13", S, "schedule-calendar-transp", "RFC 6638 9.1", yes, "", try(
		find("{cal}", "0", "C:schedule-calendar-transp").all("<c:schedule-calendar-transp><c:opaque/></c:schedule-calendar-transp>"),
		patch("{cal}", "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>").all("200 OK"),
		find("{cal}", "0", "C:schedule-calendar-transp").all("<c:transparent/>"),
		patch("{cal}", "<C:schedule-calendar-transp><C:odd/></C:schedule-calendar-transp>").all("409"),
	)},
	{"E14", M, "the default calendar for invitations cannot be deleted: default-calendar-needed", "RFC 6638 4.3.1.1", yes, "", try(
		do("DELETE", "{def}").refused(403, "c:default-calendar-needed"),
	)},
	{"E15", S, "GET on a calendar gives it whole", "clients", yes, "text/calendar, with an entity tag", try(
		put("{cal}1.ics", event("{id}-1", once)), put("{cal}2.ics", event("{id}-2", once)),
		get("{cal}").header("Content-Type", "~text/calendar").header("ETag", "*").all("UID:{id}-1", "UID:{id}-2").times("BEGIN:VCALENDAR", 1).saveHead("tag", "ETag"),
		do("GET", "{cal}").with("If-None-Match", "{tag}").want(304),
	)},
	{"E16", S, "a calendar and a task list from the start", "clients", yes, "", try(
		find("{bobhome}", "1", "C:supported-calendar-component-set").as("bob").all("{bobdef}", "{bobhome}tasks/", `<c:comp name="VTODO"/>`),
	)},
	{"E17", O, "own name, colour, order and transparency of what others share", "Apple sharing 5.5.3", yes, "", try(
		acl("{cal}", toBob, "read").want(200),
		find("{bobhome}", "1", "S:shared-url", "resourcetype").as("bob").save("mine", `<d:href>(/dav/calendars/bob/[^<]+)</d:href><d:propstat><d:prop><cs:shared-url><d:href>{cal}<`),
		patch("{mine}", "<displayname>Bob's</displayname><A:calendar-color>#000001FF</A:calendar-color>").as("bob").all("200 OK"),
		find("{mine}", "0", "displayname", "A:calendar-color").as("bob").all("Bob's", "#000001FF"),
		find("{cal}", "0", "displayname", "A:calendar-color").none("Bob", "#000001FF"),
		acl("{cal}", "").want(200),
	)},
	{"E18", O, "earlier versions and what was deleted can be had again", "choice", yes, "for 30 days, on the web and with `convene calendar history` and `restore`", tested("internal/davserver TestHistory")},
	{"E19", O, "subscriptions that the server keeps, CS:source", "clients (Apple)", yes, "an ordinary calendar that cannot be written; validators, back-off, size limit, no private networks", tested("internal/subscription TestFollow", "internal/subscription TestPrivateNetworks")},
	{"E20", S, "lists of collections are in a stable order", "choice", yes, "", try(
		find("{home}", "1", "resourcetype").all("<d:href>{def}</d:href>"),
	)},
}

var objectRows = []row{
	{"F1", M, "one UID and one kind for each object; a UID once in a calendar: no-uid-conflict with href", "RFC 4791 4.1, 5.3.2.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		do("PUT", "{cal}2.ics").ics(event("{id}", once)).want(403).all("<c:no-uid-conflict><d:href>{cal}1.ics</d:href></c:no-uid-conflict>"),
		do("PUT", "{cal}3.ics").ics(object(component("VEVENT", "{id}-a", once)+"\n"+component("VEVENT", "{id}-b", once))).refused(403, "c:valid-calendar-object-resource"),
		do("PUT", "{cal}3.ics").ics(object(component("VEVENT", "{id}-a", once)+"\n"+component("VTODO", "{id}-a", "SUMMARY:x"))).refused(403, "c:valid-calendar-object-resource"),
		do("PUT", "{cal}1.ics").ics(event("{id}-other", once)).want(403, 204),
	)},
	{"F2", M, "valid iCalendar, else valid-calendar-data or valid-calendar-object-resource", "RFC 4791 4.1, 5.3.2.1", yes, "small faults of real programs are tolerated and kept; half an upload is not", try(
		do("PUT", "{cal}1.ics").ics("").want(403).all("valid-calendar-data"),
		do("PUT", "{cal}1.ics").ics("BEGIN:VCARD\r\nEND:VCARD\r\n").refused(403, "c:valid-calendar-data"),
		do("PUT", "{cal}1.ics").ics(strings.TrimSuffix(event("{id}", once), "END:VCALENDAR\r\n")).refused(403, "c:valid-calendar-data"),
		do("PUT", "{cal}1.ics").ics(event("{id}", "DTSTART:20319999T000000Z")).want(403),
		do("PUT", "{cal}1.ics").ics(object("X-A:b")).want(403),
		do("PUT", "{cal}1.ics").ics(object(Berlin)).refused(403, "c:valid-calendar-object-resource"),
		do("PUT", "{cal}1.ics").ics(strings.Replace(event("{id}", once), "UID:{id}\r\n", "", 1)).want(403),
	)},
	{"F3", M, "METHOD is refused", "RFC 4791 4.1", yes, "", try(
		do("PUT", "{cal}1.ics").ics(strings.Replace(event("{id}", once), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH", 1)).refused(403, "c:valid-calendar-object-resource"),
	)},
	{"F4", M, "another media type: supported-calendar-data", "RFC 4791 5.3.2.1", yes, "", try(
		do("PUT", "{cal}1.ics").send("text/plain", event("{id}", once)).refused(403, "c:supported-calendar-data"),
		do("PUT", "{cal}1.ics").send("text/calendar; version=1.0", event("{id}", once)).refused(403, "c:supported-calendar-data"),
		do("PUT", "{cal}1.ics").send("text/vcard", event("{id}", once)).refused(403, "c:supported-calendar-data"),
		do("PUT", "{cal}1.ics").send("", event("{id}", once)).want(201),
	)},
	{"F5", M, "a component that the calendar does not hold: supported-calendar-component", "RFC 4791 5.3.2.1", yes, "", try(
		do("PUT", "{tasks}{id}.ics").ics(event("{id}", once)).refused(403, "c:supported-calendar-component"),
		put("{cal}1.ics", event("{id}-m", once)),
		copied("{cal}1.ics", "{tasks}{id}.ics").refused(403, "c:supported-calendar-component"),
		move("{cal}1.ics", "{tasks}{id}.ics").refused(403, "c:supported-calendar-component"),
	)},
	{"F6", M, "a scheduling object once in a home: unique-scheduling-object-resource", "RFC 6638 3.2.4.1", yes, "others may be in two calendars", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("PUT", "{cal2}1.ics").ics(meeting("{id}", once)).want(403).all("<c:unique-scheduling-object-resource><d:href>{cal}1.ics</d:href>"),
		put("{cal}2.ics", event("{id}-e", once)),
		put("{cal2}2.ics", event("{id}-e", once)),
		remove("{cal}1.ics"),
	)},
	{"F7", M, "unknown properties, parameters and components are kept", "RFC 4791 5.3.3", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nX-FOO;X-BAR=\"a;b\":baz\nIANA-TOKEN:q\nBEGIN:X-COMP\nX-IN:1\nEND:X-COMP")),
		get("{cal}1.ics").all("X-FOO;X-BAR=\"a;b\":baz\r\n", "IANA-TOKEN:q\r\n", "BEGIN:X-COMP\r\nX-IN:1\r\nEND:X-COMP\r\n"),
	)},
	{"F8", M, "octets come back as they were sent, else there is no ETag", "RFC 4791 5.3.4", yes, "", try(
		do("PUT", "{cal}1.ics").ics("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nbegin:vevent\nuid:{id}\ndtstamp:20260101T000000Z\nDtStart:20310101T000000Z\nsummary:a\n b\nend:vevent\nEND:VCALENDAR\n").want(201).header("ETag", "*").saveHead("tag", "ETag"),
		get("{cal}1.ics").header("ETag", "{tag}").all("begin:vevent\nuid:{id}\n", "summary:a\n b\n"),
	)},
	{"F9", M, "overrides with their series, and without it", "RFC 4791 4.1", yes, "", try(
		put("{cal}1.ics", object(component("VEVENT", "{id}", daily)+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T120000Z\nSUMMARY:Moved"))),
		put("{cal}2.ics", event("{id}-d", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T120000Z\nSUMMARY:Alone")),
		query("{cal}", `<C:time-range start="20310402T113000Z" end="20310402T123000Z"/>`).all("{cal}1.ics", "{cal}2.ics"),
	)},
	{"F10", M, "VTIMEZONE for the TZIDs used; without it, for names that are known", "RFC 4791 4.1, RFC 7809 3.1.4", yes, "IANA, Windows and known vendors' names", try(
		put("{cal}1.ics", object(Berlin+"\n"+component("VEVENT", "{id}-1", "DTSTART;TZID=Europe/Berlin:20310401T100000\nSUMMARY:x"))),
		put("{cal}2.ics", event("{id}-2", "DTSTART;TZID=America/New_York:20310401T100000\nSUMMARY:x")),
		put("{cal}3.ics", event("{id}-3", "DTSTART;TZID=W. Europe Standard Time:20310401T100000\nSUMMARY:x")),
		do("PUT", "{cal}4.ics").ics(event("{id}-4", "DTSTART;TZID=Middle Earth:20310401T100000\nSUMMARY:x")).want(403).all("valid-calendar"),
	)},
	{"F11", M, "VEVENT, VTODO, VJOURNAL, VFREEBUSY, VAVAILABILITY are stored", "RFC 5545 3.6, RFC 7953", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once)), put("{cal}2.ics", todo("{id}-2", "SUMMARY:x")), put("{cal}3.ics", object(component("VJOURNAL", "{id}-3", "SUMMARY:x"))),
		put("{cal}4.ics", object(component("VFREEBUSY", "{id}-4", "DTSTART:20310401T000000Z\nDTEND:20310402T000000Z\nFREEBUSY:20310401T100000Z/PT1H"))),
		put("{cal}5.ics", object(component("VAVAILABILITY", "{id}-5", "BEGIN:AVAILABLE\nUID:{id}-6\nDTSTAMP:20261101T080000Z\nDTSTART:20310401T080000Z\nDTEND:20310401T160000Z\nEND:AVAILABLE"))),
		find("{cal}", "1", "getcontenttype").all("component=vevent", "component=vtodo", "component=vjournal", "component=vfreebusy", "component=vavailability"),
	)},
	{"F12", M, "folding, UTF-8, ^n ^^ ^' in parameters", "RFC 5545 3.1, RFC 6868", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nDESCRIPTION:ä😀 "+strings.Repeat("ü", 35)+"\n äö\nATTACH;FILENAME=\"a^'b^nc^^d\":http://x.test/")),
		get("{cal}1.ics").all("\r\n äö\r\n", "a^'b^nc^^d"),
		query("{cal}", `<C:prop-filter name="DESCRIPTION"><C:text-match>üäö</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
	)},
	{"F13", M, "recurrence rules in full, EXDATE, RDATE with periods, gaps and folds", "RFC 5545 3.3.10, 3.8.5", yes, "", try(
		put("{cal}1.ics", event("{id}", "DTSTART;TZID=Europe/Berlin:20310131T100000\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=12\nEXDATE;TZID=Europe/Berlin:20310228T100000\nRDATE;VALUE=PERIOD:20310315T120000Z/PT30M\nSUMMARY:Last workday")),
		query("{cal}", `<C:time-range start="20310331T075900Z" end="20310331T080100Z"/>`).all("{cal}1.ics"),
		query("{cal}", `<C:time-range start="20310228T000000Z" end="20310301T000000Z"/>`).none("<d:response>"),
		query("{cal}", `<C:time-range start="20310315T121500Z" end="20310315T121600Z"/>`).all("{cal}1.ics"),
		query("{cal}", `<C:time-range start="20320201T000000Z" end="20330101T000000Z"/>`).none("<d:response>"),
	).and("ical/recur TestRandomRules")},
	{"F14", O, "RSCALE and SKIP", "RFC 7529", part, "Gregorian and the arithmetic calendars ([standards.md](standards.md))", try(
		put("{cal}1.ics", event("{id}", "DTSTART;VALUE=DATE:20310131\nRRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;COUNT=3\nSUMMARY:x")),
		query("{cal}", `<C:time-range start="20310228T000000Z" end="20310301T000000Z"/>`).all("{cal}1.ics"),
	)},
	{"F15", M, "overrides for this and all that follow", "RFC 5545 3.2.13", yes, "", try(
		put("{cal}1.ics", object(component("VEVENT", "{id}", daily)+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID;RANGE=THISANDFUTURE:20310405T080000Z\nDTSTART:20310405T150000Z\nDTEND:20310405T160000Z\nSUMMARY:Later"))),
		query("{cal}", `<C:time-range start="20310410T151500Z" end="20310410T152000Z"/>`).all("{cal}1.ics"),
		query("{cal}", `<C:time-range start="20310410T081500Z" end="20310410T082000Z"/>`).none("<d:response>"),
	)},
	{"F16", M, "DURATION or DTEND, dates last a day", "RFC 5545 3.6.1", yes, "", try(
		put("{cal}1.ics", event("{id}-1", "DTSTART:20310401T100000Z\nDURATION:PT90M\nSUMMARY:x")),
		put("{cal}2.ics", event("{id}-2", "DTSTART;VALUE=DATE:20310402\nSUMMARY:x")),
		put("{cal}3.ics", event("{id}-3", "DTSTART:20310403T100000Z\nSUMMARY:x")),
		query("{cal}", `<C:time-range start="20310401T111500Z" end="20310401T112000Z"/>`).all("{cal}1.ics").none("{cal}2.ics"),
		query("{cal}", `<C:time-range start="20310402T180000Z" end="20310402T190000Z"/>`).all("{cal}2.ics").none("{cal}1.ics"),
		query("{cal}", `<C:time-range start="20310403T100000Z" end="20310403T100001Z"/>`).all("{cal}3.ics"),
		query("{cal}", `<C:time-range start="20310403T100001Z" end="20310403T100002Z"/>`).none("<d:response>"),
	)},
	{"F17", M, "properties of RFC 7986, 9073, 9074, 9253 are kept", "RFC 7986, 9073, 9074, 9253", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nCOLOR:red\nIMAGE;VALUE=URI;DISPLAY=BADGE:http://x.test/i.png\nCONFERENCE;VALUE=URI;FEATURE=VIDEO:https://x.test/c\nSTRUCTURED-DATA;VALUE=TEXT;FMTTYPE=application/ld+json:{}\nLINK;LINKREL=\"next\";VALUE=URI:http://x.test/n\nBEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT5M\nUID:{id}-al\nACKNOWLEDGED:20310401T095500Z\nPROXIMITY:DEPART\nEND:VALARM\nBEGIN:PARTICIPANT\nUID:{id}-p\nPARTICIPANT-TYPE:SPEAKER\nEND:PARTICIPANT")),
		get("{cal}1.ics").all("COLOR:red", "IMAGE;VALUE=URI", "CONFERENCE;", "STRUCTURED-DATA;", "LINK;", "ACKNOWLEDGED:20310401T095500Z", "PROXIMITY:DEPART", "BEGIN:PARTICIPANT"),
	)},
	{"F18", S, "X-MOZ-LASTACK and its like stay", "clients", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nX-MOZ-LASTACK:20310401T095500Z\nX-MOZ-SNOOZE-TIME:20310401T100000Z")),
		get("{cal}1.ics").all("X-MOZ-LASTACK:20310401T095500Z", "X-MOZ-SNOOZE-TIME:20310401T100000Z"),
	)},
	{"F19", M, "what is too large: max-resource-size", "RFC 4791 5.3.2.1", yes, "", tested("internal/davserver TestRequests")},
	{"F20", M, "other character sets are converted, or 415", "RFC 9110 8.3", yes, "ISO 8859-1 is converted", try(
		do("PUT", "{cal}1.ics").send("text/calendar; charset=iso-8859-1", strings.Replace(event("{id}", once), "One", "\xfc", 1)).want(201).header("ETag", ""),
		get("{cal}1.ics").all("SUMMARY:ü"),
		do("PUT", "{cal}2.ics").send("text/calendar; charset=utf-16", event("{id}-2", once)).want(415),
	)},
	{"F21", M, "names of up to 255 octets, with any escapes, with or without .ics", "clients", yes, "", try(
		put("{cal}"+strings.Repeat("n", 255), event("{id}-1", once)),
		do("PUT", "{cal}"+strings.Repeat("n", 256)).ics(event("{id}-2", once)).want(400, 414, 403),
		put("{cal}%7Ba%7D%20%23%3F%25%5B%5D%40%2B%F0%9F%98%80", event("{id}-3", once)),
		get("{cal}%7Ba%7D%20%23%3F%25%5B%5D%40%2B%F0%9F%98%80").all("UID:{id}-3"),
		find("{cal}", "1", "getetag").all("%F0%9F%98%80</d:href>"),
	)},
	{"F22", S, "the same octets again change neither ETag nor sync-token", "clients", yes, "", try(
		put("{cal}1.ics", event("{id}", once)).saveHead("tag", "ETag"),
		find("{cal}", "0", "sync-token").save("sync", `sync-token>([^<]+)<`),
		do("PUT", "{cal}1.ics").ics(event("{id}", once)).want(204).header("ETag", "{tag}"),
		find("{cal}", "0", "sync-token").all(">{sync}<"),
	)},
	{"F23", O, "jCal and xCal by Accept, and as bodies of PUT", "RFC 7265, RFC 6321", yes, "stored as iCalendar", try(
		do("PUT", "{cal}1.ics").send("application/calendar+json", `["vcalendar",[["version",{},"text","2.0"],["prodid",{},"text","x"]],[["vevent",[["uid",{},"text","{id}"],["dtstamp",{},"date-time","2026-11-01T08:00:00Z"],["dtstart",{},"date-time","2031-04-01T10:00:00Z"],["summary",{},"text","J"]],[]]]]`).want(201).header("ETag", ""),
		get("{cal}1.ics").all("SUMMARY:J", "DTSTART:20310401T100000Z"),
		do("GET", "{cal}1.ics").with("Accept", "application/calendar+json").want(200).header("Content-Type", "~application/calendar+json").all(`"vevent"`).header("Vary", "~Accept"),
		do("GET", "{cal}1.ics").with("Accept", "application/calendar+xml").want(200).all("<vevent>"),
		do("GET", "{cal}1.ics").with("Accept", "text/calendar;q=1, application/calendar+json;q=0.5").want(200).all("BEGIN:VCALENDAR"),
	)},
}
