package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// twoByCIP are two services that are each other's peers, without any mail.
func twoByCIP(t *testing.T, body string) (here, there *service) {
	var at [2]string
	for i := range at { // each needs the other's address before either listens
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		at[i] = l.Addr().String()
	}
	here = newService(t, "here.test", []string{"ann"}, "--cip-listen", at[0])
	there = newService(t, "there.test", []string{"dave"}, "--cip-listen", at[1])
	for i, s := range []*service{here, there} {
		domain := [2]string{"there.test", "here.test"}[i]
		text := peer(domain, at[1-i], "password", "between the two", "body", body)
		if err := os.WriteFile(filepath.Join(s.data, "convene.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return here, there
}

// A meeting between two services by CIP alone, and the busy time of somebody
// elsewhere in the web form and for calendar clients.
func TestMeetingByCIP(t *testing.T) {
	here, there := twoByCIP(t, "vcal10")
	here.start()
	there.start()
	const uid = "A5F2-by-cip"
	text := event(uid, "DTSTART:20290401T100000Z\nDTEND:20290401T110000Z\nSUMMARY:Across\nORGANIZER:mailto:ann@here.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@here.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@there.test")
	here.expect(201, here.do("ann", "PUT", "/dav/calendars/ann/default/1.ics", text, "Content-Type", "text/calendar"))
	there.has("dave", uid, "SUMMARY:Across")
	there.answer("dave", uid, "ACCEPTED")
	here.has("ann", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@")
	here.has("ann", uid, "ATTENDEE", "SCHEDULE-STATUS=2.0", "dave@") // it was answered
	for _, s := range []*service{here, there} {
		for _, m := range s.messages("--uid", uid) {
			if m.Transport != "cip" || m.State != "delivered" && m.State != "applied" {
				t.Errorf("journal: %+v", m)
			}
		}
	}

	ask := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:q\nDTSTAMP:20270101T000000Z\nDTSTART:20290401T000000Z\nDTEND:20290402T000000Z\nORGANIZER:mailto:ann@here.test\nATTENDEE:mailto:dave@there.test\nATTENDEE:mailto:ghost@there.test\nEND:VFREEBUSY\nEND:VCALENDAR\n"
	r := here.expect(200, here.do("ann", "POST", "/dav/calendars/ann/outbox/", strings.ReplaceAll(ask, "\n", "\r\n"), "Content-Type", "text/calendar"))
	if !strings.Contains(r.body, "20290401T100000Z/20290401T110000Z") || !strings.Contains(r.body, "3.7") {
		t.Errorf("the outbox answers %s", r.body)
	}

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if in, err := browser.PostForm("http://"+here.http+"/sign-in", url.Values{"login": {"ann"}, "password": {"ann"}}); err != nil || in.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign in: %v %v", in, err)
	}
	resp, err := browser.Post("http://"+here.http+"/api/freebusy", "application/json", strings.NewReader(`{"addresses":["dave@there.test"],"from":"2029-04-01","to":"2029-04-02","zone":"UTC","uid":""}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	var busy []struct {
		Known   bool
		Periods []struct{ Start, End string }
	}
	if err := json.Unmarshal(answer, &busy); err != nil || len(busy) != 1 || !busy[0].Known || len(busy[0].Periods) != 1 || !strings.HasPrefix(busy[0].Periods[0].Start, "2029-04-01T10:00") {
		t.Errorf("the web form: %s (%v)", answer, err)
	}
}

// The other service is killed in the middle of what it is sent, and comes back.
func TestCIPSurvivesKills(t *testing.T) {
	here, there := twoByCIP(t, "ical20")
	here.start()
	there.start()
	const meetings = 60
	for i := range meetings {
		uid := fmt.Sprintf("kill-%d@here.test", i)
		text := event(uid, fmt.Sprintf("DTSTART:20290401T%02d%02d00Z\nSUMMARY:Across\nORGANIZER:mailto:ann@here.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@here.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@there.test", i/60, i%60))
		here.expect(201, here.do("ann", "PUT", fmt.Sprintf("/dav/calendars/ann/default/%d.ics", i), text, "Content-Type", "text/calendar"))
		if i%20 == 10 {
			there.kill()
			there.start()
		}
	}
	for _, m := range here.messages("--state", "due") {
		here.run(0, "message", "retry", m.ID) // without waiting a minute
	}
	eventually(t, "all are there once", func() (bool, string) {
		n := strings.Count(there.do("dave", "PROPFIND", "/dav/calendars/dave/default/", "", "Depth", "1").body, ".ics</")
		in := strings.Count(there.do("dave", "PROPFIND", "/dav/calendars/dave/inbox/", "", "Depth", "1").body, ".ics</")
		if n < meetings {
			for _, m := range here.messages("--state", "due") {
				here.run(0, "message", "retry", m.ID)
			}
		}
		return n == meetings && in == meetings, fmt.Sprint(n, " events, ", in, " invitations")
	})
}

// run is a command beside the service that may be refused, as when the message
// has gone meanwhile; any other status than 0, 1 or the one named fails.
func (s *service) run(status int, args ...string) {
	s.t.Helper()
	_, errs, got := run(s.t, "", append(args, "--data", s.data)...)
	if got != status && got != 1 {
		s.t.Errorf("convene %s: %d %s", strings.Join(args, " "), got, errs)
	}
}
