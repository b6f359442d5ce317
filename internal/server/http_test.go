package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestForwardedHeadersOnlyFromTrustedProxies(t *testing.T) {
	trusted := parseProxies([]string{"10.0.0.0/8", "::1"})
	for _, tt := range []struct {
		name, remote, forwarded, proto string
		wantRemote, wantScheme         string
	}{
		{"stranger's header is nothing", "192.0.2.1:5", "203.0.113.9", "https", "192.0.2.1:5", ""},
		{"proxy tells the client", "10.1.2.3:5", "203.0.113.9", "https", "203.0.113.9:0", "https"},
		{"client cannot prepend", "10.1.2.3:5", "1.1.1.1, 203.0.113.9", "", "203.0.113.9:0", ""},
		{"two proxies", "10.1.2.3:5", "203.0.113.9, 10.9.9.9", "https", "203.0.113.9:0", "https"},
		{"garbage", "10.1.2.3:5", "not an address", "gopher", "10.1.2.3:5", ""},
		{"IPv6 proxy", "[::1]:5", "2001:db8::1", "https", "[2001:db8::1]:0", "https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var remote, scheme, left string
			h := behindProxy(trusted, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				remote, scheme, left = r.RemoteAddr, r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-For")
			}))
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.remote
			r.Header.Set("X-Forwarded-For", tt.forwarded)
			r.Header.Set("X-Forwarded-Proto", tt.proto)
			h.ServeHTTP(httptest.NewRecorder(), r)
			if remote != tt.wantRemote || scheme != tt.wantScheme || left != "" {
				t.Errorf("remote %s scheme %s header %q, want %s %s and no header", remote, scheme, left, tt.wantRemote, tt.wantScheme)
			}
		})
	}
}

func TestPanicBecomesSilent500(t *testing.T) {
	h := recovered(slog.New(slog.NewTextHandler(io.Discard, nil)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("secret detail")
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || len(w.Body.String()) == 0 || w.Body.String() == "secret detail" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

// deadlines notes the read deadline a handler's connection gets.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = t; return nil }

func TestBodiesComeInTime(t *testing.T) {
	h := newHTTPServer(http.NotFoundHandler(), nil, slog.New(slog.NewTextHandler(io.Discard, nil)), defaultPatience).Handler
	for _, c := range []struct {
		body  io.Reader
		bound bool
	}{{strings.NewReader("login=a"), true}, {io.MultiReader(strings.NewReader("chunked")), true}, {nil, false}} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(w, httptest.NewRequest("POST", "/sign-in", c.body))
		if left := time.Until(w.read); c.bound != (left > 0 && left <= defaultPatience.body) {
			t.Errorf("body %v: read deadline %v", c.body, w.read)
		}
	}
}
