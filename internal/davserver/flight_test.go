package davserver_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
)

// large is an event of about some octets, with characters of every length.
func large(uid string, octets int) string {
	var b strings.Builder
	for i := 0; b.Len() < octets; i++ {
		fmt.Fprintf(&b, "X-NOTE-%d:ein Wörtchen, € und 𝄞 & <%s>\n", i, strings.Repeat("ü", i%7))
	}
	return event(uid, one+"\n"+strings.TrimSpace(b.String()))
}

// A large object comes in parts, between its properties, as it is stored.
func TestLargeObjectsInReports(t *testing.T) {
	h := openSized(t, storetest.SQLite(t), davserver.Limits{}, 4<<20, "ann", "bob")
	text := large("1", 2<<20)
	h.put("ann", ann+"1.ics", text)
	h.put("ann", ann+"2.ics", event("2", one))
	h.put("ann", ann+"3.ics", large("3", 40<<10)) // too large to come along, small enough for one piece
	ask := `<prop><getetag/><C:calendar-data/><getcontenttype/></prop>`
	filter := `<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:comp-filter></C:comp-filter></C:filter>`
	for _, c := range []struct{ name, head, body string }{
		{"multiget", "", `<C:calendar-multiget` + ns + `>` + ask + `<href>` + ann + `1.ics</href><href>` + ann + `2.ics</href><href>` + ann + `3.ics</href></C:calendar-multiget>`},
		{"query", "Depth: 1", `<C:calendar-query` + ns + `>` + ask + filter + `</C:calendar-query>`},
		{"sync", "", `<sync-collection` + ns + `><sync-token/><sync-level>1</sync-level>` + ask + `</sync-collection>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.as("ann", "REPORT", ann, c.head, c.body).is(207)
			e, err := caldav.ParseElement([]byte(a.body), caldav.Limits{Size: 1 << 30})
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for r := range e.Elements() {
				if r.Child(caldav.D("href")) == nil {
					continue
				}
				prop := r.Child(caldav.D("propstat")).Child(caldav.D("prop"))
				data := prop.Child(caldav.C("calendar-data")).Text()
				if strings.HasSuffix(r.Child(caldav.D("href")).Text(), "/1.ics") && data != text {
					t.Errorf("the large object has %d octets, want %d", len(data), len(text))
				}
				if !strings.HasPrefix(data, "BEGIN:VCALENDAR") || !strings.HasSuffix(data, "END:VCALENDAR\r\n") || prop.Child(caldav.D("getetag")).Text() == "" || prop.Child(caldav.D("getcontenttype")).Text() == "" {
					t.Errorf("a response lacks something: %.200s", data)
				}
				found++
			}
			if found != 3 {
				t.Errorf("%d of 3 objects", found)
			}
		})
	}
	h.as("ann", "REPORT", ann, "Depth: 1", `<C:calendar-query`+ns+`><prop><C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="UID"/></C:comp></C:comp></C:calendar-data></prop>`+filter+`</C:calendar-query>`).is(207).has("UID:1").lacks("X-NOTE")
	if got := h.as("ann", "GET", ann+"1.ics", "", "").is(200).body; got != text {
		t.Error("GET gives something else")
	}
	if got := h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nIf-None-Match: *\nPrefer: return=representation", text).is(412).body; got != text {
		t.Error("a refused PUT does not give what is there")
	}
}

// stuck is a client that takes nothing once it has begun.
type stuck struct {
	header http.Header
	began  chan<- struct{}
	end    <-chan struct{}
	told   bool
}

func (s *stuck) Header() http.Header { return s.header }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Write(b []byte) (int, error) {
	if !s.told {
		s.told = true
		s.began <- struct{}{}
	}
	<-s.end
	return 0, http.ErrHandlerTimeout
}

// Clients that do not read hold little memory, whatever they asked for.
func TestSlowReadersHoldLittle(t *testing.T) {
	h := openSized(t, storetest.SQLite(t), davserver.Limits{}, 10<<20, "ann")
	const readers, size = 16, 8 << 20
	h.put("ann", ann+"1.ics", event("1", one+"\n"+strings.Repeat("X-NOTE:"+strings.Repeat("0123456789", 6)+"\n", size/69)))
	body := `<C:calendar-multiget` + ns + `><prop><getetag/><C:calendar-data/></prop><href>` + ann + `1.ics</href></C:calendar-multiget>`
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools kept goes with the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, c := range []struct{ method, path, body string }{{"GET", ann + "1.ics", ""}, {"REPORT", ann, body}} {
		before := heap()
		began, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		for range readers {
			r := httptest.NewRequest(c.method, "http://cal.example.test"+c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ann:"+password)))
			go func() {
				defer func() { recover(); done <- struct{}{} }() // an answer that breaks off is a panic
				h.handler.ServeHTTP(&stuck{header: http.Header{}, began: began, end: end}, r)
			}()
		}
		for range readers {
			<-began
		}
		held := int64(heap()) - int64(before)
		close(end)
		for range readers {
			<-done
		}
		// The spool, a part and what is made of it: 2 MB for each, not the 8 MB of the object.
		if held > readers*2<<20 {
			t.Errorf("%s: %d clients that do not read hold %d KB", c.method, readers, held>>10)
		}
	}
}
