package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/problem"
)

func TestSignIn(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.browser()
	for path, want := range map[string]string{"/": "/sign-in", "/calendar/month/2026-11-20": "/sign-in?next=/calendar/month/2026-11-20"} {
		if r := b.get(path); r.StatusCode != 303 || r.Header.Get("Location") != want {
			t.Errorf("GET %s signed out: %s to %q, want %q", path, r.Status, r.Header.Get("Location"), want)
		}
	}
	if status, answer := b.try("GET", "me", nil); status != 401 || !strings.Contains(answer, `"condition":"unauthenticated"`) {
		t.Errorf("the API signed out: %d %s", status, answer)
	}
	r := b.form("/sign-in", url.Values{"login": {"alice"}, "password": {"wrong"}, "next": {"/invitations"}})
	page := text(t, r)
	for _, want := range []string{`role="alert"`, "wrong", `value="alice"`, `value="/invitations"`} {
		if r.StatusCode != 401 || !strings.Contains(page, want) {
			t.Errorf("wrong password: %s, page without %s:\n%s", r.Status, want, page)
		}
	}
	if strings.Contains(page, `value="wrong"`) {
		t.Error("the page repeats the password")
	}
	r = b.form("/sign-in", url.Values{"login": {"Alice@Example.test"}, "password": {"alice password"}, "next": {"/invitations"}})
	if r.StatusCode != 303 || r.Header.Get("Location") != "/invitations" {
		t.Fatalf("right password: %s to %q", r.Status, r.Header.Get("Location"))
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || !strings.HasPrefix(c.Name, "convene-") {
		t.Errorf("cookie %+v", c)
	}
	r = b.get("/")
	if page := text(t, r); r.StatusCode != 200 || !strings.Contains(page, `<script type="module" src="/assets/main-`) || strings.Contains(page, "<style") || strings.Contains(page, "style=") {
		t.Errorf("the application: %s\n%s", r.Status, page)
	}
	old := c.Value
	if r := b.form("/sign-out", nil); r.StatusCode != 303 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign out: %s %v", r.Status, r.Cookies())
	}
	if status, _ := b.try("GET", "me", nil, "Cookie", c.Name+"="+old); status != 401 {
		t.Errorf("the session lives on after signing out: %d", status)
	}
}

// The door leads nowhere but inside.
func TestNextStaysWithin(t *testing.T) {
	for next, want := range map[string]string{
		"/account": "/account", "": "/", "//evil.test": "/", "https://evil.test": "/", "/\\evil.test": "/", "/\t/evil.test": "/", "/sign-out": "/",
	} {
		if got := within(next); got != want {
			t.Errorf("within(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestSecureCookieBehindTLS(t *testing.T) {
	o := newOffice(t, fixed)
	req, _ := http.NewRequest("POST", o.url+"/sign-in", strings.NewReader("login=alice&password=alice+password"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-Proto", "https")
	r, err := o.browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if c := r.Cookies()[0]; !c.Secure || c.Name != "__Host-convene" || c.Domain != "" || c.Path != "/" {
		t.Errorf("cookie %+v", c)
	}
}

func TestOtherSitesCannotAct(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.test"}} {
		if status, _ := b.try("POST", "calendars", `{"displayName":"x","color":"#000000"}`, header...); status != 403 {
			t.Errorf("%v: %d, want 403", header, status)
		}
	}
	if status, _ := b.try("POST", "calendars", `{"displayName":"x","color":"#000000"}`, "Content-Type", "text/plain"); status != 415 {
		t.Errorf("a form's media type: %d, want 415", status)
	}
}

func TestHeaders(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	for _, path := range []string{"/", "/sign-in", "/api/me", "/api/nothing", "/assets/LICENSES.txt"} {
		h := b.get(path).Header
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'self';") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
		if !strings.HasPrefix(path, "/assets/") && h.Get("Cache-Control") != "no-store" && h.Get("Location") == "" {
			t.Errorf("%s may be cached: %q", path, h.Get("Cache-Control"))
		}
	}
}

// An app password opens calendars to a program, not the account to a person.
func TestAppPasswords(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	made := ask[struct {
		ID       int64
		Password string
	}](b, "POST", "app-passwords", `{"label":"Phone"}`)
	if who, err := o.accounts.Authenticate(t.Context(), "alice", made.Password, "127.0.0.1"); err != nil || who.Via != "app-password" {
		t.Errorf("the app password does not work: %+v %v", who, err)
	}
	if r := o.browser().form("/sign-in", url.Values{"login": {"alice"}, "password": {made.Password}}); r.StatusCode != 401 || !strings.Contains(text(t, r), "app password") {
		t.Errorf("signing in with an app password: %s", r.Status)
	}
	status, list := b.try("GET", "app-passwords", nil)
	if status != 200 || !strings.Contains(list, `"label":"Phone"`) || strings.Contains(list, made.Password) {
		t.Errorf("list: %d %s", status, list)
	}
	if status, _ := o.signIn("bob").try("DELETE", "app-passwords/"+jsonNumber(made.ID), nil); status != 404 {
		t.Errorf("revoking another's: %d, want 404", status)
	}
	ask[any](b, "DELETE", "app-passwords/"+jsonNumber(made.ID), nil)
	if _, err := o.accounts.Authenticate(t.Context(), "alice", made.Password, "127.0.0.1"); !problem.Has(err, problem.Unauthenticated) {
		t.Errorf("after revoking: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	o := newOffice(t, fixed)
	b, elsewhere := o.signIn("alice"), o.signIn("alice")
	for _, tt := range []struct {
		body   string
		status int
	}{
		{`{"current":"wrong","password":"long enough"}`, 403},
		{`{"current":"alice password","password":"short"}`, 400},
	} {
		if status, answer := b.try("POST", "password", tt.body); status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.body, status, answer, tt.status)
		}
	}
	ask[any](b, "POST", "password", `{"current":"alice password","password":"something new"}`)
	if status, _ := b.try("GET", "me", nil); status != 200 {
		t.Errorf("the session that changed it ended: %d", status)
	}
	if status, _ := elsewhere.try("GET", "me", nil); status != 401 {
		t.Errorf("another session goes on: %d", status)
	}
	if r := o.browser().form("/sign-in", url.Values{"login": {"alice"}, "password": {"something new"}}); r.StatusCode != 303 {
		t.Errorf("signing in with the new password: %s", r.Status)
	}
}

func TestPanicOfMissingAssetsCannotHappen(t *testing.T) {
	if New(Options{}) == nil {
		t.Fatal("no handler")
	}
	w := httptest.NewRecorder()
	New(Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/sign-in", nil))
	if w.Code != 200 {
		t.Errorf("the door without a session: %d", w.Code)
	}
}
