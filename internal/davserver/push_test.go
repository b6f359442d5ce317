package davserver_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
)

// pusher takes what it is given; package push is tested with real keys.
type pusher struct{}

func (pusher) PublicKey() string { return "BKey" }
func (pusher) Secrets(key, auth string) (string, error) {
	if key == "bad" {
		return "", errors.New("the public key is none")
	}
	return key + " " + auth, nil
}
func (pusher) Check(resource string) error {
	if !strings.HasPrefix(resource, "https://") {
		return errors.New("push messages go over https alone")
	}
	return nil
}

const nsPush = ` xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"`

func register(resource, trigger, more string) string {
	return `<push-register` + nsPush + `><subscription><web-push-subscription><push-resource>` + resource + `</push-resource><content-encoding>aes128gcm</content-encoding>` +
		`<subscription-public-key type="p256dh">BMine</subscription-public-key><auth-secret>secret</auth-secret></web-push-subscription></subscription><trigger>` + trigger + `</trigger>` + more + `</push-register>`
}

const (
	contentTrigger  = "<content-update><D:depth>1</D:depth></content-update>"
	propertyTrigger = "<property-update><D:depth>0</D:depth><D:prop><D:displayname/></D:prop></property-update>"
	xmlBody         = "Content-Type: application/xml"
)

func openPush(t *testing.T) *house {
	h := openOn(t, storetest.SQLite(t), davserver.Limits{}, "ann", "bob")
	h.options.Push = pusher{}
	h.handler = davserver.New(h.options)
	return h
}

func pushProps() string {
	return `<propfind xmlns="DAV:" xmlns:P="https://bitfire.at/webdav-push"><prop><P:transports/><P:topic/><P:supported-triggers/></prop></propfind>`
}

func TestPushProperties(t *testing.T) {
	off := open(t, "ann")
	if d := off.as("ann", "OPTIONS", ann, "", "").header.Get("DAV"); strings.Contains(d, "push") {
		t.Errorf("DAV without push: %s", d)
	}
	off.as("ann", "PROPFIND", ann, "Depth: 0", pushProps()).is(207).lacks("200 OK")
	off.as("ann", "POST", ann, xmlBody, register("https://push.example.net/1", contentTrigger, "")).is(403).has("push-not-available")
	off.as("ann", "DELETE", "/dav/push/AAAA", "", "").is(404)

	h := openPush(t)
	if d := h.as("ann", "OPTIONS", ann, "", "").header.Get("DAV"); !strings.Contains(d, "webdav-push") {
		t.Errorf("DAV with push: %s", d)
	}
	a := h.as("ann", "PROPFIND", ann, "Depth: 0", pushProps()).is(207).lacks("404").has(`type="p256ecdsa">BKey<`, "<d:depth>1</d:depth>", "<d:depth>0</d:depth>")
	topic := a.find(`topic[^>]*>([^<]+)<`)
	h.as("ann", "PROPFIND", "/dav/calendars/ann/tasks/", "Depth: 0", pushProps()).lacks(topic)
	for _, path := range []string{"/dav/calendars/ann/", annBox} {
		h.as("ann", "PROPFIND", path, "Depth: 0", pushProps()).is(207).lacks("404").has("content-update").lacks("property-update")
	}
	h.put("ann", ann+"1.ics", event("1", one))
	for _, path := range []string{ann + "1.ics", "/dav/principals/ann/", "/dav/calendars/ann/outbox/", "/dav/"} {
		h.as("ann", "PROPFIND", path, "Depth: 0", pushProps()).is(207).lacks("200 OK")
	}
	h.as("ann", "PROPFIND", ann, "Depth: 0", "").is(207).lacks("BKey")
	// Whatever the address, one topic.
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	h.as("bob", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", pushProps()).is(207).has(topic)
}

func TestPushSubscriptions(t *testing.T) {
	h := openPush(t)
	post := func(who, path, body string) *answer { return h.as(who, "POST", path, xmlBody, body) }
	const at = "https://push.example.net/1"
	first := post("ann", ann, register(at, contentTrigger+propertyTrigger, "")).is(204)
	where := first.header.Get("Location")
	if !strings.HasPrefix(where, "https://cal.example.test/dav/push/") {
		t.Fatalf("Location: %s", where)
	}
	until, err := http.ParseTime(first.header.Get("Expires"))
	if err != nil || until.Before(h.clock().Add(3*24*time.Hour)) {
		t.Errorf("Expires: %s", first.header.Get("Expires"))
	}
	asked := h.clock().Add(48 * time.Hour).UTC().Format(http.TimeFormat)
	again := post("ann", ann, register(at, contentTrigger, "<expires>"+asked+"</expires>")).is(204)
	if again.header.Get("Location") != where || again.header.Get("Expires") != asked {
		t.Errorf("renewed: %s until %s", again.header.Get("Location"), again.header.Get("Expires"))
	}
	if other := post("ann", "/dav/calendars/ann/tasks/", register(at, contentTrigger, "")).is(204).header.Get("Location"); other == where {
		t.Error("one registration for two calendars")
	}
	post("ann", "/dav/calendars/ann/", register(at, contentTrigger, "")).is(204)
	post("ann", annBox, register(at, contentTrigger, "")).is(204)

	const bad = `<x:invalid-subscription xmlns:x="https://bitfire.at/webdav-push"/>`
	post("ann", ann, register("http://push.example.net/1", contentTrigger, "")).is(403).has(bad, "<d:responsedescription>")
	post("ann", ann, strings.Replace(register(at, contentTrigger, ""), "BMine", "bad", 1)).is(403).has(bad)
	post("ann", ann, strings.Replace(register(at, contentTrigger, ""), "aes128gcm", "aesgcm", 1)).is(403).has(bad)
	post("ann", ann, strings.Replace(register(at, contentTrigger, ""), "p256dh", "rsa", 1)).is(403).has(bad)
	post("ann", ann, `<push-register`+nsPush+`><trigger>`+contentTrigger+`</trigger></push-register>`).is(403).has(bad)
	post("ann", ann, register(at, "", "")).is(403).has("no-supported-trigger")
	post("ann", ann, register(at, "<x/>", "")).is(403).has("no-supported-trigger")
	post("ann", annBox, register(at, propertyTrigger, "")).is(403).has("no-supported-trigger")
	post("ann", ann, register(at, contentTrigger, "<expires>tomorrow</expires>")).is(400)
	post("ann", "/dav/calendars/ann/outbox/", register(at, contentTrigger, "")).is(403).has("push-not-available")
	post("bob", ann, register(at, contentTrigger, "")).is(404)
	post("bob", "/dav/calendars/ann/", register(at, contentTrigger, "")).is(403)
	post("", ann, register(at, contentTrigger, "")).is(401)

	path := strings.TrimPrefix(where, "https://cal.example.test")
	h.as("bob", "DELETE", path, "", "").is(404)
	h.as("", "DELETE", path, "", "").is(401)
	h.as("ann", "GET", path, "", "").is(405).head("Allow", "DELETE")
	h.as("ann", "DELETE", path, "", "").is(204)
	h.as("ann", "DELETE", path, "", "").is(404)
}

// Who is told: all but those who asked not to be.
func TestPushMessages(t *testing.T) {
	h := openPush(t)
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	mine := h.as("ann", "POST", ann, xmlBody, register("https://push.example.net/ann", contentTrigger+propertyTrigger, "")).is(204).header.Get("Location")
	bobs := h.as("bob", "POST", ann, xmlBody, register("https://push.example.net/bob", contentTrigger, "")).is(204).header.Get("Location")
	told := func(want ...string) []calendar.PushMessage {
		t.Helper()
		h.later(time.Minute)
		list, err := h.svc.ClaimPush(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range list {
			got = append(got, strings.TrimPrefix(m.Resource, "https://push.example.net/"))
			if err := h.svc.PushDone(t.Context(), m, calendar.PushOutcome{Told: true}); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(want) || strings.Count(strings.Join(got, " "), want0(want)) == 0 && len(want) > 0 {
			t.Errorf("told %v, want %v", got, want)
		}
		return list
	}
	told()
	h.put("ann", ann+"1.ics", event("1", one))
	list := told("ann", "bob")
	token := h.as("ann", "PROPFIND", ann, "Depth: 0", props("sync-token")).find(`sync-token>([^<]+)<`)
	if len(list) > 0 && list[0].SyncToken != token {
		t.Errorf("sync token %s, want %s", list[0].SyncToken, token)
	}
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nPush-Dont-Notify: \""+mine+"\"", event("1", one+"\nLOCATION:A")).is(204)
	told("bob")
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nPush-Dont-Notify: *", event("1", one+"\nLOCATION:B")).is(204)
	told()
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nPush-Dont-Notify: \""+bobs+"\", x, \"\", \"https://evil.test/dav/push/a\"", event("1", one+"\nLOCATION:C")).is(204)
	told("ann", "bob") // another's registration is not one's own to silence
	h.as("ann", "PROPPATCH", ann, "", "<propertyupdate xmlns='DAV:'><set><prop><displayname>New</displayname></prop></set></propertyupdate>").is(207)
	told("ann")
	h.as("ann", "PROPPATCH", ann, "Push-Dont-Notify: \""+mine+"\"", "<propertyupdate xmlns='DAV:'><set><prop><displayname>Newer</displayname></prop></set></propertyupdate>").is(207)
	told()
	// What waits is told although a later change is one's own.
	h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", one+"\nLOCATION:D")).is(204)
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nPush-Dont-Notify: \""+mine+"\"", event("1", one+"\nLOCATION:E")).is(204)
	told("ann", "bob")
	// Somebody else who writes there keeps it from nobody.
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege><privilege><write/></privilege></grant></ace></acl>`).is(200)
	h.as("bob", "PUT", ann+"1.ics", calendarHead+"\nPush-Dont-Notify: *", event("1", one+"\nLOCATION:Elsewhere")).is(204)
	told("ann")
	// Who may not read any more is told that it is gone, and nothing else afterwards.
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"/>`).is(200)
	h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", one+"\nLOCATION:F")).is(204)
	for _, m := range told("ann", "bob") {
		if strings.HasSuffix(m.Resource, "bob") && m.SyncToken != "" {
			t.Errorf("bob is told the state %s", m.SyncToken)
		}
	}
	h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", one+"\nLOCATION:G")).is(204)
	told("ann")
}

func want0(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
