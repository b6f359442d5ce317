package davserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/conformance"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestTimeZoneService(t *testing.T) { // RFC 7808
	h := open(t, "ann")
	for _, c := range []struct {
		path, head string
		status     int
		has        string
	}{
		{"/.well-known/timezone", "", 301, ""},
		{"/timezones", "", 200, `"primary-source":"IANA:`},
		{"/timezones/capabilities", "", 200, `"uri-template":"/timezones/zones{/tzid}{?start,end}"`},
		{"/timezones/zones", "", 200, `"tzid":"Europe/Berlin"`},
		{"/timezones/zones?pattern=*berlin", "", 200, `"tzid":"Europe/Berlin"`},
		{"/timezones/zones?pattern=america/new_y*", "", 200, `"tzid":"America/New_York"`},
		{"/timezones/zones?pattern=a*b", "", 400, "invalid-pattern"},
		{"/timezones/zones?pattern=", "", 400, "invalid-pattern"},
		{"/timezones/zones/Europe%2FBerlin", "", 200, "TZID:Europe/Berlin\r\n"},
		{"/timezones/zones/Europe/Berlin?start=2026-01-01T00:00:00Z", "", 200, "RRULE:FREQ=YEARLY"},
		{"/timezones/zones/Middle%2FEarth", "", 404, "urn:ietf:params:tzdist:error:tzid-not-found"},
		{"/timezones/zones/Europe%2FBerlin?start=x", "", 400, "urn:ietf:params:tzdist:error:invalid-start"},
		{"/timezones/zones/Europe%2FBerlin?start=2026-01-01T00:00:00Z&end=2025-01-01T00:00:00Z", "", 400, "urn:ietf:params:tzdist:error:invalid-end"},
		{"/timezones/zones/Europe%2FBerlin?end=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z", "", 400, "urn:ietf:params:tzdist:error:invalid-end"},
		{"/timezones/zones/Europe%2FBerlin", "Accept: application/calendar+json", 406, "urn:ietf:params:tzdist:error:invalid-format"},
		{"/timezones/zones/Europe%2FBerlin", "Accept: application/json;q=0.1, text/*", 200, "BEGIN:VTIMEZONE"},
		{"/timezones/zones?changedsince=x", "", 200, "Europe/Berlin"},
		{"/timezones/zones?changedsince=x&changedsince=y", "", 400, "urn:ietf:params:tzdist:error:invalid-changedsince"},
		{"/timezones/zones?changedsince=1999a", "", 200, "Europe/Berlin"},
		{"/timezones/zones/Europe%2FBerlin/observances?start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z", "", 200,
			`"observances":[{"name":"CET","onset":"2026-01-01T00:00:00Z","utc-offset-from":3600,"utc-offset-to":3600},{"name":"CEST","onset":"2026-03-29T01:00:00Z","utc-offset-from":3600,"utc-offset-to":7200},{"name":"CET","onset":"2026-10-25T01:00:00Z","utc-offset-from":7200,"utc-offset-to":3600}]`},
		{"/timezones/zones/Europe%2FBerlin/observances", "", 400, ""},
		{"/timezones/leapseconds", "", 200, `{"utc-offset":37,"onset":"2017-01-01"}`},
		{"/timezones/nothing", "", 400, "invalid-action"},
	} {
		a := h.as("", "GET", c.path, c.head, "").is(c.status)
		if c.has != "" {
			a.has(c.has)
		}
		if c.status == 200 {
			h.as("", "GET", c.path, "If-None-Match: "+a.header.Get("ETag"), "").is(304)
		}
	}
	list := h.as("", "GET", "/timezones/zones", "", "")
	tag := list.find(`"tzid":"Europe/Berlin","etag":"([^"]+)"`) // RFC 7808 5.3.2: a condition of GET
	h.as("", "GET", "/timezones/zones/Europe%2FBerlin", `If-None-Match: "`+tag+`"`, "").is(304)
	h.as("", "GET", "/timezones/zones/Europe%2FBerlin?start=2026-01-01T00:00:00Z", `If-None-Match: "`+tag+`"`, "").is(200)
	token := list.find(`"synctoken":"([^"]+)"`)
	h.as("", "GET", "/timezones/zones?changedsince="+token, "", "").is(200).has(`"timezones":[]`)
}

// berlin is its VTIMEZONE as lines of an object.
const berlin = conformance.Berlin + "\n"

func TestTimeZonesByReference(t *testing.T) { // RFC 7809
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", strings.Replace(event("1", "DTSTART;TZID=Europe/Berlin:20260310T100000\nSUMMARY:One"), "BEGIN:VEVENT", strings.TrimSuffix(crlf(berlin), "\r\n")+"\r\nBEGIN:VEVENT", 1))
	h.as("ann", "GET", ann+"1.ics", "", "").is(200).has("BEGIN:VTIMEZONE")
	h.as("ann", "GET", ann+"1.ics", "CalDAV-Timezones: F", "").is(200).lacks("BEGIN:VTIMEZONE").has("TZID=Europe/Berlin")
	h.as("ann", "REPORT", ann, "CalDAV-Timezones: F", multiget("<C:calendar-data/>", ann+"1.ics")).is(207).lacks("BEGIN:VTIMEZONE").has("TZID=Europe/Berlin")
	h.as("ann", "REPORT", ann, "CalDAV-Timezones: T", multiget("<C:calendar-data/>", ann+"1.ics")).is(207).has("BEGIN:VTIMEZONE")
	set := func(id string) *answer {
		return h.as("ann", "PROPPATCH", ann, "", "<propertyupdate"+ns+"><set><prop><C:calendar-timezone-id>"+id+"</C:calendar-timezone-id></prop></set></propertyupdate>").is(207)
	}
	set("Middle/Earth").has("<c:valid-timezone/>")
	set("Asia/Tokyo").has("200 OK")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("C:calendar-timezone", "C:calendar-timezone-id", "C:timezone-service-set")).
		has("TZID:Asia/Tokyo", "<c:calendar-timezone-id>Asia/Tokyo<", "<d:href>https://cal.example.test/timezones</d:href>")
}

func TestRequestsPerMinute(t *testing.T) {
	h := openWith(t, davserver.Limits{PerMinute: 60}, "ann", "bob")
	for range 60 {
		h.as("ann", "GET", "/dav/", "", "").is(200)
	}
	h.as("ann", "GET", "/dav/", "", "").is(429).head("Retry-After", "2")
	h.as("bob", "GET", "/dav/", "", "").is(200)
	h.later(3 * time.Second)
	h.as("ann", "GET", "/dav/", "", "").is(200)
}

// What was overwritten or deleted can be had again, and stands in nobody's way.
func TestHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one))
		h.later(time.Minute)
		h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", strings.Replace(one, "One", "Changed", 1))).is(204)
		h.later(time.Minute)
		h.as("ann", "DELETE", ann+"1.ics", "", "").is(204)
		who, me := h.actor("ann"), h.people["ann"].ID
		list, err := h.svc.History(t.Context(), who, me, calendar.HistoryFilter{UID: "1"})
		if err != nil || len(list) != 2 || !list[0].Deleted || list[0].Summary != "Changed" || list[1].Summary != "One" || list[0].Calendar != "Calendar" {
			t.Fatalf("history %+v, %v", list, err)
		}
		if _, err := h.svc.History(t.Context(), h.actor("bob"), me, calendar.HistoryFilter{}); err == nil {
			t.Error("another reads the history")
		}
		h.put("ann", ann+"again.ics", event("1", strings.Replace(one, "One", "Anew", 1))) // the UID is free
		if _, err := h.svc.Restore(t.Context(), who, me, list[1].Object, list[1].Seq); err != nil {
			t.Fatal(err)
		}
		h.as("ann", "GET", ann+"again.ics", "", "").is(200).has("SUMMARY:One")
		h.as("ann", "DELETE", ann+"again.ics", "", "").is(204)
		if _, err := h.svc.Restore(t.Context(), who, me, list[0].Object, list[0].Seq); err != nil {
			t.Fatal(err)
		}
		h.as("ann", "GET", ann+"1.ics", "", "").is(200).has("SUMMARY:Changed")
		if _, err := h.svc.Restore(t.Context(), who, me, 999, 1); err == nil {
			t.Error("restored what never was")
		}
	})
}

// Large objects go out in parts, and come out whole.
func TestLargeObjects(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openSized(t, s, davserver.Limits{}, 3<<20, "ann")
		big := event("big", one+"\nDESCRIPTION:"+strings.Repeat("0123456789", 200_000))
		h.put("ann", ann+"big.ics", big)
		if got := h.as("ann", "GET", ann+"big.ics", "", "").is(200); got.body != big {
			t.Errorf("%d octets came back of %d", len(got.body), len(big))
		}
		h.as("ann", "HEAD", ann+"big.ics", "", "").is(200)
		h.as("ann", "GET", ann+"big.ics", "If-None-Match: "+h.etag("ann", ann+"big.ics"), "").is(304)
	})
}
