package e2e

import (
	"fmt"
	"regexp"
	"sync"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
)

// Two nodes serve one PostgreSQL database: what one stores the other shows,
// and each message goes out once, whichever courier takes it.
func TestTwoNodesOneDatabase(t *testing.T) {
	url := "CONVENE_STORE_URL=" + pg.Database(t)
	out := startRelay(t, "127.0.0.1:0", nil)
	relay := "smtp://" + out.addr + "?tls=none"
	one := newService(t, "example.test", []string{"alice", "bob"}, url, "--mail-relay", relay).start()
	two := newService(t, "example.test", nil, url, "--mail-relay", relay).start()
	nodes := []*service{one, two}
	const meetings = 40
	var wg sync.WaitGroup
	for n := range meetings {
		wg.Go(func() {
			uid := fmt.Sprintf("nodes-%d", n)
			text := event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:x\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:bob@example.test\nATTENDEE;RSVP=TRUE:mailto:guest@outside.test")
			r, err := nodes[n%2].try("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", text, "Content-Type", "text/calendar")
			if err != nil || r.status != 201 {
				t.Errorf("%s: %v %d %s", uid, err, r.status, r.body)
				return
			}
			if r, err := nodes[(n+1)%2].try("alice", "GET", "/dav/calendars/alice/default/"+uid+".ics", ""); err != nil || r.status != 200 {
				t.Errorf("the other node does not have %s: %v %d", uid, err, r.status)
			}
		})
	}
	wg.Wait()
	eventually(t, "every message went out", func() (bool, string) {
		n := len(one.messages("--state", "due"))
		return n == 0, fmt.Sprint(n, " due")
	})
	seen := map[string]int{}
	out.mu.Lock()
	for _, mail := range out.mails {
		seen[messageIDPattern.FindStringSubmatch(mail)[1]]++
	}
	out.mu.Unlock()
	if len(seen) != meetings {
		t.Errorf("%d meetings, %d different messages", meetings, len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s went out %d times", id, n)
		}
	}
	r := two.do("bob", "PROPFIND", "/dav/calendars/bob/default/", "", "Depth", "1")
	if n := len(regexp.MustCompile(`<d:href>[^<]*\.ics</d:href>`).FindAllString(r.body, -1)); n != meetings {
		t.Errorf("bob has %d of %d meetings", n, meetings)
	}
}
