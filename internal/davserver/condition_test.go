package davserver_test

import "testing"

// RFC 9110 13.1.4, for every method that changes an object.
func TestIfUnmodifiedSince(t *testing.T) {
	const ann, before, after = "/dav/calendars/ann/default/", "If-Unmodified-Since: Sun, 01 Mar 2026 00:00:00 GMT", "If-Unmodified-Since: Tue, 03 Mar 2026 00:00:00 GMT"
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", "DTSTART:20260302T090000Z"))
	changed := event("1", "DTSTART:20260302T100000Z")
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\n"+before, changed).is(412)
	h.as("ann", "MOVE", ann+"1.ics", "Destination: "+ann+"2.ics\n"+before, "").is(412)
	h.as("ann", "DELETE", ann+"1.ics", before, "").is(412)
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nIf-Unmodified-Since: yesterday", changed).is(204)
	h.as("ann", "DELETE", ann+"1.ics", after, "").is(204)
}

// RFC 4918 4.3: the language of a value comes back with it, also of those that
// the server keeps in places of its own; RFC 4791 5.2.1 has it on descriptions.
func TestLanguageOfProperties(t *testing.T) {
	const home, plans = "/dav/calendars/ann/", "/dav/calendars/ann/plans/"
	h := open(t, "ann")
	h.as("ann", "MKCALENDAR", plans, "", `<C:mkcalendar`+ns+`><set xml:lang="de"><prop><displayname>Pläne</displayname><C:calendar-description xml:lang="fr">Projets</C:calendar-description></prop></set></C:mkcalendar>`).is(201)
	both := props("displayname", "C:calendar-description")
	h.as("ann", "PROPFIND", plans, "Depth: 0", both).is(207).has(`<d:displayname xml:lang="de">Pläne<`, `<c:calendar-description xml:lang="fr">Projets<`)
	h.as("ann", "PROPFIND", plans, "Depth: 0", "").is(207).has(`<d:displayname xml:lang="de">Pläne<`).lacks("calendar-description")
	h.as("ann", "PROPPATCH", plans, "", `<propertyupdate`+ns+`><set><prop><displayname>Plans</displayname></prop></set><remove><prop><C:calendar-description/></prop></remove></propertyupdate>`).is(207)
	h.as("ann", "PROPFIND", plans, "Depth: 0", both).is(207).has(`<d:displayname>Plans<`).lacks("xml:lang")
	// A colour on the home is a property of clients like any other, and named as one.
	h.as("ann", "PROPPATCH", home, "", `<propertyupdate`+ns+`><set><prop><I:calendar-color>#fff</I:calendar-color></prop></set></propertyupdate>`).is(207).has("200 OK")
	for _, body := range []string{`<propfind` + ns + `><propname/></propfind>`, `<propfind` + ns + `><allprop/></propfind>`, props("I:calendar-color")} {
		h.as("ann", "PROPFIND", home, "Depth: 0", body).is(207).has("calendar-color")
	}
}

// RFC 3744 7.1.1, appendix B: what is missing, and where.
func TestMissingPrivilege(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	h.as("ann", "ACL", ann, "", `<acl`+ns+`><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	for _, c := range []struct{ method, path, head, data, where, privilege string }{
		{"PUT", ann + "1.ics", calendarHead, event("1", one), ann + "1.ics", "write-content"},
		{"PUT", ann + "2.ics", calendarHead, event("2", one), ann, "bind"},
		{"DELETE", ann + "1.ics", "", "", ann, "unbind"},
	} {
		h.as("bob", c.method, c.path, c.head, c.data).is(403).has("<d:resource><d:href>" + c.where + "</d:href><d:privilege><d:" + c.privilege + "/>")
	}
}

// RFC 4791 5.3.2.1: half an upload does not take the place of what is stored.
func TestHalfAnObjectIsRefused(t *testing.T) {
	h := open(t, "ann")
	whole := event("1", "DTSTART:20260302T090000Z")
	h.put("ann", "/dav/calendars/ann/default/1.ics", whole)
	h.as("ann", "PUT", "/dav/calendars/ann/default/1.ics", calendarHead, whole[:len(whole)-len("END:VCALENDAR\r\n")]).is(403).has("<c:valid-calendar-data/>")
	h.as("ann", "GET", "/dav/calendars/ann/default/1.ics", "", "").is(200).has("END:VCALENDAR")
}
