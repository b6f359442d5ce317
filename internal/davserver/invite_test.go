package davserver_test

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

const xmlHead = "Content-Type: application/xml; charset=utf-8"

// An owner invites, the invited answers, both see what became of it, and it is
// taken back: CalendarServer's sharing, on both databases.
func TestSharingByInvitation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one))
		invite := func(set string) *answer {
			return h.as("ann", "POST", ann, xmlHead, `<CS:share`+ns+`>`+set+`</CS:share>`)
		}
		notes := "/dav/calendars/bob/notification/"
		h.as("bob", "PROPFIND", "/dav/principals/bob/", "Depth: 0", props("CS:notification-URL")).has("<d:href>" + notes + "</d:href>")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:allowed-sharing-modes", "CS:invite")).has("<cs:can-be-shared/>", "<cs:invite/>")
		invite(`<CS:set><href>mailto:nobody@example.test</href><CS:read/></CS:set>`).is(403)
		invite(`<CS:set><href>mailto:bob@example.test</href></CS:set>`).is(400)
		invite(`<CS:set><href>mailto:bob@example.test</href><CS:common-name>Bob</CS:common-name><CS:summary>Ann's plans</CS:summary><CS:read-write/></CS:set>`).is(200)
		h.as("bob", "POST", ann, xmlHead, `<CS:share`+ns+`><CS:remove><href>mailto:bob@example.test</href></CS:remove></CS:share>`).is(403)

		// Nothing is among bob's calendars before he says so.
		h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("resourcetype")).has("<cs:notification/>").lacks("shared-")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("resourcetype", "CS:invite")).has("<cs:shared-owner/>", "<cs:invite-noresponse/>", "<cs:read-write/>", "mailto:bob@example.test")
		note := h.as("bob", "PROPFIND", notes, "Depth: 1", props("CS:notificationtype", "getetag", "getcontenttype")).is(207).has("<cs:invite-notification/>").find(`<d:href>(` + notes + `[^<]+)</d:href>`)
		told := h.as("bob", "GET", note, "", "").is(200).has("<cs:invite-notification shared-type=\"calendar\">", "<cs:summary>Ann's plans</cs:summary>", "<cs:hosturl><d:href>"+ann+"</d:href></cs:hosturl>", "mailto:ann@example.test")
		h.as("ann", "GET", note, "", "").is(404)
		reply := func(said string) *answer {
			return h.as("bob", "POST", "/dav/calendars/bob/", xmlHead, `<CS:invite-reply`+ns+`><href>mailto:bob@example.test</href><CS:`+said+`/><CS:hosturl><href>`+ann+`</href></CS:hosturl><CS:in-reply-to>`+told.find(`<cs:uid>([^<]+)`)+`</CS:in-reply-to></CS:invite-reply>`)
		}
		reply("invite-declined").is(200)
		h.as("bob", "GET", note, "", "").is(404)
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:invite")).has("<cs:invite-declined/>")
		mounted := reply("invite-accepted").is(200).find(`<cs:shared-as[^>]*><d:href>([^<]+)</d:href>`)
		h.as("bob", "PROPFIND", mounted, "Depth: 0", props("resourcetype", "displayname", "CS:shared-url", "CS:invite")).is(207).
			has("<cs:shared/>", "<c:calendar/>", "Ann's plans", "<cs:shared-url><d:href>"+ann+"</d:href>", "<cs:organizer>")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:invite", "acl")).has("<cs:invite-accepted/>", "<d:href>/dav/principals/bob/</d:href>")
		anns := "/dav/calendars/ann/notification/"
		answered := h.as("ann", "PROPFIND", anns, "Depth: 1", props("CS:notificationtype")).has("<cs:invite-reply/>")
		last := answered.body[strings.LastIndex(answered.body, "<d:href>"+anns)+len("<d:href>"):]
		last = last[:strings.IndexByte(last, '<')]
		h.as("ann", "GET", last, "", "").is(200).has("<cs:invite-accepted/>", "mailto:bob@example.test", told.find(`<cs:uid>([^<]+)`))
		h.as("ann", "DELETE", last, "", "").is(204)
		h.as("ann", "GET", last, "", "").is(404)

		// Another right, without asking again; then taken back.
		invite(`<CS:set><href>mailto:bob@example.test</href><CS:read/></CS:set>`).is(200)
		h.as("bob", "PUT", mounted+"2.ics", calendarHead, event("2", one)).is(403)
		h.as("bob", "GET", mounted+"1.ics", "", "").is(200)
		invite(`<CS:remove><href>mailto:bob@example.test</href></CS:remove>`).is(200)
		h.as("bob", "GET", mounted+"1.ics", "", "").is(404)
		note = h.as("bob", "PROPFIND", notes, "Depth: 1", "").find(`<d:href>(` + notes + `[^<]+)</d:href>`)
		h.as("bob", "GET", note, "", "").is(200).has("<cs:invite-deleted/>")
	})
}

// Who is a member of a proxy principal reads, or acts, in all of a home.
func TestProxies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob", "eve")
		h.put("ann", ann+"secret.ics", event("secret", "CLASS:PRIVATE\nLOCATION:Clinic\n"+one))
		members := func(who, which, hrefs string) *answer {
			return h.as(who, "PROPPATCH", "/dav/principals/ann/calendar-proxy-"+which+"/", "", `<propertyupdate`+ns+`><set><prop><group-member-set>`+hrefs+`</group-member-set></prop></set></propertyupdate>`)
		}
		h.as("bob", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", "").is(403)
		h.as("bob", "PROPFIND", "/dav/principals/ann/", "Depth: 1", props("resourcetype")).has("<cs:calendar-proxy-read/>", "<cs:calendar-proxy-write/>", "<d:principal/>")
		members("bob", "write", "<href>/dav/principals/bob/</href>").is(403)
		members("ann", "read", "<href>/dav/principals/bob/</href>").is(207).has("200 OK")
		members("ann", "read", "<href>/dav/principals/zoe/</href>").is(207).lacks("200 OK")
		h.as("bob", "PROPFIND", "/dav/principals/bob/", "Depth: 0", props("CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for", "group-membership")).
			has("<cs:calendar-proxy-read-for><d:href>/dav/principals/ann/</d:href>", "<cs:calendar-proxy-write-for/>", "<d:href>/dav/principals/ann/calendar-proxy-read/</d:href>")
		h.as("bob", "REPORT", "/dav/principals/bob/", "", `<expand-property`+ns+`><property name="calendar-proxy-read-for" namespace="http://calendarserver.org/ns/"><property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"/></property></expand-property>`).
			is(207).has("/dav/calendars/ann/")
		h.as("bob", "GET", ann+"secret.ics", "", "").is(200).lacks("Clinic")
		h.as("bob", "PUT", ann+"2.ics", calendarHead, event("2", one)).is(403)
		h.as("bob", "PROPFIND", "/dav/calendars/ann/inbox/", "Depth: 1", "").is(404)

		members("ann", "read", "").is(207)
		h.as("bob", "GET", ann+"secret.ics", "", "").is(404)
		members("ann", "write", "<href>/dav/principals/bob/</href>").is(207).has("200 OK")
		h.as("ann", "PROPFIND", "/dav/principals/ann/calendar-proxy-write/", "Depth: 0", props("group-member-set")).has("<d:href>/dav/principals/bob/</d:href>")
		h.as("eve", "PROPFIND", "/dav/principals/ann/calendar-proxy-write/", "Depth: 0", props("group-member-set")).lacks("bob")
		h.as("bob", "GET", ann+"secret.ics", "", "").is(200).has("Clinic")
		h.as("bob", "PUT", ann+"2.ics", calendarHead, event("2", one)).is(201)
		h.as("bob", "PROPFIND", "/dav/calendars/ann/inbox/", "Depth: 1", "").is(207)
		h.as("bob", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("C:schedule-outbox-URL")).has("/dav/calendars/ann/outbox/")
		h.as("bob", "POST", "/dav/calendars/ann/outbox/", calendarHead, crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:fb\nDTSTAMP:20260302T080000Z\nDTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:ann@example.test\nATTENDEE:mailto:eve@example.test\nEND:VFREEBUSY\nEND:VCALENDAR")).is(200).has("2.0")
		h.as("bob", "MKCALENDAR", "/dav/calendars/ann/by-bob/", "", "").is(201)
		h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("resourcetype")).lacks("shared-")
	})
}

// A published calendar is read by anyone who has its address, until it ends.
func TestFeeds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.put("ann", ann+"1.ics", event("1", one+"\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM"))
		h.put("ann", ann+"secret.ics", event("secret", "CLASS:PRIVATE\nLOCATION:Clinic\n"+one))
		h.as("bob", "POST", ann, xmlHead, `<CS:publish-calendar`+ns+`/>`).is(404)
		url := h.as("ann", "POST", ann, xmlHead, `<CS:publish-calendar`+ns+`/>`).is(200).find(`<d:href>https://cal.example.test(/feeds/[A-Z0-9]+\.ics)</d:href>`)
		whole := h.as("", "GET", url, "", "").is(200).has("SUMMARY:One", "SUMMARY:Busy", "REFRESH-INTERVAL;VALUE=DURATION:PT1H").lacks("Clinic", "VALARM").head("Content-Type", "text/calendar; charset=utf-8")
		tag := whole.header.Get("ETag")
		h.as("", "GET", url, "If-None-Match: "+tag, "").is(304)
		h.put("ann", ann+"2.ics", event("2", strings.Replace(one, "One", "Second", 1)))
		h.as("", "GET", url, "If-None-Match: "+tag, "").is(200).has("SUMMARY:Second")
		h.as("", "PUT", url, calendarHead, event("3", one)).is(405)
		h.as("", "GET", "/feeds/AAAA.ics", "", "").is(404)

		busy, err := h.svc.PublishFeed(t.Context(), h.actor("ann"), h.people["ann"].ID, "default", "busy", "for everyone")
		if err != nil {
			t.Fatal(err)
		}
		h.as("", "GET", "/feeds/"+busy.Token+".ics", "", "").is(200).has("SUMMARY:Busy", "DTSTART:20260310T100000Z").lacks("One", "Clinic")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:publish-url")).has(busy.Token)
		if err := h.svc.EndFeed(t.Context(), h.actor("ann"), h.people["ann"].ID, busy.ID); err != nil {
			t.Fatal(err)
		}
		h.as("", "GET", "/feeds/"+busy.Token+".ics", "", "").is(404)
		h.as("", "GET", url, "", "").is(200)
		h.as("ann", "POST", ann, xmlHead, `<CS:unpublish-calendar`+ns+`/>`).is(200)
		h.as("", "GET", url, "", "").is(404)
	})
}
