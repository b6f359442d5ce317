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
			"action=attachment-eat":                       "valid-action-parameter",
			"action=attachment-add&rid=M":                 "valid-rid-parameter",
			"action=attachment-update&managed-id=" + id:   "valid-managed-id-parameter",
			"action=attachment-remove":                    "valid-managed-id-parameter",
			"action=attachment-remove&managed-id=made-up": "valid-managed-id-parameter",
			"action=attachment-add&managed-id=" + next:    "valid-managed-id-parameter",
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
