package mail

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestHook(t *testing.T) {
	x := newSite(t, sqlite(t), "", func(o *Options) { o.MaxMessageSize = 5000 })
	server := httptest.NewServer(x.mail.Hook("secret"))
	defer server.Close()
	raw := string(spoof("dan@two.test", "REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	const query = "from=dan%40two.test&to=ann%40one.test"
	for _, c := range []struct {
		name, method, query, secret, body string
		at                                time.Time
		status                            int
		says                              string
	}{
		{"an invitation", "POST", query, "secret", raw, now, 200, `"state":"applied"`},
		{"the same again", "POST", query, "secret", raw, now, 200, `"state":"applied"`},
		{"recipients from the mail", "POST", "", "secret", raw, now, 200, `"state"`},
		{"another secret", "POST", query, "guess", raw, now, 403, "signature"},
		{"an old request", "POST", query, "secret", raw, now.Add(-time.Hour), 403, "older"},
		{"a request from the future", "POST", query, "secret", raw, now.Add(time.Hour), 403, "older"},
		{"nobody", "POST", "to=eve%40one.test", "secret", raw, now, 404, "eve@one.test"},
		{"too large", "POST", query, "secret", raw + strings.Repeat("x", 5000), now, 413, "5000"},
		{"a browser", "GET", query, "secret", "", now, 405, "posted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+"/hooks/mail?"+c.query, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			stamp := strconv.FormatInt(c.at.Unix(), 10)
			req.Header.Set("Convene-Timestamp", stamp)
			req.Header.Set("Convene-Signature", hex.EncodeToString(signHook(c.secret, stamp, c.query, []byte(c.body))))
			r, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != c.status || !bytes.Contains(body, []byte(c.says)) {
				t.Errorf("%s %s, %v; want %d with %q", r.Status, body, err, c.status, c.says)
			}
		})
	}
	for name, change := range map[string]func(*http.Request){
		"no fields": func(*http.Request) {},
		"no signature": func(r *http.Request) {
			r.Header.Set("Convene-Timestamp", strconv.FormatInt(now.Unix(), 10))
		},
		"odd hex": func(r *http.Request) {
			r.Header.Set("Convene-Timestamp", strconv.FormatInt(now.Unix(), 10))
			r.Header.Set("Convene-Signature", "xyz")
		},
	} {
		req := httptest.NewRequest("POST", "/hooks/mail?"+query, strings.NewReader(raw))
		change(req)
		w := httptest.NewRecorder()
		x.mail.Hook("secret").ServeHTTP(w, req)
		if w.Code != 403 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if signedHook("", "0", "", nil, hex.EncodeToString(signHook("", "0", "", nil)), time.Unix(0, 0)) {
		t.Error("an empty secret signs")
	}
}
