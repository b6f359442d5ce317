package davserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// share grants privileges of ann's calendar to bob by ACL, none when there are none.
func (h *house) share(privileges ...string) {
	h.t.Helper()
	ace := ""
	for _, p := range privileges {
		ace += "<privilege><" + p + "/></privilege>"
	}
	if ace != "" {
		ace = `<ace><principal><href>/dav/principals/bob/</href></principal><grant>` + ace + `</grant></ace>`
	}
	h.as("ann", "ACL", ann, "", `<acl`+ns+`>`+ace+`</acl>`).is(200)
}

// syncHome gives the answer to a synchronisation of a home and the next token.
func (h *house) syncHome(name, token string) (*answer, string) {
	h.t.Helper()
	a := h.as(name, "REPORT", "/dav/calendars/"+name+"/", "", `<sync-collection`+ns+`><sync-token>`+token+`</sync-token><sync-level>1</sync-level><prop><resourcetype/></prop></sync-collection>`).is(207)
	return a, a.find(`<d:sync-token>([^<]*)</d:sync-token>`)
}

const ring = "\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT%dM\nDESCRIPTION:x\nEND:VALARM"

// A calendar that others share is among one's own, with a name, a colour and
// alarms of one's own, and goes when it is taken back; on both databases.
func TestMountedCalendars(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one+fmt.Sprintf(ring, 10)))
		h.put("ann", ann+"secret.ics", event("secret", "CLASS:CONFIDENTIAL\nLOCATION:Clinic\n"+one))
		_, token := h.syncHome("bob", "")
		h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("displayname")).is(207).lacks("shared-")

		h.share("read", "write")
		home := h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("displayname", "owner", "schedule-calendar-transp xmlns='urn:ietf:params:xml:ns:caldav'"))
		work := home.find(`<d:href>(/dav/calendars/bob/shared-[0-9-]+/)</d:href>`)
		home.has("<d:owner><d:href>/dav/principals/ann/</d:href></d:owner>", "<c:transparent/>")
		told, token := h.syncHome("bob", token)
		told.has(work, "<c:calendar/>")

		// A name and colour of one's own; the owner keeps theirs.
		h.as("bob", "PROPPATCH", work, "", `<propertyupdate`+ns+`><set><prop><displayname>Ann at work</displayname><I:calendar-color>#123456</I:calendar-color><x:y xmlns:x="u:x">z</x:y></prop></set></propertyupdate>`).is(207).lacks("403", "424")
		h.as("bob", "PROPFIND", work, "Depth: 0", props("displayname", "I:calendar-color", "y xmlns='u:x'")).has("Ann at work", "#123456", ">z<")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("displayname", "I:calendar-color", "y xmlns='u:x'")).lacks("Ann at work", "#123456", ">z<")

		// The owner's alarm does not ring at bob's, what is classified is busy time, and tags differ.
		if h.etag("ann", ann+"1.ics") == h.etag("bob", work+"1.ics") {
			t.Error("two texts of one event have one entity tag")
		}
		// A digest of what is classified would let bob try what it may be.
		if whole := strings.Trim(h.etag("ann", ann+"secret.ics"), `"`); strings.Contains(h.etag("bob", work+"secret.ics"), whole) {
			t.Error("a reader's entity tag is a digest of what they may not see")
		}
		h.as("bob", "GET", work+"1.ics", "", "").lacks("VALARM")
		h.as("bob", "GET", work+"secret.ics", "", "").has("SUMMARY:Busy").lacks("Clinic")
		h.as("bob", "REPORT", work, "Depth: 1", `<C:calendar-query`+ns+`><prop><getetag/><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`).
			has(work+"1.ics", "SUMMARY:Busy").lacks("VALARM", "Clinic")
		h.as("bob", "PUT", work+"secret.ics", calendarHead, event("secret", one)).is(403)

		// Bob's alarm is bob's; the rest of what he writes is everyone's.
		tag := h.etag("bob", work+"1.ics")
		anns := h.etag("ann", ann+"1.ics")
		h.as("bob", "PUT", work+"1.ics", calendarHead+"\nIf-Match: "+tag, event("1", one+fmt.Sprintf(ring, 5))).is(204)
		h.as("bob", "PUT", work+"1.ics", calendarHead+"\nIf-Match: "+tag, event("1", one)).is(412)
		if h.etag("ann", ann+"1.ics") != anns {
			t.Error("another's alarm changed the owner's event")
		}
		h.as("bob", "GET", work+"1.ics", "", "").has("TRIGGER:-PT5M").lacks("PT10M")
		h.as("bob", "PUT", work+"1.ics", calendarHead, event("1", strings.Replace(one, "One", "Two", 1)+"\nTRANSP:TRANSPARENT"+fmt.Sprintf(ring, 5))).is(204)
		h.as("ann", "GET", ann+"1.ics", "", "").has("SUMMARY:Two", "TRIGGER:-PT10M").lacks("PT5M", "TRANSPARENT")
		h.as("bob", "GET", work+"1.ics", "", "").has("SUMMARY:Two", "TRIGGER:-PT5M", "TRANSPARENT").lacks("PT10M")
		h.as("bob", "REPORT", work, "", `<C:calendar-multiget`+ns+`><prop><getetag/></prop><href>`+work+`1.ics</href></C:calendar-multiget>`).has(h.etag("bob", work+"1.ics")[1:10])
		told, token = h.syncHome("bob", token)
		told.has(work) // something in it changed

		// A lock is on the event, whoever's path leads there.
		lock := h.as("bob", "LOCK", work+"1.ics", "Depth: 0", lockinfo).is(200).token()
		h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", one)).is(423)
		h.as("bob", "PUT", work+"1.ics", "If: (<"+lock+">)", event("1", one)).is(204)
		h.as("bob", "UNLOCK", work+"1.ics", "Lock-Token: <"+lock+">", "").is(204)

		// Taken back: gone from every list, and the home's log says so.
		h.share()
		told, token = h.syncHome("bob", token)
		told.has("<d:href>" + work + "</d:href><d:status>HTTP/1.1 404 Not Found</d:status>")
		h.as("bob", "GET", work+"1.ics", "", "").is(404)
		h.as("bob", "PROPFIND", work, "Depth: 1", "").is(404)
		h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("displayname")).lacks("shared-")

		// Taken off the list by bob himself.
		h.share("read")
		told, token = h.syncHome("bob", token)
		told.has(work, "<c:calendar/>")
		h.as("bob", "DELETE", work, "", "").is(204)
		told, _ = h.syncHome("bob", token)
		told.has("404 Not Found")
		h.as("bob", "PROPFIND", work, "Depth: 0", "").is(404)
		h.as("ann", "GET", ann+"1.ics", "", "").is(200)
	})
}

// Who acts for the owner sees what is classified; a team changes what the
// calendar is said to be; neither shares it on.
func TestKindsOfSharing(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"secret.ics", event("secret", "CLASS:PRIVATE\nLOCATION:Clinic\n"+one))
	describe := `<propertyupdate` + ns + `><set><prop><C:calendar-description>ours</C:calendar-description></prop></set></propertyupdate>`
	for _, c := range []struct {
		what         string
		privileges   []string
		reads, edits bool
	}{
		{"reading", []string{"read"}, false, false},
		{"writing", []string{"read", "write"}, false, false},
		{"team", []string{"read", "write", "write-properties"}, false, true},
		{"secretary", []string{"read", "write", "read-acl"}, true, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			h.share(c.privileges...)
			if got := strings.Contains(h.as("bob", "GET", ann+"secret.ics", "", "").is(200).body, "Clinic"); got != c.reads {
				t.Errorf("sees what is private: %v", got)
			}
			if got := h.as("bob", "PROPPATCH", ann, "", describe).status == 207; got != c.edits {
				t.Errorf("describes the calendar: %v", got)
			}
			h.as("bob", "ACL", ann, "", `<acl`+ns+`/>`).is(403)
		})
	}
}

// Nothing of a classified event but its time comes out on any path, nor does a
// filter find it by what is hidden.
func TestClassifiedOnEveryPath(t *testing.T) {
	h := openOn(t, storetest.SQLite(t), davserver.Limits{}, "ann", "bob")
	for i, cls := range []string{"CLASS:PRIVATE", "class:confidential", "CLA\r\n SS:PRIVATE", "X-CALENDARSERVER-ACCESS:RESTRICTED", "CLASS;X-A=\"a:b\":PRIVATE"} {
		n := fmt.Sprintf("c%d", i)
		text := event(n, cls+"\nLOCATION:Clinic\nDESCRIPTION:secretword\nCATEGORIES:hush\nRRULE:FREQ=DAILY;COUNT=3\nATTENDEE;CN=Hidden:mailto:bob@example.test\nORGANIZER:mailto:ann@example.test\nBEGIN:VALARM\nACTION:EMAIL\nATTENDEE:mailto:hush@x.test\nSUMMARY:hush\nDESCRIPTION:hush\nTRIGGER:-PT5M\nEND:VALARM\n"+strings.Replace(one, "One", "Surgery", 1))
		text = strings.Replace(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"), "BEGIN:VEVENT", "NAME:hushname\r\nX-WR-CALNAME:hushcal\r\nBEGIN:VEVENT", 1)
		h.put("ann", ann+n+".ics", text)
	}
	h.share("read")
	home := h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("displayname"))
	work := home.find(`<d:href>(/dav/calendars/bob/shared-[0-9-]+/)</d:href>`)
	for _, base := range []string{work, ann} {
		list := h.as("bob", "PROPFIND", base, "Depth: 1", `<propfind`+ns+`><allprop/></propfind>`)
		bad := func(a *answer) {
			for _, w := range []string{"Clinic", "secretword", "hush", "Surgery", "Hidden"} {
				if strings.Contains(a.body, w) {
					i := strings.Index(a.body, w)
					t.Errorf("%s leaks %s: …%s…", a.what, w, a.body[max(0, i-200):min(len(a.body), i+60)])
				}
			}
		}
		bad(list)
		bad(h.as("bob", "GET", base, "", ""))
		q := func(filter string) *answer {
			return h.as("bob", "REPORT", base, "Depth: 1", `<C:calendar-query`+ns+`><prop><getetag/><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR">`+filter+`</C:comp-filter></C:filter></C:calendar-query>`)
		}
		bad(q(""))
		bad(h.as("bob", "REPORT", base, "Depth: 1", `<C:calendar-query`+ns+`><prop><C:calendar-data><C:expand start="20260101T000000Z" end="20270101T000000Z"/></C:calendar-data></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`))
		bad(h.as("bob", "REPORT", base, "Depth: 1", `<sync-collection`+ns+`><sync-token/><sync-level>1</sync-level><prop><C:calendar-data/></prop></sync-collection>`))
		bad(h.as("bob", "REPORT", base, "Depth: 1", `<C:free-busy-query`+ns+`><C:time-range start="20260101T000000Z" end="20270101T000000Z"/></C:free-busy-query>`))
		for _, f := range []string{
			`<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match>Surgery</C:text-match></C:prop-filter></C:comp-filter>`,
			`<C:comp-filter name="VEVENT"><C:prop-filter name="LOCATION"/></C:comp-filter>`,
			`<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"/></C:comp-filter>`,
			`<C:comp-filter name="VEVENT"><C:prop-filter name="ATTENDEE"><C:text-match>bob</C:text-match></C:prop-filter></C:comp-filter>`,
			`<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"><C:time-range start="20260101T000000Z" end="20270101T000000Z"/></C:comp-filter></C:comp-filter>`,
		} {
			if a := q(f); strings.Contains(a.body, ".ics</") {
				t.Errorf("oracle: %s finds it\n%s", f, a.body[:min(900, len(a.body))])
			}
		}
		for _, m := range []string{"PUT", "DELETE", "PROPPATCH"} {
			if a := h.as("bob", m, base+"c0.ics", calendarHead, event("x", one)); a.status < 400 {
				t.Errorf("bob may %s: %d", m, a.status)
			}
		}
	}
}

// RFC 5545 3.8.1.3: an owner may want that others do not see at all what is
// private; on every way to it, and when that changes clients hear of it.
func TestHiddenEvents(t *testing.T) {
	h := open(t, "ann", "bob", "eve")
	h.put("ann", ann+"open.ics", event("open", one))
	h.put("ann", ann+"secret.ics", event("secret", "CLASS:PRIVATE\nLOCATION:Clinic\n"+one))
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege><privilege><write/></privilege></grant></ace></acl>`).is(200)
	feed := h.as("ann", "POST", ann, "Content-Type: application/xml", `<CS:publish-calendar`+ns+`/>`).is(200).find(`https://cal.example.test(/feeds/[^<]+)`)
	token := func() string {
		return h.as("bob", "REPORT", ann, "", syncBody("", "")).is(207).find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`)
	}
	before := token()
	hide := func(yes bool) {
		t.Helper()
		if err := h.svc.SetPreferences(t.Context(), h.actor("ann"), h.people["ann"].ID, calendar.Preferences{HidePrivate: yes}); err != nil {
			t.Fatal(err)
		}
	}
	everywhere := func() map[string]string {
		return map[string]string{
			"PROPFIND": h.as("bob", "PROPFIND", ann, "Depth: 1", props("getetag")).is(207).body,
			"sync":     h.as("bob", "REPORT", ann, "", syncBody("", "")).is(207).body,
			"limited":  h.as("bob", "REPORT", ann, "", syncBody("", "50")).is(207).body,
			"query":    h.as("bob", "REPORT", ann, "Depth: 1", query("")).is(207).body,
			"range":    h.as("bob", "REPORT", ann, "Depth: 1", query(`<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>`)).is(207).body,
			"export":   h.as("bob", "GET", ann, "", "").is(200).body,
			"feed":     h.as("", "GET", feed, "", "").is(200).body,
		}
	}
	for way, text := range everywhere() {
		if !strings.Contains(text, "secret") || strings.Contains(text, "Clinic") {
			t.Errorf("%s does not show it as busy:\n%s", way, clip(text))
		}
	}
	hide(true)
	for way, text := range everywhere() {
		if strings.Contains(text, "secret") || !strings.Contains(text, "open") {
			t.Errorf("%s shows what is hidden:\n%s", way, clip(text))
		}
	}
	h.as("bob", "GET", ann+"secret.ics", "", "").is(404)
	h.as("bob", "PROPFIND", ann+"secret.ics", "Depth: 0", "").is(404)
	h.as("bob", "DELETE", ann+"secret.ics", "", "").is(404)
	h.as("bob", "COPY", ann+"secret.ics", "Destination: "+bob+"x.ics", "").is(404)
	h.as("bob", "PUT", ann+"secret.ics", calendarHead, event("secret", one)).is(403)
	h.as("bob", "REPORT", ann, "", multiget("<C:calendar-data/>", ann+"secret.ics")).is(207).has("404 Not Found").lacks("UID:secret")
	h.as("bob", "REPORT", ann, "", syncBody(before, "")).is(207).has("secret.ics</d:href><d:status>HTTP/1.1 404")
	h.as("ann", "GET", ann+"secret.ics", "", "").is(200).has("Clinic")
	// The time is taken nonetheless.
	h.as("eve", "POST", "/dav/calendars/eve/outbox/", calendarHead, freeBusyAsk("DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:eve@example.test\nATTENDEE:mailto:ann@example.test")).is(200).has("20260310T100000Z/")
	// What becomes private goes, what becomes public comes.
	now := token()
	h.as("ann", "PUT", ann+"open.ics", calendarHead, event("open", "CLASS:CONFIDENTIAL\n"+one)).is(204)
	h.as("ann", "PUT", ann+"secret.ics", calendarHead, event("secret", one)).is(204)
	h.as("bob", "REPORT", ann, "", syncBody(now, "")).is(207).has("open.ics</d:href><d:status>HTTP/1.1 404", "secret.ics</d:href><d:propstat>")
	now = token()
	hide(false)
	h.as("bob", "REPORT", ann, "", syncBody(now, "")).is(207).has("open.ics</d:href><d:propstat>").lacks("404 Not Found")
}

// An account that is disabled publishes nothing and has nothing fetched.
func TestDisabledAccountsPublishNothing(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	feed := h.as("ann", "POST", ann, "Content-Type: application/xml", `<CS:publish-calendar`+ns+`/>`).is(200).find(`https://cal.example.test(/feeds/[^<]+)`)
	if _, err := h.svc.Subscribe(t.Context(), calendar.SubscribeRequest{By: h.actor("ann"), Name: "holidays", Owner: h.people["ann"].ID, URL: "https://holidays.example.net/x.ics"}); err != nil {
		t.Fatal(err)
	}
	due := func() int {
		t.Helper()
		h.later(time.Hour)
		list, err := h.svc.ClaimSubscriptions(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	set := func(disabled bool) {
		t.Helper()
		if err := h.who.Disable(t.Context(), h.people["ann"].ID, disabled); err != nil {
			t.Fatal(err)
		}
	}
	if due() != 1 {
		t.Fatal("the subscription is not due")
	}
	set(true)
	h.as("", "GET", feed, "", "").is(404)
	if due() != 0 {
		t.Error("something is fetched for a disabled account")
	}
	set(false)
	h.as("", "GET", feed, "", "").is(200)
	if due() != 1 {
		t.Error("nothing is fetched for an account that is enabled again")
	}
}
