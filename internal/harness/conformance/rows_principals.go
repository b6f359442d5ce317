package conformance

// search is a principal-property-search by display name.
func search(test, property, text string) step {
	return report("/dav/principals/", `<principal-property-search`+test+`><property-search><prop><`+property+`/></prop><match>`+text+`</match></property-search><prop><displayname/><C:calendar-user-address-set/></prop></principal-property-search>`).depth("0")
}

var principalRows = []row{
	{"C1", M, "each person, group, room and resource is a principal", "RFC 3744 2, 4", yes, "", try(
		find("{me}", "0", "resourcetype").all("<d:principal/>"),
		find("/dav/principals/attic/", "0", "resourcetype", "C:calendar-user-type").all("<d:principal/>", ">ROOM<"),
		find("/dav/principals/staff/", "0", "resourcetype", "C:calendar-user-type").all("<d:principal/>", ">GROUP<"),
		find("/dav/principals/nobody/", "0", "resourcetype").want(404),
	)},
	{"C2", M, "principal-URL, alternate-URI-set, group-member-set, group-membership", "RFC 3744 4", yes, "", try(
		find("{me}", "0", "principal-URL", "alternate-URI-set", "group-member-set", "group-membership").all("<d:principal-URL><d:href>{me}</d:href>", "mailto:alice@example.test").none("404"),
		find("/dav/principals/staff/", "0", "group-member-set").all("<d:href>{bob}</d:href>", "<d:href>/dav/principals/carol/</d:href>"),
		find("{bob}", "0", "group-membership").as("bob").all("<d:href>/dav/principals/staff/</d:href>"),
	)},
	{"C3", M, "displayname, calendar-user-address-set, calendar-user-type", "RFC 6638 2.4", part, "mailto addresses alone: what scheduling can use as ORGANIZER outside of this server too; no principal URLs, no urn:uuid", try(
		find("{me}", "0", "displayname", "C:calendar-user-address-set", "C:calendar-user-type").all(`<d:href preferred="1">mailto:alice@example.test</d:href>`, ">INDIVIDUAL<").none("404"),
	)},
	{"C4", M, "calendar-home-set", "RFC 4791 6.2.1", yes, "", try(
		find("{me}", "0", "C:calendar-home-set").all("<c:calendar-home-set><d:href>{home}</d:href></c:calendar-home-set>"),
	)},
	{"C5", M, "schedule-inbox-URL, schedule-outbox-URL", "RFC 6638 2.1.1, 2.2.1", yes, "for the owner and who acts for the owner", try(
		find("{me}", "0", "C:schedule-inbox-URL", "C:schedule-outbox-URL").all("<d:href>{inbox}</d:href>", "<d:href>{outbox}</d:href>"),
		find("{me}", "0", "C:schedule-inbox-URL", "C:schedule-outbox-URL").as("bob").none("{inbox}", "{outbox}"),
	)},
	{"C6", S, "email-address-set, first-name, last-name, record-type", "CalendarServer", yes, "", try(
		find("{me}", "0", "S:email-address-set", "S:record-type").all("<cs:email-address>alice@example.test</cs:email-address>", ">users<"),
	)},
	{"C7", M, "principal-property-search, allof and anyof, by name, address, kind and e-mail address", "RFC 3744 9.4, RFC 6638 2.4.1", yes, "", try(
		search("", "displayname", "bob").all("<d:href>{bob}</d:href>"),
		search("", "displayname", "BOB").all("<d:href>{bob}</d:href>"),
		search("", "C:calendar-user-address-set", "mailto:bob@example.test").all("<d:href>{bob}</d:href>"),
		search("", "S:email-address-set", "bob@").all("<d:href>{bob}</d:href>"),
		search("", "C:calendar-user-type", "ROOM").all("/dav/principals/attic/").none("{bob}"),
		search("", "displayname", "nobody-at-all").none("<d:response>"),
		report("/dav/principals/", `<principal-property-search test="anyof"><property-search><prop><displayname/></prop><match>bob</match></property-search><property-search><prop><displayname/></prop><match>carol</match></property-search><prop><displayname/></prop></principal-property-search>`).depth("0").all("{bob}", "/dav/principals/carol/"),
		report("/dav/principals/", `<principal-property-search test="allof"><property-search><prop><displayname/></prop><match>bob</match></property-search><property-search><prop><displayname/></prop><match>carol</match></property-search><prop><displayname/></prop></principal-property-search>`).depth("0").none("<d:response>"),
		report("/dav/principals/", `<principal-property-search><property-search><prop><displayname/><S:email-address-set/></prop><match>bob</match></property-search><prop><displayname/></prop></principal-property-search>`).depth("0").all("{bob}"),
		search("", "displayname", "bob").depth("1").want(400),
		report("/dav/principals/", `<principal-property-search><prop><displayname/></prop></principal-property-search>`).depth("0").want(400),
	)},
	{"C8", M, "apply-to-principal-collection-set", "RFC 3744 9.4", yes, "", try(
		report("{home}", `<principal-property-search><apply-to-principal-collection-set/><property-search><prop><displayname/></prop><match>bob</match></property-search><prop><displayname/></prop></principal-property-search>`).depth("0").all("{bob}"),
		report("{home}", `<principal-property-search><property-search><prop><displayname/></prop><match>bob</match></property-search><prop><displayname/></prop></principal-property-search>`).depth("0").none("{bob}"),
	)},
	{"C9", M, "principal-search-property-set", "RFC 3744 9.5", yes, "", try(
		report("/dav/principals/", `<principal-search-property-set/>`).depth("1").want(400),
		report("/dav/principals/", `<principal-search-property-set/>`).depth("0").want(200).all("<d:principal-search-property>", "<d:displayname/>", "<c:calendar-user-address-set/>", "<d:description"),
	)},
	{"C10", M, "principal-match with self and with a property", "RFC 3744 9.3", yes, "", try(
		report("/dav/principals/", `<principal-match><self/><prop><displayname/></prop></principal-match>`).depth("0").times("<d:response>", 1).all("<d:href>{me}</d:href>"),
		report("/dav/principals/", `<principal-match><self/></principal-match>`).depth("1").want(400),
		put("{cal}1.ics", event("{id}", once)),
		report("{home}", `<principal-match><principal-property><owner/></principal-property><prop><displayname/></prop></principal-match>`).depth("0").all("<d:href>{cal}</d:href>"),
	)},
	{"C11", M, "acl-principal-prop-set", "RFC 3744 9.2", yes, "", try(
		acl("{cal}", toBob, "read").want(200),
		report("{cal}", `<acl-principal-prop-set><prop><displayname/></prop></acl-principal-prop-set>`).depth("0").all("<d:href>{bob}</d:href>", "<d:href>{me}</d:href>"),
		report("{cal}", `<acl-principal-prop-set><prop><displayname/></prop></acl-principal-prop-set>`).depth("1").want(400),
		acl("{cal}", "").want(200),
	)},
	{"C12", S, "calendarserver-principal-search", "CalendarServer", yes, "", try(
		report("/dav/principals/", `<S:calendarserver-principal-search context="attendee"><S:search-token>bob</S:search-token><S:limit><S:nresults>5</S:nresults></S:limit><prop><displayname/><C:calendar-user-type/></prop></S:calendarserver-principal-search>`).depth("0").all("{bob}"),
		report("/dav/principals/", `<S:calendarserver-principal-search context="location"><S:search-token>attic</S:search-token><prop><displayname/></prop></S:calendarserver-principal-search>`).depth("0").all("/dav/principals/attic/"),
		report("/dav/principals/", `<S:calendarserver-principal-search context="location"><S:search-token>bob</S:search-token><prop><displayname/></prop></S:calendarserver-principal-search>`).depth("0").none("{bob}"),
	)},
	{"C13", M, "searches are limited, and the directory cannot be listed", "RFC 3744 9.4", yes, "an empty text finds nobody; 507 number-of-matches-within-limits", try(
		search("", "displayname", "").none("{bob}"),
		find("/dav/principals/", "1", "displayname").none("{bob}").all("{me}"),
	).and("internal/davserver TestPrincipalSearch")},
	{"C14", M, "the privileges of WebDAV", "RFC 3744 3", yes, "", try(
		find("{cal}", "0", "current-user-privilege-set", "supported-privilege-set").all("<d:read/>", "<d:write/>", "<d:write-properties/>", "<d:write-content/>", "<d:unlock/>", "<d:read-acl/>", "<d:read-current-user-privilege-set/>", "<d:write-acl/>", "<d:bind/>", "<d:unbind/>", "<d:all/>"),
	)},
	{"C15", M, "CALDAV:read-free-busy, part of read and grantable alone", "RFC 4791 6.1.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		acl("{cal}", toBob, "C:read-free-busy").want(200),
		report("{cal}", `<C:free-busy-query><C:time-range start="20310401T000000Z" end="20310402T000000Z"/></C:free-busy-query>`).as("bob").depth("1").want(200).all("FREEBUSY"),
		do("GET", "{cal}1.ics").as("bob").want(404, 403),
		acl("{cal}", "").want(200),
	)},
	{"C16", M, "scheduling privileges on inbox and outbox", "RFC 6638 6", part, "shown, and fixed: every colleague may deliver, only the owner and who acts for the owner sends", try(
		find("{inbox}", "0", "current-user-privilege-set", "supported-privilege-set").all("<c:schedule-deliver/>", "<c:schedule-deliver-invite/>", "<c:schedule-deliver-reply/>", "<c:schedule-query-freebusy/>"),
		find("{outbox}", "0", "current-user-privilege-set", "supported-privilege-set").all("<c:schedule-send/>", "<c:schedule-send-invite/>", "<c:schedule-send-reply/>", "<c:schedule-send-freebusy/>"),
	)},
	{"C17", M, "the ACL method and its preconditions", "RFC 3744 8.1.1", yes, "free/busy, read, write, team and acting for the owner, to accounts and groups", try(
		acl("{cal}", toBob, "read").want(200),
		find("{cal}", "0", "acl").all("<d:href>{bob}</d:href>"),
		acl("{cal}", toBob, "read", "write").want(200),
		find("{cal}", "0", "current-user-privilege-set").as("bob").all("<d:write-content/>").none("<d:write-acl/>"),
		do("ACL", "{cal}").xml(`<acl xmlns="DAV:"><ace><principal>`+toBob+`</principal><deny><privilege><read/></privilege></deny></ace></acl>`).refused(403, "d:grant-only"),
		do("ACL", "{cal}").xml(`<acl xmlns="DAV:"><ace><invert><principal>`+toBob+`</principal></invert><grant><privilege><read/></privilege></grant></ace></acl>`).refused(403, "d:no-invert"),
		acl("{cal}", toBob, "x:odd xmlns:x='u:x'").want(403, 400),
		do("ACL", "{cal}").xml(`<acl xmlns="DAV:"><ace><principal>`+toBob+`</principal><grant><privilege><x xmlns="u:x"/></privilege></grant></ace></acl>`).refused(403, "d:not-supported-privilege"),
		acl("{cal}", "<href>/dav/principals/nobody/</href>", "read").refused(403, "d:recognized-principal"),
		acl("{cal}", "<all/>", "read").refused(403, "d:allowed-principal"),
		do("ACL", "{cal}").xml(`<acl xmlns="DAV:"><ace><principal>`+toBob+`</principal><grant><privilege><read/></privilege></grant><inherited><href>/dav/</href></inherited></ace></acl>`).refused(403, "d:no-inherited-ace-conflict"),
		do("ACL", "{cal}").xml(`<acl xmlns="DAV:"><ace><principal>`+toBob+`</principal></ace></acl>`).want(400),
		do("ACL", "{cal}").xml(`<propfind xmlns="DAV:"/>`).want(400),
		find("{cal}", "0", "acl").all("<d:href>{bob}</d:href>"),
		acl("{cal}", "").want(200),
		find("{cal}", "0", "acl").none("<d:href>{bob}</d:href>"),
	)},
	{"C18", M, "principals of an ACE: href, all, authenticated, unauthenticated, property, self", "RFC 3744 5.5.1", part, "accounts and groups by href, the owner by property; the others are refused with allowed-principal, for a calendar is shared with people who are named", try(
		acl("{cal}", "<property><owner/></property>", "all").want(200),
		acl("{cal}", "<unauthenticated/>", "read").refused(403, "d:allowed-principal"),
		acl("{cal}", "<self/>", "read").refused(403, "d:allowed-principal"),
		acl("{cal}", "<authenticated/>", "C:read-free-busy").want(200),
		acl("{cal}", "<authenticated/>", "write").refused(403, "d:allowed-principal"),
	)},
	{"C19", M, "a missing right is 403 need-privileges with resource and privilege", "RFC 3744 7.1.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		acl("{cal}", toBob, "read").want(200),
		do("PUT", "{cal}2.ics").as("bob").ics(event("{id}-2", once)).want(403).all("<d:need-privileges><d:resource><d:href>{cal}</d:href><d:privilege><d:bind/>"),
		do("PUT", "{cal}1.ics").as("bob").ics(event("{id}", once+"\nLOCATION:B")).want(403).all("<d:href>{cal}1.ics</d:href><d:privilege><d:write-content/>"),
		do("DELETE", "{cal}1.ics").as("bob").want(403).all("<d:need-privileges>", "<d:unbind/>"),
		acl("{cal}", "<href>/dav/principals/carol/</href>", "read").as("bob").want(403).all("<d:need-privileges>", "<d:write-acl/>"),
		do("MKCALENDAR", "{home}new/").as("bob").want(403).all("<d:need-privileges>", "<d:bind/>"),
		do("POST", "{cal}").as("bob").ics(event("{id}-3", once)).want(403).all("<d:need-privileges>"),
		do("LOCK", "{cal}1.ics").as("bob").depth("0").xml(lockinfo).want(403).all("<d:need-privileges>", "<d:write-content/>"),
		acl("{cal}", "").want(200),
	)},
	{"C20", M, "what one may not read is 404 everywhere", "RFC 3744 7, RFC 4791 7.10", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		do("GET", "{cal}1.ics").as("bob").want(404),
		find("{cal}", "0", "displayname").as("bob").want(404),
		find("{cal}1.ics", "0", "getetag").as("bob").want(404),
		query("{cal}", "").as("bob").want(404),
		multiget("{cal}", "{cal}1.ics").as("bob").want(404),
		sync("{cal}", "").as("bob").want(404),
		do("PUT", "{cal}1.ics").as("bob").ics(event("{id}", once)).want(404, 409),
		do("DELETE", "{cal}1.ics").as("bob").want(404),
		do("DELETE", "{cal}").as("bob").want(404),
		do("LOCK", "{cal}1.ics").as("bob").xml(lockinfo).want(404),
		patch("{cal}", "<displayname>x</displayname>").as("bob").want(404),
		multiget("{bobdef}", "{cal}1.ics").as("bob").all("404"),
	)},
	{"C21", M, "members inherit from their collection", "RFC 3744 5.5.4", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		acl("{cal}", toBob, "read").want(200),
		put("{cal}2.ics", event("{id}-2", once)),
		get("{cal}2.ics").as("bob"),
		find("{cal}2.ics", "0", "acl", "inherited-acl-set").all("<d:inherited><d:href>{cal}</d:href></d:inherited>", "<d:inherited-acl-set><d:href>{cal}</d:href>"),
		acl("{cal}", "").want(200),
	)},
	{"C22", M, "membership in groups counts, nested groups too", "RFC 3744 2", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		acl("{cal}", "<href>/dav/principals/staff/</href>", "read").want(200),
		get("{cal}1.ics").as("bob"), get("{cal}1.ics").as("carol"),
		acl("{cal}", "").want(200),
		do("GET", "{cal}1.ics").as("carol").want(404),
	).and("internal/calendar TestGroupsHaveBounds")},
	{"C23", M, "bind, unbind, write-content and write-properties by method", "RFC 3744 appendix B", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		acl("{cal}", toBob, "read").want(200),
		copied("{cal}1.ics", "{bobdef}{id}.ics").as("bob").want(201),
		remove("{bobdef}{id}.ics").as("bob"),
		move("{cal}1.ics", "{bobdef}{id}.ics").as("bob").want(403).all("<d:need-privileges>"),
		put("{bobdef}{id}.ics", event("{id}-b", once)).as("bob"),
		copied("{bobdef}{id}.ics", "{cal}b.ics").as("bob").want(403).all("<d:need-privileges>", "<d:bind/>", "<d:href>{cal}</d:href>"),
		remove("{bobdef}{id}.ics").as("bob"),
		patch("{cal}1.ics", "<x xmlns='u:x'>1</x>").as("bob").want(403, 207).none("200 OK"),
		acl("{cal}", "").want(200),
	)},
	{"C24", M, "LOCK needs write-content, UNLOCK of others' locks unlock", "RFC 3744 appendix B", yes, "a lock ends by its creator or the calendar's owner", tested("internal/davserver TestLocks")},
	{"C25", M, "the owner can always read and change the ACL", "choice", yes, "a protected entry", try(
		find("{cal}", "0", "acl").all("<d:property><d:owner/></d:property></d:principal><d:grant><d:privilege><d:all/></d:privilege></d:grant><d:protected/>"),
		acl("{cal}", "").want(200),
		find("{cal}", "0", "current-user-privilege-set").all("<d:write-acl/>"),
	)},
	{"C26", M, "PRIVATE and CONFIDENTIAL events are masked for others", "RFC 5545 3.8.1.3", yes, "as busy time, or not at all where the owner wants it so (`convene account set-preference --private`)", try(
		put("{cal}1.ics", event("{id}", once+"\nCLASS:PRIVATE\nLOCATION:Clinic")),
		acl("{cal}", toBob, "read").want(200),
		get("{cal}1.ics").as("bob").none("Clinic", "SUMMARY:One").all("DTSTART:20310401T100000Z"),
		query("{cal}", "").as("bob").none("Clinic"),
		query("{cal}", `<C:prop-filter name="LOCATION"><C:text-match>Clinic</C:text-match></C:prop-filter>`).as("bob").none("<d:response>"),
		multiget("{cal}", "{cal}1.ics").as("bob").none("Clinic"),
		acl("{cal}", "").want(200),
	).and("internal/davserver TestHiddenEvents", "internal/davserver TestClassifiedOnEveryPath")},
	{"C27", M, "401 with WWW-Authenticate without credentials, 403 with them", "RFC 9110 15.5", yes, "", try(
		do("GET", "{def}").as("").want(401).header("WWW-Authenticate", "~Basic"),
		find("/dav/", "0", "displayname").as("").want(401),
		do("REPORT", "/dav/").as("").want(401),
		do("GET", "/dav/nothing/at/all").as("").want(401),
		find("{bobhome}", "0", "displayname").want(403, 404),
	)},
	{"C28", M, "Basic over TLS, app passwords", "RFC 7617", yes, "Bearer and Digest no", tested("internal/account TestAuthenticate", "e2e TestAccountsAndAppPasswords")},
	{"C29", S, "an administrator who reads or acts for everyone, only if configured and audited", "choice", no, "there is none: the command line is the administrator's, and rights are given by name", proof{}},
}

var discoveryRows = []row{
	{"D1", M, "/.well-known/caldav redirects every method without signing in", "RFC 6764 5", yes, "301, for writing methods 308", try(
		do("PROPFIND", "/.well-known/caldav").as("").want(301).header("Location", "/dav/"),
		do("GET", "/.well-known/caldav").as("").want(301).header("Location", "/dav/"),
		do("OPTIONS", "/.well-known/caldav").as("").want(301),
		do("PROPFIND", "/.well-known/caldav/").as("alice").want(301),
		do("PUT", "/.well-known/caldav").as("").want(308),
	)},
	{"D2", M, "current-user-principal on the context path for everyone who signs in", "RFC 6764 6, RFC 5397", yes, "", try(
		find("/dav/", "0", "current-user-principal").all("<d:current-user-principal><d:href>{me}</d:href>"),
		find("/dav/", "0", "current-user-principal").as("bob").all("<d:current-user-principal><d:href>{bob}</d:href>"),
	)},
	{"D3", M, "SRV and TXT records", "RFC 6764 3, 4", yes, "in [clients.md](clients.md); `convene doctor` looks for them", tested("internal/doctor TestAllIsWell")},
	{"D4", M, "principal, home, and all calendars in one PROPFIND", "RFC 4791 6.2.1, 8.4", yes, "", try(
		find("{home}", "1", "resourcetype", "displayname", "C:supported-calendar-component-set", "S:getctag").all("<d:href>{def}</d:href>", "<d:href>{tasks}</d:href>", "<c:calendar/>", "<d:href>{inbox}</d:href>", "<d:href>{outbox}</d:href>"),
	)},
	{"D5", S, "the name alone and the whole address sign in", "RFC 6764 6", yes, "", try(
		find("/dav/", "0", "current-user-principal").as("alice@example.test").all("{me}"),
	)},
	{"D6", S, "current-user-principal on /", "clients", yes, "", try(
		find("/", "0", "current-user-principal").all("{me}"),
	)},
	{"D7", O, "/.well-known/timezone", "RFC 7808 4.2.1.3", yes, "no address books, no iSchedule", try(
		do("GET", "/.well-known/timezone").as("").want(301).header("Location", "/timezones"),
		do("PROPFIND", "/.well-known/carddav").as("").want(404, 405, 401),
	)},
}
