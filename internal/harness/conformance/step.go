package conformance

import (
	"strings"
)

// step is one request and what its answer must be. Texts may hold names in
// braces: those of [names], and what an earlier step of the row kept.
type step struct {
	user, method, path string
	head               [][2]string
	body               string
	status             []int
	has, lacks         []string
	answers            [][2]string // header and value: "" it is absent, "*" any, "~x" holds x
	keep               [][2]string // name and pattern with one group, searched in the body
	keepHead           [][2]string // name and header
	count              map[string]int
}

func do(method, path string) step { return step{user: "alice", method: method, path: path} }

func (s step) as(user string) step { s.user = user; return s }

func (s step) with(name, value string) step {
	s.head = append(s.head[:len(s.head):len(s.head)], [2]string{name, value})
	return s
}

func (s step) depth(d string) step { return s.with("Depth", d) }

// send is a body with its type.
func (s step) send(contentType, body string) step {
	s.body = body
	if contentType == "" {
		return s
	}
	return s.with("Content-Type", contentType)
}

func (s step) xml(body string) step { return s.send("application/xml; charset=utf-8", body) }
func (s step) ics(body string) step { return s.send("text/calendar; charset=utf-8", body) }

func (s step) want(status ...int) step { s.status = status; return s }

func (s step) all(texts ...string) step {
	s.has = append(s.has[:len(s.has):len(s.has)], texts...)
	return s
}

func (s step) none(texts ...string) step {
	s.lacks = append(s.lacks[:len(s.lacks):len(s.lacks)], texts...)
	return s
}

func (s step) header(name, value string) step {
	s.answers = append(s.answers[:len(s.answers):len(s.answers)], [2]string{name, value})
	return s
}

func (s step) save(name, pattern string) step {
	s.keep = append(s.keep[:len(s.keep):len(s.keep)], [2]string{name, pattern})
	return s
}

func (s step) saveHead(name, header string) step {
	s.keepHead = append(s.keepHead[:len(s.keepHead):len(s.keepHead)], [2]string{name, header})
	return s
}

// times is how often a text is in the answer.
func (s step) times(text string, n int) step {
	count := map[string]int{text: n}
	for k, v := range s.count {
		count[k] = v
	}
	s.count = count
	return s
}

// Refused with a precondition element.
func (s step) refused(status int, element string) step {
	return s.want(status).all("<d:error", "<"+element+"/>", "<d:responsedescription>")
}

const ns = ` xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"`

// The requests of which the table is made.

func get(path string) step       { return do("GET", path).want(200) }
func put(path, data string) step { return do("PUT", path).ics(data).want(201) }
func over(path, data string) step {
	return do("PUT", path).ics(data).want(204)
}
func remove(path string) step { return do("DELETE", path).want(204) }

func find(path, depth string, names ...string) step {
	return do("PROPFIND", path).depth(depth).xml(`<propfind` + ns + `><prop><` + strings.Join(names, "/><") + `/></prop></propfind>`).want(207)
}

func patch(path, set string) step {
	return do("PROPPATCH", path).xml(`<propertyupdate` + ns + `><set><prop>` + set + `</prop></set></propertyupdate>`).want(207)
}

func report(path, body string) step {
	name, rest, _ := strings.Cut(body, ">")
	if strings.HasSuffix(name, "/") {
		name, rest = strings.TrimSuffix(name, "/"), "/>"+rest
		return do("REPORT", path).xml(name + ns + rest).want(207)
	}
	return do("REPORT", path).xml(name + ns + ">" + rest).want(207)
}

// query is calendar-query for events that pass a filter.
func query(path, filter string) step {
	return queryComp(path, "VEVENT", filter)
}

func queryComp(path, comp, filter string) step {
	return queryRaw(path, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="`+comp+`">`+filter+`</C:comp-filter></C:comp-filter>`)
}

func queryRaw(path, filter string) step {
	return queryData(path, `<C:calendar-data/>`, filter, "")
}

func queryData(path, data, filter, more string) step {
	return report(path, `<C:calendar-query><prop><getetag/>`+data+`</prop><C:filter>`+filter+`</C:filter>`+more+`</C:calendar-query>`).depth("1")
}

func multiget(path string, hrefs ...string) step {
	return report(path, `<C:calendar-multiget><prop><getetag/><C:calendar-data/></prop><href>`+strings.Join(hrefs, `</href><href>`)+`</href></C:calendar-multiget>`)
}

func sync(path, token string) step {
	return report(path, `<sync-collection><sync-token>`+token+`</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`)
}

func move(from, to string) step { return do("MOVE", from).with("Destination", to) }
func copied(from, to string) step {
	return do("COPY", from).with("Destination", to)
}

// Calendar data.

// crlf makes calendar text of lines.
func crlf(s string) string {
	return strings.ReplaceAll(strings.TrimSpace(s)+"\n", "\n", "\r\n")
}

func object(inner string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Conformance//EN\n" + inner + "\nEND:VCALENDAR")
}

func component(name, uid, lines string) string {
	return "BEGIN:" + name + "\nUID:" + uid + "\nDTSTAMP:20261101T080000Z\n" + lines + "\nEND:" + name
}

func event(uid, lines string) string { return object(component("VEVENT", uid, lines)) }
func todo(uid, lines string) string  { return object(component("VTODO", uid, lines)) }

// once is an hour on a Tuesday.
const once = "DTSTART:20310401T100000Z\nDTEND:20310401T110000Z\nSUMMARY:One"

// daily has no end.
const daily = "DTSTART:20310401T080000Z\nDTEND:20310401T090000Z\nRRULE:FREQ=DAILY\nSUMMARY:Series"

// meeting is alice's, with bob.
func meeting(uid, lines string) string {
	return event(uid, lines+"\nORGANIZER:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test")
}

// Berlin is the time zone of Europe/Berlin, as its rules have been since 1996.
const Berlin = `BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE`

const lockinfo = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner><href>mailto:alice@example.test</href></owner></lockinfo>`

// inCopy finds somebody's copy of an event by its UID.
func inCopy(user, coll, uid string) step {
	return report(coll, `<C:calendar-query><prop><getetag/><C:schedule-tag/><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:text-match collation="i;octet">`+uid+`</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`).depth("1").as(user)
}

// acl grants privileges to a principal.
func acl(path, principal string, privileges ...string) step {
	if len(privileges) == 0 {
		return do("ACL", path).xml(`<acl xmlns="DAV:"/>`)
	}
	return do("ACL", path).xml(`<acl` + ns + `><ace><principal>` + principal + `</principal><grant><privilege><` + strings.Join(privileges, `/></privilege><privilege><`) + `/></privilege></grant></ace></acl>`)
}

const toBob = "<href>/dav/principals/bob/</href>"
