package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

func TestMetricsAreForThisMachine(t *testing.T) {
	h := forThisMachine(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("figures")) }, http.NotFoundHandler())
	for _, tt := range []struct {
		name, remote, header, value string
		want                        int
	}{
		{"loopback", "127.0.0.1:5", "", "", 200},
		{"IPv6 loopback", "[::1]:5", "", "", 200},
		{"mapped loopback", "[::ffff:127.0.0.1]:5", "", "", 200},
		{"another machine", "192.0.2.1:5", "", "", 404},
		{"private network", "10.0.0.1:5", "", "", 404},
		{"unix socket", "@", "", "", 404},
		{"handed on by a proxy", "127.0.0.1:5", "X-Forwarded-For", "203.0.113.9", 404},
		{"by another", "127.0.0.1:5", "Forwarded", "for=203.0.113.9", 404},
		{"by a third", "127.0.0.1:5", "X-Real-IP", "203.0.113.9", 404},
		{"by a cache", "127.0.0.1:5", "Via", "1.1 cache", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = tt.remote
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func TestMetricsPage(t *testing.T) {
	now := time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)
	c := &counters{started: now.Add(-time.Hour)}
	c.counted(partDAV, http.NotFoundHandler(), httptest.NewRecorder(), httptest.NewRequest("GET", "/dav/", nil))
	page := c.page(store.Figures{Accounts: 3, Entries: map[string]int64{"due": 2, "held": 1}, NextDue: now.Add(-90 * time.Second)}, store.Load{Updates: 9, Commits: 4}, true, now)
	for _, want := range []string{
		"convene_up 1\n", "convene_accounts 3\n", "convene_messages{state=\"due\"} 2\n", "convene_messages{state=\"held\"} 1\n",
		"convene_message_late_seconds 90\n", "convene_http_request_seconds_count{part=\"dav\"} 1\n", "convene_http_request_seconds_count{part=\"web\"} 0\n",
		"convene_store_changes_total 9\n", "convene_store_commits_total 4\n", "convene_http_requests_under_way 0\n", "process_start_time_seconds 1806577200\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for line := range strings.Lines(page) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "# HELP ") && !strings.HasPrefix(line, "# TYPE ") && len(strings.Fields(line)) != 2 {
			t.Errorf("no metric: %q", line)
		}
	}
	if page := c.page(store.Figures{}, store.Load{}, false, now); !strings.Contains(page, "convene_up 0\n") || strings.Contains(page, "convene_accounts") {
		t.Errorf("without the store:\n%s", page)
	}
}
