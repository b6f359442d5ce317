package davserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// A file is added to a meeting, replaced and removed; those invited read it
// without an account; on both databases (RFC 8607).
func TestManagedAttachments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one+"\nORGANIZER:mailto:ann@example.test\nATTENDEE:mailto:ann@example.test\nATTENDEE:mailto:bob@example.test"))
		post := func(query, head, body string) *answer {
			return h.as("ann", "POST", ann+"1.ics?"+query, head, body)
		}
		h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", props("C:max-attachment-size", "C:max-attachments-per-resource", "C:managed-attachments-server-URL")).has("<c:max-attachment-size>100000<", "<c:max-attachments-per-resource>50<")
		file := "Content-Type: text/html; charset=utf-8\nContent-Disposition: attachment;filename=\"the plan.html\"\nPrefer: return=representation"
		added := post("action=attachment-add", file, "<b>plan</b>").is(201).has("MANAGED-ID=", "SIZE=11", "FMTTYPE=text/html")
		id := added.header.Get("Cal-Managed-ID")
		unfolded := strings.ReplaceAll(added.body, "\r\n ", "")
		start := strings.Index(unfolded, ":https://cal.example.test/attachments/")
		if id == "" || start < 0 {
			t.Fatalf("no address of the attachment: %s", unfolded)
		}
		path, _, _ := strings.Cut(unfolded[start+len(":https://cal.example.test"):], "\r\n")
		h.as("", "GET", path, "", "").is(200).has("<b>plan</b>").head("Content-Disposition", `attachment; filename="the plan.html"`).head("X-Content-Type-Options", "nosniff")
		h.as("", "GET", "/attachments/AAAA/plan.html", "", "").is(404)
		h.as("", "DELETE", path, "", "").is(405)
		h.as("bob", "REPORT", "/dav/calendars/bob/default/", "Depth: 1", `<C:calendar-query`+ns+`><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).is(207).has(id)

		post("action=attachment-update&managed-id="+id, file, "<b>new plan</b>").is(200).has("SIZE=15").lacks(id)
		next := post("action=attachment-add", "Content-Type: text/plain", "second").is(201).header.Get("Cal-Managed-ID")
		for query, condition := range map[string]string{
			"action=attachment-eat":                       "valid-action",
			"action=attachment-add&rid=X":                 "valid-rid",
			"action=attachment-add&rid=M,M":               "valid-rid",
			"action=attachment-update&rid=M&managed-id=x": "valid-rid",
			"action=attachment-update&managed-id=" + id:   "valid-managed-id",
			"action=attachment-remove":                    "valid-managed-id",
			"action=attachment-remove&managed-id=made-up": "valid-managed-id",
			"action=attachment-add&managed-id=" + next:    "valid-managed-id",
		} {
			post(query, "Content-Type: text/plain", "x").is(403).has("<c:" + condition + "/>")
		}
		post("action=attachment-add", "Content-Type: text/plain", strings.Repeat("x", 100_001)).is(403).has("<c:max-attachment-size/>")
		post("action=attachment-add", "Content-Type: text/plain\nIf-Match: \"old\"", "x").is(412)
		h.as("bob", "POST", ann+"1.ics?action=attachment-add", "Content-Type: text/plain", "x").is(404)
		post("action=attachment-remove&managed-id="+next, "", "").is(204)
		h.as("ann", "GET", ann+"1.ics", "", "").has("SIZE=15").lacks(next)

		// What no event names any more goes, when no earlier version can name it either.
		h.as("ann", "DELETE", ann+"1.ics", "", "").is(204)
		h.later(2 * 24 * time.Hour)
		maintain := func() {
			t.Helper()
			if err := h.svc.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		maintain()
		h.as("", "GET", path, "", "").is(200)
		h.later(31 * 24 * time.Hour)
		maintain()
		h.as("", "GET", path, "", "").is(404)
	})
}

// Occurrences have attachments of their own; one without an override gets one
// (RFC 8607 3.3.2, 3.4, 3.6).
func TestAttachmentsOfOccurrences(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", "DTSTART;TZID=Europe/Berlin:20260310T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:Daily"))
	post := func(query, body string) *answer {
		return h.as("ann", "POST", ann+"1.ics?"+query, "Content-Type: text/plain\nPrefer: return=representation", body)
	}
	components := func() []string {
		t.Helper()
		list := strings.Split(unfold(h.as("ann", "GET", ann+"1.ics", "", "").is(200).body), "BEGIN:VEVENT")
		return list[1:]
	}
	id := post("action=attachment-add&rid=20260312T100000", "third day").is(201).header.Get("Cal-Managed-ID")
	if c := components(); len(c) != 2 || strings.Contains(c[0], "ATTACH") || !strings.Contains(c[1], id) || !strings.Contains(c[1], "RECURRENCE-ID;TZID=Europe/Berlin:20260312T100000") || strings.Contains(c[1], "RRULE") {
		t.Fatalf("after adding to one: %q", c)
	}
	all := post("action=attachment-add", "all").is(201).header.Get("Cal-Managed-ID")
	if c := components(); !strings.Contains(c[0], all) || !strings.Contains(c[1], all) {
		t.Fatalf("after adding to all: %q", c)
	}
	both := post("action=attachment-add&rid=m,20260312T100000", "both").is(201).header.Get("Cal-Managed-ID")
	if c := components(); strings.Count(strings.Join(c, ""), both) != 2 {
		t.Fatalf("after adding to two: %q", c)
	}
	post("action=attachment-remove&rid=20260311T100000&managed-id="+all, "").is(200, 204)
	if c := components(); len(c) != 3 || !strings.Contains(c[0], all) || !strings.Contains(c[1], all) || strings.Contains(c[2], all) || !strings.Contains(c[2], both) {
		t.Fatalf("after removing from one: %q", c)
	}
	next := post("action=attachment-update&managed-id="+id, "third day, again").is(200).header.Get("Cal-Managed-ID")
	if c := components(); strings.Contains(strings.Join(c, ""), id) || strings.Count(strings.Join(c, ""), next) != 1 {
		t.Fatalf("after replacing: %q", c)
	}
	for _, rid := range []string{"20260409T100000", "20260312T110000", "20260312T100000Z", "20260312", "x", "M,m", "20260312T100000,20260312T100000", ","} {
		post("action=attachment-add&rid="+rid, "x").is(403).has(calErr("valid-rid"))
	}
	post("action=attachment-remove&rid=20260311T100000&managed-id="+all, "").is(403).has(calErr("valid-managed-id"))

	// What says it is kept here must be (3.11); what others keep stays.
	text := h.as("ann", "GET", ann+"1.ics", "", "").body
	h.as("ann", "PUT", ann+"1.ics", calendarHead, text).is(204)
	h.as("ann", "PUT", ann+"2.ics", calendarHead, event("2", one+"\nATTACH;MANAGED-ID=7:https://cal.example.test/attachments/AAAA/x")).is(403).has(calErr("valid-managed-id-parameter"))
	h.put("ann", ann+"3.ics", event("3", one+"\nATTACH;MANAGED-ID=7:https://elsewhere.test/attachments/AAAA/x"))
}
