package conformance

const plan = "the plan"

var attachmentRows = []row{
	{"K1", O, "POST of attachment-add, attachment-update, attachment-remove, with rid and managed-id", "RFC 8607 3", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		do("POST", "{cal}1.ics?action=attachment-add").send("text/plain", plan).with("Content-Disposition", `attachment;filename="plan.txt"`).with("Prefer", "return=representation").want(201).header("Cal-Managed-ID", "*").header("ETag", "*").all("MANAGED-ID=", "FILENAME=plan.txt").saveHead("mid", "Cal-Managed-ID"),
		do("POST", "{cal}1.ics?action=attachment-update&managed-id={mid}").send("text/plain", "new plan").want(204, 200).header("Cal-Managed-ID", "*").saveHead("mid2", "Cal-Managed-ID"),
		do("POST", "{cal}1.ics?action=attachment-remove&managed-id={mid2}").want(204),
		get("{cal}1.ics").none("ATTACH"),
	)},
	{"K2", O, "Cal-Managed-ID; ATTACH with MANAGED-ID, FILENAME, SIZE, FMTTYPE", "RFC 8607 4, 5", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		do("POST", "{cal}1.ics?action=attachment-add").send("text/html; charset=utf-8", "<b>plan</b>").with("Content-Disposition", `attachment;filename="plan.html"`).want(201).header("Cal-Managed-ID", "*"),
		get("{cal}1.ics").all("MANAGED-ID=", "FMTTYPE=text/html", "SIZE=11", "plan.html"),
		find("{home}", "0", "C:max-attachment-size", "C:max-attachments-per-resource", "C:managed-attachments-server-URL").none("404"),
	)},
	{"K3", O, "preconditions of attachments", "RFC 8607 3.11", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		do("POST", "{cal}1.ics?action=attachment-eat").send("text/plain", plan).refused(403, "c:valid-action"),
		do("POST", "{cal}1.ics").send("text/plain", plan).want(403, 400),
		do("POST", "{cal}1.ics?action=attachment-add&rid=20990101T000000Z").send("text/plain", plan).refused(403, "c:valid-rid"),
		do("POST", "{cal}1.ics?action=attachment-add&managed-id=1").send("text/plain", plan).refused(403, "c:valid-managed-id"),
		do("POST", "{cal}1.ics?action=attachment-update").send("text/plain", plan).refused(403, "c:valid-managed-id"),
		do("POST", "{cal}1.ics?action=attachment-remove&managed-id=none").refused(403, "c:valid-managed-id"),
		do("POST", "{cal}none.ics?action=attachment-add").send("text/plain", plan).want(404),
	).and("internal/davserver TestManagedAttachments")},
	{"K4", O, "attachments are read by those who are invited", "RFC 8607 3.12.2", yes, "by anyone who has the address, which cannot be guessed", tested("internal/davserver TestManagedAttachments")},
	{"K5", O, "a managed ATTACH is copied and removed by PUT", "RFC 8607 3.7–3.9", yes, "files that no event names go after 30 days", try(
		put("{cal}1.ics", event("{id}", once)),
		do("POST", "{cal}1.ics?action=attachment-add").send("text/plain", plan).want(201).saveHead("mid", "Cal-Managed-ID"),
		get("{cal}1.ics").all("MANAGED-ID="),
		over("{cal}1.ics", event("{id}", once)),
		get("{cal}1.ics").none("MANAGED-ID="),
		do("DELETE", "/attachments/none/x").as("").want(405), do("PUT", "/attachments/none/x").as("").want(405),
	)},
	{"K6", O, "calendar-managed-attachments-no-recurrence where occurrences have none of their own", "RFC 8607 3.2", yes, "not advertised: occurrences have their own", try(
		do("OPTIONS", "{cal}").want(200).header("DAV", "~calendar-managed-attachments"),
		put("{cal}1.ics", event("{id}", daily)),
		do("POST", "{cal}1.ics?action=attachment-add&rid=20310403T080000Z").send("text/plain", plan).with("Prefer", "return=representation").want(201).all("RECURRENCE-ID:20310403T080000Z").times("MANAGED-ID=", 1),
		do("POST", "{cal}1.ics?action=attachment-add&rid=M").send("text/plain", plan).want(201),
		do("POST", "{cal}1.ics?action=attachment-add&rid=20310403T090000Z").send("text/plain", plan).refused(403, "c:valid-rid"),
		do("POST", "{cal}1.ics?action=attachment-update&rid=M&managed-id=x").send("text/plain", plan).refused(403, "c:valid-rid"),
	).and("internal/davserver TestAttachmentsOfOccurrences")},
	{"K7", M, "BINARY attachments within the event", "RFC 4791 8.5", yes, "up to max-resource-size", try(
		put("{cal}1.ics", event("{id}", once+"\nATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=text/plain:dGhlIHBsYW4=")), get("{cal}1.ics").all("dGhlIHBsYW4="),
	)},
	{"K8", M, "attachments are never a page of ours", "security", yes, "Content-Disposition: attachment, nosniff, a policy that allows nothing", tested("internal/davserver TestManagedAttachments")},
	{"K9", O, "mail carries the attachment's address", "RFC 8607 3.12.6", yes, "as ATTACH", try(
		put("{cal}1.ics", meeting("{id}", once)),
		do("POST", "{cal}1.ics?action=attachment-add").send("text/plain", plan).want(201),
		inCopy("bob", "{bobdef}", "{id}").all("/attachments/"), remove("{cal}1.ics"),
	)},
}

var zoneRows = []row{
	{"L1", O, "calendar-no-timezone and CalDAV-Timezones", "RFC 7809 3.1", yes, "", try(
		put("{cal}1.ics", object(Berlin+"\n"+component("VEVENT", "{id}", "DTSTART;TZID=Europe/Berlin:20310401T100000\nSUMMARY:x"))),
		do("GET", "{cal}1.ics").with("CalDAV-Timezones", "F").want(200).none("VTIMEZONE").all("TZID=Europe/Berlin").header("Vary", "~CalDAV-Timezones"),
		do("GET", "{cal}1.ics").with("CalDAV-Timezones", "T").want(200).all("VTIMEZONE"),
		multiget("{cal}", "{cal}1.ics").with("CalDAV-Timezones", "F").none("BEGIN:VTIMEZONE"),
	)},
	{"L2", O, "timezone-service-set, calendar-timezone-id", "RFC 7809 5", yes, "", try(
		find("{cal}", "0", "C:timezone-service-set").all("/timezones</d:href>"),
		patch("{cal}", "<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>").all("200 OK"),
		find("{cal}", "0", "C:calendar-timezone-id").all("Asia/Tokyo"),
		patch("{cal}", "<C:calendar-timezone-id>Middle/Earth</C:calendar-timezone-id>").all("<c:valid-timezone/>"),
	)},
	{"L3", O, "calendar-timezone and calendar-timezone-id say the same", "RFC 7809 3.1.5, 5.2", yes, "", try(
		patch("{cal}", "<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>").all("200 OK"), find("{cal}", "0", "C:calendar-timezone").all("TZID:Asia/Tokyo"),
		patch("{cal}", "<C:calendar-timezone>"+zoneText+"</C:calendar-timezone>").all("200 OK"), find("{cal}", "0", "C:calendar-timezone-id").all("Europe/Berlin"),
	)},
	{"L4", O, "the time zone service: capabilities, list, get, expand, find, leapseconds", "RFC 7808 5", yes, "at /timezones", try(
		do("GET", "/timezones/capabilities").as("").want(200).all(`"version":1`, `"actions"`),
		do("GET", "/timezones/zones").as("").want(200).all(`"synctoken"`, "Europe/Berlin"),
		do("GET", "/timezones/zones/Europe%2FBerlin").as("").want(200).all("TZID:Europe/Berlin").header("ETag", "*").header("Content-Type", "~text/calendar"),
		do("GET", "/timezones/zones/Europe%2FBerlin/observances?start=2031-01-01T00:00:00Z&end=2032-01-01T00:00:00Z").as("").want(200).all(`"observances"`, `"utc-offset-to":7200`),
		do("GET", "/timezones/zones?pattern=*berlin").as("").want(200).all("Europe/Berlin"),
		do("GET", "/timezones/leapseconds").as("").want(200).all(`"utc-offset":37`),
		do("GET", "/timezones/zones/Middle%2FEarth").as("").want(404).all("tzid-not-found").header("Content-Type", "application/problem+json"),
	).and("internal/davserver TestTimeZoneService")},
	{"L5", M, "Windows and vendors' names are understood and kept", "clients", yes, "", try(
		put("{cal}1.ics", event("{id}", "DTSTART;TZID=\"W. Europe Standard Time\":20310401T100000\nDURATION:PT1H\nSUMMARY:x")),
		query("{cal}", within("20310401T081500Z", "20310401T082000Z")).all("1.ics"), get("{cal}1.ics").all("W. Europe Standard Time"),
	)},
	{"L6", M, "new time zone data change future events", "choice", yes, "with a new release: the data are part of the program, and the time index is made anew when they change", tested("internal/calendar TestReindex")},
	{"L7", M, "a VTIMEZONE that contradicts a known name", "RFC 7809 3.1.4", yes, "the known name counts for computing; the data are kept", try(
		put("{cal}1.ics", object("BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\n"+component("VEVENT", "{id}", "DTSTART;TZID=Europe/Berlin:20310401T100000\nDURATION:PT1H\nSUMMARY:x"))),
		query("{cal}", within("20310401T081500Z", "20310401T082000Z")).all("1.ics"), get("{cal}1.ics").all("TZOFFSETTO:+0900"),
	)},
}

var extensionRows = []row{
	{"M1", S, "calendar-proxy-read and -write: principals, members, read-for and write-for", "Apple proxy 5", yes, "who acts for someone sees what is private, the inbox and the outbox", try(
		find("{me}calendar-proxy-write/", "0", "resourcetype", "group-member-set", "principal-URL").all("<cs:calendar-proxy-write/>", "<d:principal/>").none("404"),
		patch("{me}calendar-proxy-read/", "<group-member-set><href>/dav/principals/carol/</href></group-member-set>").all("200 OK"),
		find("/dav/principals/carol/", "0", "S:calendar-proxy-read-for", "group-membership").as("carol").all("<d:href>{me}</d:href>", "calendar-proxy-read/"),
		find("{def}", "0", "displayname").as("carol"),
		patch("{me}calendar-proxy-read/", "<group-member-set/>").all("200 OK"),
		find("{def}", "0", "displayname").as("carol").want(404),
		patch("{me}calendar-proxy-read/", "<group-member-set><href>{bob}</href></group-member-set>").as("bob").want(403, 207).none("200 OK"),
	)},
	{"M2", S, "getctag", "Apple ctag", yes, "", try(find("{def}", "0", "S:getctag").none("404"))},
	{"M3", S, "colour, order, refresh rate, default alarms are kept", "clients", yes, "", try(
		patch("{cal}", "<A:refreshrate>P1D</A:refreshrate><C:default-alarm-vevent-datetime>BEGIN:VALARM</C:default-alarm-vevent-datetime><C:default-alarm-vevent-date/>").all("200 OK").none("403"),
		find("{cal}", "0", "A:refreshrate", "C:default-alarm-vevent-datetime").all("P1D", "BEGIN:VALARM"),
	)},
	{"M4", S, "private comments", "Apple privatecomments", yes, "from the attendee to the organizer, in their REPLY; nobody else sees them, those with whom the calendar is shared included", try(
		do("OPTIONS", "{def}").want(200).header("DAV", "~calendarserver-private-comments"),
		put("{cal}1.ics", meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test")),
		inCopy("bob", "{bobdef}", "{id}").save("copy", `<d:href>([^<]+)</d:href>`),
		over("{copy}", meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test\nX-CALENDARSERVER-PRIVATE-COMMENT:Not with Carol")).as("bob"),
		get("{cal}1.ics").all("X-CALENDARSERVER-ATTENDEE-COMMENT;X-CALENDARSERVER-DTSTAMP=", "X-CALENDARSERVER-ATTENDEE-REF", ":Not with Carol"),
		inCopy("carol", "/dav/calendars/carol/default/", "{id}").all("SUMMARY:One").none("X-CALENDARSERVER"),
		do("PUT", "{cal}1.ics").ics(meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test\nX-CALENDARSERVER-ATTENDEE-COMMENT;X-CALENDARSERVER-ATTENDEE-REF=\"mailto:carol@example.test\":Lies")).refused(403, "cs:valid-attendee-comment-change"),
		over("{cal}1.ics", meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test\nLOCATION:Attic")), get("{cal}1.ics").all("LOCATION:Attic", ":Not with Carol"), // from a client that does not know of it
		acl("{cal}", "<href>/dav/principals/carol/</href>", "read", "write-content").want(200),
		get("{cal}1.ics").as("carol").all("LOCATION:Attic").none("Not with Carol"),
		over("{cal}1.ics", meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test\nLOCATION:Cellar")).as("carol"), get("{cal}1.ics").all("LOCATION:Cellar", ":Not with Carol"),
		over("{copy}", meeting("{id}", once+"\nATTENDEE:mailto:carol@example.test\nLOCATION:Cellar")).as("bob"), get("{cal}1.ics").none("Not with Carol").all("X-CALENDARSERVER-ATTENDEE-COMMENT"),
		over("{cal}1.ics", event("{id}", once+"\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE:mailto:carol@example.test")), get("{cal}1.ics").none("X-CALENDARSERVER-ATTENDEE-COMMENT"),
	)},
	{"M5", S, "X-CALENDARSERVER-ACCESS", "Apple privateevents", yes, "as CLASS", try(
		put("{cal}1.ics", object("X-CALENDARSERVER-ACCESS:CONFIDENTIAL\n"+component("VEVENT", "{id}", once+"\nLOCATION:Clinic"))),
		acl("{cal}", toBob, "read").want(200), get("{cal}1.ics").as("bob").none("Clinic"), acl("{cal}", "").want(200),
	)},
	{"M6", O, "bulk change by POST", "Apple bulk-change", no, "clients that know it fall back to PUT", try(find("{home}", "0", "b:bulk-requests xmlns:b='http://me.com/_namespace/'").all("404"))},
	{"M7", O, "expanded-group-member-set, pushkey, push-transports", "Apple pubsubdiscovery", part, "no XMPP push; asked for, it is 404 of its own", try(
		find("/dav/principals/staff/", "0", "S:expanded-group-member-set").all("{bob}"), find("{home}", "0", "S:pushkey", "S:push-transports").all("404"),
	)},
	{"M8", O, "calendar-free-busy-set", "draft CalDAV", part, "schedule-calendar-transp has its place; what old clients write is kept and says nothing", try(
		patch("{cal}", "<C:calendar-free-busy-set><href>{def}</href></C:calendar-free-busy-set>").all("200 OK"),
	)},
	{"M9", S, "properties of other extensions answer 404, never an error", "clients", yes, "", try(
		find("{me}", "0", "S:dropbox-home-URL", "S:xmpp-uri", "S:checksum-versions", "B:addressbook-home-set xmlns:B='urn:ietf:params:xml:ns:carddav'").all("404").times("<d:propstat>", 1),
	)},
	{"M10", S, "allowed-sharing-modes", "Apple sharing 5.2.3", yes, "", try(find("{def}", "0", "S:allowed-sharing-modes").all("<cs:can-be-shared/>"))},
	{"M11", S, "me-card and directory-gateway", "clients", yes, "404, for there are no address books", try(find("{me}", "0", "S:me-card", "B:directory-gateway xmlns:B='urn:ietf:params:xml:ns:carddav'").all("404"))},
	{"M12", S, "supported-calendar-component-sets on the home", "draft-daboo-caldav-extensions", yes, "", try(find("{home}", "0", "C:supported-calendar-component-sets").all(`<c:comp name="VTODO"/>`))},
}

var sharingRows = []row{
	{"N1", O, "sharing by invitation: CS:share, CS:invite", "Apple sharing 5", yes, "", try(
		do("POST", "{cal}").xml(`<S:share`+ns+`><S:set><href>mailto:bob@example.test</href><S:common-name>Bob</S:common-name><S:summary>Plans</S:summary><S:read-write/></S:set></S:share>`).want(200),
		find("{cal}", "0", "S:invite", "resourcetype").all("mailto:bob@example.test", "<cs:read-write/>", "<cs:shared-owner/>", "<cs:invite-noresponse/>"),
		do("POST", "{cal}").xml(`<S:share`+ns+`><S:remove><href>mailto:bob@example.test</href></S:remove></S:share>`).want(200),
		find("{cal}", "0", "S:invite").none("bob@example.test"),
		do("POST", "{cal}").xml(`<S:share`+ns+`/>`).want(400),
		do("POST", "{cal}").as("bob").xml(`<S:share`+ns+`><S:set><href>mailto:bob@example.test</href><S:read-write/></S:set></S:share>`).want(403, 404),
	)},
	{"N2", O, "notifications: collection, notification-URL, notificationtype", "Apple notifications", yes, "", try(
		find("{me}", "0", "S:notification-URL").all("<d:href>{home}notification/</d:href>"),
		do("POST", "{cal}").xml(`<S:share`+ns+`><S:set><href>mailto:bob@example.test</href><S:summary>{id}</S:summary><S:read/></S:set></S:share>`).want(200),
		find("{bobhome}notification/", "1", "S:notificationtype", "getetag").as("bob").all("<cs:invite-notification").save("note", `<d:href>({bobhome}notification/[^<]+)</d:href>`),
		get("{note}").as("bob").all("<cs:invite-notification", "<cs:hosturl>"),
		do("DELETE", "{note}").as("bob").want(204),
		acl("{cal}", "").want(200),
	)},
	{"N3", O, "invite-reply, shared-as, shared", "Apple sharing 5.4, 6", yes, "", try(
		do("POST", "{cal}").xml(`<S:share`+ns+`><S:set><href>mailto:bob@example.test</href><S:summary>{id}</S:summary><S:read/></S:set></S:share>`).want(200),
		do("POST", "{bobhome}").as("bob").xml(`<S:invite-reply`+ns+`><href>mailto:bob@example.test</href><S:invite-accepted/><S:hosturl><href>{cal}</href></S:hosturl><S:in-reply-to>x</S:in-reply-to></S:invite-reply>`).want(200).all("<cs:shared-as").save("as", `<d:href>([^<]+)</d:href>`),
		find("{as}", "0", "resourcetype", "S:shared-url").as("bob").all("<cs:shared/>", "{cal}"),
		find("{cal}", "0", "S:invite").all("<cs:invite-accepted/>"),
		acl("{cal}", "").want(200),
	)},
	{"N4", O, "a sharee reads, or writes, and may take it off the list", "Apple sharing 5.4.2", yes, "", try(
		put("{cal}1.ics", event("{id}", once)), acl("{cal}", toBob, "read").want(200),
		find("{bobhome}", "1", "S:shared-url").as("bob").save("mine", `<d:href>(/dav/calendars/bob/[^<]+)</d:href><d:propstat><d:prop><cs:shared-url><d:href>{cal}<`),
		get("{mine}1.ics").as("bob"), do("PUT", "{mine}2.ics").as("bob").ics(event("{id}-2", once)).want(403),
		remove("{mine}").as("bob"), find("{mine}", "0", "displayname").as("bob").want(404), get("{cal}1.ics"),
	)},
	{"N5", O, "alarms, transparency, colour of shared calendars are each reader's own", "Apple sharing 5.5.4", yes, "", try(
		put("{cal}1.ics", event("{id}", once+alarm+"TRIGGER:-PT5M\nEND:VALARM")), acl("{cal}", toBob, "read", "write").want(200),
		get("{cal}1.ics").as("bob").none("VALARM"),
		over("{cal}1.ics", event("{id}", once+alarm+"TRIGGER:-PT55M\nEND:VALARM")).as("bob"),
		get("{cal}1.ics").as("bob").all("-PT55M"), get("{cal}1.ics").all("-PT5M").none("-PT55M"),
		acl("{cal}", "").want(200),
	)},
	{"N6", O, "resource-changed notifications", "Apple notifications", no, "clients synchronise, and push tells them when", proof{}},
	{"N7", O, "publish-calendar, unpublish-calendar, publish-url, pre-publish-url", "Apple sharing", yes, "in full without what is classified, or busy time", try(
		do("POST", "{cal}").xml(`<S:publish-calendar`+ns+`/>`).want(200).all("/feeds/").save("feed", `https?://[^/]+(/feeds/[^<]+)</d:href>`),
		get("{feed}").as("").header("Content-Type", "~text/calendar"),
		find("{cal}", "0", "S:publish-url").all("{feed}"),
		do("POST", "{cal}").xml(`<S:unpublish-calendar`+ns+`/>`).want(200), do("GET", "{feed}").as("").want(404),
	)},
	{"N8", M, "what ACL says and what sharing says agree", "RFC 3744", yes, "", try(
		acl("{cal}", toBob, "read").want(200), find("{cal}", "0", "S:invite", "acl").all("mailto:bob@example.test", "<d:href>{bob}</d:href>"),
		do("POST", "{cal}").xml(`<S:share`+ns+`><S:remove><href>mailto:bob@example.test</href></S:remove></S:share>`).want(200), find("{cal}", "0", "acl").none("<d:href>{bob}</d:href>"),
	)},
	{"N9", O, "a public link that only reads: entity tag, REFRESH-INTERVAL", "RFC 7986, draft subscription-upgrade", part, "no sync-token for subscribers: the whole feed, or 304", try(
		put("{cal}1.ics", event("{id}", once)),
		do("POST", "{cal}").xml(`<S:publish-calendar`+ns+`/>`).want(200).save("feed", `https?://[^/]+(/feeds/[^<]+)</d:href>`),
		get("{feed}").as("").all("UID:{id}", "REFRESH-INTERVAL").header("ETag", "*").saveHead("tag", "ETag"),
		do("GET", "{feed}").as("").with("If-None-Match", "{tag}").want(304), do("PUT", "{feed}").as("").want(405),
	)},
}
