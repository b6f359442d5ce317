package conformance

import "fmt"

// within is a filter of a time range in iCalendar's form, an end may be "".
func within(start, end string) string {
	s := "<C:time-range"
	if start != "" {
		s += ` start="` + start + `"`
	}
	if end != "" {
		s += ` end="` + end + `"`
	}
	return s + "/>"
}

// todoTable are the rows of RFC 4791 9.9 for VTODO: what the task has, and
// ranges that find it and do not.
var todoTable = []struct {
	lines   string
	in, out [2]string
}{
	{"DTSTART:20310401T100000Z\nDURATION:PT2H", [2]string{"20310401T110000Z", "20310401T113000Z"}, [2]string{"20310401T130000Z", "20310401T140000Z"}},
	{"DTSTART:20310401T100000Z\nDUE:20310401T120000Z", [2]string{"20310401T113000Z", "20310401T140000Z"}, [2]string{"20310401T120000Z", "20310401T140000Z"}},
	{"DTSTART:20310401T100000Z", [2]string{"20310401T100000Z", "20310401T100001Z"}, [2]string{"20310401T100001Z", "20310401T110000Z"}},
	{"DUE:20310401T120000Z", [2]string{"20310401T113000Z", "20310401T120000Z"}, [2]string{"20310401T120000Z", "20310401T130000Z"}},
	{"COMPLETED:20310401T120000Z\nCREATED:20310401T080000Z", [2]string{"20310401T090000Z", "20310401T093000Z"}, [2]string{"20310401T130000Z", "20310401T140000Z"}},
	{"COMPLETED:20310401T120000Z", [2]string{"20310401T120000Z", "20310401T130000Z"}, [2]string{"20310401T130000Z", "20310401T140000Z"}},
	{"CREATED:20310401T080000Z", [2]string{"20310401T090000Z", "20320101T000000Z"}, [2]string{"20310401T060000Z", "20310401T073000Z"}},
	{"SUMMARY:nothing", [2]string{"20100101T000000Z", "20100102T000000Z"}, [2]string{"", ""}},
}

func todoSteps() []step {
	var out []step
	for i, r := range todoTable {
		name := fmt.Sprintf("{cal}%d.ics", i+1)
		out = append(out, put(name, todo(fmt.Sprintf("{id}-%d", i+1), r.lines)),
			queryComp("{cal}", "VTODO", within(r.in[0], r.in[1])).all(name))
		if r.out[0] != "" {
			out = append(out, queryComp("{cal}", "VTODO", within(r.out[0], r.out[1])).none(name))
		}
	}
	return out
}

const alarm = "\nBEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\n"

var reportRows = []row{
	{"G1", M, "calendar-query on calendars and objects; Depth as asked, missing = 0", "RFC 4791 7.8", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		query("{cal}", "").all("{cal}1.ics", "BEGIN:VCALENDAR"),
		do("REPORT", "{cal}").xml(`<C:calendar-query`+ns+`><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).none("<d:response>"),
		do("REPORT", "{cal}").depth("0").xml(`<C:calendar-query`+ns+`><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).none("<d:response>"),
		do("REPORT", "{cal}").depth("infinity").xml(`<C:calendar-query`+ns+`><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).times("<d:response>", 1),
		do("REPORT", "{cal}1.ics").depth("0").xml(`<C:calendar-query`+ns+`><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).times("<d:response>", 1),
		do("REPORT", "{cal}none.ics").depth("0").xml(`<C:calendar-query`+ns+`><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(404),
		do("REPORT", "{cal}").depth("1").xml(`<C:calendar-query`+ns+`><allprop/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).all("getlastmodified"),
		do("REPORT", "{cal}").depth("1").xml(`<C:calendar-query`+ns+`><propname/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).all("<d:getetag/>"),
		do("REPORT", "{cal}").depth("1").xml(`<C:calendar-query`+ns+`><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).want(207).times("<d:response>", 1),
	)},
	{"G2", M, "calendar-multiget answers each href, 404 for what is not there or lies elsewhere; Depth is ignored", "RFC 4791 7.9", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once)), put("{cal2}2.ics", event("{id}-2", once)),
		multiget("{cal}", "{cal}1.ics", "{cal}none.ics", "{cal2}2.ics", "{bobdef}x.ics", "http://elsewhere.test{cal}1.ics", "{cal}", "x y", "").times("<d:response>", 8).times("HTTP/1.1 200 OK", 1).all("UID:{id}-1").none("UID:{id}-2"),
		multiget("{cal}", "{cal}1.ics").depth("0").all("UID:{id}-1"),
		multiget("{cal}", "{cal}1.ics").depth("infinity").all("UID:{id}-1"),
		multiget("{cal}", "{cal}1.ics", "{cal}1.ics").times("UID:{id}-1", 2),
		multiget("{home}", "{cal}1.ics", "{cal2}2.ics").all("UID:{id}-1", "UID:{id}-2"),
		multiget("{cal}1.ics", "{cal}1.ics").all("UID:{id}-1"),
		report("{cal}", `<C:calendar-multiget><prop><getetag/></prop></C:calendar-multiget>`).want(400, 207),
		report("{cal}", `<C:calendar-multiget><allprop/><href>{cal}1.ics</href></C:calendar-multiget>`).all("getetag"),
	)},
	{"G3", M, "free-busy-query: one VFREEBUSY as text/calendar, on collections; 404 without the right", "RFC 4791 7.10", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		report("{cal}", `<C:free-busy-query><C:time-range start="20310401T000000Z" end="20310402T000000Z"/></C:free-busy-query>`).depth("1").want(200).header("Content-Type", "~text/calendar").all("BEGIN:VFREEBUSY", "DTSTART:20310401T000000Z", "DTEND:20310402T000000Z", "20310401T100000Z/", "DTSTAMP:").times("BEGIN:VFREEBUSY", 1),
		report("{cal}", `<C:free-busy-query><C:time-range start="20300401T000000Z" end="20300402T000000Z"/></C:free-busy-query>`).depth("1").want(200).all("BEGIN:VFREEBUSY").none("\r\nFREEBUSY"),
		report("{cal}1.ics", `<C:free-busy-query><C:time-range start="20310401T000000Z" end="20310402T000000Z"/></C:free-busy-query>`).want(403),
		report("{cal}", `<C:free-busy-query><C:time-range start="x" end="20310402T000000Z"/></C:free-busy-query>`).want(400, 403),
		report("{cal}", `<C:free-busy-query/>`).want(400, 403),
		report("{home}none/", `<C:free-busy-query><C:time-range start="20310401T000000Z" end="20310402T000000Z"/></C:free-busy-query>`).want(404),
	)},
	{"G4", M, "comp-filter, prop-filter, param-filter, is-not-defined, text-match with negation, time-range", "RFC 4791 9.7", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once+"\nATTENDEE;PARTSTAT=DECLINED;CN=Zoë:mailto:zoe@example.net\nATTENDEE;PARTSTAT=ACCEPTED:mailto:max@example.net\nORGANIZER:mailto:max@example.net\nLOCATION:Room 5")),
		put("{cal}2.ics", event("{id}-2", "DTSTART:20310401T100000Z\nSUMMARY:Two"+alarm+"TRIGGER:-PT5M\nEND:VALARM")),
		put("{cal}3.ics", todo("{id}-3", "SUMMARY:Three")),
		query("{cal}", `<C:prop-filter name="LOCATION"/>`).all("{cal}1.ics").none("{cal}2.ics"),
		query("{cal}", `<C:prop-filter name="location"/>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="LOCATION"><C:is-not-defined/></C:prop-filter>`).all("{cal}2.ics").none("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match>TWO</C:text-match></C:prop-filter>`).all("{cal}2.ics").none("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">two</C:text-match></C:prop-filter>`).all("{cal}1.ics").none("{cal}2.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match negate-condition="no">two</C:text-match></C:prop-filter>`).all("{cal}2.ics"),
		query("{cal}", `<C:prop-filter name="ATTENDEE"><C:text-match collation="i;ascii-casemap">MAILTO:ZOE@</C:text-match><C:param-filter name="PARTSTAT"><C:text-match>declined</C:text-match></C:param-filter></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="ATTENDEE"><C:text-match>zoe@</C:text-match><C:param-filter name="PARTSTAT"><C:text-match>accepted</C:text-match></C:param-filter></C:prop-filter>`).none("<d:response>"),
		query("{cal}", `<C:prop-filter name="ATTENDEE"><C:param-filter name="CN"/></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="ATTENDEE"><C:param-filter name="CN"><C:is-not-defined/></C:param-filter></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="ATTENDEE"><C:param-filter name="ROLE"/></C:prop-filter>`).none("<d:response>"),
		query("{cal}", `<C:comp-filter name="VALARM"/>`).all("{cal}2.ics").none("{cal}1.ics"),
		query("{cal}", `<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>`).all("{cal}1.ics").none("{cal}2.ics"),
		queryComp("{cal}", "VTODO", "").all("{cal}3.ics").none("{cal}1.ics"),
		queryRaw("{cal}", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter></C:comp-filter>`).all("{cal}1.ics", "{cal}2.ics").none("{cal}3.ics"),
		queryRaw("{cal}", `<C:comp-filter name="VCALENDAR"><C:prop-filter name="VERSION"><C:text-match>2.0</C:text-match></C:prop-filter></C:comp-filter>`).times("<d:response>", 3),
		queryRaw("{cal}", `<C:comp-filter name="VCALENDAR"/>`).times("<d:response>", 3),
		query("{cal}", within("20310401T000000Z", "20310402T000000Z")+`<C:prop-filter name="SUMMARY"><C:text-match>one</C:text-match></C:prop-filter>`).all("{cal}1.ics").none("{cal}2.ics"),
	)},
	{"G5", M, "a filter begins at VCALENDAR; valid-filter, supported-filter", "RFC 4791 7.8", yes, "", try(
		queryRaw("{cal}", `<C:comp-filter name="VEVENT"/>`).refused(403, "c:valid-filter"),
		queryRaw("{cal}", ``).refused(403, "c:valid-filter"),
		queryRaw("{cal}", `<C:comp-filter/>`).refused(403, "c:valid-filter"),
		query("{cal}", `<C:prop-filter/>`).refused(403, "c:valid-filter"),
		query("{cal}", `<C:is-not-defined/>`+within("20310401T000000Z", "20310402T000000Z")).refused(403, "c:valid-filter"),
		query("{cal}", `<C:time-range start="20310402T000000Z" end="20310401T000000Z"/>`).refused(403, "c:valid-filter"),
		query("{cal}", `<C:time-range start="20310402T000000" end="20310403T000000"/>`).refused(403, "c:valid-filter"),
		query("{cal}", `<C:time-range start="20310402" end="20310403"/>`).refused(403, "c:valid-filter"),
		report("{cal}", `<C:calendar-query><prop><getetag/></prop></C:calendar-query>`).depth("1").want(403, 400),
	).and("caldav TestReportsAreRefusedWithTheirPrecondition")},
	{"G6", M, "i;ascii-casemap, i;octet, i;unicode-casemap; another one: supported-collation", "RFC 4791 7.5, RFC 4790, RFC 5051", yes, "i;unicode-casemap maps single letters, as registered", try(
		put("{cal}1.ics", event("{id}", "DTSTART:20310401T100000Z\nSUMMARY:Größe ONE")),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">one</C:text-match></C:prop-filter>`).none("<d:response>"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">ONE</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;ascii-casemap">one</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;ascii-casemap">GRÖSSE</C:text-match></C:prop-filter>`).none("<d:response>"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;unicode-casemap">GRÖ</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="default">one</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;basic">x</C:text-match></C:prop-filter>`).refused(403, "c:supported-collation"),
	)},
	{"G7", M, "the tables of time ranges: VEVENT, VTODO, VJOURNAL, VFREEBUSY", "RFC 4791 9.9", yes, "row by row", try(append(todoSteps(),
		put("{cal2}j1.ics", object(component("VJOURNAL", "{id}-j1", "DTSTART:20310401T100000Z"))),
		put("{cal2}j2.ics", object(component("VJOURNAL", "{id}-j2", "DTSTART;VALUE=DATE:20310402"))),
		put("{cal2}j3.ics", object(component("VJOURNAL", "{id}-j3", "SUMMARY:x"))),
		queryComp("{cal2}", "VJOURNAL", within("20310401T100000Z", "20310401T100001Z")).all("j1.ics").none("j2.ics", "j3.ics"),
		queryComp("{cal2}", "VJOURNAL", within("20310402T120000Z", "20310402T130000Z")).all("j2.ics").none("j1.ics", "j3.ics"),
		put("{cal2}f1.ics", object(component("VFREEBUSY", "{id}-f1", "DTSTART:20310401T100000Z\nDTEND:20310401T120000Z"))),
		put("{cal2}f2.ics", object(component("VFREEBUSY", "{id}-f2", "FREEBUSY:20310402T100000Z/PT1H,20310403T100000Z/20310403T110000Z"))),
		queryComp("{cal2}", "VFREEBUSY", within("20310401T113000Z", "20310401T130000Z")).all("f1.ics").none("f2.ics"),
		queryComp("{cal2}", "VFREEBUSY", within("20310403T103000Z", "20310403T130000Z")).all("f2.ics").none("f1.ics"),
		queryComp("{cal2}", "VFREEBUSY", within("20310404T103000Z", "20310405T130000Z")).none("<d:response>"),
		put("{cal2}e1.ics", event("{id}-e1", "DTSTART:20310401T100000Z\nDTEND:20310401T110000Z")),
		put("{cal2}e2.ics", event("{id}-e2", "DTSTART:20310401T100000Z\nDURATION:PT0S")),
		put("{cal2}e3.ics", event("{id}-e3", "DTSTART;VALUE=DATE:20310405\nDTEND;VALUE=DATE:20310407")),
		query("{cal2}", within("20310401T110000Z", "20310401T120000Z")).none("<d:response>"),
		query("{cal2}", within("20310401T090000Z", "20310401T100000Z")).none("<d:response>"),
		query("{cal2}", within("20310401T100000Z", "20310401T100001Z")).all("e1.ics", "e2.ics"),
		query("{cal2}", within("20310406T120000Z", "20310406T130000Z")).all("e3.ics"),
		query("{cal2}", within("20310407T000000Z", "20310407T130000Z")).none("<d:response>"),
	)...).and("caldav TestTimeRangeTables")},
	{"G8", M, "ranges with one end; without both they are invalid", "RFC 4791 9.9", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		query("{cal}", within("20310401T103000Z", "")).all("{cal}1.ics"), query("{cal}", within("20310401T113000Z", "")).none("<d:response>"),
		query("{cal}", within("", "20310401T103000Z")).all("{cal}1.ics"), query("{cal}", within("", "20310401T093000Z")).none("<d:response>"),
		query("{cal}", within("", "")).refused(403, "c:valid-filter"),
	)},
	{"G9", M, "series are matched by their occurrences, moved ones where they are; endless rules cost nothing", "RFC 4791 7.4", yes, "", try(
		put("{cal}1.ics", object(component("VEVENT", "{id}", daily+"\nEXDATE:20310403T080000Z")+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T200000Z\nDTEND:20310402T210000Z\nSUMMARY:Evening"))),
		query("{cal}", within("20490101T083000Z", "20490101T084000Z")).all("{cal}1.ics"),
		query("{cal}", within("20310402T083000Z", "20310402T084000Z")).none("<d:response>"),
		query("{cal}", within("20310402T203000Z", "20310402T204000Z")).all("{cal}1.ics"),
		query("{cal}", within("20310403T083000Z", "20310403T084000Z")).none("<d:response>"),
		query("{cal}", within("20310331T083000Z", "20310331T094000Z")).none("<d:response>"),
		query("{cal}", within("20310402T203000Z", "20310402T204000Z")+`<C:prop-filter name="SUMMARY"><C:text-match>evening</C:text-match></C:prop-filter>`).all("{cal}1.ics"),
	)},
	{"G10", M, "time-range on properties", "RFC 4791 9.9", yes, "", try(
		put("{cal}1.ics", todo("{id}", "COMPLETED:20310401T120000Z\nLAST-MODIFIED:20310402T120000Z")),
		queryComp("{cal}", "VTODO", `<C:prop-filter name="COMPLETED">`+within("20310401T000000Z", "20310402T000000Z")+`</C:prop-filter>`).all("{cal}1.ics"),
		queryComp("{cal}", "VTODO", `<C:prop-filter name="COMPLETED">`+within("20310402T000000Z", "20310403T000000Z")+`</C:prop-filter>`).none("<d:response>"),
		queryComp("{cal}", "VTODO", `<C:prop-filter name="LAST-MODIFIED">`+within("20310402T000000Z", "20310403T000000Z")+`</C:prop-filter>`).all("{cal}1.ics"),
		queryComp("{cal}", "VTODO", `<C:prop-filter name="DTSTAMP">`+within("20261101T000000Z", "20261102T000000Z")+`</C:prop-filter>`).all("{cal}1.ics"),
	)},
	{"G11", M, "floating times and dates: the request's time zone, else the calendar's", "RFC 4791 7.3", yes, "else the owner's, else UTC", try(
		put("{cal}1.ics", event("{id}", "DTSTART:20310401T100000\nDTEND:20310401T110000\nSUMMARY:x")),
		query("{cal}", within("20310401T081500Z", "20310401T082000Z")).none("<d:response>"),
		queryData("{cal}", "", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">`+within("20310401T081500Z", "20310401T082000Z")+`</C:comp-filter></C:comp-filter>`, "<C:timezone>"+zoneText+"</C:timezone>").all("{cal}1.ics"),
		queryData("{cal}", "", `<C:comp-filter name="VCALENDAR"/>`, "<C:timezone>BEGIN:VCALENDAR</C:timezone>").refused(403, "c:valid-calendar-data"),
		patch("{cal}", "<C:calendar-timezone>"+zoneText+"</C:calendar-timezone>").all("200 OK"),
		query("{cal}", within("20310401T081500Z", "20310401T082000Z")).all("{cal}1.ics"),
	)},
	{"G12", M, "timezone-id", "RFC 7809 3.1.6", yes, "an unknown one: valid-timezone", try(
		put("{cal}1.ics", event("{id}", "DTSTART:20310401T100000\nDTEND:20310401T110000\nSUMMARY:x")),
		queryData("{cal}", "", `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">`+within("20310401T011500Z", "20310401T012000Z")+`</C:comp-filter></C:comp-filter>`, "<C:timezone-id>Asia/Tokyo</C:timezone-id>").all("{cal}1.ics"),
		queryData("{cal}", "", `<C:comp-filter name="VCALENDAR"/>`, "<C:timezone-id>Middle/Earth</C:timezone-id>").refused(403, "c:valid-timezone"),
	)},
	{"G13", M, "calendar-data in parts: comp, prop, allcomp, allprop, novalue", "RFC 4791 7.6, 9.6", yes, "", try(
		put("{cal}1.ics", event("{id}", once+"\nLOCATION:Here"+alarm+"TRIGGER:-PT5M\nEND:VALARM")),
		queryData("{cal}", `<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/><C:prop name="LOCATION" novalue="yes"/></C:comp></C:comp></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("VERSION:2.0", "SUMMARY:One", "LOCATION:&#13;").none("DTSTART", "VALARM", "PRODID", "Here"),
		queryData("{cal}", `<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:comp name="VEVENT"><C:allprop/></C:comp></C:comp></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("PRODID", "LOCATION:Here").none("VALARM"),
		queryData("{cal}", `<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("VALARM", "LOCATION:Here"),
		report("{cal}", `<C:calendar-multiget><prop><C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="UID"/></C:comp></C:comp></C:calendar-data></prop><href>{cal}1.ics</href></C:calendar-multiget>`).all("UID:{id}").none("SUMMARY"),
	)},
	{"G14", M, "expand: in UTC, with RECURRENCE-ID, without rules and time zones", "RFC 4791 9.6.5", yes, "", try(
		put("{cal}1.ics", object(Berlin+"\n"+component("VEVENT", "{id}", "DTSTART;TZID=Europe/Berlin:20310401T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20310402T100000\nSUMMARY:x")+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID;TZID=Europe/Berlin:20310403T100000\nDTSTART;TZID=Europe/Berlin:20310403T120000\nDURATION:PT1H\nSUMMARY:Moved"))),
		queryData("{cal}", `<C:calendar-data><C:expand start="20310401T000000Z" end="20310405T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">`+within("20310401T000000Z", "20310405T000000Z")+`</C:comp-filter></C:comp-filter>`, "").
			all("DTSTART:20310401T080000Z", "RECURRENCE-ID:20310401T080000Z", "RECURRENCE-ID:20310403T080000Z", "DTSTART:20310403T100000Z", "SUMMARY:Moved", "RECURRENCE-ID:20310404T080000Z").none("RRULE", "EXDATE", "VTIMEZONE", "TZID", "20310402T").times("BEGIN:VEVENT", 3),
		queryData("{cal}", `<C:calendar-data><C:expand start="20310401T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").want(400, 403),
		queryData("{cal}", `<C:calendar-data><C:expand/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").want(400, 403),
		queryData("{cal}", `<C:calendar-data><C:expand start="20310405T000000Z" end="20310401T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").want(400, 403),
	)},
	{"G15", M, "limit-recurrence-set", "RFC 4791 9.6.6", yes, "", try(
		put("{cal}1.ics", object(component("VEVENT", "{id}", daily)+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310402T080000Z\nDTSTART:20310402T120000Z\nSUMMARY:Near")+"\n"+component("VEVENT", "{id}", "RECURRENCE-ID:20310502T080000Z\nDTSTART:20310502T120000Z\nSUMMARY:Far"))),
		queryData("{cal}", `<C:calendar-data><C:limit-recurrence-set start="20310401T000000Z" end="20310405T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("RRULE", "SUMMARY:Near", "SUMMARY:Series").none("SUMMARY:Far"),
	)},
	{"G16", M, "limit-freebusy-set", "RFC 4791 9.6.7", yes, "", try(
		put("{cal}1.ics", object(component("VFREEBUSY", "{id}", "DTSTART:20310401T000000Z\nDTEND:20310501T000000Z\nFREEBUSY:20310402T100000Z/PT1H,20310415T100000Z/PT1H"))),
		queryData("{cal}", `<C:calendar-data><C:limit-freebusy-set start="20310401T000000Z" end="20310405T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("20310402T100000Z/PT1H").none("20310415"),
	)},
	{"G17", M, "properties beside calendar-data, each with its status", "RFC 4791 7.8", yes, "", try(
		put("{cal}1.ics", event("{id}", once)).saveHead("tag", "ETag"),
		queryData("{cal}", `<C:calendar-data/><getcontenttype/><displayname/>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("<d:displayname/></d:prop><d:status>HTTP/1.1 404", "component=vevent", "BEGIN:VCALENDAR"),
		find("{cal}1.ics", "0", "C:calendar-data").all("404"),
	)},
	{"G18", M, "content-type and version of calendar-data are checked", "RFC 4791 9.6", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		queryData("{cal}", `<C:calendar-data content-type="text/vcard"/>`, `<C:comp-filter name="VCALENDAR"/>`, "").refused(403, "c:supported-calendar-data"),
		queryData("{cal}", `<C:calendar-data content-type="text/calendar" version="1.0"/>`, `<C:comp-filter name="VCALENDAR"/>`, "").refused(403, "c:supported-calendar-data"),
		queryData("{cal}", `<C:calendar-data content-type="text/calendar" version="2.0"/>`, `<C:comp-filter name="VCALENDAR"/>`, "").all("BEGIN:VCALENDAR"),
		queryData("{cal}", `<C:calendar-data content-type="application/calendar+json"/>`, `<C:comp-filter name="VCALENDAR"/>`, "").all(`content-type="application/calendar+json"`, "vevent"),
		report("{cal}", `<C:calendar-multiget><prop><C:calendar-data content-type="text/vcard"/></prop><href>{cal}1.ics</href></C:calendar-multiget>`).refused(403, "c:supported-calendar-data"),
	)},
	{"G19", M, "min-date-time and max-date-time in reports", "RFC 4791 7.8", yes, "", try(
		query("{cal}", within("00010101T000000Z", "20310401T000000Z")).want(207, 403),
		query("{cal}", within("20310401T000000Z", "99991231T000000Z")).want(207, 403),
		queryData("{cal}", `<C:calendar-data><C:expand start="09990401T000000Z" end="20310402T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").refused(403, "c:min-date-time"),
		queryData("{cal}", `<C:calendar-data><C:expand start="20310401T000000Z" end="99990402T000000Z"/></C:calendar-data>`, `<C:comp-filter name="VCALENDAR"/>`, "").refused(403, "c:max-date-time"),
	)},
	{"G20", S, "too many results: 507 number-of-matches-within-limits", "RFC 4791 7.8", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once)), put("{cal}2.ics", event("{id}-2", once)), put("{cal}3.ics", event("{id}-3", once)),
		queryData("{cal}", "", `<C:comp-filter name="VCALENDAR"/>`, "<C:limit><C:nresults>2</C:nresults></C:limit>").times("HTTP/1.1 200 OK", 2).all("HTTP/1.1 507", "<d:number-of-matches-within-limits/>", "<d:href>{cal}</d:href>"),
	).and("caldav TestExpandHasALimit")},
	{"G21", O, "calendar-query over a home", "RFC 4791 7.2", yes, "Depth infinity; calendars of others that are mounted included", try(
		put("{cal}1.ics", event("{id}", once)),
		inCopy("alice", "{home}", "{id}").depth("infinity").all("{cal}1.ics"),
	)},
	{"G22", M, "time-range on VALARM, with repetitions, relative to occurrences", "RFC 4791 7.8.5, 9.9", yes, "", try(
		put("{cal}1.ics", event("{id}-1", daily+alarm+"TRIGGER:-PT30M\nREPEAT:2\nDURATION:PT5M\nEND:VALARM")),
		put("{cal}2.ics", event("{id}-2", once+alarm+"TRIGGER;VALUE=DATE-TIME:20310301T120000Z\nEND:VALARM")),
		put("{cal}3.ics", event("{id}-3", once+alarm+"TRIGGER;RELATED=END:PT0S\nEND:VALARM")),
		query("{cal}", `<C:comp-filter name="VALARM">`+within("20310501T073000Z", "20310501T073100Z")+`</C:comp-filter>`).all("{cal}1.ics").none("{cal}2.ics"),
		query("{cal}", `<C:comp-filter name="VALARM">`+within("20310501T073900Z", "20310501T074100Z")+`</C:comp-filter>`).all("{cal}1.ics"),
		query("{cal}", `<C:comp-filter name="VALARM">`+within("20310501T074100Z", "20310501T080000Z")+`</C:comp-filter>`).none("{cal}1.ics"),
		query("{cal}", `<C:comp-filter name="VALARM">`+within("20310301T115900Z", "20310301T120100Z")+`</C:comp-filter>`).all("{cal}2.ics").none("{cal}1.ics"),
		query("{cal}", `<C:comp-filter name="VALARM">`+within("20310401T105900Z", "20310401T110100Z")+`</C:comp-filter>`).all("{cal}3.ics"),
	)},
	{"G23", M, "in the inbox, an event without DTSTART matches every range", "RFC 6638 2.3", yes, "", tested("caldav TestTimeRangeTables")},
	{"G24", M, "free/busy: cancelled and transparent do not count, tentative is BUSY-TENTATIVE, what touches is one", "RFC 4791 7.10", yes, "", try(
		put("{cal}1.ics", event("{id}-1", "DTSTART:20310401T100000Z\nDTEND:20310401T110000Z\nSTATUS:CANCELLED")),
		put("{cal}2.ics", event("{id}-2", "DTSTART:20310401T120000Z\nDTEND:20310401T130000Z\nTRANSP:TRANSPARENT")),
		put("{cal}3.ics", event("{id}-3", "DTSTART:20310401T140000Z\nDTEND:20310401T150000Z\nSTATUS:TENTATIVE")),
		put("{cal}4.ics", event("{id}-4", "DTSTART:20310401T160000Z\nDTEND:20310401T170000Z")),
		put("{cal}5.ics", event("{id}-5", "DTSTART:20310401T163000Z\nDTEND:20310401T180000Z")),
		report("{cal}", `<C:free-busy-query><C:time-range start="20310401T000000Z" end="20310402T000000Z"/></C:free-busy-query>`).want(200).all("BUSY-TENTATIVE:20310401T140000Z/").none("20310401T100000Z", "20310401T120000Z", "20310401T163000Z").all("20310401T160000Z/"),
	)},
	{"G25", S, "reports on calendars of 100,000 objects", "choice", yes, "an index by UID and by time; figures in [benchmarks.md](benchmarks.md)", tested("internal/calendar TestQueryFindsTheMonth", "internal/store TestQueriesReadOnlyWhatTheyNeed")},
}

const syncTail = `<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`

var syncRows = []row{
	{"H1", M, "sync-collection on calendars, home and inbox: from the beginning and from a token", "RFC 6578 3.2", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once)),
		sync("{cal}", "").all("{cal}1.ics", "200 OK").none("<d:href>{cal}</d:href>").save("t", syncTail),
		put("{cal}2.ics", event("{id}-2", once)),
		sync("{cal}", "{t}").all("{cal}2.ics").none("{cal}1.ics"),
		sync("{home}", "").all("<d:href>{cal}</d:href>"), sync("{inbox}", "").all("<d:sync-token>"),
		report("{cal}", `<sync-collection><sync-token/><sync-level>1</sync-level><prop><getetag/><C:calendar-data/></prop></sync-collection>`).all("BEGIN:VCALENDAR"),
	)},
	{"H2", M, "sync-level 1; infinite may be refused with sync-traversal-supported; Depth: 1 of old drafts", "RFC 6578 3.3", yes, "infinite is refused", try(
		report("{cal}", `<sync-collection><sync-token/><sync-level>infinite</sync-level><prop/></sync-collection>`).refused(403, "d:sync-traversal-supported"),
		report("{cal}", `<sync-collection><sync-token/><prop><getetag/></prop></sync-collection>`).depth("1"),
		report("{cal}", `<sync-collection><sync-token/><sync-level>7</sync-level><prop/></sync-collection>`).want(400),
		sync("{cal}", "").depth("infinity").want(400), sync("{cal}", "").depth("0"), sync("{cal}", "").depth("1").want(207, 400),
		report("{cal}", `<sync-collection><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`).want(207, 400),
	)},
	{"H3", M, "removed members are a response with 404 and no propstat", "RFC 6578 3.5.2", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		sync("{cal}", "").save("t", syncTail),
		remove("{cal}1.ics"),
		sync("{cal}", "{t}").all("<d:response><d:href>{cal}1.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>").none("<d:propstat>"),
	)},
	{"H4", M, "what came and went between two tokens is not reported as changed", "RFC 6578 3.5", yes, "", try(
		sync("{cal}", "").save("t", syncTail),
		put("{cal}1.ics", event("{id}", once)), remove("{cal}1.ics"),
		sync("{cal}", "{t}").none("200 OK"),
		put("{cal}2.ics", event("{id}-2", once)),
		sync("{cal}", "").save("t2", syncTail),
		remove("{cal}2.ics"), put("{cal}2.ics", event("{id}-3", once)),
		sync("{cal}", "{t2}").times("<d:href>{cal}2.ics</d:href>", 1).all("200 OK").none("404"),
	)},
	{"H5", M, "an invalid or old token: valid-sync-token", "RFC 6578 3.2", yes, "403", try(
		sync("{cal}", "urn:x").refused(403, "d:valid-sync-token"), sync("{cal}", "data:,sync-1-2-3").refused(403, "d:valid-sync-token"), sync("{cal}", "x").refused(403, "d:valid-sync-token"),
		sync("{cal}", "data:,sync-99999999999999999999-1-1").refused(403, "d:valid-sync-token"),
	)},
	{"H6", M, "limit: 507 on the request-URI, and a token to go on with", "RFC 6578 3.6, 3.7", yes, "", try(
		put("{cal}1.ics", event("{id}-1", once)), put("{cal}2.ics", event("{id}-2", once)), put("{cal}3.ics", event("{id}-3", once)),
		report("{cal}", `<sync-collection><sync-token/><sync-level>1</sync-level><limit><nresults>2</nresults></limit><prop><getetag/></prop></sync-collection>`).times("HTTP/1.1 200 OK", 2).
			all("<d:href>{cal}</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/>").save("t", syncTail),
		report("{cal}", `<sync-collection><sync-token>{t}</sync-token><sync-level>1</sync-level><limit><nresults>2</nresults></limit><prop><getetag/></prop></sync-collection>`).times("HTTP/1.1 200 OK", 1).none("507"),
	)},
	{"H7", M, "tokens are URIs and outlive restarts", "RFC 6578 4", yes, "and kill -9; no token grows old", try(
		sync("{cal}", "").save("t", `<d:sync-token>([a-z]+:[!-;=?-~]+)</d:sync-token></d:multistatus>`),
	).and("e2e TestKilledUnderLoad")},
	{"H8", M, "token and answer are one state, whatever is written meanwhile", "RFC 6578 3", yes, "what changes during an initial answer is told again the next time", tested("internal/store TestViewSeesOneSnapshot", "internal/store TestReplayingTheChangeLogGivesTheState")},
	{"H9", M, "changes of properties alone are not reported, changes of content are", "RFC 6578 3.5.1", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		sync("{cal}", "").save("t", syncTail),
		patch("{cal}1.ics", "<x xmlns='u:x'>1</x>").all("200 OK"),
		sync("{cal}", "{t}").none("<d:response>"),
		over("{cal}1.ics", event("{id}", once+"\nLOCATION:A")),
		sync("{cal}", "{t}").all("{cal}1.ics"),
	)},
	{"H10", S, "sync-token in If", "RFC 6578 5", yes, "", try(
		find("{cal}", "0", "sync-token").save("t", `sync-token>([^<]+)<`),
		do("PUT", "{cal}1.ics").ics(event("{id}", once)).with("If", "<{cal}> (<{t}>)").want(201),
		do("PUT", "{cal}2.ics").ics(event("{id}-2", once)).with("If", "<{cal}> (<{t}>)").want(412),
	)},
	{"H11", S, "the home tells of calendars that are new, changed and gone, shared ones too", "RFC 6578 3.5", yes, "", try(
		sync("{home}", "").save("t", syncTail),
		do("MKCALENDAR", "{home}{id}-n/").want(201),
		sync("{home}", "{t}").all("<d:href>{home}{id}-n/</d:href>").save("t2", syncTail),
		remove("{home}{id}-n/"),
		sync("{home}", "{t2}").all("<d:href>{home}{id}-n/</d:href><d:status>HTTP/1.1 404"),
		sync("{bobhome}", "").as("bob").save("b", syncTail),
		acl("{cal}", toBob, "read").want(200),
		sync("{bobhome}", "{b}").as("bob").times("<d:propstat>", 1).save("b2", syncTail),
		acl("{cal}", "").want(200),
		sync("{bobhome}", "{b2}").as("bob").all("404"),
	)},
	{"H12", M, "the property is the token of an empty report", "RFC 6578 4", yes, "", try(
		put("{cal}1.ics", event("{id}", once)),
		find("{cal}", "0", "sync-token").save("t", `sync-token>([^<]+)<`),
		sync("{cal}", "{t}").none("<d:response>").all("<d:sync-token>{t}</d:sync-token></d:multistatus>"),
	)},
	{"H13", M, "what one may not read any more is told as gone", "RFC 6578 3.5.2, RFC 3744", yes, "the home tells it of the calendar", try(
		acl("{cal}", toBob, "read").want(200),
		sync("{bobhome}", "").as("bob").save("b", syncTail),
		acl("{cal}", "").want(200),
		sync("{bobhome}", "{b}").as("bob").all("404"),
		sync("{cal}", "").as("bob").want(404),
	)},
	{"H14", S, "ctag and sync-token change together", "CalendarServer ctag", yes, "", try(
		find("{cal}", "0", "sync-token", "S:getctag").save("t", `sync-token>([^<]+)<`).save("c", `getctag>([^<]+)<`),
		put("{cal}1.ics", event("{id}", once)),
		find("{cal}", "0", "sync-token", "S:getctag").none(">{t}<", ">{c}<"),
	)},
	{"H15", M, "a token is of one collection", "RFC 6578 3.2", yes, "", try(
		sync("{cal}", "").save("t", syncTail),
		sync("{cal2}", "{t}").refused(403, "d:valid-sync-token"), sync("{home}", "{t}").refused(403, "d:valid-sync-token"),
	)},
}
